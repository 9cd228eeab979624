//! Reads the options a catalogue model takes: lattice shape, boundary, capacity and the like.

use std::collections::BTreeMap;

use glauber_lattice::{
    Boundary, Hexagonal, Lattice, LatticeError, Moore, Neighbourhood, Neighbours, VonNeumann,
};
use glauber_program::{ModelError, Update, nearest_name};

/// An option that chooses slopes: its name, and each of its values in words.
pub type Slopes = (&'static str, &'static [(&'static str, &'static str)]);

/// The value of one option.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Several numbers.
    List(Vec<f64>),
}

/// An option of a model that is one number, one word or yes and no: what it may be, and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionSetting {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub allowed: Allowed,
    /// What it is: what was given, else its default.
    pub value: OptionValue,
}

/// What an option may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Allowed {
    /// A whole number from the first to the second, both included.
    Whole(i32, i32),
    /// A number from the first to the second, both included.
    Number(f64, f64),
    /// One of these words.
    Words(Vec<&'static str>),
    /// Yes or no.
    Flag,
}

/// What is wrong with a model's name or options.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CatalogueError {
    /// A name that is not in the catalogue.
    #[error("there is no model called `{name}`{}; `glauber models` lists them", match .nearest {
        Some(n) => format!(": did you mean `{n}`?"),
        None => String::new(),
    })]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// The name most like it.
        nearest: Option<String>,
    },
    /// An option the model does not take.
    #[error("model `{model}` has no option `{name}`{}", match .nearest {
        _ if name == "update" => "; another update than its own is given to the model that is loaded, where its rule can be applied \
                                  so: .with_update(…) in Python, Model::updated in Rust".to_string(),
        Some(n) => format!(": did you mean `{n}`?"),
        None => format!("; it takes {}", known.join(", ")),
    })]
    UnknownOption {
        /// The model.
        model: String,
        /// What was given.
        name: String,
        /// The option most like it.
        nearest: Option<String>,
        /// All its options.
        known: Vec<String>,
    },
    /// An option with a value it cannot have.
    #[error("option `{name}` of model `{model}` is {found}: give {wanted}")]
    BadOption {
        /// The model.
        model: String,
        /// The option.
        name: String,
        /// What was given.
        found: String,
        /// What is allowed.
        wanted: String,
    },
    /// A shape that is no lattice.
    #[error(transparent)]
    Lattice(#[from] LatticeError),
    /// A mistake in the model itself.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The options given for a model; each is taken once, and what is left over is an error.
///
/// ```
/// use glauber_models::ModelOptions;
/// let options = ModelOptions::none().with("shape", vec![32.0, 48.0]);
/// let model = glauber_models::named("susceptible-infected", &options)?;
/// assert_eq!(model.declarations().lattice.shape(), &[32, 48]);
/// # Ok::<(), glauber_models::CatalogueError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelOptions(BTreeMap<String, OptionValue>);

impl std::fmt::Display for OptionValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OptionValue::Number(x) => write!(f, "{x}"),
            OptionValue::Text(s) => write!(f, "\"{s}\""),
            OptionValue::Flag(x) => write!(f, "{x}"),
            OptionValue::List(list) => {
                let numbers: Vec<String> = list.iter().map(f64::to_string).collect();
                write!(f, "[{}]", numbers.join(", "))
            }
        }
    }
}

impl From<f64> for OptionValue {
    fn from(x: f64) -> OptionValue {
        OptionValue::Number(x)
    }
}
impl From<&str> for OptionValue {
    fn from(x: &str) -> OptionValue {
        OptionValue::Text(x.to_string())
    }
}
impl From<bool> for OptionValue {
    fn from(x: bool) -> OptionValue {
        OptionValue::Flag(x)
    }
}
impl From<Vec<f64>> for OptionValue {
    fn from(x: Vec<f64>) -> OptionValue {
        OptionValue::List(x)
    }
}

impl ModelOptions {
    /// No options: the model's defaults.
    pub fn none() -> ModelOptions {
        ModelOptions::default()
    }

    /// The same options with one more.
    pub fn with(mut self, name: &str, value: impl Into<OptionValue>) -> ModelOptions {
        self.0.insert(name.to_string(), value.into());
        self
    }

    /// Sets an option.
    pub fn set(&mut self, name: &str, value: OptionValue) {
        self.0.insert(name.to_string(), value);
    }

    /// The options by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OptionValue)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v))
    }
}

