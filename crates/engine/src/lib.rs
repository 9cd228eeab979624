//! Runs programs: blocks, kernels, rollouts, checkpoints, threads.
//!
//! A [`Plan`] is a model compiled for one layout and precision; a [`Run`] says what to do with it. Results are the
//! same bits for any number of threads and any vector instructions.

// Fields in padded planes, cut into blocks …
mod block;
mod fields;
mod region;
// … a program becomes passes of kernels over registers …
mod compile;
mod fold;
mod kept;
mod kernel;
mod registers;
mod schedule;
mod specialise;
mod tally;
// … which run with the widest vectors there are …
mod kernels;
// … or, for rules that are applied to one site after another, an event at a time …
mod events;
// … one replicate on a machine, many on workers, forwards and backwards in a rollout.
mod ahead;
mod codes;
mod cpu;
mod machine;
mod rollout;
mod scalars;
mod share;
mod worker;
// … behind the seam that any backend fits, which a plan speaks to.
mod plan;

pub use cpu::{Cpu, useful_threads};
pub use glauber_backend::*;
pub use plan::Plan;
