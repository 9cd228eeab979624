//! Reads a curve over time from a table: for each step or time one or several numbers, perhaps with standard errors.

use crate::arrays::open_regular;
use crate::no_data::no_data_sign;
use crate::tables::{NoLayout, Sheet, read_text};
use crate::{DataError, DataErrorKind};
use glauber_files::error::{bytes_in_words, quoted};
use glauber_files::rounded;
use std::path::Path;

/// The longest file that is read: 16 MiB, some hundred thousand times.
const LONGEST: u64 = 16 << 20;

/// Numbers over time.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeCurve {
    /// Increasing, not negative.
    pub times: Vec<f64>,
    /// Whether they count steps of the model, or are times in the data's unit.
    pub in_steps: bool,
    /// \[time\]\[number\], flattened.
    pub values: Vec<f64>,
    /// Their standard errors in the same order, where the table has them.
    pub errors: Option<Vec<f64>>,
    /// The names of the columns that hold the values, one for each of the numbers wanted.
    pub columns: Vec<String>,
    /// What was read from where, what was passed over or guessed, in sentences.
    pub notes: Vec<String>,
}

/// Reads a table with a column `step` or `time` and one column for each of the numbers `wanted`, by these names; a
/// single number's column may be called `value`, or anything where there is no other. Standard errors are in columns
/// `standard_error` (or `se`), or `NAME standard_error` where there are several numbers.
///
/// ```
/// use glauber_data::read_time_curve;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("density.csv");
/// std::fs::write(&path, "step,density,se\n1,0.1,0.01\n2,0.15,0.02\n")?;
/// let curve = read_time_curve(&path, &["mean(aware)".to_string()])?;
/// assert_eq!((curve.times, curve.values, curve.in_steps), (vec![1.0, 2.0], vec![0.1, 0.15], true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file is missing, empty, too large or not text, a column is missing, a value is not a finite number, a
/// standard error is negative, or times do not increase.
pub fn read_time_curve(path: impl AsRef<Path>, wanted: &[String]) -> Result<TimeCurve, DataError> {
    let path = path.as_ref();
    let (file, length) = open_regular(path)?;
    if length > LONGEST {
        let found = format!("takes {}, more than any curve", bytes_in_words(length));
        let remedy = "give a table with one line for each time";
        return Err(DataError::new(DataErrorKind::TooLarge, path, found, remedy));
    }
    let (text, note) = read_text(file, length, path, "save the curve as CSV")?;
    let recognise = |fields: &[String]| {
        let places = Places::of(fields, wanted).ok()?;
        Some(std::iter::once(places.time).chain(places.values).collect())
    };
    let mut sheet = Sheet::open(&text, path, &recognise, false, |no| refused(no, wanted, path))?;
    let places = Places::of(sheet.names(), wanted)
        .map_err(|words| DataError::new(DataErrorKind::Missing, path, words.0, words.1))?;
    let columns: Vec<usize> = std::iter::once(places.time)
        .chain(places.values.iter().copied())
        .chain(places.errors.iter().flatten().copied())
        .collect();
    sheet.check_names(columns.iter().copied())?;
    let mut curve = TimeCurve {
        times: Vec::new(),
        in_steps: places.in_steps,
        values: Vec::new(),
        errors: places.errors.is_some().then(Vec::new),
        columns: places.values.iter().map(|column| sheet.names()[*column].clone()).collect(),
        notes: note.into_iter().collect(),
    };
    if let Err(error) = take_rows(&mut sheet, &places, path, &mut curve) {
        return Err(sheet.noted(error, &curve.notes));
    }
    let read: Vec<String> = columns.iter().map(|column| quoted(&sheet.names()[*column])).collect();
    let unread: Vec<String> = (0..sheet.names().len())
        .filter(|column| !columns.contains(column) && !sheet.names()[*column].trim().is_empty())
        .map(|column| quoted(&sheet.names()[column]))
        .collect();
    let others = match &unread[..] {
        [] => String::new(),
        unread => {
            format!("; {} not read", unread.join(", ") + if unread.len() == 1 { " is" } else { " are" })
        }
    };
    curve.notes.insert(0, format!("read from the columns {}{others}", read.join(", ")));
    match sheet.notes() {
        Ok(notes) => curve.notes.extend(notes),
        Err(unclear) => return Err(unclear.after(curve.notes)),
    }
    curve.notes.extend(sheet.note_of_comments());
    Ok(curve)
}

