//! Runs a fit as a part: from the text of a fit file to its course, with progress and a checkpoint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use glauber_fit::fit_file::FitFile;
use glauber_fit::job::prepare;
use glauber_fit::outcome::Sink;
use glauber_fit::watch::ProgressWatch;
use glauber_optimize::checkpoint::CheckpointPolicy;
use glauber_optimize::curvature::least_errors;
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::observer::Observer;
use glauber_optimize::stopping::Stopped;
use serde::{Deserialize, Serialize};

use crate::error::ReproduceError;
use crate::part::{Context, Part};

/// A fit file as text, with what replaces some of its keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FitText {
    pub text: &'static str,
    pub changes: Vec<String>,
}

impl FitText {
    pub(crate) fn new(text: &'static str) -> FitText {
        FitText { text, changes: Vec::new() }
    }

    /// The same with `table.key=value`, in place of what was said of this key before.
    pub(crate) fn with(mut self, key: &str, value: impl std::fmt::Display) -> FitText {
        self.changes.retain(|change| change.split('=').next() != Some(key));
        self.changes.push(format!("{key}={value}"));
        self
    }

    /// Read and checked.
    pub(crate) fn file(&self) -> Result<FitFile, ReproduceError> {
        FitFile::parse(self.text, Path::new("reproduce.toml"), &self.changes, Path::new(""))
            .map_err(ReproduceError::part)
    }

    /// A part that runs it.
    pub(crate) fn part(self, name: impl Into<String>, about: impl Into<String>, weight: f64) -> Part {
        let settings = format!("{}\n{}", self.text, self.changes.join("\n"));
        Part::new(name, about, settings, weight, move |context| run(context, &self))
    }
}

/// A parameter that was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub start: f64,
    pub value: f64,
    /// How far the fit's own noise moves it, where known.
    pub simulation_noise: Option<f64>,
    /// The least error that any method can have from the same data, that of the exact likelihood; where it was asked for.
    pub least_error: Option<f64>,
}

impl Found {
    /// The least that it is off by chance: by the data and by the fit's noise. `None` where the first is not known.
    pub(crate) fn least(&self) -> Option<f64> {
        Some(self.least_error?.hypot(self.simulation_noise.unwrap_or(0.0)))
    }
}

/// The course of a fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Course {
    pub found: BTreeMap<String, Found>,
    /// The parameters' names, in the model's order.
    pub names: Vec<String>,
    pub steps: Vec<f64>,
    pub losses: Vec<f64>,
    /// One list for each name.
    pub values: Vec<Vec<f64>>,
}

impl Course {
    fn of(result: &FitResult, least: Option<Vec<f64>>) -> Course {
        let found = result.estimates.iter().enumerate().map(|(k, e)| {
            let least_error = least.as_ref().and_then(|errors| errors.get(k).copied());
            let simulation_noise = e.simulation_noise;
            (e.name.clone(), Found { start: e.start, value: e.value, simulation_noise, least_error })
        });
        let names = result.trace.columns.clone();
        let values = names.iter().map(|name| result.trace.column(name).unwrap_or_default()).collect();
        Course {
            found: found.collect(),
            steps: result.trace.records.iter().map(|r| r.step as f64).collect(),
            losses: result.trace.records.iter().map(|r| r.loss).collect(),
            values,
            names,
        }
    }

    /// A parameter over the steps.
    pub(crate) fn of_parameter(&self, name: &str) -> &[f64] {
        let place = self.names.iter().position(|n| n == name);
        place.and_then(|place| self.values.get(place)).map_or(&[], Vec::as_slice)
    }

    /// All parameters at the record of a step, or the one before it.
    pub(crate) fn theta_at(&self, step: f64) -> Vec<f64> {
        let place = self.steps.iter().rposition(|s| *s <= step).unwrap_or(0);
        self.values.iter().filter_map(|values| values.get(place).copied()).collect()
    }

    /// The estimate of a parameter, NaN where there is none.
    pub(crate) fn estimate(&self, name: &str) -> f64 {
        self.found.get(name).map_or(f64::NAN, |found| found.value)
    }
}

/// Runs the first fit of a fit file, carrying on from the part's checkpoint where there is one. Where the likelihood
/// is to be compared, that fit is not run, but tells the least error at what the first found.
pub(crate) fn run(context: &Context<'_>, text: &FitText) -> Result<Course, ReproduceError> {
    let file = text.file()?;
    let mut job = prepare(&file).map_err(ReproduceError::part)?;
    let compared = job.attempts.split_off(1.min(job.attempts.len()));
    let path = context.store.checkpoint(&context.part.name);
    let sink = PartSink { path, every: file.run.checkpoint_every };
    let mut watch =
        |_: &str| Box::new(ProgressWatch::new(&context.title, context.show, estimates)) as Box<dyn Observer>;
    let outcome = job.run(&mut watch, &sink, context.interrupt);
    let outcome = outcome.map_err(|e| ReproduceError::part(format!("{}: {e}", context.part.about)))?;
    let result = &outcome.best().result;
    match &result.stopped {
        Stopped::Interrupted => Err(ReproduceError::Interrupted),
        Stopped::Diverged { .. } => {
            Err(ReproduceError::part(format!("{} {}", context.part.about, result.stopped)))
        }
        _ => {
            let exact = compared.into_iter().find(|a| a.objective.likelihood().is_some());
            let least = exact.map(|mut a| least_errors(&mut *a.objective, &result.theta)).transpose();
            Ok(Course::of(result, least.map_err(ReproduceError::part)?.flatten()))
        }
    }
}

fn estimates(result: &FitResult) -> String {
    let found = result.estimates.iter().map(|e| format!("{} = {:.4}", e.name, e.value));
    found.collect::<Vec<_>>().join(", ")
}

/// Keeps the checkpoint of a part's one fit. A checkpoint of other settings, or of a file system that lost power: the fit
/// begins anew.
struct PartSink {
    path: PathBuf,
    every: u64,
}

impl Sink for PartSink {
    fn checkpoint(&self, _attempt: &str) -> Option<CheckpointPolicy> {
        Some(CheckpointPolicy { path: self.path.clone(), every: self.every, resume: true })
    }

    fn begins_anew(&self, _attempt: &str) -> bool {
        std::fs::remove_file(&self.path).is_ok()
    }
}
