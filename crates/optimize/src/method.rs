//! Runs whichever a fit chose: a descent by gradients, or a search without.

use std::collections::BTreeMap;

use crate::descent::{Control, Descent, FitError};
use crate::fit_result::FitResult;
use crate::gradient_free::GradientFree;
use crate::maps::Map;
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

    /// Whether it follows gradients.
    pub fn is_by_gradient(&self) -> bool {
        matches!(self, Method::Descent(_))
    }

    /// The interval maps, by unknown, where not the usual ones.
    pub fn maps(&mut self) -> &mut BTreeMap<String, Map> {
        match self {
            Method::Descent(descent) => &mut descent.maps,
            Method::Search(search) => &mut search.maps,
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
