//! Gets a model by the name of the catalogue or from a model file, with the covariates it wants.

use std::path::{Path, PathBuf};

use glauber_program::{Model, nearest_name};

use crate::error::ModelFileError;
use crate::read;
use glauber_models::{CatalogueError, ModelOptions};
use glauber_models::{MODELS, named};

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

/// A covariate of a model: data, one number per site.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariate {
    /// Its name.
    pub name: String,
    /// Where its numbers come from.
    pub source: CovariateSource,
}

/// Where the numbers of a covariate come from.
#[derive(Clone, Debug, PartialEq)]
pub enum CovariateSource {
    /// An array of the lattice's shape in a file (a model file's paths are relative to it).
    File(PathBuf),
    /// The same number at every site.
    Constant(f64),
}

/// An array of numbers in C order, as a caller has read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers.
    pub numbers: Vec<f64>,
}

/// The model that `name` means: a name of the catalogue, or the path of a model file (which ends in `.toml` or
/// contains a `/`).
///
/// # Errors
/// [`LoadError`] for an unknown name, options the model does not take, or a mistake in the file, with its place.
///
/// ```
/// use glauber_model_file::load;
/// use glauber_models::ModelOptions;
/// let loaded = load("susceptible-infected", &ModelOptions::none())?;
/// assert_eq!(loaded.model.name(), "susceptible-infected");
/// assert!(load("suceptible-infected", &ModelOptions::none()).is_err());
/// # Ok::<(), glauber_model_file::LoadError>(())
/// ```
pub fn load(name: &str, options: &ModelOptions) -> Result<Loaded, LoadError> {
    if let Some(entry) = MODELS.iter().find(|e| e.name == name) {
        let model = named(name, options)?;
        let covariates = entry.covariates.iter().map(|(name, value)| Covariate {
            name: (*name).to_string(),
            source: CovariateSource::Constant(*value),
        });
        return Ok(Loaded { covariates: covariates.collect(), model });
    }
    if name.ends_with(".toml") || name.contains(['/', '\\']) {
        return read::load(Path::new(name), options);
    }
    let nearest = nearest_name(name, MODELS.iter().map(|e| e.name));
    Err(CatalogueError::UnknownModel { name: name.to_string(), nearest }.into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_of_the_catalogue_loads_with_its_covariates() {
        for entry in MODELS {
            let loaded = load(entry.name, &ModelOptions::none()).unwrap();
            let wanted: Vec<&str> =
                loaded.model.declarations().fields.iter().map(|f| f.name.as_str()).collect();
            let known: Vec<&str> = loaded.covariates.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(wanted, known, "{}", entry.name);
            assert!(loaded.fields(&[], |_| Err("no files".into())).is_ok());
        }
    }

    #[test]
    fn unknown_names_point_to_the_nearest() {
        let error = load("susceptible-infcted", &ModelOptions::none()).unwrap_err();
        assert!(error.to_string().contains("`susceptible-infected`"), "{error}");
        let error = load("nowhere/model.toml", &ModelOptions::none()).unwrap_err();
        assert!(error.to_string().contains("nowhere/model.toml"), "{error}");
    }
}
