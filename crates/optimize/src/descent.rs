//! Fits by gradients: evaluates an objective, steps downhill.
//!
//! Each step k = 0, 1, …: evaluate loss and gradient at θ_k with iteration k; record them; stop if a rule says so;
//! otherwise pull the gradient back through the interval maps, clip it, and let the optimizer step. A fit of n
//! steps makes n updates and n + 1 evaluations: the last record, step n, is where it ended.
//!
//! The course depends on [`Descent`], the start and the objective alone. A fit that was interrupted and resumed
//! has the same result and trace, bit for bit.
//!
//! ```
//! use glauber_optimize::descent::{Control, Descent};
//! use glauber_optimize::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};
//! use glauber_optimize::optimizers::Choice;
//!
//! struct Parabola([Unknown; 1]);
//! impl Objective for Parabola {
//!     fn unknowns(&self) -> &[Unknown] {
//!         &self.0
//!     }
//!     fn evaluate(&mut self, theta: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
//!         let error = theta[0] - 0.3;
//!         Ok(Evaluation { value: error * error, gradient: vec![2.0 * error] })
//!     }
//! }
//!
//! let mut parabola = Parabola([Unknown::scalar("beta", Interval::unit())]);
//! let descent = Descent::new(Choice::new("adam"), 0.05, 1000);
//! let result = descent.run(&mut parabola, &[0.9], Control::default()).unwrap();
//! assert!((result.estimate("beta").unwrap().value - 0.3).abs() < 1e-6);
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checkpoint::FitState;
use crate::clipping::{Clip, norm};
pub use crate::control::{Control, FitError};
use crate::course::Course;
use crate::driver::{Rules, drive};
use crate::fit_result::FitResult;
use crate::identity::identity_of;
use crate::maps::{Map, Maps};
use crate::objective::{Evaluation, Objective, Unknown};
use crate::optimizers::{Choice, OPTIMIZERS, Optimizer};
use crate::schedule::LearningRate;
use crate::stepper::{Divergence, Ground, Look, Seen, Stepper, natural, scalar_places};
use crate::stopping::StoppingRules;
use crate::verdict::{listed, significant};

/// What a fit does, as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Descent {
    /// The optimizer, by name, with options.
    pub optimizer: Choice,
    /// The learning rate and its course.
    pub learning_rate: LearningRate,
    /// The bound on gradients, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Interval maps by unknown, where not the [usual](Map::usual) ones.
    #[serde(default)]
    pub maps: BTreeMap<String, Map>,
    /// When it ends.
    pub stopping: StoppingRules,
    /// The share of the steps, at the end, over which θ is averaged; 0 for none, at most 1.
    #[serde(default)]
    pub average: f64,
    /// Which steps the trace keeps: those divisible by this, and the last. At least 1.
    pub trace_every: u64,
    /// The seed of the objective's noise: for the record; the objective has its own copy.
    pub seed: u64,
}

impl Descent {
    /// A fit with a constant rate, without clipping or averaging, that keeps every step in its trace.
    pub fn new(optimizer: Choice, rate: f64, steps: u64) -> Descent {
        Descent {
            optimizer,
            learning_rate: LearningRate::constant(rate),
            clip: None,
            maps: BTreeMap::new(),
            stopping: StoppingRules::after(steps),
            average: 0.0,
            trace_every: 1,
            seed: 0,
        }
    }

    /// Runs the fit from a start (natural units, as long as θ).
    ///
    /// Divergence and interruption are not errors: the result says why it stopped.
    ///
    /// # Errors
    /// [`FitError`] where a setting, the start or a checkpoint is wrong, or the objective fails.
    pub fn run(
        &self,
        objective: &mut dyn Objective,
        start: &[f64],
        control: Control<'_>,
    ) -> Result<FitResult, FitError> {
        self.learning_rate.check()?;
        let rules = Rules {
            maps: &self.maps,
            stopping: self.stopping,
            average: self.average,
            trace_every: self.trace_every,
            seed: self.seed,
        };
        let clip = self.clip.map(Clip::bound).filter(|bound| bound.is_nan() || *bound <= 0.0);
        let clip = clip.map(|bound| format!("the clip is {bound}, but must be above 0"));
        if let Some(what) = clip.or_else(|| rules.fault()) {
            return Err(FitError::Setting(what));
        }
        let mut stepper = Downhill {
            descent: self,
            optimizer: self.optimizer.build()?,
            reached: Vec::new(),
            gradient: Vec::new(),
            gradient_norm: f64::NAN,
            rate: f64::NAN,
        };
        let may_grow = !self.learning_rate.schedule.depends_on_length() && self.average <= 0.0;
        let identity = |maps: &Maps, others: &_| identity_of(self, may_grow, maps, start, others);
        drive(&rules, &mut stepper, identity, objective, start, control)
    }
}

