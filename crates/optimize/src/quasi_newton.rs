//! Finds the minimum of a smooth function within bounds by few evaluations, where there is no noise: L-BFGS with projection.
//!
//! The direction is −H g of the last pairs of steps and differences of gradients (Nocedal 1980, Mathematics of Computation
//! 35, 773) over the numbers that do not stand at a bound and pull beyond it; the path along it is bent at the bounds
//! (Bertsekas 1982, SIAM J. Control 20, 221), and shortened until the function has fallen as its slope promises. Values of
//! +∞ and not-a-number are cliffs: the path is shortened before them.
//!
//! Of the crates that are alive, argmin's L-BFGS has no bounds, and the ports of L-BFGS-B take functions that cannot fail.
//!
//! ```
//! use glauber_optimize::quasi_newton::{Limits, minimize};
//! let mut rosenbrock = |x: &[f64], g: &mut [f64]| -> Result<f64, std::convert::Infallible> {
//!     let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
//!     g[0] = -2.0 * a - 400.0 * b * x[0];
//!     g[1] = 200.0 * b;
//!     Ok(a * a + 100.0 * b * b)
//! };
//! let found = minimize(&[-1.2, 1.0], &[-2.0, -2.0], &[0.5, 2.0], Limits::default(), &mut rosenbrock).unwrap();
//! assert!((found.at[0] - 0.5).abs() < 1e-9 && (found.at[1] - 0.25).abs() < 1e-6);
//! ```

/// Pairs that are kept.
const KEPT: usize = 10;
/// The share of the promised fall that is enough.
const ENOUGH: f64 = 1e-4;
/// Shortenings of one path.
const SHORTENINGS: usize = 50;

/// When to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// At rest where no number can move by more than this along its slope.
    pub slope: f64,
    /// At rest where three steps together lower the function by less than this share of its size (of 1, where that is more).
    pub fall: f64,
    /// Evaluations at most.
    pub evaluations: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { slope: 1e-8, fall: 1e-14, evaluations: 2000 }
    }
}

/// Where it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The lowest point.
    pub at: Vec<f64>,
    /// The function there; not finite where it was so at the start, and nothing was tried.
    pub value: f64,
    /// Its gradient there.
    pub gradient: Vec<f64>,
    /// How often the function was asked.
    pub evaluations: u64,
    /// Whether it came to rest.
    pub at_rest: bool,
}

