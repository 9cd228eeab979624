//! Holds what lies ahead of a replicate on its way back: what the light cones of its draws can still meet.

use glauber_lattice::Layout;
use glauber_program::{Extent, Groups, Span};

use crate::codes::Codes;
use crate::kernels::{Lane, Worth, worth};
use crate::region::Boxes;
use glauber_backend::Simd;

/// What is ahead of a replicate on its way back: the leads of the times of observation met so far.
pub(crate) struct Ahead {
    pub(crate) boxes: Boxes,
    groups: Groups,
    /// Of each group the table of its leads, in units.
    leads: Vec<Vec<i64>>,
    /// Of the groups whose region has become the whole lattice, in units.
    pub(crate) whole: i64,
    /// Of what is no sum of local terms, weighted by the loss.
    pub(crate) rest: f64,
    /// Room.
    pub(crate) sums: Vec<i64>,
    pub(crate) spare: Vec<Vec<i64>>,
}

impl Ahead {
    pub(crate) fn new(codes: &Codes, simd: Simd) -> Ahead {
        Ahead {
            boxes: Boxes::new(&codes.layout, codes.declarations.lattice.boundaries(), simd),
            groups: Groups::default(),
            leads: Vec::new(),
            whole: 0,
            rest: 0.0,
            sums: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Forgets all that is ahead.
    pub(crate) fn clear(&mut self) {
        self.spare.append(&mut self.leads);
        self.groups.spans.clear();
        (self.whole, self.rest) = (0, 0.0);
    }

    /// Takes in a time of observation, by the table of its leads.
    pub(crate) fn take_in(&mut self, step: usize, reads: Extent, lead: Vec<i64>) {
        self.leads.push(lead);
        let (leads, spare) = (&mut self.leads, &mut self.spare);
        self.groups.take_in(step, reads, |place| {
            let near = leads.remove(place + 1);
            leads[place].iter_mut().zip(&near).for_each(|(sum, x)| *sum = sum.wrapping_add(*x));
            spare.push(near);
        });
    }

    /// Writes what draws are worth that are felt as `extent` says in terms of a group's latest time; a unit of the sums
    /// is worth `unit`. `to` holds the rows of the layout.
    pub(crate) fn worth<F: Lane>(
        &mut self,
        extent: impl Fn(&Span) -> Extent,
        unit: f64,
        (layout, to): (&Layout, &mut [F]),
    ) {
        let mut radii = Vec::with_capacity(self.leads.len());
        while radii.len() < self.leads.len() {
            let place = radii.len();
            match extent(&self.groups.spans[place]).filter(|radius| !self.boxes.is_whole(*radius)) {
                Some(radius) => radii.push(radius),
                // It stays so on the way back.
                None => {
                    self.whole += self.boxes.total(&self.leads[place]);
                    self.groups.spans.remove(place);
                    self.spare.push(self.leads.remove(place));
                }
            }
        }
        let each = Worth { whole: self.whole, unit, rest: self.rest };
        match &self.leads[..] {
            [] => (0..layout.rows()).for_each(|row| to[layout.row(row)..][..layout.width()].fill(each.of(0))),
            [lead] => self.boxes.worth(lead, radii[0], each, (layout, to)),
            all => {
                self.sums.clear();
                self.sums.resize(layout.sites(), 0);
                for (lead, radius) in all.iter().zip(radii) {
                    self.boxes.add(lead, radius, &mut self.sums);
                }
                self.write(each, (layout, to));
            }
        }
    }

    /// Writes what draws are worth by `self.sums`.
    pub(crate) fn write<F: Lane>(&self, each: Worth, (layout, to): (&Layout, &mut [F])) {
        for (row, sums) in self.sums.chunks_exact(layout.width()).enumerate() {
            worth(self.boxes.simd(), sums, each, &mut to[layout.row(row)..][..sums.len()]);
        }
    }
}
