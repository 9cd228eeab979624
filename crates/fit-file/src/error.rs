//! Says what is wrong with a fit file, and where: file, line and column, or the `--set` that did it.

use std::path::{Path, PathBuf};

/// Where in a fit file something stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// In the file, counted from 1.
    File {
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
    /// In an override, given as `table.key=value`.
    Set(String),
    /// Nowhere: something is missing.
    #[default]
    Nowhere,
}

/// What is wrong with a fit file, in the user's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", self.front())]
pub struct FitFileError {
    /// The file.
    pub file: PathBuf,
    /// Where in it.
    pub place: Place,
    /// What was found, what it must be, what to do.
    pub message: String,
}

impl FitFileError {
    /// An error at a place.
    pub fn new(file: &Path, place: Place, message: impl Into<String>) -> FitFileError {
        FitFileError { file: file.to_path_buf(), place, message: message.into() }
    }

    fn front(&self) -> String {
        match &self.place {
            Place::File { line, column } => {
                format!("{}, line {line}, column {column}: ", self.file.display())
            }
            Place::Set(text) => format!("--set {text}: "),
            Place::Nowhere => format!("{}: ", self.file.display()),
        }
    }
}
