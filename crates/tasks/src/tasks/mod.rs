//! Builds objectives from a model and data, one file per task.

pub mod initial_state;
pub mod likelihood;
pub mod stability;
pub mod trajectory;
pub mod transition;
pub mod unknowns;

use glauber_program::{Estimator, Model};

/// The estimator, where it has gradients: a search needs none, and where sites are updated one after another only
/// differences have.
pub(crate) fn way_back<'e>(model: &Model, estimator: &'e dyn Estimator) -> Option<&'e dyn Estimator> {
    Some(estimator).filter(|e| e.by_differences() || !model.update().is_by_events())
}
