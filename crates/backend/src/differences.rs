//! Takes gradients by differences: runs with the same noise at parameters on both sides.
//!
//! The step is chosen from the noise: a small one, whose bias is nothing, where the difference stands out of its noise
//! there, else one four times as long. Where an end of the parameter's interval is nearer than that, the difference is
//! taken from one side, with weights that cancel the slope's error of first order.

use glauber_program::{FieldKind, Interval, Signature};

use crate::error::EngineError;
use crate::outcome::{Gradient, LossValue, Outputs};
use crate::run::Run;
use crate::seam::Prepared;

/// The steps that are tried, as parts of a parameter's size: the first whose difference is this many standard errors or
/// more, else the last.
const STEPS: [f64; 2] = [0.04, 0.16];
const TELLING: f64 = 10.0;
/// Fewer replicates than this do not tell how noisy their mean is: the longer step is taken.
const ENOUGH: f64 = 20.0;

/// The size of a parameter that is about 0: so much, or this part of its interval where that is shorter.
const LEAST_SIZE: f64 = 0.1;

/// A difference: where the loss is taken, in steps from the parameter, and with which weights.
struct Stencil {
    /// Places other than the parameter's own, with the weight of the loss there.
    places: &'static [(f64, f64)],
    /// The weight of the loss at the parameter itself.
    own: f64,
}

static CENTRAL: Stencil = Stencil { places: &[(1.0, 0.5), (-1.0, -0.5)], own: 0.0 };
static UPWARDS: Stencil = Stencil { places: &[(1.0, 2.0), (2.0, -0.5)], own: -1.5 };
static DOWNWARDS: Stencil = Stencil { places: &[(-1.0, -2.0), (-2.0, 0.5)], own: 1.5 };

/// The gradient of a loss of the mean outputs by every parameter that the run wants it by.
///
/// # Errors
/// [`EngineError::NoDifferences`] for a parameter field or the start; else as [`Prepared::simulate`].
pub fn gradient(
    prepared: &dyn Prepared,
    (signature, one_by_one): (&Signature, bool),
    run: &Run<'_>,
    loss: &(dyn Fn(&[f64]) -> LossValue + Sync),
) -> Result<Gradient, EngineError> {
    let refused =
        |what: String| EngineError::NoDifferences { model: signature.model.clone(), what, one_by_one };
    if let Some(field) = signature.fields.iter().find(|f| matches!(f.kind, FieldKind::Parameter(_))) {
        return Err(refused(format!("the parameter field `{}`", field.name)));
    }
    if run.wants_start_gradient {
        return Err(refused("the starting state".into()));
    }
    let run = Run { wants_last: false, ..run.clone() };
    let own = prepared.simulate(&run, None)?.outputs;
    let LossValue { value, slopes } = loss(&own.mean());
    let mut parameters = vec![0.0; run.parameters.len()];
    for (place, slope) in parameters.iter_mut().enumerate() {
        if run.wants_slope(place) {
            let interval = signature.parameters[place].interval;
            *slope = of_parameter(prepared, &run, (place, interval), (&own, &slopes))?;
        }
    }
    Ok(Gradient { value, parameters, fields: Vec::new(), start: Vec::new(), outputs: own })
}

fn of_parameter(
    prepared: &dyn Prepared,
    run: &Run<'_>,
    (place, interval): (usize, Interval),
    (own, slopes): (&Outputs, &[f64]),
) -> Result<f64, EngineError> {
    let theta = run.parameters[place];
    let width = interval.highest - interval.lowest;
    let size = theta.abs().max(LEAST_SIZE.min(LEAST_SIZE * width));
    let mut found = 0.0;
    for part in STEPS {
        let (stencil, step) = chosen(theta, interval, part * size);
        let along = |stencil: &Stencil| -> Result<Vec<f64>, EngineError> {
            let mut losses: Vec<f64> =
                (0..run.replicates).map(|r| stencil.own * weighed(own, slopes, r)).collect();
            for (steps, weight) in stencil.places {
                let mut moved = run.parameters.to_vec();
                moved[place] = (theta + steps * step).clamp(interval.lowest, interval.highest);
                let there = prepared.simulate(&Run { parameters: &moved, ..run.clone() }, None)?.outputs;
                losses
                    .iter_mut()
                    .enumerate()
                    .for_each(|(r, sum)| *sum += weight * weighed(&there, slopes, r));
            }
            Ok(losses)
        };
        // Where the rule refuses one side, a draw's probability ending there, the other is left.
        let fits = |s: &&Stencil| s.places.iter().all(|(steps, _)| interval.contains(theta + steps * step));
        let losses = match along(stencil) {
            Err(EngineError::Interrupted) => return Err(EngineError::Interrupted),
            Err(error) => {
                let mut sides = [&UPWARDS, &DOWNWARDS].into_iter().filter(|s| fits(s));
                sides.find_map(|side| along(side).ok()).ok_or(error)?
            }
            Ok(losses) => losses,
        };
        let n = losses.len() as f64;
        let mean = losses.iter().sum::<f64>() / n;
        let square: f64 = losses.iter().map(|x| (x - mean) * (x - mean)).sum();
        let error = (square / (n - 1.0).max(1.0) / n).sqrt();
        found = mean / step;
        // Of few replicates that happen to agree, or of none that changes, the spread tells nothing.
        if n >= ENOUGH && mean.abs() > 0.0 && mean.abs() >= TELLING * error {
            break;
        }
    }
    Ok(found)
}

/// Σ slope · output of a replicate.
fn weighed(outputs: &Outputs, slopes: &[f64], replicate: usize) -> f64 {
    outputs.replicate(replicate).iter().zip(slopes).map(|(x, s)| x * s).sum()
}

/// From which side, and by which step, a difference of about `step` is taken.
fn chosen(theta: f64, interval: Interval, step: f64) -> (&'static Stencil, f64) {
    let (below, above) = (theta - interval.lowest, interval.highest - theta);
    if below >= step && above >= step {
        return (&CENTRAL, step);
    }
    let (stencil, room) = if above >= below { (&UPWARDS, above) } else { (&DOWNWARDS, below) };
    (stencil, step.min(0.5 * room))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a polynomial of second order every difference is the slope.
    #[test]
    fn every_stencil_is_exact_for_a_parabola() {
        let f = |x: f64| 3.0 * x * x - 2.0 * x + 1.0;
        for stencil in [&CENTRAL, &UPWARDS, &DOWNWARDS] {
            let (x, h) = (0.7, 0.01);
            let sum: f64 = stencil.places.iter().map(|(steps, weight)| weight * f(x + steps * h)).sum();
            assert!(((sum + stencil.own * f(x)) / h - (6.0 * x - 2.0)).abs() < 1e-9);
        }
    }

    #[test]
    fn no_step_leaves_an_interval() {
        let unit = Interval::new(0.0, 1.0);
        for theta in [0.0, 1e-4, 0.3, 0.9999, 1.0] {
            for step in [0.004, 0.5, 3.0] {
                let (stencil, step) = chosen(theta, unit, step);
                assert!(step > 0.0);
                for (steps, _) in stencil.places {
                    assert!(unit.contains((theta + steps * step).clamp(0.0, 1.0)));
                    assert!((theta + steps * step - 0.5).abs() <= 0.5 + 1e-12, "{theta} {step} {steps}");
                }
            }
        }
    }
}