/// The share of the rate at the beginning of the averaged part below which its steps have shrunk.
const SHRUNK: f64 = 0.1;

/// Steps along the gradient, as the optimizer makes of it.
struct Downhill<'d> {
    descent: &'d Descent,
    optimizer: Box<dyn Optimizer>,
    /// By unknown: whether any step had a gradient for it.
    reached: Vec<bool>,
    /// The gradient by the free coordinates where it last looked, its length, and the learning rate there.
    gradient: Vec<f64>,
    gradient_norm: f64,
    rate: f64,
}

impl Stepper for Downhill<'_> {
    fn begin(&mut self, state: &mut FitState, ground: &Ground<'_>) -> Result<(), FitError> {
        state.memory = self.optimizer.begin(state.free.len());
        state.course = Course::new(scalar_places(ground.unknowns).len());
        // A loss of noise that is +∞ has diverged; a likelihood that is 0 asks for a smaller step.
        if ground.objective.likelihood().is_some() {
            state.previous = vec![f64::NAN; state.free.len()];
        }
        Ok(())
    }

    fn go_on(&mut self, begun: &[f64], state: &FitState, unknowns: &[Unknown]) {
        // What has moved was reached before.
        let mut first = 0;
        let moved = |unknown: &Unknown| {
            let range = first..first + unknown.len();
            first = range.end;
            range.into_iter().any(|i| begun[i].to_bits() != state.free[i].to_bits())
        };
        self.reached = unknowns.iter().map(moved).collect();
    }

    fn looks_after_the_last(&self) -> bool {
        true
    }

    fn look(
        &mut self,
        state: &mut FitState,
        ground: &mut Ground<'_>,
        _stop: &dyn Fn() -> bool,
    ) -> Result<Look, FitError> {
        let step = state.step;
        if let Some((name, value)) = ground.maps.astray(&state.free) {
            return Ok(Look::Diverged(self.divergence(
                format!("`{name}` became {}", significant(value, 5)),
                f64::NAN,
                step,
                ground.maps,
            )));
        }
        let mut theta = natural(ground.maps, &state.free);
        let at = theta.as_deref().unwrap_or(&state.free);
        let Some(Evaluation { value: loss, mut gradient }) = ground.evaluate(at, step)? else {
            return Ok(Look::Interrupted);
        };
        if loss == f64::INFINITY {
            if retreat(state) {
                return Ok(Look::Again);
            }
            theta = natural(ground.maps, &state.free);
        }
        note_reached(ground.unknowns, &mut self.reached, &gradient);
        let at = theta.as_deref().unwrap_or(&state.free);
        let places = scalar_places(ground.unknowns);
        let course = (places.iter().map(|i| at[*i]).collect(), places.iter().map(|i| gradient[*i]).collect());
        ground.maps.pull_back(&state.free, &mut gradient);
        let gradient_norm = norm(&gradient);
        let rate = self.descent.learning_rate.at(step, self.descent.stopping.steps);
        let fault = bad_number(ground.unknowns, loss, &gradient, gradient_norm).map(|what| {
            let why = if loss == f64::INFINITY { ground.objective.why_infinite(at) } else { None };
            self.divergence(why.unwrap_or(what), loss, step, ground.maps)
        });
        (self.gradient, self.gradient_norm, self.rate) = (gradient, gradient_norm, rate);
        let change = state.last_change;
        Ok(Look::Seen(Seen { theta, loss, gradient_norm, rate, change, course, fault }))
    }

    /// One update of the free coordinates.
    fn step(&mut self, state: &mut FitState, maps: &Maps, theta: Option<Vec<f64>>) {
        let before = self.descent.stopping.tolerance.map(|_| theta.unwrap_or_else(|| state.free.clone()));
        let mut gradient = std::mem::take(&mut self.gradient);
        if let Some(clip) = self.descent.clip {
            clip.apply(&mut gradient, self.gradient_norm);
        }
        let FitState { memory, free, previous, caution, .. } = state;
        if !previous.is_empty() {
            previous.copy_from_slice(free);
        }
        self.optimizer.step(memory, free, &gradient, self.rate * *caution);
        maps.project(free);
        // A step that is small because the rate has shrunk is no rest: what it would be at the full rate counts.
        let share = self.rate / self.descent.learning_rate.start * *caution;
        *caution = (2.0 * *caution).min(1.0);
        if let Some(before) = before {
            let after = natural(maps, free);
            let after = after.as_deref().unwrap_or(free);
            // Of a step below rounding it is not known what it would be: as much as rounding.
            let change = before.iter().zip(after).map(|(a, b)| (a - b).abs().max(f64::EPSILON * b.abs()));
            state.last_change = change.fold(0.0, f64::max) / share.max(f64::MIN_POSITIVE);
        }
    }

    fn answer(&self, state: &mut FitState) -> Vec<f64> {
        std::mem::take(&mut state.free)
    }

    fn unseen_answer(&self, _state: &FitState) -> Option<u64> {
        None
    }

    fn refuse_unfitted(&self, state: &FitState, unknowns: &[Unknown]) -> Result<(), FitError> {
        if self.reached.iter().any(|reached| *reached) {
            return Ok(());
        }
        let names: Vec<&str> = unknowns.iter().map(|unknown| unknown.name.as_str()).collect();
        Err(FitError::NoGradient { steps: state.step, names: listed(&names) })
    }

    fn shows_rest(&self) -> bool {
        true
    }

    fn shrinks(&self) -> bool {
        let by_sign =
            OPTIMIZERS.iter().any(|entry| entry.name == self.descent.optimizer.name && entry.by_sign);
        let Descent { learning_rate, stopping, average, .. } = self.descent;
        let averaged_from = stopping.steps - ((stopping.steps as f64 * average) as u64).min(stopping.steps);
        let rate = |step| learning_rate.at(step, stopping.steps);
        by_sign || rate(stopping.steps) < SHRUNK * rate(averaged_from)
    }

    fn reached(&self) -> Option<&[bool]> {
        Some(&self.reached)
    }
}

