//! Makes what is shown of a name or a file, again whenever the file changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use glauber_arrays::{ReadLimits, read_arrays};
use glauber_fit::fit_file::{FitFile, Value as FitValue};
use glauber_fit::problem::Shown;
use glauber_model_file::{CovariateSource, Loaded, load};
use glauber_models::{Allowed, MODELS, ModelOptions, OptionValue, with_settings};
use glauber_program::Model;
use glauber_tasks::covariates::{Covariates, read_covariates};
use glauber_tasks::states::States;
use serde_json::{Value, json};

use crate::cells::{self, CellsStage};
use crate::lattice_stage::{Command, LatticeStage};
use crate::observed::Observed;
use crate::remains::Remains;
use crate::stage::{Stage, shell};

/// Larger lattices are not shown: a page holds several copies of one, and a step of it takes longer than a picture may.
const MOST_SITES: usize = 1 << 24;
/// A longer model file is not compared with what it was.
const MOST_TEXT: u64 = 1 << 22;

/// A model by name or path, with its options and data per site, and the values its parameters begin with.
#[derive(Clone, Debug)]
pub struct Source {
    /// A name of the catalogue, a model file's path, or `cellular-potts`.
    pub model: String,
    /// Its options.
    pub options: ModelOptions,
    /// Covariates by name.
    pub covariates: Vec<(String, CovariateSource)>,
    /// Parameters that begin elsewhere than at their defaults.
    pub parameters: Vec<(String, f64)>,
    /// The first seed.
    pub seed: u64,
    /// A model that was handed over, in place of one by name or path.
    made: Option<(Model, Covariates)>,
    /// What fits left in their folders: courses, and draws from a posterior.
    pub remains: Arc<Remains>,
    /// States that were observed, to be seen beside the model's.
    pub observed: Option<Arc<States>>,
    /// Whether those are the data of a fit that is shown with its own model.
    of_fit: bool,
    /// What there is to say of how all this was read.
    pub notes: Vec<String>,
    /// The rule as its author wrote it, of a model that was handed over.
    pub rule: String,
}

/// What a file was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen(Option<(SystemTime, u64)>);

impl Source {
    /// A model with these options, at its defaults.
    pub fn new(model: &str, options: ModelOptions) -> Source {
        Source {
            model: model.to_string(),
            options,
            covariates: Vec::new(),
            parameters: Vec::new(),
            seed: 1,
            made: None,
            remains: Arc::default(),
            observed: None,
            of_fit: false,
            notes: Vec::new(),
            rule: String::new(),
        }
    }

    /// A model that was made elsewhere, with the data per site that it reads.
    pub fn of_model(model: Model, covariates: Covariates) -> Source {
        let name = model.name().to_string();
        Source { made: Some((model, covariates)), ..Source::new(&name, ModelOptions::none()) }
    }

    /// The model of a fit with the values of its first start, beside the states that it is fitted to, with the course it took
    /// and draws from its posterior, where it was run. `path` is a fit file, whose run is looked for where `glauber fit` and
    /// `glauber posterior` put it, or the folder of a run. `own` is a model in place of the fit's: where it is the same one,
    /// its options go before those of the fit.
    ///
    /// # Errors
    /// In words, where there is no such fit or its model or data cannot be had.
    pub fn of_fit(path: &Path, own: Option<Source>) -> Result<Source, String> {
        let remains = Remains::of_fit(path)?;
        let file = if path.is_dir() { path.join("fit.toml") } else { path.to_path_buf() };
        let shown = if path.is_dir() && !file.is_file() {
            None
        } else {
            let file = FitFile::load(&file, &[]).map_err(|error| error.to_string())?;
            Some(Shown::read(&file).map_err(|error| error.to_string())?)
        };
        let Some(mut shown) = shown else {
            let own = own.ok_or_else(|| {
                format!("{} holds no fit.toml, which would say the model: name the model too", path.display())
            })?;
            return Ok(Source { remains: Arc::new(remains), ..own });
        };
        // The sliders begin where the course that is shown first does.
        for (name, value) in remains.parameters(0, 0).unwrap_or_default() {
            shown.parameters.iter_mut().filter(|(own, _)| own == name).for_each(|own| own.1 = value);
        }
        let theirs = Source {
            covariates: shown.covariates,
            parameters: shown.parameters,
            observed: shown.states.map(Arc::new),
            of_fit: true,
            notes: shown.notes,
            remains: Arc::new(remains),
            ..Source::new(&shown.model, shown.options)
        };
        let Some(own) = own else { return Ok(theirs) };
        let full = |model: &str| std::fs::canonicalize(model).ok();
        let is_same = own.made.is_none()
            && (own.model == theirs.model
                || full(&own.model).is_some_and(|path| full(&theirs.model) == Some(path)));
        if !is_same {
            let Source { observed, remains, notes, .. } = theirs;
            return Ok(Source { observed, remains, notes, ..own });
        }
        let mut all = theirs;
        own.options.iter().for_each(|(name, value)| all.options.set(name, value.clone()));
        all.covariates.retain(|(name, _)| !own.covariates.iter().any(|(given, _)| given == name));
        all.covariates.extend(own.covariates);
        Ok(all)
    }

