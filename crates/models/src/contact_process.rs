//! Lets occupied sites die and breed into empty neighbours: the contact process, in small steps of time.
//!
//! In continuous time an occupied site becomes empty at rate 1, and an empty one occupied at rate λ n/z, with n of its z
//! neighbours occupied. A step of length Δ makes of it, all sites at once,
//! P(occupied → empty) = 1 − exp(−Δ), P(empty → occupied) = 1 − exp(−Δ λ n/z).
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `occupied` | whether the site is | 0 or 1 |
//! | `lambda` (λ) | rate of breeding, all neighbours occupied, in units of the rate of dying | [0, 20] |
//!
//! Options: `shape` (default [64, 64]), `boundary`, `neighbourhood` (`von-neumann`, `moore`, `hexagonal`), `time-step`
//! (Δ, default 0.1), `start` (`full`, `centre` or `random`), `density` (of a random start, default 0.5).
//!
//! Reference: Harris 1974, Ann. Probab. 2, 969; Marro & Dickman, *Nonequilibrium Phase Transitions in Lattice Models*,
//! Cambridge 1999, ch. 6. Departure: steps of length Δ, all sites at once; the critical λ tends to theirs
//! (3.29785 in one dimension, 1.64877 in two) as Δ → 0.
//!
//! Exact: from one occupied site the mean number occupied after one step is e^(−Δ) + z(1 − exp(−Δ λ/z)).

use glauber_lattice::Values;
use glauber_program::{Interval, Model};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::Seeds;

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice(&[64, 64])?;
    let neighbourhood = options.neighbourhood(&["von-neumann", "moore", "hexagonal"], &lattice)?;
    let step = options.number("time-step", 0.1, 1e-6, 10.0)?;
    let full = !options.has("start") || options.is("start", "full");
    let seeds = Seeds::read(options, &["full", "centre", "random"], 0.5)?;
    let z = neighbourhood.offsets().len() as f64;
    let model = Model::build("contact-process", lattice.clone())
        .layer("occupied", Values::binary())
        .parameter_or("lambda", Interval::new(0.0, 20.0), 2.0)
        .start(|s| match full {
            true => s.next("occupied").set(1.0),
            false => s.next("occupied").set(seeds.sites(s, lattice.shape())),
        })
        .step(|s| {
            let occupied = s.layer("occupied");
            let rate = s.parameter("lambda") * (step / z);
            let born = 1.0 - (-(rate * occupied.neighbours(neighbourhood.clone()).sum())).exp();
            s.next("occupied").bernoulli(occupied * libm::exp(-step) + (1.0 - occupied) * born);
        })?;
    Ok(model)
}
