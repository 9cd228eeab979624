//! Exchanges unlike neighbouring spins, so that the magnetisation is kept: Kawasaki's dynamics of the Ising model.
//!
//! Spins σ = ±1 of energy E = −Σ σσ′ over nearest pairs. A site is drawn and one of its nearest neighbours; where the
//! two differ they change places with probability 1/(1 + exp(β ΔE)) (`heat-bath`) or min(1, exp(−β ΔE)) (`metropolis`).
//! A step is as many draws as there are sites. Both keep exp(−βE) unchanged among states of the same magnetisation.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `up` | (1 + σ)/2: a particle, in a lattice gas | 0 or 1 |
//! | `beta` (β) | inverse temperature, in units of the coupling | [0, 5] |
//!
//! Options: `dynamics` (`heat-bath` or `metropolis`), `update` (`random-sequential` or `sublattices`), `shape` (default
//! [64, 64]), `boundary`, `start` (`half`: the first half of the rows up, or `random`), `density` (of spins up at a random
//! start, default 0.5).
//!
//! Reference: Kawasaki 1966, Phys. Rev. 145, 224. As a binary alloy: β here is a quarter of the exchange energy by kT.
//!
//! Exact: on the 4 × 4 torus with as many spins up as down, ⟨E⟩/N is −0.1703898095, −0.3043932449, −0.4362594238 at β =
//! 0.2, 0.3, 0.4 (by enumeration).

use glauber_lattice::{Neighbours, Values, VonNeumann};
use glauber_program::{Interval, Model};

use crate::options::{CatalogueError, OptionReader};

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let update = options.update(&["random-sequential", "sublattices"])?;
    let metropolis = options.choice("dynamics", &["heat-bath", "metropolis"])? == "metropolis";
    let lattice = options.lattice(&[64, 64])?;
    let half = options.choice("start", &["half", "random"])? == "half";
    let density = options.number("density", 0.5, 0.0, 1.0)?;
    let neighbours = VonNeumann.on(lattice.dimensions());
    let first = lattice.shape()[0];
    let model = Model::build("kawasaki", lattice)
        .layer("up", Values::binary())
        .parameter_or("beta", Interval::new(0.0, 5.0), 0.4)
        .update(update)
        .start(|s| match half {
            true => s.next("up").set(s.coordinate(0).less((first as f64 / 2.0).floor())),
            false => s.next("up").bernoulli(density),
        })
        .step(|s| {
            let there = s.neighbour(neighbours.clone());
            let (up, spin) = (s.layer("up"), s.layer("up") * 2.0 - 1.0);
            let other = spin.beyond(0.0).at(there);
            let around = spin.beyond(0.0).neighbours_all_round(neighbours.clone()).sum();
            // Each of the two counts the other among its neighbours.
            let cost = 2.0 * (spin * (around - other) + other * (around.beyond(0.0).at(there) - spin));
            let worth = -(s.parameter("beta") * cost);
            let taken = if metropolis { worth.exp().min(1.0) } else { worth.sigmoid() };
            let differ = 1.0 - up.equals(up.at(there));
            let exchanged = s.bernoulli(differ * taken);
            s.swap_with(there, "up", exchanged);
        })?;
    Ok(model)
}
