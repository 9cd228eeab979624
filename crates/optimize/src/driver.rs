//! Drives a fit, by gradients or by a search: one step after the other, and what was found at the end.
//!
//! Each step: keep a checkpoint where one is due; let the stepper look; record; stop if a rule says so; let it step. What
//! the steps are, the [`Stepper`] knows; checkpoints, traces, averages, stopping and verdicts are made here, once.

use std::collections::BTreeMap;

use crate::averaging::Average;
use crate::checkpoint::{FitState, Identity};
use crate::control::{Control, FitError};
use crate::curvature::look;
use crate::ended::Ended;
use crate::fit_result::{Findings, FitResult};
use crate::keeper::Keeper;
use crate::maps::{Map, Maps};
use crate::objective::{Objective, ObjectiveError, Surroundings, Unknown};
use crate::observer::FitPlan;
use crate::resting::{LAST_PART, verdict_of_loss};
use crate::stepper::{Divergence, Ground, Look, Seen, Stepper, natural, scalar_places};
use crate::stopping::{Stopped, StoppingRules};
use crate::trace::{Record, Trace, parameters_of};
use crate::verdict::{Known, Verdict, end_of, listed};

/// What every fit is told, whatever proposes its steps.
pub(crate) struct Rules<'s> {
    pub maps: &'s BTreeMap<String, Map>,
    pub stopping: StoppingRules,
    /// The share of the steps, at the end, over which θ is averaged.
    pub average: f64,
    pub trace_every: u64,
    pub seed: u64,
}

impl Rules<'_> {
    /// What is wrong with them, in words.
    pub(crate) fn fault(&self) -> Option<String> {
        self.stopping.fault().or_else(|| match () {
            () if !(0.0..=1.0).contains(&self.average) => {
                Some(format!("the averaged share of the steps is {}, but must be in [0, 1]", self.average))
            }
            () if self.trace_every == 0 => {
                Some("the trace keeps every 0th step, but must keep at least every 1st".into())
            }
            () => None,
        })
    }
}

/// How the steps ended: why, and the loss at the last evaluation.
struct End {
    stopped: Stopped,
    loss: f64,
}

/// A fit under way.
struct Driver<'s, 'c> {
    rules: &'s Rules<'s>,
    stepper: &'s mut dyn Stepper,
    keeper: Keeper,
    state: FitState,
    control: Control<'c>,
    notes: Vec<String>,
}

/// Runs a fit from a start (natural units, as long as θ). `identity` says what its course depends on, given the maps.
///
/// # Errors
/// [`FitError`] where the start or a checkpoint is wrong, or the objective fails.
pub(crate) fn drive(
    rules: &Rules<'_>,
    stepper: &mut dyn Stepper,
    identity: impl FnOnce(&Maps, &Identity) -> Identity,
    objective: &mut dyn Objective,
    start: &[f64],
    mut control: Control<'_>,
) -> Result<FitResult, FitError> {
    let unknowns = objective.unknowns().to_vec();
    let maps = Maps::new(&unknowns, rules.maps)?;
    let (free, notes) = maps.start(start)?;
    let mut ground = Ground { objective, unknowns: &unknowns, maps: &maps };
    let mut state = FitState::at(free, Trace::of(&unknowns));
    if rules.average > 0.0 {
        state.average = Average::new(state.free.len(), scalar_places(&unknowns));
    }
    stepper.begin(&mut state, &ground)?;
    let identity = identity(&maps, &control.identity);
    let keeper = Keeper::new(control.checkpoint.take(), identity);
    let mut driver = Driver { rules, stepper, keeper, state, control, notes };
    driver.begin(&unknowns)?;
    let end = driver.take_steps(&mut ground)?;
    driver.finish(&mut ground, start, end)
}

impl Driver<'_, '_> {
    /// Takes the state from a checkpoint, where one is kept and is to be resumed, and tells the observer.
    fn begin(&mut self, unknowns: &[Unknown]) -> Result<(), FitError> {
        let steps = self.rules.stopping.steps;
        let most_records = (steps / self.rules.trace_every).saturating_add(2);
        let begun = self.state.free.clone();
        let blank = std::mem::replace(&mut self.state, FitState::at(Vec::new(), Trace::default()));
        self.state = self.keeper.resume(blank, most_records)?;
        self.stepper.go_on(&begun, &self.state, unknowns);
        if let Some(observer) = &mut self.control.observer {
            let (columns, earlier) = (&self.state.trace.columns, &self.state.trace.records[..]);
            observer.begin(&FitPlan { unknowns, columns, first: self.state.step, earlier, steps });
        }
        Ok(())
    }

