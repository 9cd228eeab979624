//! Reads fit files: TOML that says what is fitted to what, and how.
//!
//! A fit file has the keys `model` and `task` and ten tables. Every key is checked here: one that does not exist,
//! a wrong type and a number out of range are errors that name the file, line and column, what was found, and the
//! nearest right name. `--set table.key=value` replaces a value before all checks. What only a model or a task can
//! know (names of parameters, losses, estimators) they check themselves, with [`FitFile::check_names`] and
//! [`FitFile::wrong`], so that their errors have places too.
//!
//! Relative paths start from the fit file's folder; in an override, from the working folder, as a shell's do.
//!
//! What a file says is used by its fit, or refused: see [`FitFile::refuse_unused`].
//!
//! ```
//! use glauber_fit_file::{FitFile, Task};
//! use std::path::Path;
//!
//! let text = r#"
//! model = "persistent-random-walk"
//! task = "trajectory"
//!
//! [data]
//! msd = "t-cells.csv"
//!
//! [start]
//! p_center = [0.8, 0.2]      # two starts
//! p_resample = 0.8           # the same in both
//!
//! [optimizer]
//! name = "adam"
//! learning-rate = 0.01
//! steps = 10_000
//! replicates = 1500
//! "#;
//! let file = FitFile::parse(text, Path::new("fits/t-cells.toml"), &["run.seed=7".into()], Path::new(".")).unwrap();
//! assert_eq!(file.task, Task::Trajectory);
//! assert_eq!(file.run.seed, 7);
//! assert_eq!(file.starts().len(), 2);
//!
//! let wrong = text.replace("learning-rate", "learnin-rate");
//! let error = FitFile::parse(&wrong, Path::new("t-cells.toml"), &[], Path::new(".")).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "t-cells.toml, line 14, column 1: [optimizer] with name \"adam\" has no key `learnin-rate`: did you mean `learning-rate`?"
//! );
//! ```

mod data;
mod error;
mod given;
mod in_python;
mod inference;
mod loss;
mod marked;
mod observation;
mod optimization;
mod overrides;
mod piece;
mod reader;
mod run;
mod skip;
mod task;
mod tree;
mod unused;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

pub use data::{Columns, CovariateChoice, Data, DataSource, Frames, Simulation};
pub use error::{FitFileError, Place};
pub use given::Given;
pub use glauber_files::MemorySize;
pub use in_python::in_python;
pub use inference::{PosteriorChoice, PriorChoice};
pub use loss::{EstimatorChoice, LossChoice, Weights};
pub use marked::Marked;
pub use observation::{
    ArgumentChoice, EXPERIMENT_KEYS, ExperimentChoice, NoiseChoice, OBSERVATION_KEYS, ObservationChoice,
};
pub use optimization::{MapChoice, Optimization};
pub use piece::{Piece, Pieces};
pub use reader::{ColumnName, Key};
pub use run::{FormationTestChoice, PrecisionChoice, RunChoice};
pub use task::{TASKS, Task, TaskEntry};
pub use tree::{Node, Table, Value};
pub use unused::USED_BY_ALL;

use glauber_files::spelling::suggestion;
use glauber_optimize::descent::Descent;
use glauber_optimize::gradient_free::GradientFree;
use glauber_optimize::maps::Map;
use glauber_optimize::method::Method;
use glauber_optimize::objective::Unknown;
use marked::Marks;
use reader::{ANY, Reader, Source};

/// The longest fit file that is read, in bytes.
pub const LONGEST: u64 = 1 << 20;
/// The most starts a fit file may have.
pub const MOST_STARTS: usize = 10_000;

const TABLES: [&str; 16] = [
    "model",
    "task",
    "route",
    "errors",
    "model-options",
    "data",
    "start",
    "fixed",
    "loss",
    "estimator",
    "optimizer",
    "run",
    "observation",
    "experiment",
    "priors",
    "posterior",
];

/// Every table with fixed keys, and its keys.
pub const TABLES_OF_KEYS: [(&str, &[Key]); 7] = [
    ("data", data::KEYS),
    ("data.simulate", data::SIMULATE_KEYS),
    ("loss", loss::LOSS_KEYS),
    ("estimator", loss::ESTIMATOR_KEYS),
    ("optimizer", optimization::KEYS),
    ("run", run::KEYS),
    ("posterior", inference::KEYS),
];

