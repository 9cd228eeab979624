//! Says what is wrong with what a file holds, before the file it came from is known.

use crate::error::{DataError, DataErrorKind};
use std::io::{Error, ErrorKind};
use std::path::Path;

/// What was found and what to do; the file and the place in it are added by whoever knows them.
///
/// ```
/// use glauber_files::Refusal;
/// let refusal = Refusal::damaged("ends in the middle of a row");
/// assert!(refusal.in_file("a.tif".as_ref()).to_string().contains("a.tif"));
/// ```
#[derive(Debug)]
pub struct Refusal {
    kind: DataErrorKind,
    found: String,
    remedy: String,
    source: Option<Error>,
}

impl Refusal {
    /// Of a kind, with what was found and what to do.
    pub fn new(kind: DataErrorKind, found: impl Into<String>, remedy: impl Into<String>) -> Refusal {
        Refusal { kind, found: found.into(), remedy: remedy.into(), source: None }
    }

    /// A structure that contradicts itself or the file's length.
    pub fn damaged(found: impl Into<String>) -> Refusal {
        Refusal::new(DataErrorKind::Format, found, "the file is damaged: fetch or save it again")
    }

    /// Something that is right but not read here.
    pub fn unsupported(found: impl Into<String>, remedy: impl Into<String>) -> Refusal {
        Refusal::new(DataErrorKind::Unsupported, found, remedy)
    }

    /// Less than it says.
    pub fn truncated() -> Refusal {
        let remedy = "it is cut short: fetch or save it again";
        Refusal::new(DataErrorKind::Truncated, "ends before its picture does", remedy)
    }

    /// More than the caller allows.
    pub fn too_large(found: impl Into<String>) -> Refusal {
        Refusal::new(DataErrorKind::TooLarge, found, "crop or bin it, or raise the limit")
    }

    /// The error of a file.
    pub fn in_file(self, path: &Path) -> DataError {
        match self.source {
            Some(error) => DataError::io(path, "read it", &error),
            None => DataError::new(self.kind, path, self.found, self.remedy),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        if error.kind() == ErrorKind::UnexpectedEof {
            return Refusal::truncated();
        }
        let (kind, found, remedy) = (DataErrorKind::Io, String::new(), String::new());
        Refusal { kind, found, remedy, source: Some(error) }
    }
}
