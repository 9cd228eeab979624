//! Lets occupied sites die and breed into empty neighbours: the contact process.
//!
//! An occupied site becomes empty at rate 1, and an empty one occupied at rate λ n/z, with n of its z neighbours
//! occupied; a step is one unit of time (`update` = `continuous-time`). Under the other schemes an update of a site is a
//! time Δ (`time-step`), after which P(occupied → empty) = 1 − exp(−Δ), P(empty → occupied) = 1 − exp(−Δ λ n/z).
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `occupied` | whether the site is | 0 or 1 |
//! | `lambda` (λ) | rate of breeding, all neighbours occupied, in units of the rate of dying | [0, 20] |
//!
//! Options: `update` (`continuous-time`, `synchronous`, `sublattices`, `random-sequential`), `time-step` (Δ, default 0.1,
//! with the last three), `shape` (default [64, 64]), `boundary`, `neighbourhood` (`von-neumann`, `moore`, `hexagonal`),
//! `start` (`full`, `centre` or `random`), `density` (of a random start, default 0.5).
//!
//! Fits by gradients or by the exact likelihood want `update` = `synchronous` or `sublattices`; at Δ = 0.1 all sites at
//! once are 11 % off the density of continuous time at λ = 1.9 on the square lattice.
//!
//! Reference: Harris 1974, Ann. Probab. 2, 969; Marro & Dickman, *Nonequilibrium Phase Transitions in Lattice Models*,
//! Cambridge 1999, ch. 6. Departure: none in continuous time; else steps of length Δ.
//!
//! Exact: critical λ 3.29785 in one dimension, 1.64874 in two, in continuous time. With Δ, from one occupied site the mean
//! number occupied after one step of all sites at once is e^(−Δ) + z(1 − exp(−Δ λ/z)).

use glauber_lattice::Values;
use glauber_program::{Interval, Model, Update};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::Seeds;

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let update = options.update(&["continuous-time", "synchronous", "sublattices", "random-sequential"])?;
    let continuous = update == Update::ContinuousTime;
    let lattice = options.lattice(&[64, 64])?;
    let neighbourhood = options.neighbourhood(&["von-neumann", "moore", "hexagonal"], &lattice)?;
    let step = options.number("time-step", 0.1, 1e-6, 10.0)?;
    if continuous && options.has("time-step") {
        let wanted = "left out: update = continuous-time has none (a step is one unit of time)";
        return Err(options.refuse("time-step", wanted));
    }
    let full = !options.has("start") || options.is("start", "full");
    let seeds = Seeds::read(options, &["full", "centre", "random"], 0.5)?;
    let model = Model::build("contact-process", lattice.clone())
        .layer("occupied", Values::binary())
        .parameter_or("lambda", Interval::new(0.0, 20.0), 2.0)
        .update(update)
        .start(|s| match full {
            true => s.next("occupied").set(1.0),
            false => s.next("occupied").set(seeds.sites(s, lattice.shape())),
        })
        .step(|s| {
            let occupied = s.layer("occupied");
            let z = neighbourhood.offsets().len() as f64;
            let around = occupied.neighbours(neighbourhood.clone()).sum();
            if continuous {
                let breeds = (1.0 - occupied) * (s.parameter("lambda") * (around / z));
                // One transition at a time: an occupied site dies, an empty one is bred into.
                let changes = s.rates(&[(occupied + breeds).into()]).is(0);
                s.next("occupied").set(occupied + changes * (1.0 - 2.0 * occupied));
                return;
            }
            let born = 1.0 - (-(s.parameter("lambda") * (step / z) * around)).exp();
            s.next("occupied").bernoulli(occupied * libm::exp(-step) + (1.0 - occupied) * born);
        })?;
    Ok(model)
}
