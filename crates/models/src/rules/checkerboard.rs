//! Updates one half of a lattice after the other, as the squares of a checkerboard, within one step.
//!
//! The neighbours of a white site are black, so all white sites can be updated at once as if one after another, then
//! all black ones given the white. The observed next state reveals what the white sites became, so the exact
//! likelihood of a whole step is there: the product of both halves.

use glauber_lattice::{Boundary, Lattice, Neighbourhood, Neighbours, VonNeumann};
use glauber_program::{Expr, Scope};

use crate::options::{CatalogueError, OptionReader};

/// A lattice of two colours.
pub struct Checkerboard {
    /// The lattice, of even lengths where it is periodic.
    pub lattice: Lattice,
    /// The nearest neighbours, all of the other colour.
    pub neighbours: Neighbourhood,
}

impl Checkerboard {
    /// The options `shape` (even lengths where the lattice is periodic) and `boundary`: `periodic`, or `free`, where
    /// sites at the edge have fewer neighbours.
    pub fn read(options: &mut OptionReader<'_>, default: &[usize]) -> Result<Checkerboard, CatalogueError> {
        let shape = options.shape()?.unwrap_or_else(|| default.to_vec());
        let periodic = options.choice("boundary", &["periodic", "free"])? == "periodic";
        if periodic && shape.iter().any(|length| length % 2 == 1) {
            return Err(
                options.refuse("shape", "even lengths, so that a checkerboard closes (or boundary = free)")
            );
        }
        let boundary = if periodic { Boundary::Periodic } else { Boundary::Fixed(0.0) };
        let lattice = Lattice::new(&shape)?.bounded(boundary);
        Ok(Checkerboard { neighbours: VonNeumann.on(lattice.dimensions()), lattice })
    }

    /// Writes a step of `layer`: `draw` draws the new value of every site from the values around, given as the layer at
    /// this point of the step.
    pub fn sweep(&self, s: &Scope, layer: &str, draw: impl Fn(Expr) -> Expr) {
        let coordinates = (0..self.lattice.dimensions()).map(|axis| s.coordinate(axis));
        let sum = coordinates.fold(s.number(0.0), |sum, x| sum + x);
        let white = 1.0 - (sum - (sum * 0.5).floor() * 2.0);
        let before = s.layer(layer);
        let first = draw(before);
        let half = white.select(first, before);
        let seen = half.revealed_by(white.select(s.observed_next(layer), before));
        let second = draw(seen);
        s.next(layer).set(white.select(first, second));
    }
}
