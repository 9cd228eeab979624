//! Makes tracks of the columns of a table in memory, which are found by the names that a file's columns have.

use super::columns;
use super::options::TrackOptions;
use super::points::{Groups, Point, Points};
use super::track::Tracks;
use crate::tables::is_missing;
use crate::{DataError, DataErrorKind};
use std::path::Path;

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum TableValues {
    /// Numbers; NaN is a missing one.
    Numbers(Vec<f64>),
    /// Texts; an empty one is missing.
    Texts(Vec<String>),
}

/// A column of a table in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct TableColumn {
    /// Its name, with a unit in brackets where it has one: `x (µm)`.
    pub name: String,
    /// Its values, one for each row.
    pub values: TableValues,
}

impl TableColumn {
    /// A column of numbers.
    pub fn of_numbers(name: &str, numbers: Vec<f64>) -> Self {
        Self { name: name.to_owned(), values: TableValues::Numbers(numbers) }
    }

    fn len(&self) -> usize {
        match &self.values {
            TableValues::Numbers(v) => v.len(),
            TableValues::Texts(v) => v.len(),
        }
    }

    /// A track's id; none where it is missing.
    fn id(&self, row: usize) -> Option<String> {
        match &self.values {
            TableValues::Numbers(v) => v[row].is_finite().then(|| v[row].to_string()),
            TableValues::Texts(v) => {
                Some(v[row].trim().to_owned()).filter(|id| !id.is_empty() && !is_missing(id))
            }
        }
    }

    /// The value as text.
    fn text(&self, row: usize) -> String {
        match &self.values {
            TableValues::Numbers(v) => v[row].to_string(),
            TableValues::Texts(v) => v[row].trim().to_owned(),
        }
    }

    /// A finite number, or what stands in its place and what to do.
    fn number(&self, row: usize) -> Result<f64, (String, &'static str)> {
        const GAP: &str = "leave the row out: a frame without a position is a gap, and gaps are handled";
        let number = match &self.values {
            TableValues::Numbers(v) => v[row],
            TableValues::Texts(v) if v[row].trim().is_empty() => return Err(("is empty".to_owned(), GAP)),
            TableValues::Texts(v) => v[row]
                .trim()
                .parse()
                .map_err(|_| (format!("`{}` is not a number", v[row]), "make the column one of numbers"))?,
        };
        if number.is_finite() { Ok(number) } else { Err((format!("{number} is not a finite number"), GAP)) }
    }
}

