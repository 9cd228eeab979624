//! Holds what the fits of a job came to: results, which is best, curves, maps, tests; and writes it into a folder.

mod curves;
mod figure;
mod folder;
mod formation;
mod report;
mod sink;
mod start;

use std::collections::BTreeMap;

use glauber_optimize::fit_result::FitResult;
use glauber_optimize::stopping::Stopped;
use glauber_program::Layer;

pub use curves::Curves;
pub(crate) use folder::file_name;
pub use folder::{FolderSink, OUTPUTS};
pub use formation::FormationTests;
pub use sink::{Sink, Unkept};
pub use start::StartMap;

use crate::fit_file::Task;
use crate::inference::Drawn;

/// What the fits of a job came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The model's name.
    pub model: String,
    /// When its rule is applied to which sites, in one word.
    pub update: String,
    /// The names of its layers.
    pub layers: Vec<String>,
    /// The first of them.
    pub layer: Option<Layer>,
    /// What was fitted to what.
    pub task: Task,
    /// The seed of all noise.
    pub seed: u64,
    /// The fits that ran: the job's own first, one per start, then those for comparison.
    pub fits: Vec<Fit>,
    /// The best of its own.
    pub best: Best,
    /// Of a fitted initial state: where the process may have started.
    pub start: Option<StartMap>,
    /// Of a trajectory fit that ended: the data, the best fit's start and its end over time; or why there is none.
    pub curves: Option<Result<Curves, String>>,
    /// Draws from the posterior, where they were asked for.
    pub posterior: Option<Drawn>,
    /// The true parameters, where the data were simulated.
    pub truth: BTreeMap<String, f64>,
    /// What is to be known of how it was set up.
    pub notes: Vec<String>,
    /// What the readers of the data guessed, cut or left out.
    pub data_notes: Vec<String>,
    /// The fit file with every default and override written out, or why it has none; nothing where its model or data were
    /// handed over in memory, which no file can say.
    pub fit_file: Option<Result<String, String>>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// How long it took.
    pub seconds: f64,
}

/// One fit that ran.
#[derive(Clone, Debug)]
pub struct Fit {
    /// What it is called: the estimator or loss, and the start where there are several.
    pub name: String,
    /// Whether it is only for comparison.
    pub comparison: bool,
    /// What its estimates are known to be off by.
    pub caveat: Option<String>,
    /// Where θ started.
    pub start: Vec<f64>,
    /// What it found.
    pub result: FitResult,
    /// The formation tests, where there were any to make.
    pub formation: Option<FormationTests>,
}

/// The best of a job's own fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// Its number among the job's fits.
    pub number: usize,
    /// How it compares with the others, in words; nothing where it is the only one.
    pub words: Option<String>,
}

impl Outcome {
    /// The best fit.
    pub fn best(&self) -> &Fit {
        &self.fits[self.best.number]
    }

    /// Whether even the best diverged, so that there is no estimate.
    pub fn diverged(&self) -> bool {
        matches!(self.best().result.stopped, Stopped::Diverged { .. })
    }

    /// All that a reader must know: of the best fit, of the choice among several, of the data, of the setup.
    pub fn all_notes(&self) -> Vec<String> {
        let own = self.best().result.notes.iter();
        own.chain(&self.best.words).chain(&self.data_notes).chain(&self.notes).cloned().collect()
    }
}
