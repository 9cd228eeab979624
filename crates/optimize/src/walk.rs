//! Takes the steps of a fit, one after the other, and gathers what it found.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use crate::averaging::Average;
use crate::checkpoint::State;
use crate::clipping::norm;
use crate::descent::{Control, Descent, FitError};
use crate::fit_result::{Findings, FitResult};
use crate::keeper::Keeper;
use crate::maps::{Map, Maps};
use crate::objective::{Evaluation, Objective, ObjectiveError, Unknown};
use crate::observer::Plan;
use crate::optimizers::Optimizer;
use crate::standard_error::errors_at;
use crate::stopping::Stopped;
use crate::trace::{Record, Trace, parameters_of};

/// Where in θ the scalars lie.
fn scalar_places(unknowns: &[Unknown]) -> Vec<usize> {
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

/// How a walk ended: why, and the loss at its last evaluation.
pub(crate) struct End {
    stopped: Stopped,
    loss: f64,
}

/// A fit under way.
pub(crate) struct Walk<'d, 'c> {
    descent: &'d Descent,
    unknowns: Vec<Unknown>,
    maps: Maps,
    optimizer: Box<dyn Optimizer>,
    keeper: Keeper,
    state: State,
    control: Control<'c>,
    notes: Vec<String>,
}

impl<'d, 'c> Walk<'d, 'c> {
    /// A fit before its first step.
    pub(crate) fn new(
        descent: &'d Descent,
        objective: &dyn Objective,
        start: &[f64],
        mut control: Control<'c>,
    ) -> Result<Walk<'d, 'c>, FitError> {
        let unknowns = objective.unknowns().to_vec();
        let maps = Maps::new(&unknowns, &descent.maps)?;
        let (free, notes) = maps.start(start)?;
        let optimizer = descent.optimizer.build()?;
        let average = match descent.average > 0.0 {
            true => Average::new(free.len(), scalar_places(&unknowns)),
            false => Average::new(0, Vec::new()),
        };
        let state = State {
            step: 0,
            memory: optimizer.begin(free.len()),
            stopping: Default::default(),
            last_change: f64::INFINITY,
            average,
            trace: Trace::of(&unknowns),
            free,
        };
        let identity = descent.identity(&maps, start, &control.identity);
        let keeper = Keeper::new(control.checkpoint.take(), identity);
        Ok(Walk { descent, unknowns, maps, optimizer, keeper, state, control, notes })
    }

    /// Takes the state from a checkpoint, where one is kept and is to be resumed, and tells the observer.
    pub(crate) fn begin(mut self) -> Result<Walk<'d, 'c>, FitError> {
        let most_records = (self.descent.stopping.steps / self.descent.trace_every).saturating_add(2);
        self.state = self.keeper.resume(self.state, most_records)?;
        if let Some(observer) = &mut self.control.observer {
            let (first, steps) = (self.state.step, self.descent.stopping.steps);
            let columns = &self.state.trace.columns;
            observer.begin(&Plan { unknowns: &self.unknowns, columns, first, steps });
        }
        Ok(self)
    }

    pub(crate) fn take_steps(&mut self, objective: &mut dyn Objective) -> Result<End, FitError> {
        // The first step from which θ is averaged.
        let steps = self.descent.stopping.steps;
        let averaged_from = steps - ((steps as f64 * self.descent.average) as u64).min(steps);
        loop {
            let step = self.state.step;
            let refused = self.keeper.keep_if_due(&self.state);
            self.tell(refused);
            if self.control.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return self.interrupted();
            }
            if let Some((name, value)) = self.maps.astray(&self.state.free) {
                return Ok(self.diverged(format!("`{name}` became {value}"), f64::NAN));
            }
            let theta = natural(&self.maps, &self.state.free);
            let Some(Evaluation { value: loss, mut gradient }) = self.evaluate(objective, &theta)? else {
                drop(theta);
                return self.interrupted();
            };
            self.maps.pull_back(&self.state.free, &mut gradient);
            let gradient_norm = norm(&gradient);
            let rate = self.descent.learning_rate.at(step, steps);
            let parameters = parameters_of(&self.unknowns, &theta);
            let record = Record { step, loss, gradient_norm, rate, parameters };
            if let Some(observer) = &mut self.control.observer {
                observer.step(&record, &theta);
            }
            let bad = bad_number(&self.unknowns, loss, &gradient, gradient_norm);
            let (stopping, verdict) =
                self.descent.stopping.observe(self.state.stopping, loss, self.state.last_change);
            let verdict = verdict.or((step >= steps).then_some(Stopped::Steps));
            if bad.is_some() || verdict.is_some() {
                drop(theta);
                // The state is still the one before this evaluation, so a resume from here repeats it and ends too.
                let refused = self.keeper.keep(&self.state);
                self.tell(refused);
                self.add_to_average(step, averaged_from);
                self.state.trace.records.push(record);
                return Ok(match (bad, verdict) {
                    (Some(what), _) => self.diverged(what, loss),
                    (None, verdict) => End { stopped: verdict.unwrap_or(Stopped::Steps), loss },
                });
            }
            let before = self.descent.stopping.tolerance.map(|_| theta.to_vec());
            drop(theta);
            self.add_to_average(step, averaged_from);
            self.state.stopping = stopping;
            if step.is_multiple_of(self.descent.trace_every) {
                self.state.trace.records.push(record);
            }
            self.update(gradient, gradient_norm, rate, before);
        }
    }

    /// Loss and gradient at θ; `None` where the objective was told to stop.
    fn evaluate(&self, objective: &mut dyn Objective, theta: &[f64]) -> Result<Option<Evaluation>, FitError> {
        match objective.evaluate(theta, self.state.step) {
            Ok(evaluation) if evaluation.gradient.len() == theta.len() => Ok(Some(evaluation)),
            Ok(evaluation) => {
                Err(FitError::GradientLength { found: evaluation.gradient.len(), wanted: theta.len() })
            }
            Err(ObjectiveError::Interrupted) => Ok(None),
            Err(source) => Err(self.failed(self.state.step, theta, source)),
        }
    }

    fn failed(&self, step: u64, theta: &[f64], source: ObjectiveError) -> FitError {
        let numbers = parameters_of(&self.unknowns, theta);
        let pairs =
            self.state.trace.columns.iter().zip(numbers).map(|(name, value)| format!("{name} = {value:.6}"));
        FitError::Objective { step, parameters: pairs.collect::<Vec<_>>().join(", "), source }
    }

    /// One update of the free coordinates. `before` is θ, where a rule asks for its change.
    fn update(&mut self, mut gradient: Vec<f64>, gradient_norm: f64, rate: f64, before: Option<Vec<f64>>) {
        if let Some(clip) = self.descent.clip {
            clip.apply(&mut gradient, gradient_norm);
        }
        let State { memory, free, .. } = &mut self.state;
        self.optimizer.step(memory, free, &gradient, rate);
        self.maps.project(free);
        if let Some(before) = before {
            let after = natural(&self.maps, free);
            let change = before.iter().zip(after.iter()).map(|(a, b)| (a - b).abs());
            self.state.last_change = change.fold(0.0, f64::max);
        }
        self.state.step += 1;
    }

    fn add_to_average(&mut self, step: u64, from: u64) {
        if self.descent.average > 0.0 && step > from {
            self.state.average.add(&natural(&self.maps, &self.state.free));
        }
    }

    fn tell(&mut self, words: Option<String>) {
        if let (Some(words), Some(observer)) = (words, &mut self.control.observer) {
            observer.notice(&words);
        }
    }

    fn interrupted(&mut self) -> Result<End, FitError> {
        self.keeper.save(&self.state)?;
        let loss = self.state.trace.records.last().map_or(f64::NAN, |record| record.loss);
        Ok(End { stopped: Stopped::Interrupted, loss })
    }

    fn diverged(&self, what: String, loss: f64) -> End {
        let rate = self.descent.learning_rate.start;
        let advice = if self.state.step == 0 {
            "the start itself gives no finite loss: check the data, and start the parameters elsewhere"
                .to_string()
        } else if what.contains("became") && self.maps.unknowns().any(|(_, map)| map == Map::Identity) {
            format!(
                "keep it in its interval with the map `clamp` or `logit`, or lower the learning rate (now {rate})"
            )
        } else if self.descent.clip.is_none() {
            format!("lower the learning rate (now {rate}), or bound the gradient with a clip")
        } else {
            format!("lower the learning rate (now {rate}) or the clip")
        };
        End { stopped: Stopped::Diverged { step: self.state.step, what, advice }, loss }
    }

    pub(crate) fn finish(
        mut self,
        objective: &mut dyn Objective,
        start: &[f64],
        end: End,
    ) -> Result<FitResult, FitError> {
        let End { stopped, mut loss } = end;
        let converged =
            matches!(stopped, Stopped::Steps | Stopped::Tolerance { .. } | Stopped::Plateau { .. });
        // Where the maps change nothing, the coordinates themselves: a large field is not copied.
        let mut theta = match self.maps.is_direct() {
            true => std::mem::take(&mut self.state.free),
            false => natural(&self.maps, &self.state.free).into_owned(),
        };
        let mut monte_carlo_errors = None;
        if converged && self.descent.average > 0.0 {
            if let Some(mean) = self.state.average.mean() {
                theta = mean;
                monte_carlo_errors = self.state.average.error();
                loss = match objective.value(&theta, self.state.step + 1) {
                    Ok(value) => value,
                    // The average is known; only its loss is not.
                    Err(ObjectiveError::Interrupted) => loss,
                    Err(source) => return Err(self.failed(self.state.step + 1, &theta, source)),
                };
            } else {
                self.notes.push(
                    "the fit ended before the part that was to be averaged: the last step is given".into(),
                );
            }
        }
        self.notes.extend(self.keeper.note());
        let standard_errors = if converged { errors_at(objective, &theta, &mut self.notes) } else { None };
        let result = Findings {
            unknowns: self.unknowns,
            start,
            theta,
            standard_errors,
            monte_carlo_errors,
            loss,
            steps: self.state.step,
            stopped,
            seed: self.descent.seed,
            trace: self.state.trace,
            notes: self.notes,
        }
        .into_result();
        if let Some(observer) = &mut self.control.observer {
            observer.end(&result);
        }
        Ok(result)
    }
}

/// θ for these free coordinates; the same numbers, not a copy, where the maps allow it.
fn natural<'a>(maps: &Maps, free: &'a [f64]) -> Cow<'a, [f64]> {
    if maps.is_direct() {
        return Cow::Borrowed(free);
    }
    let mut theta = vec![0.0; free.len()];
    maps.to_natural(free, &mut theta);
    Cow::Owned(theta)
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
