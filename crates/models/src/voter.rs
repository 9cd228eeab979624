//! Lets sites take over a neighbour's opinion: the voter model, with noise if wanted.
//!
//! One update of a site (a step updates all sites at once, or as `update` says): with probability μ a site takes an opinion at random; else, with probability c, that of
//! a neighbour picked at random; else it keeps its own:
//! P(opinion = 1) = μ/2 + (1 − μ)((1 − c) x + c n/z), with n of z neighbours of opinion 1.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `opinion` | 0 or 1 | 0 or 1 |
//! | `copying` (c) | probability to take over a neighbour's opinion in one step | [0, 1] |
//! | `noise` (μ) | probability to take one at random in one step | [0, 1] |
//!
//! Options: `update` (`synchronous`, `sublattices`, `random-sequential`), `shape` (default [64, 64]), `boundary`,
//! `neighbourhood` (`von-neumann`, `moore`, `hexagonal`), `density` (of opinion 1 at the start, default 0.5).
//!
//! Reference: Clifford & Sudbury 1973, Biometrika 60, 581; Holley & Liggett 1975, Ann. Probab. 3, 643; with noise
//! Granovsky & Madras 1995, Stoch. Proc. Appl. 55, 23. Departure of the default: all sites at once, each idle with probability
//! 1 − c; with c = 1 the even and odd sites of a torus would never meet. With `update` = `random-sequential` and c = 1 it is
//! theirs, N updates a step.
//!
//! Exact: without noise on a torus the mean density of opinion 1 never changes, so consensus is on 1 with the
//! probability of the density at the start. Times to consensus on a ring follow from the transition matrix.

use glauber_lattice::Values;
use glauber_program::{Interval, Model};

use crate::options::{CatalogueError, OptionReader};

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let update = options.update(&["synchronous", "sublattices", "random-sequential"])?;
    let lattice = options.lattice(&[64, 64])?;
    let neighbourhood = options.neighbourhood(&["von-neumann", "moore", "hexagonal"], &lattice)?;
    let density = options.number("density", 0.5, 0.0, 1.0)?;
    let model = Model::build("voter", lattice)
        .layer("opinion", Values::binary())
        .parameter_or("copying", Interval::unit(), 0.5)
        .parameter_or("noise", Interval::unit(), 0.0)
        .update(update)
        .start(|s| s.next("opinion").bernoulli(density))
        .step(|s| {
            let (own, copying, noise) = (s.layer("opinion"), s.parameter("copying"), s.parameter("noise"));
            let around = own.neighbours(neighbourhood.clone()).mean();
            let taken = (1.0 - copying) * own + copying * around;
            s.next("opinion").bernoulli(noise * 0.5 + (1.0 - noise) * taken);
        })?;
    Ok(model)
}
