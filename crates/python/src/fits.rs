//! Runs fits for Python: those of a fit file, and those of tables and data in memory.
//!
//! A fit runs on threads of its own; meanwhile Python sees its progress, and Ctrl-C ends it with what was found so far.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use glauber::data::tracks::{MsdCurve, MsdPoint, TableColumn, TableValues};
use glauber::fit::fit_file::{FitFile, FitFileError, Given, Place, Task};
use glauber::fit::job::{Best, Curves, Job, JobError, prepare, trajectory_curves};
use glauber::optimize::fit_result::FitResult;
use glauber::optimize::observer::{FitPlan, Observer};
use glauber::optimize::stopping::Stopped;
use glauber::optimize::trace::Record;
use glauber::tasks::formation::Formation;
use glauber::tasks::tasks::initial_state::Refinement;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::{Flat, GivenField, array, doubles, reals};
use crate::errors::{engine_error, input_error, model_error, run_error};
use crate::formation::{Tested, Tests};
use crate::model::Model;
use crate::running::run;
use crate::typing::{Anything, As, Floats, Table};
use crate::values;

/// A column of tracks as Python gives it.
type GivenColumn<'py> = (String, Option<As<'py, Floats>>, Option<Vec<String>>);
/// A curve as Python gives it.
type GivenCurve<'py> = (Option<f64>, Vec<u32>, As<'py, Floats>, Option<As<'py, Floats>>);

fn column((name, numbers, texts): GivenColumn<'_>) -> PyResult<TableColumn> {
    let values = match numbers {
        Some(numbers) => TableValues::Numbers(doubles(&numbers)?),
        None => TableValues::Texts(texts.unwrap_or_default()),
    };
    Ok(TableColumn { name, values })
}

fn curve((interval, lags, values, errors): GivenCurve<'_>) -> PyResult<MsdCurve> {
    let values = doubles(&values)?;
    let errors = errors.map(|e| doubles(&e)).transpose()?;
    let point = |(place, (lag, value)): (usize, (u32, f64))| MsdPoint {
        lag,
        value,
        standard_error: errors.as_ref().and_then(|e| e.get(place).copied()),
        sub_tracks: None,
    };
    let points = lags.into_iter().zip(values).enumerate().map(point).collect();
    MsdCurve::of_points(interval, points, "the curve given").map_err(input_error)
}

/// What a fit is made of, as Python gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct FitRequest<'py> {
    /// The tables of a fit file, or nothing for the file at `path`.
    tables: Option<As<'py, Table>>,
    path: String,
    /// Values in place of a file's, each under `table.key`.
    overrides: Vec<(String, As<'py, Anything>)>,
    model: Option<Bound<'py, Model>>,
    /// What that model reads per site, by name.
    covariates: Vec<(String, GivenField)>,
    /// Arrays of data: name, shape, flat numbers.
    arrays: Option<Vec<(String, Vec<usize>, Flat)>>,
    /// The columns of a table of tracks: name, and numbers or texts.
    tracks: Option<Vec<GivenColumn<'py>>>,
    /// A mean squared displacement: time of one lag, lags, values, standard errors.
    curve: Option<GivenCurve<'py>>,
    threads: Option<usize>,
}

