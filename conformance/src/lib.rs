//! What must hold for every model, estimator and optimizer, and the oracles that say so.
//!
//! The tests are in `tests/`; here is what they share: an interpreter that runs programs straight from the meaning of
//! their instructions, rollouts and gradients built on it, and random models for both to agree on.

pub mod compare;
pub mod cone;
pub mod events;
pub mod interpreter;
pub mod random_models;
pub mod reference;
