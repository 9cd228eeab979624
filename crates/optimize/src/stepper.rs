//! Says what proposes the steps of a fit: an optimizer that follows gradients, or a search that compares values.
//!
//! The loop around them is one ([`crate::driver`]): it keeps checkpoints, records what was seen, averages, stops, and says
//! what is known at the end. A stepper looks, steps, and names its answer.

use crate::checkpoint::FitState;
use crate::control::FitError;
use crate::maps::Maps;
use crate::objective::{Evaluation, Objective, ObjectiveError, Unknown};
use crate::trace::{Trace, parameters_of};

/// What proposes the steps of a fit.
pub(crate) trait Stepper {
    /// Fills what it remembers into the state before the first step, whose free coordinates are the start's.
    fn begin(&mut self, state: &mut FitState, ground: &Ground<'_>) -> Result<(), FitError>;

    /// Learns that the fit, which began at these free coordinates, goes on from a state that may be a checkpoint's.
    fn go_on(&mut self, _begun: &[f64], _state: &FitState, _unknowns: &[Unknown]) {}

    /// Whether it looks once more after its last step: a descent does, a search has looked before it stepped.
    fn looks_after_the_last(&self) -> bool;

    /// Evaluates what this step looks at, and remembers what it needs to take it.
    fn look(
        &mut self,
        state: &mut FitState,
        ground: &mut Ground<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Look, FitError>;

    /// Takes the step that was looked at, from θ in natural units (nothing where the free coordinates are that).
    fn step(&mut self, state: &mut FitState, maps: &Maps, theta: Option<Vec<f64>>);

    /// The free coordinates of its answer. The state's own may be taken: nothing steps after this.
    fn answer(&self, state: &mut FitState) -> Vec<f64>;

    /// The iteration whose noise tells the loss of an answer that it has not evaluated; nothing where it has.
    fn unseen_answer(&self, state: &FitState) -> Option<u64>;

    /// Refuses to call the start a result where nothing was fitted.
    fn refuse_unfitted(&self, state: &FitState, unknowns: &[Unknown]) -> Result<(), FitError>;

    /// Whether its course tells by itself if it came to rest.
    fn shows_rest(&self) -> bool;

    /// Whether its steps shrink by themselves, so that their spread says nothing of the simulation's noise.
    fn shrinks(&self) -> bool {
        false
    }

    /// By unknown: whether the fit could speak of it.
    fn reached(&self) -> Option<&[bool]>;
}

/// What a stepper saw.
pub(crate) enum Look {
    /// A point and its loss.
    Seen(Seen),
    /// It went back half a step, and looks again.
    Again,
    /// It was told to stop.
    Interrupted,
    /// There is no point to be recorded.
    Diverged(Divergence),
}

/// A point and its loss.
pub(crate) struct Seen {
    /// The point in natural units; nothing where it is the state's free coordinates.
    pub theta: Option<Vec<f64>>,
    pub loss: f64,
    pub gradient_norm: f64,
    pub rate: f64,
    /// What the rule of rest compares.
    pub change: f64,
    /// What the course keeps of this step: the scalars and their slopes; nothing where it keeps none.
    pub course: (Vec<f64>, Vec<f64>),
    /// Why the fit cannot go on from here.
    pub fault: Option<Divergence>,
}

/// Why a fit cannot go on.
pub(crate) struct Divergence {
    pub what: String,
    pub advice: String,
}

/// What a fit stands on: its objective, what is unknown, and how that moves in its intervals.
pub(crate) struct Ground<'a> {
    pub objective: &'a mut dyn Objective,
    pub unknowns: &'a [Unknown],
    pub maps: &'a Maps,
}

impl Ground<'_> {
    /// Loss and gradient at θ with the noise of this step; nothing where the objective was told to stop.
    pub(crate) fn evaluate(&mut self, theta: &[f64], step: u64) -> Result<Option<Evaluation>, FitError> {
        match self.objective.evaluate(theta, step) {
            Ok(evaluation) if evaluation.gradient.len() == theta.len() => Ok(Some(evaluation)),
            Ok(evaluation) => {
                Err(FitError::GradientLength { found: evaluation.gradient.len(), wanted: theta.len() })
            }
            Err(ObjectiveError::Interrupted) => Ok(None),
            Err(source) => Err(self.failed_at(step, theta, source)),
        }
    }

    /// The loss at θ with the noise of an iteration; nothing where the objective was told to stop.
    pub(crate) fn value(
        &mut self,
        theta: &[f64],
        step: u64,
        iteration: u64,
    ) -> Result<Option<f64>, FitError> {
        match self.objective.value(theta, iteration) {
            Ok(value) => Ok(Some(value)),
            Err(ObjectiveError::Interrupted) => Ok(None),
            Err(source) => Err(self.failed_at(step, theta, source)),
        }
    }

    /// The error of an objective that failed at θ.
    pub(crate) fn failed_at(&self, step: u64, theta: &[f64], source: ObjectiveError) -> FitError {
        let (names, numbers) = (Trace::of(self.unknowns).columns, parameters_of(self.unknowns, theta));
        let pairs = names.iter().zip(numbers).map(|(name, value)| format!("{name} = {value:.6}"));
        FitError::Objective { step, parameters: pairs.collect::<Vec<_>>().join(", "), source }
    }
}

/// θ for these free coordinates; nothing where the maps leave them as they are, so that a large field is not copied.
pub(crate) fn natural(maps: &Maps, free: &[f64]) -> Option<Vec<f64>> {
    (!maps.is_direct()).then(|| {
        let mut theta = vec![0.0; free.len()];
        maps.to_natural(free, &mut theta);
        theta
    })
}

/// Where in θ the scalars lie.
pub(crate) fn scalar_places(unknowns: &[Unknown]) -> Vec<usize> {
    let mut first = 0;
    let mut places = Vec::new();
    for unknown in unknowns {
        if unknown.is_scalar() {
            places.push(first);
        }
        first += unknown.len();
    }
    places
}