impl Downhill<'_> {
    fn divergence(&self, what: String, loss: f64, step: u64, maps: &Maps) -> Divergence {
        let rate = self.descent.learning_rate.start;
        let advice = if loss == f64::INFINITY && what.contains("whatever the parameters") {
            "check the order of the data's times and which number means which state, or let the model allow it".to_string()
        } else if step == 0 && loss == f64::INFINITY {
            "start the parameters where what was observed is possible, or let the model allow it".to_string()
        } else if step == 0 && loss.is_finite() {
            "the loss is finite, but a function of the rule or the loss has no finite slope at a value that it meets, such as \
             a quotient by 0, or the root or logarithm of 0: keep its argument away from there, as p / max(n, 1), or start the parameters elsewhere"
                .to_string()
        } else if step == 0 {
            "the start itself gives no finite loss: check the data, and start the parameters elsewhere"
                .to_string()
        } else if what.contains("became") && maps.unknowns().any(|(_, map)| map == Map::Identity) {
            format!(
                "keep it in its interval with the map `clamp` or `logit`, or lower the learning rate (now {rate})"
            )
        } else if self.descent.clip.is_none() {
            format!("lower the learning rate (now {rate}), or bound the gradient with a clip")
        } else {
            format!("lower the learning rate (now {rate}) or the clip")
        };
        Divergence { what, advice }
    }
}

/// Steps back half of the last update, where the likelihood was above 0 before it.
fn retreat(state: &mut FitState) -> bool {
    let FitState { free, previous, caution, .. } = state;
    if previous.is_empty() || previous == free || previous.iter().any(|x| x.is_nan()) {
        return false;
    }
    *caution *= 0.5;
    // After so many halvings the step is refused.
    let share = if *caution > 1e-6 { 0.5 } else { 0.0 };
    free.iter_mut().zip(&*previous).for_each(|(x, before)| *x = before + share * (*x - before));
    true
}

/// Notes which unknowns a gradient speaks of.
fn note_reached(unknowns: &[Unknown], reached: &mut [bool], gradient: &[f64]) {
    let mut first = 0;
    for (reached, unknown) in reached.iter_mut().zip(unknowns) {
        let range = first..first + unknown.len();
        first = range.end;
        *reached = *reached || gradient[range].iter().any(|g| *g != 0.0);
    }
}

/// What is not finite in an evaluation, in words.
fn bad_number(unknowns: &[Unknown], loss: f64, gradient: &[f64], gradient_norm: f64) -> Option<String> {
    if !loss.is_finite() {
        return Some(format!("the loss is {loss}"));
    }
    if gradient_norm.is_finite() {
        return None;
    }
    let mut first = 0;
    for unknown in unknowns {
        let slopes = &gradient[first..first + unknown.len()];
        first += unknown.len();
        if let Some(slope) = slopes.iter().find(|slope| !slope.is_finite()) {
            return Some(format!("the gradient of `{}` is {slope}", unknown.name));
        }
    }
    Some("the gradient is too large for a number".to_string())
}
