//! Holds labels with their types in rows with margins, so that a neighbour is a plain read whatever the boundary.
//!
//! A site is one number: its label in the lower 24 bits, its type in the upper 8. Margins hold images of the sites across
//! periodic edges, written together with them, and [`OUTSIDE`] beyond fixed edges, which counts as medium in every
//! sum and is no label of any site.

use glauber_lattice::{Boundary, Layout, Offset};

use crate::cells::Cells;

/// What stands beyond a fixed edge: no label, of the medium's type.
pub(crate) const OUTSIDE: u32 = LABEL;
/// The bits of a site that are its label.
const LABEL: u32 = (1 << 24) - 1;

/// The label of a site's number.
#[inline(always)]
pub(crate) fn label(site: u32) -> usize {
    (site & LABEL) as usize
}

/// The type of a site's number.
#[inline(always)]
pub(crate) fn kind(site: u32) -> usize {
    (site >> 24) as usize
}

/// Where a site stands in a plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    site: usize,
    address: usize,
    imaged: bool,
}

/// The sites of a lattice in memory, and where each stands.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    extent: [usize; 3],
    margin: [usize; 3],
    periodic: [bool; 3],
    /// How far apart neighbours along (z, y, x) stand.
    strides: [usize; 3],
    /// Where each row of sites begins.
    rows: Vec<usize>,
    /// Which rows have images.
    imaged: Vec<bool>,
    /// 2⁶⁴ / the sites of a row, rounded up.
    reciprocal: u64,
    offsets: Vec<Offset>,
    distances: Vec<isize>,
    layout: Layout,
}

