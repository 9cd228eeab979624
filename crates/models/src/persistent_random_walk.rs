//! Moves independent walkers that keep their velocity for a while: cells that persist.
//!
//! Per axis, at each step: with probability p_resample a new velocity v is drawn, P(0) = p_center,
//! P(±1) = (1 − p_center)/2, else the old one is kept; then the walker moves by v. The first velocity has the law of a
//! drawn one, so the walk is stationary. Each site of the (one-dimensional) lattice is a walker; positions are whole
//! numbers without wrap-around.
//!
//! | symbol | meaning | range, unit |
//! |---|---|---|
//! | `x`, `y` | position | sites |
//! | `vx`, `vy` | velocity | −1, 0, 1 sites per step |
//! | `p_center` | probability that a drawn velocity is 0 | [0, 1] |
//! | `p_resample` | probability to draw a new velocity in a step | [0, 1] |
//! | `noise` (σ) | standard deviation of the localisation error, only with the option `localisation-noise` | ≥ 0, sites |
//!
//! Mean squared displacement: MSD(n) = 2(1 − p_center)[n + 2 Σₖ₌₁ⁿ⁻¹ (n − k)(1 − p_resample)ᵏ] (+ 4σ²), in sites².
//!
//! Options: `walkers` (default 1500), `localisation-noise` (default false).
//!
//! Reference: Schering, Keemink & Textor 2023; the formula follows from the velocity's autocorrelation (1 − p_resample)ᵏ.

use glauber_lattice::{Lattice, Values};
use glauber_program::{Expr, Interval, Model, Scope};

use crate::options::{CatalogueError, OptionReader};

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let walkers = options.whole("walkers", 1500, 1, 100_000_000)?;
    let noisy = options.flag("localisation-noise", false)?;
    let speed = Values::integers(-1, 1);
    let far = Values::integers(-(1 << 24), 1 << 24);
    let mut model = Model::build("persistent-random-walk", Lattice::line(walkers as usize))
        .layer("x", far.clone())
        .layer("y", far)
        .layer("vx", speed.clone())
        .layer("vy", speed)
        .parameter_or("p_center", Interval::unit(), 0.2)
        .parameter_or("p_resample", Interval::unit(), 0.1)
        .unit("per step");
    if noisy {
        model = model.parameter_or("noise", Interval::positive(), 0.5);
    }
    let model = model
        .start(|s| {
            for (position, velocity) in [("x", "vx"), ("y", "vy")] {
                s.next(position).set(0.0);
                let drawn = new_velocity(s);
                s.next(velocity).set(drawn);
            }
        })
        .step(|s| {
            for (position, velocity) in [("x", "vx"), ("y", "vy")] {
                let resample = s.bernoulli(s.parameter("p_resample"));
                let old = s.layer(velocity);
                let v = old + resample * (new_velocity(s) - old);
                s.next(velocity).set(v);
                s.next(position).set(s.layer(position) + v);
            }
        })?;
    Ok(model)
}

/// −1, 0 or 1.
fn new_velocity(s: &Scope) -> Expr {
    let centre = s.parameter("p_center");
    let side = (1.0 - centre) * 0.5;
    s.categorical(&[side.into(), centre.into(), side.into()]) - 1.0
}