/// Where the model comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ModelSource {
    /// The catalogue, by name.
    Catalogue(String),
    /// A model file.
    File(PathBuf),
}

/// The value of a model's option: its type is the model's affair.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OptionChoice {
    /// true or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<OptionChoice>),
}

/// A fit file that has been read and checked.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FitFile {
    /// The model.
    pub model: ModelSource,
    /// The task.
    pub task: Task,
    /// By which route the likelihood of observations is computed, where that is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// How errors are made, where that is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<String>,
    /// The model's options.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub model_options: BTreeMap<String, OptionChoice>,
    /// The data.
    pub data: Data,
    /// Start values by parameter: one, or one for each start.
    #[serde(serialize_with = "skip::one_or_list", skip_serializing_if = "BTreeMap::is_empty")]
    pub start: BTreeMap<String, Vec<f64>>,
    /// Parameters that are not fitted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, f64>,
    /// The loss.
    pub loss: LossChoice,
    /// The estimator.
    pub estimator: EstimatorChoice,
    /// How the loss is brought down.
    pub optimizer: Optimization,
    /// Seed, threads, memory, output.
    pub run: RunChoice,
    /// What was seen, of the task `observation`.
    #[serde(rename = "experiment", skip_serializing_if = "Vec::is_empty")]
    pub experiments: Vec<ExperimentChoice>,
    /// Priors by parameter.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub priors: BTreeMap<String, PriorChoice>,
    /// How draws from the posterior are made.
    #[serde(skip_serializing_if = "PosteriorChoice::is_empty")]
    pub posterior: PosteriorChoice,
    /// What was handed over in memory.
    #[serde(skip)]
    pub given: Given,
    /// The file it was read from, for errors.
    #[serde(skip)]
    pub file: PathBuf,
    /// Where every key stands, for errors.
    #[serde(skip)]
    places: BTreeMap<String, Place>,
    /// Every key that holds no table, by its dotted path.
    #[serde(skip)]
    written: Vec<String>,
    /// Which keys were read.
    #[serde(skip)]
    marks: Marks,
    /// Whether something has taken [priors] and [posterior].
    #[serde(skip)]
    has_posterior: Arc<AtomicBool>,
}

impl FitFile {
    /// Reads a fit file and applies overrides, each `table.key=value`.
    ///
    /// # Errors
    /// [`FitFileError`] where the file cannot be read, is larger than [`LONGEST`], or something in it is wrong.
    pub fn load(path: &Path, overrides: &[String]) -> Result<FitFile, FitFileError> {
        FitFile::parse(&FitFile::text(path)?, path, overrides, Path::new(""))
    }

    /// Reads a fit file and puts values in place of its own, each under `table.key`.
    ///
    /// # Errors
    /// As [`load`](FitFile::load).
    pub fn load_with(path: &Path, values: &[(String, Value)]) -> Result<FitFile, FitFileError> {
        let mut document = tree::document(&FitFile::text(path)?, path)?;
        for value in values {
            overrides::apply_value(&mut document, value, path, &TABLES)?;
        }
        FitFile::from_tables(document, path, Path::new(""))
    }

