//! Runs all fits of a job, one after the other, and gathers what they came to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use glauber_inference::posterior::PosteriorError;
use glauber_optimize::checkpoint::CheckpointPolicy;
use glauber_optimize::descent::FitError;
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::observer::{FitPlan, Observer};
use glauber_optimize::stopping::Stopped;
use glauber_optimize::trace::Record;
use glauber_tasks::formation::FormationTest;
use glauber_tasks::tasks::initial_state::{InitialStateError, Misfit};

use super::watch::Look;
use super::{Attempt, Job, errors};
use crate::error::JobError;
use crate::inference::draw;
use crate::outcome::{Curves, Fit, FormationTests, Outcome, Sink, StartMap};

/// Why a job has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The formation test that was asked for cannot be made.
    #[error(transparent)]
    Setup(#[from] JobError),
    /// A fit failed.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The posterior could not be drawn from.
    #[error("the fit ended, but its posterior could not be drawn from: {0}")]
    Posterior(#[from] PosteriorError),
    /// A piece of it was interrupted.
    #[error("it was interrupted")]
    Interrupted,
    /// A piece of it could not be done.
    #[error("{0}")]
    Piece(String),
    /// The map of starting sites could not be refined.
    #[error(transparent)]
    Start(#[from] InitialStateError),
}

impl Job {
    /// Runs all fits. `observer` gives who watches the fit of a name; `sink` keeps checkpoints and tests on the way.
    ///
    /// Where the flag is raised the rest is left out: the outcome says that it was interrupted, with what was found so far.
    ///
    /// # Errors
    /// [`RunError`] where a fit failed; divergence is no error, but what the outcome says.
    pub fn run<'w>(
        &mut self,
        observer: &mut dyn FnMut(&str) -> Box<dyn Observer + 'w>,
        sink: &dyn Sink,
        interrupt: &AtomicBool,
    ) -> Result<Outcome, RunError> {
        let begin = Instant::now();
        let test = self.problem.formation_test()?;
        let every = self.problem.file.run.formation_test.map_or(1, |wanted| wanted.every);
        let mut fits = Vec::new();
        let elsewhere = self.fitted_elsewhere(sink, interrupt);
        for (number, attempt) in self.attempts.iter_mut().enumerate() {
            let mut inner = observer(&attempt.name);
            let mut watch = attempt.watch.take();
            let mut look = Look::new(&mut *inner, watch.as_mut(), interrupt);
            let (mut result, formation) = match &test {
                None => {
                    let kept = elsewhere.of(number);
                    (run_attempt(attempt, &mut look, sink, interrupt, kept)?, None)
                }
                Some(test) => {
                    let mut tests = FormationWatch::new(&mut look, test, every, interrupt, sink, attempt);
                    let result = run_attempt(attempt, &mut tests, sink, interrupt, None)?;
                    (result, Some(tests.finish()))
                }
            };
            let on_the_way = look.finish();
            errors::sandwich(&self.problem, &mut result)?;
            errors::resample(&self.problem, &mut result, interrupt)?;
            let interrupted = result.stopped == Stopped::Interrupted;
            if let Some(words) = attempt.first.as_ref().filter(|_| !interrupted) {
                result.verdict = format!("{words}; {}", result.verdict);
            }
            if let Some(watch) = watch.as_mut().filter(|_| !interrupted) {
                watch.tell(&attempt.start, &mut result, on_the_way);
            }
            fits.push(Fit {
                name: attempt.name.clone(),
                comparison: attempt.comparison,
                caveat: attempt.caveat.clone(),
                start: attempt.start.clone(),
                result,
                formation,
            });
            if interrupted {
                break;
            }
        }
        let best = self.best(&fits, Some(interrupt));
        let stopped = || interrupt.load(Ordering::Relaxed);
        let interrupted = stopped() || fits.iter().any(|fit| fit.result.stopped == Stopped::Interrupted);
        let theta = &fits[best.number].result.theta;
        let diverged = matches!(fits[best.number].result.stopped, Stopped::Diverged { .. });
        let start = if diverged { None } else { self.start_map(theta, interrupted)? };
        let misfit = start.as_ref().and_then(|map| map.refined.as_ref()?.misfit);
        if misfit.is_some() {
            let result = &mut fits[best.number].result;
            result.verdict =
                format!("the start that was found does not become what was observed; {}", result.verdict);
        }
        let curves = if diverged || interrupted { None } else { self.curves_of(&fits[best.number]) };
        let posterior = match &self.posterior {
            Some((inference, density)) if !interrupted => {
                match draw(density, inference.settings, inference.about(), interrupt, &|_, _| {}) {
                    Ok(drawn) => Some(drawn),
                    Err(PosteriorError::Interrupted) => None,
                    Err(other) => return Err(other.into()),
                }
            }
            _ => None,
        };
        let interrupted = interrupted || stopped();
        let problem = &self.problem;
        Ok(Outcome {
            posterior,
            model: problem.model.name().to_string(),
            update: problem.model.update().name().to_string(),
            layers: problem.model.declarations().layers.iter().map(|layer| layer.name.clone()).collect(),
            layer: problem.model.declarations().layers.first().cloned(),
            task: problem.task,
            seed: problem.file.run.seed,
            truth: problem.truth.clone(),
            notes: self.notes.iter().cloned().chain(misfit.map(said_of_misfit)).collect(),
            data_notes: problem.data_notes.clone(),
            fit_file: problem
                .file
                .given
                .is_empty()
                .then(|| problem.file.to_toml().map_err(|e| e.to_string())),
            best,
            start,
            curves,
            fits,
            interrupted,
            seconds: begin.elapsed().as_secs_f64(),
        })
    }

    /// The maps of a fitted initial state; the refined one only where nobody has stopped the fit.
    fn start_map(&self, theta: &[f64], interrupted: bool) -> Result<Option<StartMap>, RunError> {
        let Some(state) = &self.state else { return Ok(None) };
        let refined = (!interrupted).then(|| state.refined(theta)).transpose()?;
        let declarations = self.problem.model.declarations();
        Ok(Some(StartMap {
            layers: declarations.layers.iter().map(|layer| layer.name.clone()).collect(),
            shape: declarations.lattice.shape().to_vec(),
            fitted: state.probabilities(theta),
            refined,
            truth: state.truth.clone(),
        }))
    }

    /// The summary of the data, at a fit's start and at its end; or why there is none.
    fn curves_of(&self, fit: &Fit) -> Option<Result<Curves, String>> {
        self.problem.curves(&[&fit.start, &fit.result.theta]).map_err(|e| e.to_string()).transpose()
    }
}

/// That what was observed did not come from the start that was found, in words.
fn said_of_misfit(misfit: Misfit) -> String {
    let Misfit { unseen, observed, usual, replicates, trials } = misfit;
    format!(
        "{unseen} of {observed} observed sites are in a state that they have in none of {replicates} rollouts from the most likely \
         start; of {trials} lattices that the model makes from it none has more than {usual} such sites. So the start was not \
         found, or the data are not of this model with these parameters: the probabilities mean nothing then"
    )
}

fn run_attempt(
    attempt: &mut Attempt,
    observer: &mut dyn Observer,
    sink: &dyn Sink,
    interrupt: &AtomicBool,
    kept: Option<CheckpointPolicy>,
) -> Result<FitResult, FitError> {
    if let Some(kept) = kept {
        return attempt.run(Some(observer), Some(interrupt), Some(kept));
    }
    let name = attempt.file_name();
    match attempt.run(Some(&mut *observer), Some(interrupt), sink.checkpoint(&name)) {
        Err(FitError::Checkpoint(_)) if sink.begins_anew(&name) => {
            attempt.run(Some(observer), Some(interrupt), sink.checkpoint(&name))
        }
        other => other,
    }
}

/// An observer around another that tests at the start, every so many steps, and at the end.
struct FormationWatch<'a> {
    inner: &'a mut dyn Observer,
    test: &'a FormationTest,
    every: u64,
    interrupt: &'a AtomicBool,
    sink: &'a dyn Sink,
    attempt: String,
    last: u64,
    found: FormationTests,
}

