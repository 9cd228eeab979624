//! Climbs a likelihood to its highest point within the intervals, some parameters held where they are.
//!
//! By L-BFGS ([`glauber_optimize::quasi_newton`]) on the natural scale, each parameter measured by how far a free coordinate
//! carries it at the start, so that an optimum at an end of an interval is reached and called so. Derivatives of a likelihood
//! that gives none are taken by central differences.

use glauber_optimize::maps::{IntervalMap, Map};
use glauber_optimize::objective::Unknown;
use glauber_optimize::quasi_newton::{Limits, minimize};
use serde::{Deserialize, Serialize};

use crate::likelihood::{Likelihood, Parameter, Stop};

/// The step of differences, in units of a free coordinate.
const STEP: f64 = 1e-5;

/// The highest point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Top {
    /// The parameters there, those that were held included.
    pub at: Vec<f64>,
    /// ln L there; −∞ where it was so at the start.
    pub log_likelihood: f64,
    /// Its derivatives there.
    pub gradient: Vec<f64>,
    /// Whether the climb came to rest.
    pub at_rest: bool,
    /// How often the likelihood was asked.
    pub evaluations: u64,
}

/// How far one unit of a free coordinate carries each parameter where it is.
pub fn scales(parameters: &[Parameter], at: &[f64]) -> Vec<f64> {
    let scale = |(Parameter { name, interval, .. }, x): (&Parameter, &f64)| {
        let map = IntervalMap::new(Map::usual(&Unknown::scalar(name, *interval)), *interval, name);
        let slope = map.map_or(1.0, |map| map.slope(map.to_free(map.inside(*x))).abs());
        let size = if slope.is_finite() && slope > 0.0 { slope } else { 1.0 };
        // On the whole line, the number's own size.
        if interval.lowest.is_finite() || interval.highest.is_finite() { size } else { x.abs().max(1.0) }
    };
    parameters.iter().zip(at).map(scale).collect()
}

/// The highest point from a start; `held` says which parameters stay.
///
/// # Errors
/// [`Stop`] as the likelihood's.
pub fn climb(likelihood: &mut dyn Likelihood, start: &[f64], held: &[bool]) -> Result<Top, Stop> {
    let parameters = likelihood.parameters().to_vec();
    let scales = scales(&parameters, start);
    let moved: Vec<usize> = (0..start.len()).filter(|i| !held[*i]).collect();
    let mut at = start.to_vec();
    let mut gradient = vec![0.0; start.len()];
    let mut asked = 0;
    let end = |i: usize, end: f64| (end - start[i]) / scales[i];
    let lowest: Vec<f64> = moved.iter().map(|i| end(*i, parameters[*i].interval.lowest)).collect();
    let highest: Vec<f64> = moved.iter().map(|i| end(*i, parameters[*i].interval.highest)).collect();
    let natural = |z: &[f64], at: &mut [f64]| {
        for ((i, z), (low, high)) in moved.iter().zip(z).zip(lowest.iter().zip(&highest)) {
            let Parameter { interval, .. } = &parameters[*i];
            // Exactly at an end where it is one.
            at[*i] = match () {
                () if z <= low => interval.lowest,
                () if z >= high => interval.highest,
                () => (start[*i] + scales[*i] * z).clamp(interval.lowest, interval.highest),
            };
        }
    };
    let mut function = |z: &[f64], slopes: &mut [f64]| -> Result<f64, Stop> {
        natural(z, &mut at);
        let value = value_and_gradient(likelihood, &at, &mut gradient, &moved, &scales, &mut asked)?;
        slopes.iter_mut().zip(&moved).for_each(|(s, i)| *s = -gradient[*i] * scales[*i]);
        Ok(-value)
    };
    let begin = vec![0.0; moved.len()];
    let found = minimize(&begin, &lowest, &highest, Limits::default(), &mut function)?;
    let mut at = start.to_vec();
    natural(&found.at, &mut at);
    let mut gradient = vec![0.0; start.len()];
    for ((i, slope), scale) in moved.iter().zip(&found.gradient).zip(moved.iter().map(|i| scales[*i])) {
        gradient[*i] = -slope / scale;
    }
    let (log_likelihood, at_rest) = (-found.value, found.at_rest);
    Ok(Top { at, log_likelihood, gradient, at_rest, evaluations: asked })
}

fn value_and_gradient(
    likelihood: &mut dyn Likelihood,
    at: &[f64],
    gradient: &mut [f64],
    moved: &[usize],
    scales: &[f64],
    asked: &mut u64,
) -> Result<f64, Stop> {
    *asked += 1;
    if likelihood.has_gradient() {
        return likelihood.with_gradient(at, gradient);
    }
    let value = likelihood.log_likelihood(at, 0)?;
    let intervals: Vec<_> = likelihood.parameters().iter().map(|p| p.interval).collect();
    let mut beside = at.to_vec();
    for i in moved.iter().copied() {
        let mut side = |step: f64| -> Result<(f64, f64), Stop> {
            beside[i] = (at[i] + step).clamp(intervals[i].lowest, intervals[i].highest);
            *asked += 1;
            let value = likelihood.log_likelihood(&beside, 0)?;
            Ok((beside[i], value))
        };
        let (low, high) = (side(-STEP * scales[i])?, side(STEP * scales[i])?);
        beside[i] = at[i];
        // Where one side is a cliff, the other tells.
        gradient[i] = match (low.1.is_finite(), high.1.is_finite()) {
            (true, true) => (high.1 - low.1) / (high.0 - low.0),
            (true, false) => (value - low.1) / (at[i] - low.0),
            _ => (high.1 - value) / (high.0 - at[i]),
        };
    }
    Ok(value)
}
