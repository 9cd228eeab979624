//! Builds objectives from a model and data, one file per task.

pub mod initial_state;
pub mod likelihood;
pub mod stability;
pub mod trajectory;
pub mod transition;
pub mod unknowns;

use glauber_program::{Estimator, Model};

/// The estimator, where there is a way back through a step: a search needs none, and where sites are updated one after
/// another there is none.
pub(crate) fn way_back<'e>(model: &Model, estimator: &'e dyn Estimator) -> Option<&'e dyn Estimator> {
    Some(estimator).filter(|_| !model.update().is_by_events())
}
