//! Says what is fitted to what: states, summaries, losses, the tasks that make objectives of them, patterns, checks.

// Observed lattices and what a model reads beside them …
pub mod states;

pub mod covariates;

// … what is taken from a rollout, how far it is from the data, and the tasks that make objectives of both …
pub mod summaries;

pub mod losses;

// … or what was seen, when, where and with which noise, for likelihoods …
pub mod observation;

pub mod tasks;

// … whether a state shows a pattern, and whether parameters form one …
pub mod pattern;

pub mod formation;

// … and whether gradients are what they claim.
pub mod check;
