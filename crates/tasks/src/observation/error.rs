//! Says what is wrong with an observation.

use glauber_engine::EngineError;
use glauber_program::ModelError;

use crate::states::StatesError;
use crate::summaries::SummaryError;
use crate::tasks::unknowns::UnknownsError;

/// What is wrong with an observation.
#[derive(Debug, thiserror::Error)]
pub enum ObservationError {
    /// What is read of the state is not there.
    #[error(transparent)]
    What(#[from] SummaryError),
    /// The model has not what is read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A map of regions.
    #[error("the map of regions: {why}")]
    Regions {
        /// What is wrong.
        why: String,
    },
    /// Regions without a map.
    #[error("`{what}` needs a map of regions: an array of the lattice's shape with a label for each site")]
    NoRegions {
        /// What is read.
        what: String,
    },
    /// Columns that are called after something else.
    #[error(
        "the columns of the data of `{what}` {why}: name the columns by these (or by their labels alone), in any order, or give an \
         array without names, whose order then counts"
    )]
    Columns {
        /// What is read.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// A noise or its argument.
    #[error("the noise `{noise}`: {why}")]
    Noise {
        /// Its name.
        noise: String,
        /// What is wrong.
        why: String,
    },
    /// Data of another length.
    #[error(
        "the data of `{what}` hold {found} numbers, but {runs} runs of {times} times with {width} numbers each are {wanted}"
    )]
    Length {
        /// What is read.
        what: String,
        /// How many there are.
        found: usize,
        /// Runs.
        runs: usize,
        /// Times.
        times: usize,
        /// Numbers a time.
        width: usize,
        /// How many there must be.
        wanted: usize,
    },
    /// Steps that are none.
    #[error("the steps of `{what}`: {why}; give ascending whole numbers, one for each time")]
    Steps {
        /// What is read.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// Nothing was seen.
    #[error("all data of `{what}` are missing (NaN or masked): there is nothing to fit to")]
    AllMissing {
        /// What is read.
        what: String,
    },
    /// A number that the noise cannot make.
    #[error(
        "the data of `{what}`, run {run}, after step {step}, number {number}: {value} is {why}: correct it, or take another noise than `{noise}`"
    )]
    Impossible {
        /// What is read.
        what: String,
        /// The run.
        run: usize,
        /// The step.
        step: u32,
        /// The place among the numbers of a time.
        number: usize,
        /// What was found.
        value: f64,
        /// What is wrong with it.
        why: String,
        /// The noise.
        noise: &'static str,
    },
    /// The choice of parameters.
    #[error(transparent)]
    Unknowns(#[from] UnknownsError),
    /// Experiments that do not go together.
    #[error("experiment `{experiment}`: {why}")]
    Experiment {
        /// Which.
        experiment: String,
        /// What is wrong.
        why: String,
    },
    /// Its start.
    #[error(transparent)]
    Start(#[from] StatesError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
