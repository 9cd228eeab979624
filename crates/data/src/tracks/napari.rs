//! Reads the array of a napari tracks layer: one row a position, columns ID, T, (Z), Y, X.
//!
//! Reference: napari's guide to the tracks layer. T counts frames; lengths are in the layer's data units (pixels,
//! unless they were scaled before). The graph of divisions is not part of the array: tracks end and begin there.

use super::options::{TrackFormat, TrackOptions};
use super::points::{Point, Points};
use super::track::Tracks;
use crate::arrays::{ReadLimits, read_npy_from};
use crate::{DataError, DataErrorKind};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// NPY files.
pub(super) const NAPARI: TrackFormat =
    TrackFormat { name: "napari", begins: Some(|start| start.starts_with(b"\x93NUMPY")), table: false, read };

/// Reads a NumPy array of tracks.
fn read(file: File, length: u64, path: &Path, options: &TrackOptions) -> Result<Tracks, DataError> {
    let limits = ReadLimits { bytes: options.limits.bytes };
    let array = read_npy_from(&mut BufReader::new(file), length, path, limits)?;
    let &[rows, columns @ (4 | 5)] = array.shape() else {
        let found = format!("holds an array of shape {:?}", array.shape());
        let remedy = "tracks are rows of ID, T, Y, X or ID, T, Z, Y, X: save an array of 4 or 5 columns";
        return Err(DataError::new(DataErrorKind::Format, path, found, remedy));
    };
    let axes: &[(usize, &str)] = match columns {
        4 => &[(3, "X"), (2, "Y")],
        _ => &[(4, "X"), (3, "Y"), (2, "Z")],
    };
    let mut points = Points { frames: true, dimensions: axes.len(), line_word: "row", ..Points::default() };
    let value = |row: usize, column: usize, name: &str| {
        let value = array.values().get(row * columns + column).unwrap_or(f64::NAN);
        if value.is_finite() {
            return Ok(value);
        }
        let found = format!("{value} is not a number");
        let remedy = "remove the row: a frame without a position is a gap, and gaps are handled";
        Err(DataError::new(DataErrorKind::Value, path, found, remedy).at(format!("row {row}, column {name}")))
    };
    for row in 0..rows {
        let id = value(row, 0, "ID")?;
        if id.fract().abs() > 0.0 {
            let found = format!("the track's ID {id} is not a whole number");
            let error = DataError::new(DataErrorKind::Value, path, found, "the columns are ID, T, (Z), Y, X");
            return Err(error.at(format!("row {row}, column ID")));
        }
        let track = points.track(&id.to_string());
        let mut position = [0.0; 3];
        for (axis, &(column, name)) in axes.iter().enumerate() {
            position[axis] = value(row, column, name)?;
        }
        let point = Point { track, time: value(row, 1, "T")?, position, line: row as u64 };
        points.push(point, path, options)?;
    }
    let order = if columns == 4 { "ID, T, Y, X" } else { "ID, T, Z, Y, X" };
    points.notes.push(format!(
        "an array does not name its columns: they were taken for {order}, as in napari, T counting frames"
    ));
    points.assemble(path, options)
}