/// The lowest point from a start within bounds (±∞ where there are none). `function` writes its gradient over the second
/// argument.
///
/// # Errors
/// The function's own.
pub fn minimize<E>(
    start: &[f64],
    lowest: &[f64],
    highest: &[f64],
    limits: Limits,
    function: &mut dyn FnMut(&[f64], &mut [f64]) -> Result<f64, E>,
) -> Result<Found, E> {
    let n = start.len();
    let within = |i: usize, x: f64| x.max(lowest[i]).min(highest[i]);
    let at: Vec<f64> = (0..n).map(|i| within(i, start[i])).collect();
    let mut gradient = vec![0.0; n];
    let value = function(&at, &mut gradient)?;
    let mut found = Found { at, value, gradient, evaluations: 1, at_rest: false };
    let mut pairs: Vec<Pair> = Vec::new();
    let mut falls = [f64::INFINITY; 3];
    let (mut next, mut slopes) = (vec![0.0; n], vec![0.0; n]);
    while found.value.is_finite() && found.evaluations < limits.evaluations {
        let free: Vec<bool> =
            (0..n).map(|i| (within(i, found.at[i] - found.gradient[i]) - found.at[i]).abs() > 0.0).collect();
        let pull = (0..n).map(|i| (within(i, found.at[i] - found.gradient[i]) - found.at[i]).abs());
        let pull = pull.fold(0.0, f64::max);
        if pull <= limits.slope || falls.iter().sum::<f64>() <= limits.fall * found.value.abs().max(1.0) {
            found.at_rest = true;
            return Ok(found);
        }
        let mut direction = direction(&pairs, &found.gradient, &free);
        let slope: f64 = direction.iter().zip(&found.gradient).map(|(d, g)| d * g).sum();
        if slope.is_nan() || slope >= 0.0 || pairs.is_empty() {
            pairs.clear();
            // A first step as long as the largest number of a gradient is wide: no more than 1.
            let longest = found.gradient.iter().zip(&free).filter(|(_, f)| **f).map(|(g, _)| g.abs());
            let scale = 1.0 / longest.fold(1.0, f64::max);
            direction = (0..n).map(|i| if free[i] { -scale * found.gradient[i] } else { 0.0 }).collect();
        }
        let mut share = 1.0;
        let mut stepped = false;
        for _ in 0..SHORTENINGS {
            for i in 0..n {
                next[i] = within(i, found.at[i] + share * direction[i]);
            }
            if next.iter().zip(&found.at).all(|(a, b)| a.to_bits() == b.to_bits()) {
                break;
            }
            let value = function(&next, &mut slopes)?;
            found.evaluations += 1;
            let promised: f64 = (0..n).map(|i| found.gradient[i] * (next[i] - found.at[i])).sum();
            let smooth = value.is_finite() && slopes.iter().all(|s| s.is_finite());
            if smooth && value <= found.value + ENOUGH * promised {
                falls.rotate_left(1);
                falls[2] = found.value - value;
                remember(&mut pairs, &found, &next, &slopes);
                found.at.copy_from_slice(&next);
                found.gradient.copy_from_slice(&slopes);
                found.value = value;
                stepped = true;
                break;
            }
            // The bottom of the parabola through both values, where it is one.
            let bent = -0.5 * promised / (value - found.value - promised);
            share *= if smooth && bent.is_finite() { bent.clamp(0.1, 0.5) } else { 0.2 };
            if found.evaluations >= limits.evaluations {
                return Ok(found);
            }
        }
        if !stepped {
            if pairs.is_empty() {
                // No step along the slope itself lowers it any more: as low as numbers tell, or a kink.
                found.at_rest = pull <= limits.slope.max(1e-5) * found.value.abs().max(1.0).sqrt();
                return Ok(found);
            }
            pairs.clear();
        }
    }
    Ok(found)
}

/// A step, the difference of the gradients, and 1 / their product.
struct Pair {
    step: Vec<f64>,
    difference: Vec<f64>,
}

fn remember(pairs: &mut Vec<Pair>, from: &Found, to: &[f64], slopes: &[f64]) {
    let step: Vec<f64> = to.iter().zip(&from.at).map(|(a, b)| a - b).collect();
    let difference: Vec<f64> = slopes.iter().zip(&from.gradient).map(|(a, b)| a - b).collect();
    let product: f64 = step.iter().zip(&difference).map(|(s, y)| s * y).sum();
    let size: f64 = difference.iter().map(|y| y * y).sum();
    // A path that bends the other way tells nothing of a minimum.
    if product > 1e-12 * size {
        if pairs.len() == KEPT {
            pairs.remove(0);
        }
        pairs.push(Pair { step, difference });
    }
}

