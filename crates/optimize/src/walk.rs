//! Takes the steps of a fit, one after the other, and gathers what it found.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use crate::averaging::Average;
use crate::checkpoint::State;
use crate::clipping::norm;
use crate::course::{Course, Rest};
use crate::curvature::look;
use crate::descent::{Control, Descent, FitError};
use crate::fit_result::{Findings, FitResult};
use crate::keeper::Keeper;
use crate::maps::{Map, Maps};
use crate::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};
use crate::observer::Plan;
use crate::optimizers::Optimizer;
use crate::stopping::Stopped;
use crate::trace::{Record, Trace, parameters_of};
use crate::verdict::{Known, Verdict, end_of, listed, with_precision};

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

/// The share of a course, at its end, by which rest is told where nothing is averaged.
const LAST_PART: f64 = 0.2;

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
    /// By unknown: whether any step had a gradient for it.
    reached: Vec<bool>,
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
        let places = scalar_places(&unknowns);
        let state = State {
            step: 0,
            // A loss of noise that is +∞ has diverged; a likelihood that is 0 asks for a smaller step.
            previous: if objective.likelihood().is_some() { vec![f64::NAN; free.len()] } else { Vec::new() },
            caution: 1.0,
            course: Course::new(places.len()),
            memory: optimizer.begin(free.len()),
            stopping: Default::default(),
            last_change: f64::INFINITY,
            average,
            trace: Trace::of(&unknowns),
            free,
        };
        let identity = descent.identity(&maps, start, &control.identity);
        let reached = vec![false; unknowns.len()];
        let keeper = Keeper::new(control.checkpoint.take(), identity);
        Ok(Walk { descent, unknowns, maps, optimizer, keeper, state, control, notes, reached })
    }

    /// Takes the state from a checkpoint, where one is kept and is to be resumed, and tells the observer.
    pub(crate) fn begin(mut self) -> Result<Walk<'d, 'c>, FitError> {
        let most_records = (self.descent.stopping.steps / self.descent.trace_every).saturating_add(2);
        let start = self.state.free.clone();
        self.state = self.keeper.resume(self.state, most_records)?;
        // What has moved was reached before.
        let mut first = 0;
        for (reached, unknown) in self.reached.iter_mut().zip(&self.unknowns) {
            let range = first..first + unknown.len();
            *reached = range.clone().any(|i| start[i].to_bits() != self.state.free[i].to_bits());
            first = range.end;
        }
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
            let theta = if loss == f64::INFINITY {
                drop(theta);
                if self.retreat() {
                    continue;
                }
                natural(&self.maps, &self.state.free)
            } else {
                theta
            };
            note_reached(&self.unknowns, &mut self.reached, &gradient);
            let places = scalar_places(&self.unknowns);
            let course = places.iter().map(|i| theta[*i]).chain(places.iter().map(|i| gradient[*i]));
            let course: Vec<f64> = course.collect();
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
                if bad.is_none() {
                    self.state.course.add(course.into_iter());
                }
                self.state.trace.records.push(record);
                return Ok(match (bad, verdict) {
                    (Some(what), _) => {
                        let theta = natural(&self.maps, &self.state.free);
                        let why = if loss == f64::INFINITY { objective.why_infinite(&theta) } else { None };
                        self.diverged(why.unwrap_or(what), loss)
                    }
                    (None, verdict) => End { stopped: verdict.unwrap_or(Stopped::Steps), loss },
                });
            }
            let before = self.descent.stopping.tolerance.map(|_| theta.to_vec());
            drop(theta);
            self.add_to_average(step, averaged_from);
            self.state.course.add(course.into_iter());
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
        let State { memory, free, previous, caution, .. } = &mut self.state;
        if !previous.is_empty() {
            previous.copy_from_slice(free);
        }
        self.optimizer.step(memory, free, &gradient, rate * *caution);
        self.maps.project(free);
        // A step that is small because the rate has shrunk is no rest: what it would be at the full rate counts.
        let share = rate / self.descent.learning_rate.start * *caution;
        *caution = (2.0 * *caution).min(1.0);
        if let Some(before) = before {
            let after = natural(&self.maps, free);
            // Of a step below rounding it is not known what it would be: as much as rounding.
            let change =
                before.iter().zip(after.iter()).map(|(a, b)| (a - b).abs().max(f64::EPSILON * b.abs()));
            self.state.last_change = change.fold(0.0, f64::max) / share.max(f64::MIN_POSITIVE);
        }
        self.state.step += 1;
    }

    /// Steps back half of the last update, where the likelihood was above 0 before it.
    fn retreat(&mut self) -> bool {
        let State { free, previous, caution, .. } = &mut self.state;
        if previous.is_empty() || previous == free || previous.iter().any(|x| x.is_nan()) {
            return false;
        }
        *caution *= 0.5;
        // After so many halvings the step is refused.
        let share = if *caution > 1e-6 { 0.5 } else { 0.0 };
        free.iter_mut().zip(&*previous).for_each(|(x, before)| *x = before + share * (*x - before));
        true
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
        let advice = if self.state.step == 0 && loss == f64::INFINITY {
            "start the parameters where what was observed is possible, or let the model allow it".to_string()
        } else if self.state.step == 0 {
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
        if converged && !self.reached.iter().any(|reached| *reached) {
            let names = self.unknowns.iter().map(|unknown| unknown.name.clone()).collect::<Vec<_>>();
            return Err(FitError::NoGradient { steps: self.state.step, names: listed(&names) });
        }
        let likelihood = objective.likelihood();
        let mut simulation_noise = None;
        if converged && self.descent.average > 0.0 {
            if let Some(mean) = self.state.average.mean() {
                theta = mean;
                // A likelihood has none.
                simulation_noise = if likelihood.is_none() { self.state.average.error() } else { None };
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
        let scalars = scalar_places(&self.unknowns).len();
        let verdict = match (&stopped, likelihood) {
            (Stopped::Diverged { .. }, _) => {
                Verdict::of_all(scalars, Known::Diverged, None, format!("no estimate: it {stopped}"))
            }
            (Stopped::Interrupted, _) => {
                Verdict::of_all(scalars, Known::Unfinished, None, "it was interrupted")
            }
            (_, Some(likelihood)) => look(objective, &theta, likelihood.data),
            (_, None) => self.of_loss(&theta),
        };
        let result = Findings {
            unknowns: self.unknowns,
            start,
            theta,
            simulation_noise,
            likelihood: likelihood.map(|l| l.route),
            verdict,
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

/// What is known of a fit of a loss that is no likelihood.
impl Walk<'_, '_> {
    fn of_loss(&self, theta: &[f64]) -> Verdict {
        let places = scalar_places(&self.unknowns);
        let scalars: Vec<&Unknown> = self.unknowns.iter().filter(|u| u.is_scalar()).collect();
        let theta: Vec<f64> = places.iter().map(|i| theta[*i]).collect();
        let intervals: Vec<Interval> = scalars.iter().map(|u| u.interval).collect();
        let share = if self.descent.average > 0.0 { self.descent.average } else { LAST_PART };
        let rest = self.state.course.rest(share, &intervals, &theta);
        let (known, at_optimum) = match rest {
            Rest::Moved(..) | Rest::Pulled(_) => (Known::NotAtOptimum, Some(false)),
            Rest::Stood => (Known::NoLikelihood, Some(true)),
            Rest::Unclear => (Known::NoLikelihood, None),
        };
        let mut words = Vec::new();
        match rest {
            Rest::Moved(k, from, to) => words.push(format!(
                "not at its optimum: `{}` still moved, from {} to {} between the two halves of the last {:.0} % of the steps",
                scalars[k].name,
                with_precision(from, Some((to - from).abs())),
                with_precision(to, Some((to - from).abs())),
                100.0 * share
            )),
            Rest::Pulled(k) => words.push(format!(
                "not at its optimum: `{}` stands, but the loss still falls along it; the learning rate is too low, or fell too fast",
                scalars[k].name
            )),
            Rest::Stood | Rest::Unclear => {}
        }
        let mut known = vec![known; scalars.len()];
        let reached = self.unknowns.iter().zip(&self.reached);
        let missed: Vec<&str> = reached.filter(|(_, r)| !**r).map(|(u, _)| u.name.as_str()).collect();
        if !missed.is_empty() {
            words.push(format!("no gradient reached {}: it is where it started", listed(&missed)));
        }
        for (k, unknown) in scalars.iter().enumerate() {
            if missed.contains(&unknown.name.as_str()) {
                known[k] = Known::NotReached;
            } else if let Some(end) = end_of(unknown.interval, theta[k]) {
                words.push(format!("`{}` lies at the end {end} of its interval", unknown.name));
                known[k] = Known::AtEnd(end);
            }
        }
        // An end may be where a step too wide threw it: that is no rest.
        let thrown = known.iter().any(|k| matches!(k, Known::AtEnd(_)));
        let at_optimum = if thrown && at_optimum == Some(true) { None } else { at_optimum };
        let warns = !words.is_empty();
        if !warns {
            words.push(match rest {
                Rest::Stood => "at rest; error not known, since the loss is no likelihood".to_string(),
                _ if scalars.is_empty() => "error not known, since the loss is no likelihood".to_string(),
                _ => {
                    "error not known, since the loss is no likelihood; too few steps to tell rest".to_string()
                }
            });
        }
        Verdict { known, at_optimum, words: words.join("; "), warns, notes: Vec::new() }
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
