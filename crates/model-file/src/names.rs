//! Keeps the names of a model file apart: each means one thing, and none is a word of the language.

use std::ops::Range;

use super::error::{Checked, problem};
use super::functions::{THERE, WORDS, named};
use super::limits;

/// The names declared so far, with what they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    taken: Vec<(String, &'static str)>,
}

impl Names {
    /// Declares a name.
    pub(crate) fn declare(&mut self, name: &str, kind: &'static str, span: &Range<usize>) -> Checked<()> {
        let mut characters = name.chars();
        let begins = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
        if !begins || !characters.all(|c| c.is_alphanumeric() || c == '_') {
            let message = format!("`{name}` cannot name a {kind}: use letters, digits and _, a letter first");
            return problem(span, message);
        }
        if name.chars().count() > limits::NAME {
            return problem(span, format!("a name has at most {} characters", limits::NAME));
        }
        let word = WORDS.contains(&name) || name == THERE || ["and", "or", "not"].contains(&name);
        if word || named(name).is_some() {
            let message = format!(
                "`{name}` has a meaning in expressions and cannot name a {kind}: choose another name"
            );
            return problem(span, message);
        }
        if let Some((_, other)) = self.taken.iter().find(|(n, _)| n == name) {
            return problem(span, format!("`{name}` names a {other} already: give each its own name"));
        }
        if self.taken.iter().filter(|(_, k)| *k == kind).count() >= limits::NAMES {
            return problem(
                span,
                format!("there are more than {} names of one kind ({kind})", limits::NAMES),
            );
        }
        self.taken.push((name.to_string(), kind));
        Ok(())
    }

    /// Names of some kinds, for suggestions.
    pub(crate) fn of<'n>(&'n self, kinds: &'n [&str]) -> impl Iterator<Item = &'n str> {
        self.taken.iter().filter(move |(_, k)| kinds.contains(k)).map(|(n, _)| n.as_str())
    }

    /// What a name is.
    pub(crate) fn kind(&self, name: &str) -> Option<&'static str> {
        self.taken.iter().find(|(n, _)| n == name).map(|(_, k)| *k)
    }
}
