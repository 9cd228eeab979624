//! Says why a reproduction stopped.

use std::fmt::Display;

/// Why a reproduction stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReproduceError {
    /// Something the user gave is wrong.
    #[error("{0}")]
    Input(String),
    /// A part failed.
    #[error("{0}")]
    Part(String),
    /// It was stopped from outside; what was finished is kept.
    #[error("interrupted")]
    Interrupted,
}

impl ReproduceError {
    /// Something the user gave is wrong.
    pub(crate) fn input(words: impl Display) -> ReproduceError {
        ReproduceError::Input(words.to_string())
    }

    /// A part failed.
    pub(crate) fn part(words: impl Display) -> ReproduceError {
        ReproduceError::Part(words.to_string())
    }
}
