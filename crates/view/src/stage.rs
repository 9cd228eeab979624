//! Says what a page needs of whatever runs.

use serde_json::Value;

use crate::knob::Knob;
use crate::plane::{Look, Plane};
use crate::walk::Beginning;

/// Several curves that belong into one plot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curves {
    /// What they are, as a summary is written.
    pub(crate) title: String,
    /// Their names, in the order of [`Stage::numbers`].
    pub(crate) names: Vec<String>,
    /// Their colours 0xrrggbb, where they have any of their own.
    pub(crate) colours: Vec<Option<u32>>,
}

/// Something that runs step by step and can be looked at.
pub(crate) trait Stage: Send {
    /// What it is called.
    fn name(&self) -> String;
    /// The lengths of its lattice, as (z, y, x).
    fn extent(&self) -> [usize; 3];
    /// What is to be told of it besides: notes, rules, when sites are updated.
    fn words(&self) -> Value;
    /// The parameters that sliders set.
    fn knobs(&self) -> &[Knob];
    /// What each layer looks like.
    fn looks(&self) -> Vec<Look>;
    /// What is drawn as curves.
    fn curves(&self) -> &[Curves];
    /// Chooses what is drawn as curves; nothing for the usual.
    ///
    /// # Errors
    /// What is no summary of it, in words; the choice is as it was.
    fn watch(&mut self, summaries: &[String]) -> Result<(), String>;
    /// From the start again, with this seed.
    ///
    /// # Errors
    /// Why it cannot begin, in words.
    fn restart(&mut self, seed: u64) -> Result<(), String>;
    /// Sets a parameter from now on.
    ///
    /// # Errors
    /// Why it cannot have this value, in words; it is as it was.
    fn set(&mut self, parameter: &str, value: f64) -> Result<(), String>;
    /// So many steps on.
    ///
    /// # Errors
    /// Why it stopped, in words.
    fn advance(&mut self, steps: usize) -> Result<(), String>;
    /// Steps since the start.
    fn step(&self) -> u64;
    /// The curves' numbers now.
    fn numbers(&self) -> &[f64];
    /// The bytes of every layer, of one plane of a volume.
    fn planes(&mut self, slice: usize) -> Vec<Plane>;
    /// The numbers at a site, layer by layer, in words.
    fn at(&self, site: usize) -> Vec<String>;
    /// Where this is a model that runs can be taken up from elsewhere: the command that runs the same from the start.
    fn command(&self, steps: u64, seed: u64) -> String;
    /// What was observed, for the page; nothing where nothing was.
    fn observed(&self) -> Value {
        Value::Null
    }
    /// What a run begins with, for draws that are simulated beside it; nothing where that cannot be.
    fn beginning(&self) -> Option<Beginning> {
        None
    }
    /// The last step that something was observed at.
    fn farthest(&self) -> u64 {
        0
    }
    /// The parameters as the `[start]` of a fit file.
    fn start_of_a_fit(&self) -> String {
        let lines = self.knobs().iter().map(|k| format!("{} = {:?}", key(&k.name), k.value));
        std::iter::once("[start]".to_string()).chain(lines).collect::<Vec<_>>().join("\n")
    }
}

/// A key as TOML takes it.
pub(crate) fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { name.to_string() } else { serde_json::Value::from(name).to_string() }
}

/// A word as a shell takes it.
pub(crate) fn shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./=,:+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_or_toml_wants_it() {
        assert_eq!(shell("beta=0.3"), "beta=0.3");
        assert_eq!(shell("a b"), "'a b'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell("shape=[3,4]"), "'shape=[3,4]'");
        assert_eq!((key("beta"), key("β")), ("beta".to_string(), "\"β\"".to_string()));
    }
}
