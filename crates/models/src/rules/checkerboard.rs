//! Reads the lattice of models whose sites act on their nearest neighbours, all of the other colour of a checkerboard.
//!
//! The neighbours of a white site are black, so all white sites can be updated at once as if one after another, then
//! all black ones given the white: two sublattices ([`Update::Sublattices`]).

use glauber_lattice::{Boundary, Lattice, Neighbourhood, Neighbours, VonNeumann};
use glauber_program::Update;

use crate::options::{CatalogueError, OptionReader};

/// A lattice of two colours, and when its sites are updated.
pub struct Checkerboard {
    /// The lattice, of even lengths where it is periodic and updated colour by colour.
    pub lattice: Lattice,
    /// The nearest neighbours, all of the other colour.
    pub neighbours: Neighbourhood,
    /// When which sites are updated.
    pub update: Update,
}

impl Checkerboard {
    /// The options `update` (`sublattices` or `random-sequential`), `shape` (even lengths where a periodic lattice is
    /// updated by sublattices) and `boundary`: `periodic`, or `free`, where sites at the edge have fewer neighbours.
    pub fn read(options: &mut OptionReader<'_>, default: &[usize]) -> Result<Checkerboard, CatalogueError> {
        let update = options.update(&["sublattices", "random-sequential"])?;
        let shape = options.shape()?.unwrap_or_else(|| default.to_vec());
        let periodic = options.choice("boundary", &["periodic", "free"])? == "periodic";
        if periodic && update == Update::Sublattices && shape.iter().any(|length| length % 2 == 1) {
            let wanted = "even lengths, so that a checkerboard closes (or boundary = free, or update = random-sequential)";
            return Err(options.refuse("shape", wanted));
        }
        let boundary = if periodic { Boundary::Periodic } else { Boundary::Fixed(0.0) };
        let lattice = Lattice::new(&shape)?.bounded(boundary);
        Ok(Checkerboard { neighbours: VonNeumann.on(lattice.dimensions()), lattice, update })
    }
}
