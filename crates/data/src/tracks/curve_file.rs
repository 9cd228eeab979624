//! Reads a curve of mean squared displacement from a table.

use super::curve::{MsdCurve, MsdPoint};
use super::track::Units;
use crate::arrays::open_regular;
use crate::tables::{Comment, NoLayout, Sheet, is_missing, read_text};
use crate::{DataError, DataErrorKind};
use glauber_files::error::{bytes_in_words, quoted};
use glauber_files::{number, rounded};
use std::path::Path;

/// The longest file of a curve that is read: 16 MiB, some hundred thousand lags.
const LONGEST: u64 = 16 << 20;

/// Reads a curve from a CSV file with the columns `lag,msd[,standard_error][,sub_tracks]`, in any order.
///
/// Lags are whole numbers of intervals, increasing from 1 (a lag of 0 with the value 0 is passed over). Comments say
/// the rest: `# interval: 24 s`, `# length unit: µm`, `# dimensions: 2` (or with `=`); other comments are kept. Without
/// them the interval is not known and there are no units. Lags that look like times (24, 48, 72 at an interval of 24)
/// are refused, unless `# lags: intervals` says that they are none. Separators, decimal commas and encodings are found as for tracks.
///
/// # Errors
/// If the file is missing, empty, too large or not text, a column is missing, a value is not a number, is negative or
/// not finite, or lags do not increase; with the line and column.
pub fn read_msd_curve(path: impl AsRef<Path>) -> Result<MsdCurve, DataError> {
    let path = path.as_ref();
    let (file, length) = open_regular(path)?;
    if length > LONGEST {
        let found = format!("takes {}, more than any curve", bytes_in_words(length));
        let remedy = "give tracks as tracks, not as a curve";
        return Err(DataError::new(DataErrorKind::TooLarge, path, found, remedy));
    }
    let (text, note) = read_text(file, length, path, "save the curve as CSV")?;
    read(&text, path, note)
}

impl MsdCurve {
    /// Reads the text of a curve; `path` names it in errors.
    ///
    /// # Errors
    /// Those of [`read_msd_curve`].
    pub fn from_csv(text: &str, path: impl AsRef<Path>) -> Result<Self, DataError> {
        read(text, path.as_ref(), None)
    }
}

/// Reads the text of a curve, and keeps a note about the text.
fn read(text: &str, path: &Path, note: Option<String>) -> Result<MsdCurve, DataError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let recognise = |fields: &[String]| Places::of(fields).ok().map(|places| vec![places.lag, places.msd]);
    let sheet = Sheet::open(text, path, &recognise, false, |no| refused(no, path))?;
    let places = Places::of(sheet.names()).map_err(|name| missing(name, sheet.names(), 1, path))?;
    let optional = [places.standard_error, places.sub_tracks].into_iter().flatten();
    let read: Vec<usize> = [places.lag, places.msd].into_iter().chain(optional).collect();
    sheet.check_names(read.iter().copied())?;
    let others =
        sheet.names().iter().enumerate().filter(|(place, name)| !read.contains(place) && !name.is_empty());
    let others: Vec<String> = others.map(|(_, name)| quoted(name)).collect();
    let unread = (!others.is_empty()).then(|| {
        let errors = if places.standard_error.is_none() {
            "; standard errors are a column `standard_error`"
        } else {
            ""
        };
        format!("columns that were not read: {}{errors}", others.join(", "))
    });
    let curve = MsdCurve {
        interval: None,
        lags_said: false,
        units: Units::default(),
        dimensions: None,
        points: Vec::new(),
        comments: Vec::new(),
        notes: note.into_iter().chain(unread).collect(),
    };
    Rows { path, sheet, places, curve }.read()
}

/// Why there is no curve, in words.
fn refused(no: NoLayout, path: &Path) -> DataError {
    match no {
        NoLayout::Empty => {
            let remedy = "give lines of lag,msd below a header of those names";
            DataError::new(DataErrorKind::Value, path, "holds no values", remedy)
        }
        NoLayout::Headless { line, .. } => {
            let remedy = "name the columns lag,msd or lag,msd,standard_error in its first line";
            DataError::new(DataErrorKind::Missing, path, "has no header", remedy).at(format!("line {line}"))
        }
        NoLayout::Unknown { line, names } => match Places::of(&names) {
            Err(name) => missing(name, &names, line, path),
            Ok(_) => {
                let remedy = "give lines of lag,msd below a header of those names";
                DataError::new(DataErrorKind::Value, path, "holds no values", remedy)
            }
        },
    }
}

fn missing(name: &str, names: &[String], line: u64, path: &Path) -> DataError {
    let found = format!("has no column `{name}` in its header, {}", quoted(&names.join(",")));
    let is_tracks = names.iter().any(|n| n.trim_matches('"').eq_ignore_ascii_case("x"));
    let remedy = match is_tracks {
        true => "name the columns lag,msd or lag,msd,standard_error; tracks are given as `data.tracks`",
        false => "name the columns lag,msd or lag,msd,standard_error",
    };
    DataError::new(DataErrorKind::Missing, path, found, remedy).at(format!("line {line}"))
}

/// Where the columns of a curve are, counted from 0.
#[derive(Clone, Copy, Debug)]
struct Places {
    lag: usize,
    msd: usize,
    standard_error: Option<usize>,
    sub_tracks: Option<usize>,
}

impl Places {
    /// The columns of a header, or the name of the one that is missing.
    fn of(header: &[String]) -> Result<Self, &'static str> {
        let find = |known: &[&str]| header.iter().position(|n| known.contains(&n.to_lowercase().as_str()));
        Ok(Self {
            lag: find(&["lag"]).ok_or("lag")?,
            msd: find(&["msd", "value"]).ok_or("msd")?,
            standard_error: find(&[
                "standard_error",
                "standard error",
                "se",
                "sem",
                "std_error",
                "stderr",
                "standard_errors",
            ]),
            sub_tracks: find(&["sub_tracks", "subtracks", "n"]),
        })
    }
}

