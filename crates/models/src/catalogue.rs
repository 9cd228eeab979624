//! Lists the models that come with glauber, one line each.

use glauber_program::{Model, nearest_name};

use crate::options::{CatalogueError, ModelOptions, OptionReader};
use crate::{malevanets_kapral, persistent_random_walk, susceptible_infected};

/// One model of the catalogue.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name, as in a fit file.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The covariates it reads, each with what it is at every site where nobody gives data.
    pub covariates: &'static [(&'static str, f64)],
    build: fn(&mut OptionReader<'_>) -> Result<Model, CatalogueError>,
}

/// Every model. To add one: a file beside this one, and a line here.
pub const MODELS: &[Entry] = &[
    Entry {
        name: "susceptible-infected",
        summary: "news or an infection spreads from site to site and stays",
        covariates: &[],
        build: susceptible_infected::build,
    },
    Entry {
        name: "persistent-random-walk",
        summary: "independent walkers that keep their velocity for a while",
        covariates: &[],
        build: persistent_random_walk::build,
    },
    Entry {
        name: "malevanets-kapral",
        summary: "two species diffuse and react, and form Turing patterns",
        covariates: &[],
        build: malevanets_kapral::build,
    },
];

/// The catalogue's model of this name.
///
/// # Errors
/// [`CatalogueError`] for an unknown name (with the nearest right one) or options the model does not take.
pub fn named(name: &str, options: &ModelOptions) -> Result<Model, CatalogueError> {
    let entry = MODELS.iter().find(|e| e.name == name).ok_or_else(|| CatalogueError::UnknownModel {
        name: name.to_string(),
        nearest: nearest_name(name, MODELS.iter().map(|e| e.name)),
    })?;
    let mut reader = OptionReader::new(entry.name, options);
    let model = (entry.build)(&mut reader)?;
    reader.finish()?;
    Ok(model)
}
