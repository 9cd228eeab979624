//! Takes what Python asks to be fitted: a fit file, or tables and data in memory.

use std::path::Path;
use std::sync::Arc;

use glauber::data::tracks::{MsdCurve, MsdPoint, TableColumn, TableValues};
use glauber::fit::fit_file::{FitFile, FitFileError, Given, Place, TASKS, Task, in_python};
use glauber::fit::job::{JobError, Pieces};
use pyo3::prelude::*;

use crate::arrays::{Flat, GivenField, array, doubles};
use crate::errors::{engine_error, input_error, model_error};
use crate::model::{Model, Observation};
use crate::typing::{Anything, As, Floats, Table};
use crate::values;
use crate::workers::{Crew, PiecesOf};

/// A column of tracks as Python gives it: its name, and numbers or texts.
pub type GivenColumn<'py> = (String, Option<As<'py, Floats>>, Option<Vec<String>>);
/// A curve as Python gives it.
type GivenCurve<'py> = (Option<f64>, Vec<u32>, As<'py, Floats>, Option<As<'py, Floats>>);

/// That column.
pub fn column((name, numbers, texts): GivenColumn<'_>) -> PyResult<TableColumn> {
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
    pub tables: Option<As<'py, Table>>,
    path: String,
    /// Values in place of a file's, each under `table.key`.
    overrides: Vec<(String, As<'py, Anything>)>,
    model: Option<Bound<'py, Model>>,
    /// What that model reads per site, by name.
    covariates: Vec<(String, GivenField)>,
    /// Arrays of data: name, shape, flat numbers.
    arrays: Option<Vec<(String, Vec<usize>, Flat)>>,
    /// Functions of the state that are seen: the name that stands for each, and how it is said.
    programs: Vec<(String, Bound<'py, Observation>, String)>,
    /// The columns of a table of tracks: name, and numbers or texts.
    tracks: Option<Vec<GivenColumn<'py>>>,
    /// A mean squared displacement: time of one lag, lags, values, standard errors.
    curve: Option<GivenCurve<'py>>,
    threads: Option<usize>,
    /// Who shares its runs.
    pub crew: Option<Bound<'py, Crew>>,
    /// What does pieces of the job elsewhere: a function of a list of bytes.
    pieces: Option<As<'py, Anything>>,
    /// The folder of its checkpoints.
    pub checkpoint: Option<String>,
}

impl FitRequest<'_> {
    /// In whose words its messages are said.
    pub fn words(&self) -> Words {
        let task = |tables: &As<'_, Table>| {
            let name: String = tables.get_item("task").ok()?.extract().ok()?;
            TASKS.iter().find(|entry| entry.name == name).map(|entry| entry.task)
        };
        Words(self.tables.as_ref().and_then(task))
    }

    /// Who does pieces of the fits.
    pub fn pieces(&self) -> Option<Arc<PiecesOf>> {
        self.pieces.as_ref().map(|own| Arc::new(PiecesOf::new((**own).clone().unbind())))
    }

    /// The fit file, and how many threads it asks for: they are the module's, not the engine's own.
    pub fn read(self) -> PyResult<(FitFile, usize)> {
        self.read_with(None)
    }

    /// The same, with who does pieces of the fits.
    pub fn read_with(self, pieces: Option<Arc<PiecesOf>>) -> PyResult<(FitFile, usize)> {
        let pieces = pieces.map(|own| own as Arc<dyn Pieces>);
        let words = self.words();
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
        let mut file = read.map_err(|e| words.file_error(e))?;
        let arrays = self.arrays.map(|given| -> PyResult<_> {
            let named = given.into_iter().map(|(name, shape, flat)| Ok((name, array(shape, flat)?)));
            Ok(Arc::new(named.collect::<PyResult<Vec<_>>>()?))
        });
        let tracks = self.tracks.map(|table| -> PyResult<_> {
            Ok(Arc::new(table.into_iter().map(column).collect::<PyResult<Vec<_>>>()?))
        });
        let model = self.model.as_ref().map(Bound::get);
        let covariates = model.map_or_else(|| Ok(Vec::new()), |m| m.fields_of_run(self.covariates))?;
        let programs = || self.programs.iter();
        file.given = Given {
            programs: programs()
                .map(|(name, own, _)| (name.clone(), own.get().observation.clone()))
                .collect(),
            said: programs().map(|(name, _, said)| (name.clone(), said.clone())).collect(),
            model: model.map(|m| m.model.clone()),
            covariates,
            arrays: arrays.transpose()?,
            tracks: tracks.transpose()?,
            curve: self.curve.map(curve).transpose()?,
            pieces,
            backend: self.crew.as_ref().map(|crew| crew.get().backend()),
        };
        let threads = self.threads.unwrap_or(file.run.threads as usize);
        file.run.threads = 0;
        Ok((file, threads))
    }
}

/// In whose words messages are said: of a fit file that is one, or of the call of a task.
#[derive(Clone, Copy)]
pub struct Words(Option<Task>);

impl Words {
    /// What a fit says, in these words.
    pub fn say(self, words: &str) -> String {
        match self.0 {
            Some(task) => in_python(words, task),
            None => words.to_string(),
        }
    }

    /// What is wrong with a fit file; without its place where Python wrote it.
    fn file_error(self, error: FitFileError) -> PyErr {
        match error.place {
            Place::Set(_) => input_error(error),
            _ if self.0.is_some() => input_error(self.say(&error.message)),
            _ => input_error(error),
        }
    }

    /// What is wrong with a job.
    pub fn job_error(self, error: JobError) -> PyErr {
        let (notes, error) = error.apart();
        let error = match error {
            JobError::File(e) => self.file_error(e),
            JobError::Engine(e) => engine_error(e),
            JobError::Model(e) => model_error(e),
            other => input_error(self.say(&other.to_string())),
        };
        self.noted(error, &notes)
    }

    /// An error with notes, which Python shows below it (from 3.11 on).
    pub fn noted(self, error: PyErr, notes: &[String]) -> PyErr {
        Python::attach(|py| {
            for note in notes {
                // Older ones have none: the error alone is told.
                let _ = error.value(py).call_method1("add_note", (self.say(note),));
            }
        });
        error
    }
}
