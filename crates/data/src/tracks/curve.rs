//! Holds and writes a curve of mean squared displacement over lag, and turns it into lattice units.

use super::face::Face;
use super::track::{Tracks, Units};
use super::unit;
use crate::no_data::no_data_sign;
use crate::{DataError, DataErrorKind};
use std::fmt::Write as _;

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
    /// None where nobody said it.
    pub(super) interval: Option<f64>,
    /// Whether the file says that lags count intervals.
    pub(super) lags_said: bool,
    pub(super) units: Units,
    pub(super) dimensions: Option<usize>,
    pub(super) points: Vec<MsdPoint>,
    pub(super) comments: Vec<String>,
    pub(super) notes: Vec<String>,
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
    /// The curve of tracks, and what is to be said of it.
    pub(super) fn of_tracks(tracks: &Tracks, points: Vec<MsdPoint>, note: Option<String>) -> Self {
        Self {
            interval: Some(tracks.interval()),
            lags_said: false,
            units: tracks.units().clone(),
            dimensions: Some(tracks.dimensions()),
            points,
            comments: Vec::new(),
            notes: note.into_iter().collect(),
        }
    }

    /// The time of one lag; 1 where nobody said it.
    pub fn interval(&self) -> f64 {
        self.interval.unwrap_or(1.0)
    }

    /// The time of one lag; none where nobody said it.
    pub fn known_interval(&self) -> Option<f64> {
        self.interval
    }

    /// What is found and what to do where lags look like times, not like counts of intervals: all are multiples of the
    /// interval, and the first is the interval.
    pub fn lags_like_times(&self) -> Option<(String, String)> {
        let interval = self.interval.filter(|interval| *interval > 1.0 && !self.lags_said)?;
        let multiple = |lag: u32| (f64::from(lag) / interval).fract().abs() <= 0.0;
        let first = self.points.first()?.lag;
        let like = (f64::from(first) - interval).abs() <= 0.0 && self.points.iter().all(|p| multiple(p.lag));
        like.then(|| {
            let shown: Vec<String> = self.points.iter().take(3).map(|p| p.lag.to_string()).collect();
            let more = if self.points.len() > 3 { ", …" } else { "" };
            let found = format!(
                "has the lags {}{more} at an interval of {}, which look like times: lags count intervals",
                shown.join(", "),
                glauber_files::rounded(interval)
            );
            let remedy = "divide them by the interval (1, 2, 3, …); if they do count intervals, say so in a line \
                          `# lags: intervals`";
            (found, remedy.to_owned())
        })
    }

    /// The same curve with another time of one lag.
    ///
    /// ```
    /// use glauber_data::tracks::MsdCurve;
    ///
    /// let curve = MsdCurve::from_csv("lag,msd\n1,17.4\n2,52.2\n", "msd.csv")?;
    /// assert_eq!((curve.known_interval(), curve.interval()), (None, 1.0));
    /// assert_eq!(curve.with_interval(24.0).interval(), 24.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_interval(mut self, interval: f64) -> Self {
        self.interval = Some(interval);
        self
    }

    /// The same curve with units, where it has none.
    ///
    /// # Errors
    /// If it has another unit; with the key of the fit file at fault and what is wrong.
    pub fn with_units(mut self, units: Units) -> Result<Self, (&'static str, String)> {
        let wrong = |own: &Option<String>, given: &Option<String>, key: &'static str| {
            unit::contradiction(own.as_deref(), given.as_deref(), key, Face::FitFile)
                .map(|(found, remedy)| (key, format!("the curve {found}: {remedy}")))
        };
        let error = wrong(&self.units.length, &units.length, "length-unit")
            .or_else(|| wrong(&self.units.time, &units.time, "time-unit"));
        if let Some(error) = error {
            return Err(error);
        }
        self.units.length = units.length.or(self.units.length);
        self.units.time = units.time.or(self.units.time);
        Ok(self)
    }

    /// The same curve without lags above `most`, as far as one is left.
    #[must_use]
    pub fn up_to_lag(mut self, most: u64) -> Self {
        let first = self.points.first().map_or(0, |p| u64::from(p.lag));
        self.points.retain(|p| u64::from(p.lag) <= most.max(first));
        self
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
    pub fn comments(&self) -> &[String] {
        &self.comments
    }

    /// What was left out, guessed or passed over, in sentences.
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
            let steps = f64::from(p.lag) * self.interval() / step;
            let whole = steps.round();
            if (steps - whole).abs() > 1e-6 * steps.max(1.0) || whole < 1.0 || whole > f64::from(u32::MAX) {
                return Err(format!(
                    "lag {} is {} {}, which is no whole number of steps of {step}; choose a step that divides {}",
                    p.lag,
                    f64::from(p.lag) * self.interval(),
                    self.units.time.as_deref().unwrap_or("units of time"),
                    self.interval()
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

    /// The curve as the text of a file that `read_msd_curve` reads back.
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for comment in &self.comments {
            let _ = writeln!(text, "# {comment}");
        }
        let time = self.units.time.as_deref().unwrap_or_default();
        if let Some(interval) = self.interval {
            let _ = writeln!(text, "{}", format!("# interval: {interval} {time}").trim_end());
        }
        if self.lags_said {
            text.push_str("# lags: intervals\n");
        }
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

    /// The curve of points in memory, each lag a whole number of intervals; `name` is what errors call it.
    ///
    /// # Errors
    /// If there is no point, lags do not increase from 1, or a value is negative or not finite.
    pub fn of_points(interval: Option<f64>, points: Vec<MsdPoint>, name: &str) -> Result<Self, DataError> {
        let wrong = |found: String, remedy: &str| DataError::new(DataErrorKind::Value, name, found, remedy);
        if let Some(interval) = interval.filter(|i| !(i.is_finite() && *i > 0.0)) {
            return Err(wrong(format!("has the interval {interval}"), "give a positive number"));
        }
        if points.is_empty() {
            return Err(wrong("holds no values".to_owned(), "give at least one, at a lag of 1 interval"));
        }
        let mut last = 0;
        for point in &points {
            let numbers = [Some(point.value), point.standard_error];
            if let Some(bad) = numbers.into_iter().flatten().find(|x| !(x.is_finite() && *x >= 0.0)) {
                let error = wrong(format!("is {bad}"), "give a finite number that is not negative");
                return Err(error.at(format!("lag {}", point.lag)));
            }
            if point.lag <= last {
                let found = format!("lag {} does not come after the one before it", point.lag);
                return Err(wrong(found, "sort the lags, from 1, and give each once"));
            }
            last = point.lag;
        }
        let values: Vec<f64> = points.iter().map(|point| point.value).collect();
        if let Some(sign) = no_data_sign(&values) {
            let found = format!("is {}", sign.in_words("lags"));
            let error = wrong(found, "leave this lag out: a curve need not have all of them");
            return Err(error.at(format!("lag {}", points[sign.first].lag)));
        }
        let (units, comments, notes) = (Units::default(), Vec::new(), Vec::new());
        Ok(Self { interval, lags_said: false, units, dimensions: None, points, comments, notes })
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
        assert_eq!(curve.comments(), ["of something", "source: a paper"]);
        assert_eq!(
            curve.points()[1],
            MsdPoint { lag: 3, value: 20.0, standard_error: None, sub_tracks: None }
        );
    }

    #[test]
    fn points_in_memory_are_checked_as_those_of_a_file() {
        let point = |lag, value| MsdPoint { lag, value, standard_error: None, sub_tracks: None };
        let made =
            |points| MsdCurve::of_points(Some(24.0), points, "the curve given").map_err(|e| e.to_string());
        assert_eq!(made(vec![point(1, 2.0), point(3, 4.0)]).unwrap().points().len(), 2);
        for (points, expected) in [
            (vec![], "the curve given: holds no values"),
            (vec![point(1, -2.0)], "the curve given, lag 1: is -2"),
            (vec![point(2, 1.0), point(2, 1.0)], "the curve given: lag 2 does not come after"),
            (vec![point(0, 1.0)], "the curve given: lag 0 does not come after"),
            (
                vec![point(1, 1.0), point(2, 9999.0), point(3, 3.0)],
                "the curve given, lag 2: is 9999, which often stands for no data",
            ),
        ] {
            let error = made(points).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn the_least_there_must_be_is_enough() {
        let curve = read("msd, lag\n0,0\n2.5,1\n").unwrap();
        assert_eq!((curve.interval(), curve.points().len(), curve.points()[0].value), (1.0, 1, 2.5));
    }

    #[test]
    fn spreadsheets_may_write_it_as_they_do() {
        let plain = read("# interval: 24 s\nlag,msd,se\n1,17.5,0.5\n2,20.25,0.25\n").unwrap();
        for text in [
            "# interval: 24 s\nlag;msd;se\n1;17,5;0,5\n2;20,25;0,25\n",
            "\u{FEFF}sep=;\r\n# interval: 24 s\r\nlag;msd;se\r\n1;17,5;0,5\r\n2;20,25;0,25\r\n",
            "# interval: 24 s\nlag msd se\n1 17.5 0.5\n2 20.25 0.25\n",
            "# interval: 24 s\n\"\"\t\"lag\"\t\"msd\"\t\"se\"\n\"a\"\t1\t17.5\t0.5\n\"b\"\t2\t20.25\t0.25\n",
        ] {
            let curve = read(text).unwrap();
            assert_eq!((curve.points(), curve.known_interval()), (plain.points(), Some(24.0)), "{text}");
        }
        assert!(read("lag;msd\n1;17,5\n").unwrap().notes()[0].contains("decimal comma"));
    }

    #[test]
    fn lags_are_cut_by_their_number() {
        let curve = read("lag,msd\n2,4\n4,8\n8,16\n").unwrap();
        let lags = |most| curve.clone().up_to_lag(most).points().iter().map(|p| p.lag).collect::<Vec<_>>();
        assert_eq!((lags(4), lags(3), lags(1), lags(100)), (vec![2, 4], vec![2], vec![2], vec![2, 4, 8]));
    }

    #[test]
    fn errors_name_line_and_column() {
        for (text, expected) in [
            ("", "msd.csv: holds no values"),
            ("lag,msd\n", "msd.csv: holds no values"),
            ("1,2\n2,3\n", "msd.csv, line 1: has no header"),
            ("lag,x\n1,2\n", "msd.csv, line 1: has no column `msd`"),
            ("lag,msd\n1,2\n2,-3\n", "msd.csv, line 3, column `msd`: is -3;"),
            ("lag,msd\n1,NaN\n", "msd.csv, line 2, column `msd`: NaN is not a finite number;"),
            ("lag,msd\n1,two\n", "msd.csv, line 2, column `msd`: `two` is not a number"),
            ("lag,msd\n1\n", "msd.csv, line 2: has 1 fields, but the header in line 1 has 2"),
            ("lag,msd\n1.5,2\n", "msd.csv, line 2, column `lag`: 1.5 is not a whole number"),
            ("lag,msd\n1,2\n1,2\n", "msd.csv, line 3, column `lag`: lag 1 does not come after"),
            ("lag,msd,se\n1,2,-1\n", "msd.csv, line 2, column `standard_error`: is -1;"),
            (
                "# interval: soon\nlag,msd\n1,2\n",
                "msd.csv, line 1: the interval `soon` is not a positive number",
            ),
            ("lag,msd\n0,1\n", "msd.csv, line 2, column `lag`: lag 0 has the value 1, not 0"),
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
