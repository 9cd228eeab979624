//! Holds, reads and writes a curve of mean squared displacement over lag, and turns it into lattice units.

use super::track::{Tracks, Units};
use crate::arrays::open_regular;
use crate::{DataError, DataErrorKind};
use glauber_files::error::{bytes_in_words, quoted};
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

/// The longest file of a curve that is read: 16 MiB, some hundred thousand lags.
const LONGEST: u64 = 16 << 20;

/// The mean squared displacement at one lag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MsdPoint {
    /// In intervals, from 1.
    pub lag: u32,
    /// In squared units of length; not negative.
    pub value: f64,
    /// Of the value, in the same unit; none if not known.
    pub standard_error: Option<f64>,
    /// How many sub-tracks it is the mean of; none if not known.
    pub sub_tracks: Option<u64>,
}

/// A curve of mean squared displacement over lag, with the interval and units it is in.
#[derive(Clone, Debug, PartialEq)]
pub struct MsdCurve {
    interval: f64,
    units: Units,
    dimensions: Option<usize>,
    points: Vec<MsdPoint>,
    notes: Vec<String>,
}

/// A point of a curve in lattice units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatticePoint {
    /// The number of steps of the model that the lag is.
    pub step: u32,
    /// In squared sites.
    pub value: f64,
    /// Of the value, in squared sites; none if not known.
    pub standard_error: Option<f64>,
}

impl MsdCurve {
    /// The curve of tracks.
    pub(super) fn of_tracks(tracks: &Tracks, points: Vec<MsdPoint>) -> Self {
        Self {
            interval: tracks.interval(),
            units: tracks.units().clone(),
            dimensions: Some(tracks.dimensions()),
            points,
            notes: Vec::new(),
        }
    }

    /// The time of one lag.
    pub fn interval(&self) -> f64 {
        self.interval
    }

    /// The units of lengths and times.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// 2 or 3; none if not known.
    pub fn dimensions(&self) -> Option<usize> {
        self.dimensions
    }

    /// The values at increasing lags; at least one.
    pub fn points(&self) -> &[MsdPoint] {
        &self.points
    }

    /// The comments of the file: title, citation, …
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The curve in steps of a model that last `step` (in the curve's unit of time) and sites that measure `site` (in
    /// its unit of length): lags become steps, values are divided by `site`².
    ///
    /// ```
    /// use glauber_data::tracks::shipped_curve;
    ///
    /// let curve = shipped_curve("t-cells")?;
    /// let lattice = curve.to_lattice(24.0, 10f64.sqrt())?;
    /// assert_eq!(lattice.len(), 10);
    /// assert!((lattice[0].value - 1.7402).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If step or site are not positive, or a lag is no whole number of steps.
    pub fn to_lattice(&self, step: f64, site: f64) -> Result<Vec<LatticePoint>, String> {
        for (value, name) in [(step, "time of a step"), (site, "length of a site")] {
            if !(value.is_finite() && value > 0.0) {
                return Err(format!("the {name} is {value}; give a positive number"));
            }
        }
        let area = site * site;
        let point = |p: &MsdPoint| {
            let steps = f64::from(p.lag) * self.interval / step;
            let whole = steps.round();
            if (steps - whole).abs() > 1e-6 * steps.max(1.0) || whole < 1.0 || whole > f64::from(u32::MAX) {
                return Err(format!(
                    "lag {} is {} {}, which is no whole number of steps of {step}; choose a step that divides {}",
                    p.lag,
                    f64::from(p.lag) * self.interval,
                    self.units.time.as_deref().unwrap_or("units of time"),
                    self.interval
                ));
            }
            Ok(LatticePoint {
                step: whole as u32,
                value: p.value / area,
                standard_error: p.standard_error.map(|e| e / area),
            })
        };
        self.points.iter().map(point).collect()
    }

    /// The curve as the text of a file that [`read_msd_curve`] reads back.
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for note in &self.notes {
            let _ = writeln!(text, "# {note}");
        }
        let time = self.units.time.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{}", format!("# interval: {} {time}", self.interval).trim_end());
        if let Some(length) = &self.units.length {
            let _ = writeln!(text, "# length unit: {length}");
        }
        if let Some(dimensions) = self.dimensions {
            let _ = writeln!(text, "# dimensions: {dimensions}");
        }
        text.push_str("lag,msd,standard_error,sub_tracks\n");
        for p in &self.points {
            let error = p.standard_error.map(|e| e.to_string()).unwrap_or_default();
            let count = p.sub_tracks.map(|c| c.to_string()).unwrap_or_default();
            let _ = writeln!(text, "{},{},{error},{count}", p.lag, p.value);
        }
        text
    }

    /// Reads the text of a curve; `path` names it in errors.
    ///
    /// # Errors
    /// Those of [`read_msd_curve`].
    pub fn from_csv(text: &str, path: impl AsRef<Path>) -> Result<Self, DataError> {
        Text { path: path.as_ref(), curve: Self::empty(), columns: None }.read(text)
    }

