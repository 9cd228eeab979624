//! Sums whole numbers over boxes around every site, in a time that does not depend on the size of the box.
//!
//! A table holds for each site the sum of all that lies before it along every axis; any box is a difference of a few of
//! its numbers. A table is made once, serves boxes of any size, and that of a sum is the sum of the tables.
//!
//! Whole numbers, so that a running sum is exact: what it adds and takes away again leaves nothing behind, and the order
//! of the sums does not matter. A box is cut off at an edge of the lattice and wraps around a torus, where no site is
//! counted twice.

use glauber_lattice::{Boundary, Layout};

use crate::kernels::{Corner, Lane, Window, Worth, add_corners, worth_inside};
use glauber_backend::Simd;

/// The shape that boxes lie in.
#[derive(Clone, Debug)]
pub(crate) struct Boxes {
    extent: [usize; 3],
    periodic: [bool; 3],
    simd: Simd,
    /// Room for the sums along a row, from before its beginning to beyond its end.
    room: Vec<i64>,
}

impl Boxes {
    pub(crate) fn new(layout: &Layout, boundaries: [Boundary; 3], simd: Simd) -> Boxes {
        Boxes {
            extent: layout.extent(),
            periodic: boundaries.map(|b| b == Boundary::Periodic),
            simd: simd.supported(),
            room: Vec::new(),
        }
    }

    /// The vector instructions that sums are taken with.
    pub(crate) fn simd(&self) -> Simd {
        self.simd
    }

    /// Whether the box of this radius around any site is all there is along an axis.
    fn spans(&self, axis: usize, radius: usize) -> bool {
        match self.periodic[axis] {
            true => radius.saturating_mul(2).saturating_add(1) >= self.extent[axis],
            false => radius.saturating_add(1) >= self.extent[axis],
        }
    }

    /// Whether the box of these radii around any site is the whole lattice.
    pub(crate) fn is_whole(&self, radius: [usize; 3]) -> bool {
        (0..3).all(|axis| self.spans(axis, radius[axis]))
    }

    /// Makes the table of numbers, given in site order, in their place.
    pub(crate) fn tabulate(&self, numbers: &mut [i64]) {
        let [depth, height, width] = self.extent;
        for row in numbers.chunks_exact_mut(width) {
            let mut total = 0i64;
            for x in row {
                total = total.wrapping_add(*x);
                *x = total;
            }
        }
        for place in (0..depth * height).filter(|place| place % height > 0) {
            add_before(numbers, place * width, width);
        }
        (1..depth).for_each(|place| add_before(numbers, place * height * width, height * width));
    }

    /// The sum of all numbers of a table.
    pub(crate) fn total(&self, table: &[i64]) -> i64 {
        table.last().copied().unwrap_or(0)
    }

    /// Adds to `to` the sum over the box of these radii around each site of what a table was made of.
    pub(crate) fn add(&mut self, table: &[i64], radius: [usize; 3], to: &mut [i64]) {
        let (simd, width) = (self.simd, self.extent[2]);
        self.each_row(table, radius, |number, corners, window, room| {
            add_corners(simd, corners, window, room, &mut to[number * width..][..width]);
        });
    }

    /// Writes what a draw at each site is worth, by the sum over the box of these radii around it; `to` holds the rows of
    /// the layout.
    pub(crate) fn worth<F: Lane>(
        &mut self,
        table: &[i64],
        radius: [usize; 3],
        each: Worth,
        (layout, to): (&Layout, &mut [F]),
    ) {
        let (simd, width) = (self.simd, self.extent[2]);
        self.each_row(table, radius, |number, corners, window, room| {
            worth_inside(simd, corners, window, room, each, &mut to[layout.row(number)..][..width]);
        });
    }