    /// The same beside observed states, read from a file as a fit would read them.
    ///
    /// # Errors
    /// In words, where they cannot be had or are not of this model.
    pub fn beside(mut self, data: &Path) -> Result<Source, String> {
        if let Some((model, _)) = &self.made {
            let arrays = read_arrays(data, ReadLimits::default()).map_err(|error| error.to_string())?;
            let states = States::from_arrays(model.declarations(), &arrays);
            self.observed = Some(Arc::new(states.map_err(|error| format!("{}: {error}", data.display()))?));
            return Ok(self);
        }
        let words = |text: &str| FitValue::Text(text.to_string());
        let path = |path: &Path| {
            let full = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok::<_, String>(words(&full.display().to_string()))
        };
        let model = match self.file() {
            Some(file) => path(&file)?,
            None => words(&self.model),
        };
        let options = self.options.iter().map(|(name, value)| (name.to_string(), value_of(value)));
        let tables = [
            ("model".to_string(), model),
            ("task".to_string(), words("transition")),
            ("model-options".to_string(), FitValue::table(options)),
            ("data".to_string(), FitValue::table([("states".to_string(), path(data)?)])),
        ];
        let FitValue::Table(tables) = FitValue::table(tables) else { return Ok(self) };
        let file = FitFile::from_tables(tables, Path::new("the data"), Path::new(""));
        let shown = Shown::read(&file.map_err(|error| error.to_string())?);
        // What a fit file would say in a table is an option here.
        let shown = shown.map_err(|error| {
            error
                .to_string()
                .replace("set the lattice's shape under [model-options]", "set it by the option `shape`")
        })?;
        self.observed = shown.states.map(Arc::new);
        self.notes.extend(shown.notes);
        Ok(self)
    }