/// Takes all rows of a table, and refuses values that stand for no data.
fn take_rows(
    sheet: &mut Sheet<'_>,
    places: &Places,
    path: &Path,
    curve: &mut TimeCurve,
) -> Result<(), DataError> {
    let (mut fields, mut lines) = (Vec::new(), Vec::new());
    while let Some(line) = sheet.row(&mut fields)? {
        let at = |column: usize, found: String, remedy: &str| {
            let place = format!("line {line}, column {}", column + 1);
            DataError::new(DataErrorKind::Value, path, found, remedy).at(place)
        };
        let time = sheet.number(&fields, places.time, line)?;
        if time < 0.0 || curve.times.last().is_some_and(|&last| time <= last) {
            let found = match curve.times.last() {
                Some(last) if time >= 0.0 => {
                    format!("{} does not come after {}", rounded(time), rounded(*last))
                }
                _ => format!("{} is before the start, 0", rounded(time)),
            };
            return Err(at(places.time, found, "sort the lines by time, from 0, and give each time once"));
        }
        curve.times.push(time);
        lines.push(line);
        for &column in &places.values {
            curve.values.push(sheet.number(&fields, column, line)?);
        }
        for &column in places.errors.iter().flatten() {
            let error = sheet.number(&fields, column, line)?;
            if error < 0.0 {
                return Err(at(
                    column,
                    format!("a standard error is {error}"),
                    "give one that is not negative",
                ));
            }
            curve.errors.get_or_insert_default().push(error);
        }
    }
    if curve.times.is_empty() {
        let remedy = "give lines of numbers below the header";
        return Err(DataError::new(DataErrorKind::Value, path, "holds no values", remedy));
    }
    for (at, &column) in places.values.iter().enumerate() {
        let own: Vec<f64> = curve.values.iter().skip(at).step_by(places.values.len()).copied().collect();
        let sign = no_data_sign(&own).filter(|sign| sign.sure || sign.value < 0.0);
        if let Some(sign) = sign {
            let found = format!("the value is {}", sign.in_words("times"));
            let place = format!("line {}, column {}", lines[sign.first], quoted(&sheet.names()[column]));
            let remedy = "leave the line out: a curve need not have a value at every time";
            return Err(DataError::new(DataErrorKind::Value, path, found, remedy).at(place));
        }
    }
    Ok(())
}

/// Where the columns are, counted from 0.
struct Places {
    time: usize,
    in_steps: bool,
    values: Vec<usize>,
    errors: Option<Vec<usize>>,
}

impl Places {
    /// The columns of a header, or what is missing and what to do.
    fn of(header: &[String], wanted: &[String]) -> Result<Self, (String, String)> {
        let lower = |name: &String| name.trim().to_lowercase();
        let plain: Vec<String> = header.iter().map(lower).collect();
        // `time (min)`, `t [h]`, `time/h`
        let bare: Vec<String> = plain
            .iter()
            .map(|name| name.split(['(', '[', '/']).next().unwrap_or_default().trim().to_owned())
            .collect();
        let find_bare = |known: &[&str]| bare.iter().position(|name| known.contains(&name.as_str()));
        let find = |known: &[&str]| plain.iter().position(|name| known.contains(&name.as_str()));
        let names: Vec<String> = header.iter().map(|name| quoted(name)).collect();
        let remedy = format!(
            "name the columns step (or time), {} and, where they are known, standard_error; there are {}",
            if wanted.len() == 1 { "value".to_owned() } else { wanted.join(", ") },
            names.join(", ")
        );
        let of_time = |known: &[&str]| find(known).or_else(|| find_bare(known));
        let (time, in_steps) = match (of_time(&["step", "steps"]), of_time(&["time", "t"])) {
            (Some(step), _) => (step, true),
            (None, Some(time)) => (time, false),
            (None, None) => return Err(("has no column `step` or `time`".to_owned(), remedy)),
        };
        let errors = ["standard_error", "standard error", "se", "std_error", "sem", "stderr"];
        let alone = || {
            let others = (0..plain.len()).filter(|&i| i != time && !errors.contains(&plain[i].as_str()));
            let others: Vec<usize> = others.filter(|&i| !plain[i].is_empty()).collect();
            (others.len() == 1).then(|| others[0])
        };
        let values = wanted.iter().map(|name| {
            let own = find(&[name.to_lowercase().as_str()]);
            let single = || (wanted.len() == 1).then(|| find(&["value", "mean"]).or_else(alone))?;
            own.or_else(single).ok_or_else(|| (format!("has no column for {}", quoted(name)), remedy.clone()))
        });
        let values = values.collect::<Result<Vec<usize>, _>>()?;
        let error_of = |name: &String| {
            let name = name.to_lowercase();
            let single = || (wanted.len() == 1).then(|| find(&errors))?;
            find(&[&format!("{name} standard_error"), &format!("{name}_standard_error")]).or_else(single)
        };
        let errors = wanted.iter().map(error_of).collect::<Option<Vec<usize>>>();
        Ok(Self { time, in_steps, values, errors })
    }
}

