//! Checks the numeric options of an optimizer or search against what it takes.

use std::collections::BTreeMap;

use glauber_files::spelling::suggestion;

/// One option: its name, default, range and meaning.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Its name in a fit file.
    pub name: &'static str,
    /// Its value where none is given.
    pub default: f64,
    /// Whether a value is allowed.
    pub accepts: fn(f64) -> bool,
    /// The allowed values in words, after "must be".
    pub range: &'static str,
    /// What it is, in one sentence.
    pub meaning: &'static str,
}

/// What is wrong with a choice.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OptionError {
    /// No such optimizer or search.
    #[error("there is no {kind} `{name}`{hint}")]
    Unknown {
        /// "optimizer" or "search".
        kind: &'static str,
        /// The name found.
        name: String,
        /// The nearest right one, as the end of a sentence.
        hint: String,
    },
    /// An option it does not have.
    #[error("`{owner}` has no option `{name}`{hint}")]
    NotAnOption {
        /// The optimizer or search.
        owner: String,
        /// The option found.
        name: String,
        /// The nearest right one, as the end of a sentence.
        hint: String,
    },
    /// A value that is not allowed.
    #[error("`{name}` of `{owner}` is {found}, but must be {range}")]
    Range {
        /// The optimizer or search.
        owner: String,
        /// The option.
        name: String,
        /// The value found.
        found: f64,
        /// The allowed values in words.
        range: &'static str,
    },
}

impl OptionError {
    /// The option it is about, where it is about one.
    pub fn option(&self) -> Option<&str> {
        match self {
            OptionError::Unknown { .. } => None,
            OptionError::NotAnOption { name, .. } | OptionError::Range { name, .. } => Some(name),
        }
    }
}

/// Options that have been checked.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    specs: &'a [OptionSpec],
    given: &'a BTreeMap<String, f64>,
}

impl<'a> Options<'a> {
    /// Checks the given options against what `owner` takes.
    ///
    /// # Errors
    /// [`OptionError`] where one is unknown or out of its range.
    pub fn new(
        owner: &str,
        specs: &'a [OptionSpec],
        given: &'a BTreeMap<String, f64>,
    ) -> Result<Options<'a>, OptionError> {
        for (name, &found) in given {
            let spec =
                specs.iter().find(|spec| spec.name == *name).ok_or_else(|| OptionError::NotAnOption {
                    owner: owner.to_string(),
                    name: name.clone(),
                    hint: suggestion(name, specs.iter().map(|spec| spec.name)),
                })?;
            if !(spec.accepts)(found) {
                return Err(OptionError::Range {
                    owner: owner.to_string(),
                    name: name.clone(),
                    found,
                    range: spec.range,
                });
            }
        }
        Ok(Options { specs, given })
    }

    /// The value of an option: the one given, else its default, else (a name that is not in the list) NaN.
    pub fn get(&self, name: &str) -> f64 {
        let default =
            || self.specs.iter().find(|spec| spec.name == name).map_or(f64::NAN, |spec| spec.default);
        self.given.get(name).copied().unwrap_or_else(default)
    }
}