/// Takes a model's options one by one.
#[derive(Debug)]
pub struct OptionReader<'a> {
    model: String,
    options: &'a ModelOptions,
    known: Vec<String>,
    settings: Vec<OptionSetting>,
}

impl<'a> OptionReader<'a> {
    /// Reads these options of a model of this name.
    pub fn new(model: &str, options: &'a ModelOptions) -> OptionReader<'a> {
        OptionReader { model: model.to_string(), options, known: Vec::new(), settings: Vec::new() }
    }

    fn get(&mut self, name: &str) -> Option<&'a OptionValue> {
        if self.known.iter().all(|own| own != name) {
            self.known.push(name.to_string());
        }
        self.options.0.get(name)
    }

    /// Notes what an option may be and is.
    fn setting(&mut self, name: &str, allowed: Allowed, value: OptionValue) {
        if self.settings.iter().all(|s| s.name != name) {
            self.settings.push(OptionSetting { name: name.to_string(), allowed, value });
        }
    }

    /// The options that were asked for so far, but lists, each with what it may be and what it is.
    pub fn settings(&self) -> &[OptionSetting] {
        &self.settings
    }

    fn bad(&self, name: &str, found: &OptionValue, wanted: &str) -> CatalogueError {
        CatalogueError::BadOption {
            model: self.model.clone(),
            name: name.to_string(),
            found: found.to_string(),
            wanted: wanted.to_string(),
        }
    }

    /// A whole number within a range.
    pub fn whole(
        &mut self,
        name: &str,
        default: i32,
        lowest: i32,
        highest: i32,
    ) -> Result<i32, CatalogueError> {
        let value = match self.get(name) {
            None => default,
            Some(OptionValue::Number(x))
                if x.fract().abs() < f64::EPSILON && *x >= f64::from(lowest) && *x <= f64::from(highest) =>
            {
                *x as i32
            }
            Some(other) => {
                return Err(self.bad(name, other, &format!("a whole number from {lowest} to {highest}")));
            }
        };
        self.setting(name, Allowed::Whole(lowest, highest), OptionValue::Number(f64::from(value)));
        Ok(value)
    }

    /// One of several words; the first is the default.
    pub fn choice(
        &mut self,
        name: &'static str,
        words: &[&'static str],
    ) -> Result<&'static str, CatalogueError> {
        let word = match self.get(name) {
            None => words[0],
            Some(OptionValue::Text(word)) if words.contains(&word.as_str()) => {
                words.iter().find(|w| **w == word.as_str()).copied().unwrap_or(words[0])
            }
            Some(other) => return Err(self.bad(name, other, &format!("one of {}", words.join(", ")))),
        };
        self.setting(name, Allowed::Words(words.to_vec()), OptionValue::Text(word.to_string()));
        Ok(word)
    }

    /// Yes or no.
    pub fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, CatalogueError> {
        let value = match self.get(name) {
            None => default,
            Some(OptionValue::Flag(x)) => *x,
            Some(other) => return Err(self.bad(name, other, "true or false")),
        };
        self.setting(name, Allowed::Flag, OptionValue::Flag(value));
        Ok(value)
    }

    /// A number within a range.
    pub fn number(
        &mut self,
        name: &str,
        default: f64,
        lowest: f64,
        highest: f64,
    ) -> Result<f64, CatalogueError> {
        let value = match self.get(name) {
            None => default,
            Some(OptionValue::Number(x)) if *x >= lowest && *x <= highest => *x,
            Some(other) => {
                return Err(self.bad(name, other, &format!("a number from {lowest} to {highest}")));
            }
        };
        self.setting(name, Allowed::Number(lowest, highest), OptionValue::Number(value));
        Ok(value)
    }

    /// The option `shape`, where it is given.
    pub fn shape(&mut self) -> Result<Option<Vec<usize>>, CatalogueError> {
        match self.get("shape") {
            None => Ok(None),
            Some(OptionValue::List(lengths))
                if lengths.iter().all(|x| x.fract().abs() < f64::EPSILON && *x >= 0.0 && *x < 1e9) =>
            {
                Ok(Some(lengths.iter().map(|x| *x as usize).collect()))
            }
            // A line may be said by its length alone.
            Some(OptionValue::Number(x)) if x.fract().abs() < f64::EPSILON && *x >= 0.0 && *x < 1e9 => {
                Ok(Some(vec![*x as usize]))
            }
            Some(other) => Err(self.bad("shape", other, "a list of lengths, such as [64, 64]")),
        }
    }

