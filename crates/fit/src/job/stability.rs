//! Sets up fits that keep a pattern as it is.
//!
//! All fitted parameters are clamped to their intervals, as in the paper, where the fit file does not say otherwise.

use super::{Attempts, Made};
use crate::error::JobError;
use crate::problem::Problem;
use glauber_optimize::maps::Map;
use glauber_tasks::losses::stability::StabilityLoss;
use glauber_tasks::states::States;
use glauber_tasks::tasks::stability::{Rollouts, Stability, StabilityError};

const USUAL_ESTIMATOR: &str = "straight-through";

/// What all fits share.
pub(super) struct Setup<'a> {
    pub(super) problem: &'a Problem,
    pub(super) patterns: &'a States,
    pub(super) loss: &'a StabilityLoss,
    pub(super) rollouts: Rollouts,
}

impl Attempts for Setup<'_> {
    fn made_by(&self, name: &str, start: &[f64], comparison: bool) -> Result<Made, JobError> {
        let Problem { file, model, options, .. } = self.problem;
        let estimator = self.problem.estimator_named(name, comparison)?;
        let (fitted, patterns) = (super::parameters(self.problem)?, self.patterns.clone());
        let (loss, rollouts) = (*self.loss, self.rollouts);
        let objective =
            Stability::new(model, fitted.clone(), patterns, loss, &*estimator, rollouts, *options);
        let objective = objective.map_err(|error| match error {
            StabilityError::Model(error) => JobError::from(error),
            StabilityError::Engine(error) => error.into(),
            StabilityError::Nothing { .. } => file.wrong("data.steps", error.to_string()).into(),
            StabilityError::Shape { .. } => file.wrong("data", error.to_string()).into(),
        })?;
        let caveat = (estimator.name() != USUAL_ESTIMATOR).then(|| estimator.bias().to_string());
        let method = self.problem.method(&fitted.unknowns, Some(Map::Clamp))?;
        let caveat = caveat.filter(|_| method.is_by_gradient());
        Ok(Made { objective: Box::new(objective), method, start: start.to_vec(), caveat, first: None })
    }
}