impl Places {
    /// Places with so wide a margin along the axes there are.
    pub(crate) fn new(cells: &Cells, margin: usize, offsets: Vec<Offset>) -> Places {
        let lattice = cells.lattice();
        let dimensions = lattice.dimensions();
        let margin = [0, 1, 2].map(|axis| if axis + dimensions >= 3 { margin } else { 0 });
        let layout = Layout::new(lattice, margin);
        let extent = lattice.extent();
        let near_edge = |axis: usize, x: usize| x < margin[axis] || x + margin[axis] >= extent[axis];
        let imaged =
            (0..layout.rows()).map(|row| near_edge(0, row / extent[1]) || near_edge(1, row % extent[1]));
        Places {
            imaged: imaged.collect(),
            extent,
            margin,
            periodic: lattice.boundaries().map(|b| b == Boundary::Periodic),
            strides: [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map(|unit| layout.distance(unit).unsigned_abs()),
            rows: (0..layout.rows()).map(|row| layout.row(row)).collect(),
            // Rows of one site would need 2⁶⁴ itself; `split` knows.
            reciprocal: (u64::MAX / layout.width() as u64).wrapping_add(1),
            distances: offsets.iter().map(|&offset| layout.distance(offset)).collect(),
            offsets,
            layout,
        }
    }

    /// The Moore neighbours in the order in which directions are drawn.
    pub(crate) fn offsets(&self) -> &[Offset] {
        &self.offsets
    }

    /// How far in memory each of them is.
    pub(crate) fn distances(&self) -> &[isize] {
        &self.distances
    }

    /// How many sites there are.
    pub(crate) fn sites(&self) -> usize {
        self.extent.iter().product()
    }

    /// The lengths along (z, y, x).
    pub(crate) fn extent(&self) -> [usize; 3] {
        self.extent
    }

    /// Which axes are periodic.
    pub(crate) fn periodic(&self) -> [bool; 3] {
        self.periodic
    }

    /// Where each row begins.
    pub(crate) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// A site's row and its place in it.
    #[inline(always)]
    fn split(&self, site: usize) -> (usize, usize) {
        let width = self.extent[2];
        if width == 1 {
            return (site, 0);
        }
        // Exact for numbers of 32 bits (Lemire, Kaser, Kurz 2019).
        let row = ((site as u128 * u128::from(self.reciprocal)) >> 64) as usize;
        (row, site - row * width)
    }

    /// Where a site stands.
    #[inline(always)]
    pub(crate) fn address(&self, site: usize) -> usize {
        let (row, x) = self.split(site);
        self.rows[row] + x
    }

    /// The site in a direction, across periodic edges; beyond a fixed one, where none is, an arbitrary one.
    pub(crate) fn neighbour(&self, site: usize, direction: usize) -> usize {
        let (row, x) = self.split(site);
        let at = [row / self.extent[1], row % self.extent[1], x];
        (0..3).fold(0, |to, axis| {
            let (length, by) = (self.extent[axis], self.offsets[direction][axis]);
            // Offsets are −1, 0 or 1.
            let x = match by {
                0 => at[axis],
                1 => {
                    if at[axis] + 1 == length {
                        0
                    } else {
                        at[axis] + 1
                    }
                }
                _ => {
                    if at[axis] == 0 {
                        length - 1
                    } else {
                        at[axis] - 1
                    }
                }
            };
            to * length + x
        })
    }

    /// An empty plane of these places, filled with one value.
    pub(crate) fn filled<T: Clone>(&self, value: T) -> Vec<T> {
        vec![value; self.layout.padded_len()]
    }

    /// A plane of values in site order; `outside` beyond fixed edges.
    pub(crate) fn spread<T: Copy>(&self, dense: &[T], outside: T) -> Vec<T> {
        let mut plane = self.filled(outside);
        self.layout.scatter(dense, &mut plane);
        self.layout.fill_margin_with(&mut plane, |_| outside);
        plane
    }

    /// Writes the images of all sites of a plane anew.
    pub(crate) fn fill_images<T: Copy>(&self, plane: &mut [T], outside: T) {
        self.layout.fill_margin_with(plane, |_| outside);
    }

    /// The values of a plane in site order.
    pub(crate) fn gathered<T: Copy>(&self, plane: &[T], empty: T) -> Vec<T> {
        let mut dense = vec![empty; self.sites()];
        self.layout.gather(plane, &mut dense);
        dense
    }

    /// Where a site stands, and whether it has images.
    #[inline(always)]
    pub(crate) fn place(&self, site: usize) -> Place {
        let (row, x) = self.split(site);
        let margin = self.margin[2];
        let imaged = self.imaged[row] | (x < margin) | (x + margin >= self.extent[2]);
        Place { site, address: self.rows[row] + x, imaged }
    }

    /// Writes a site and its images.
    #[inline(always)]
    pub(crate) fn write<T: Copy>(&self, plane: &mut [T], place: Place, value: T) {
        plane[place.address] = value;
        if place.imaged {
            let (row, x) = self.split(place.site);
            self.write_images(plane, [row / self.extent[1], row % self.extent[1], x], value);
        }
    }

    #[cold]
    fn write_images<T: Copy>(&self, plane: &mut [T], at: [usize; 3], value: T) {
        // Where the site is seen along an axis, counted from the beginning of the margin.
        let seen = |axis: usize| {
            let (length, margin) = (self.extent[axis], self.margin[axis]);
            let first = at[axis] + margin;
            let (from, step) =
                if self.periodic[axis] { (first % length, length) } else { (first, usize::MAX) };
            let end = length + 2 * margin;
            std::iter::successors(Some(from), move |x| x.checked_add(step)).take_while(move |&x| x < end)
        };
        for z in seen(0) {
            for y in seen(1) {
                for x in seen(2) {
                    plane[z * self.strides[0] + y * self.strides[1] + x] = value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_lattice::{Lattice, Moore, Neighbours};

    /// After any write, the plane is what spreading the dense values anew gives.
    #[test]
    fn images_are_written_with_their_sites() {
        let shapes: [&[usize]; 5] = [&[3, 4], &[5, 3], &[6, 7], &[3, 4, 5], &[3, 3, 3]];
        for shape in shapes {
            for (margin, fixed) in [(1, None), (2, None), (1, Some(0)), (2, Some(1))] {
                let mut lattice = Lattice::new(shape).unwrap();
                if let Some(axis) = fixed {
                    lattice = lattice.along(axis, Boundary::Fixed(0.0));
                }
                let sites = lattice.sites();
                let cells = Cells::new(lattice, vec![0; sites], vec![0]).unwrap();
                let offsets = Moore.on(shape.len()).offsets().to_vec();
                let places = Places::new(&cells, margin, offsets);
                let mut dense = vec![0_u32; sites];
                let mut plane = places.spread(&dense, 99);
                for site in 0..sites {
                    dense[site] = site as u32 + 1;
                    places.write(&mut plane, places.place(site), dense[site]);
                    assert_eq!(plane[places.address(site)], dense[site]);
                    assert_eq!(plane, places.spread(&dense, 99), "{shape:?}, margin {margin}, site {site}");
                }
                assert_eq!(places.gathered(&plane, 0), dense);
            }
        }
    }

    #[test]
    fn rows_are_found_by_the_reciprocal() {
        for shape in [[7, 1], [1, 9], [252, 252], [3, 65_537], [40_000, 3]] {
            let lattice = Lattice::new(&shape).unwrap().fixed(0.0);
            let sites = lattice.sites();
            let cells = Cells::new(lattice, vec![0; sites], vec![0]).unwrap();
            let places = Places::new(&cells, 1, Moore.on(2).offsets().to_vec());
            for site in (0..sites).step_by(1 + sites / 5000).chain([sites - 1]) {
                assert_eq!(places.split(site), (site / shape[1], site % shape[1]));
            }
        }
    }
}