    fn take_steps(&mut self, ground: &mut Ground<'_>) -> Result<End, FitError> {
        let steps = self.rules.stopping.steps;
        // The first step from which θ is averaged.
        let averaged_from = steps - ((steps as f64 * self.rules.average) as u64).min(steps);
        loop {
            let step = self.state.step;
            let refused = self.keeper.keep_if_due(&self.state);
            self.control.notice(refused);
            if step >= steps && !self.stepper.looks_after_the_last() {
                self.keep();
                return Ok(End { stopped: Stopped::Steps, loss: self.last_loss() });
            }
            if self.control.is_interrupted() {
                return self.interrupted();
            }
            let interrupt = self.control.interrupt;
            let stop = || interrupt.is_some_and(|flag| flag.load(std::sync::atomic::Ordering::Relaxed));
            let seen = match self.stepper.look(&mut self.state, ground, &stop)? {
                Look::Seen(seen) => seen,
                Look::Again => continue,
                Look::Interrupted => return self.interrupted(),
                Look::Diverged(why) => return Ok(self.diverged(why, f64::NAN)),
            };
            let Seen { theta, loss, gradient_norm, rate, change, course, fault } = seen;
            let record = {
                let theta = theta.as_deref().unwrap_or(&self.state.free);
                let parameters = parameters_of(ground.unknowns, theta);
                let record = Record { step, loss, gradient_norm, rate, parameters };
                if let Some(observer) = &mut self.control.observer {
                    observer.step(&record, theta);
                }
                record
            };
            let (stopping, verdict) = self.rules.stopping.observe(self.state.stopping, loss, change);
            let verdict = verdict.or((step >= steps).then_some(Stopped::Steps));
            let ends = fault.is_some() || verdict.is_some();
            if ends {
                // The state is still the one before this evaluation, so a resume from here repeats it and ends too.
                self.keep();
            }
            if self.rules.average > 0.0 && step > averaged_from {
                let FitState { average, free, .. } = &mut self.state;
                average.add(theta.as_deref().unwrap_or(free));
            }
            if fault.is_none() {
                let scalars = ground.unknowns.iter().filter(|unknown| unknown.is_scalar());
                let at_end: Vec<bool> =
                    scalars.zip(&course.0).map(|(u, x)| end_of(u.interval, *x).is_some()).collect();
                self.state.course.add(&course.0, &course.1, &at_end);
            }
            if ends || step.is_multiple_of(self.rules.trace_every) {
                self.state.trace.records.push(record);
            }
            match (fault, verdict) {
                (Some(why), _) => return Ok(self.diverged(why, loss)),
                (None, Some(stopped)) => return Ok(End { stopped, loss }),
                (None, None) => {}
            }
            self.state.stopping = stopping;
            self.stepper.step(&mut self.state, ground.maps, theta);
            self.state.step += 1;
        }
    }

    fn keep(&mut self) {
        let refused = self.keeper.keep(&self.state);
        self.control.notice(refused);
    }

    fn last_loss(&self) -> f64 {
        self.state.trace.records.last().map_or(f64::NAN, |record| record.loss)
    }

    fn interrupted(&mut self) -> Result<End, FitError> {
        self.keeper.save(&self.state)?;
        Ok(End { stopped: Stopped::Interrupted, loss: self.last_loss() })
    }

    fn diverged(&self, Divergence { what, advice }: Divergence, loss: f64) -> End {
        End { stopped: Stopped::Diverged { step: self.state.step, what, advice }, loss }
    }

