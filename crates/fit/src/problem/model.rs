//! Reads the model of a fit file and the data per site that its rules read: once.

use glauber_engine::{Options, Precision, Run};
use glauber_model_file::{CovariateSource, LoadError, Loaded, ModelFileError};
use glauber_models::{CatalogueError, MODELS, ModelOptions, OptionValue};
use glauber_program::Model;
use glauber_tasks::covariates::{Covariates, read_covariates};
use glauber_tasks::tasks::unknowns::{Fitted, UnknownsError};

use super::words::{pairs, wrong};
use crate::error::JobError;
use crate::fit_file::{self, DataSource, FitFile, ModelSource, OptionChoice, Simulation};

/// The fit file's model, with the data per site that its rules read.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) model: Model,
    pub(crate) covariates: Covariates,
    /// What the readers of the covariates have to say, and what there is to say of the model on its lattice.
    pub(crate) notes: Vec<String>,
}

impl Own {
    /// Reads both. Where the model's sites are walkers that are counted, it has one.
    pub(crate) fn read(file: &FitFile) -> Result<Own, JobError> {
        let one = counted_walkers(file).map(|option| (option, OptionChoice::Whole(1)));
        if let (Some(model), None) = (&file.given.model, &one) {
            let covariates = file.given.covariates.clone();
            return Ok(Own { model: model.clone(), covariates, notes: model.notes() });
        }
        let loaded = load(file, one.as_ref().map(|(option, value)| (*option, value)))?;
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

    /// The parameters that are fitted where these are fixed.
    pub(crate) fn fitted(&self, fixed: &[(String, f64)]) -> Result<Fitted, UnknownsError> {
        Ok(Fitted::new(&self.model, fixed)?.with_covariates(self.covariates.clone()))
    }

    /// All the model's parameters as a simulation of data has them.
    pub(crate) fn truth(&self, file: &FitFile, simulation: &Simulation) -> Result<Vec<f64>, JobError> {
        let all = self.fitted(&[]).and_then(|all| all.start(&self.model, &pairs(&simulation.parameters)));
        all.map_err(|e| wrong(file, "data.simulate.parameters", &e))
    }

    /// One replicate of `steps` steps at all the model's parameters.
    pub(crate) fn run<'a>(&self, parameters: &'a [f64], steps: usize) -> Run<'a> {
        Run { fields: self.covariates.clone(), ..Run::new(parameters, steps) }
    }

    /// The same with the model's option `start` in place of the fit's: how simulated data begin.
    pub(crate) fn starting(&self, file: &FitFile, initial: Option<&String>) -> Result<Own, JobError> {
        let Some(initial) = initial else { return Ok(self.clone()) };
        if file.given.model.is_some() {
            let message = "a model that is handed over in memory has one start: leave `initial` out, and load the model with \
                           its option `start`";
            return Err(file.wrong("data.simulate.initial", message).into());
        }
        let model = model_with(file, "start", &OptionChoice::Text(initial.clone()))?;
        Ok(Own { model, ..self.clone() })
    }
}

/// The model's option that counts its walkers, where its sites are independent walkers and are left to be counted; those of
/// observed lattices belong together.
pub(crate) fn counted_walkers(file: &FitFile) -> Option<&'static str> {
    let ModelSource::Catalogue(name) = &file.model else { return None };
    let counted =
        file.task == fit_file::Task::Trajectory && !matches!(file.data.source, Some(DataSource::States(_)));
    MODELS.iter().find(|entry| counted && entry.name == *name)?.walkers
}

/// The fit file's model with one of its options at another value.
pub(crate) fn model_with(file: &FitFile, option: &str, value: &OptionChoice) -> Result<Model, JobError> {
    Ok(load(file, Some((option, value)))?.model)
}

/// The options of the fit file's model.
pub(crate) fn options_of(file: &FitFile) -> ModelOptions {
    let mut options = ModelOptions::none();
    for (name, value) in &file.model_options {
        options.set(name, option_value(value));
    }
    options
}

/// The name or path of the fit file's model.
pub(crate) fn name_of(file: &FitFile) -> String {
    match &file.model {
        ModelSource::Catalogue(name) => name.clone(),
        ModelSource::File(path) => path.to_string_lossy().into_owned(),
    }
}

fn load(file: &FitFile, other: Option<(&str, &OptionChoice)>) -> Result<Loaded, JobError> {
    let mut options = options_of(file);
    if let Some((name, value)) = other {
        options.set(name, option_value(value));
    }
    glauber_model_file::load(&name_of(file), &options).map_err(|error| {
        match &error {
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
        }
        .into()
    })
}

fn option_value(choice: &OptionChoice) -> OptionValue {
    let number = |choice: &OptionChoice| match choice {
        OptionChoice::Whole(n) => *n as f64,
        OptionChoice::Number(x) => *x,
        _ => f64::NAN,
    };
    match choice {
        OptionChoice::Flag(x) => OptionValue::Flag(*x),
        OptionChoice::Text(x) => OptionValue::Text(x.clone()),
        OptionChoice::List(items) => OptionValue::List(items.iter().map(number).collect()),
        other => OptionValue::Number(number(other)),
    }
}

/// How the engine runs, by the fit file's `[run]`.
pub(crate) fn engine_options(file: &FitFile) -> Options {
    Options {
        precision: match file.run.precision {
            fit_file::PrecisionChoice::F32 => Precision::Single,
            fit_file::PrecisionChoice::F64 => Precision::Double,
        },
        threads: file.run.threads as usize,
        memory: file.run.memory.0 as usize,
        backend: file.given.backend,
        ..Options::default()
    }
}
