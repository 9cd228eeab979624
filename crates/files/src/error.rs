//! Says which data file is wrong, where in it, what was found and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

/// What sort of thing is wrong; the words are in the [`DataError`] itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataErrorKind {
    /// The operating system refused: missing file, no permission, disk full.
    Io,
    /// The file, array, column or name asked for is not there.
    Missing,
    /// The bytes are not of the format they should be.
    Format,
    /// The file ends before what it announces.
    Truncated,
    /// It is, or claims to be, larger than the limit.
    TooLarge,
    /// The format is right but uses something that is not read here.
    Unsupported,
    /// A value is wrong: text in a number column, NaN, out of range, of the wrong shape.
    Value,
    /// The output is there already and was not to be replaced.
    Exists,
}

/// An error in a data file, in the user's words: *file, place: what was found; what to do*.
///
/// ```
/// use glauber_files::{DataError, DataErrorKind};
///
/// let error = DataError::new(DataErrorKind::Value, "tracks.csv", "`abc` is not a number", "correct the cell")
///     .at("line 12, column `x`");
/// assert_eq!(error.to_string(), "tracks.csv, line 12, column `x`: `abc` is not a number; correct the cell");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    kind: DataErrorKind,
    file: PathBuf,
    place: Option<String>,
    found: String,
    remedy: String,
    notes: Box<[String]>,
}

impl DataError {
    /// An error in `file`, with what was found and what to do; neither ends with a full stop.
    pub fn new(
        kind: DataErrorKind,
        file: impl AsRef<Path>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (file, found, remedy) = (file.as_ref().to_owned(), found.into(), remedy.into());
        Self { kind, file, place: None, found, remedy, notes: Box::default() }
    }

    /// The error of an operation of the operating system on `file`; `doing` completes "cannot …".
    pub fn io(file: impl AsRef<Path>, doing: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let (kind, remedy) = match error.kind() {
            ErrorKind::NotFound => (DataErrorKind::Missing, "check the path"),
            ErrorKind::PermissionDenied => {
                (DataErrorKind::Io, "check the permissions of the file and its folder")
            }
            ErrorKind::AlreadyExists => {
                (DataErrorKind::Exists, "choose another name, or ask for it to be replaced")
            }
            ErrorKind::UnexpectedEof => {
                (DataErrorKind::Truncated, "the file is cut short: fetch or write it again")
            }
            ErrorKind::StorageFull => (DataErrorKind::Io, "free some space"),
            _ => (DataErrorKind::Io, "check the file and the disk it is on"),
        };
        let found = match error.kind() {
            ErrorKind::NotFound => format!("cannot {doing}: there is no such file or folder"),
            _ => format!("cannot {doing}: {error}"),
        };
        Self::new(kind, file, found, remedy)
    }

    /// The same error with the place in the file: "line 12, column `x`", "array `aware`".
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// The same error after these notes: what a reader had guessed, cut or left out by then, which is often why.
    ///
    /// ```
    /// use glauber_files::{DataError, DataErrorKind};
    ///
    /// let error = DataError::new(DataErrorKind::Value, "a.csv", "times are mixed", "split the file");
    /// let error = error.after(vec!["the titles were passed over".to_string()]);
    /// assert_eq!(error.to_string(), "a.csv: times are mixed; split the file (before that: the titles were passed over)");
    /// let (notes, error) = error.apart();
    /// assert_eq!((notes.len(), error.to_string().as_str()), (1, "a.csv: times are mixed; split the file"));
    /// ```
    #[must_use]
    pub fn after(mut self, mut notes: Vec<String>) -> Self {
        notes.extend(std::mem::take(&mut self.notes));
        Self { notes: notes.into(), ..self }
    }

    /// What was noted before it, and the error alone.
    pub fn apart(mut self) -> (Vec<String>, Self) {
        (std::mem::take(&mut self.notes).into(), self)
    }

    /// What sort of thing is wrong.
    pub fn kind(&self) -> DataErrorKind {
        self.kind
    }

    /// The file the error is about.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Where in the file, if the error has a place.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// What was found.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// What to do.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(place) = &self.place {
            write!(f, ", {place}")?;
        }
        write!(f, ": {}; {}", self.found, self.remedy)?;
        match &self.notes[..] {
            [] => Ok(()),
            notes => write!(f, " (before that: {})", notes.join("; ")),
        }
    }
}

impl std::error::Error for DataError {}

/// A count of bytes as a person says it: `3 bytes`, `4.0 GiB`.
pub fn bytes_in_words(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} byte{}", if bytes == 1 { "" } else { "s" });
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Text from a file, cut to a length that fits in an error message and without control characters.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let shown: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if text.chars().count() > LONGEST { format!("`{shown}…`") } else { format!("`{shown}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_words() {
        assert_eq!(bytes_in_words(1), "1 byte");
        assert_eq!(bytes_in_words(1023), "1023 bytes");
        assert_eq!(bytes_in_words(1 << 30), "1.0 GiB");
        assert_eq!(bytes_in_words(u64::MAX), "16384.0 PiB");
    }

    #[test]
    fn quotes_are_short_and_printable() {
        assert_eq!(quoted("a\nb"), "`a\u{FFFD}b`");
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), 43);
    }

    #[test]
    fn a_missing_file_is_said_plainly() {
        let error = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = DataError::io("a.npy", "open it", &error);
        assert_eq!(error.kind(), DataErrorKind::Missing);
        assert_eq!(
            error.to_string(),
            "a.npy: cannot open it: there is no such file or folder; check the path"
        );
    }
}
