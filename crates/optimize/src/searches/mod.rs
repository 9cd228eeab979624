//! Lists the gradient-free searches: rules that propose points and learn from their losses alone.
//!
//! A search is a few pure functions: what it remembers at first, which points it asks for, what it learns from
//! their losses. All it remembers is its [`Memory`], plain numbers that a checkpoint stores. It moves free
//! coordinates (see [`crate::maps`]).
//!
//! To add one: a file with an `ENTRY`, and its line in [`SEARCHES`]; the contract tests and the fit file sweep it.
//!
//! ```
//! use glauber_optimize::searches;
//! use glauber_optimize::optimizers::Choice;
//! let search = searches::build(&Choice::new("nelder-mead")).unwrap();
//! let mut memory = search.begin(&[3.0, -1.0]);
//! for round in 0..200 {
//!     let points = search.ask(&memory, round, 1);
//!     let losses: Vec<f64> = points.iter().map(|p| p[0] * p[0] + p[1] * p[1]).collect();
//!     search.tell(&mut memory, &points, &losses);
//! }
//! assert!(search.favourite(&memory).iter().all(|x| x.abs() < 1e-6));
//! ```

mod cma_es;
mod draws;
mod eigen;
mod nelder_mead;

pub(crate) use eigen::eigen;

use crate::optimizers::{Choice, Memory, OptionError, OptionSpec, Options};
use glauber_files::spelling::suggestion;

/// Every search, by name.
pub const SEARCHES: &[SearchEntry] = &[cma_es::ENTRY, nelder_mead::ENTRY];

/// The most unknown numbers a search is for; a field has more, and needs a gradient.
pub const MOST_UNKNOWNS: usize = 200;

/// One search of the list.
#[derive(Clone, Copy, Debug)]
pub struct SearchEntry {
    /// Its name in a fit file.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// The options it takes.
    pub options: &'static [OptionSpec],
    /// Makes it from its options.
    pub build: fn(&Options<'_>) -> Box<dyn Search>,
}

/// A rule that finds a minimum from values alone.
pub trait Search: std::fmt::Debug + Send + Sync {
    /// What it remembers before the first round.
    fn begin(&self, start: &[f64]) -> Memory;

    /// The points whose losses it wants in this round. A pure function: the same memory, round and seed give the
    /// same points.
    fn ask(&self, memory: &Memory, round: u64, seed: u64) -> Vec<Vec<f64>>;

    /// Learns the losses of the points it asked for. A loss that is not finite counts as worse than any other.
    fn tell(&self, memory: &mut Memory, points: &[Vec<f64>], losses: &[f64]);

    /// The point it would give as its answer now.
    fn favourite(&self, memory: &Memory) -> Vec<f64>;

    /// How far apart its points are: the largest distance along a coordinate. It has converged when this is small.
    fn spread(&self, memory: &Memory) -> f64;

    /// Whether each round may have noise of its own. A search that compares losses of different rounds needs the
    /// same noise in all.
    fn takes_fresh_noise(&self) -> bool;
}

/// The entry of a search.
///
/// # Errors
/// [`OptionError::Unknown`] where no search has this name.
pub fn entry(name: &str) -> Result<&'static SearchEntry, OptionError> {
    SEARCHES.iter().find(|entry| entry.name == name).ok_or_else(|| OptionError::Unknown {
        kind: "search",
        name: name.to_string(),
        hint: suggestion(name, SEARCHES.iter().map(|entry| entry.name)),
    })
}

/// The search of a choice.
///
/// # Errors
/// [`OptionError`] where the name or an option is unknown, or an option is out of its range.
pub fn build(choice: &Choice) -> Result<Box<dyn Search>, OptionError> {
    let entry = entry(&choice.name)?;
    let options = Options::new(entry.name, entry.options, &choice.options)?;
    Ok((entry.build)(&options))
}

/// How far the first points lie from the start.
const SPREAD: OptionSpec = OptionSpec {
    name: "spread",
    default: 0.5,
    accepts: |x| x > 0.0 && x.is_finite(),
    range: "above 0",
    meaning: "distance of the first points from the start, in free coordinates",
};

/// A loss to sort by: what is not finite is worse than all that is.
fn badness(loss: f64) -> f64 {
    if loss.is_finite() { loss } else { f64::INFINITY }
}
