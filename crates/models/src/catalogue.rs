//! Lists the models that come with glauber, one line each.

use glauber_program::{Model, nearest_name};

use crate::options::{CatalogueError, ModelOptions, OptionReader, OptionSetting, Slopes};
use crate::{
    birth_death_migration, contact_process, domany_kinzel, exclusion, forest_fire, gray_scott, ising,
    kawasaki, life, malevanets_kapral, persistent_random_walk, potts, schelling, scratch_assay,
    susceptible_exposed_infected_recovered, susceptible_infected, susceptible_infected_recovered, voter,
};

/// One model of the catalogue.
#[derive(Clone, Copy)]
pub struct CatalogueEntry {
    /// Its name, as in a fit file.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The covariates it reads, each with what it is at every site where nobody gives data.
    pub covariates: &'static [(&'static str, f64)],
    /// Where its sites are independent walkers: the option that counts them.
    pub walkers: Option<&'static str>,
    /// Where an option chooses the slopes of its gradient: the option, and what each of its values means, the usual one first.
    pub slopes: Option<Slopes>,
    build: fn(&mut OptionReader<'_>) -> Result<Model, CatalogueError>,
}

/// Every model. To add one: a file beside this one, and a line here.
pub const MODELS: &[CatalogueEntry] = &[
    CatalogueEntry {
        name: "susceptible-infected",
        summary: "news or an infection spreads from site to site and stays",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: susceptible_infected::build,
    },
    CatalogueEntry {
        name: "persistent-random-walk",
        summary: "independent walkers that keep their velocity for a while",
        covariates: &[],
        walkers: Some("walkers"),
        slopes: None,
        build: persistent_random_walk::build,
    },
    CatalogueEntry {
        name: "malevanets-kapral",
        summary: "two species diffuse and react, and form Turing patterns",
        covariates: &[],
        walkers: None,
        slopes: Some(malevanets_kapral::SLOPES),
        build: malevanets_kapral::build,
    },
    CatalogueEntry {
        name: "susceptible-infected-recovered",
        summary: "an epidemic whose infected recover for good",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: susceptible_infected_recovered::build,
    },
    CatalogueEntry {
        name: "susceptible-exposed-infected-recovered",
        summary: "an epidemic with a latent time",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: susceptible_exposed_infected_recovered::build,
    },
    CatalogueEntry {
        name: "contact-process",
        summary: "occupied sites die and breed into empty neighbours",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: contact_process::build,
    },
    CatalogueEntry {
        name: "domany-kinzel",
        summary: "directed percolation on a line, site by site in time",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: domany_kinzel::build,
    },
    CatalogueEntry {
        name: "voter",
        summary: "sites take over their neighbours' opinions",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: voter::build,
    },
    CatalogueEntry {
        name: "forest-fire",
        summary: "fire spreads by fuel, slope and wind, over maps if given",
        covariates: forest_fire::COVARIATES,
        walkers: None,
        slopes: None,
        build: forest_fire::build,
    },
    CatalogueEntry {
        name: "game-of-life",
        summary: "Conway's Life, its rule followed only with some probability",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: life::build,
    },
    CatalogueEntry {
        name: "ising",
        summary: "spins in checkerboard or random order, Glauber's or Metropolis' dynamics",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: ising::build,
    },
    CatalogueEntry {
        name: "potts",
        summary: "sites of q states in checkerboard or random order, Glauber's or Metropolis' dynamics",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: potts::build,
    },
    CatalogueEntry {
        name: "exclusion",
        summary: "particles driven along a line, at most one per site",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: exclusion::build,
    },
    CatalogueEntry {
        name: "birth-death-migration",
        summary: "independent particles breed, die, arrive and wander",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: birth_death_migration::build,
    },
    CatalogueEntry {
        name: "gray-scott",
        summary: "two species react by mass action and wander: spots, stripes, waves",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: gray_scott::build,
    },
    CatalogueEntry {
        name: "kawasaki",
        summary: "spins that change places, so that the magnetisation is kept",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: kawasaki::build,
    },
    CatalogueEntry {
        name: "scratch-assay",
        summary: "cells wander and divide into free sites, and close a gap",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: scratch_assay::build,
    },
    CatalogueEntry {
        name: "schelling",
        summary: "agents of two kinds move until enough neighbours are like them",
        covariates: &[],
        walkers: None,
        slopes: None,
        build: schelling::build,
    },
];

/// The catalogue's model of this name.
///
/// # Errors
/// [`CatalogueError`] for an unknown name (with the nearest right one) or options the model does not take.
pub fn named(name: &str, options: &ModelOptions) -> Result<Model, CatalogueError> {
    Ok(with_settings(name, options)?.0)
}

/// The catalogue's model of this name, and its options that are one number, one word or yes and no: what each may be and is.
///
/// # Errors
/// As [`named`].
///
/// ```
/// use glauber_models::{ModelOptions, OptionValue, with_settings};
/// let (_, settings) = with_settings("persistent-random-walk", &ModelOptions::none().with("walkers", 20.0))?;
/// assert!(settings.iter().any(|s| s.name == "walkers" && s.value == OptionValue::Number(20.0)));
/// # Ok::<(), glauber_models::CatalogueError>(())
/// ```
pub fn with_settings(
    name: &str,
    options: &ModelOptions,
) -> Result<(Model, Vec<OptionSetting>), CatalogueError> {
    let entry = MODELS.iter().find(|e| e.name == name).ok_or_else(|| CatalogueError::UnknownModel {
        name: name.to_string(),
        nearest: nearest_name(name, MODELS.iter().map(|e| e.name)),
    })?;
    let mut reader = OptionReader::new(entry.name, options);
    let model = (entry.build)(&mut reader)?;
    let settings = reader.settings().to_vec();
    reader.finish()?;
    Ok((model, settings))
}
