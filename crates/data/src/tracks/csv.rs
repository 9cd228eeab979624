//! Reads a table of points: celltrackR's, TrackMate's spot table, or any table with an id, a time and a position a line.
//!
//! Separators (comma, semicolon, tab, bar, spaces), decimal commas, titles above the header, `sep=;`, encodings and the
//! header itself are found by the crate's tables. A table without a header is refused until its columns are named by
//! their numbers. Lines of units below the header (TrackMate writes three lines: long names, short names, units in
//! brackets) are found and passed over. Points without a track (an empty id, TrackMate's `None`) are left out and
//! counted.

use super::columns::{self, Column, Columns, Places, unit_in_brackets};
use super::options::{TrackFormat, TrackOptions};
use super::points::{Groups, Point, Points};
use super::track::Tracks;
use super::unit::is_same;
use crate::tables::{NoLayout, Sheet, is_missing, is_number, read_text};
use crate::{DataError, DataErrorKind};
use glauber_files::error::quoted;
use std::fs::File;
use std::path::Path;

/// The most lines below a header that are header lines themselves.
const MOST_HEADER_LINES: usize = 3;
/// The most columns that are shown in an error.
const SHOWN: usize = 8;

/// Tables: whatever text is nothing else.
pub(super) const CSV: TrackFormat = TrackFormat { name: "csv", begins: None, table: true, read };

/// Reads a table of points.
fn read(file: File, length: u64, path: &Path, options: &TrackOptions) -> Result<Tracks, DataError> {
    let (text, note) = read_text(file, length, path, "export the tracks as CSV, TrackMate XML or NPY")?;
    let wanted = &options.columns;
    let by_number = wanted.all_by_number();
    let recognise = |fields: &[String]| {
        let places = columns::find(fields, wanted, options.face).ok()?;
        Some(std::iter::once(places.time).chain(places.axes).collect())
    };
    let sheet = Sheet::open(&text, path, &recognise, by_number, |no| refused(no, path, options, by_number))?
        .with_gap("remove the line: a frame without a position is a gap, and gaps are handled");
    let mut places = columns::find(sheet.names(), wanted, options.face)
        .map_err(|(found, remedy)| DataError::new(DataErrorKind::Missing, path, found, remedy))?;
    let mut notes: Vec<String> = note.into_iter().collect();
    if let Some(&z) = places.axes.get(2).filter(|z| wanted.z.is_none() && is_empty(sheet.clone(), **z)) {
        places.axes.pop();
        notes.push(format!("the column {} is empty: the tracks were read as 2-D", quoted(&sheet.names()[z])));
    }
    let points = Points {
        frames: places.frames,
        dimensions: places.axes.len(),
        line_word: "line",
        groups: Groups::of(sheet.names(), &places),
        notes,
        ..Points::default()
    };
    Rows { path, options, sheet, places, without_track: 0, points }.read()
}

/// Whether nothing stands in a column of a table, from the first row with a number elsewhere on.
fn is_empty(mut sheet: Sheet<'_>, column: usize) -> bool {
    let mut fields = Vec::new();
    let (mut rows, mut empty) = (0usize, true);
    while let Ok(Some(_)) = sheet.row(&mut fields) {
        let field = fields.get(column).map_or("", String::as_str);
        let header = rows == 0 && !field.is_empty() && !is_number(field) && !is_missing(field);
        if !header {
            rows += 1;
            empty &= field.is_empty() || is_missing(field);
        }
        if !empty {
            return false;
        }
    }
    rows > 0
}

