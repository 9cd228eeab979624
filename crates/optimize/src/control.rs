//! Holds what surrounds a fit without changing its course, and why a fit could not run.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::checkpoint::{CheckpointError, CheckpointPolicy, Identity};
use crate::maps::MapError;
use crate::objective::ObjectiveError;
use crate::observer::Observer;
use crate::optimizers::OptionError;
use crate::schedule::ScheduleError;

/// What surrounds a fit and does not change its course.
#[derive(Default)]
pub struct Control<'a> {
    /// Who watches.
    pub observer: Option<&'a mut dyn Observer>,
    /// Raised from elsewhere (Ctrl-C) to stop before the next evaluation.
    pub interrupt: Option<&'a AtomicBool>,
    /// Where checkpoints go, if anywhere. The file stays after the fit: remove it once the result is written.
    pub checkpoint: Option<CheckpointPolicy>,
    /// What else the course depends on, in the user's words: model, data, loss, estimator, …
    pub identity: Identity,
}

impl Control<'_> {
    /// Whether somebody asked to stop.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Tells whoever watches what a person should know at once.
    pub(crate) fn notice(&mut self, words: Option<String>) {
        if let (Some(words), Some(observer)) = (words, &mut self.observer) {
            observer.notice(&words);
        }
    }
}

/// Why a fit could not run.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A start or a map is wrong.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The optimizer or an option of it is wrong.
    #[error(transparent)]
    Optimizer(#[from] OptionError),
    /// The learning rate is wrong.
    #[error(transparent)]
    Rate(#[from] ScheduleError),
    /// Another setting is wrong.
    #[error("{0}")]
    Setting(String),
    /// The objective failed.
    #[error("at step {step} with {parameters}: {source}")]
    Objective {
        /// At which step.
        step: u64,
        /// Where.
        parameters: String,
        /// Its words.
        source: ObjectiveError,
    },
    /// Nothing depends on what is fitted, or no gradient flows to it.
    #[error(
        "the gradient by {names} was 0 in every one of {steps} steps, so nothing was fitted: what is compared does not depend \
         on the parameters, or no gradient flows to them. Start elsewhere, take data from which they can be told, another \
         loss or summary, the estimator `score-function`, or a search without gradients (`nelder-mead`)"
    )]
    NoGradient {
        /// How many steps were taken.
        steps: u64,
        /// What was fitted.
        names: String,
    },
    /// Every point that a search tried had the same loss.
    #[error(
        "every point tried in {rounds} rounds had the same loss, {loss}, so nothing was fitted: what is compared does not \
         depend on {names}. Take data from which they can be told, another loss or summary, or a larger `spread`"
    )]
    NoEffect {
        /// How many rounds were taken.
        rounds: u64,
        /// The loss.
        loss: f64,
        /// What was fitted.
        names: String,
    },
    /// The objective's gradient has the wrong length: a bug in the objective.
    #[error("the objective's gradient has {found} numbers, but θ has {wanted}")]
    GradientLength {
        /// Its length.
        found: usize,
        /// θ's.
        wanted: usize,
    },
    /// A checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}
