//! Reads which type every cell has from a table: a column of labels and one of types, numbers or names.

use crate::arrays::open_regular;
use crate::tables::{NoLayout, Sheet, read_text};
use crate::{DataError, DataErrorKind};
use glauber_files::error::{bytes_in_words, quoted};
use std::path::Path;

/// The longest file that is read: 64 MiB, some million cells.
const LONGEST: u64 = 64 << 20;

/// The types of cells by their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellTypes {
    /// Label and type, as the table has them; types are numbered from 1.
    pub rows: Vec<(i64, u8)>,
    /// What each type is called, from type 1 on: by numbers where the table has numbers.
    pub names: Vec<String>,
    /// What was read from where, in sentences.
    pub notes: Vec<String>,
}

/// Reads a table with a column `label` (or `cell`, `cell_id`, `id`) and a column `type` (or `cell_type`, `kind`, `class`). Types are
/// whole numbers from 1, or names, which are numbered in the order of the alphabet. A line `0,0` is the medium's, and says nothing.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("types.csv");
/// std::fs::write(&path, "label,type\n3,hair\n7,support\n8,hair\n")?;
/// let types = glauber_data::read_cell_types(&path)?;
/// assert_eq!((types.rows, types.names), (vec![(3, 1), (7, 2), (8, 1)], vec!["hair".into(), "support".into()]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file is missing, too large or not text, a column is missing, a label is no whole number, a type is neither name
/// nor whole number from 1 to 255, or there are more than 255 names.
pub fn read_cell_types(path: impl AsRef<Path>) -> Result<CellTypes, DataError> {
    let path = path.as_ref();
    let (file, length) = open_regular(path)?;
    if length > LONGEST {
        let found = format!("takes {}, more than any table of types", bytes_in_words(length));
        let remedy = "give a table with one line for each cell";
        return Err(DataError::new(DataErrorKind::TooLarge, path, found, remedy));
    }
    let (text, note) = read_text(file, length, path, "save the types as CSV")?;
    let recognise = |fields: &[String]| columns(fields).map(|(label, kind)| vec![label, kind]);
    let mut sheet = Sheet::open(&text, path, &recognise, false, |no| refused(no, path))?;
    let Some((label, kind)) = columns(sheet.names()) else {
        return Err(refused(NoLayout::Empty, path));
    };
    sheet.check_names([label, kind])?;
    let mut rows: Vec<Row> = Vec::new();
    let mut fields = Vec::new();
    while let Some(line) = sheet.row(&mut fields)? {
        let number = sheet.number(&fields, label, line)?;
        let at = |column: usize, found: String, remedy: &str| {
            let place = format!("line {line}, column {}", column + 1);
            DataError::new(DataErrorKind::Value, path, found, remedy).at(place)
        };
        if number.fract().abs() > 0.0 || number.abs() >= 2f64.powi(53) {
            return Err(at(label, format!("{number} is no label"), "labels are whole numbers"));
        }
        let name = fields.get(kind).map(|name| name.trim().to_owned()).unwrap_or_default();
        if name.is_empty() || name.eq_ignore_ascii_case("nan") {
            return Err(at(kind, "has no type".into(), "give every cell a type, or leave its line out"));
        }
        let label = number as i64;
        let of_medium =
            name.eq_ignore_ascii_case("medium") || name.parse::<f64>().is_ok_and(|kind| kind.abs() == 0.0);
        if label == 0 && of_medium {
            continue;
        }
        rows.push(Row { label, name, line, column: kind });
    }
    if rows.is_empty() {
        return Err(refused(NoLayout::Empty, path));
    }
    let read = [label, kind].map(|column| quoted(&sheet.names()[column]));
    let mut notes = vec![format!("types were read from the columns {}", read.join(", "))];
    notes.extend(note);
    notes.extend(sheet.notes()?);
    notes.extend(sheet.note_of_comments());
    numbered(rows, notes, path)
}

/// A line of the table.
struct Row {
    label: i64,
    name: String,
    line: u64,
    /// Where the type stands.
    column: usize,
}

impl Row {
    /// The type as a number, also one written 1.0.
    fn number(&self) -> Option<f64> {
        self.name.parse().ok()
    }

    fn kind(&self) -> Option<u8> {
        let whole = self.number().filter(|kind| (1.0..=255.0).contains(kind) && kind.fract().abs() == 0.0);
        whole.map(|kind| kind as u8)
    }
}

