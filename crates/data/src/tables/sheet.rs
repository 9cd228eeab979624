//! Hands out the rows of a table of text, each checked against the header, and reads their numbers.

use super::layout::{
    self, Heading, Layout, NoLayout, Recognise, clock, decimal_comma, numeral, without_empty_end,
};
use super::records::{Comment, RecordError, Records, Separator};
use super::text::decoded;
use crate::{DataError, DataErrorKind};
use glauber_files::error::quoted;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The whole of a file as text, and a note where its encoding had to be guessed.
pub(crate) fn read_text(
    file: File,
    length: u64,
    path: &Path,
    remedy: &str,
) -> Result<(String, Option<String>), DataError> {
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(|e| DataError::io(path, "read it", &e))?;
    decoded(bytes).ok_or_else(|| DataError::new(DataErrorKind::Format, path, "is not text", remedy))
}

/// A number as it was written, and the line it stands in.
type Written = (String, u64);

/// What has been seen of one column of numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// A number like `1,234`.
    like_thousands: bool,
    /// A comma that separates no thousands, as in `1,5`.
    decimal: bool,
    /// A whole number without point and comma, above 0.
    whole: bool,
}

/// A table on its way to rows.
#[derive(Clone, Debug)]
pub(crate) struct Sheet<'t> {
    path: &'t Path,
    records: Records<'t>,
    layout: Layout,
    /// The names of the columns; numbers where there is no header.
    names: Vec<String>,
    /// The fields that a row has at least and at most.
    width: (usize, usize),
    row_names: HashSet<String>,
    /// The line of the first row, and how many fields are written there.
    first: Option<(u64, usize)>,
    seen: Vec<Seen>,
    comma: Option<Written>,
    point: Option<Written>,
    /// What is to be done about a number that is missing.
    gap: &'static str,
}

impl<'t> Sheet<'t> {
    /// Finds the layout of a table, and goes to its first row; `refuse` says why there is none.
    ///
    /// # Errors
    /// If a quote is never closed, a line is too long, or no layout is found.
    pub(crate) fn open(
        text: &'t str,
        path: &'t Path,
        recognise: Recognise<'_>,
        by_number: bool,
        refuse: impl FnOnce(NoLayout) -> DataError,
    ) -> Result<Self, DataError> {
        let layout = match layout::find(text, recognise, by_number) {
            Ok(layout) => layout,
            Err(no) => {
                check_quotes(text, path)?;
                return Err(refuse(no));
            }
        };
        let first = if layout.front > 0 { 2 } else { 1 };
        let mut sheet = Self {
            path,
            records: Records::new(&text[layout.front..], layout.separator, first),
            names: Vec::new(),
            width: (0, 0),
            layout,
            row_names: HashSet::new(),
            first: None,
            seen: Vec::new(),
            comma: None,
            point: None,
            gap: "complete or remove the line",
        };
        let mut fields = Vec::new();
        for _ in 0..sheet.layout.above {
            sheet.record(&mut fields)?;
        }
        match &sheet.layout.heading {
            Heading::None { columns } => {
                sheet.names = (1..=*columns).map(|n| n.to_string()).collect();
                sheet.width = (*columns, *columns);
            }
            Heading::Names { names, .. } => {
                sheet.names = names.clone();
                sheet.width = (without_empty_end(names).len(), names.len());
                if sheet.layout.row_names {
                    sheet.names.insert(0, "row names".to_owned());
                    sheet.width = (sheet.width.0 + 1, sheet.width.1 + 1);
                }
            }
        }
        sheet.seen = vec![Seen::default(); sheet.names.len()];
        Ok(sheet)
    }

    /// The same with what is to be done about a number that is missing.
    pub(crate) fn with_gap(mut self, remedy: &'static str) -> Self {
        self.gap = remedy;
        self
    }

    /// The names of the columns of a row.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Checks that no other column has the name of one of these.
    ///
    /// # Errors
    /// If one has.
    pub(crate) fn check_names(&self, columns: impl IntoIterator<Item = usize>) -> Result<(), DataError> {
        match columns.into_iter().find(|at| named_twice(&self.names, *at).is_some()) {
            None => Ok(()),
            Some(at) => {
                let found = format!("has two columns called {}", quoted(&self.names[at]));
                let remedy = "rename one of them";
                Err(DataError::new(DataErrorKind::Format, self.path, found, remedy))
            }
        }
    }

    /// All comments read so far.
    pub(crate) fn comments(&self) -> &[Comment<'t>] {
        &self.records.comments
    }

    /// The next row: the line it begins at, or none at the end.
    pub(crate) fn row(&mut self, fields: &mut Vec<String>) -> Result<Option<u64>, DataError> {
        let Some(line) = self.record(fields)? else { return Ok(None) };
        // As many as the header, with or without the empty ones at its end; or separators more at the end.
        let (least, most) = self.width;
        let written = fields.len();
        while fields.len() > least && fields.last().is_some_and(String::is_empty) {
            fields.pop();
        }
        let more_separators = least == most && fields.len() == least;
        if written != most && written != least && !more_separators {
            return Err(self.ragged(written, line));
        }
        // Where lines end in a separator, one that lost a field has as many as the header all the same.
        let (first, usual) = *self.first.get_or_insert((line, written));
        if written != usual {
            return Err(self.unlike(format!("has {written} fields, but line {first} has {usual}"), line));
        }
        if self.layout.row_names && !self.row_names.insert(fields[0].clone()) {
            // Names of rows are unique; a field that comes twice is a shifted column.
            return Err(self.ragged(fields.len(), line));
        }
        Ok(Some(line))
    }

