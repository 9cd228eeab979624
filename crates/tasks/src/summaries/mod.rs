//! Lists the summaries: numbers taken from a state, at chosen steps, that a trajectory is compared by.
//!
//! A summary is written as its name, with what it is of in brackets: `msd`, `mean(aware)`, `count(aware=1)`,
//! `correlation(A, 1, 2, 4)`. Each is an [`Observation`] of the engine, so its derivative flows back through the
//! rollout: a traced program where instructions suffice, code with an exact way back where they do not (`spectrum`).
//!
//! ```
//! use glauber_tasks::summaries::{SummaryChoice, observation};
//! use glauber_models::{ModelOptions, named};
//! let model = named("susceptible-infected", &ModelOptions::none())?;
//! let choice: SummaryChoice = "correlation(aware, 1, 2)".parse()?;
//! assert_eq!(observation(&choice, &model)?.outputs(), ["distance 1", "distance 2"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod correlation;
mod count;
mod mean;
mod msd;
mod selection;
mod spectrum;
mod variance;

use glauber_engine::Observation;
use glauber_program::{Model, ModelError, nearest_name};

pub use selection::Selection;

/// One summary of the list.
#[derive(Clone, Copy)]
pub struct SummaryEntry {
    /// Its name, as in a fit file.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    make: fn(&Model, &Arguments) -> Result<Observation, SummaryError>,
}

/// Every summary. To add one: a file beside this one, and a line here.
pub const SUMMARIES: &[SummaryEntry] = &[
    SummaryEntry {
        name: "msd",
        usage: "msd",
        about: "mean squared displacement of the layers x, y (and z) from the origin",
        make: msd::observation,
    },
    SummaryEntry {
        name: "mean",
        usage: "mean(LAYER) or mean(LAYER=STATE), or several",
        about: "mean of a layer, or share of the sites in a state",
        make: mean::observation,
    },
    SummaryEntry {
        name: "count",
        usage: "count(LAYER) or count(LAYER=STATE), or several",
        about: "sum of a layer, or number of sites in a state",
        make: count::observation,
    },
    SummaryEntry {
        name: "blocks",
        usage: "blocks(LAYER=STATE, PARTS, …), with how many parts each axis is cut into",
        about: "sum of a layer, or number of sites in a state, in each block of the lattice",
        make: blocks::observation,
    },
    SummaryEntry {
        name: "variance",
        usage: "variance(LAYER) or variance(LAYER=STATE)",
        about: "variance over the sites",
        make: variance::observation,
    },
    SummaryEntry {
        name: "correlation",
        usage: "correlation(LAYER, DISTANCE, …)",
        about: "two-point correlation along the axes at these distances",
        make: correlation::observation,
    },
    SummaryEntry {
        name: "spectrum",
        usage: "spectrum(LAYER)",
        about: "power per wave number, averaged over all directions",
        make: spectrum::observation,
    },
];

/// What is wrong with the choice of a summary.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SummaryError {
    /// A name that is not in the list.
    #[error("there is no summary `{name}`{}", match .nearest {
        Some(n) => format!(": did you mean `{n}`?"),
        None => format!("; there are {}", SUMMARIES.iter().map(|e| e.name).collect::<Vec<_>>().join(", ")),
    })]
    Name {
        /// What was asked for.
        name: String,
        /// The name most like it.
        nearest: Option<String>,
    },
    /// Not written as a summary.
    #[error("`{text}` is no summary: {why}; write {usage}")]
    Form {
        /// What was found.
        text: String,
        /// What is wrong with it.
        why: String,
        /// How it is written.
        usage: String,
    },
    /// A layer or a state that the model has not.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model has not what the summary is of.
    #[error("the summary `{summary}` of model `{model}`: {why}")]
    Unfit {
        /// The summary.
        summary: String,
        /// The model.
        model: String,
        /// What is missing.
        why: String,
    },
}

/// What stands in a summary's brackets.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Arguments(Vec<String>);

