//! Runs fits for Python: those of a fit file's text with data in memory, and those of an objective made before.
//!
//! A fit runs on threads of its own; meanwhile Python sees its progress, and Ctrl-C ends it with what was found so far.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use glauber::data::tracks::MsdCurve;
use glauber::fit::fit_file::{FitFile, FitFileError, Given, Place};
use glauber::fit::job::{Job, JobError, prepare};
use glauber::optimize::fit_result::FitResult;
use glauber::optimize::multi_start::MultiStart;
use glauber::optimize::observer::{Observer, Plan};
use glauber::optimize::stopping::Stopped;
use glauber::optimize::trace::Record;
use glauber::tasks::tasks::initial_state::Refinement;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::{Flat, GivenField, array, reals};
use crate::errors::{engine_error, input_error, model_error, run_error};
use crate::model::Model;
use crate::running::run;
use crate::typing::{Anything, As, Floats, Table};

/// What a fit is made of, as Python gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct FitRequest<'py> {
    /// The text of a fit file, or nothing for the file at `path`.
    text: Option<String>,
    path: String,
    overrides: Vec<String>,
    model: Option<Bound<'py, Model>>,
    /// What that model reads per site, by name.
    covariates: Vec<(String, GivenField)>,
    /// Arrays of data: name, shape, flat numbers.
    arrays: Option<Vec<(String, Vec<usize>, Flat)>>,
    /// A mean squared displacement as CSV.
    curve: Option<String>,
    threads: Option<usize>,
}

impl FitRequest<'_> {
    /// The fit file, and how many threads it asks for: they are the module's, not the engine's own.
    pub fn read(self) -> PyResult<(FitFile, usize)> {
        let in_memory = self.text.is_some();
        let read = match &self.text {
            Some(text) => FitFile::parse(text, Path::new(&self.path), &self.overrides, Path::new("")),
            None => FitFile::load(Path::new(&self.path), &self.overrides),
        };
        let mut file = read.map_err(|e| file_error(e, in_memory))?;
        let arrays = self.arrays.map(|given| -> PyResult<_> {
            let named = given.into_iter().map(|(name, shape, flat)| Ok((name, array(shape, flat)?)));
            Ok(Arc::new(named.collect::<PyResult<Vec<_>>>()?))
        });
        let curve = self.curve.map(|text| MsdCurve::from_csv(&text, "the curve given").map_err(input_error));
        let model = self.model.as_ref().map(Bound::get);
        let covariates = model.map_or_else(|| Ok(Vec::new()), |m| m.fields_of_run(self.covariates))?;
        file.given = Given {
            model: model.map(|m| m.model.clone()),
            covariates,
            arrays: arrays.transpose()?,
            curve: curve.transpose()?,
        };
        let threads = self.threads.unwrap_or(file.run.threads as usize);
        file.run.threads = 0;
        Ok((file, threads))
    }
}

/// What is wrong with a fit file; without its place where Python wrote it.
fn file_error(error: FitFileError, in_memory: bool) -> PyErr {
    match error.place {
        Place::Set(_) => input_error(error),
        _ if in_memory => input_error(error.message),
        _ => input_error(error),
    }
}

/// What is wrong with a job.
pub fn job_error(error: JobError, in_memory: bool) -> PyErr {
    match error {
        JobError::File(e) => file_error(e, in_memory),
        JobError::Engine(e) => engine_error(e),
        JobError::Model(e) => model_error(e),
        other => input_error(other),
    }
}

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
struct Watcher<'a>(&'a Mutex<Progress>);

impl Observer for Watcher<'_> {
    fn begin(&mut self, plan: &Plan<'_>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.steps, seen.step) = (plan.steps, plan.first);
        seen.columns = plan.columns.to_vec();
    }
    fn step(&mut self, record: &Record, _theta: &[f64]) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

