//! What of a fit file can be looked at before it is run: its model, and the states it is fitted to.

use glauber_model_file::CovariateSource;
use glauber_models::ModelOptions;
use glauber_tasks::states::States;

use super::model::{Own, name_of, options_of};
use super::states::states_of;
use crate::error::JobError;
use crate::fit_file::{DataSource, FitFile};

/// A fit file's model by name or path with what it needs, its data where they are states, and the values that its first start and
/// its fixed parameters give.
#[derive(Clone, Debug)]
pub struct Shown {
    /// A name of the catalogue, or a path.
    pub model: String,
    /// Its options.
    pub options: ModelOptions,
    /// Its covariates.
    pub covariates: Vec<(String, CovariateSource)>,
    /// The observed states, if the data are states.
    pub states: Option<States>,
    /// Parameters that are started from or fixed.
    pub parameters: Vec<(String, f64)>,
    /// What was said while reading.
    pub notes: Vec<String>,
}

impl Shown {
    /// Reads the model and the states of a fit file.
    ///
    /// # Errors
    /// [`JobError`] where the model or the data cannot be had.
    pub fn read(file: &FitFile) -> Result<Shown, JobError> {
        let own = Own::read(file)?;
        let mut notes = Vec::new();
        let states = match file.source() {
            Ok(DataSource::States(_) | DataSource::Simulate(_)) => {
                let seen = states_of(file, &own)?;
                notes.extend(seen.notes);
                Some(seen.states)
            }
            _ => {
                notes.push(
                    "the data of this fit are no states: there is nothing to show beside the model".into(),
                );
                None
            }
        };
        let started = file.starts().into_iter().next().unwrap_or_default();
        let parameters = started.into_iter().chain(file.fixed.clone());
        let of_model = |(name, _): &(String, f64)| own.model.parameter(name).is_ok();
        Ok(Shown {
            model: name_of(file),
            options: options_of(file),
            covariates: file
                .data
                .covariates
                .iter()
                .map(|(name, source)| (name.clone(), source.clone().into()))
                .collect(),
            states,
            parameters: parameters.filter(of_model).collect(),
            notes,
        })
    }
}