    /// The text of a fit file.
    fn text(path: &Path) -> Result<String, FitFileError> {
        let fail = |message: String| FitFileError::new(path, Place::Nowhere, message);
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => fail("there is no such file: check the path".to_string()),
            _ => fail(format!("cannot be read: {error}")),
        };
        // A pipe would keep whoever opens it waiting.
        let about = std::fs::metadata(path).map_err(unreadable)?;
        if about.is_dir() {
            return Err(fail("is a folder: give the path of a fit file".to_string()));
        }
        if !about.is_file() {
            return Err(fail("is no plain file: write the fit into a file first".to_string()));
        }
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > LONGEST {
            return Err(fail("is larger than 1 MiB, so it is no fit file".to_string()));
        }
        String::from_utf8(bytes).map_err(|_| fail("is not UTF-8 text, so it is no fit file".to_string()))
    }

    /// Reads the text of a fit file. `path` names it in errors, and its folder is where relative paths start;
    /// `working` is where those in overrides start.
    ///
    /// # Errors
    /// [`FitFileError`] for the first thing that is wrong.
    pub fn parse(
        text: &str,
        path: &Path,
        overrides: &[String],
        working: &Path,
    ) -> Result<FitFile, FitFileError> {
        if text.len() as u64 > LONGEST {
            return Err(FitFileError::new(
                path,
                Place::Nowhere,
                "is larger than 1 MiB, so it is no fit file",
            ));
        }
        let mut document = tree::document(text, path)?;
        overrides::apply_all(&mut document, overrides, path, &TABLES)?;
        FitFile::from_tables(document, path, working)
    }

    /// Checks the tables of a fit file that was never text; `path` and `working` are as in [`parse`](FitFile::parse).
    ///
    /// ```
    /// use glauber_fit_file::{FitFile, Value};
    /// use std::path::Path;
    ///
    /// let text = |x: &str| Value::Text(x.into());
    /// let tables = Value::table([
    ///     ("model".into(), text("susceptible-infected")),
    ///     ("task".into(), text("transition")),
    ///     ("start".into(), Value::table([("beta".into(), Value::list([Value::Float(0.2), Value::Float(0.8)]))])),
    /// ]);
    /// let Value::Table(tables) = tables else { unreachable!() };
    /// let file = FitFile::from_tables(tables, Path::new("fit"), Path::new("")).unwrap();
    /// assert_eq!(file.starts().len(), 2);
    /// ```
    ///
    /// # Errors
    /// [`FitFileError`] for the first thing that is wrong.
    pub fn from_tables(document: Table, path: &Path, working: &Path) -> Result<FitFile, FitFileError> {
        let (mut places, mut written) = (BTreeMap::new(), Vec::new());
        note_places("", &document, &mut places, &mut written);
        let marks = RefCell::default();
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut whole =
            Reader::whole(Source { file: path, folder, working, marks: &marks }, document, &TABLES)?;
        let model = model(&mut whole)?;
        let words: Vec<(&str, Task)> = TASKS.iter().map(|entry| (entry.name, entry.task)).collect();
        let task = whole.word("task", &words)?.ok_or_else(|| {
            let names: Vec<String> = words.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            whole.here(format!("the key `task` is missing: {}", names.join(" or ")))
        })?;
        let (route, errors) = (whole.text("route")?, whole.text("errors")?);
        let experiments = observation::read(&mut whole)?;
        if !experiments.is_empty() && task != Task::Observation {
            let message = format!(
                "[observation] and [[experiment]] are of the task `observation`, and this is the task `{}`: say \
                 task = \"observation\", or leave them out",
                task.name()
            );
            return Err(whole.here(message));
        }
        let data = whole.table("data", data::KEYS)?;
        let mut file = FitFile {
            model,
            task,
            route,
            errors,
            experiments,
            model_options: model_options(&mut whole)?,
            data: data::read(data, task)?,
            start: start(&mut whole)?,
            fixed: whole.free_table("fixed")?.all_numbers()?,
            loss: loss::read_loss(whole.table("loss", loss::LOSS_KEYS)?)?,
            estimator: loss::read_estimator(whole.table("estimator", loss::ESTIMATOR_KEYS)?)?,
            optimizer: optimization::read(&mut whole)?,
            run: run::read(whole.table("run", run::KEYS)?)?,
            priors: inference::read_priors(whole.free_table("priors")?)?,
            posterior: match whole.has("posterior") {
                true => inference::read_posterior(whole.table("posterior", inference::KEYS)?)?,
                false => PosteriorChoice::default(),
            },
            has_posterior: Arc::default(),
            given: Given::default(),
            file: path.to_path_buf(),
            places,
            written,
            marks: Marks::new(),
        };
        file.marks = marks.into_inner();
        let keys = inference::KEYS.iter().map(|(key, _)| format!("posterior.{key}"));
        for key in keys.chain(["priors".to_string()]) {
            file.marks.insert(key, file.has_posterior.clone());
        }
        if let Some(name) = file.start.keys().find(|name| file.fixed.contains_key(*name)) {
            let message = format!("`{name}` has a start and is fixed: take it out of [start] or of [fixed]");
            return Err(file.wrong(&format!("fixed.{name}"), message));
        }
        Ok(file)
    }

    /// The file as TOML with every default and override written out and every path absolute: reading it again, from
    /// anywhere, gives the same fit.
    ///
    /// # Errors
    /// [`FitFileError`] where a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String, FitFileError> {
        toml::to_string(self).map_err(|error| {
            FitFileError::new(&self.file, Place::Nowhere, format!("cannot be written as TOML: {error}"))
        })
    }

    /// Whether the file asks for a posterior: it has `[posterior]` or `[priors]`.
    pub fn asks_for_posterior(&self) -> bool {
        !self.posterior.is_empty() || !self.priors.is_empty()
    }

    /// Notes that what `[posterior]` and `[priors]` say is used.
    pub fn uses_posterior(&self) {
        self.has_posterior.store(true, Ordering::Relaxed);
    }

    /// The starts, one parameter → value list each; a parameter with one value has it in all.
    pub fn starts(&self) -> Vec<BTreeMap<String, f64>> {
        let count = self.start.values().map(Vec::len).max().unwrap_or(1);
        let value = |values: &Vec<f64>, i: usize| values[i.min(values.len() - 1)];
        (0..count)
            .map(|i| self.start.iter().map(|(name, values)| (name.clone(), value(values, i))).collect())
            .collect()
    }

    /// Whether the file says a key itself, by its dotted path.
    pub fn says(&self, key: &str) -> bool {
        self.written.iter().any(|own| own == key)
    }

    /// Where the data come from.
    ///
    /// # Errors
    /// [`FitFileError`] where the file does not say, with what the task takes.
    pub fn source(&self) -> Result<&DataSource, FitFileError> {
        self.data.source.as_ref().ok_or_else(|| {
            let kinds = data::kinds_for(self.task).join(" or ");
            self.wrong("data", format!("the task `{}` needs data: give {kinds}", self.task.name()))
        })
    }

    /// The descent or search that `[optimizer]` and `[run]` describe, for these unknowns.
    ///
    /// # Errors
    /// [`FitFileError`] where a map is given for something that is not among them.
    pub fn method(&self, unknowns: &[Unknown]) -> Result<Method, FitFileError> {
        let names: Vec<&str> = unknowns.iter().map(|unknown| unknown.name.as_str()).collect();
        let maps: BTreeMap<String, Map> = match &self.optimizer.map {
            None => BTreeMap::new(),
            Some(MapChoice::All(map)) => names.iter().map(|name| (name.to_string(), *map)).collect(),
            Some(MapChoice::Named(maps)) => {
                self.check_names("optimizer.map", maps.keys(), &names, "fitted parameter")?;
                maps.clone()
            }
        };
        const MOST_RECORDS: u64 = 100_000;
        let trace_every = self.run.trace_every.unwrap_or(self.optimizer.steps.div_ceil(MOST_RECORDS).max(1));
        let (stopping, seed, choice) =
            (self.optimizer.stopping(), self.run.seed, self.optimizer.choice.clone());
        Ok(match self.optimizer.rate() {
            None => Method::Search(GradientFree { search: choice, maps, stopping, trace_every, seed }),
            Some(learning_rate) => Method::Descent(Descent {
                optimizer: choice,
                learning_rate,
                clip: self.optimizer.clip,
                maps,
                stopping,
                average: self.optimizer.average,
                trace_every,
                seed,
            }),
        })
    }

    /// Checks that every name used in a table is one of the right ones; `what` says what they name.
    ///
    /// # Errors
    /// [`FitFileError`] at the first that is not, with the nearest right name.
    pub fn check_names<'a>(
        &self,
        table: &str,
        used: impl IntoIterator<Item = &'a String>,
        right: &[&str],
        what: &str,
    ) -> Result<(), FitFileError> {
        for name in used {
            if !right.contains(&name.as_str()) {
                let hint = suggestion(name, right.iter().copied());
                return Err(
                    self.wrong(&format!("{table}.{name}"), format!("there is no {what} `{name}`{hint}"))
                );
            }
        }
        Ok(())
    }

    /// An error about a key, `table.key`, at its place; about the nearest table above it where it is not there.
    pub fn wrong(&self, key: &str, message: impl Into<String>) -> FitFileError {
        let mut path = key;
        loop {
            if let Some(place) = self.places.get(path) {
                return FitFileError::new(&self.file, place.clone(), message);
            }
            match path.rsplit_once('.') {
                Some((table, _)) => path = table,
                None => return FitFileError::new(&self.file, Place::Nowhere, message),
            }
        }
    }

    /// Where a model file that is not there stands after all, as the end of a sentence; nothing where it is there.
    #[must_use]
    pub fn stands_elsewhere(&self) -> String {
        let ModelSource::File(path) = &self.model else { return String::new() };
        let folder = std::path::absolute(self.file.parent().unwrap_or(Path::new(""))).unwrap_or_default();
        let relative = path.strip_prefix(folder).ok().filter(|_| !path.exists());
        match relative.filter(|relative| relative.is_file()) {
            Some(relative) => format!(
                "; paths in a fit file start from its own folder: for the file in the working folder write --set model={}",
                relative.display()
            ),
            None => String::new(),
        }
    }

    /// A relative path of the file (in `[model-options]`, say) from the fit file's folder.
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }
}

