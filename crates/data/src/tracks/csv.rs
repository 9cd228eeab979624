//! Reads a table of points: celltrackR's, TrackMate's spot table, or any CSV with an id, a time and a position a line.
//!
//! The delimiter (comma, semicolon or tab) is the commonest in the first line. A first line of numbers only means
//! that there is no header; the columns are then id, t, x, y \[, z\] unless numbered otherwise. TrackMate writes three
//! more header lines (long names, short names, units in brackets), which are found and passed over. Lines that begin
//! with `#` are comments. Points without a track (an empty id, TrackMate's `None`) are left out and counted.

use super::assemble::{Point, Points};
use super::columns::{self, Column, Columns, Places, unit_in_brackets};
use super::lines::{LineError, Lines};
use super::options::TrackOptions;
use super::track::Tracks;
use crate::{DataError, DataErrorKind};
use glauber_files::error::quoted;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

/// Header lines that TrackMate writes after the names.
const TRACKMATE_EXTRA_LINES: usize = 3;

/// Reads a table of points.
pub(super) fn read(mut file: File, path: &Path, options: &TrackOptions) -> Result<Tracks, DataError> {
    let delimiter = sniff(&mut file, path)?;
    let mut lines = Lines::new(BufReader::new(file), delimiter);
    let mut fields = Vec::new();
    let Some(mut line) = next(&mut lines, &mut fields, path)? else {
        return Err(DataError::new(DataErrorKind::Value, path, "holds no points", "export the tracks again"));
    };
    let headless = fields.iter().all(|field| is_number(field));
    let places = places_of(&fields, headless, options, path)?;
    let mut rows = Rows {
        path,
        options,
        names: if headless { numbered(fields.len()) } else { fields.clone() },
        decimal_comma: delimiter == b';',
        commas: false,
        without_track: 0,
        points: Points {
            frames: places.frames,
            dimensions: places.axes.len(),
            line_word: "line",
            ..Points::default()
        },
        places,
    };
    rows.points.units.length = rows.places.length_unit.clone();
    rows.points.units.time = rows.places.time_unit.clone();
    let mut extra_lines = if rows.is_trackmate(headless) { TRACKMATE_EXTRA_LINES } else { 0 };
    let mut is_row = headless;
    loop {
        if is_row && extra_lines > 0 && rows.is_header_line(&fields) {
            extra_lines -= 1;
            rows.take_units(&fields);
        } else if is_row {
            extra_lines = 0;
            rows.add(&fields, line)?;
        }
        is_row = true;
        match next(&mut lines, &mut fields, path)? {
            Some(next) => line = next,
            None => break,
        }
    }
    rows.finish()
}

/// The next record: the line it begins at, or none at the end.
fn next(
    lines: &mut Lines<BufReader<File>>,
    fields: &mut Vec<String>,
    path: &Path,
) -> Result<Option<u64>, DataError> {
    let damaged = |found: &str, remedy: &str, line: u64| {
        DataError::new(DataErrorKind::Format, path, found, remedy).at(format!("line {line}"))
    };
    lines.next(fields).map_err(|e| match e {
        LineError::Read(e) => DataError::io(path, "read it", &e),
        LineError::OpenQuote(line) => damaged("has a quote that is never closed", "close or remove it", line),
        LineError::TooLong(line) => {
            damaged("has a line longer than any table's", "export it again as CSV", line)
        }
    })
}

/// The delimiter that the first line that is not a comment has most of.
fn sniff(file: &mut File, path: &Path) -> Result<u8, DataError> {
    let mut start = Vec::new();
    file.take(1 << 16).read_to_end(&mut start).map_err(|e| DataError::io(path, "read it", &e))?;
    file.rewind().map_err(|e| DataError::io(path, "read it", &e))?;
    let line = start
        .split(|&b| b == b'\n' || b == b'\r')
        .find(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))
        .unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|&&b| b == delimiter).count();
    let most = [b',', b';', b'\t'].into_iter().max_by_key(|&d| (count(d), d == b',')).unwrap_or(b',');
    if count(most) == 0 {
        let found =
            format!("has one column only in its first line, {}", quoted(&String::from_utf8_lossy(line)));
        let remedy = "separate the columns by commas, semicolons or tabs";
        return Err(DataError::new(DataErrorKind::Format, path, found, remedy));
    }
    Ok(most)
}

fn is_number(field: &str) -> bool {
    !field.is_empty() && field.replace(',', ".").parse::<f64>().is_ok()
}

fn numbered(columns: usize) -> Vec<String> {
    (1..=columns).map(|n| n.to_string()).collect()
}