impl FitRequest<'_> {
    /// The fit file, and how many threads it asks for: they are the module's, not the engine's own.
    pub fn read(self) -> PyResult<(FitFile, usize)> {
        let in_memory = self.tables.is_some();
        let read = match &self.tables {
            Some(tables) => {
                FitFile::from_tables(values::tables(tables)?, Path::new(&self.path), Path::new(""))
            }
            None => {
                let value = |(key, own): &(String, As<'_, Anything>)| Ok((key.clone(), values::value(own)?));
                let overrides: PyResult<Vec<_>> = self.overrides.iter().map(value).collect();
                FitFile::load_with(Path::new(&self.path), &overrides?)
            }
        };
        let mut file = read.map_err(|e| file_error(e, in_memory))?;
        let arrays = self.arrays.map(|given| -> PyResult<_> {
            let named = given.into_iter().map(|(name, shape, flat)| Ok((name, array(shape, flat)?)));
            Ok(Arc::new(named.collect::<PyResult<Vec<_>>>()?))
        });
        let tracks = self.tracks.map(|table| -> PyResult<_> {
            Ok(Arc::new(table.into_iter().map(column).collect::<PyResult<Vec<_>>>()?))
        });
        let model = self.model.as_ref().map(Bound::get);
        let covariates = model.map_or_else(|| Ok(Vec::new()), |m| m.fields_of_run(self.covariates))?;
        file.given = Given {
            model: model.map(|m| m.model.clone()),
            covariates,
            arrays: arrays.transpose()?,
            tracks: tracks.transpose()?,
            curve: self.curve.map(curve).transpose()?,
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
    fn begin(&mut self, plan: &FitPlan<'_>) {
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
    start: Vec<f64>,
    result: FitResult,
    formations: Vec<Formation>,
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
    let in_memory = request.tables.is_some();
    let (file, threads) = request.read()?;
    let seen = Mutex::new(Progress::default());
    let done = run(
        py,
        threads,
        |stop| -> Result<_, Failure> {
            let mut job = prepare(&file).map_err(Failure::Job)?;
            let tests = Tests::of(&file, &job).map_err(Failure::Job)?;
            let mut ran = Vec::new();
            for attempt in &mut job.attempts {
                seen.lock().unwrap_or_else(PoisonError::into_inner).attempt.clone_from(&attempt.name);
                let mut watcher = Tested::new(Watcher(&seen), tests.as_ref(), stop);
                let result = attempt
                    .run(Some(&mut watcher), Some(stop), None)
                    .map_err(|e| Failure::Fit(e.to_string()))?;
                let (formations, failure) = (watcher.found, watcher.failure);
                if let Some(failure) = failure {
                    return Err(Failure::Fit(failure));
                }
                let interrupted = result.stopped == Stopped::Interrupted;
                let (name, caveat, start) =
                    (attempt.name.clone(), attempt.caveat.clone(), attempt.start.clone());
                ran.push(Ran { name, comparison: attempt.comparison, caveat, start, result, formations });
                if interrupted {
                    break;
                }
            }
            let results: Vec<FitResult> = ran.iter().map(|r| r.result.clone()).collect();
            let best = job.best(&results, Some(stop));
            job.attempts.clear();
            let result = &ran[best.number].result;
            if let Stopped::Diverged { .. } = result.stopped {
                return Err(Failure::Fit(format!("{} ({})", result.verdict, ran[best.number].name)));
            }
            let state = state_of(&job, &ran, stop).map_err(Failure::Fit)?;
            let curves = curves_of(&file, &ran, best.number, stop);
            Ok((job, ran, state, best, curves, tests))
        },
        |py| show(py, &seen, progress.as_ref()),
    )?;
    if done.raised.is_none() {
        // The last step that there was, which nobody may have been shown.
        show(py, &seen, progress.as_ref())?;
    }
    match (done.result, done.raised) {
        (Err(_), Some(raised)) => Err(raised),
        (Err(Failure::Job(e)), None) => Err(job_error(e, in_memory)),
        (Err(Failure::Fit(e)), None) => Err(run_error(e)),
        (Ok((job, ran, state, best, curves, tests)), raised) => {
            let all = summary(py, &ran, best, tests.as_ref())?;
            all.set_item("curves", curves.map(|c| numbers(py, c)).transpose()?)?;
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

/// Of a trajectory fit that nobody has stopped: the summary of the data, at the best fit's start and at its end; or why
/// there is none.
fn curves_of(file: &FitFile, ran: &[Ran], best: usize, stop: &AtomicBool) -> Option<Result<Curves, String>> {
    let stopped =
        stop.load(Ordering::Relaxed) || ran.iter().any(|r| r.result.stopped == Stopped::Interrupted);
    let best = ran.get(best)?;
    let wanted = file.task == Task::Trajectory && !stopped;
    let both = [&best.start[..], &best.result.theta[..]];
    wanted.then(|| trajectory_curves(file, &both).map_err(|e| e.to_string()))
}

/// Curves as Python takes them: a dictionary, or why there is none.
fn numbers<'py>(py: Python<'py>, curves: Result<Curves, String>) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    match curves {
        Err(why) => out.set_item("why", why)?,
        Ok(c) => {
            out.set_item("summary", c.summary)?;
            out.set_item("outputs", c.outputs)?;
            out.set_item("times", c.times)?;
            out.set_item("time_unit", c.time_unit)?;
            out.set_item("unit", c.unit)?;
            out.set_item("data", c.data)?;
            out.set_item("errors", c.errors)?;
            out.set_item("simulated", c.simulated)?;
        }
    }
    Ok(out)
}

/// Why there is no fit.
enum Failure {
    Job(JobError),
    Fit(String),
}

/// All attempts, and which is best.
fn summary<'py>(
    py: Python<'py>,
    ran: &[Ran],
    best: Best,
    tests: Option<&Tests>,
) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    all.set_item("best", best.number)?;
    all.set_item("best_of", best.words)?;
    let list = PyList::empty(py);
    for one in ran {
        let own = attempt(py, one)?;
        own.set_item("formation", tests.map(|t| t.numbers(py, &one.formations)).transpose()?)?;
        list.append(own)?;
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
        .map(|e| {
            let (words, why) = (e.words(), e.known.words());
            (
                e.name.clone(),
                e.found().unwrap_or(f64::NAN),
                e.start,
                e.standard_error,
                e.simulation_noise,
                words,
                why,
            )
        })
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
    out.set_item("likelihood", r.likelihood)?;
    out.set_item("at_optimum", r.at_optimum)?;
    out.set_item("verdict", &r.verdict)?;
    out.set_item("notes", &r.notes)?;
    out.set_item("columns", &r.trace.columns)?;
    let rows: Vec<f64> =
        r.trace.records.iter().flat_map(|record| record.numbers().collect::<Vec<_>>()).collect();
    out.set_item("trace", reals(py, rows))?;
    Ok(out)
}
