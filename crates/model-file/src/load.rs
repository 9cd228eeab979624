//! Gets a model by the name of the catalogue or from a model file.

use std::path::Path;

use glauber_models::{CatalogueError, MODELS, ModelOptions, named};
use glauber_program::nearest_name;

use crate::covariate::{Covariate, CovariateSource};
use crate::loaded::{LoadError, Loaded};
use crate::read;

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
