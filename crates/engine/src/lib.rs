//! Runs programs: blocks, kernels, rollouts, checkpoints, threads.
//!
//! A [`Plan`] is a model compiled for one layout and precision; a [`Run`] says what to do with it. Results are the
//! same bits for any number of threads and any vector instructions.

// Fields in padded planes, cut into blocks …
mod block;
mod data;
mod plane;
mod region;
// … a program becomes passes of kernels over registers …
mod colour;
mod compile;
mod fold;
mod kept;
mod kernel;
mod registers;
mod schedule;
mod tabulate;
mod tally;
// … which run with the widest vectors there are …
mod kernels;
mod simd;
// … or, for rules that are applied to one site after another, an event at a time …
mod events;
// … one replicate on a machine, many on workers, forwards and backwards in a rollout.
mod ahead;
mod codes;
mod cpu;
mod error;
mod fault;
mod inputs;
mod machine;
mod outcome;
mod rollout;
mod run;
mod scalars;
mod share;
mod worker;
// … behind the seam that any backend fits, which a plan speaks to.
mod backend;
mod differences;
mod observation;
mod plan;

pub use backend::{Backend, BackendName, CompileOptions, Options, Precision, Prepared};
pub use cpu::useful_threads;
pub use data::{FieldData, Numbers};
pub use error::EngineError;
pub use fault::Fault;
pub use observation::{Observation, Summary};
pub use outcome::{Frame, Gradient, LossValue, Outputs, Recorder, Simulation};
pub use plan::Plan;
pub use run::{FirstStep, Run, Start, noise_seed};
pub use simd::Simd;
