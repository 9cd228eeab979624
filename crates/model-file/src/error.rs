//! Says what is wrong with a model file, and where: line, column, the line itself.

use std::ops::Range;
use std::path::PathBuf;

use glauber_lattice::LatticeError;
use glauber_program::{ModelError, nearest_name};

use super::limits;

/// What is wrong with a model file, and what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelFileError {
    /// A file that cannot be read.
    #[error("could not read the model file {}: {why}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// A file too large to be a model.
    #[error("the model file {} has {found} bytes: a model file has at most {}", .path.display(), limits::BYTES)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        found: u64,
    },
    /// A mistake at a place of the file.
    #[error("{0}")]
    Mistake(Box<Mistake>),
    /// A mistake that only the finished model shows.
    #[error("{file}: {error}")]
    Model {
        /// The file.
        file: String,
        /// What is wrong.
        error: Box<ModelError>,
    },
    /// A shape that is no lattice.
    #[error("{file}: {error}")]
    Lattice {
        /// The file.
        file: String,
        /// What is wrong.
        error: LatticeError,
    },
    /// A covariate whose numbers do not fit the lattice.
    #[error("covariate `{name}` of model `{model}`: {problem}")]
    Covariate {
        /// The model.
        model: String,
        /// The covariate.
        name: String,
        /// What was found, what was wanted.
        problem: String,
    },
}

/// A mistake at a place of a model file. Prints as `file, line 3, column 9: what`, the line, and a mark under the place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{file}, line {line}, column {column}: {message}\n{margin} |\n{line} | {text}\n{margin} | {marks}",
        margin = " ".repeat(line.to_string().len()))]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// The line, 1 for the first.
    pub line: usize,
    /// The column in characters, 1 for the first.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
    /// The line's text, cut where it is very long.
    pub text: String,
    /// Spaces up to the place, then `^` under it.
    pub marks: String,
}

/// A mistake at bytes of a file whose text is at hand elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

pub(crate) type Checked<T> = Result<T, Problem>;

pub(crate) fn problem<T>(span: &Range<usize>, message: impl Into<String>) -> Checked<T> {
    Err(Problem { span: span.clone(), message: message.into() })
}

/// `: did you mean …?` for the nearest of some names, or the list of them.
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.dedup();
    let shown = known.len().min(30);
    match nearest_name(name, known.iter().copied()) {
        Some(nearest) => format!(": did you mean `{nearest}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there is {}", known[..shown].join(", ")),
    }
}

/// The characters of a line that an error shows.
const LONGEST_LINE: usize = 120;

impl Problem {
    /// The same mistake with its place in the text.
    pub(crate) fn located(self, file: &str, text: &str) -> ModelFileError {
        let start = floor_boundary(text, self.span.start);
        let end = floor_boundary(text, self.span.end.max(start));
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let column = text[line_start..start].chars().count();
        let whole: Vec<char> = text[line_start..line_end].chars().collect();
        // A long line is shown around the place.
        let first = if column > LONGEST_LINE - 20 { column - 60 } else { 0 };
        let shown: String = whole.iter().skip(first).take(LONGEST_LINE).map(|c| tame(*c)).collect();
        let room = shown.chars().count() - (column - first).min(shown.chars().count());
        let width = text[start..end.min(line_end)].chars().count().clamp(1, room.max(1));
        ModelFileError::Mistake(Box::new(Mistake {
            file: file.to_string(),
            line: text[..start].matches('\n').count() + 1,
            column: column + 1,
            message: self.message,
            text: shown,
            marks: format!("{}{}", " ".repeat(column - first), "^".repeat(width)),
        }))
    }
}

/// Tabs and control characters as spaces, so that the mark stands under the place.
fn tame(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

fn floor_boundary(text: &str, place: usize) -> usize {
    let mut place = place.min(text.len());
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}

/// `there is no state called `x`: did you mean `y`?`
pub(crate) fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    match nearest_name(name, known.iter().copied()) {
        Some(nearest) => format!("there is no {kind} called `{name}`: did you mean `{nearest}`?"),
        None if known.is_empty() => format!("there is no {kind} called `{name}`: the file declares none"),
        None => format!("there is no {kind} called `{name}`; there is {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_its_line_and_place() {
        let text = "name = \"x\"\n\"a -> b\" = \"coutn(a)\"\n";
        let at = text.find("coutn").unwrap();
        let error = Problem { span: at..at + 5, message: "unknown".into() }.located("m.toml", text);
        let shown = error.to_string();
        assert!(shown.starts_with("m.toml, line 2, column 13: unknown\n"), "{shown}");
        assert!(shown.ends_with("2 | \"a -> b\" = \"coutn(a)\"\n  |             ^^^^^"), "{shown}");
    }

    #[test]
    fn places_outside_the_text_or_inside_a_character_do_no_harm() {
        let text = "β = 1";
        for (start, end) in [(1, 2), (0, 99), (99, 100), (5, 3)] {
            let error = Problem { span: start..end, message: "m".into() }.located("f", text);
            assert!(error.to_string().contains("line 1"));
        }
        let long = "x".repeat(5000);
        let error = Problem { span: 4000..4001, message: "m".into() }.located("f", &long);
        assert!(error.to_string().len() < 500);
    }
}
