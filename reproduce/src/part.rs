//! Describes a part of an experiment: its name, what its result depends on, and the work itself.

use std::sync::atomic::{AtomicBool, Ordering};

use glauber_report::progress::{Progress, Show};
use serde::Serialize;
use serde_json::Value;

use crate::error::ReproduceError;
use crate::store::Store;

/// A part of an experiment. Its result is a pure function of its settings.
pub(crate) struct Part {
    /// Its file's name: letters, digits, dashes, dots.
    pub name: String,
    /// What it is, in a few words, for the progress.
    pub about: String,
    /// Everything its result depends on besides the code.
    pub settings: String,
    /// How many seconds it takes on two slow cores, about: for the time left.
    pub weight: f64,
    /// The work.
    pub work: Box<dyn Fn(&Context<'_>) -> Result<Value, ReproduceError>>,
}

impl Part {
    pub(crate) fn new<T: Serialize>(
        name: impl Into<String>,
        about: impl Into<String>,
        settings: impl Into<String>,
        weight: f64,
        work: impl Fn(&Context<'_>) -> Result<T, ReproduceError> + 'static,
    ) -> Part {
        let work = move |context: &Context<'_>| {
            let found = work(context)?;
            serde_json::to_value(found).map_err(ReproduceError::part)
        };
        Part {
            name: name.into(),
            about: about.into(),
            settings: settings.into(),
            weight,
            work: Box::new(work),
        }
    }

    /// Whether it was finished with these very settings.
    pub(crate) fn is_finished(&self, store: &Store) -> bool {
        store.finished(&self.name, &self.settings)
    }
}

/// Where a part works: the results of those before it, its progress, the wish to stop.
pub(crate) struct Context<'a> {
    pub store: &'a Store,
    pub interrupt: &'a AtomicBool,
    pub show: Show,
    /// The part at work.
    pub part: &'a Part,
    /// How it is called in the progress, with its place among the others.
    pub title: String,
}

impl Context<'_> {
    /// Begins to show a course of so many steps.
    pub(crate) fn progress(&self, first: u64, steps: u64) -> Progress {
        Progress::resumed(&self.title, first, steps, self.show)
    }

    /// Fails where a stop was asked for.
    pub(crate) fn check(&self) -> Result<(), ReproduceError> {
        if self.interrupt.load(Ordering::Relaxed) { Err(ReproduceError::Interrupted) } else { Ok(()) }
    }
}