    /// The option `neighbourhood`: one of `moore`, `von-neumann`, `hexagonal`; the first of `names` if not given.
    pub fn neighbourhood(
        &mut self,
        names: &[&'static str],
        lattice: &Lattice,
    ) -> Result<Neighbourhood, CatalogueError> {
        let dimensions = lattice.dimensions();
        let name = self.choice("neighbourhood", names)?;
        if name == "hexagonal" && Hexagonal.refusal(dimensions).is_some() {
            return Err(self.refuse("neighbourhood", "hexagonal only where the shape has two lengths"));
        }
        Ok(match name {
            "von-neumann" => VonNeumann.on(dimensions),
            "hexagonal" => Hexagonal.on(dimensions),
            _ => Moore.on(dimensions),
        })
    }

    /// The option `shape` where it must be one length.
    pub fn one_length(&mut self, default: usize) -> Result<Vec<usize>, CatalogueError> {
        match self.shape()? {
            None => Ok(vec![default]),
            Some(shape) if shape.len() == 1 => Ok(shape),
            Some(_) => Err(self.refuse("shape", &format!("one length, such as [{default}]"))),
        }
    }

    /// The options `shape`, where it must be one length, and `boundary`.
    pub fn line(&mut self, default: usize) -> Result<Lattice, CatalogueError> {
        self.one_length(default)?;
        self.lattice(&[default])
    }

    /// The error that an option is not what is wanted.
    pub fn refuse(&self, name: &str, wanted: &str) -> CatalogueError {
        match self.options.0.get(name) {
            Some(found) => self.bad(name, found, wanted),
            None => self.bad(name, &OptionValue::Text("default".into()), wanted),
        }
    }

    /// Several different whole numbers from 0 to `highest`.
    pub fn counts(&mut self, name: &str, default: &[i32], highest: i32) -> Result<Vec<i32>, CatalogueError> {
        let is_count = |x: &f64| x.fract().abs() < f64::EPSILON && *x >= 0.0 && *x <= f64::from(highest);
        match self.get(name) {
            None => Ok(default.to_vec()),
            Some(OptionValue::List(list)) if list.len() < 100 && list.iter().all(is_count) => {
                let mut counts: Vec<i32> = list.iter().map(|x| *x as i32).collect();
                counts.sort_unstable();
                counts.dedup();
                Ok(counts)
            }
            Some(other) => {
                Err(self.bad(name, other, &format!("a list of whole numbers from 0 to {highest}")))
            }
        }
    }

    /// Whether an option is given as this word.
    pub fn is(&self, name: &str, word: &str) -> bool {
        matches!(self.options.0.get(name), Some(OptionValue::Text(found)) if found == word)
    }

    /// Whether an option is given.
    pub fn has(&self, name: &str) -> bool {
        self.options.0.contains_key(name)
    }

    /// The lattice: `shape` (lengths) and `boundary` (periodic, reflecting or fixed at 0).
    pub fn lattice(&mut self, default: &[usize]) -> Result<Lattice, CatalogueError> {
        self.lattice_within(default, &["periodic", "reflecting", "fixed"])
    }

    /// The lattice whose boundary is one of these, the first if not given.
    pub(crate) fn lattice_within(
        &mut self,
        default: &[usize],
        boundaries: &[&'static str],
    ) -> Result<Lattice, CatalogueError> {
        let shape = self.shape()?.unwrap_or_else(|| default.to_vec());
        let boundary = match self.choice("boundary", boundaries)? {
            "reflecting" => Boundary::Reflecting,
            "fixed" => Boundary::Fixed(0.0),
            _ => Boundary::Periodic,
        };
        Ok(Lattice::new(&shape)?.bounded(boundary))
    }

    /// The option `update`: one of these schemes, the first if not given.
    pub fn update(&mut self, words: &[&'static str]) -> Result<Update, CatalogueError> {
        let word = self.choice("update", words)?;
        word.parse().map_err(|_| self.refuse("update", &words.join(", ")))
    }

    /// Refuses options that were never asked for.
    pub fn finish(self) -> Result<(), CatalogueError> {
        for name in self.options.0.keys() {
            if !self.known.contains(name) {
                return Err(CatalogueError::UnknownOption {
                    model: self.model.to_string(),
                    name: name.clone(),
                    nearest: nearest_name(name, self.known.iter().map(String::as_str)),
                    known: self.known.clone(),
                });
            }
        }
        Ok(())
    }
}
