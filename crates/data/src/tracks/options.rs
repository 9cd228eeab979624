//! Holds what the reader of a track file is told: its format, columns, interval, units and limits.

use super::columns::Columns;
use super::face::Face;
use super::track::Tracks;
use crate::DataError;
use std::fmt;
use std::fs::File;
use std::path::Path;

/// A format of track files, by the name that people give: `"csv".parse()`.
#[derive(Clone, Copy)]
pub struct TrackFormat {
    pub(super) name: &'static str,
    /// Whether a file with these first bytes is one; nothing where no bytes tell, and it is what all others are not.
    pub(super) begins: Option<fn(&[u8]) -> bool>,
    /// Whether it has columns to choose.
    pub(super) table: bool,
    pub(super) read: fn(File, u64, &Path, &TrackOptions) -> Result<Tracks, DataError>,
}

impl PartialEq for TrackFormat {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for TrackFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
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

/// What the file does not say, or says otherwise than it should be read. The default finds out everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackOptions {
    /// The format; found by the content if none.
    pub format: Option<TrackFormat>,
    /// The columns of a table; found by their names where none.
    pub columns: Columns,
    /// The time from frame to frame; taken from the file or its times if none.
    pub interval: Option<f64>,
    /// The unit of lengths, where the file names none; another one than the file's is refused.
    pub length_unit: Option<String>,
    /// The unit of times, where the file names none; another one than the file's is refused.
    pub time_unit: Option<String>,
    /// How much may be taken into memory.
    pub limits: TrackLimits,
    /// Where the person says all this.
    pub face: Face,
}
