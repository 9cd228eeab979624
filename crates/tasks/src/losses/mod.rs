//! Lists the losses: how far a simulation is from data.

pub mod curve;
pub mod stability;
pub mod transition;
