//! Takes the mean squared displacement of walkers from the origin.
//!
//! MSD = (1/N) Σᵢ (xᵢ² + yᵢ² \[+ zᵢ²\]) (+ 2 d σ² after the first step)
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | xᵢ, yᵢ, zᵢ | layers `x`, `y`, `z` at site i | sites |
//! | N | number of sites: each is a walker | 1 |
//! | d | number of axes: 2 or 3 | 1 |
//! | σ | parameter `noise`, where the model has it: the standard deviation of the localisation error per axis | sites |
//!
//! Positions are counted from where the walk starts, so the model must start at 0. An error of each of the two ends of
//! a displacement adds σ² per axis and end (Michalet, Physical Review E 82, 041914, 2010).
//!
//! Example: `msd`, with the model `persistent-random-walk`.

use glauber_engine::Observation;
use glauber_program::Model;

use super::{Arguments, SummaryError, wrong};

/// The parameter whose square adds to every displacement.
const NOISE: &str = "noise";

pub(super) fn observation(model: &Model, arguments: &Arguments) -> Result<Observation, SummaryError> {
    if !arguments.0.is_empty() {
        return Err(wrong("it takes no arguments: it is of the layers `x`, `y` and `z`"));
    }
    let axes: Vec<&str> = ["x", "y", "z"].into_iter().filter(|axis| model.layer(axis).is_ok()).collect();
    if axes.len() < 2 {
        return Err(SummaryError::Unfit {
            summary: "msd".into(),
            model: model.name().to_string(),
            why: "it needs layers called `x` and `y` (and `z` in three dimensions) that hold positions"
                .into(),
        });
    }
    let program = model.observe(|s| {
        let mut square = s.number(0.0);
        for axis in &axes {
            let x = s.layer(axis);
            square = square + x * x;
        }
        let mut msd = square.mean();
        if model.parameter(NOISE).is_ok() {
            let noise = s.parameter(NOISE);
            let later = s.step().at_least(1.0);
            msd = msd + later * (2.0 * axes.len() as f64) * noise * noise;
        }
        s.output("msd", msd);
    })?;
    Ok(program.into())
}
