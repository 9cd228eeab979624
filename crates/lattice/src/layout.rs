//! Lays a lattice out in memory: rows of sites with a margin wide enough that no neighbour read leaves it.
//!
//! A *dense* array holds the sites in C order (z, y, x). A *padded* plane holds the same rows with `margin` extra
//! sites before and after along every axis. Once the margin is filled by the boundary rule, a neighbour at any
//! offset within the margin is a plain read at a constant distance in memory.

use crate::{Boundary, Lattice, Offset};

/// Where each site of a lattice stands in a padded plane.
///
/// ```
/// use glauber_lattice::{Lattice, Layout};
/// let layout = Layout::new(&Lattice::square(4), [0, 1, 1]);
/// let mut plane = vec![0u8; layout.padded_len()];
/// let dense: Vec<u8> = (0..16).collect();
/// layout.scatter(&dense, &mut plane);
/// layout.fill_margin(&mut plane, 0);
/// let left_of_first = (layout.row(0) as isize + layout.distance([0, 0, -1])) as usize;
/// assert_eq!(plane[left_of_first], 3); // the torus wraps
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    extent: [usize; 3],
    margin: [usize; 3],
    padded: [usize; 3],
    boundaries: [Boundary; 3],
}

impl Layout {
    /// The layout of `lattice` with `margin` sites along (z, y, x) on each side.
    pub fn new(lattice: &Lattice, margin: [usize; 3]) -> Layout {
        let extent = lattice.extent();
        let padded = [0, 1, 2].map(|a| extent[a] + 2 * margin[a]);
        Layout { extent, margin, padded, boundaries: lattice.boundaries() }
    }

    /// The sites along (z, y, x), without margins.
    pub fn extent(&self) -> [usize; 3] {
        self.extent
    }

    /// The margin along (z, y, x).
    pub fn margin(&self) -> [usize; 3] {
        self.margin
    }

    /// The number of sites.
    pub fn sites(&self) -> usize {
        self.extent.iter().product()
    }

    /// The number of rows (runs of sites along x).
    pub fn rows(&self) -> usize {
        self.extent[0] * self.extent[1]
    }

    /// The sites in a row.
    pub fn width(&self) -> usize {
        self.extent[2]
    }

    /// The length of a padded plane.
    pub fn padded_len(&self) -> usize {
        self.padded.iter().product()
    }

    /// Where row `row` starts in a padded plane.
    #[inline]
    pub fn row(&self, row: usize) -> usize {
        let (z, y) = (row / self.extent[1], row % self.extent[1]);
        ((z + self.margin[0]) * self.padded[1] + y + self.margin[1]) * self.padded[2] + self.margin[2]
    }

    /// How far in memory a site at `offset` lies from a site.
    #[inline]
    pub fn distance(&self, offset: Offset) -> isize {
        let [z, y, x] = offset.map(|d| d as isize);
        (z * self.padded[1] as isize + y) * self.padded[2] as isize + x
    }

    /// Copies a dense array into the rows of a padded plane; the margin is left as it is.
    pub fn scatter<T: Copy>(&self, dense: &[T], plane: &mut [T]) {
        for (row, values) in dense.chunks_exact(self.width()).enumerate() {
            let start = self.row(row);
            plane[start..start + values.len()].copy_from_slice(values);
        }
    }

    /// Copies the rows of a padded plane into a dense array.
    pub fn gather<T: Copy>(&self, plane: &[T], dense: &mut [T]) {
        for (row, values) in dense.chunks_exact_mut(self.width()).enumerate() {
            let start = self.row(row);
            values.copy_from_slice(&plane[start..start + values.len()]);
        }
    }

    /// Fills the margin by the boundary rule; `outside` gives the value a fixed boundary stands for.
    pub fn fill_margin<T: Copy>(&self, plane: &mut [T], outside: T) {
        self.fill_margin_with(plane, |_| outside);
    }

    /// Fills the margin by the boundary rule; `outside` turns a fixed boundary's value into the plane's type.
    pub fn fill_margin_with<T: Copy>(&self, plane: &mut [T], outside: impl Fn(f64) -> T) {
        self.fill_along_x(plane, &outside);
        self.fill_along(1, plane, &outside);
        self.fill_along(0, plane, &outside);
    }

