//! Keeps the history of a fit: one record per step, and writes it as CSV.
//!
//! A record holds every scalar's value; of a field it holds four numbers, `name.mean`, `name.sd`, `name.min` and
//! `name.max`, so that a trace of a 4000 × 4000 image stays small.

use std::path::Path;

use crate::objective::Unknown;
use glauber_files::{DataError, DataErrorKind, Overwrite, WholeFile};

/// The columns before the parameters'.
pub const FIXED_COLUMNS: [&str; 4] = ["step", "loss", "gradient_norm", "rate"];

/// What happened at one step, before its update.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The step, from 0; the last record of a fit of n steps is step n, after the last update.
    pub step: u64,
    /// The loss at this step's parameters.
    pub loss: f64,
    /// The length of its gradient in free coordinates, before clipping.
    pub gradient_norm: f64,
    /// The learning rate of this step.
    pub rate: f64,
    /// The parameters in natural units, as the trace's columns.
    pub parameters: Vec<f64>,
}

impl Record {
    /// All its numbers, in the order of the CSV's columns.
    pub fn numbers(&self) -> impl Iterator<Item = f64> + '_ {
        [self.step as f64, self.loss, self.gradient_norm, self.rate]
            .into_iter()
            .chain(self.parameters.iter().copied())
    }

    /// The record with these numbers, in the order of the CSV's columns; `None` for fewer than four.
    pub fn from_numbers(numbers: &[f64]) -> Option<Record> {
        match *numbers {
            [step, loss, gradient_norm, rate, ref parameters @ ..] => {
                Some(Record { step: step as u64, loss, gradient_norm, rate, parameters: parameters.to_vec() })
            }
            _ => None,
        }
    }
}

/// The history of a fit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The names of a record's `parameters`.
    pub columns: Vec<String>,
    /// The records kept, oldest first.
    pub records: Vec<Record>,
}

impl Trace {
    /// An empty trace with the columns of these unknowns.
    pub fn of(unknowns: &[Unknown]) -> Trace {
        Trace { columns: columns_of(unknowns), records: Vec::new() }
    }

    /// The values of one parameter's column over the records.
    ///
    /// ```
    /// use glauber_optimize::trace::{Record, Trace};
    /// let record = Record { step: 0, loss: 1.0, gradient_norm: 0.0, rate: 0.1, parameters: vec![0.3] };
    /// let trace = Trace { columns: vec!["beta".into()], records: vec![record] };
    /// assert_eq!(trace.column("beta"), Some(vec![0.3]));
    /// ```
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        let place = self.columns.iter().position(|column| column == name)?;
        Some(self.records.iter().map(|record| record.parameters[place]).collect())
    }

    /// Writes it as CSV: a header, then a line per record; every number reads back as the same bits.
    ///
    /// # Errors
    /// [`DataError`] where the file is there and is not to be replaced, or cannot be written.
    pub fn write_csv(&self, path: &Path, overwrite: Overwrite) -> Result<(), DataError> {
        let refused = |error: csv::Error| DataError::io(path, "write it", &std::io::Error::other(error));
        let mut writer = csv::Writer::from_writer(WholeFile::create(path, overwrite)?);
        let header = FIXED_COLUMNS.into_iter().chain(self.columns.iter().map(String::as_str));
        writer.write_record(header).map_err(refused)?;
        for record in &self.records {
            writer.write_field(record.step.to_string()).map_err(refused)?;
            // `{:?}` is the shortest text that reads back as the same number, with an exponent where it is shorter.
            for number in record.numbers().skip(1) {
                writer.write_field(format!("{number:?}")).map_err(refused)?;
            }
            writer.write_record(None::<&[u8]>).map_err(refused)?;
        }
        let file = writer.into_inner().map_err(|error| DataError::io(path, "write it", error.error()))?;
        file.finish()
    }

    /// Reads what [`write_csv`](Trace::write_csv) wrote.
    ///
    /// # Errors
    /// [`DataError`] naming the line and column where it is not a trace.
    pub fn read_csv(path: &Path) -> Result<Trace, DataError> {
        let wrong =
            |found: String| DataError::new(DataErrorKind::Format, path, found, "give the trace.csv of a fit");
        let mut reader = csv::Reader::from_path(path).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => DataError::io(path, "read it", &error),
            other => wrong(format!("{other:?}")),
        })?;
        let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
        if !header.iter().take(4).eq(FIXED_COLUMNS) {
            return Err(wrong(format!("its first columns are not {}", FIXED_COLUMNS.join(", "))));
        }
        let columns = header.iter().skip(4).map(str::to_string).collect();
        let mut records = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|error| wrong(error.to_string()))?;
            let line = row.position().map_or(0, csv::Position::line);
            let parsed = row.iter().zip(&header).map(|(cell, column)| {
                cell.parse::<f64>().map_err(|_| {
                    wrong(format!("`{cell}` is not a number")).at(format!("line {line}, column `{column}`"))
                })
            });
            records.extend(Record::from_numbers(&parsed.collect::<Result<Vec<_>, _>>()?));
        }
        Ok(Trace { columns, records })
    }
}

/// The trace's columns for these unknowns. One whose name another column has already (a parameter called `rate`) is
/// called `rate (parameter)`.
fn columns_of(unknowns: &[Unknown]) -> Vec<String> {
    let names = unknowns.iter().flat_map(|unknown| {
        let name = &unknown.name;
        if unknown.is_scalar() {
            vec![name.clone()]
        } else {
            ["mean", "sd", "min", "max"].map(|part| format!("{name}.{part}")).to_vec()
        }
    });
    let mut columns: Vec<String> = Vec::new();
    for mut name in names {
        while FIXED_COLUMNS.contains(&name.as_str()) || columns.contains(&name) {
            name += " (parameter)";
        }
        columns.push(name);
    }
    columns
}