    fn record(&mut self, fields: &mut Vec<String>) -> Result<Option<u64>, DataError> {
        self.records.next(fields).map_err(|e| damaged(e, self.path))
    }

    fn ragged(&self, found: usize, line: u64) -> DataError {
        let wanted = match &self.layout.heading {
            Heading::Names { line, names, .. } => {
                format!("the header in line {line} has {}", without_empty_end(names).len())
            }
            Heading::None { columns } => format!("the first line has {columns}"),
        };
        self.unlike(format!("has {found} fields, but {wanted}"), line)
    }

    /// An error about a line of another width than the others.
    fn unlike(&self, found: String, line: u64) -> DataError {
        let remedy = match self.layout.separator {
            Separator::Character(',') => {
                "complete or remove the line; put a text that holds a comma in quotes, and where numbers have decimal \
                 commas separate the columns by semicolons or tabs"
            }
            Separator::Spaces => {
                "complete or remove the line; put a text that holds a space in quotes, write an empty cell as NA, or \
                 separate the columns by commas or tabs"
            }
            Separator::Character(_) => {
                "complete or remove the line, or put a text that holds a separator in quotes"
            }
        };
        DataError::new(DataErrorKind::Value, self.path, found, remedy).at(format!("line {line}"))
    }

    /// The number in a field of a row.
    pub(crate) fn number(&mut self, fields: &[String], column: usize, line: u64) -> Result<f64, DataError> {
        let field = fields[column].as_str();
        let gap = self.gap;
        let wrong = |found: String, remedy: &str| {
            let place = format!("line {line}, column {}", quoted(&self.names[column]));
            Err(DataError::new(DataErrorKind::Value, self.path, found, remedy).at(place))
        };
        let (value, comma) = match numeral(field) {
            Some(value) => (value, false),
            None => match decimal_comma(field) {
                Some(value) => (value, true),
                None if field.is_empty() => return wrong("is empty".to_owned(), gap),
                None if is_missing(field) => return wrong(format!("{} is not a number", quoted(field)), gap),
                None if clock(field).is_some() => {
                    let seconds = glauber_files::rounded(clock(field).unwrap_or_default());
                    return wrong(
                        format!("{} is a clock time", quoted(field)),
                        &format!("write times as numbers, such as seconds since the start ({seconds})"),
                    );
                }
                None if field.contains(',') && field.contains('.') => {
                    return wrong(
                        format!("{} is not a number", quoted(field)),
                        "write numbers without separators of thousands",
                    );
                }
                None if is_time_of_day(field) => {
                    return wrong(
                        format!("{} is a date or clock time, not a number", quoted(field)),
                        "write times as numbers, such as seconds or hours since the start",
                    );
                }
                None => {
                    return wrong(
                        format!("{} is not a number", quoted(field)),
                        "correct the value or remove the line",
                    );
                }
            },
        };
        if !value.is_finite() {
            return wrong(format!("{value} is not a finite number"), gap);
        }
        self.note_mark(field, column, line, comma)?;
        Ok(value)
    }

    /// Keeps in mind how decimals are marked, and refuses two ways in one file.
    fn note_mark(&mut self, field: &str, column: usize, line: u64, comma: bool) -> Result<(), DataError> {
        let seen = &mut self.seen[column];
        if comma {
            match like_thousands(field) {
                true => seen.like_thousands = true,
                false => seen.decimal = true,
            }
            self.comma.get_or_insert_with(|| (field.to_owned(), line));
        } else if field.contains('.') {
            self.point.get_or_insert_with(|| (field.to_owned(), line));
        } else {
            seen.whole |= field.bytes().any(|b| (b'1'..=b'9').contains(&b));
        }
        let (Some(comma), Some(point)) = (&self.comma, &self.point) else { return Ok(()) };
        let found = format!(
            "numbers with a decimal comma ({} in line {}) and a point ({} in line {}) are mixed",
            quoted(&comma.0),
            comma.1,
            quoted(&point.0),
            point.1
        );
        let remedy = "write all numbers alike, without separators of thousands";
        Err(DataError::new(DataErrorKind::Value, self.path, found, remedy).at(format!("line {line}")))
    }