    fn finish(mut self, ground: &mut Ground<'_>, start: &[f64], end: End) -> Result<FitResult, FitError> {
        let End { stopped, mut loss } = end;
        let converged =
            matches!(stopped, Stopped::Steps | Stopped::Tolerance { .. } | Stopped::Plateau { .. });
        let free = self.stepper.answer(&mut self.state);
        let mut theta = natural(ground.maps, &free).unwrap_or(free);
        if converged {
            self.stepper.refuse_unfitted(&self.state, ground.unknowns)?;
        }
        let likelihood = ground.objective.likelihood();
        let step = self.state.step;
        let mut simulation_noise = None;
        let mut unseen = self.stepper.unseen_answer(&self.state).map(|iteration| (step, iteration));
        if converged && self.rules.average > 0.0 {
            if let Some(mean) = self.state.average.mean() {
                theta = mean;
                // A likelihood has none.
                let noise = if likelihood.is_none() { self.state.average.error() } else { None };
                simulation_noise = noise.map(|noise| noise.into_iter().map(Some).collect::<Vec<_>>());
                unseen = Some((step + 1, step + 1));
            } else {
                self.notes.push(
                    "the fit ended before the part that was to be averaged: the last step is given".into(),
                );
            }
        }
        if let (true, Some((step, iteration))) = (converged, unseen) {
            // Where it is told to stop, the answer is known; only its loss is not.
            loss = ground.value(&theta, step, iteration)?.unwrap_or(loss);
        }
        let interrupt = self.control.interrupt;
        let stop = || interrupt.is_some_and(|flag| flag.load(std::sync::atomic::Ordering::Relaxed));
        let around = if converged { ground.objective.surroundings(&theta, &stop) } else { None };
        let mut seen = None;
        let around = match around {
            None => None,
            // Who stops it while it looks around has its estimate, without more.
            Some(Err(ObjectiveError::Interrupted)) => {
                seen = Some(Verdict::of_all(theta.len(), Known::Unfinished, None, "it was interrupted"));
                None
            }
            Some(found) => Some(found.map_err(|e| ground.failed_at(self.state.step, &theta, e))?),
        };
        if let Some(Surroundings { theta: own, simulation_noise: noise, verdict, loss: own_loss }) = around {
            let noise = noise.into_iter().map(Some).collect();
            (theta, loss, simulation_noise, seen) = (own, own_loss, Some(noise), Some(verdict));
        }
        self.notes.extend(self.keeper.note());
        let scalars = scalar_places(ground.unknowns).len();
        let verdict = match (&stopped, likelihood) {
            (Stopped::Diverged { .. }, _) => {
                Verdict::of_all(scalars, Known::Diverged, None, format!("no estimate: it {stopped}"))
            }
            (Stopped::Interrupted, _) => {
                Verdict::of_all(scalars, Known::Unfinished, None, "it was interrupted")
            }
            (_, Some(_)) if seen.is_some() => {
                seen.unwrap_or_else(|| Verdict::of_all(0, Known::NotComputed, None, ""))
            }
            (_, Some(likelihood)) => look(ground.objective, &theta, likelihood.data),
            (_, None) => {
                let share = if self.rules.average > 0.0 { self.rules.average } else { LAST_PART };
                let places = scalar_places(ground.unknowns);
                let scalars: Vec<f64> = places.iter().map(|i| theta[*i]).collect();
                let losses: Vec<f64> = self.state.trace.records.iter().map(|record| record.loss).collect();
                let lowest_at_rest = ground.objective.is_lowest_at_rest();
                let maps = ground.maps.of_scalars();
                let course = &self.state.course;
                let ended =
                    Ended { course, share, maps: &maps, theta: &scalars, losses: &losses, lowest_at_rest };
                let ended = self.stepper.shows_rest().then_some(ended);
                let mut verdict =
                    verdict_of_loss(ground.unknowns, &scalars, ended.as_ref(), self.stepper.reached());
                if ended.is_none() && stopped == Stopped::Steps {
                    // A search that comes to rest ends by its tolerance; one of a noisy loss has none.
                    let steps = self.state.step;
                    verdict.words = format!(
                        "whether the search was at rest after its {steps} steps is not known: take more, and compare; {}",
                        verdict.words
                    );
                    verdict.warns = true;
                }
                if let Some(noise) = &mut simulation_noise {
                    let swings = ended.as_ref().is_some_and(Ended::swings);
                    let shrinks = self.stepper.shrinks();
                    self.notes.extend(withheld(noise, &scalars, swings, shrinks, &verdict, ground.unknowns));
                }
                verdict
            }
        };
        let result = Findings {
            unknowns: ground.unknowns.to_vec(),
            start,
            theta,
            simulation_noise,
            likelihood: likelihood.map(|l| l.route),
            verdict,
            loss,
            steps: self.state.step,
            stopped,
            seed: self.rules.seed,
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

/// Withholds what is no noise of the simulation: the spread of a mean of steps that swing, that shrink, or that stand. Says
/// so where nothing else does.
fn withheld(
    noise: &mut [Option<f64>],
    theta: &[f64],
    swings: bool,
    shrinks: bool,
    verdict: &Verdict,
    unknowns: &[Unknown],
) -> Option<String> {
    /// The least noise of a mean, beside its size, that is more than rounding.
    const ROUNDING: f64 = 1e-15;
    let scalars = unknowns.iter().filter(|unknown| unknown.is_scalar());
    let mut shrunk = Vec::new();
    for (k, unknown) in scalars.enumerate() {
        let Some(own) = noise.get_mut(k) else { break };
        let nothing_pulls = matches!(verdict.known.get(k), Some(Known::NotReached | Known::NotDetermined(_)));
        let is_reached = !nothing_pulls;
        let stands = own.is_some_and(|noise| noise <= ROUNDING * theta[k].abs());
        if swings || shrinks || stands || !is_reached {
            *own = None;
        }
        if is_reached && !swings && (shrinks || stands) {
            shrunk.push(unknown.name.as_str());
        }
    }
    (!shrunk.is_empty())
        .then(|| format!("the simulation's noise in {} is not known: the steps shrank", listed(&shrunk)))
}
