//! Holds the science: one file per model, a catalogue of one line each, and the rules they share.
//!
//! Every model is written with the same public builder as a user's.

// How models are asked for, by the name of the catalogue …
mod catalogue;
mod options;
// … what several of them share …
pub mod rules;
// … and the models, one file each.
mod birth_death_migration;
mod contact_process;
mod domany_kinzel;
mod exclusion;
mod forest_fire;
mod gray_scott;
mod ising;
mod kawasaki;
mod life;
mod malevanets_kapral;
mod persistent_random_walk;
mod potts;
mod schelling;
mod scratch_assay;
mod susceptible_exposed_infected_recovered;
mod susceptible_infected;
mod susceptible_infected_recovered;
mod voter;

pub use catalogue::{CatalogueEntry, MODELS, named, with_settings};
pub use options::{Allowed, CatalogueError, ModelOptions, OptionReader, OptionSetting, OptionValue, Slopes};