    /// Notes where comments were passed over: above the rows, but for one that is the header, and between them.
    pub(crate) fn note_of_comments(&self) -> Vec<String> {
        let first = self.first.map_or(u64::MAX, |(line, _)| line);
        let header = match self.layout.heading {
            Heading::Names { line, in_comment: true, .. } => Some(line),
            _ => None,
        };
        let others = self.records.comments.iter().filter(|comment| Some(comment.line) != header);
        let others = others.filter(|comment| !comment.text.trim().is_empty());
        let (above, between): (Vec<_>, Vec<_>) = others.partition(|comment| comment.line < first);
        let one = |comments: &[&Comment<'_>], place: &str| {
            let first = quoted(comments.first()?.text.trim());
            Some(match comments.len() {
                1 => format!("the comment {first} {place} was passed over"),
                count => format!("{count} comments {place} were passed over, the first {first}"),
            })
        };
        one(&above, "above the rows").into_iter().chain(one(&between, "between the rows")).collect()
    }

    /// An error about a row, after these notes and those of the table.
    pub(crate) fn noted(&self, error: DataError, notes: &[String]) -> DataError {
        let own = self.notes().unwrap_or_else(|unclear| unclear.apart().0);
        error.after([notes, &own].concat())
    }

    /// What was passed over and how it was read, in sentences.
    ///
    /// # Errors
    /// If commas may be decimal marks or separators of thousands.
    pub(crate) fn notes(&self) -> Result<Vec<String>, DataError> {
        let mut notes = Vec::new();
        match self.layout.titles.as_slice() {
            [] => {}
            [one] => notes.push(format!("the line {} above the header was passed over", quoted(one))),
            several => notes.push(format!(
                "{} lines above the header were passed over, the first {}",
                several.len(),
                quoted(several.iter().find(|t| !t.is_empty()).map_or("", String::as_str))
            )),
        }
        if let Heading::Names { line, in_comment: true, .. } = &self.layout.heading {
            notes.push(format!("the columns have the names of the comment in line {line}"));
        }
        if self.layout.row_names {
            notes.push(
                "the header has one name fewer than the lines have fields: the first field was taken for the name of \
                 the row, as R writes it"
                    .to_owned(),
            );
        }
        if let Some((written, line)) = &self.comma {
            let nothing_tells = !self.seen.iter().any(|s| s.decimal);
            if self.seen.iter().any(|s| s.like_thousands && !s.decimal && (s.whole || nothing_tells)) {
                let read = written.replace(',', ".");
                let found = match nothing_tells {
                    true => format!(
                        "{} may be {read} or {}: every comma has three digits behind it",
                        quoted(written),
                        written.replace(',', "")
                    ),
                    false => format!("{} may be a decimal or thousands", quoted(written)),
                };
                let remedy = "write a point for each of these commas if they mark decimals, and nothing if they are \
                              separators of thousands";
                let error = DataError::new(DataErrorKind::Value, self.path, found, remedy);
                return Err(error.at(format!("line {line}")).after(notes));
            }
            let read = written.replace(',', ".");
            notes.push(format!(
                "numbers with a decimal comma were read, such as {} as {read}",
                quoted(written)
            ));
        }
        Ok(notes)
    }
}

/// Another column of the same name, in capitals or not.
pub(crate) fn named_twice(names: &[String], at: usize) -> Option<usize> {
    let same = |other: &usize| *other != at && names[*other].trim().eq_ignore_ascii_case(names[at].trim());
    (0..names.len()).find(same)
}

/// Words that stand for a missing number.
pub(crate) fn is_missing(field: &str) -> bool {
    ["na", "nan", "none", "null", "n/a", "#n/a", "-"].iter().any(|word| field.eq_ignore_ascii_case(word))
}

/// Whether a field is like 2024-01-31, 31.01.2024, 31/01/24, 0:30 or 2024-01-31T12:30:00Z.
fn is_time_of_day(field: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    let date = |text: &str| {
        ['-', '/', '.'].iter().any(|mark| text.split(*mark).count() == 3 && text.split(*mark).all(digits))
    };
    let clock = |text: &str| {
        let parts: Vec<&str> = text.split(':').collect();
        matches!(parts.len(), 2 | 3)
            && parts.iter().all(|part| digits(part.split('.').next().unwrap_or_default()))
    };
    let first = field.split(['T', ' ']).next().unwrap_or_default();
    date(first) || clock(field.trim())
}

/// One to three digits, a comma, three digits.
fn like_thousands(field: &str) -> bool {
    let Some((before, after)) = field.trim_start_matches(['-', '+', '\u{2212}']).split_once(',') else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    digits(before)
        && digits(after)
        && (1..=3).contains(&before.len())
        && !before.starts_with('0')
        && after.len() == 3
}

fn damaged(error: RecordError, path: &Path) -> DataError {
    let (found, remedy, line) = match error {
        RecordError::OpenQuote(line) => ("has a quote that is never closed", "close or remove it", line),
        RecordError::TooLong(line) => ("has a line longer than any table's", "export it again as CSV", line),
    };
    DataError::new(DataErrorKind::Format, path, found, remedy).at(format!("line {line}"))
}

/// Whether every quote is closed and no line too long.
fn check_quotes(text: &str, path: &Path) -> Result<(), DataError> {
    let mut fields = Vec::new();
    let mut records = Records::new(text, Separator::Character(','), 1);
    while records.next(&mut fields).map_err(|e| damaged(e, path))?.is_some() {}
    Ok(())
}