/// Why a table cannot be read, in words.
fn refused(no: NoLayout, path: &Path, options: &TrackOptions, by_number: bool) -> DataError {
    match no {
        NoLayout::Empty => {
            let remedy = "export the tracks again";
            DataError::new(DataErrorKind::Value, path, "holds no points", remedy)
        }
        NoLayout::Unknown { line, names } if names.len() < 2 => {
            let found = format!("has one column only in line {line}, {}", quoted(&names.concat()));
            let remedy = "separate the columns by commas, semicolons, tabs or spaces";
            DataError::new(DataErrorKind::Format, path, found, remedy)
        }
        NoLayout::Unknown { names, .. } => {
            let (found, remedy) = match columns::find(&names, &options.columns, options.face) {
                Err(words) => words,
                Ok(_) => {
                    let found = "has no line with numbers in the columns named".to_owned();
                    (found, "name columns that hold the time and the position".to_owned())
                }
            };
            let curve = names.iter().any(|n| n.eq_ignore_ascii_case("msd"));
            let remedy = match curve {
                true => format!("{remedy}; a mean squared displacement is given to a fit as `data.msd`"),
                false => remedy,
            };
            DataError::new(DataErrorKind::Missing, path, found, remedy)
        }
        NoLayout::Headless { first, .. } if by_number => {
            let found = format!(
                "has no line with numbers in the columns named; a line has {} columns: {}",
                first.len(),
                shown(&first)
            );
            DataError::new(DataErrorKind::Missing, path, found, "give the numbers of columns that there are")
        }
        NoLayout::Headless { line, first } => {
            let found = format!(
                "has no header that names a column for the track, the time, x and y: line {line} holds numbers, {}",
                shown(&first)
            );
            let remedy = match first.len() {
                ..4 => "a table of tracks has at least four columns: the track, the time, x and y".to_owned(),
                columns => format!(
                    "say which column is which, by {}, where each N is a number from 1 to {columns}",
                    options.face.columns(&["id", "time", "x", "y", "z"][..columns.min(5)])
                ),
            };
            DataError::new(DataErrorKind::Missing, path, found, remedy)
        }
    }
}

/// The first fields of a line, with their numbers.
fn shown(fields: &[String]) -> String {
    let numbered = (1..).zip(fields).take(SHOWN);
    let shown: Vec<String> =
        numbered.map(|(number, field)| format!("column {number}: {}", quoted(field))).collect();
    shown.join(", ") + if fields.len() > SHOWN { ", …" } else { "" }
}

/// The rows of a table on their way to points.
struct Rows<'a> {
    path: &'a Path,
    options: &'a TrackOptions,
    sheet: Sheet<'a>,
    places: Places,
    without_track: u64,
    points: Points,
}

