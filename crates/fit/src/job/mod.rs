//! Turns a fit file into fits that are ready to run: model, data, objectives, starts.
//!
//! A [`Job`] is a list of [`Attempt`]s: one for each start, and one for each estimator that is to be compared. Whoever
//! runs it (the command line, Python, the reproduction) only calls [`Attempt::run`] and shows what comes back.

mod best;
mod estimators;
mod identity;
mod names;
mod observed_curve;
mod pictures;
mod slopes;
mod stability;
mod state;
mod times;
mod trajectory;
mod transition;

pub use best::Best;
pub use stability::formation_test;
pub use state::StateFit;
pub use trajectory::{Curves, trajectory_curves};

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use glauber_engine::{EngineError, Options, Precision, Run};
use glauber_model_file::{CovariateSource, LoadError, ModelFileError};
use glauber_models::{CatalogueError, ModelOptions};
use glauber_program::{Model, ModelError};

use crate::fit_file::{self, FitFile, FitFileError, ModelSource, Task};
use glauber_optimize::checkpoint::{CheckpointPolicy, Identity};
use glauber_optimize::descent::{Control, FitError};
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::method::Method;
use glauber_optimize::objective::Objective;
use glauber_optimize::observer::Observer;
use glauber_tasks::covariates::{Covariates, read_covariates};
use glauber_tasks::tasks::unknowns::{Fitted, UnknownsError};

