//! Takes gradients by differences: runs with the same noise at parameters on both sides.
//!
//! Where paths part by chance, the variance of a difference over 2h is as 1/h; the bias of the five-point formula is as h⁴. The
//! best h then goes with the ninth root of the number of rollouts, so one part of the parameter's size serves all, and nothing
//! is chosen by the noise of the runs themselves, which would be a bias of its own. Where an end of the parameter's interval, or of
//! what the rule allows, is nearer than that, the difference is taken from one side, by the four-point formula.

use glauber_program::{FieldKind, Interval, Signature};

use crate::error::EngineError;
use crate::outcome::{Gradient, LossValue, Outputs};
use crate::run::Run;
use crate::seam::Prepared;

/// The step, as a part of a parameter's size: on both sides, and on one.
const CENTRAL_STEP: f64 = 0.08;
const ONE_SIDED_STEP: f64 = 0.12;

/// The variance by the central formula in parts of that by a one-sided one with the same step, where what happens by chance
/// between two places is independent from place to place: (2 · 49 + 2)/144 to (121 + 49 + 4)/36.
const AS_NOISY: f64 = 25.0 / 174.0;

/// The size of a parameter that is about 0: so much, or this part of its interval where that is shorter.
const LEAST_SIZE: f64 = 0.1;

/// A difference: where the loss is taken, in steps from the parameter, and with which weights.
struct Stencil {
    /// Places other than the parameter's own, with the weight of the loss there.
    places: &'static [(f64, f64)],
    /// The weight of the loss at the parameter itself.
    own: f64,
    /// The step, as a part of the parameter's size.
    step: f64,
}

/// Two central differences, over h and 2h, whose errors of second order cancel: (4 D(h) − D(2h))/3.
static CENTRAL: Stencil = Stencil {
    places: &[(1.0, 2.0 / 3.0), (-1.0, -2.0 / 3.0), (2.0, -1.0 / 12.0), (-2.0, 1.0 / 12.0)],
    own: 0.0,
    step: CENTRAL_STEP,
};
static UPWARDS: Stencil =
    Stencil { places: &[(1.0, 3.0), (2.0, -1.5), (3.0, 1.0 / 3.0)], own: -11.0 / 6.0, step: ONE_SIDED_STEP };
static DOWNWARDS: Stencil = Stencil {
    places: &[(-1.0, -3.0), (-2.0, 1.5), (-3.0, -1.0 / 3.0)],
    own: 11.0 / 6.0,
    step: ONE_SIDED_STEP,
};

impl Stencil {
    /// Where the loss is taken about θ besides at θ itself, and with which weights, by this step.
    fn about(&self, theta: f64, step: f64, interval: Interval) -> impl Iterator<Item = (f64, f64)> {
        let at = move |steps: f64| (theta + steps * step).clamp(interval.lowest, interval.highest);
        self.places.iter().map(move |(steps, weight)| (at(*steps), weight / step))
    }
}

/// Where a function of a parameter is taken for its slope at θ, and with which weights: Σ weight · f(place).
///
/// ```
/// use glauber_backend::differences::places;
/// use glauber_program::Interval;
///
/// let slope: f64 = places(0.5, Interval::unit()).iter().map(|(x, weight)| weight * x.powi(3)).sum();
/// assert!((slope - 0.75).abs() < 1e-12);
/// ```
pub fn places(theta: f64, interval: Interval) -> Vec<(f64, f64)> {
    let (stencil, step) = chosen(theta, interval);
    let own = (stencil.own.abs() > 0.0).then_some((theta, stencil.own / step));
    stencil.about(theta, step, interval).chain(own).collect()
}

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
    let along = |(stencil, step): (&Stencil, f64)| -> Result<f64, EngineError> {
        let mut sum = stencil.own * weighed(own, slopes) / step;
        for (there, weight) in stencil.about(theta, step, interval) {
            let mut moved = run.parameters.to_vec();
            moved[place] = there;
            let outputs = prepared.simulate(&Run { parameters: &moved, ..run.clone() }, None)?.outputs;
            sum += weight * weighed(&outputs, slopes);
        }
        Ok(sum)
    };
    match along(chosen(theta, interval)) {
        Err(EngineError::Interrupted) => Err(EngineError::Interrupted),
        // Where the rule refuses one side, a draw's probability ending there, the other is left.
        Err(error) => {
            let sides = [&UPWARDS, &DOWNWARDS].map(|side| (side, cut(side, theta, interval)));
            let mut sides = sides.into_iter().filter(|(_, step)| *step > 0.0);
            sides.find_map(|side| along(side).ok()).ok_or(error)
        }
        found => found,
    }
}

/// Σ slope · output, of the mean over the replicates.
fn weighed(outputs: &Outputs, slopes: &[f64]) -> f64 {
    outputs.mean().iter().zip(slopes).map(|(x, slope)| x * slope).sum()
}

/// From which side, and by which step, a difference about θ is taken: the way with less noise.
fn chosen(theta: f64, interval: Interval) -> (&'static Stencil, f64) {
    let [central, upwards, downwards] =
        [&CENTRAL, &UPWARDS, &DOWNWARDS].map(|stencil| (stencil, cut(stencil, theta, interval)));
    let side = if upwards.1 >= downwards.1 { upwards } else { downwards };
    if central.1 >= AS_NOISY * side.1 { central } else { side }
}

/// The step of a difference, which ends within the interval.
fn cut(stencil: &Stencil, theta: f64, interval: Interval) -> f64 {
    let room = |steps: f64| match steps > 0.0 {
        true => (interval.highest - theta) / steps,
        false => (theta - interval.lowest) / -steps,
    };
    let most = stencil.places.iter().map(|(steps, _)| room(*steps)).fold(f64::INFINITY, f64::min);
    (stencil.step * size(theta, interval)).min(most)
}

/// The size of a parameter, of which steps are parts, where it is about 0 too.
pub fn size(theta: f64, interval: Interval) -> f64 {
    theta.abs().max(LEAST_SIZE * (interval.highest - interval.lowest).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a polynomial of third order every difference is the slope, of fourth order the central one.
    #[test]
    fn every_stencil_is_exact_for_a_cubic() {
        let wide = Interval::new(-1e3, 1e3);
        for (theta, interval) in
            [(0.7, wide), (0.7, Interval::new(0.7, 9.0)), (0.7, Interval::new(-9.0, 0.7))]
        {
            let slope =
                |f: fn(f64) -> f64| places(theta, interval).iter().map(|(x, w)| w * f(*x)).sum::<f64>();
            assert!((slope(|x| 3.0 * x * x - 2.0 * x + 1.0) - 2.2).abs() < 1e-10);
            assert!((slope(|x| x.powi(3)) - 1.47).abs() < 1e-10);
        }
        let fourth: f64 = places(0.7, wide).iter().map(|(x, w)| w * x.powi(4)).sum();
        assert!((fourth - 4.0 * 0.343).abs() < 1e-10);
    }

    #[test]
    fn no_step_leaves_an_interval() {
        for interval in [Interval::unit(), Interval::new(0.0, 1e-9), Interval::new(-3.0, 1.0)] {
            for theta in [0.0, 1e-4, 0.3, 0.9999, 1.0].map(|x: f64| x.min(interval.highest)) {
                let (_, step) = chosen(theta, interval);
                assert!(step > 0.0);
                for (x, weight) in places(theta, interval) {
                    assert!(interval.contains(x) && weight.is_finite(), "{theta} {x} {weight}");
                }
            }
        }
    }
}