    /// Calls `f` with the number of each row, and what the boxes around its sites are made of.
    #[inline(always)]
    fn each_row(
        &mut self,
        table: &[i64],
        radius: [usize; 3],
        mut f: impl FnMut(usize, &[Corner<'_>], Window, &mut Vec<i64>),
    ) {
        let [depth, height, width] = self.extent;
        let along_x = Window {
            radius: if self.spans(2, radius[2]) { None } else { Some(radius[2]) },
            periodic: self.periodic[2],
        };
        for z in 0..depth {
            let slabs = self.ends(0, z, radius[0], depth);
            for y in 0..height {
                let rows = self.ends(1, y, radius[1], height);
                let mut corners = [Corner { row: &[], taken: false }; MOST_ENDS * MOST_ENDS];
                let mut count = 0;
                for slab in slabs.all() {
                    for row in rows.all() {
                        let own = &table[(slab.0 * height + row.0) * width..][..width];
                        corners[count] = Corner { row: own, taken: slab.1 != row.1 };
                        count += 1;
                    }
                }
                f(z * height + y, &corners[..count], along_x, &mut self.room);
            }
        }
    }

    /// Which places along an axis of a table make up a box about a place, and whether they are taken off.
    #[inline]
    fn ends(&self, axis: usize, place: usize, radius: usize, length: usize) -> Ends {
        let mut ends = Ends::default();
        if self.spans(axis, radius) {
            ends.push(length - 1, false);
            return ends;
        }
        // The places up to which a table sums, counted from 1: 0 has none.
        let (above, below) = (place + radius + 1, place.checked_sub(radius));
        let wraps = self.periodic[axis] && (above > length || below.is_none());
        let above = if above > length && self.periodic[axis] { above - length } else { above.min(length) };
        let below = below.unwrap_or(if self.periodic[axis] { place + length - radius } else { 0 });
        ends.push(above - 1, false);
        if wraps {
            ends.push(length - 1, false);
        }
        if below > 0 {
            ends.push(below - 1, true);
        }
        ends
    }
}

/// The most places along an axis that make up a box.
const MOST_ENDS: usize = 3;

/// Places along an axis of a table that make up a box, and whether they are taken off.
#[derive(Clone, Copy, Default)]
struct Ends {
    places: [(usize, bool); MOST_ENDS],
    count: usize,
}

impl Ends {
    #[inline]
    fn push(&mut self, place: usize, taken: bool) {
        self.places[self.count] = (place, taken);
        self.count += 1;
    }

    #[inline]
    fn all(&self) -> &[(usize, bool)] {
        &self.places[..self.count]
    }
}

/// Adds to each number of a stretch that begins at `start` the one `length` before it.
fn add_before(table: &mut [i64], start: usize, length: usize) {
    let (before, own) = table.split_at_mut(start);
    let before = &before[start - length..];
    own[..length].iter_mut().zip(before).for_each(|(sum, x)| *sum = sum.wrapping_add(*x));
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_lattice::Lattice;

    /// Every sum is the one that counts the sites one by one, for boxes from one site to more than the lattice.
    #[test]
    fn boxes_are_summed_site_by_site() {
        let shapes: [&[usize]; 5] = [&[7], &[5, 6], &[3, 4, 5], &[1, 6], &[2, 2]];
        for shape in shapes {
            for boundary in [Boundary::Periodic, Boundary::Reflecting, Boundary::Fixed(0.0)] {
                let lattice = Lattice::new(shape).unwrap().bounded(boundary);
                let layout = Layout::new(&lattice, [0; 3]);
                let mut boxes = Boxes::new(&layout, lattice.boundaries(), Simd::widest());
                let extent = layout.extent();
                let place = |site: usize| {
                    [site / (extent[1] * extent[2]), site / extent[2] % extent[1], site % extent[2]]
                };
                let numbers: Vec<i64> = (0..layout.sites() as i64).map(|i| i * i % 17 - 8).collect();
                let mut table = numbers.clone();
                boxes.tabulate(&mut table);
                assert_eq!(boxes.total(&table), numbers.iter().sum::<i64>());
                for radius in [[0, 0, 0], [0, 1, 2], [1, 2, 1], [2, 0, 3], [9, 9, 9]] {
                    let mut sums = vec![1; numbers.len()];
                    boxes.add(&table, radius, &mut sums);
                    let mut whole = true;
                    for (site, sum) in sums.iter().enumerate() {
                        let inside = |other: usize| {
                            (0..3).all(|axis| {
                                let apart = place(site)[axis].abs_diff(place(other)[axis]);
                                let around = match lattice.boundaries()[axis] {
                                    Boundary::Periodic => apart.min(extent[axis] - apart),
                                    _ => apart,
                                };
                                around <= radius[axis]
                            })
                        };
                        whole &= (0..numbers.len()).all(inside);
                        let right: i64 = (0..numbers.len()).filter(|k| inside(*k)).map(|k| numbers[k]).sum();
                        assert_eq!(*sum, 1 + right, "{shape:?}, {boundary}, {radius:?}, site {site}");
                    }
                    assert_eq!(boxes.is_whole(radius), whole, "{shape:?}, {boundary}, {radius:?}");
                }
            }
        }
    }
}