impl<'a> FormationWatch<'a> {
    fn new(
        inner: &'a mut dyn Observer,
        test: &'a FormationTest,
        every: u64,
        interrupt: &'a AtomicBool,
        sink: &'a dyn Sink,
        attempt: &Attempt,
    ) -> FormationWatch<'a> {
        let (attempt, found) = (attempt.file_name(), FormationTests::of(test));
        FormationWatch { inner, test, every, interrupt, sink, attempt, last: 0, found }
    }

    fn finish(mut self) -> FormationTests {
        self.found.claim = self.test.claim(&self.found.tests);
        self.found
    }

    fn run_test(&mut self, step: u64, theta: &[f64]) {
        let stopped = || self.interrupt.load(Ordering::Relaxed);
        let done = self.found.tests.last().is_some_and(|test| test.step >= step);
        if stopped() || done || self.found.failure.is_some() {
            return;
        }
        let begin = Instant::now();
        match self.test.run(theta, step, Some(self.interrupt)) {
            Ok(formation) => {
                self.found.tests.push(formation);
                self.found.seconds += begin.elapsed().as_secs_f64();
                if let Err(error) = self.sink.keep_tests(&self.attempt, &self.found) {
                    self.inner.notice(&format!("the formation test could not be kept: {error}"));
                    self.found.unwritten = Some(error);
                }
            }
            // The fit itself stops before its next step.
            Err(_) if stopped() => {}
            Err(error) => self.found.failure = Some(format!("formation test at step {step}: {error}")),
        }
    }
}

impl Observer for FormationWatch<'_> {
    fn begin(&mut self, plan: &FitPlan<'_>) {
        self.last = plan.steps;
        self.found.tests = self.sink.earlier_tests(&self.attempt, self.test, self.every, plan.first);
        self.inner.begin(plan);
    }

    fn step(&mut self, record: &Record, theta: &[f64]) {
        self.inner.step(record, theta);
        if record.step.is_multiple_of(self.every) || record.step == self.last {
            self.run_test(record.step, theta);
        }
    }

    fn notice(&mut self, words: &str) {
        self.inner.notice(words);
    }

    fn end(&mut self, result: &FitResult) {
        self.run_test(result.steps, &result.theta);
        self.inner.end(result);
    }
}
