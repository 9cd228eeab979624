//! Spreads news (or an infection that never ends) over a lattice: who is unaware learns from aware neighbours.
//!
//! P(aware at t + 1) = 1 where aware at t, else 1 − (1 − β)ᴺ, with N the number of aware Moore neighbours. All sites at
//! once. Starts with one aware site in the centre.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `aware` | whether the site knows | 0 or 1 |
//! | `beta` (β) | probability to learn from one aware neighbour in one step | [0, 1] |
//!
//! Options: `shape` (default [64, 64]), `boundary`.
//!
//! Reference: Schering, Keemink & Textor 2023, *Fitting Stochastic Lattice Models Using Approximate Gradients*, where
//! the same rule is written with a threshold on a uniform number.
//!
//! Exact: the mean number aware after one step from the centre is 1 + 8β on a torus of at least 3 × 3 sites.
//!
//! ```
//! use glauber_models::{ModelOptions, named};
//! let model = named("susceptible-infected", &ModelOptions::none())?;
//! assert_eq!(model.declarations().parameters[0].name, "beta");
//! # Ok::<(), glauber_models::CatalogueError>(())
//! ```

use glauber_lattice::{Moore, Values};
use glauber_program::{Interval, Model};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::centre;

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice(&[64, 64])?;
    let model = Model::build("susceptible-infected", lattice.clone())
        .layer("aware", Values::binary())
        .parameter_or("beta", Interval::unit(), 0.3)
        .unit("per aware neighbour and step")
        .start(|s| s.next("aware").set(centre(s, lattice.shape())))
        .step(|s| {
            let aware = s.layer("aware");
            let exposure = aware.neighbours(Moore).sum();
            let learns = 1.0 - (1.0 - s.parameter("beta")).pow(exposure);
            s.next("aware").bernoulli(aware + (1.0 - aware) * learns);
        })?;
    Ok(model)
}
