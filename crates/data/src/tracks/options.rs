//! Finds a track file's format by its content and hands it to the reader of that format.

use super::columns::Columns;
use super::track::Tracks;
use super::{csv, napari, trackmate};
use crate::arrays::open_regular;
use crate::{DataError, DataErrorKind};
use glauber_files::error::bytes_in_words;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::str::FromStr;

/// The formats of track files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackFormat {
    /// A table of points, one a line; TrackMate's spot table is one.
    Csv,
    /// TrackMate's XML, the full model or simple tracks.
    TrackMate,
    /// A NumPy array of rows ID, T, (Z), Y, X.
    Napari,
}

impl FromStr for TrackFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "csv" => Ok(Self::Csv),
            "trackmate" => Ok(Self::TrackMate),
            "napari" => Ok(Self::Napari),
            other => Err(format!("there is no track format `{other}`; there are csv, trackmate and napari")),
        }
    }
}

/// How much a reader of tracks may take into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackLimits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Points of all tracks.
    pub points: usize,
}

impl Default for TrackLimits {
    /// 1 GiB and 2²⁴ (16.8 million) points.
    fn default() -> Self {
        Self { bytes: 1 << 30, points: 1 << 24 }
    }
}

/// Where a person says what a file does not, so that errors name the words that they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Face {
    /// In the `[data]` table of a fit file.
    #[default]
    FitFile,
    /// As options of a command.
    CommandLine,
}

impl Face {
    /// How a column is named.
    pub(super) fn column(self, key: &str) -> String {
        match self {
            Self::FitFile => format!("columns.{key}"),
            Self::CommandLine => format!("--column {key}=NAME"),
        }
    }

    /// How columns are given by their numbers.
    pub(super) fn columns(self, given: &[(&str, usize)]) -> String {
        let one = |(key, number): &(&str, usize)| match self {
            Self::FitFile => format!("{key} = {number}"),
            Self::CommandLine => format!("--column {key}={number}"),
        };
        let all: Vec<String> = given.iter().map(one).collect();
        match self {
            Self::FitFile => format!("`columns = {{ {} }}` under [data]", all.join(", ")),
            Self::CommandLine => format!("`{}`", all.join(" ")),
        }
    }

    /// How the interval is given.
    pub(super) fn interval(self, interval: f64) -> String {
        match self {
            Self::FitFile => format!("`interval = {interval}` under [data]"),
            Self::CommandLine => format!("--interval {interval}"),
        }
    }
}

/// What the file does not say, or says otherwise than it should be read. The default finds out everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackOptions {
    /// The format; found by the content if none.
    pub format: Option<TrackFormat>,
    /// The columns of a table; found by their names where none.
    pub columns: Columns,
    /// The time from frame to frame; taken from the file or its times if none.
    pub interval: Option<f64>,
    /// The unit of lengths, where the file names none or a wrong one.
    pub length_unit: Option<String>,
    /// The unit of times, where the file names none or a wrong one.
    pub time_unit: Option<String>,
    /// How much may be taken into memory.
    pub limits: TrackLimits,
    /// Where the person says all this.
    pub face: Face,
}

/// Reads a track file.
///
/// # Errors
/// If the file is missing, empty, larger than the limit, of no known format or damaged; if a column is missing, a
/// number is text, empty, infinite or NaN; if a track has two positions at one time, the times have no common
/// interval, or no track has two positions; if XML declares a document type (it could define entities that expand
/// without bound or read other files).
pub fn read_tracks(path: impl AsRef<Path>, options: &TrackOptions) -> Result<Tracks, DataError> {
    let path = path.as_ref();
    if options.interval.is_some_and(|i| !(i.is_finite() && i > 0.0)) {
        let found = format!("was to be read with the interval {}", options.interval.unwrap_or(f64::NAN));
        return Err(DataError::new(DataErrorKind::Value, path, found, "give a positive number"));
    }
    let (mut file, length) = open_regular(path)?;
    if length > options.limits.bytes {
        let found = format!(
            "takes {}, above the limit of {}",
            bytes_in_words(length),
            bytes_in_words(options.limits.bytes)
        );
        return Err(DataError::new(
            DataErrorKind::TooLarge,
            path,
            found,
            "read a part of it, or raise the limit",
        ));
    }
    let format = match options.format {
        Some(format) => format,
        None => detect(&mut file, path)?,
    };
    if format != TrackFormat::Csv && options.columns != Columns::default() {
        let found = "has no columns to choose: it is no table";
        return Err(DataError::new(DataErrorKind::Value, path, found, "leave the columns out"));
    }
    match format {
        TrackFormat::Csv => csv::read(file, length, path, options),
        TrackFormat::TrackMate => trackmate::read(file, length, path, options),
        TrackFormat::Napari => napari::read(file, length, path, options),
    }
}

/// The format of a track file, by its first bytes.
///
/// # Errors
/// If the file is missing, empty, or of no known format.
pub fn detect_format(path: impl AsRef<Path>) -> Result<TrackFormat, DataError> {
    let path = path.as_ref();
    detect(&mut open_regular(path)?.0, path)
}

fn detect(file: &mut File, path: &Path) -> Result<TrackFormat, DataError> {
    let mut start = Vec::new();
    file.take(1024).read_to_end(&mut start).map_err(|e| DataError::io(path, "read it", &e))?;
    file.rewind().map_err(|e| DataError::io(path, "read it", &e))?;
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start);
    let first = text.iter().find(|b| !b.is_ascii_whitespace());
    let refused = |found: &str, remedy: &str| Err(DataError::new(DataErrorKind::Format, path, found, remedy));
    match start.as_slice() {
        [] => refused("is empty", "export the tracks again"),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Ok(TrackFormat::Napari),
        [b'P', b'K', 3, 4, ..] => {
            refused("is a zip, NPZ or spreadsheet file", "save the tracks as CSV, or one array as NPY")
        }
        // UTF-16: XML begins with an angle bracket in this, too.
        [0xFF, 0xFE, b'<', ..] | [0xFE, 0xFF, 0, b'<', ..] => Ok(TrackFormat::TrackMate),
        [0x89, b'H', b'D', b'F', ..] => refused("is an HDF5 file", "export the tracks as CSV"),
        _ if first == Some(&b'<') => Ok(TrackFormat::TrackMate),
        _ if first.is_none() => refused("holds nothing but spaces", "export the tracks again"),
        [b'G', b'I', b'F', b'8', ..] | [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, 0xFF, ..] => {
            refused("is an image", "track its objects, and give the tracks as CSV, TrackMate XML or NPY")
        }
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
            refused("is an image", "track its objects, and give the tracks as CSV, TrackMate XML or NPY")
        }
        [b'M', b'T', b'r', b'a', b'c', b'k', b'J', ..] => {
            refused("is an MTrackJ data file", "choose Measure in MTrackJ, and save its table of points")
        }
        [b'M', b'A', b'T', b'L', b'A', b'B', ..] => {
            refused("is a MATLAB file", "save the tracks as CSV, with writetable or writematrix")
        }
        _ => Ok(TrackFormat::Csv),
    }
}
