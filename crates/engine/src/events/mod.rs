//! Runs rules that are applied to one site after another: an event at a time, at the cost of its footprint.
//!
//! A rule becomes a short list of instructions over registers (`compile`), which a loop runs at the site of each event
//! (`run`). Layers are the padded planes of the engine; a write mirrors itself into the margin (`edges`), so that every
//! read is at a constant distance in memory. Sites, numbers of events and draws come from the noise of (seed, replicate,
//! step, draw, lane, number of the event), so a run is the same bits on any machine.

mod agents;
mod batch;
mod compile;
mod edges;
mod instruction;
mod machine;
mod rule;
mod run;
mod sums;

pub(crate) use machine::{Events, Trouble};
pub(crate) use rule::Rule;
