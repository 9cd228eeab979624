//! Keeps sums over cells up to date, event by event: what a site adds to its cell is taken away before a write and added
//! after it, for all sites that what is written there may concern. Whole numbers add up without rounding, in any order.

use super::batch::MOST;
use super::edges::Edges;
use super::machine::{Sums, Trouble};
use super::rule::Rule;
use crate::kernels::Lane;
use glauber_backend::inputs::Address;
use glauber_backend::plane::{Plane, Stored, each_storage};

fn number<F: Lane>(plane: &Plane<F>, place: usize) -> f64 {
    each_storage!(plane, v => v[place].number())
}

impl<F: Lane> Sums<F> {
    /// Adds up all of a state.
    pub(super) fn begin(&mut self, layers: &[Plane<F>], address: Address) -> Result<(), Trouble> {
        self.events.make_ready(address)?;
        self.by_label.iter_mut().for_each(|sums| sums.fill(0.0));
        let sites = self.of.rule.layout.sites();
        for first in (0..sites).step_by(MOST) {
            self.batch.begin(0, 0);
            self.batch.count = MOST.min(sites - first);
            for event in 0..self.batch.count {
                self.batch.places[event] = self.events.edges.place_of(first + event);
            }
            self.add(layers, address, 1.0)?;
        }
        Ok(())
    }

    /// Adds what the sites at hand are worth to their cells, or takes it away.
    fn add(&mut self, layers: &[Plane<F>], address: Address, sign: f64) -> Result<(), Trouble> {
        let of = self.of.clone();
        if !of.rule.instructions.is_empty() {
            self.events.compute(&of.rule, layers, &mut self.batch, address)?;
        }
        for ((sum, x), by_label) in of.all.iter().zip(&of.summed).zip(&mut self.by_label) {
            let labels = &layers[sum.labels as usize];
            for event in 0..self.batch.count {
                let label = number(labels, self.batch.places[event]);
                let x = self.events.registers[*x as usize * MOST + event].to_f64();
                if let Some(own) = by_label.get_mut(label as usize) {
                    *own += sign * x;
                }
            }
        }
        Ok(())
    }

    /// Whether sums may change where a layer is written.
    pub(super) fn concerns(&self, layer: u16) -> bool {
        self.of.layers[layer as usize]
    }

    /// Takes away, before a write, or adds, after it, what all sites are worth that it may concern.
    pub(super) fn around(
        &mut self,
        layers: &[Plane<F>],
        place: usize,
        address: Address,
        sign: f64,
    ) -> Result<(), Trouble> {
        if sign < 0.0 {
            self.changed = true;
            let of = self.of.clone();
            find_concerned(&mut self.concerned, &self.events.edges, &of.rule, place);
        }
        let concerned = std::mem::take(&mut self.concerned);
        for places in concerned.chunks(MOST) {
            self.batch.begin(0, 0);
            self.batch.count = places.len();
            self.batch.places[..places.len()].copy_from_slice(places);
            self.add(layers, address, sign)?;
        }
        self.concerned = concerned;
        Ok(())
    }
}

/// The sites that read a site, and it itself.
fn find_concerned(concerned: &mut Vec<usize>, edges: &Edges, rule: &Rule, place: usize) {
    concerned.clear();
    concerned.push(place);
    if rule.reads.iter().all(|distance| *distance == 0) {
        return;
    }
    let mut reads_at = |shown: usize| {
        for distance in &rule.reads {
            let from = shown as i64 - i64::from(*distance);
            if let Some(from) = usize::try_from(from).ok().filter(|from| *from < rule.layout.padded_len()) {
                if edges.site(from) == Some(from) {
                    concerned.push(from);
                }
            }
        }
    };
    reads_at(place);
    edges.images(place, reads_at);
    concerned.sort_unstable();
    concerned.dedup();
}
