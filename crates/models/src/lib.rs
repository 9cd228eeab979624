//! Holds the science: one file per model, a catalogue of one line each.
//!
//! Every model is written with the same public builder as a user's.

// How models are asked for: by the name of the catalogue or the path of a model file …
mod catalogue;
mod file;
mod load;
mod options;
mod template;
// … the models, one file each …
mod malevanets_kapral;
mod persistent_random_walk;
mod susceptible_infected;
// … and data with known truth.
pub mod synthetic_cells;

pub use catalogue::{Entry, MODELS, named};
pub use file::{Mistake, ModelFileError, language, parse};
pub use load::{Covariate, CovariateSource, Field, LoadError, Loaded, load};
pub use options::{CatalogueError, ModelOptions, OptionReader, OptionValue};
pub use template::template;
