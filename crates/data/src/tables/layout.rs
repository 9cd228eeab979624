//! Finds how a table of text is laid out: what separates its columns, where its header is, and where its rows begin.
//!
//! A header is the first record in which the columns that are looked for are found, and below which numbers stand in
//! them; so titles above it (Imaris), a line `sep=;` (Excel) and a header in a comment (`numpy.savetxt`) do no harm.

use super::records::{Records, Separator, fields_of};
use glauber_files::number;

/// How many records are looked at.
const LOOKED_AT: usize = 100;
/// The most titles above a header.
const MOST_TITLES: usize = 40;
/// How many records below a header may be units before the first row.
const MOST_UNITS: usize = 3;

/// The columns that are looked for: where the numbers of a row are, if these are the fields of a header.
pub(crate) type Recognise<'a> = &'a dyn Fn(&[String]) -> Option<Vec<usize>>;

/// What is above the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heading {
    /// A header, in this line: its fields.
    Names { line: u64, names: Vec<String>, in_comment: bool },
    /// No header: the rows begin with the first that has numbers where they should be.
    None { columns: usize },
}

/// How a table is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) separator: Separator,
    /// The bytes of a line `sep=` in front, which are not part of the table.
    pub(crate) front: usize,
    /// How many records are titles, header and the like, before the first row.
    pub(crate) above: usize,
    pub(crate) heading: Heading,
    /// Whether rows have one field more than the header, in front: the names of rows, as R writes them.
    pub(crate) row_names: bool,
    /// Titles that are passed over.
    pub(crate) titles: Vec<String>,
}

/// Why there is no layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoLayout {
    /// There are no records.
    Empty,
    /// The first record, which is all numbers, and its line.
    Headless { line: u64, first: Vec<String> },
    /// The fields of what is most like a header.
    Unknown { line: u64, names: Vec<String> },
}

/// Finds the layout. `by_number` says that the columns that are looked for are all given by their numbers.
pub(crate) fn find(text: &str, recognise: Recognise<'_>, by_number: bool) -> Result<Layout, NoLayout> {
    let (front, separators) = match separator_line(text) {
        Some((front, separator)) => (front, vec![separator]),
        None => (0, Separator::ALL.to_vec()),
    };
    let samples: Vec<Sample<'_>> =
        separators.iter().map(|&separator| Sample::of(&text[front..], separator, front > 0)).collect();
    let found = match by_number {
        true => samples.iter().find_map(|s| s.rows_by_number(recognise)),
        false => samples
            .iter()
            .find_map(|s| s.header(recognise, true))
            .or_else(|| samples.iter().find_map(|s| s.header_in_comment(recognise)))
            .or_else(|| samples.iter().find_map(|s| s.header(recognise, false))),
    };
    if let Some(mut layout) = found {
        layout.front = front;
        return Ok(layout);
    }
    let best = samples.iter().max_by(|a, b| a.likeness().total_cmp(&b.likeness()));
    let Some((line, fields)) = best.and_then(Sample::most_like_a_header) else { return Err(NoLayout::Empty) };
    let numbers = fields.iter().filter(|f| is_number(f)).count();
    Err(match numbers >= 2 {
        true => NoLayout::Headless { line, first: fields },
        false => NoLayout::Unknown { line, names: fields },
    })
}

/// Excel's first line `sep=;`: its bytes, and the separator.
fn separator_line(text: &str) -> Option<(usize, Separator)> {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let line = text[..end].trim_matches(['"', ' ']);
    let (key, value) = line.split_once('=')?;
    let mut characters = value.trim_start_matches(' ').chars();
    let separator = match (characters.next(), characters.as_str()) {
        (Some('\\'), "t") => '\t',
        (Some(c), "" | ";" | ",") if !c.is_alphanumeric() => c,
        _ => return None,
    };
    let front = end + text[end..].len().min(if text[end..].starts_with("\r\n") { 2 } else { 1 });
    let separator = if separator == ' ' { Separator::Spaces } else { Separator::Character(separator) };
    key.trim().eq_ignore_ascii_case("sep").then_some((front, separator))
}

