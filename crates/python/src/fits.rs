//! Runs fits for Python: those of a fit file, and those of tables and data in memory.
//!
//! A fit runs on threads of its own; meanwhile Python sees its progress, and Ctrl-C ends it with what was found so far.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use glauber::fit::job::{RunError, prepare};
use glauber::fit::outcome::{FolderSink, Outcome, Unkept};
use glauber::optimize::observer::{FitPlan, Observer};
use glauber::optimize::trace::Record;
use pyo3::prelude::*;

use crate::errors::{input_error, run_error};
use crate::fit_outcome::numbers;
use crate::fit_request::{FitRequest, Words};
use crate::running::run;
use crate::typing::{Anything, As, Table};
use crate::workers::Crew;

/// How far a fit is: attempt, step, steps, loss, names and values of the parameters.
#[derive(Clone, Default)]
struct Progress {
    attempt: String,
    step: u64,
    steps: u64,
    loss: f64,
    columns: Vec<String>,
    parameters: Vec<f64>,
}

/// Writes down how far the fit is.
struct Watcher<'a> {
    seen: &'a Mutex<Progress>,
    attempt: String,
}

impl Observer for Watcher<'_> {
    fn begin(&mut self, plan: &FitPlan<'_>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.steps, seen.step) = (plan.steps, plan.first);
        seen.columns = plan.columns.to_vec();
        seen.attempt.clone_from(&self.attempt);
    }
    fn step(&mut self, record: &Record, _theta: &[f64]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.step, seen.loss) = (record.step, record.loss);
        seen.parameters.clone_from(&record.parameters);
    }
}

fn show(py: Python<'_>, seen: &Mutex<Progress>, callback: Option<&Py<PyAny>>) -> PyResult<()> {
    let Some(callback) = callback else { return Ok(()) };
    let p = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if p.parameters.is_empty() {
        return Ok(());
    }
    callback.call1(py, (p.attempt, p.step, p.steps, p.loss, p.columns, p.parameters))?;
    Ok(())
}

/// Runs the fits of a fit file: a dictionary, and what Python raised meanwhile.
#[pyfunction]
#[pyo3(signature = (request, progress))]
pub fn fit_file<'py>(
    py: Python<'py>,
    request: FitRequest<'py>,
    progress: Option<As<'py, Anything>>,
) -> PyResult<(As<'py, Table>, Option<PyErr>)> {
    let progress = progress.map(|p| p.clone().unbind());
    let words = request.words();
    let crew = request.crew.clone();
    let crew = crew.as_ref().map(Bound::get);
    let checkpoint = request.checkpoint.clone();
    let checkpoint = checkpoint.as_deref().map(Path::new);
    if let Some(folder) = checkpoint {
        let failed = |e| input_error(format!("checkpoint={}: {e}", folder.display()));
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let pieces = request.pieces();
    let (file, threads) = request.read_with(pieces.clone())?;
    let every = file.run.checkpoint_every;
    let seen = Mutex::new(Progress::default());
    let heard = Mutex::new(Vec::new());
    let work = |stop: &_| -> Result<Outcome, RunError> {
        Crew::until(crew, stop, || {
            let mut job = prepare(&file)?;
            heard.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&job.problem.data_notes);
            let mut watch = |name: &str| {
                Box::new(Watcher { seen: &seen, attempt: name.to_string() }) as Box<dyn Observer>
            };
            match checkpoint {
                None => job.run(&mut watch, &Unkept, stop),
                Some(folder) => {
                    let layer = job.problem.model.declarations().layers.first().cloned();
                    let several = job.attempts.len() > 1;
                    let sink = FolderSink::new(folder, every, true, layer.as_ref(), several);
                    let names = job.attempts.iter().map(|attempt| attempt.name.as_str());
                    sink.check_resumed(names).map_err(RunError::Piece)?;
                    let outcome = job.run(&mut watch, &sink, stop)?;
                    if !outcome.interrupted {
                        sink.remove_checkpoints(&outcome.fits);
                    }
                    Ok(outcome)
                }
            }
        })
    };
    let done = run(py, threads, work, |py| show(py, &seen, progress.as_ref()))?;
    if let Some(error) = pieces.and_then(|pieces| pieces.raised()) {
        return Err(error);
    }
    if done.raised.is_none() {
        // The last step that there was, which nobody may have been shown.
        show(py, &seen, progress.as_ref())?;
    }
    let usable = done.result.map_err(|e| failed(e, words)).and_then(|outcome| usable(outcome, words));
    let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (usable.map_err(|error| words.noted(error, &heard)), done.raised) {
        (Err(_), Some(raised)) => Err(raised),
        (Err(error), None) => Err(error),
        (Ok(outcome), raised) => Ok((numbers(py, outcome, words)?, raised)),
    }
}

/// Why fits have no outcome.
pub fn failed(error: RunError, words: Words) -> PyErr {
    match error {
        RunError::Setup(error) => words.job_error(error),
        other => run_error(words.say(&other.to_string())),
    }
}

/// The outcome, where there is an estimate and all that was asked for.
fn usable(outcome: Outcome, words: Words) -> PyResult<Outcome> {
    let failure = outcome.fits.iter().find_map(|fit| fit.formation.as_ref()?.failure.clone());
    if let Some(failure) = failure {
        return Err(run_error(words.say(&failure)));
    }
    if outcome.diverged() {
        let best = outcome.best();
        return Err(run_error(words.say(&format!("{} ({})", best.result.verdict, best.name))));
    }
    Ok(outcome)
}
