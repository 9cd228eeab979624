//! Holds the numbers that sites look up by a label: those given for each cell, and sums over each cell's sites.

use glauber_lattice::Layout;
use glauber_numbers::real::Real;

use crate::kernel::Source;
use glauber_backend::plane::{Plane, Stored, each_storage};

/// What is summed over each cell's sites.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Summed {
    /// The number in a place of the table of scalars, at every site.
    Number(u32),
    Field(Source),
}

/// One number for every label.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tally {
    /// As they are given.
    Given(Vec<f64>),
    /// Sums over sites by their label, which are made when a pass begins.
    Sum { x: Summed, labels: Source, cells: u32, pass: usize },
}

impl Tally {
    /// How many numbers it has.
    pub(crate) fn count(&self) -> usize {
        match self {
            Tally::Given(numbers) => numbers.len(),
            Tally::Sum { cells, .. } => *cells as usize + 1,
        }
    }

    /// The fields it is made of.
    pub(crate) fn sources(&self) -> Vec<Source> {
        match self {
            Tally::Given(_) => Vec::new(),
            Tally::Sum { x: Summed::Field(x), labels, .. } => vec![*x, *labels],
            Tally::Sum { labels, .. } => vec![*labels],
        }
    }
}

/// The number of a place's plane in a storage of any kind.
fn whole<F: Real + Stored>(plane: &Plane<F>, place: usize) -> f64 {
    each_storage!(plane, v => v[place].number())
}

/// Adds up over each label's sites, in row-major order; a label that is none counts for no cell.
pub(crate) fn add_up<F: Real + Stored>(
    sums: &mut [f64],
    layout: &Layout,
    labels: &Plane<F>,
    x: Option<&Plane<F>>,
    number: f64,
) {
    sums.fill(0.0);
    for row in 0..layout.rows() {
        let start = layout.row(row);
        for place in start..start + layout.width() {
            let label = whole(labels, place);
            if let Some(sum) = sums.get_mut(label as usize).filter(|_| label >= 0.0) {
                *sum += x.map_or(number, |x| whole(x, place));
            }
        }
    }
}