/// The number of a text; Fortran writes `1.0D+02` for 1.0e+02. 1_0 and 0x10 are names, not numbers.
pub(crate) fn numeral(text: &str) -> Option<f64> {
    let number = |text: &str| number(text).filter(|_| !text.contains(['_', 'x', 'X']));
    let fortran = || {
        let (mantissa, exponent) = text.split_once(['D', 'd'])?;
        number(mantissa).and_then(|_| number(&format!("{mantissa}e{exponent}")))
    };
    number(text).or_else(fortran)
}

/// Whether a field is a number, with a decimal point or comma.
pub(crate) fn is_number(field: &str) -> bool {
    numeral(field).is_some() || decimal_comma(field).is_some() || clock(field).is_some()
}

/// The seconds of a clock time, `00:00:30` or `0:01:02.5`, which stands where a number should.
pub(crate) fn clock(field: &str) -> Option<f64> {
    let parts: Vec<&str> = field.trim().split(':').collect();
    let [hours, minutes, seconds] = <[&str; 3]>::try_from(parts).ok()?;
    let digits = |text: &str| !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if ![hours, minutes, whole].into_iter().all(digits) || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = number(seconds).filter(|s| *s < 60.0)?;
    let minutes = number(minutes).filter(|m| *m < 60.0)?;
    Some(number(hours)? * 3600.0 + minutes * 60.0 + seconds)
}

/// The number of a text with one decimal comma and no point.
pub(crate) fn decimal_comma(field: &str) -> Option<f64> {
    (field.matches(',').count() == 1 && !field.contains('.')).then(|| numeral(&field.replace(',', ".")))?
}

/// The first records of a text by one separator.
struct Sample<'t> {
    separator: Separator,
    records: Vec<(u64, Vec<String>)>,
    /// Comments above and between them.
    comments: Vec<(u64, &'t str)>,
}

impl<'t> Sample<'t> {
    fn of(text: &'t str, separator: Separator, second: bool) -> Self {
        let mut reader = Records::new(text, separator, if second { 2 } else { 1 });
        let (mut records, mut fields) = (Vec::new(), Vec::new());
        while records.len() < LOOKED_AT {
            match reader.next(&mut fields) {
                Ok(Some(line)) => records.push((line, fields.clone())),
                // What is wrong there is said when the table is read.
                Ok(None) | Err(_) => break,
            }
        }
        let comments = reader.comments.iter().map(|c| (c.line, c.text)).collect();
        Self { separator, records, comments }
    }

    fn layout(&self, above: usize, titles: usize, heading: Heading, row_names: bool) -> Layout {
        let titles =
            self.records[..titles].iter().map(|(_, fields)| fields.join(" ").trim().to_owned()).collect();
        Layout { separator: self.separator, front: 0, above, heading, row_names, titles }
    }

    /// The header by its names; `sure` if rows must follow it.
    fn header(&self, recognise: Recognise<'_>, sure: bool) -> Option<Layout> {
        (0..self.records.len().min(MOST_TITLES)).find_map(|at| {
            let (line, names) = &self.records[at];
            let numbers = recognise(names)?;
            let below = &self.records[at + 1..];
            if sure && !rows_below(below, names, &numbers) {
                return None;
            }
            let heading = Heading::Names { line: *line, names: names.clone(), in_comment: false };
            Some(self.layout(at + 1, at, heading, has_row_names(below, names)))
        })
    }

    /// A header in a comment right above the rows.
    fn header_in_comment(&self, recognise: Recognise<'_>) -> Option<Layout> {
        self.comments.iter().take(MOST_TITLES).find_map(|&(line, text)| {
            let names = fields_of(text, self.separator);
            let numbers = recognise(&names)?;
            let above = self.records.iter().take_while(|(at, _)| *at < line).count();
            let below = &self.records[above..];
            if above > MOST_TITLES || !rows_below(below, &names, &numbers) {
                return None;
            }
            let row_names = has_row_names(below, &names);
            let heading = Heading::Names { line, names, in_comment: true };
            Some(self.layout(above, above, heading, row_names))
        })
    }

