//! Takes typed, range-checked values out of a table, and finds keys that are not its own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::{FitFileError, Place};
use super::marked::{Marked, Marks};
use super::tree::{Node, Table, Value};
use glauber_files::spelling::suggestion;
use glauber_files::whole_number;

/// A key of a table: its name and what it means, with its type and default.
pub type Key = (&'static str, &'static str);

/// Which numbers are right.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub accepts: fn(f64) -> bool,
    /// In words, after "must be a number".
    pub words: &'static str,
}

pub(super) const ANY: Range = Range { accepts: f64::is_finite, words: "that is finite" };
pub(super) const ANY_OR_PATH: Range =
    Range { accepts: f64::is_finite, words: "that is finite, or the path of an array or image" };
pub(super) const POSITIVE: Range = Range { accepts: |x| x > 0.0 && x.is_finite(), words: "above 0" };
pub(super) const NOT_NEGATIVE: Range =
    Range { accepts: |x| x >= 0.0 && x.is_finite(), words: "of at least 0" };
pub(super) const SHARE: Range = Range { accepts: |x| (0.0..=1.0).contains(&x), words: "in [0, 1]" };

/// Who reads: the file, for errors, and the folders that relative paths start from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub file: &'a Path,
    /// Of paths in the file.
    pub folder: &'a Path,
    /// Of paths in overrides.
    pub working: &'a Path,
    /// Who will know which keys were read.
    pub marks: &'a RefCell<Marks>,
}

/// A table being read.
pub(super) struct Reader<'a> {
    source: Source<'a>,
    /// Its name with dots; empty for the whole file.
    name: String,
    place: Place,
    table: Table,
}

impl<'a> Reader<'a> {
    /// The whole file.
    pub fn whole(source: Source<'a>, table: Table, keys: &[&str]) -> Result<Reader<'a>, FitFileError> {
        let reader = Reader { source, name: String::new(), place: Place::Nowhere, table };
        reader.refuse_others(keys)?;
        Ok(reader)
    }

    /// The table under a key, empty where there is none, whose keys must be among these.
    pub fn table(&mut self, key: &str, keys: &[Key]) -> Result<Reader<'a>, FitFileError> {
        let reader = self.free_table(key)?;
        reader.refuse_others(&keys.iter().map(|(name, _)| *name).collect::<Vec<_>>())?;
        Ok(reader)
    }

