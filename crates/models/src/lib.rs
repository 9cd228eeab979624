//! Holds the science: one file per model, a catalogue of one line each.
//!
//! Every model is written with the same public builder as a user's.

// How models are asked for: by the name of the catalogue or the path of a model file …
mod catalogue;
mod file;
mod load;
mod options;
mod template;
// … what several models share: sweeps in checkerboard order, hops of particles, starts, transitions between states …
mod checkerboard;
mod hops;
mod starts;
mod transitions;
// … the models, one file each …
mod birth_death_migration;
mod contact_process;
mod domany_kinzel;
mod exclusion;
mod forest_fire;
mod gray_scott;
mod ising;
mod life;
mod malevanets_kapral;
mod persistent_random_walk;
mod potts;
mod susceptible_exposed_infected_recovered;
mod susceptible_infected;
mod susceptible_infected_recovered;
mod voter;
// … and data with known truth.
pub mod synthetic_cells;

pub use catalogue::{Entry, MODELS, named};
pub use file::{Mistake, ModelFileError, language, parse};
pub use load::{Covariate, CovariateSource, Field, LoadError, Loaded, load};
pub use options::{CatalogueError, ModelOptions, OptionReader, OptionValue};
pub use template::template;