/// −H g over the numbers that are free.
fn direction(pairs: &[Pair], gradient: &[f64], free: &[bool]) -> Vec<f64> {
    let n = gradient.len();
    let dot = |a: &[f64], b: &[f64]| (0..n).filter(|i| free[*i]).map(|i| a[i] * b[i]).sum::<f64>();
    let mut q: Vec<f64> = (0..n).map(|i| if free[i] { -gradient[i] } else { 0.0 }).collect();
    let usable: Vec<(&Pair, f64)> = pairs
        .iter()
        .map(|pair| (pair, dot(&pair.step, &pair.difference)))
        .filter(|(pair, product)| *product > 1e-12 * dot(&pair.difference, &pair.difference))
        .collect();
    let mut shares = vec![0.0; usable.len()];
    for (k, (pair, product)) in usable.iter().enumerate().rev() {
        shares[k] = dot(&pair.step, &q) / product;
        (0..n).filter(|i| free[*i]).for_each(|i| q[i] -= shares[k] * pair.difference[i]);
    }
    if let Some((pair, product)) = usable.last() {
        let scale = product / dot(&pair.difference, &pair.difference);
        q.iter_mut().for_each(|x| *x *= scale);
    }
    for (k, (pair, product)) in usable.iter().enumerate() {
        let other = dot(&pair.difference, &q) / product;
        (0..n).filter(|i| free[*i]).for_each(|i| q[i] += (shares[k] - other) * pair.step[i]);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const NO_BOUNDS: [[f64; 5]; 2] = [[f64::NEG_INFINITY; 5], [f64::INFINITY; 5]];

    #[test]
    fn a_narrow_valley_is_gone_along_and_bounds_hold() {
        // Σ 10^i (x_i − i)² + (x_0 x_4)²/10, each number also bounded from above by 2.5 in the second run.
        let mut evaluations = 0;
        let mut valley = |x: &[f64], g: &mut [f64]| -> Result<f64, Infallible> {
            evaluations += 1;
            let mut sum = 0.1 * (x[0] * x[4]).powi(2);
            for i in 0..5 {
                let weight = 10f64.powi(i as i32);
                sum += weight * (x[i] - i as f64).powi(2);
                g[i] = 2.0 * weight * (x[i] - i as f64);
            }
            g[0] += 0.2 * x[0] * x[4] * x[4];
            g[4] += 0.2 * x[4] * x[0] * x[0];
            Ok(sum)
        };
        let found =
            minimize(&[9.0; 5], &NO_BOUNDS[0], &NO_BOUNDS[1], Limits::default(), &mut valley).unwrap();
        assert!(found.at_rest && (0..5).all(|i| (found.at[i] - i as f64).abs() < 1e-7), "{found:?}");
        assert!(found.evaluations < 150, "{found:?}");
        let bounded = minimize(&[-3.0; 5], &[-5.0; 5], &[2.5; 5], Limits::default(), &mut valley).unwrap();
        assert!(bounded.at_rest && bounded.at[3..] == [2.5, 2.5], "{bounded:?}");
        assert!((bounded.at[1] - 1.0).abs() < 1e-7 && bounded.evaluations < 150, "{bounded:?}");
    }

    #[test]
    fn cliffs_are_stepped_back_from_and_errors_handed_on() {
        // x − ln x beside a cliff at 0.
        let mut cliff = |x: &[f64], g: &mut [f64]| -> Result<f64, &'static str> {
            g[0] = 1.0 - 1.0 / x[0];
            Ok(if x[0] > 0.0 { x[0] - x[0].ln() } else { f64::INFINITY })
        };
        let found = minimize(&[30.0], &[-1e3], &[1e3], Limits::default(), &mut cliff).unwrap();
        assert!(found.at_rest && (found.at[0] - 1.0).abs() < 1e-6, "{found:?}");
        let from_beyond = minimize(&[-1.0], &[-1e3], &[1e3], Limits::default(), &mut cliff).unwrap();
        assert!(!from_beyond.at_rest && from_beyond.value.is_infinite());
        let mut fails = |_: &[f64], _: &mut [f64]| Err::<f64, &str>("no");
        assert_eq!(minimize(&[0.0], &[-1.0], &[1.0], Limits::default(), &mut fails), Err("no"));
    }

    #[test]
    fn a_flat_function_is_at_rest_and_an_endless_slope_is_not() {
        let mut flat = |_: &[f64], g: &mut [f64]| -> Result<f64, Infallible> {
            g.fill(0.0);
            Ok(3.0)
        };
        assert!(minimize(&[1.0, 2.0], &[0.0; 2], &[9.0; 2], Limits::default(), &mut flat).unwrap().at_rest);
        let mut slope = |x: &[f64], g: &mut [f64]| -> Result<f64, Infallible> {
            g[0] = -1.0;
            Ok(-x[0])
        };
        let limits = Limits { evaluations: 40, ..Limits::default() };
        assert!(!minimize(&[0.0], &NO_BOUNDS[0], &NO_BOUNDS[1], limits, &mut slope).unwrap().at_rest);
    }
}
