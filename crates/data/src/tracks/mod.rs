//! Reads cell tracks of several programs and takes their mean squared displacement.
//!
//! | file | from | reader |
//! |---|---|---|
//! | table with columns id, t, x, y \[, z\] | celltrackR, trackpy, Imaris, MTrackJ, R, spreadsheets, … | `csv` |
//! | spot table (CSV with extra header lines) | TrackMate: *Export to CSV* | `csv` |
//! | `<TrackMate>` XML | TrackMate: *Save* (full model, with divisions and merges) | `trackmate` |
//! | `<Tracks>` XML | TrackMate: *Export tracks to XML* (simple tracks) | `trackmate` |
//! | NPY array of rows ID, T, (Z), Y, X | napari's tracks layer | `napari` |
//!
//! [`read_tracks`] finds the format by the file's content; [`TrackOptions`] overrides it, and names columns, interval
//! and units. A missing frame is a gap: positions keep their frame numbers, so that lags are spans of *time* and a
//! sub-track across a gap counts at the lag it really spans. What was cut, dropped, sorted or inferred stands in
//! [`Tracks::notes`].
//!
//! ```
//! use glauber_data::tracks::{Bootstrap, TrackOptions, mean_squared_displacement, read_tracks};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("tracks.csv");
//! std::fs::write(&path, "id,t,x,y\n1,0,0,0\n1,24,1,0\n1,48,1,2\n2,0,5,5\n2,24,5,7\n")?;
//!
//! let tracks = read_tracks(&path, &TrackOptions::default())?;
//! assert_eq!((tracks.len(), tracks.interval(), tracks.dimensions()), (2, 24.0, 2));
//!
//! let curve = mean_squared_displacement(&tracks, 2, Bootstrap::default())?;
//! assert_eq!(curve.points()[0].value, (1.0 + 4.0 + 4.0) / 3.0);
//! assert_eq!(curve.points()[1].value, 1.0 + 4.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assemble;
mod columns;
mod copies;
mod csv;
mod curve;
mod curve_file;
mod face;
mod groups;
mod interval;
mod links;
mod msd;
mod napari;
mod options;
mod points;
mod shipped;
mod table;
mod track;
mod trackmate;
mod unit;

use crate::arrays::open_regular;
use crate::{DataError, DataErrorKind};
use glauber_files::error::bytes_in_words;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::str::FromStr;

pub use columns::{Column, Columns};
pub use curve::{LatticePoint, MsdCurve, MsdPoint};
pub use curve_file::read_msd_curve;
pub use face::Face;
pub use msd::{Bootstrap, MsdError, mean_squared_displacement, usual_lags};
pub use options::{TrackFormat, TrackLimits, TrackOptions};
pub use shipped::{SHIPPED_CURVES, ShippedCurve, shipped_curve};
pub use table::{TableColumn, TableValues, tracks_of_table};
pub use track::{Track, TrackError, Tracks, TracksSummary, Units};

/// The formats that are read.
const FORMATS: &[TrackFormat] = &[csv::CSV, trackmate::TRACKMATE, napari::NAPARI];

impl FromStr for TrackFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        FORMATS.iter().find(|format| format.name == name).copied().ok_or_else(|| {
            let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            format!("there is no track format `{name}`; there are {}", names.join(", "))
        })
    }
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
    if !format.table && options.columns != Columns::default() {
        let found = "has no columns to choose: it is no table";
        return Err(DataError::new(DataErrorKind::Value, path, found, "leave the columns out"));
    }
    (format.read)(file, length, path, options)
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
    if let Some(format) = FORMATS.iter().find(|format| format.begins.is_some_and(|begins| begins(&start))) {
        return Ok(*format);
    }
    let image = "track its objects, and give the tracks as CSV, TrackMate XML or NPY";
    let (found, remedy) = match start.as_slice() {
        [] => ("is empty", "export the tracks again"),
        [b'P', b'K', 3, 4, ..] => {
            ("is a zip, NPZ or spreadsheet file", "save the tracks as CSV, or one array as NPY")
        }
        [0x89, b'H', b'D', b'F', ..] => ("is an HDF5 file", "export the tracks as CSV"),
        start if start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii().is_empty() => {
            ("holds nothing but spaces", "export the tracks again")
        }
        [b'G', b'I', b'F', b'8', ..] | [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, 0xFF, ..] => {
            ("is an image", image)
        }
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => ("is an image", image),
        [b'M', b'T', b'r', b'a', b'c', b'k', b'J', ..] => {
            ("is an MTrackJ data file", "choose Measure in MTrackJ, and save its table of points")
        }
        [b'M', b'A', b'T', b'L', b'A', b'B', ..] => {
            ("is a MATLAB file", "save the tracks as CSV, with writetable or writematrix")
        }
        _ => {
            let other = FORMATS.iter().find(|format| format.begins.is_none());
            return other
                .copied()
                .ok_or_else(|| DataError::new(DataErrorKind::Format, path, "is no track file", image));
        }
    };
    Err(DataError::new(DataErrorKind::Format, path, found, remedy))
}
