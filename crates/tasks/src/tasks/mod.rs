//! Builds objectives from a model and data, one file per task.

pub mod initial_state;
pub mod likelihood;
pub mod stability;
pub mod trajectory;
pub mod transition;
pub mod unknowns;
