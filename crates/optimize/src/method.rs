//! Runs whichever a fit chose: a descent by gradients, or a search without.

use crate::descent::{Control, Descent, FitError};
use crate::fit_result::FitResult;
use crate::gradient_free::GradientFree;
use crate::objective::Objective;

/// How a loss is brought down.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// By gradients.
    Descent(Descent),
    /// By values alone.
    Search(GradientFree),
}

impl Method {
    /// Runs it from a start.
    ///
    /// # Errors
    /// As [`Descent::run`] and [`GradientFree::run`].
    pub fn run(
        &self,
        objective: &mut dyn Objective,
        start: &[f64],
        control: Control<'_>,
    ) -> Result<FitResult, FitError> {
        match self {
            Method::Descent(descent) => descent.run(objective, start, control),
            Method::Search(search) => search.run(objective, start, control),
        }
    }

    /// The most steps.
    pub fn steps(&self) -> u64 {
        match self {
            Method::Descent(descent) => descent.stopping.steps,
            Method::Search(search) => search.stopping.steps,
        }
    }
}
