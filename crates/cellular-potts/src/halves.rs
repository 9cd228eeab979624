//! Holds sites of two dimensions with even and odd columns apart: the sites of a colour stand one after another, and so do their
//! neighbours in each direction, so that vectors are plain reads.
//!
//! The half of even columns has the sites x = 0, 2, 4 …, that of odd ones x = −1, 1, 3 …, each with the margin that falls to
//! it. So the neighbours left and right of the site at place i + parity of its half are at places i and i + 1 of the other one.

use crate::plane::{OUTSIDE, Places, kind, label};
use crate::vectors::BLOCK;

/// A copy that was accepted: where in its half, and what was and is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    pub(crate) at: u32,
    pub(crate) old: u32,
    pub(crate) new: u32,
}

/// The columns of one parity.
#[derive(Clone, Debug)]
struct Half {
    sites: Vec<u32>,
    /// Of every two types a plane: 1 where a site has the first, 16 where it has the second.
    codes: Vec<Vec<u8>>,
}

/// Sites, even columns first.
#[derive(Clone, Debug)]
pub(crate) struct Halves {
    halves: [Half; 2],
    height: usize,
    width: usize,
    /// How far apart rows stand, of which the first is the margin's.
    stride: usize,
    /// Along (y, x).
    periodic: [bool; 2],
}

/// Three rows of neighbours, above, of and below, of a block of sites of a colour: to the left, in the middle, to the right.
pub(crate) type Around<'a, T> = [[&'a [T; BLOCK]; 3]; 3];

impl Halves {
    /// Of a plane.
    pub(crate) fn new(places: &Places, plane: &[u32], types: usize) -> Halves {
        let [_, height, width] = places.extent();
        let stride = width / 2 + 2;
        // Vectors need not end with a row.
        let empty = vec![OUTSIDE; (height + 2) * stride + BLOCK];
        let [_, y, x] = places.periodic();
        let half = Half { sites: empty, codes: Vec::new() };
        let mut halves = Halves { halves: [half.clone(), half], height, width, stride, periodic: [y, x] };
        for (y, begin) in places.rows().iter().enumerate() {
            for (x, site) in plane[*begin..*begin + width].iter().enumerate() {
                let at = halves.at(y, x);
                halves.halves[x % 2].sites[at] = *site;
            }
        }
        for half in &mut halves.halves {
            let codes = |plane| half.sites.iter().map(|site| code(kind(*site), plane)).collect();
            half.codes = (0..types.div_ceil(2)).map(codes).collect();
        }
        for colour in [[0, 0], [0, 1], [1, 0], [1, 1]] {
            halves.fill_images(colour);
        }
        halves
    }

    /// Where in its half a site stands.
    #[inline(always)]
    pub(crate) fn at(&self, y: usize, x: usize) -> usize {
        (y + 1) * self.stride + x.div_ceil(2)
    }

    /// The sites about those from one of a colour on, itself in the middle.
    #[inline(always)]
    pub(crate) fn sites(&self, y: usize, x: usize) -> Option<Around<'_, u32>> {
        let own = &self.halves[x % 2].sites;
        self.around(own, &self.halves[1 - x % 2].sites, y, x)
    }

    /// The codes of two types about them.
    #[inline(always)]
    pub(crate) fn codes(&self, plane: usize, y: usize, x: usize) -> Option<Around<'_, u8>> {
        let [own, other] = [x % 2, 1 - x % 2].map(|parity| self.halves[parity].codes.get(plane));
        self.around(own?, other?, y, x)
    }

    /// How many planes of codes there are.
    #[inline(always)]
    pub(crate) fn planes(&self) -> usize {
        self.halves[0].codes.len()
    }

    #[inline(always)]
    fn around<'a, T>(&self, own: &'a [T], other: &'a [T], y: usize, x: usize) -> Option<Around<'a, T>> {
        let left = (y + 1) * self.stride + x / 2;
        let middle = left + x % 2;
        let row = |back: usize| {
            let block =
                |half: &'a [T], at: usize| half.get((at + back).checked_sub(self.stride)?..)?.first_chunk();
            Some([block(other, left)?, block(own, middle)?, block(other, left + 1)?])
        };
        Some([row(0)?, row(self.stride)?, row(2 * self.stride)?])
    }

    /// Makes copies at sites of one colour, by the parities of y and x, volumes with them.
    pub(crate) fn make(&mut self, [y, x]: [usize; 2], moves: &[Move], volumes: &mut [i32]) {
        let Half { sites, codes } = &mut self.halves[x];
        for Move { at, old, new } in moves {
            sites[*at as usize] = *new;
            volumes[label(*old)] -= 1;
            volumes[label(*new)] += 1;
        }
        for (plane, codes) in codes.iter_mut().enumerate() {
            for Move { at, new, .. } in moves {
                codes[*at as usize] = code(kind(*new), plane);
            }
        }
        self.fill_images([y, x]);
    }

    /// Writes the images of the sites of one colour across periodic edges.
    fn fill_images(&mut self, [y, x]: [usize; 2]) {
        let Half { sites, codes } = &mut self.halves[x];
        let (height, stride, periodic) = (self.height, self.stride, self.periodic);
        // Periodic axes have even lengths: what is seen beyond one end is of the other end's colour.
        let along_x = periodic[1].then_some(if x == 0 { [0, self.width / 2] } else { [self.width / 2, 0] });
        let along_y = periodic[0].then_some(if y == 0 { [1, height + 1] } else { [height, 0] });
        let rows = (1 + y..=height).step_by(2);
        images(sites, stride, rows.clone(), along_x, along_y);
        codes.iter_mut().for_each(|codes| images(codes, stride, rows.clone(), along_x, along_y));
    }

    /// Writes the sites into a plane, without images.
    pub(crate) fn write(&self, places: &Places, plane: &mut [u32]) {
        let [even, odd] = [0, 1].map(|parity| &self.halves[parity].sites);
        for (y, begin) in places.rows().iter().enumerate() {
            let row = &mut plane[*begin..*begin + self.width];
            let from = (y + 1) * self.stride;
            let (pairs, rest) = row.as_chunks_mut::<2>();
            let both = even[from..].iter().zip(&odd[from + 1..]);
            pairs.iter_mut().zip(both).for_each(|(pair, (even, odd))| *pair = [*even, *odd]);
            rest.iter_mut().for_each(|last| *last = even[from + self.width / 2]);
        }
    }
}