/// One fit of a job that has run.
struct Ran {
    name: String,
    comparison: bool,
    caveat: Option<String>,
    result: FitResult,
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
    let in_memory = request.text.is_some();
    let (file, threads) = request.read()?;
    let seen = Mutex::new(Progress::default());
    let done = run(
        py,
        threads,
        |stop| -> Result<_, Failure> {
            let mut job = prepare(&file).map_err(Failure::Job)?;
            let mut ran = Vec::new();
            for attempt in &mut job.attempts {
                seen.lock().unwrap_or_else(PoisonError::into_inner).attempt.clone_from(&attempt.name);
                let result = attempt
                    .run(Some(&mut Watcher(&seen)), Some(stop), None)
                    .map_err(|e| Failure::Fit(e.to_string()))?;
                let interrupted = result.stopped == Stopped::Interrupted;
                let (name, caveat) = (attempt.name.clone(), attempt.caveat.clone());
                ran.push(Ran { name, comparison: attempt.comparison, caveat, result });
                if interrupted {
                    break;
                }
            }
            job.attempts.clear();
            let state = state_of(&job, &ran, stop).map_err(Failure::Fit)?;
            Ok((job, ran, state))
        },
        |py| show(py, &seen, progress.as_ref()),
    )?;
    match (done.result, done.raised) {
        (Err(_), Some(raised)) => Err(raised),
        (Err(Failure::Job(e)), None) => Err(job_error(e, in_memory)),
        (Err(Failure::Fit(e)), None) => Err(run_error(e)),
        (Ok((job, ran, state)), raised) => {
            let all = summary(py, &ran)?;
            all.set_item("state", state.map(|s| s.numbers(py)))?;
            all.set_item("model", job.model.name())?;
            all.set_item("task", job.task.name())?;
            all.set_item("about", job.notes)?;
            all.set_item("data_notes", job.data_notes)?;
            all.set_item("truth", job.truth)?;
            Ok((As::of(all.into_any()), raised))
        }
    }
}

/// What a fit of an initial state is about: maps of probabilities, and the sites it most likely started from.
struct StartMap {
    fitted: Vec<f64>,
    refined: Option<Refinement>,
}

/// A refined map, the most likely sites of each layer, and whether anything was refined.
type RefinedTuple<'py> = (As<'py, Floats>, Vec<Vec<usize>>, bool);

impl StartMap {
    fn numbers(self, py: Python<'_>) -> (As<'_, Floats>, Option<RefinedTuple<'_>>) {
        let refined = self.refined.map(|r| (reals(py, r.map.concat()), r.most_likely, r.refined));
        (reals(py, self.fitted), refined)
    }
}

/// The maps of a fitted initial state; the refined one only where nobody has stopped the fit.
fn state_of(job: &Job, ran: &[Ran], stop: &AtomicBool) -> Result<Option<StartMap>, String> {
    let (Some(state), Some(first)) = (&job.state, ran.first()) else { return Ok(None) };
    let theta = &first.result.theta;
    let stopped = stop.load(Ordering::Relaxed) || first.result.stopped == Stopped::Interrupted;
    let refined = (!stopped).then(|| state.refined(theta)).transpose().map_err(|e| e.to_string())?;
    Ok(Some(StartMap { fitted: state.probabilities(theta), refined }))
}

/// Why there is no fit.
enum Failure {
    Job(JobError),
    Fit(String),
}

/// All attempts, and which is best.
fn summary<'py>(py: Python<'py>, ran: &[Ran]) -> PyResult<Bound<'py, PyDict>> {
    let own: Vec<FitResult> = ran.iter().filter(|r| !r.comparison).map(|r| r.result.clone()).collect();
    let best = MultiStart::choose(own).map_or(0, |m| m.best);
    let all = PyDict::new(py);
    all.set_item("best", best)?;
    let list = PyList::empty(py);
    for one in ran {
        list.append(attempt(py, one)?)?;
    }
    all.set_item("attempts", list)?;
    Ok(all)
}

fn attempt<'py>(py: Python<'py>, ran: &Ran) -> PyResult<Bound<'py, PyDict>> {
    let r = &ran.result;
    let out = PyDict::new(py);
    out.set_item("name", &ran.name)?;
    out.set_item("comparison", ran.comparison)?;
    out.set_item("caveat", &ran.caveat)?;
    let estimates: Vec<_> = r
        .estimates
        .iter()
        .map(|e| (e.name.clone(), e.value, e.start, e.standard_error, e.monte_carlo_error))
        .collect();
    out.set_item("estimates", estimates)?;
    let fields = PyList::empty(py);
    for field in &r.fields {
        let values = r.values(&field.name).unwrap_or_default().to_vec();
        fields.append((&field.name, field.shape.clone(), reals(py, values)))?;
    }
    out.set_item("fields", fields)?;
    out.set_item("loss", r.loss)?;
    out.set_item("smoothed_loss", r.smoothed_loss())?;
    out.set_item("steps", r.steps)?;
    out.set_item("stopped", r.stopped.word())?;
    out.set_item("stopped_because", r.stopped.to_string())?;
    out.set_item("seed", r.seed)?;
    out.set_item("notes", &r.notes)?;
    out.set_item("columns", &r.trace.columns)?;
    let rows: Vec<f64> =
        r.trace.records.iter().flat_map(|record| record.numbers().collect::<Vec<_>>()).collect();
    out.set_item("trace", reals(py, rows))?;
    Ok(out)
}
