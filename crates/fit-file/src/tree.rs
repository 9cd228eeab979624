//! Reads TOML into a tree in which every key and value knows its line and column.

use std::collections::BTreeMap;
use std::path::Path;

use glauber_files::number;
use toml::de::{DeTable, DeValue};

use super::error::{FitFileError, Place};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its place; none of a value in memory.
    pub place: Place,
}

/// A value of a fit file, read from TOML or made in memory. Dates are texts here: no key takes a date.
#[derive(Clone, Debug)]
pub enum Value {
    /// true or false.
    Boolean(bool),
    /// A whole number: those of TOML, and seeds up to 2⁶⁴.
    Integer(i128),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(Table),
}

/// Keys with the place of the key itself.
pub type Table = BTreeMap<String, (Place, Node)>;

impl From<Value> for Node {
    fn from(value: Value) -> Node {
        Node { value, place: Place::Nowhere }
    }
}

impl Value {
    /// A list of values in memory.
    pub fn list(values: impl IntoIterator<Item = Value>) -> Value {
        Value::List(values.into_iter().map(Node::from).collect())
    }

    /// A table of values in memory.
    pub fn table(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
        Value::Table(entries.into_iter().map(|(key, value)| (key, (Place::Nowhere, value.into()))).collect())
    }

    /// What it is, for an error: "the text `abc`".
    pub fn described(&self) -> String {
        let short = |text: &str| {
            let cut: String = text.chars().take(60).collect();
            if cut.len() < text.len() { format!("{cut}…") } else { cut }
        };
        match self {
            Value::Boolean(flag) => flag.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::Text(text) => format!("the text \"{}\"", short(text)),
            Value::List(_) => "a list".to_string(),
            Value::Table(_) => "a table".to_string(),
        }
    }
}

/// Parses a whole document.
pub(super) fn document(text: &str, file: &Path) -> Result<Table, FitFileError> {
    let lines = Lines::of(text);
    let parsed = DeTable::parse(text).map_err(|error| {
        let place = error.span().map_or(Place::Nowhere, |span| lines.place(span.start));
        let message = error.message().trim().replace('\n', ", ");
        let hint = error.span().and_then(|span| hint_at(text, span.start)).unwrap_or_default();
        FitFileError::new(file, place, format!("this is not TOML: {message}{hint}"))
    })?;
    let place = |start| lines.place(start);
    table(parsed.get_ref(), &place).map_err(|(place, message)| FitFileError::new(file, place, message))
}

/// What to do about a line that is not TOML for a reason that is often met.
fn hint_at(text: &str, at: usize) -> Option<&'static str> {
    let before = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(before..)?.lines().next()?;
    let value = line.split_once('=').map_or(line, |(_, value)| value).trim_start();
    let point = value.trim_start_matches(['+', '-']);
    if value.contains('"') && value.contains('\\') {
        return Some(BACKSLASH);
    }
    let bare_point =
        point.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    bare_point.then_some("; a number begins with a digit: write 0.3, not .3")
}

/// What to do about a path of Windows in double quotes.
pub(super) const BACKSLASH: &str = "; in double quotes a backslash begins an escape: write a path in single quotes, 'C:\\data\\runs.npz', or with /";

/// Parses one value, as it stands after a `=`; `None` where it is not TOML.
pub(super) fn value(text: &str, place: &Place) -> Option<Result<Node, String>> {
    let everywhere = |_| place.clone();
    match DeValue::parse(text) {
        Ok(parsed) => Some(node(parsed.get_ref(), &everywhere, 0).map_err(|(_, message)| message)),
        // TOML wants a digit on both sides of a point; the command line's other numbers need none.
        Err(_) => number(text).map(|x| Ok(Node { value: Value::Float(x), place: place.clone() })),
    }
}

type Fault = (Place, String);

fn table(found: &DeTable<'_>, place: &dyn Fn(usize) -> Place) -> Result<Table, Fault> {
    let entries = found.iter().map(|(key, inner)| {
        let node = node(inner.get_ref(), place, inner.span().start)?;
        Ok((key.get_ref().to_string(), (place(key.span().start), node)))
    });
    entries.collect()
}

// The parser bounds the depth (to 80), and so the recursion here.
fn node(found: &DeValue<'_>, place: &dyn Fn(usize) -> Place, start: usize) -> Result<Node, Fault> {
    let place_here = place(start);
    let fault = |message: String| (place_here.clone(), message);
    let value = match found {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let digits = i128::from_str_radix(number.as_str(), number.radix());
            Value::Integer(digits.map_err(|_| fault(format!("{number} is too large a whole number")))?)
        }
        DeValue::Float(number) => {
            Value::Float(number.as_str().parse().map_err(|_| fault(format!("{number} is not a number")))?)
        }
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(date) => Value::Text(date.to_string()),
        DeValue::Array(items) => {
            let nodes = items.iter().map(|item| node(item.get_ref(), place, item.span().start));
            Value::List(nodes.collect::<Result<_, _>>()?)
        }
        DeValue::Table(inner) => Value::Table(table(inner, place)?),
    };
    Ok(Node { value, place: place_here })
}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Lines<'a> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, starts }
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = self.starts[line.saturating_sub(1)];
        let before = self.text.get(start..offset).unwrap_or_default();
        Place::File { line, column: before.chars().count() + 1 }
    }
}
