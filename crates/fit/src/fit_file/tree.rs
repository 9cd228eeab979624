//! Reads TOML into a tree in which every key and value knows its line and column.

use std::collections::BTreeMap;
use std::path::Path;

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
        FitFileError::new(file, place, format!("this is not TOML: {message}"))
    })?;
    let place = |start| lines.place(start);
    table(parsed.get_ref(), &place).map_err(|(place, message)| FitFileError::new(file, place, message))
}

/// Parses one value, as it stands after a `=`; `None` where it is not TOML.
pub(super) fn value(text: &str, place: &Place) -> Option<Result<Node, String>> {
    let parsed = DeValue::parse(text).ok()?;
    let everywhere = |_| place.clone();
    Some(node(parsed.get_ref(), &everywhere, 0).map_err(|(_, message)| message))
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
            let digits = i128::from_str_radix(number.as_str(), number.radix()).ok();
            let fits = digits.filter(|n| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(n));
            Value::Integer(fits.ok_or_else(|| fault(format!("{number} is too large a whole number")))?)
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