    /// The table under a key, empty where there is none, with any keys.
    pub fn free_table(&mut self, key: &str) -> Result<Reader<'a>, FitFileError> {
        let name = self.path(key);
        let (place, table) = match self.table.remove(key) {
            None => (Place::Nowhere, Table::new()),
            Some((place, Node { value: Value::Table(table), .. })) => (place, table),
            Some((_, node)) => return Err(self.wrong(key, &node, "a table")),
        };
        Ok(Reader { source: self.source, name, place, table })
    }

    /// The tables under a key, one or a list of them, whose keys must be among these; none where there is none.
    pub fn tables(&mut self, key: &str, keys: &[Key]) -> Result<Vec<Reader<'a>>, FitFileError> {
        let Some((place, node)) = self.table.remove(key) else { return Ok(Vec::new()) };
        let nodes = match node.value {
            Value::List(items) => items,
            value => vec![Node { value, place: node.place }],
        };
        let mut readers = Vec::new();
        for node in nodes {
            let Node { value: Value::Table(table), .. } = node else {
                return Err(self.wrong(key, &node, "a table, or a list of tables"));
            };
            let reader = Reader { source: self.source, name: self.path(key), place: place.clone(), table };
            reader.refuse_others(&keys.iter().map(|(name, _)| *name).collect::<Vec<_>>())?;
            readers.push(reader);
        }
        Ok(readers)
    }

    fn refuse_others(&self, keys: &[&str]) -> Result<(), FitFileError> {
        for (key, (place, _)) in &self.table {
            if !keys.contains(&key.as_str()) {
                let inside =
                    if self.name.is_empty() { "a fit file".to_string() } else { format!("[{}]", self.name) };
                let hint = suggestion(key, keys.iter().copied());
                return Err(self.error(place.clone(), format!("{inside} has no key `{key}`{hint}")));
            }
        }
        Ok(())
    }

    /// The keys that are left.
    pub fn keys(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether a key is set by an override.
    pub fn is_override(&self, key: &str) -> bool {
        matches!(self.table.get(key), Some((Place::Set(_), _)))
    }

    /// Forgets a key that something else takes the place of.
    pub fn discard(&mut self, key: &str) {
        self.table.remove(key);
        let mark = Marked::new(()).1;
        mark.store(true, std::sync::atomic::Ordering::Relaxed);
        self.source.marks.borrow_mut().insert(self.path(key), mark);
    }

    /// The value of a key as `take` reads it, to be marked when the fit reads it.
    pub fn marked<T>(
        &mut self,
        key: &str,
        take: impl FnOnce(&mut Self, &str) -> Result<T, FitFileError>,
    ) -> Result<Marked<T>, FitFileError> {
        let (value, mark) = Marked::new(take(self, key)?);
        self.source.marks.borrow_mut().insert(self.path(key), mark);
        Ok(value)
    }

    /// Whether a key holds a table.
    pub fn is_table(&self, key: &str) -> bool {
        matches!(self.table.get(key), Some((_, Node { value: Value::Table(_), .. })))
    }

    /// Whether a key holds a text.
    pub fn is_text(&self, key: &str) -> bool {
        matches!(self.table.get(key), Some((_, Node { value: Value::Text(_), .. })))
    }

    /// Where a key's value stands.
    pub fn place(&self, key: &str) -> Place {
        self.table.get(key).map_or_else(|| self.place.clone(), |(_, node)| node.place.clone())
    }

    /// Where a key itself stands.
    pub fn key_place(&self, key: &str) -> Place {
        self.table.get(key).map_or_else(|| self.place.clone(), |(place, _)| place.clone())
    }

    /// `table.key`.
    pub fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_string() } else { format!("{}.{key}", self.name) }
    }

    pub fn error(&self, place: Place, message: impl Into<String>) -> FitFileError {
        FitFileError::new(self.source.file, place, message)
    }

    /// An error about the table itself.
    pub fn here(&self, message: impl Into<String>) -> FitFileError {
        self.error(self.place.clone(), message)
    }

    fn wrong(&self, key: &str, node: &Node, wanted: &str) -> FitFileError {
        let message = format!("`{}` is {}, but must be {wanted}", self.path(key), node.value.described());
        self.error(node.place.clone(), message)
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        self.table.remove(key).map(|(_, node)| node)
    }

    pub fn number(&mut self, key: &str, range: Range) -> Result<Option<f64>, FitFileError> {
        let Some(node) = self.take(key) else { return Ok(None) };
        self.as_number(key, &node, range).map(Some)
    }

    fn as_number(&self, key: &str, node: &Node, range: Range) -> Result<f64, FitFileError> {
        let number = match node.value {
            Value::Integer(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            _ => None,
        };
        let right = number.filter(|&x| (range.accepts)(x));
        right.ok_or_else(|| self.wrong(key, node, &format!("a number {}", range.words)))
    }

    /// A whole number of at least `least`; 1e4 counts as one.
    pub fn count(&mut self, key: &str, least: u64) -> Result<Option<u64>, FitFileError> {
        let Some(node) = self.take(key) else { return Ok(None) };
        self.as_count(key, &node, least).map(Some)
    }

    fn as_count(&self, key: &str, node: &Node, least: u64) -> Result<u64, FitFileError> {
        const MOST: f64 = (1u64 << 53) as f64;
        let number = match node.value {
            Value::Integer(number) => u64::try_from(number).ok(),
            Value::Float(x) if x.fract().abs() < f64::MIN_POSITIVE && (0.0..=MOST).contains(&x) => {
                Some(x as u64)
            }
            _ => None,
        };
        let right = number.filter(|&n| n >= least);
        right.ok_or_else(|| self.wrong(key, node, &format!("a whole number of at least {least}")))
    }

    /// A seed: a whole number below 2⁶⁴, or one as a text, as those are written that TOML has no room for.
    pub fn seed(&mut self, key: &str) -> Result<Option<u64>, FitFileError> {
        match self.table.get(key) {
            Some((_, Node { value: Value::Text(text), .. })) => match whole_number(text) {
                Some(seed) => {
                    self.discard(key);
                    Ok(Some(seed))
                }
                None => self.seed_by_number(key),
            },
            _ => self.seed_by_number(key),
        }
    }

    fn seed_by_number(&mut self, key: &str) -> Result<Option<u64>, FitFileError> {
        let Some(node) = self.take(key) else { return Ok(None) };
        let wanted = format!("a whole number from 0 to {}, from 2^63 on written as a text, \"…\"", u64::MAX);
        self.as_count(key, &node, 0).map(Some).map_err(|_| self.wrong(key, &node, &wanted))
    }

    /// A list of whole numbers.
    pub fn counts(&mut self, key: &str, least: u64) -> Result<Option<Vec<u64>>, FitFileError> {
        let Some(node) = self.take(key) else { return Ok(None) };
        let Value::List(items) = &node.value else {
            return Err(self.wrong(key, &node, "a list of whole numbers"));
        };
        items.iter().map(|item| self.as_count(key, item, least)).collect::<Result<_, _>>().map(Some)
    }

    /// A text or a list of texts; empty where the key is missing.
    pub fn texts(&mut self, key: &str) -> Result<Vec<String>, FitFileError> {
        let Some(node) = self.take(key) else { return Ok(Vec::new()) };
        let wanted = "a text or a list of texts";
        let text = |item: &Node| match &item.value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.wrong(key, item, wanted)),
        };
        match &node.value {
            Value::List(items) => items.iter().map(text).collect(),
            _ => Ok(vec![text(&node)?]),
        }
    }

    /// A number or a list of at least one.
    pub fn numbers(&mut self, key: &str, range: Range) -> Result<Option<Vec<f64>>, FitFileError> {
        let Some(node) = self.take(key) else { return Ok(None) };
        match &node.value {
            Value::List(items) if items.is_empty() => {
                Err(self.wrong(key, &node, "a number or a list of at least one"))
            }
            Value::List(items) => {
                items.iter().map(|item| self.as_number(key, item, range)).collect::<Result<_, _>>().map(Some)
            }
            _ => self.as_number(key, &node, range).map(|number| Some(vec![number])),
        }
    }

    pub fn flag(&mut self, key: &str) -> Result<Option<bool>, FitFileError> {
        let Some(node) = self.take(key) else { return Ok(None) };
        match node.value {
            Value::Boolean(flag) => Ok(Some(flag)),
            _ => Err(self.wrong(key, &node, "true or false")),
        }
    }

    pub fn text(&mut self, key: &str) -> Result<Option<String>, FitFileError> {
        let Some(node) = self.take(key) else { return Ok(None) };
        match node.value {
            Value::Text(text) if text.contains(char::is_control) => {
                let found =
                    format!("`{}` holds {}{}", self.path(key), escape_of(&text), super::tree::BACKSLASH);
                Err(self.error(node.place, found))
            }
            Value::Text(text) if !text.trim().is_empty() => Ok(Some(text)),
            _ => Err(self.wrong(key, &node, "a text that is not empty")),
        }
    }

    /// One of a few words, taken; `None` where something else or nothing stands there, which is left in place.
    pub fn one_of(&mut self, key: &str, words: &[&'static str]) -> Option<&'static str> {
        let Some((_, Node { value: Value::Text(text), .. })) = self.table.get(key) else { return None };
        let word = words.iter().find(|word| *word == text).copied()?;
        self.take(key).map(|_| word)
    }

    /// A text or a whole number, as a text: a column's name or number.
    pub fn text_or_count(&mut self, key: &str) -> Result<Option<ColumnName>, FitFileError> {
        self.text_or_count_from(key, 1)
    }

    /// The same with the least number that there may be.
    pub fn text_or_count_from(&mut self, key: &str, least: u64) -> Result<Option<ColumnName>, FitFileError> {
        match self.table.get(key) {
            Some((_, Node { value: Value::Integer(_), .. })) => {
                Ok(self.count(key, least)?.map(ColumnName::Number))
            }
            _ => Ok(self.text(key)?.map(ColumnName::Name)),
        }
    }

    /// One of a few words.
    pub fn word<T: Copy>(
        &mut self,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, FitFileError> {
        let place = self.place(key);
        let Some(text) = self.text(key)? else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, right)) => Ok(Some(*right)),
            None => {
                let hint = suggestion(&text, words.iter().map(|(word, _)| *word));
                Err(self.error(place, format!("`{}` cannot be \"{text}\"{hint}", self.path(key))))
            }
        }
    }

    /// A path, made absolute: relative ones start from the fit file's folder, or in an override from the working one.
    pub fn path_of(&mut self, key: &str) -> Result<Option<PathBuf>, FitFileError> {
        let place = self.place(key);
        let Some(text) = self.text(key)? else { return Ok(None) };
        self.absolute(&text, place).map(Some)
    }

    pub fn absolute(&self, text: &str, place: Place) -> Result<PathBuf, FitFileError> {
        let folder = if matches!(place, Place::Set(_)) { self.source.working } else { self.source.folder };
        std::path::absolute(folder.join(text))
            .map_err(|error| self.error(place, format!("{text} is not a path: {error}")))
    }

    /// Every key with a number.
    pub fn all_numbers(mut self) -> Result<BTreeMap<String, f64>, FitFileError> {
        let mut numbers = BTreeMap::new();
        for key in self.keys() {
            if let Some(number) = self.number(&key, ANY)? {
                numbers.insert(key, number);
            }
        }
        Ok(numbers)
    }

    /// What is left under a key, as it is.
    pub fn raw(&mut self, key: &str) -> Option<Node> {
        self.take(key)
    }
}

/// The first control character of a text, by the escape that it is written with.
fn escape_of(text: &str) -> &'static str {
    match text.chars().find(|c| c.is_control()) {
        Some('\t') => "a tab (\\t)",
        Some('\n') => "a line feed (\\n)",
        Some('\r') => "a carriage return (\\r)",
        Some('\u{8}') => "a backspace (\\b)",
        Some('\u{C}') => "a form feed (\\f)",
        _ => "a control character",
    }
}

/// A column of a table of data: by its heading, or by its number from 1.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum ColumnName {
    /// Its heading.
    Name(String),
    /// Its number, from 1.
    Number(u64),
}
