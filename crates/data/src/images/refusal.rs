//! Says what is wrong inside a picture, before the file it came from is known.

use crate::{DataError, DataErrorKind};
use std::io::{Error, ErrorKind};
use std::path::Path;

/// What was found and what to do; the file and the place in it are added by whoever knows them.
#[derive(Debug)]
pub(super) struct Refusal {
    kind: DataErrorKind,
    found: String,
    remedy: String,
    source: Option<Error>,
}

impl Refusal {
    pub(super) fn new(kind: DataErrorKind, found: impl Into<String>, remedy: impl Into<String>) -> Refusal {
        Refusal { kind, found: found.into(), remedy: remedy.into(), source: None }
    }

    /// A structure that contradicts itself or the file's length.
    pub(super) fn damaged(found: impl Into<String>) -> Refusal {
        Refusal::new(DataErrorKind::Format, found, "the file is damaged: fetch or save it again")
    }

    /// Something that is right but not read here.
    pub(super) fn unsupported(found: impl Into<String>, remedy: impl Into<String>) -> Refusal {
        Refusal::new(DataErrorKind::Unsupported, found, remedy)
    }

    pub(super) fn truncated() -> Refusal {
        let remedy = "it is cut short: fetch or save it again";
        Refusal::new(DataErrorKind::Truncated, "ends before its picture does", remedy)
    }

    pub(super) fn too_large(found: impl Into<String>) -> Refusal {
        Refusal::new(DataErrorKind::TooLarge, found, "crop or bin it, or raise the limit")
    }

    /// The error of a file.
    pub(super) fn in_file(self, path: &Path) -> DataError {
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

/// Runs a decoder of another project; a panic in it becomes a refusal. The hook that prints panics stays as it is for
/// every other thread: the message of this one is swallowed by marking the thread.
pub(super) fn without_panic<T>(decode: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    // What is borrowed by the closure is dropped or never looked at again after a panic.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(Refusal::unsupported(
            "made its decoder fail in a way that is no error of yours",
            "save it again by another program, uncompressed",
        ))
    })
}