/// The rows of a table on their way to a curve.
struct Rows<'a> {
    path: &'a Path,
    sheet: Sheet<'a>,
    places: Places,
    curve: MsdCurve,
}

impl Rows<'_> {
    fn read(mut self) -> Result<MsdCurve, DataError> {
        if let Err(error) = self.rows() {
            return Err(self.sheet.noted(error, &self.curve.notes));
        }
        match self.sheet.notes() {
            Ok(notes) => self.curve.notes.extend(notes),
            Err(unclear) => return Err(unclear.after(self.curve.notes)),
        }
        let first = self.curve.points[0].lag;
        if first > 1 && !self.curve.lags_said {
            let note = match self.curve.interval {
                Some(interval) => format!(
                    "lags count intervals: the first, {first}, is {} {}",
                    rounded(f64::from(first) * interval),
                    self.curve.units.time.as_deref().unwrap_or("units of time")
                ),
                None => format!("lags count intervals: the first is {first} intervals"),
            };
            self.curve.notes.insert(0, note);
        }
        Ok(self.curve)
    }

    fn rows(&mut self) -> Result<(), DataError> {
        let mut fields = Vec::new();
        while let Some(line) = self.sheet.row(&mut fields)? {
            self.add(&fields, line)?;
        }
        for comment in self.sheet.comments().to_vec() {
            self.take_comment(comment)?;
        }
        if self.curve.points.is_empty() {
            let remedy = "give lines of lag,msd below a header of those names";
            return Err(DataError::new(DataErrorKind::Value, self.path, "holds no values", remedy));
        }
        match self.curve.lags_like_times() {
            Some((found, remedy)) => Err(DataError::new(DataErrorKind::Value, self.path, found, remedy)),
            None => Ok(()),
        }
    }

    fn error(&self, place: String, found: String, remedy: &str) -> DataError {
        DataError::new(DataErrorKind::Value, self.path, found, remedy).at(place)
    }

    fn take_comment(&mut self, comment: Comment<'_>) -> Result<(), DataError> {
        let text = comment.text.trim();
        // `interval: 24 s` and `interval = 24 s`.
        let Some((key, value)) = text.split_once([':', '=']) else {
            self.curve.comments.push(text.to_owned());
            return Ok(());
        };
        let value = value.trim();
        match key.trim().to_lowercase().replace(['_', '-'], " ").as_str() {
            "interval" => {
                let (digits, unit) = value.split_once(' ').unwrap_or((value, ""));
                let interval = number(digits).filter(|i| i.is_finite() && *i > 0.0);
                let interval = interval.ok_or_else(|| {
                    let found = format!("the interval {} is not a positive number", quoted(value));
                    self.error(format!("line {}", comment.line), found, "write it as `# interval: 24 s`")
                })?;
                self.curve.interval = Some(interval);
                self.curve.units.time = Some(unit.trim().to_owned()).filter(|u| !u.is_empty());
            }
            "length unit" => self.curve.units.length = Some(value.to_owned()).filter(|u| !u.is_empty()),
            "lags" if value.to_lowercase().starts_with("interval") => self.curve.lags_said = true,
            "dimensions" => self.curve.dimensions = value.parse().ok().filter(|d| (1..=3).contains(d)),
            _ => self.curve.comments.push(text.to_owned()),
        }
        Ok(())
    }

    /// A number that is not negative.
    fn number(&mut self, fields: &[String], column: usize, name: &str, line: u64) -> Result<f64, DataError> {
        let value = self.sheet.number(fields, column, line)?;
        if value < 0.0 {
            let place = format!("line {line}, column `{name}`");
            return Err(self.error(
                place,
                format!("is {value}"),
                "give a finite number that is not negative",
            ));
        }
        Ok(value)
    }

    fn add(&mut self, fields: &[String], line: u64) -> Result<(), DataError> {
        let places = self.places;
        let at_lag = format!("line {line}, column `lag`");
        let lag = self.number(fields, places.lag, "lag", line)?;
        let value = self.number(fields, places.msd, "msd", line)?;
        if lag.fract().abs() > 0.0 || lag > f64::from(u32::MAX) {
            let remedy = "lags are whole numbers of intervals; say the interval by `# interval: 24 s`";
            return Err(self.error(at_lag, format!("{lag} is not a whole number"), remedy));
        }
        let mut optional = |column: Option<usize>, name: &str| match column {
            Some(c) if fields.get(c).is_some_and(|f| !f.is_empty() && !is_missing(f)) => {
                self.number(fields, c, name, line).map(Some)
            }
            _ => Ok(None),
        };
        let standard_error = optional(places.standard_error, "standard_error")?;
        let sub_tracks = optional(places.sub_tracks, "sub_tracks")?.map(|count| count as u64);
        let lag = lag as u32;
        if lag == 0 && value.abs() <= 0.0 {
            return Ok(());
        }
        if lag == 0 {
            let found = format!("lag 0 has the value {}, not 0", rounded(value));
            return Err(self.error(at_lag, found, "leave lag 0 out: positions at one time are not apart"));
        }
        if lag <= self.curve.points.last().map_or(0, |p| p.lag) {
            let found = format!("lag {lag} does not come after the one before it");
            return Err(self.error(at_lag, found, "sort the lags, from 1, and give each once"));
        }
        self.curve.points.push(MsdPoint { lag, value, standard_error, sub_tracks });
        Ok(())
    }
}