/// A summary as a person writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryChoice {
    text: String,
    name: String,
    arguments: Arguments,
}

impl std::fmt::Display for SummaryChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for SummaryChoice {
    type Err = SummaryError;

    fn from_str(text: &str) -> Result<SummaryChoice, SummaryError> {
        let form = |why: &str| SummaryError::Form {
            text: text.to_string(),
            why: why.to_string(),
            usage: "NAME or NAME(LAYER, …)".to_string(),
        };
        let trimmed = text.trim();
        let (name, arguments) = match trimmed.split_once('(') {
            None => (trimmed, Vec::new()),
            Some((name, rest)) => {
                let inside =
                    rest.strip_suffix(')').ok_or_else(|| form("the bracket does not close at its end"))?;
                (name.trim(), inside.split(',').map(|a| a.trim().to_string()).collect())
            }
        };
        if name.is_empty() || arguments.iter().any(String::is_empty) {
            return Err(form("something is empty"));
        }
        Ok(SummaryChoice {
            text: trimmed.to_string(),
            name: name.to_string(),
            arguments: Arguments(arguments),
        })
    }
}

impl SummaryChoice {
    /// Its line of the list.
    ///
    /// # Errors
    /// [`SummaryError::Name`] where there is none.
    pub fn entry(&self) -> Result<&'static SummaryEntry, SummaryError> {
        SUMMARIES.iter().find(|e| e.name == self.name).ok_or_else(|| SummaryError::Name {
            name: self.name.clone(),
            nearest: nearest_name(&self.name, SUMMARIES.iter().map(|e| e.name)),
        })
    }

    /// Whether gradients flow through it. A share of sites with one of three or more numbers of particles has no useful
    /// derivative by that number: it is for data, for searches and for the score function.
    pub fn is_differentiable(&self, model: &Model) -> bool {
        let mut selections = self.arguments.0.iter().map(|a| Selection::parse(model, a));
        // What comes later may be a distance or a number of parts.
        selections.next().is_none_or(|first| first.is_ok_and(|s| s.is_differentiable(model)))
            && selections.flatten().all(|s| s.is_differentiable(model))
    }
}

/// The observation that takes a summary of a model's state.
///
/// # Errors
/// [`SummaryError`] where the name, the layer, the state or a distance is wrong.
pub fn observation(choice: &SummaryChoice, model: &Model) -> Result<Observation, SummaryError> {
    let entry = choice.entry()?;
    (entry.make)(model, &choice.arguments).map_err(|error| match error {
        // What a summary says of its arguments is put into the whole text.
        SummaryError::Form { why, .. } => {
            SummaryError::Form { text: choice.text.clone(), why, usage: entry.usage.to_string() }
        }
        other => other,
    })
}

impl Arguments {
    /// Layers, or layers and their states, each with a name: as it is written, or `alone` where it is the only one.
    fn each(&self, model: &Model, alone: &str) -> Result<Vec<(String, Selection)>, SummaryError> {
        if self.0.len() < 2 {
            return Ok(vec![(alone.to_string(), self.only(model)?)]);
        }
        if let Some(twice) = (1..self.0.len()).find(|i| self.0[..*i].contains(&self.0[*i])) {
            return Err(wrong(format!("`{}` stands there twice", self.0[twice])));
        }
        self.0.iter().map(|text| Ok((text.clone(), Selection::parse(model, text)?))).collect()
    }

    /// The only argument: a layer, or a layer and its state.
    fn only(&self, model: &Model) -> Result<Selection, SummaryError> {
        match &self.0[..] {
            [one] => Selection::parse(model, one),
            all => Err(wrong(format!("it takes one layer, but has {} arguments", all.len()))),
        }
    }
}

/// An error about the arguments; [`observation`] adds the text and how it is written.
fn wrong(why: impl Into<String>) -> SummaryError {
    SummaryError::Form { text: String::new(), why: why.into(), usage: String::new() }
}