    /// The model file, if it is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        let is_name = self.model == cells::NAME || MODELS.iter().any(|entry| entry.name == self.model);
        (!is_name && self.made.is_none()).then(|| PathBuf::from(&self.model))
    }

    /// What the model file is now.
    pub(crate) fn look(&self) -> Seen {
        let known = self.file().and_then(|path| std::fs::metadata(path).ok());
        Seen(known.and_then(|m| Some((m.modified().ok()?, m.len()))))
    }

    /// What the model file says now.
    pub(crate) fn text(&self) -> Option<String> {
        let path = self.file()?;
        // A pipe is not waited for.
        let known = std::fs::metadata(&path).ok()?;
        (known.is_file() && known.len() < MOST_TEXT).then(|| std::fs::read_to_string(path).ok())?
    }

    /// Something that runs, at its start.
    ///
    /// # Errors
    /// Why there is none, as the command line says it.
    pub(crate) fn stage(&self, threads: usize) -> Result<Box<dyn Stage>, String> {
        let mut stage: Box<dyn Stage> = if self.model == cells::NAME && self.made.is_none() {
            if !self.covariates.is_empty() {
                return Err("the Cellular Potts model reads no covariate".into());
            }
            Box::new(CellsStage::new(&self.options)?)
        } else {
            Box::new(self.lattice_stage(threads)?)
        };
        for (name, value) in &self.parameters {
            stage.set(name, *value)?;
        }
        stage.restart(self.seed)?;
        Ok(stage)
    }

    fn lattice_stage(&self, threads: usize) -> Result<LatticeStage, String> {
        let mut notes = self.notes.clone();
        let (model, covariates) = match &self.made {
            Some(made) => made.clone(),
            None => {
                let loaded: Loaded = load(&self.model, &self.options).map_err(|error| error.to_string())?;
                let covariates = read_covariates(&loaded, &self.covariates, &mut notes)
                    .map_err(|error| error.to_string())?;
                (loaded.model, covariates)
            }
        };
        let sites = model.declarations().lattice.sites();
        if sites > MOST_SITES {
            return Err(format!(
                "model `{}` has {sites} sites, and at most {MOST_SITES} are shown, 4096 by 4096: choose fewer (`glauber simulate` runs \
                 larger ones)",
                model.name()
            ));
        }
        notes.extend(model.notes());
        let rule = match self.file() {
            Some(path) => text_of(&path)?,
            None => self.rule.clone(),
        };
        let mut observed = self.observed.clone().map(Observed::new);
        if let Some(seen) = &observed {
            let (found, wanted) = (seen.states.sites, model.declarations().lattice.sites());
            let (theirs, layers) = (seen.states.layers.len(), model.declarations().layers.len());
            if (found, theirs) != (wanted, layers) {
                // Fits simulate walkers one by one, for example, of which the model has many.
                let said = format!(
                    "the observed states have {found} sites and {theirs} layers, the model {wanted} and {layers}"
                );
                if !self.of_fit {
                    return Err(format!(
                        "{said}: they are not of this model; where only its lattice is another, say it: --option shape=[…]"
                    ));
                }
                notes.push(format!("{said}: they are not shown"));
                observed = None;
            }
        }
        let command = if self.made.is_some() { Command::Python } else { Command::Shell(self.command()) };
        LatticeStage::new(model, covariates, notes, rule, command, threads, observed)
    }

    /// The command that simulates this, up to its parameters.
    fn command(&self) -> String {
        let mut command = format!("glauber simulate {}", shell(&self.model));
        for (name, value) in self.options.iter() {
            let value = match value {
                OptionValue::Text(word) => word.clone(),
                other => other.to_string().replace(' ', ""),
            };
            command += &format!(" --option {}", shell(&format!("{name}={value}")));
        }
        for (name, source) in &self.covariates {
            let value = match source {
                CovariateSource::Constant(number) => number.to_string(),
                CovariateSource::File(path) => path.display().to_string(),
            };
            command += &format!(" --covariate {}", shell(&format!("{name}={value}")));
        }
        command
    }

    /// The options of a catalogue model that are one number, word or flag.
    pub(crate) fn settings(&self) -> Vec<Value> {
        let is_cells = self.model == cells::NAME && self.made.is_none();
        let settings = if is_cells {
            cells::settings(&self.options)
        } else if self.made.is_none() && MODELS.iter().any(|entry| entry.name == self.model) {
            with_settings(&self.model, &self.options).map(|(_, settings)| settings).unwrap_or_default()
        } else {
            Vec::new()
        };
        let described = settings.iter().map(|setting| {
            let value = match &setting.value {
                OptionValue::Number(x) => json!(x),
                OptionValue::Flag(x) => json!(x),
                other => json!(other.to_string().trim_matches('"')),
            };
            let (kind, low, high, words) = match &setting.allowed {
                Allowed::Whole(low, high) => ("whole", json!(low), json!(high), json!(null)),
                Allowed::Number(low, high) => ("number", json!(low), json!(high), json!(null)),
                Allowed::Words(words) => ("words", json!(null), json!(null), json!(words)),
                Allowed::Flag => ("flag", json!(null), json!(null), json!(null)),
            };
            let unit = cells::unit_of_option(&setting.name).filter(|_| is_cells);
            json!({
                "name": setting.name, "kind": kind, "low": low, "high": high, "words": words, "value": value, "unit": unit,
            })
        });
        described.collect()
    }
}

/// An option as a fit file has it.
fn value_of(value: &OptionValue) -> FitValue {
    match value {
        OptionValue::Number(x) if x.fract().abs() < f64::EPSILON && x.abs() < 1e15 => {
            FitValue::Integer(*x as i128)
        }
        OptionValue::Number(x) => FitValue::Float(*x),
        OptionValue::Text(word) => FitValue::Text(word.clone()),
        OptionValue::Flag(x) => FitValue::Boolean(*x),
        OptionValue::List(list) => FitValue::list(list.iter().map(|x| value_of(&OptionValue::Number(*x)))),
    }
}

/// The text of a model file, of a size that a page can show.
fn text_of(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.chars().take(100_000).collect())
}