/// Why a job could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The fit file is wrong.
    #[error(transparent)]
    File(#[from] FitFileError),
    /// The data could not be read.
    #[error(transparent)]
    Data(#[from] glauber_data::DataError),
    /// The data do not fit the model.
    #[error(transparent)]
    States(#[from] glauber_tasks::states::StatesError),
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The task could not be set up.
    #[error(transparent)]
    Transition(#[from] glauber_tasks::tasks::transition::TransitionError),
    /// An initial state could not be set up.
    #[error(transparent)]
    InitialState(#[from] glauber_tasks::tasks::initial_state::InitialStateError),
    /// The likelihood could not be set up.
    #[error(transparent)]
    Likelihood(#[from] glauber_tasks::tasks::likelihood::LikelihoodError),
}

/// Fits that are ready to run.
pub struct Job {
    /// The model.
    pub model: Model,
    /// The task.
    pub task: Task,
    /// The fits: those of the fit file first, one per start, then comparisons.
    pub attempts: Vec<Attempt>,
    /// The true parameters, where the data were simulated.
    pub truth: BTreeMap<String, f64>,
    /// What a person should know before it runs.
    pub notes: Vec<String>,
    /// What the readers of the data guessed, cut or left out: part of every result.
    pub data_notes: Vec<String>,
    /// What a fit of an initial state needs afterwards; nothing for other tasks.
    pub state: Option<StateFit>,
    /// What tells better than the fits' own loss which of several starts is best: the exact likelihood, where there is one.
    judge: Option<Box<dyn Objective>>,
}

impl Job {
    /// All that a person must know of a result: of the fit itself, of the data, of how it was set up.
    pub fn notes_of(&self, result: &FitResult) -> Vec<String> {
        result.notes.iter().chain(&self.data_notes).chain(&self.notes).cloned().collect()
    }
}

/// One fit of a job.
pub struct Attempt {
    /// What it is called: the estimator or loss, and the start where there are several.
    pub name: String,
    /// Whether it is only for comparison.
    pub comparison: bool,
    /// What its estimates are known to be off by.
    pub caveat: Option<String>,
    /// What is minimised.
    pub objective: Box<dyn Objective>,
    /// How.
    pub method: Method,
    /// Where θ starts.
    pub start: Vec<f64>,
    identity: Identity,
}

impl Attempt {
    /// Runs the fit.
    ///
    /// # Errors
    /// [`FitError`] as in [`Method::run`].
    pub fn run<'a>(
        &mut self,
        observer: Option<&'a mut dyn Observer>,
        interrupt: Option<&'a AtomicBool>,
        checkpoint: Option<CheckpointPolicy>,
    ) -> Result<FitResult, FitError> {
        let control = Control { observer, interrupt, checkpoint, identity: self.identity.clone() };
        self.method.run(&mut *self.objective, &self.start, control)
    }

    /// Its name as part of a file's name.
    pub fn file_name(&self) -> String {
        self.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
    }
}

/// Sets a fit file's fits up: reads or simulates the data, compiles the model.
///
/// # Errors
/// [`JobError`] with the place in the fit file or data where something is wrong, or where the file says what these fits
/// do not use.
pub fn prepare(file: &FitFile) -> Result<Job, JobError> {
    let mut job = match file.task {
        Task::Transition => transition::prepare(file),
        Task::Trajectory => trajectory::prepare(file),
        Task::Stability => stability::prepare(file),
        Task::State => state::prepare(file),
    }?;
    slopes::tell(file, &mut job)?;
    file.refuse_unused()?;
    Ok(job)
}

/// The fit file's model, with the data per site that its rules read.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) model: Model,
    pub(crate) covariates: Covariates,
    /// What the readers of the covariates have to say, and what there is to say of the model on its lattice.
    pub(crate) notes: Vec<String>,
}

impl Own {
    /// The parameters that are fitted where these are fixed.
    pub(crate) fn fitted(&self, fixed: &[(String, f64)]) -> Result<Fitted, UnknownsError> {
        Ok(Fitted::new(&self.model, fixed)?.with_covariates(self.covariates.clone()))
    }

    /// One replicate of `steps` steps at all the model's parameters.
    pub(crate) fn run<'a>(&self, parameters: &'a [f64], steps: usize) -> Run<'a> {
        Run { fields: self.covariates.clone(), ..Run::new(parameters, steps) }
    }
}

/// The fit file's model and covariates, read the first time.
pub(crate) fn own_model(file: &FitFile) -> Result<Own, JobError> {
    if let Some(own) = file.resolved.get() {
        return Ok(own.clone());
    }
    let own = read_model(file)?;
    Ok(file.resolved.get_or_init(|| own).clone())
}

fn read_model(file: &FitFile) -> Result<Own, JobError> {
    if let Some(model) = &file.given.model {
        return Ok(Own {
            model: model.clone(),
            covariates: file.given.covariates.clone(),
            notes: model.notes(),
        });
    }
    let mut options = ModelOptions::none();
    for (name, value) in &file.model_options {
        options.set(name, option_value(value));
    }
    let name = match &file.model {
        ModelSource::Catalogue(name) => name.clone(),
        ModelSource::File(path) => path.to_string_lossy().into_owned(),
    };
    let loaded = glauber_model_file::load(&name, &options).map_err(|error| match &error {
        LoadError::Catalogue(error) => {
            let key = match error {
                CatalogueError::UnknownModel { .. } => "model".to_string(),
                CatalogueError::UnknownOption { name, .. } | CatalogueError::BadOption { name, .. } => {
                    format!("model-options.{name}")
                }
                _ => "model-options".to_string(),
            };
            file.wrong(&key, error.to_string())
        }
        LoadError::File(error) => file.wrong("model", error.to_string() + &file.stands_elsewhere()),
    })?;
    let given: Vec<(String, CovariateSource)> =
        file.data.covariates.iter().map(|(name, source)| (name.clone(), source.clone().into())).collect();
    let mut notes = Vec::new();
    let covariates = read_covariates(&loaded, &given, &mut notes).map_err(|error| {
        let key = match &error {
            ModelFileError::Covariate { name, .. } => format!("data.covariates.{name}"),
            _ => "data.covariates".to_string(),
        };
        file.wrong(&key, error.to_string())
    })?;
    notes.extend(loaded.model.notes());
    Ok(Own { model: loaded.model, covariates, notes })
}

fn option_value(value: &fit_file::OptionValue) -> glauber_models::OptionValue {
    use fit_file::OptionValue as From;
    use glauber_models::OptionValue as To;
    let number = |v: &From| match v {
        From::Whole(n) => *n as f64,
        From::Number(x) => *x,
        _ => f64::NAN,
    };
    match value {
        From::Flag(x) => To::Flag(*x),
        From::Text(x) => To::Text(x.clone()),
        From::List(items) => To::List(items.iter().map(number).collect()),
        other => To::Number(number(other)),
    }
}

/// How the engine runs, by the fit file's `[run]`.
pub(crate) fn engine_options(file: &FitFile) -> Options {
    Options {
        precision: match file.run.precision {
            fit_file::Precision::F32 => Precision::Single,
            fit_file::Precision::F64 => Precision::Double,
        },
        threads: file.run.threads as usize,
        memory: file.run.memory.0 as usize,
        ..Options::default()
    }
}

/// What data are called in errors: by their path, where they have one.
pub(crate) fn name_of_data(file: &FitFile, path: &std::path::Path) -> String {
    match (&file.given.arrays, &file.given.tracks) {
        (None, None) => path.display().to_string(),
        (None, Some(_)) => "the tracks given".into(),
        _ => "the data given".into(),
    }
}

/// Notes of a reader, with the name of the file they are about.
pub(crate) fn notes_about(path: &std::path::Path, notes: &[String]) -> Vec<String> {
    let name =
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    notes.iter().map(|note| format!("{name}: {note}")).collect()
}

/// A list of named numbers from a table.
pub(crate) fn pairs(table: &BTreeMap<String, f64>) -> Vec<(String, f64)> {
    table.iter().map(|(k, v)| (k.clone(), *v)).collect()
}