fn refused(no: NoLayout, wanted: &[String], path: &Path) -> DataError {
    let (found, remedy) = match no {
        NoLayout::Empty => ("holds no values".to_owned(), "give lines of step,value below a header".to_owned()),
        NoLayout::Headless { line, .. } => (
            format!("has no header: line {line} holds numbers"),
            "name the columns in the first line: step (or time), value and, where it is known, standard_error"
                .to_owned(),
        ),
        NoLayout::Unknown { names, .. } => match Places::of(&names, wanted) {
            Err(words) => words,
            Ok(_) => ("holds no values".to_owned(), "give lines of numbers below the header".to_owned()),
        },
    };
    DataError::new(DataErrorKind::Missing, path, found, remedy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str, wanted: &[&str]) -> Result<TimeCurve, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curve.csv");
        std::fs::write(&path, text).unwrap();
        let wanted: Vec<String> = wanted.iter().map(|w| (*w).to_owned()).collect();
        read_time_curve(&path, &wanted).map_err(|e| format!("{}; {}", e.found(), e.remedy()))
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let curve = read("t;distance 1;distance 2\n0;1;0,5\n2,5;0,25;0,125\n", &["distance 1", "distance 2"])
            .unwrap();
        assert_eq!((curve.times, curve.in_steps), (vec![0.0, 2.5], false));
        assert_eq!((curve.values, curve.errors), (vec![1.0, 0.5, 0.25, 0.125], None));
        assert!(curve.notes[0].contains("`t`, `distance 1`, `distance 2`"), "{:?}", curve.notes);
        let curve = read("# interval 30 s\ntime (min),value\n1,2\n2,4\n", &["mean(aware)"]).unwrap();
        assert_eq!((curve.times, curve.values, curve.in_steps), (vec![1.0, 2.0], vec![2.0, 4.0], false));
        assert!(curve.notes.iter().any(|note| note.contains("`interval 30 s`")), "{:?}", curve.notes);
        let curve = read("step,value,sem,n,sd\n1,2,0.1,9,3\n", &["mean(aware)"]).unwrap();
        assert_eq!(
            (curve.values, curve.errors, &curve.columns[..]),
            (vec![2.0], Some(vec![0.1]), &["value".to_owned()][..])
        );
        assert!(curve.notes[0].contains("`n`, `sd` are not read"), "{:?}", curve.notes);
        let curve = read("\"\" \"step\" \"cover\" \"se\"\n\"1\" 3 0.5 0.1\n", &["mean(aware)"]).unwrap();
        assert_eq!((curve.values, curve.errors), (vec![0.5], Some(vec![0.1])));
    }

    #[test]
    fn wrong_curves_are_refused() {
        for (text, words) in [
            ("step,a,b\n1,2,3\n", "has no column for `mean(aware)`"),
            ("time_of_day,value\n1,2\n", "has no column `step` or `time`"),
            ("1,2\n3,4\n", "has no header"),
            ("step,value\n", "holds no values"),
            ("step,value\n2,1\n1,1\n", "1 does not come after 2"),
            ("step,value\n-1,1\n", "-1 is before the start"),
            ("step,value\n1,0.2\n2,-9999\n", "the value is -9999, which often stands for no data"),
            ("step,value,se\n1,1,-1\n", "a standard error is -1"),
            ("step,value\n1,far\n", "`far` is not a number"),
            ("step,value\n1,2,3\n2,2\n", "has 3 fields"),
        ] {
            let error = read(text, &["mean(aware)"]).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