fn places_of(
    first: &[String],
    headless: bool,
    options: &TrackOptions,
    path: &Path,
) -> Result<Places, DataError> {
    let wanted = if headless { in_order(first.len(), &options.columns) } else { options.columns.clone() };
    let header = if headless { numbered(first.len()) } else { first.to_vec() };
    columns::find(&header, &wanted).map_err(|(found, remedy)| {
        let found = if headless {
            format!("{found} (its first line is numbers, so it has no header)")
        } else {
            found
        };
        DataError::new(DataErrorKind::Missing, path, found, remedy)
    })
}

/// The columns of a table without a header: id, t, x, y and, if there are just five, z.
fn in_order(columns: usize, wanted: &Columns) -> Columns {
    let or = |wanted: &Option<Column>, number| wanted.clone().or(Some(Column::Number(number)));
    Columns {
        id: or(&wanted.id, 1),
        time: or(&wanted.time, 2),
        x: or(&wanted.x, 3),
        y: or(&wanted.y, 4),
        z: wanted.z.clone().or((columns == 5).then_some(Column::Number(5))),
    }
}

/// The rows of a table on their way to points.
struct Rows<'a> {
    path: &'a Path,
    options: &'a TrackOptions,
    names: Vec<String>,
    places: Places,
    decimal_comma: bool,
    commas: bool,
    without_track: u64,
    points: Points,
}

impl Rows<'_> {
    fn is_trackmate(&self, headless: bool) -> bool {
        let named = |name: &str| self.names.iter().any(|n| n == name);
        !headless && named("TRACK_ID") && named("POSITION_X")
    }

    /// Whether a line says words where numbers should be, everywhere: only header lines do.
    fn is_header_line(&self, fields: &[String]) -> bool {
        let mut words = std::iter::once(&self.places.time).chain(&self.places.axes);
        words.all(|&i| fields.get(i).is_some_and(|f| !is_number(f) && !f.is_empty()))
    }

    fn take_units(&mut self, fields: &[String]) {
        let unit = |i: usize| fields.get(i).and_then(|f| unit_in_brackets(f));
        self.points.units.length = unit(self.places.axes[0]).or(self.points.units.length.take());
        self.points.units.time = unit(self.places.time).or(self.points.units.time.take());
    }

    fn add(&mut self, fields: &[String], line: u64) -> Result<(), DataError> {
        let last =
            self.places.axes.iter().chain([&self.places.id, &self.places.time]).max().copied().unwrap_or(0);
        if fields.len() <= last {
            let found = format!("has {} columns, but the header has {}", fields.len(), self.names.len());
            let error = DataError::new(DataErrorKind::Value, self.path, found, "complete or remove the line");
            return Err(error.at(format!("line {line}")));
        }
        let id = fields[self.places.id].as_str();
        if id.is_empty() || matches!(id.to_ascii_lowercase().as_str(), "none" | "nan" | "na" | "null") {
            self.without_track += 1;
            return Ok(());
        }
        let time = self.number(fields, self.places.time, line)?;
        let mut position = [0.0; 3];
        for (axis, value) in position.iter_mut().enumerate().take(self.places.axes.len()) {
            *value = self.number(fields, self.places.axes[axis], line)?;
        }
        let track = self.points.track(id);
        self.points.push(Point { track, time, position, line }, self.path, self.options)
    }

    fn number(&mut self, fields: &[String], column: usize, line: u64) -> Result<f64, DataError> {
        let field = fields[column].as_str();
        let parsed = match field.parse::<f64>() {
            Err(_) if self.decimal_comma && field.matches(',').count() == 1 => {
                let number = field.replace(',', ".").parse::<f64>();
                self.commas |= number.is_ok();
                number
            }
            other => other,
        };
        let gap = "remove the line: a frame without a position is a gap, and gaps are handled";
        let (found, remedy) = match parsed {
            Ok(value) if value.is_finite() => return Ok(value),
            Ok(value) => (format!("{value} is not a finite number"), gap),
            Err(_) if field.is_empty() => ("is empty".to_owned(), gap),
            Err(_) if matches!(field, "NA" | "None" | "null") => {
                (format!("{} is not a number", quoted(field)), gap)
            }
            Err(_) => (format!("{} is not a number", quoted(field)), "correct the value or remove the line"),
        };
        let place = format!("line {line}, column {}", quoted(&self.names[column]));
        Err(DataError::new(DataErrorKind::Value, self.path, found, remedy).at(place))
    }

    fn finish(mut self) -> Result<Tracks, DataError> {
        if self.without_track > 0 {
            let note = format!("{} points belong to no track and were left out", self.without_track);
            self.points.notes.push(note);
        }
        if self.commas {
            self.points.notes.push("numbers with a decimal comma were read".to_owned());
        }
        self.points.assemble(self.path, self.options)
    }
}
