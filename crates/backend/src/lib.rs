//! Says what is asked of whatever runs a model, and what it answers: the seam between meaning and machine.
//!
//! A [`Run`] says what to do with a model's programs, [`FieldData`] carries numbers per site into it, and a [`Backend`]
//! makes programs ready for it. What comes of it are [`Simulation`]s, [`Gradient`]s, or an [`EngineError`] in the user's words.

// What is asked: numbers in, the run, what is observed …
mod data;
pub mod inputs;
mod observation;
pub mod plane;
mod run;
// … what comes of it, or why nothing does …
mod error;
mod fault;
mod outcome;
// … and who answers: a backend, whole or block by block; what any backend can say of gradients.
mod blocks;
pub mod differences;
mod seam;
mod seen;
mod simd;

pub use blocks::{BlockSum, Blocks, MOST_BLOCKS, Remembered, Terms, Weights, blocks_of, total};
pub use data::{FieldData, Numbers};
pub use error::EngineError;
pub use fault::Fault;
pub use observation::{Observation, Summary};
pub use outcome::{Frame, Gradient, LossValue, Outputs, Recorder, Simulation};
pub use run::{FirstStep, Run, Start, Subject, noise_seed};
pub use seam::{Backend, BackendName, CompileOptions, Ensemble, Options, Precision, Prepared};
pub use seen::Seen;
pub use simd::Simd;