/// The numbers of a record for θ: scalars as they are, four for a field.
pub fn parameters_of(unknowns: &[Unknown], theta: &[f64]) -> Vec<f64> {
    let mut numbers = Vec::new();
    let mut first = 0;
    for unknown in unknowns {
        let values = &theta[first..first + unknown.len()];
        first += unknown.len();
        if unknown.is_scalar() {
            numbers.extend(values);
        } else {
            let FieldSummary { mean, sd, min, max } = FieldSummary::of(values);
            numbers.extend([mean, sd, min, max]);
        }
    }
    numbers
}

/// A field in four numbers.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct FieldSummary {
    /// The mean over its sites.
    pub mean: f64,
    /// The standard deviation over its sites (divided by their number).
    pub sd: f64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
}

impl FieldSummary {
    /// Of these values; NaN of none.
    pub fn of(values: &[f64]) -> FieldSummary {
        // Eight lanes in a fixed order: fast on large fields, the same bits everywhere. The first value is taken
        // off before squaring, so that a nearly constant field keeps its digits.
        let shift = values.first().copied().unwrap_or(f64::NAN);
        let (mut sums, mut squares) = ([0.0; 8], [0.0; 8]);
        let (mut least, mut most) = ([f64::INFINITY; 8], [f64::NEG_INFINITY; 8]);
        for chunk in values.chunks(8) {
            for (lane, &value) in chunk.iter().enumerate() {
                let off = value - shift;
                sums[lane] += off;
                squares[lane] += off * off;
                least[lane] = least[lane].min(value);
                most[lane] = most[lane].max(value);
            }
        }
        let count = values.len() as f64;
        let off = sums.iter().sum::<f64>() / count;
        let variance = squares.iter().sum::<f64>() / count - off * off;
        FieldSummary {
            mean: shift + off,
            // `f64::max` would hide a NaN.
            sd: if variance < 0.0 { 0.0 } else { variance.sqrt() },
            min: least.into_iter().fold(f64::INFINITY, f64::min),
            max: most.into_iter().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Interval;

    fn example() -> (Vec<Unknown>, Trace) {
        let unknowns =
            vec![Unknown::scalar("a, b", Interval::unit()), Unknown::field("x", Interval::any(), &[3])];
        let mut trace = Trace::of(&unknowns);
        for step in 0..3u64 {
            let theta = [1.0 / (step as f64 + 3.0), 1.0, 2.0, 3.0 + 1e-300];
            let loss = [1e-300, f64::MAX, f64::NAN][step as usize];
            let parameters = parameters_of(&unknowns, &theta);
            trace.records.push(Record { step: step * 10, loss, gradient_norm: 0.1, rate: 1e-7, parameters });
        }
        (unknowns, trace)
    }

    #[test]
    fn a_field_is_four_numbers() {
        let (_, trace) = example();
        assert_eq!(trace.columns, ["a, b", "x.mean", "x.sd", "x.min", "x.max"]);
        let last = &trace.records[2].parameters;
        assert!((last[1] - 2.0).abs() < 1e-15 && (last[2] - (2.0f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(last[3..], [1.0, 3.0]);
        let nearly = FieldSummary::of(&[1e9, 1e9 + 1.0, 1e9 + 2.0]);
        assert!((nearly.sd - (2.0f64 / 3.0).sqrt()).abs() < 1e-9);
        assert!(FieldSummary::of(&[1.0, f64::NAN]).sd.is_nan());
    }

    #[test]
    fn columns_have_names_of_their_own() {
        let scalar = |name: &str| Unknown::scalar(name, Interval::unit());
        let unknowns =
            [scalar("rate"), scalar("step"), scalar("x.sd"), Unknown::field("x", Interval::any(), &[2])];
        let names =
            ["rate (parameter)", "step (parameter)", "x.sd", "x.mean", "x.sd (parameter)", "x.min", "x.max"];
        assert_eq!(Trace::of(&unknowns).columns, names);
    }

    #[test]
    fn csv_reads_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.csv");
        let (_, trace) = example();
        trace.write_csv(&path, Overwrite::Refuse).unwrap();
        let read = Trace::read_csv(&path).unwrap();
        assert_eq!(read.columns, trace.columns);
        let bits = |t: &Trace| {
            t.records
                .iter()
                .flat_map(|r| r.numbers().map(f64::to_bits).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&read), bits(&trace));
        assert!(
            std::fs::read_to_string(&path)
                .unwrap()
                .starts_with("step,loss,gradient_norm,rate,\"a, b\",x.mean")
        );
        assert!(trace.write_csv(&path, Overwrite::Refuse).is_err());
    }

    #[test]
    fn what_is_no_trace_is_said_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let say = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Trace::read_csv(&path).unwrap_err().to_string()
        };
        assert!(say("id,t,x,y\n1,2,3,4\n").contains("first columns are not step, loss"));
        assert!(say("").contains("first columns"));
        assert!(say("step,loss,gradient_norm,rate,b\n0,1,2,3,x\n").contains("line 2, column `b`"));
        assert!(Trace::read_csv(&folder.path().join("none.csv")).is_err());
    }
}