    fn empty() -> Self {
        Self {
            interval: 1.0,
            units: Units::default(),
            dimensions: None,
            points: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Reads a curve from a CSV file with the columns `lag,msd[,standard_error][,sub_tracks]`, in any order.
///
/// Lags are whole numbers of intervals, increasing from 1 (a lag of 0 with the value 0 is passed over). Comments say
/// the rest: `# interval: 24 s`, `# length unit: µm`, `# dimensions: 2`; other comments are kept as notes. Without
/// them the interval is 1 and there are no units.
///
/// # Errors
/// If the file is missing, empty, too large or not text, a column is missing, a value is not a number, is negative or
/// not finite, or lags do not increase; with the line and column.
pub fn read_msd_curve(path: impl AsRef<Path>) -> Result<MsdCurve, DataError> {
    let path = path.as_ref();
    let (file, length) = open_regular(path)?;
    if length > LONGEST {
        let found = format!("takes {}, more than any curve", bytes_in_words(length));
        return Err(DataError::new(
            DataErrorKind::TooLarge,
            path,
            found,
            "give tracks as tracks, not as a curve",
        ));
    }
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text).map_err(|e| DataError::io(path, "read it", &e))?;
    let text = String::from_utf8(text).map_err(|_| {
        DataError::new(DataErrorKind::Format, path, "is not UTF-8 text", "save it as CSV in UTF-8")
    })?;
    MsdCurve::from_csv(&text, path)
}

/// The columns of a curve, counted from 0.
#[derive(Clone, Copy, Debug)]
struct CurveColumns {
    lag: usize,
    msd: usize,
    standard_error: Option<usize>,
    sub_tracks: Option<usize>,
}

/// The text of a curve on its way to a curve.
struct Text<'a> {
    path: &'a Path,
    curve: MsdCurve,
    columns: Option<CurveColumns>,
}

impl Text<'_> {
    fn read(mut self, text: &str) -> Result<MsdCurve, DataError> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                self.comment(comment.trim(), number)?;
            } else if !line.is_empty() {
                match self.columns {
                    None => self.columns = Some(self.header(line, number)?),
                    Some(columns) => self.row(line, columns, number)?,
                }
            }
        }
        if self.curve.points.is_empty() {
            let remedy = "give lines of lag,msd below a header of those names";
            return Err(DataError::new(DataErrorKind::Value, self.path, "holds no values", remedy));
        }
        Ok(self.curve)
    }

    fn error(&self, place: String, found: String, remedy: &str) -> DataError {
        DataError::new(DataErrorKind::Value, self.path, found, remedy).at(place)
    }

    fn comment(&mut self, comment: &str, line: usize) -> Result<(), DataError> {
        let Some((key, value)) = comment.split_once(':') else {
            self.curve.notes.push(comment.to_owned());
            return Ok(());
        };
        let value = value.trim();
        match key.trim().to_lowercase().as_str() {
            "interval" => {
                let (number, unit) = value.split_once(' ').unwrap_or((value, ""));
                let interval = number.parse::<f64>().ok().filter(|i| i.is_finite() && *i > 0.0);
                self.curve.interval = interval.ok_or_else(|| {
                    let found = format!("the interval {} is not a positive number", quoted(value));
                    self.error(format!("line {line}"), found, "write it as `# interval: 24 s`")
                })?;
                self.curve.units.time = Some(unit.trim().to_owned()).filter(|u| !u.is_empty());
            }
            "length unit" => self.curve.units.length = Some(value.to_owned()).filter(|u| !u.is_empty()),
            "dimensions" => self.curve.dimensions = value.parse().ok().filter(|d| (1..=3).contains(d)),
            _ => self.curve.notes.push(comment.to_owned()),
        }
        Ok(())
    }

    fn header(&self, line: &str, number: usize) -> Result<CurveColumns, DataError> {
        let names: Vec<_> = line.split(',').map(|n| n.trim().trim_matches('"').to_lowercase()).collect();
        let find = |known: &[&str]| names.iter().position(|n| known.contains(&n.as_str()));
        let missing = |name: &str| {
            DataError::new(
                DataErrorKind::Missing,
                self.path,
                format!("has no column `{name}` in its header, {}", quoted(line)),
                "name the columns lag,msd or lag,msd,standard_error",
            )
            .at(format!("line {number}"))
        };
        Ok(CurveColumns {
            lag: find(&["lag"]).ok_or_else(|| missing("lag"))?,
            msd: find(&["msd", "value"]).ok_or_else(|| missing("msd"))?,
            standard_error: find(&["standard_error", "se"]),
            sub_tracks: find(&["sub_tracks", "subtracks", "n"]),
        })
    }

    fn row(&mut self, line: &str, columns: CurveColumns, number: usize) -> Result<(), DataError> {
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        let at = |name: &str| format!("line {number}, column `{name}`");
        let value = |column: usize, name: &str| match fields.get(column).map(|f| (f, f.parse::<f64>())) {
            None => Err(self.error(at(name), "is missing".into(), "complete the line")),
            Some((_, Ok(v))) if v.is_finite() && v >= 0.0 => Ok(v),
            Some((_, Ok(v))) => {
                Err(self.error(at(name), format!("is {v}"), "give a finite number that is not negative"))
            }
            Some((f, Err(_))) => {
                Err(self.error(at(name), format!("{} is not a number", quoted(f)), "correct it"))
            }
        };
        let optional = |column: Option<usize>, name: &str| match column {
            Some(c) if fields.get(c).is_some_and(|f| !f.is_empty()) => value(c, name).map(Some),
            _ => Ok(None),
        };
        let lag = value(columns.lag, "lag")?;
        let msd = value(columns.msd, "msd")?;
        if lag.fract().abs() > 0.0 || lag > f64::from(u32::MAX) {
            let remedy = "lags are whole numbers of intervals; say the interval by `# interval: 24 s`";
            return Err(self.error(at("lag"), format!("{lag} is not a whole number"), remedy));
        }
        let error = optional(columns.standard_error, "standard_error")?;
        let count = optional(columns.sub_tracks, "sub_tracks")?;
        let lag = lag as u32;
        if lag == 0 && msd.abs() <= 0.0 {
            return Ok(());
        }
        if lag <= self.curve.points.last().map_or(0, |p| p.lag) {
            let found = format!("lag {lag} does not come after the one before it");
            return Err(self.error(at("lag"), found, "sort the lags, from 1, and give each once"));
        }
        let point = MsdPoint { lag, value: msd, standard_error: error, sub_tracks: count.map(|c| c as u64) };
        self.curve.points.push(point);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Result<MsdCurve, DataError> {
        MsdCurve::from_csv(text, "msd.csv")
    }

    #[test]
    fn what_is_written_is_read() {
        let text = "# of something\n# source: a paper\n# interval: 24 s\n# length unit: µm\n# dimensions: 2\n\
                    lag,msd,standard_error,sub_tracks\n1,17.402,0.5,7\n3,20,,\n";
        let curve = read(text).unwrap();
        assert_eq!(curve.to_csv(), text);
        assert_eq!((curve.interval(), curve.units().time.as_deref()), (24.0, Some("s")));
        assert_eq!(curve.notes(), ["of something", "source: a paper"]);
        assert_eq!(
            curve.points()[1],
            MsdPoint { lag: 3, value: 20.0, standard_error: None, sub_tracks: None }
        );
    }

    #[test]
    fn the_least_there_must_be_is_enough() {
        let curve = read("msd, lag\n0,0\n2.5,1\n").unwrap();
        assert_eq!((curve.interval(), curve.points().len(), curve.points()[0].value), (1.0, 1, 2.5));
    }

    #[test]
    fn errors_name_line_and_column() {
        for (text, expected) in [
            ("", "msd.csv: holds no values"),
            ("lag,msd\n", "msd.csv: holds no values"),
            ("lag,x\n1,2\n", "msd.csv, line 1: has no column `msd`"),
            ("lag,msd\n1,2\n2,-3\n", "msd.csv, line 3, column `msd`: is -3;"),
            ("lag,msd\n1,NaN\n", "msd.csv, line 2, column `msd`: is NaN;"),
            ("lag,msd\n1,two\n", "msd.csv, line 2, column `msd`: `two` is not a number"),
            ("lag,msd\n1\n", "msd.csv, line 2, column `msd`: is missing"),
            ("lag,msd\n1.5,2\n", "msd.csv, line 2, column `lag`: 1.5 is not a whole number"),
            ("lag,msd\n1,2\n1,2\n", "msd.csv, line 3, column `lag`: lag 1 does not come after"),
            ("lag,msd,se\n1,2,-1\n", "msd.csv, line 2, column `standard_error`: is -1;"),
            (
                "# interval: soon\nlag,msd\n1,2\n",
                "msd.csv, line 1: the interval `soon` is not a positive number",
            ),
            ("lag,msd\n0,1\n", "msd.csv, line 2, column `lag`: lag 0 does not come after"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn lattice_units_divide_time_and_area() {
        let curve = read("# interval: 24 s\nlag,msd,se\n1,40,4\n2,80,8\n").unwrap();
        let lattice = curve.to_lattice(12.0, 2.0).unwrap();
        assert_eq!(lattice[1], LatticePoint { step: 4, value: 20.0, standard_error: Some(2.0) });
        assert!(curve.to_lattice(7.0, 2.0).unwrap_err().contains("lag 1 is 24 s"));
        assert!(curve.to_lattice(48.0, 1.0).is_err());
        assert!(curve.to_lattice(0.0, 1.0).is_err());
        assert!(curve.to_lattice(24.0, f64::NAN).is_err());
    }
}