/// `model`: a path where it looks like one, else a name of the catalogue.
fn model(whole: &mut Reader<'_>) -> Result<ModelSource, FitFileError> {
    let place = whole.place("model");
    let Some(text) = whole.text("model")? else {
        return Err(
            whole.here("the key `model` is missing: a name of the catalogue, or the path of a model file")
        );
    };
    let is_path = text.contains(['/', '\\']) || text.ends_with(".toml");
    if is_path {
        Ok(ModelSource::File(whole.absolute(&text, place)?))
    } else {
        Ok(ModelSource::Catalogue(text))
    }
}

fn start(whole: &mut Reader<'_>) -> Result<BTreeMap<String, Vec<f64>>, FitFileError> {
    let mut table = whole.free_table("start")?;
    let mut start: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut several: Option<(String, usize)> = None;
    for key in table.keys() {
        let place = table.place(&key);
        let Some(values) = table.numbers(&key, ANY)? else { continue };
        if values.len() > MOST_STARTS {
            return Err(table.error(
                place,
                format!(
                    "`start.{key}` has {} values, but at most {MOST_STARTS} starts are run",
                    values.len()
                ),
            ));
        }
        if values.len() > 1 {
            match &several {
                Some((other, count)) if *count != values.len() => {
                    let message = format!(
                        "`start.{key}` has {} values and `start.{other}` has {count}: give as many, or one for all starts",
                        values.len()
                    );
                    return Err(table.error(place, message));
                }
                _ => several = Some((key.clone(), values.len())),
            }
        }
        start.insert(key, values);
    }
    Ok(start)
}

