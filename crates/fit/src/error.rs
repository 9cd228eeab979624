//! Says why a fit could not be set up, with the place in the fit file or data where something is wrong.

use glauber_engine::EngineError;
use glauber_program::ModelError;

use crate::fit_file::FitFileError;

/// Why a job could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The fit file is wrong.
    #[error(transparent)]
    File(#[from] FitFileError),
    /// The data could not be read.
    #[error(transparent)]
    Data(#[from] glauber_data::DataError),
    /// The data do not fit the model.
    #[error(transparent)]
    States(#[from] glauber_tasks::states::StatesError),
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The task could not be set up.
    #[error(transparent)]
    Transition(#[from] glauber_tasks::tasks::transition::TransitionError),
    /// An initial state could not be set up.
    #[error(transparent)]
    InitialState(#[from] glauber_tasks::tasks::initial_state::InitialStateError),
    /// The likelihood could not be set up.
    #[error(transparent)]
    Likelihood(#[from] glauber_tasks::tasks::likelihood::LikelihoodError),
    /// Any of these, after what the readers of the data said, which often tells why.
    #[error("{error}")]
    Noted {
        /// What they said.
        notes: Vec<String>,
        /// What is wrong.
        error: Box<JobError>,
    },
}

impl JobError {
    /// The same after these notes.
    pub(crate) fn after(self, notes: Vec<String>) -> JobError {
        if notes.is_empty() {
            return self;
        }
        let (own, error) = self.apart();
        JobError::Noted { notes: [notes, own].concat(), error: Box::new(error) }
    }

    /// What the readers of the data said before, and what is wrong.
    pub fn apart(self) -> (Vec<String>, JobError) {
        match self {
            JobError::Noted { notes, error } => {
                let (own, error) = error.apart();
                ([notes, own].concat(), error)
            }
            JobError::Data(error) => {
                let (notes, error) = error.apart();
                (notes, JobError::Data(error))
            }
            other => (Vec::new(), other),
        }
    }
}
