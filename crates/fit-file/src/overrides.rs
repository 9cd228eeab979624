//! Applies `--set table.key=value` to a fit file before it is checked.
//!
//! The value is read as TOML; what is not TOML is a text, so that a shell needs no quotes within quotes:
//! `--set run.memory=2GiB`, `--set optimizer.name=sgd`, `--set 'start.beta=[0.1, 0.9]'`.
//! An override replaces what the file says. Of two that meet, one would be without effect: they are refused.

use std::path::Path;

use super::error::{FitFileError, Place};
use super::tree::{self, Node, Table, Value};
use glauber_files::spelling::suggestion;

/// Texts that begin like this were meant as TOML and are not taken for bare words.
const MEANT_AS_TOML: [char; 4] = ['[', '{', '"', '\''];
/// Longer keys are no keys of a fit file.
const DEEPEST: usize = 6;

/// Puts all overrides into the document.
pub(super) fn apply_all(
    document: &mut Table,
    overrides: &[String],
    file: &Path,
    tables: &[&str],
) -> Result<(), FitFileError> {
    let mut set: Vec<Vec<&str>> = Vec::new();
    for text in overrides {
        let keys = apply(document, text, file, tables)?;
        if let Some(earlier) = set.iter().find(|earlier| earlier.iter().zip(&keys).all(|(a, b)| a == b)) {
            let message = match *earlier == keys {
                true => format!("`{}` is set twice: give one value", keys.join(".")),
                false => format!("it meets what is set for `{}`: give one of them", earlier.join(".")),
            };
            return Err(FitFileError::new(file, Place::Set(text.clone()), message));
        }
        set.push(keys);
    }
    Ok(())
}

/// Puts one override into the document; the names of its key.
fn apply<'t>(
    document: &mut Table,
    text: &'t str,
    file: &Path,
    tables: &[&str],
) -> Result<Vec<&'t str>, FitFileError> {
    let place = Place::Set(text.to_string());
    let fail = |message: String| FitFileError::new(file, place.clone(), message);
    let Some((path, value)) = text.split_once('=') else {
        return Err(fail("an override reads table.key=value, as in optimizer.steps=500".into()));
    };
    let keys = keys_of(path, tables).map_err(fail)?;
    let node = parse(value.trim(), &place).map_err(fail)?;
    insert(document, &keys, node, &place).map_err(fail)?;
    Ok(keys)
}

/// Puts one value into the document, under `table.key`.
pub(super) fn apply_value(
    document: &mut Table,
    (path, value): &(String, Value),
    file: &Path,
    tables: &[&str],
) -> Result<(), FitFileError> {
    let place = Place::Set(format!("{path}={}", value.described()));
    let fail = |message: String| FitFileError::new(file, place.clone(), message);
    let keys = keys_of(path, tables).map_err(fail)?;
    insert(document, &keys, Node { value: value.clone(), place: place.clone() }, &place).map_err(fail)
}

/// The keys of `table.key`.
fn keys_of<'a>(path: &'a str, tables: &[&str]) -> Result<Vec<&'a str>, String> {
    let keys: Vec<&str> = path.split('.').map(str::trim).collect();
    let bare =
        |key: &&str| !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || "\"'[]{}".contains(c));
    if keys.len() > DEEPEST || !keys.iter().all(bare) {
        return Err(format!(
            "`{}` is not a key: write table.key=value, as in optimizer.steps=500",
            path.trim()
        ));
    }
    if !tables.contains(&keys[0]) {
        let hint = suggestion(keys[0], tables.iter().copied());
        return Err(format!("a fit file has no `{}`{hint}", keys[0]));
    }
    Ok(keys)
}

fn parse(text: &str, place: &Place) -> Result<Node, String> {
    match tree::value(text, place) {
        Some(node) => node,
        None if text.is_empty() => Err("the value is missing after `=`".into()),
        None if text.starts_with(MEANT_AS_TOML) => {
            let hint = if text.starts_with('"') && text.contains('\\') { tree::BACKSLASH } else { "" };
            Err(format!("{text} is not a TOML value: check its brackets and quotes{hint}"))
        }
        None => Ok(Node { value: Value::Text(text.to_string()), place: place.clone() }),
    }
}

fn insert(table: &mut Table, keys: &[&str], node: Node, place: &Place) -> Result<(), String> {
    let [first, rest @ ..] = keys else { return Ok(()) };
    if rest.is_empty() {
        table.insert(first.to_string(), (place.clone(), node));
        return Ok(());
    }
    let empty = || (place.clone(), Node { value: Value::Table(Table::new()), place: place.clone() });
    let (_, inner) = table.entry(first.to_string()).or_insert_with(empty);
    match &mut inner.value {
        Value::Table(inner) => insert(inner, rest, node, place),
        other => Err(format!("`{first}` is {}, so it has no `{}` in it", other.described(), rest.join("."))),
    }
}