    fn fill_along_x<T: Copy>(&self, plane: &mut [T], outside: &impl Fn(f64) -> T) {
        let (width, margin) = (self.extent[2], self.margin[2]);
        for step in 1..=margin {
            let sides =
                [(margin - step, -(step as i64)), (margin + width + step - 1, (width + step - 1) as i64)];
            for (to, x) in sides {
                match (self.boundaries[2].source(x, width), self.boundaries[2]) {
                    (Some(source), _) => self.for_padded_rows(plane, |row| row[to] = row[margin + source]),
                    (None, Boundary::Fixed(value)) => {
                        self.for_padded_rows(plane, |row| row[to] = outside(value))
                    }
                    (None, _) => {}
                }
            }
        }
    }

    /// Calls `f` with every row of sites, its margin along x included.
    fn for_padded_rows<T>(&self, plane: &mut [T], f: impl Fn(&mut [T])) {
        let [_, height, length] = self.padded;
        for slab in plane.chunks_exact_mut(height * length).skip(self.margin[0]).take(self.extent[0]) {
            for row in slab.chunks_exact_mut(length).skip(self.margin[1]).take(self.extent[1]) {
                f(row);
            }
        }
    }

    /// Fills the margin along y (axis 1) or z (axis 0) with whole padded rows or slabs.
    fn fill_along<T: Copy>(&self, axis: usize, plane: &mut [T], outside: &impl Fn(f64) -> T) {
        let (length, margin) = (self.extent[axis], self.margin[axis]);
        if margin == 0 {
            return;
        }
        let slab: usize = self.padded[axis + 1..].iter().product();
        let outer: usize = if axis == 1 { self.extent[0] } else { 1 };
        for outer_index in 0..outer {
            let base = if axis == 1 { (outer_index + self.margin[0]) * self.padded[1] * slab } else { 0 };
            let place = |x: i64| base + (x + margin as i64) as usize * slab;
            for step in 1..=margin as i64 {
                for x in [-step, length as i64 + step - 1] {
                    let to = place(x);
                    match (self.boundaries[axis].source(x, length), self.boundaries[axis]) {
                        (Some(source), _) => {
                            let from = place(source as i64);
                            plane.copy_within(from..from + slab, to);
                        }
                        (None, Boundary::Fixed(value)) => plane[to..to + slab].fill(outside(value)),
                        (None, _) => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every padded site equals the site the boundary rules name, by brute force over three axes.
    #[test]
    fn margins_follow_the_boundaries() {
        let shapes: [&[usize]; 4] = [&[5], &[3, 4], &[2, 3, 4], &[1, 2]];
        for shape in shapes {
            for boundary in [Boundary::Periodic, Boundary::Reflecting, Boundary::Fixed(99.0)] {
                let lattice = Lattice::new(shape).unwrap().bounded(boundary);
                let margin = [0, 1, 2].map(|a| if a + shape.len() >= 3 { 2 } else { 0 });
                let layout = Layout::new(&lattice, margin);
                let dense: Vec<i32> = (0..layout.sites() as i32).collect();
                let mut plane = vec![-1; layout.padded_len()];
                layout.scatter(&dense, &mut plane);
                layout.fill_margin_with(&mut plane, |v| v as i32);
                let [lz, ly, lx] = layout.extent();
                let reach = margin.map(|m| m as i32);
                for (site, &value) in dense.iter().enumerate() {
                    let (z, y, x) = (site / (ly * lx), site / lx % ly, site % lx);
                    assert_eq!(value, site as i32);
                    for dz in -reach[0]..=reach[0] {
                        for dy in -reach[1]..=reach[1] {
                            for dx in -reach[2]..=reach[2] {
                                let at = (layout.row(site / lx) + x) as isize + layout.distance([dz, dy, dx]);
                                let want = (|| {
                                    let z = boundary.source(z as i64 + i64::from(dz), lz)?;
                                    let y = boundary.source(y as i64 + i64::from(dy), ly)?;
                                    let x = boundary.source(x as i64 + i64::from(dx), lx)?;
                                    Some(dense[(z * ly + y) * lx + x])
                                })();
                                assert_eq!(plane[at as usize], want.unwrap_or(99));
                            }
                        }
                    }
                }
            }
        }
    }
}
