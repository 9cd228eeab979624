//! Opens the TOML of a model file: tables whose keys are taken one by one, each value with its place.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Checked, Problem, hint, problem};
use super::limits;
use super::parser::parse;
use super::syntax::Node;

/// A table of the file. Keys that nobody takes are mistakes, found by [`Table::finish`].
pub(crate) struct Table<'d> {
    entries: Vec<KeyValue<'d>>,
    /// What the table is called in errors.
    name: String,
    known: RefCell<Vec<&'static str>>,
}

/// A key with its value.
#[derive(Clone, Copy)]
pub(crate) struct KeyValue<'d> {
    key: &'d Spanned<toml::de::DeString<'d>>,
    pub(crate) value: Value<'d>,
}

/// A value with its place.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d> {
    inner: &'d Spanned<DeValue<'d>>,
    text: &'d str,
}

/// Parses the whole file.
pub(crate) fn open(text: &str) -> Checked<Spanned<DeTable<'_>>> {
    DeTable::parse(text).map_err(|e| {
        let span = e.span().unwrap_or(0..0);
        let message = e.message().lines().collect::<Vec<_>>().join("; ");
        let line = text.get(..span.start).map_or(0, |before| before.rfind('\n').map_or(0, |end| end + 1));
        let line = text.get(line..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let hint = match line.contains('"') && line.contains('\\') {
            true => {
                "; in double quotes a backslash begins an escape: write a path in single quotes or with /"
            }
            false => "",
        };
        Problem { span, message: format!("not valid TOML: {message}{hint}") }
    })
}

impl<'d> Table<'d> {
    pub(crate) fn new(table: &'d DeTable<'d>, name: &str, text: &'d str) -> Table<'d> {
        let mut entries: Vec<KeyValue<'d>> =
            table.iter().map(|(key, inner)| KeyValue { key, value: Value { inner, text } }).collect();
        // The file's order: it is the order of parameters and layers.
        entries.sort_by_key(|e| e.key.span().start);
        Table { entries, name: name.to_string(), known: RefCell::new(Vec::new()) }
    }

    /// The value of a key of this name, where the table has one.
    pub(crate) fn take(&self, key: &'static str) -> Option<Value<'d>> {
        self.known.borrow_mut().push(key);
        self.entries.iter().find(|e| e.name() == key).map(|e| e.value)
    }

    /// Refuses keys that were never asked for.
    pub(crate) fn finish(&self) -> Checked<()> {
        let known = self.known.borrow();
        match self.entries.iter().find(|e| !known.contains(&e.name())) {
            None => Ok(()),
            Some(entry) => {
                let hint = hint(entry.name(), known.iter().copied());
                let message = format!("{} has no key `{}`{hint}", self.name, entry.name());
                problem(&entry.span(), message)
            }
        }
    }

    /// All entries in the file's order, of which there may be a bounded number.
    pub(crate) fn all(&self) -> Checked<&[KeyValue<'d>]> {
        match self.entries.get(limits::RULES) {
            Some(entry) => {
                problem(&entry.span(), format!("{} has more than {} entries", self.name, limits::RULES))
            }
            None => Ok(&self.entries),
        }
    }
}

impl<'d> KeyValue<'d> {
    pub(crate) fn name(&self) -> &'d str {
        self.key.get_ref()
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.key.span()
    }

    /// Where the text of the key begins, without its quotation mark.
    pub(crate) fn start(&self) -> usize {
        inside(self.value.text, &self.key.span(), self.name())
    }
}

/// Where the characters of a string begin within its place in the file.
fn inside(text: &str, span: &Range<usize>, content: &str) -> usize {
    let raw = text.get(span.clone()).unwrap_or("");
    let first_line = content.lines().next().unwrap_or("");
    span.start + raw.find(first_line).unwrap_or(0)
}

impl<'d> Value<'d> {
    pub(crate) fn span(&self) -> Range<usize> {
        self.inner.span()
    }

    /// What it is, in words.
    fn found(&self) -> String {
        match self.inner.get_ref() {
            DeValue::String(s) => format!("the text \"{}\"", s.chars().take(40).collect::<String>()),
            DeValue::Integer(i) => format!("the number {}", i.as_str()),
            DeValue::Float(f) => format!("the number {}", f.as_str()),
            DeValue::Boolean(b) => format!("{b}"),
            DeValue::Datetime(_) => "a date".into(),
            DeValue::Array(_) => "a list".into(),
            DeValue::Table(_) => "a table".into(),
        }
    }

    /// A mistake: this is not what is wanted.
    pub(crate) fn wrong<T>(&self, wanted: &str) -> Checked<T> {
        problem(&self.span(), format!("{wanted} is wanted here, not {}", self.found()))
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self.inner.get_ref() {
            DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok().map(|x| x as f64),
            DeValue::Float(f) if crate::lexer::is_lost(f.as_str()) => None,
            DeValue::Float(f) => f.as_str().parse::<f64>().ok().filter(|x| !x.is_nan()),
            _ => None,
        }
    }

    /// A whole number within a range.
    pub(crate) fn whole(&self, lowest: i64, highest: i64) -> Checked<i64> {
        let range = format!("a whole number from {lowest} to {highest}");
        match self.number() {
            Some(x) if x.fract().abs() < f64::EPSILON && x >= lowest as f64 && x <= highest as f64 => {
                Ok(x as i64)
            }
            Some(x) => problem(&self.span(), format!("{range} is wanted here, not {x}")),
            None => self.wrong(&range),
        }
    }

    pub(crate) fn string(&self) -> Option<&'d str> {
        match self.inner.get_ref() {
            DeValue::String(s) => Some(s),
            _ => None,
        }
    }

    /// A text, or a mistake.
    pub(crate) fn text(&self, wanted: &str) -> Checked<&'d str> {
        match self.string() {
            Some(s) => Ok(s),
            None => self.wrong(wanted),
        }
    }

    pub(crate) fn list(&self) -> Option<Vec<Value<'d>>> {
        match self.inner.get_ref() {
            DeValue::Array(items) => {
                Some(items.iter().map(|inner| Value { inner, text: self.text }).collect())
            }
            _ => None,
        }
    }

    pub(crate) fn table(&self, name: &str) -> Option<Table<'d>> {
        match self.inner.get_ref() {
            DeValue::Table(table) => Some(Table::new(table, name, self.text)),
            _ => None,
        }
    }

    /// An expression: a number, or a text with one.
    pub(crate) fn expression(&self) -> Checked<Node> {
        match (self.number(), self.string()) {
            (Some(x), _) if x.is_finite() => Ok(Node::number(x, self.span())),
            // Where escapes make the text differ from the file, places are near the right one.
            (_, Some(text)) => {
                let raw = self.text.get(self.span()).unwrap_or("");
                parse(text, self.span().start + raw.find(text).unwrap_or(1))
            }
            _ => self.wrong("a number or an expression in quotation marks"),
        }
    }
}

/// The text of a key that may be left out.
pub(crate) fn optional_text<'d>(table: &Table<'d>, key: &'static str) -> Checked<Option<&'d str>> {
    table.take(key).map(|v| v.text("a text")).transpose()
}

/// A table, or a mistake.
pub(crate) fn table_of<'d>(value: Value<'d>, name: &str) -> Checked<Table<'d>> {
    match value.table(name) {
        Some(table) => Ok(table),
        None => value.wrong(&format!("a table {name}")),
    }
}