impl Rows<'_> {
    fn read(mut self) -> Result<Tracks, DataError> {
        self.points.units.length = self.places.length_unit.clone();
        self.points.units.time = self.places.time_unit.clone();
        self.points.half_named = self.places.half_named.clone().filter(|_| self.places.unit_column.is_none());
        let header_lines = match self.rows() {
            Ok(header_lines) => header_lines,
            Err(error) => return Err(self.sheet.noted(error, &self.points.notes)),
        };
        match self.sheet.notes() {
            Ok(notes) => self.points.notes.extend(notes),
            Err(unclear) => return Err(unclear.after(self.points.notes)),
        }
        self.points.notes.extend(self.sheet.note_of_comments());
        if header_lines > 0 && !self.is_trackmate() {
            let lines =
                if header_lines == 1 { "the line".to_owned() } else { format!("{header_lines} lines") };
            self.points.notes.push(format!("{lines} of words below the header was taken for units"));
        }
        if self.without_track > 0 {
            let note = format!("{} points belong to no track and were left out", self.without_track);
            self.points.notes.push(note);
        }
        self.points.columns = self.places.said(self.sheet.names());
        self.points.unread = self.places.unread(self.sheet.names());
        self.points.assemble(self.path, self.options)
    }

    /// Takes all rows; how many header lines there are below the header.
    fn rows(&mut self) -> Result<usize, DataError> {
        let (mut fields, mut header_lines, mut rows) = (Vec::new(), 0, 0);
        while let Some(line) = self.sheet.row(&mut fields)? {
            if rows == 0 && header_lines < MOST_HEADER_LINES && self.is_header_line(&fields) {
                header_lines += 1;
                self.take_units(&fields, line)?;
            } else {
                rows += 1;
                self.add(&fields, line, rows == 1)?;
            }
        }
        Ok(header_lines)
    }

    fn is_trackmate(&self) -> bool {
        let named = |name: &str| self.sheet.names().iter().any(|n| n == name);
        named("TRACK_ID") && named("POSITION_X")
    }

    /// Whether a line says words where numbers should be, or nothing: only header lines do.
    fn is_header_line(&self, fields: &[String]) -> bool {
        let numbers = || std::iter::once(&self.places.time).chain(&self.places.axes);
        let word = |field: &String| !field.is_empty() && !is_missing(field);
        numbers().all(|&i| fields.get(i).is_some_and(|field| !is_number(field)))
            && self.places.axes.iter().all(|&i| fields.get(i).is_some_and(word))
    }

    /// Takes the units of a line of them.
    fn take_units(&mut self, fields: &[String], line: u64) -> Result<(), DataError> {
        let trackmate = self.is_trackmate();
        let unit = |i: usize| {
            let field = fields.get(i)?;
            let bare = || (!trackmate && columns::is_unit(field)).then(|| field.clone());
            unit_in_brackets(field).or_else(bare)
        };
        let lengths: Vec<String> = self.places.axes.iter().filter_map(|axis| unit(*axis)).collect();
        for other in &lengths {
            self.check_length(&lengths[0], other, line)?;
        }
        let of_axis: Vec<Option<String>> = self.places.axes.iter().map(|axis| unit(*axis)).collect();
        let name = |axis: usize| self.sheet.names()[self.places.axes[axis]].clone();
        match (of_axis.iter().position(Option::is_some), of_axis.iter().position(Option::is_none)) {
            (Some(_), None) => self.points.half_named = None,
            (Some(with), Some(without)) if self.points.units.length.is_none() => {
                let unit = of_axis[with].clone().unwrap_or_default();
                self.points.half_named = Some((name(with), unit, name(without)));
            }
            _ => {}
        }
        self.points.units.length = unit(self.places.axes[0]).or(self.points.units.length.take());
        self.points.units.time = unit(self.places.time).or(self.points.units.time.take());
        Ok(())
    }

    /// Refuses positions in two units.
    fn check_length(&self, one: &str, other: &str, line: u64) -> Result<(), DataError> {
        if is_same(one, other) {
            return Ok(());
        }
        let found =
            format!("has positions in {} and in {}, which cannot be added up", quoted(one), quoted(other));
        let remedy = "give all positions in one unit";
        Err(DataError::new(DataErrorKind::Value, self.path, found, remedy).at(format!("line {line}")))
    }

    fn add(&mut self, fields: &[String], line: u64, first: bool) -> Result<(), DataError> {
        // Imaris names the unit of lengths in every line.
        let unit =
            self.places.unit_column.and_then(|at| fields.get(at)).filter(|unit| columns::is_unit(unit));
        match (unit, &self.points.units.length) {
            (Some(unit), None) if first => self.points.units.length = Some(unit.clone()),
            (Some(unit), Some(own)) => self.check_length(own, unit, line)?,
            _ => {}
        }
        let field = |column: usize| fields.get(column).map_or("", String::as_str);
        let id = field(self.places.id);
        if id.is_empty() || is_missing(id) {
            self.without_track += 1;
            return Ok(());
        }
        let time = self.sheet.number(fields, self.places.time, line)?;
        let mut position = [0.0; 3];
        for (axis, value) in position.iter_mut().enumerate().take(self.places.axes.len()) {
            *value = self.sheet.number(fields, self.places.axes[axis], line)?;
        }
        let track = self.points.track(id);
        self.points.push(Point { track, time, position, line }, self.path, self.options)?;
        self.points.groups.take(|at| field(at).to_owned());
        Ok(())
    }
}

impl Columns {
    /// Whether everything that must be named is named by a number.
    pub(super) fn all_by_number(&self) -> bool {
        let numbered = |c: &Option<Column>| matches!(c, Some(Column::Number(_)));
        [&self.id, &self.time, &self.x, &self.y].into_iter().all(numbered)
            && !matches!(self.z, Some(Column::Name(_)))
    }
}