/// Makes tracks of the columns of a table: by their names (as in a file with a header), or by
/// [`TrackOptions::columns`]. `name` is what errors call it. Rows without a track are left out and counted.
///
/// ```
/// use glauber_data::tracks::{TableColumn, TrackOptions, tracks_of_table};
///
/// let column = |name: &str, numbers: &[f64]| TableColumn::of_numbers(name, numbers.to_vec());
/// let table = [
///     column("y (µm)", &[0.0, 2.0]),
///     column("x (µm)", &[0.0, 1.0]),
///     column("frame", &[0.0, 1.0]),
///     column("particle", &[7.0, 7.0]),
/// ];
/// let tracks = tracks_of_table(&table, "the table", &TrackOptions::default())?;
/// assert_eq!(tracks.tracks()[0].positions()[1], [1.0, 2.0, 0.0]);
/// assert_eq!(tracks.units().length.as_deref(), Some("µm"));
/// # Ok::<(), glauber_data::DataError>(())
/// ```
///
/// # Errors
/// Those of [`read_tracks`](super::read_tracks): a column that is missing, a number that is none, two positions of a track
/// at one time, times without a common interval; and columns of different lengths.
pub fn tracks_of_table(
    table: &[TableColumn],
    name: &str,
    options: &TrackOptions,
) -> Result<Tracks, DataError> {
    let path = Path::new(name);
    if options.interval.is_some_and(|i| !(i.is_finite() && i > 0.0)) {
        let found = format!("were to be read with the interval {}", options.interval.unwrap_or(f64::NAN));
        return Err(DataError::new(DataErrorKind::Value, path, found, "give a positive number"));
    }
    let header: Vec<String> = table.iter().map(|c| c.name.clone()).collect();
    let places = columns::find(&header, &options.columns, options.face)
        .map_err(|(found, remedy)| DataError::new(DataErrorKind::Missing, path, found, remedy))?;
    let rows = table[places.id].len();
    if let Some(other) = table.iter().find(|c| c.len() != rows) {
        let found =
            format!("column `{}` has {} rows, `{}` {rows}", other.name, other.len(), table[places.id].name);
        return Err(DataError::new(DataErrorKind::Value, path, found, "give all columns alike"));
    }
    let mut points = Points {
        frames: places.frames,
        dimensions: places.axes.len(),
        line_word: "row",
        groups: Groups::of(&header, &places),
        ..Points::default()
    };
    points.columns = places.said(&header);
    points.unread = places.unread(&header);
    points.units.length = places.length_unit.clone();
    points.units.time = places.time_unit.clone();
    points.half_named = places.half_named.clone().filter(|_| places.unit_column.is_none());
    if let Some(TableValues::Texts(units)) = places.unit_column.map(|at| &table[at].values) {
        let own = units.iter().map(|unit| unit.trim()).find(|unit| columns::is_unit(unit));
        points.units.length = points.units.length.take().or(own.map(str::to_owned));
    }
    let number = |row: usize, column: usize| {
        table[column].number(row).map_err(|(found, remedy)| {
            DataError::new(DataErrorKind::Value, path, found, remedy)
                .at(format!("row {row}, column `{}`", table[column].name))
        })
    };
    let mut without_track = 0u64;
    for row in 0..rows {
        let Some(id) = table[places.id].id(row) else {
            without_track += 1;
            continue;
        };
        let mut position = [0.0; 3];
        for (axis, column) in places.axes.iter().enumerate() {
            position[axis] = number(row, *column)?;
        }
        let time = number(row, places.time)?;
        let track = points.track(&id);
        points.push(Point { track, time, position, line: row as u64 }, path, options)?;
        points.groups.take(|at| table[at].text(row));
    }
    if without_track > 0 {
        points.notes.push(format!("{without_track} points belong to no track and were left out"));
    }
    points.assemble(path, options)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table(names: &[&str]) -> Vec<TableColumn> {
        let values = |name: &str| match name {
            "who" | "track" => vec![3.0, 3.0, 4.0, 4.0],
            "t" => vec![0.0, 1.0, 0.0, 1.0],
            "x" => vec![0.0, 1.0, 5.0, 7.0],
            _ => vec![0.0, 10.0, 0.0, 30.0],
        };
        names.iter().map(|n| TableColumn::of_numbers(n, values(n))).collect()
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let own =
            tracks_of_table(&table(&["track", "t", "x", "y"]), "given", &TrackOptions::default()).unwrap();
        let other =
            tracks_of_table(&table(&["y", "x", "track", "t"]), "given", &TrackOptions::default()).unwrap();
        assert_eq!(own.tracks(), other.tracks());
        assert_eq!(own.tracks()[1].positions(), [[5.0, 0.0, 0.0], [7.0, 30.0, 0.0]]);
        assert_eq!(own.tracks()[0].id(), "3");
    }

    #[test]
    fn what_is_missing_is_said_or_left_out() {
        let error =
            tracks_of_table(&table(&["who", "t", "x", "y"]), "the tracks given", &TrackOptions::default());
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("the tracks given: has no column for the track's id; the columns are"),
            "{error}"
        );

        let mut own = table(&["track", "t", "x", "y"]);
        own[2] = TableColumn::of_numbers("x", vec![0.0, f64::NAN, 5.0, 7.0]);
        let error =
            tracks_of_table(&own, "the tracks given", &TrackOptions::default()).unwrap_err().to_string();
        assert!(
            error.starts_with("the tracks given, row 1, column `x`: NaN is not a finite number;"),
            "{error}"
        );

        own[2] = TableColumn::of_numbers("x", vec![0.0, 1.0, 5.0, 7.0]);
        let ids = ["a", "a", "", "b"].map(str::to_owned).to_vec();
        own[0] = TableColumn { name: "track".to_owned(), values: TableValues::Texts(ids) };
        let tracks = tracks_of_table(&own, "given", &TrackOptions::default()).unwrap();
        assert_eq!(tracks.notes()[0], "1 points belong to no track and were left out");
    }
}
