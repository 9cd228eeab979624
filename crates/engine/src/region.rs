//! Sums whole numbers over boxes around every site, in a time that does not depend on the size of the box.
//!
//! Whole numbers, so that a running sum is exact: what it adds and takes away again leaves nothing behind, and the order
//! of the sums does not matter. A box is cut off at an edge of the lattice and wraps around a torus, where no site is
//! counted twice.

use glauber_lattice::{Boundary, Layout};

/// The shape that boxes lie in, with room for the sums on the way.
#[derive(Clone, Debug)]
pub(crate) struct Boxes {
    extent: [usize; 3],
    periodic: [bool; 3],
    /// Sums along the axes before x.
    along: [Vec<i64>; 2],
    /// The sums of a row up to each place of it and of what lies around it.
    running: Vec<i64>,
}

impl Boxes {
    pub(crate) fn new(layout: &Layout, boundaries: [Boundary; 3]) -> Boxes {
        Boxes {
            extent: layout.extent(),
            periodic: boundaries.map(|b| b == Boundary::Periodic),
            along: [Vec::new(), Vec::new()],
            running: Vec::new(),
        }
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

    /// Adds to `to` the sum of `from` over the box of these radii around each site.
    pub(crate) fn add(&mut self, from: &[i64], radius: [usize; 3], to: &mut [i64]) {
        let [depth, height, width] = self.extent;
        let spans = [0, 1, 2].map(|axis| self.spans(axis, radius[axis]));
        let [mut one, mut other] = std::mem::take(&mut self.along);
        let mut source = from;
        if depth > 1 && radius[0] > 0 {
            let kind = Slide { length: depth, inner: height * width, radius: radius[0], whole: spans[0] };
            kind.run(source, &mut one, self.periodic[0]);
            source = &one;
        }
        if height > 1 && radius[1] > 0 {
            let kind = Slide { length: height, inner: width, radius: radius[1], whole: spans[1] };
            kind.run(source, &mut other, self.periodic[1]);
            source = &other;
        }
        for (row, sums) in source.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
            add_row(row, sums, radius[2], (spans[2], self.periodic[2]), &mut self.running);
        }
        self.along = [one, other];
    }
}

/// Sums along an axis whose neighbours lie `inner` places apart.
struct Slide {
    length: usize,
    inner: usize,
    radius: usize,
    whole: bool,
}

impl Slide {
    fn run(&self, from: &[i64], to: &mut Vec<i64>, periodic: bool) {
        let Slide { length, inner, radius, whole } = *self;
        to.resize(from.len(), 0);
        let mut window = vec![0i64; inner];
        let slabs = from.chunks_exact(length * inner).zip(to.chunks_exact_mut(length * inner));
        for (from, to) in slabs {
            let row = |place: usize| &from[place * inner..(place + 1) * inner];
            window.fill(0);
            if whole {
                (0..length).for_each(|place| add_to(&mut window, row(place)));
                to.chunks_exact_mut(inner).for_each(|sums| sums.copy_from_slice(&window));
                continue;
            }
            (0..=radius).for_each(|place| add_to(&mut window, row(place)));
            if periodic {
                (length - radius..length).for_each(|place| add_to(&mut window, row(place)));
            }
            for place in 0..length {
                to[place * inner..(place + 1) * inner].copy_from_slice(&window);
                let (enters, leaves) = (place + radius + 1, place.checked_sub(radius));
                match (periodic, enters < length) {
                    (_, true) => add_to(&mut window, row(enters)),
                    (true, false) => add_to(&mut window, row(enters - length)),
                    (false, false) => {}
                }
                match (periodic, leaves) {
                    (_, Some(leaves)) => take_from(&mut window, row(leaves)),
                    (true, None) => take_from(&mut window, row(place + length - radius)),
                    (false, None) => {}
                }
            }
        }
    }
}

fn add_to(sums: &mut [i64], row: &[i64]) {
    sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
}

fn take_from(sums: &mut [i64], row: &[i64]) {
    sums.iter_mut().zip(row).for_each(|(sum, x)| *sum -= x);
}

/// Adds to each place of a row the sum of what lies within the radius along it.
fn add_row(
    row: &[i64],
    sums: &mut [i64],
    radius: usize,
    (whole, periodic): (bool, bool),
    running: &mut Vec<i64>,
) {
    if whole {
        let all: i64 = row.iter().sum();
        sums.iter_mut().for_each(|sum| *sum += all);
        return;
    }
    if radius == 0 {
        add_to(sums, row);
        return;
    }
    running.clear();
    running.reserve(row.len() + 2 * radius + 1);
    let mut total = 0;
    running.push(total);
    let mut follow = |part: &[i64], running: &mut Vec<i64>| {
        running.extend(part.iter().map(|x| {
            total += x;
            total
        }));
    };
    if periodic {
        follow(&row[row.len() - radius..], running);
        follow(row, running);
        follow(&row[..radius], running);
    } else {
        running.resize(radius + 1, 0);
        follow(row, running);
        let last = running[running.len() - 1];
        running.resize(row.len() + 2 * radius + 1, last);
    }
    let (before, after) = (&running[..row.len()], &running[2 * radius + 1..]);
    for ((sum, before), after) in sums.iter_mut().zip(before).zip(after) {
        *sum += after - before;
    }
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
                let mut boxes = Boxes::new(&layout, lattice.boundaries());
                let extent = layout.extent();
                let place = |site: usize| {
                    [site / (extent[1] * extent[2]), site / extent[2] % extent[1], site % extent[2]]
                };
                let numbers: Vec<i64> = (0..layout.sites() as i64).map(|i| i * i % 17 - 8).collect();
                for radius in [[0, 0, 0], [0, 1, 2], [1, 2, 1], [2, 0, 3], [9, 9, 9]] {
                    let mut sums = vec![1; numbers.len()];
                    boxes.add(&numbers, radius, &mut sums);
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
