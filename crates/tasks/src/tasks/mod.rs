//! Builds objectives from a model and data, one file per task.

pub mod initial_state;
pub mod likelihood;
pub mod stability;
pub mod trajectory;
pub mod transition;
pub mod unknowns;

use glauber_engine::EngineError;
use glauber_optimize::objective::ObjectiveError;
use glauber_program::{Estimator, Model};

/// The estimator, where it has gradients: a search needs none, and where sites are updated one after another only
/// differences have.
pub(crate) fn way_back<'e>(model: &Model, estimator: &'e dyn Estimator) -> Option<&'e dyn Estimator> {
    Some(estimator).filter(|e| e.by_differences() || !model.update().is_by_events())
}

/// Whether an engine's error speaks of a value that a rule came to, which other parameters may not bring about.
pub fn is_of_a_rule(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::OutOfRange { .. }
            | EngineError::NotProbability { .. }
            | EngineError::Argument { .. }
            | EngineError::Event { .. }
            | EngineError::Parameter { .. }
    )
}

/// Whether an objective has no value at these parameters and may have one at others.
pub fn outside_its_domain(error: &ObjectiveError) -> bool {
    match error {
        ObjectiveError::Interrupted => false,
        ObjectiveError::Failed(_) => true,
        ObjectiveError::Source(source) => source.downcast_ref().is_some_and(is_of_a_rule),
    }
}
