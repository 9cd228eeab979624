//! Lists the optimizers: rules that turn a gradient into a step.
//!
//! An optimizer is two functions: what it remembers at first, and what one gradient does. All it remembers is its
//! [`Memory`], plain numbers that a checkpoint stores. It moves *free coordinates* (see [`crate::maps`]).
//!
//! To add one: a file with an `ENTRY`, and its line in [`OPTIMIZERS`]; the contract tests and the fit file's
//! `[optimizer]` table sweep that list.
//!
//! ```
//! use glauber_optimize::optimizers::Choice;
//! let adam = Choice::new("adam").build().unwrap();
//! let (mut point, mut memory) = (vec![1.0], adam.begin(1));
//! adam.step(&mut memory, &mut point, &[2.0], 0.1); // d/dx x² at 1
//! assert!((point[0] - 0.9).abs() < 1e-7);
//! ```

mod adam;
mod nesterov;
mod options;
mod rprop;
mod sgd;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use options::{OptionError, OptionSpec, Options};

use glauber_files::spelling::suggestion;

/// Every optimizer, by name.
pub const OPTIMIZERS: &[OptimizerEntry] = &[adam::ENTRY, sgd::ENTRY, nesterov::ENTRY, rprop::ENTRY];

/// One optimizer of the list.
#[derive(Clone, Copy, Debug)]
pub struct OptimizerEntry {
    /// Its name in a fit file.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// The options it takes.
    pub options: &'static [OptionSpec],
    /// The learning rate that suits most losses; `None` where it depends on the loss's scale and must be given.
    pub usual_rate: Option<f64>,
    /// Whether it uses the signs of the gradient's numbers alone, not their sizes.
    pub by_sign: bool,
    /// Makes it from its options.
    pub build: fn(&Options<'_>) -> Box<dyn Optimizer>,
}

/// A rule that turns gradients into steps.
pub trait Optimizer: std::fmt::Debug + Send + Sync {
    /// What it remembers before the first step, for a point of this many numbers.
    fn begin(&self, length: usize) -> Memory;

    /// Moves `point` downhill, given the gradient there and the learning rate, and updates what it remembers.
    fn step(&self, memory: &mut Memory, point: &mut [f64], gradient: &[f64], rate: f64);
}

/// Everything an optimizer remembers between steps: named lists of numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The lists, in the optimizer's own order.
    pub slots: Vec<Slot>,
}

/// One list of an optimizer's memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// What the numbers are.
    pub name: String,
    /// One per number of the point, or a few for the whole.
    pub values: Vec<f64>,
}

impl Memory {
    /// A memory with these lists.
    pub fn with(slots: impl IntoIterator<Item = (&'static str, Vec<f64>)>) -> Memory {
        let slots = slots.into_iter().map(|(name, values)| Slot { name: name.to_string(), values });
        Memory { slots: slots.collect() }
    }

    /// Whether the other has the same lists with the same lengths.
    pub fn has_form_of(&self, other: &Memory) -> bool {
        let form = |memory: &Memory| {
            memory.slots.iter().map(|s| (s.name.clone(), s.values.len())).collect::<Vec<_>>()
        };
        form(self) == form(other)
    }

    /// The first `N` lists; empty where there are fewer.
    pub(crate) fn values<const N: usize>(&self) -> [&[f64]; N] {
        std::array::from_fn(|i| self.slots.get(i).map_or(&[][..], |slot| &slot.values[..]))
    }

    /// The first `N` lists, to write to. A memory of another optimizer is a bug of the caller and gives empty lists.
    pub(crate) fn lists<const N: usize>(&mut self) -> [&mut [f64]; N] {
        let mut slots = self.slots.iter_mut();
        std::array::from_fn(|_| slots.next().map_or(&mut [][..], |slot| &mut slot.values[..]))
    }
}

/// An optimizer chosen by name, with options: data that can be written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Choice {
    /// A name of [`OPTIMIZERS`].
    pub name: String,
    /// Options that differ from their defaults.
    #[serde(default, flatten)]
    pub options: BTreeMap<String, f64>,
}

impl Choice {
    /// An optimizer with its default options.
    pub fn new(name: &str) -> Choice {
        Choice { name: name.to_string(), options: BTreeMap::new() }
    }

    /// The same with one option set.
    #[must_use]
    pub fn with(mut self, option: &str, value: f64) -> Choice {
        self.options.insert(option.to_string(), value);
        self
    }

    /// Its entry in the list.
    ///
    /// # Errors
    /// [`OptionError::Unknown`] where no optimizer has this name.
    pub fn entry(&self) -> Result<&'static OptimizerEntry, OptionError> {
        let names = || OPTIMIZERS.iter().map(|entry| entry.name);
        OPTIMIZERS.iter().find(|entry| entry.name == self.name).ok_or_else(|| OptionError::Unknown {
            kind: "optimizer",
            name: self.name.clone(),
            hint: suggestion(&self.name, names()),
        })
    }

    /// The optimizer.
    ///
    /// # Errors
    /// [`OptionError`] where the name or an option is unknown, or an option is out of its range.
    pub fn build(&self) -> Result<Box<dyn Optimizer>, OptionError> {
        let entry = self.entry()?;
        let options = Options::new(entry.name, entry.options, &self.options)?;
        Ok((entry.build)(&options))
    }
}