fn model_options(whole: &mut Reader<'_>) -> Result<BTreeMap<String, OptionChoice>, FitFileError> {
    let mut table = whole.free_table("model-options")?;
    let mut options = BTreeMap::new();
    for key in table.keys() {
        if let Some(node) = table.raw(&key) {
            let value = option_value(&node).map_err(|place| {
                table.error(
                    place,
                    format!("`model-options.{key}` holds a table, but must be a value or a list"),
                )
            })?;
            options.insert(key, value);
        }
    }
    Ok(options)
}

/// A value without tables; the place of the table where there is one.
fn option_value(node: &Node) -> Result<OptionChoice, Place> {
    Ok(match &node.value {
        Value::Boolean(flag) => OptionChoice::Flag(*flag),
        Value::Integer(number) => match i64::try_from(*number) {
            Ok(whole) => OptionChoice::Whole(whole),
            Err(_) => OptionChoice::Number(*number as f64),
        },
        Value::Float(number) => OptionChoice::Number(*number),
        Value::Text(text) => OptionChoice::Text(text.clone()),
        Value::List(items) => OptionChoice::List(items.iter().map(option_value).collect::<Result<_, _>>()?),
        Value::Table(_) => return Err(node.place.clone()),
    })
}

/// The place of every key, by its dotted path; and those that hold no table.
fn note_places(path: &str, table: &Table, places: &mut BTreeMap<String, Place>, written: &mut Vec<String>) {
    for (key, (place, node)) in table {
        let deeper = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match &node.value {
            Value::Table(inner) => note_places(&deeper, inner, places, written),
            _ => written.push(deeper.clone()),
        }
        places.insert(deeper, place.clone());
    }
}
