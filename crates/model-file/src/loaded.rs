//! Holds a model with the covariates it wants, and makes their numbers of what is given.

use std::path::Path;

use glauber_models::CatalogueError;
use glauber_program::Model;

use crate::covariate::{Covariate, CovariateSource};
use crate::error::ModelFileError;

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// A name or options that the catalogue does not take.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A mistake in a model file.
    #[error(transparent)]
    File(#[from] ModelFileError),
}

/// A model, ready to run once its covariates are there.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The model.
    pub model: Model,
    /// The covariates it reads, in the order of its declarations, and where they come from if nobody gives others.
    pub covariates: Vec<Covariate>,
}

/// An array of numbers in C order, as a caller has read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers.
    pub numbers: Vec<f64>,
}

impl Loaded {
    /// The numbers of every covariate per site, by name: those `given`, then constants, then what `read` makes of
    /// files. Shapes are checked; every number must be finite.
    ///
    /// # Errors
    /// [`ModelFileError::Covariate`] for numbers that do not fit the lattice, and whatever `read` says.
    pub fn fields(
        &self,
        given: &[(String, Field)],
        mut read: impl FnMut(&Path) -> Result<Field, String>,
    ) -> Result<Vec<(String, Vec<f64>)>, ModelFileError> {
        let declarations = self.model.declarations();
        let sites = declarations.lattice.sites();
        let mut fields = Vec::new();
        for covariate in &self.covariates {
            let wrong = |problem: String| ModelFileError::Covariate {
                model: declarations.model.clone(),
                name: covariate.name.clone(),
                problem,
            };
            let own = given.iter().find(|(name, _)| *name == covariate.name).map(|(_, field)| field.clone());
            let field = match (own, &covariate.source) {
                (Some(field), _) => field,
                (None, CovariateSource::Constant(value)) if !value.is_finite() => {
                    return Err(wrong(format!("it is {value} at every site: give a finite number")));
                }
                (None, CovariateSource::Constant(value)) => {
                    fields.push((covariate.name.clone(), vec![*value; sites]));
                    continue;
                }
                (None, CovariateSource::File(path)) => {
                    read(path).map_err(|why| wrong(format!("{}: {why}", path.display())))?
                }
            };
            let shape = declarations.lattice.shape();
            if field.shape != shape || field.numbers.len() != sites {
                return Err(wrong(format!(
                    "its array has shape {:?}, the lattice {shape:?}: give one number per site",
                    field.shape
                )));
            }
            if let Some(place) = field.numbers.iter().position(|x| !x.is_finite()) {
                let value = field.numbers[place];
                return Err(wrong(format!(
                    "its array holds {value} at position {place}: give finite numbers"
                )));
            }
            fields.push((covariate.name.clone(), field.numbers));
        }
        Ok(fields)
    }
}