/// Copies places of rows, and a whole row, from one to another.
fn images<T: Copy>(
    plane: &mut [T],
    stride: usize,
    rows: impl Iterator<Item = usize>,
    along_x: Option<[usize; 2]>,
    along_y: Option<[usize; 2]>,
) {
    if let Some([from, to]) = along_x {
        rows.for_each(|row| plane[row * stride + to] = plane[row * stride + from]);
    }
    if let Some([from, to]) = along_y {
        plane.copy_within(from * stride..(from + 1) * stride, to * stride);
    }
}

/// What a type counts for in a plane of codes: without a branch, which nobody could foresee.
#[inline(always)]
fn code(kind: usize, plane: usize) -> u8 {
    u8::from(kind == 2 * plane + 1) | u8::from(kind == 2 * plane + 2) << 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::Cells;
    use glauber_lattice::{Lattice, Moore, Neighbours};

    /// What halves show about a site is what a plane shows, before and after copies, whatever the edges.
    #[test]
    fn halves_show_what_planes_show() {
        let shapes = [
            Lattice::new(&[6, 8]).unwrap(),
            Lattice::new(&[5, 9]).unwrap().fixed(0.0),
            Lattice::new(&[1, 3]).unwrap().fixed(0.0),
            Lattice::new(&[4, 7]).unwrap().along(1, glauber_lattice::Boundary::Fixed(0.0)),
        ];
        for lattice in shapes {
            let (height, width) = (lattice.shape()[0], lattice.shape()[1]);
            let cells = Cells::new(lattice.clone(), vec![0; height * width], vec![0]).unwrap();
            let places = Places::new(&cells, 1, Moore.on(2).offsets().to_vec());
            let mut dense: Vec<u32> =
                (0..height * width).map(|i| (i as u32 + 1) | ((1 + i as u32 % 3) << 24)).collect();
            let mut halves = Halves::new(&places, &places.spread(&dense, OUTSIDE), 3);
            let mut volumes = vec![0; 10 + dense.len()];
            for round in 0..5 {
                let plane = places.spread(&dense, OUTSIDE);
                let mut written = places.filled(OUTSIDE);
                halves.write(&places, &mut written);
                places.fill_images(&mut written, OUTSIDE);
                assert_eq!(written, plane);
                for site in 0..height * width {
                    let (y, x) = (site / width, site % width);
                    let around = halves.sites(y, x).unwrap();
                    let shown = [0, 1, 2].map(|row| around[row].map(|block| block[0]));
                    let at = places.address(site);
                    let wanted = |distance: isize| plane[at.wrapping_add_signed(distance)];
                    let distances = places.distances();
                    let near: Vec<u32> = shown.iter().flatten().copied().collect();
                    let by_place: Vec<u32> = [0, 1, 2, 3]
                        .iter()
                        .map(|i| wanted(distances[*i]))
                        .chain([plane[at]])
                        .chain([4, 5, 6, 7].iter().map(|i| wanted(distances[*i])))
                        .collect();
                    assert_eq!(near, by_place, "{lattice}, {site}");
                    for plane in 0..halves.planes() {
                        let codes = halves.codes(plane, y, x).unwrap();
                        let codes: Vec<u8> = codes.iter().flatten().map(|block| block[0]).collect();
                        let wanted: Vec<u8> = near.iter().map(|site| code(kind(*site), plane)).collect();
                        assert_eq!(codes, wanted);
                    }
                }
                // Every site of one colour becomes another.
                let colour = [round % 2, round / 2 % 2];
                let mut moves = Vec::new();
                for site in 0..height * width {
                    let (y, x) = (site / width, site % width);
                    if [y % 2, x % 2] == colour {
                        let new = (site as u32 + 2) | ((1 + round as u32 % 3) << 24);
                        moves.push(Move { at: halves.at(y, x) as u32, old: dense[site], new });
                        dense[site] = new;
                    }
                }
                halves.make(colour, &moves, &mut volumes);
            }
            assert_eq!(volumes.iter().sum::<i32>(), 0);
        }
    }
}