/// Types as numbers.
fn numbered(rows: Vec<Row>, mut notes: Vec<String>, path: &Path) -> Result<CellTypes, DataError> {
    let numbers: Option<Vec<u8>> = rows.iter().map(Row::kind).collect();
    if let Some(kinds) = numbers {
        let most = kinds.iter().copied().max().unwrap_or(1);
        let names = (1..=most).map(|kind| kind.to_string()).collect();
        let rows = rows.iter().zip(kinds).map(|(row, kind)| (row.label, kind)).collect();
        return Ok(CellTypes { rows, names, notes });
    }
    // A number that is no type; else of numbers and names the fewer, of which the first is likely the slip.
    let (words, figures): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.number().is_none());
    let wrong = figures.iter().find(|row| row.kind().is_none());
    let fewer = if words.len() < figures.len() { words.first() } else { figures.first() };
    if let Some(row) = wrong.or(fewer.filter(|_| !figures.is_empty())) {
        let found = format!("gives label {} the type {}", row.label, quoted(&row.name));
        let remedy = "types are whole numbers from 1 to 255 (0 is the medium's), or names, not both";
        let place = format!("line {}, column {}", row.line, row.column + 1);
        return Err(DataError::new(DataErrorKind::Value, path, found, remedy).at(place));
    }
    let mut names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    names.sort();
    names.dedup();
    if names.len() > 255 {
        let found = format!("names {} types", names.len());
        return Err(DataError::new(DataErrorKind::Value, path, found, "at most 255 are possible"));
    }
    let said: Vec<String> =
        names.iter().zip(1..).map(|(name, number)| format!("{number} is {}", quoted(name))).collect();
    notes.push(format!("types are numbered in the order of the alphabet: {}", said.join(", ")));
    let number = |name: &String| names.binary_search(name).map_or(0, |place| place as u8 + 1);
    let rows = rows.iter().map(|row| (row.label, number(&row.name))).collect();
    Ok(CellTypes { rows, names, notes })
}

/// Where label and type stand.
fn columns(header: &[String]) -> Option<(usize, usize)> {
    let plain: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
    let find = |known: &[&str]| known.iter().find_map(|wanted| plain.iter().position(|name| name == wanted));
    let label = find(&["label", "labels", "cell", "cell_id", "cell id", "cellid", "id"])?;
    let kind = find(&["type", "types", "cell_type", "cell type", "celltype", "kind", "class"])?;
    Some((label, kind))
}

fn refused(no: NoLayout, path: &Path) -> DataError {
    let found = match no {
        NoLayout::Empty => "holds no types".to_owned(),
        NoLayout::Headless { line, .. } => format!("has no header: line {line} holds numbers"),
        NoLayout::Unknown { names, .. } => {
            let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            format!("has no columns `label` and `type`; there are {}", names.join(", "))
        }
    };
    let remedy = "name the columns label and type in the first line, with a line for every cell below";
    DataError::new(DataErrorKind::Missing, path, found, remedy)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CellTypes, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("types.csv");
        std::fs::write(&path, text).unwrap();
        read_cell_types(&path).map_err(|error| format!("{}; {}", error.found(), error.remedy()))
    }

    #[test]
    fn types_are_numbers_or_names() {
        let numbers = read("cell_id;kind\n1;2\n2;1\n").unwrap();
        assert_eq!((numbers.rows, numbers.names), (vec![(1, 2), (2, 1)], vec!["1".into(), "2".into()]));
        // The medium's own line, and whole numbers as a spreadsheet writes them.
        let medium = read("label,type\n0,0\n1,1.0\n2,2.0\n").unwrap();
        assert_eq!((medium.rows, medium.names.len()), (vec![(1, 1), (2, 2)], 2));
        let names = read("type\tlabel\nb\t5\na\t6\n").unwrap();
        assert_eq!(names.rows, [(5, 2), (6, 1)]);
        assert!(names.notes.iter().any(|note| note.contains("1 is `a`, 2 is `b`")), "{:?}", names.notes);
    }

    #[test]
    fn wrong_tables_are_refused() {
        for (text, words) in [
            ("", "holds no"),
            ("label,type\n", "holds no types"),
            ("label,area\n1,2\n", "no columns `label` and `type`"),
            ("1,1\n2,1\n", "has no header"),
            ("label,type\n1.5,1\n", "1.5 is no label"),
            ("label,type\n1,0\n", "whole numbers from 1 to 255"),
            ("label,type\n1,300\n2,1\n", "whole numbers from 1 to 255"),
            ("label,type\n1,a\n2,1\n", "names, not both"),
            ("label,type\n1,1\n2,1\n3,x\n", "gives label 3 the type `x`"),
            ("label,type\n1,a\n2,b\n3,1\n", "gives label 3 the type `1`"),
            ("label,type\n1,1\n2,2\n3,256\n", "gives label 3 the type `256`"),
            ("label,type\n1,1\n2,1.5\n", "gives label 2 the type `1.5`"),
            ("label,type\n1,1\n2,nan\n", "has no type"),
            ("label,type\n0,1\n1,x\n", "names, not both"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }
}
