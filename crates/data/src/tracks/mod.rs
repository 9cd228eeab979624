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
mod csv;
mod curve;
mod curve_file;
mod interval;
mod links;
mod msd;
mod napari;
mod options;
mod shipped;
mod table;
mod track;
mod trackmate;

pub use columns::{Column, Columns};
pub use curve::{LatticePoint, MsdCurve, MsdPoint};
pub use curve_file::read_msd_curve;
pub use msd::{Bootstrap, MsdError, mean_squared_displacement, usual_lags};
pub use options::{Face, TrackFormat, TrackLimits, TrackOptions, detect_format, read_tracks};
pub use shipped::{SHIPPED_CURVES, ShippedCurve, shipped_curve};
pub use table::{TableColumn, TableValues, tracks_of_table};
pub use track::{Track, TrackError, Tracks, TracksSummary, Units};
