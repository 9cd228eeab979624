//! Runs the paper's experiments part by part, and tells claim by claim what holds.
//!
//! The paper: Schering, Keemink & Textor (2023), *Fitting Stochastic Lattice Models Using Approximate Gradients*.
//!
//! An experiment ([`settings::Experiment`]) is a list of parts: a fit, a formation test, a film. A finished part is kept
//! as a file of its own, so a run that was stopped in any way carries on from there. What the parts found becomes
//! figures, claims with verdicts and numbers, on one page.

// What is asked for, and how it can fail.
pub mod settings;

mod error;

// Parts: what they are, where their results are kept, the fits among them.
mod part;
mod store;

mod fits;

// The experiments, one file each, and the lattices that move.
mod films;

mod abc;
mod cells;
mod stability;
mod state;
mod trajectory;
mod transition;

// What the results become: claims, figures and numbers of an experiment, then the page and the files.
mod findings;
mod page;
mod study;

// The loop over the parts.
mod run;

pub use error::ReproduceError;
pub use run::{Summary, reproduce};