    /// The rows, where every column is given by its number: from the first with numbers in these columns on.
    fn rows_by_number(&self, recognise: Recognise<'_>) -> Option<Layout> {
        let is_row = |fields: &[String]| {
            recognise(fields).is_some_and(|numbers| numbers.iter().all(|&n| is_number(&fields[n])))
        };
        // A line of numbers that is no row is a damaged one, not a title.
        let numbers = |fields: &[String]| fields.iter().filter(|f| is_number(f)).count();
        let begins = |fields: &[String]| is_row(fields) || numbers(fields) >= 2;
        let first = self.records.iter().position(|(_, fields)| begins(fields) && !counts_columns(fields))?;
        let rows = self.records[first..].iter().filter(|(_, fields)| is_row(fields)).count();
        if 2 * rows < self.records.len() - first {
            return None;
        }
        let columns = self.usual_width();
        let above = first.checked_sub(1).map(|at| &self.records[at]);
        let header = above.filter(|(_, names)| {
            let width = without_empty_end(names).len();
            width + 1 == columns || width == columns || names.len() == columns
        });
        Some(match header {
            None => self.layout(first, first, Heading::None { columns }, false),
            Some((line, names)) => {
                let row_names = has_row_names(&self.records[first..], names);
                let heading = Heading::Names { line: *line, names: names.clone(), in_comment: false };
                self.layout(first, first - 1, heading, row_names)
            }
        })
    }

    /// How many fields most records have.
    fn usual_width(&self) -> usize {
        let widths: Vec<usize> = self.records.iter().map(|(_, fields)| fields.len()).collect();
        let count = |width: usize| widths.iter().filter(|&&w| w == width).count();
        widths.iter().copied().max_by_key(|&width| (count(width), width)).unwrap_or(0)
    }

    /// How like a table the records are: the share that has the usual number of fields, then the share of numbers.
    fn likeness(&self) -> f64 {
        let width = self.usual_width();
        if width < 2 {
            return 0.0;
        }
        let usual = self.records.iter().filter(|(_, fields)| fields.len() == width);
        let (count, fields) = usual.fold((0.0, Vec::new()), |(count, mut all), (_, fields)| {
            all.extend(fields);
            (count + 1.0, all)
        });
        let numbers = fields.iter().filter(|f| is_number(f)).count() as f64 / fields.len() as f64;
        count / self.records.len() as f64 + numbers
    }

    /// The first record of the usual width.
    fn most_like_a_header(&self) -> Option<(u64, Vec<String>)> {
        let width = self.usual_width();
        self.records.iter().find(|(_, fields)| fields.len() == width).cloned()
    }
}

/// Whether a record only counts its columns, 0, 1, 2 …, as the header of an array does in pandas.
fn counts_columns(fields: &[String]) -> bool {
    let named: Vec<&String> = fields.iter().filter(|f| !f.is_empty()).collect();
    let counts = |first: usize| {
        named.iter().zip(first..).all(|(field, count)| field.parse::<usize>().is_ok_and(|n| n == count))
    };
    named.len() >= 3 && (counts(0) || counts(1))
}

/// Whether one of the first records has numbers where the header says.
fn rows_below(below: &[(u64, Vec<String>)], names: &[String], numbers: &[usize]) -> bool {
    below.iter().take(MOST_UNITS + 1).any(|(_, fields)| {
        let shift = usize::from(has_row_name(fields, names));
        numbers.iter().all(|&n| fields.get(n + shift).is_some_and(|f| is_number(f)))
    })
}

/// Whether all rows have one field more than the header has names.
fn has_row_names(rows: &[(u64, Vec<String>)], names: &[String]) -> bool {
    let longer = |(_, fields): &(u64, Vec<String>)| fields.len() == names.len() + 1;
    rows.iter().all(longer) && rows.iter().any(|(_, fields)| has_row_name(fields, names))
}

/// Whether a row has one field more than its header, at its front: not an empty one for a separator at its end.
fn has_row_name(fields: &[String], names: &[String]) -> bool {
    let ends_in_separator = names.last().is_some_and(String::is_empty);
    fields.len() == names.len() + 1 && fields.last().is_some_and(|last| last.is_empty() == ends_in_separator)
}

/// The fields without empty ones at their end.
pub(crate) fn without_empty_end(fields: &[String]) -> &[String] {
    let empty = fields.iter().rev().take_while(|f| f.is_empty()).count();
    &fields[..fields.len() - empty]
}
