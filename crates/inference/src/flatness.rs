//! Asks a noisy likelihood itself whether it falls where the errors of an estimate say that it does.
//!
//! A quadratic fitted about a maximum is curved even where ln L is flat along a bent line, as for two parameters that enter as a
//! product, and noise curves it where ln L is flat altogether. So each parameter is moved some errors away with the others where the
//! quadratic expects them, on a straight line and on the one that is straight in logarithms; where ln L̂ falls by less than a
//! sixth of what the errors say on both sides, the data do not determine that parameter. (Errors that are half as large as they should be
//! are a fault of another kind: there it falls by a quarter.)

use glauber_optimize::objective::Interval;

use crate::likelihood::{Parameter, Stop};

/// How many errors away it is asked, where the interval goes as far.
const AWAY: f64 = 3.0;
/// An end nearer than this many errors tells nothing.
const NEAR: f64 = 1.5;
/// The share of the expected fall below which there is none.
const SHARE: f64 = 1.0 / 6.0;
/// The standard error of a mean of values that is wanted.
const SHARP: f64 = 0.25;

/// The numbers of the parameters along which ln L̂ does not fall. `inverse` is the estimate's covariance, row by row, `spread` the
/// standard deviation of ln L̂ there, `value` gives ln L̂.
///
/// # Errors
/// [`Stop`] as `value` gives it.
pub(crate) fn flat(
    value: &mut dyn FnMut(&[f64]) -> Result<f64, Stop>,
    theta: &[f64],
    inverse: &[f64],
    parameters: &[Parameter],
    spread: f64,
) -> Result<Vec<usize>, Stop> {
    let n = theta.len();
    let times = ((spread / SHARP).powi(2).ceil()).clamp(4.0, 64.0) as usize;
    // Of the values that are no 0, where these are most: particles may all die once where the data are likely.
    let mut mean = |at: &[f64]| -> Result<f64, Stop> {
        let (mut sum, mut count) = (0.0, 0);
        for _ in 0..times {
            let own = value(at)?;
            if own.is_finite() {
                (sum, count) = (sum + own, count + 1);
            }
        }
        Ok(if 2 * count > times { sum / f64::from(count as u32) } else { f64::NEG_INFINITY })
    };
    let top = mean(theta)?;
    if !top.is_finite() {
        // Nothing can be told of it.
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for i in 0..n {
        let error = inverse[i * n + i].max(0.0).sqrt();
        if !(error > 0.0 && error.is_finite()) {
            continue;
        }
        let direction: Vec<f64> = (0..n).map(|j| inverse[j * n + i] / error).collect();
        let mut is_flat = false;
        for bent in [false, true] {
            let point = |away: f64| -> Vec<f64> {
                let moved = |j: usize| {
                    let step = away * direction[j];
                    if bent && theta[j] != 0.0 { theta[j] * (step / theta[j]).exp() } else { theta[j] + step }
                };
                (0..n).map(moved).collect()
            };
            let is_inside = |at: &[f64]| parameters.iter().zip(at).all(|(p, x)| within(p.interval, *x));
            let (mut asked, mut fell) = (false, false);
            for sign in [-1.0, 1.0] {
                // Some way back from what lies beyond an end.
                let ways = [AWAY, 0.75 * AWAY, NEAR].into_iter();
                let Some(away) = ways.map(|away| sign * away).find(|away| is_inside(&point(*away))) else {
                    continue;
                };
                if is_flat || fell {
                    continue;
                }
                asked = true;
                fell = top - mean(&point(away))? >= SHARE * 0.5 * away * away;
            }
            is_flat |= asked && !fell;
        }
        if is_flat {
            found.push(i);
        }
    }
    Ok(found)
}

fn within(interval: Interval, value: f64) -> bool {
    value.is_finite() && value >= interval.lowest && value <= interval.highest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(log_likelihood: impl Fn(&[f64]) -> f64, theta: &[f64], inverse: &[f64]) -> Vec<usize> {
        let interval = Interval { lowest: 0.0, highest: 1.0 };
        let parameters: Vec<Parameter> = (0..theta.len())
            .map(|i| Parameter { name: format!("p{i}"), interval, start: theta[i] })
            .collect();
        flat(&mut |at| Ok(log_likelihood(at)), theta, inverse, &parameters, 0.5).unwrap()
    }

    #[test]
    fn a_product_is_flat_and_what_stands_beside_it_is_not() {
        let square = |x: f64| x * x;
        let surface =
            |at: &[f64]| -0.5 * (square((at[0] * at[1] - 0.09) / 0.004) + square((at[2] - 0.4) / 0.02));
        let inverse = [0.01, -0.0099, 0.0, -0.0099, 0.01, 0.0, 0.0, 0.0, 0.0004];
        assert_eq!(asked(surface, &[0.3, 0.3, 0.4], &inverse), [0, 1]);
    }

    #[test]
    fn a_sum_and_what_has_no_effect_are_flat() {
        let surface = |at: &[f64]| -0.5 * ((at[0] + at[1] - 0.5) / 0.01_f64).powi(2);
        assert_eq!(asked(surface, &[0.25, 0.25], &[0.0025, -0.00249, -0.00249, 0.0025]), [0, 1]);
        let surface = |at: &[f64]| -0.5 * ((at[0] - 0.5) / 0.01_f64).powi(2);
        assert_eq!(asked(surface, &[0.5, 0.5], &[0.0001, 0.0, 0.0, 0.01]), [1]);
    }

    #[test]
    fn a_value_of_0_now_and_then_tells_nothing() {
        let mut turn = 0;
        let interval = Interval { lowest: 0.0, highest: 1.0 };
        let parameters = [Parameter { name: "p".into(), interval, start: 0.5 }];
        let mut value = |at: &[f64]| {
            turn += 1;
            Ok(if turn % 3 == 0 { f64::NEG_INFINITY } else { -0.5 * ((at[0] - 0.5) / 0.05_f64).powi(2) })
        };
        assert!(flat(&mut value, &[0.5], &[0.0025], &parameters, 0.5).unwrap().is_empty());
        // Where it is 0 nearly always, nothing is known of it.
        let mut dead = |_: &[f64]| Ok(f64::NEG_INFINITY);
        assert!(flat(&mut dead, &[0.5], &[0.0025], &parameters, 0.5).unwrap().is_empty());
    }

    #[test]
    fn what_is_determined_is_not_flat_and_neither_is_a_skewed_likelihood() {
        let surface = |at: &[f64]| -0.5 * ((at[0] - 0.5) / 0.05_f64).powi(2);
        assert_eq!(asked(surface, &[0.5], &[0.0025]), [] as [usize; 0]);
        // Five events of rate λ t = 5: the flat side of a Poisson likelihood.
        let surface = |at: &[f64]| 5.0 * (50.0 * at[0]).ln() - 50.0 * at[0];
        assert_eq!(asked(surface, &[0.1], &[0.1 * 0.1 / 5.0]), [] as [usize; 0]);
        // At an end of its interval nothing is asked.
        assert_eq!(asked(|_| 0.0, &[0.0], &[0.0]), [] as [usize; 0]);
    }
}
