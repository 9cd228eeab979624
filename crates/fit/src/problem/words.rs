//! Says what data are called, and in which table of a fit file a parameter is wrong.

use std::collections::BTreeMap;

use glauber_tasks::tasks::unknowns::UnknownsError;

use crate::error::JobError;
use crate::fit_file::FitFile;

/// What data are called in errors: by their path, where they have one.
pub(crate) fn name_of_data(file: &FitFile, path: &std::path::Path) -> String {
    match (&file.given.arrays, &file.given.tracks) {
        (None, None) => path.display().to_string(),
        (None, Some(_)) => "the tracks given".into(),
        _ => "the data given".into(),
    }
}

/// Notes of a reader, with the name of the file they are about.
pub(crate) fn notes_about(path: &std::path::Path, notes: &[String]) -> Vec<String> {
    let name =
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    notes.iter().map(|note| format!("{name}: {note}")).collect()
}

/// A list of named numbers from a table.
pub(crate) fn pairs(table: &BTreeMap<String, f64>) -> Vec<(String, f64)> {
    table.iter().map(|(k, v)| (k.clone(), *v)).collect()
}

/// A parameter of this table that is wrong, at its place.
pub(crate) fn wrong(file: &FitFile, table: &str, error: &UnknownsError) -> JobError {
    let key = match error {
        UnknownsError::Name { name, .. } | UnknownsError::Value { name, .. } => format!("{table}.{name}"),
        _ => table.to_string(),
    };
    file.wrong(&key, error.to_string()).into()
}
