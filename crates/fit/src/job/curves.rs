//! Simulates a trajectory problem's summary over time at any θ, beside that of the data.

use glauber_numbers::noise::{Purpose, derive_seed};

use super::trajectory::{Setup, USUAL_ESTIMATOR, USUAL_REPLICATES};
use crate::error::JobError;
use crate::outcome::Curves;
use crate::problem::{Observations, Problem};

/// Walkers behind a drawn curve.
const DRAWN_WALKERS: u64 = 20_000;

impl Problem {
    /// The summary over time of the data, and of simulations at each θ of `thetas`; nothing where no summary is compared.
    ///
    /// # Errors
    /// [`JobError`] where a simulation fails.
    pub fn curves(&self, thetas: &[&[f64]]) -> Result<Option<Curves>, JobError> {
        let Observations::Trajectory { observed, loss } = &self.data else { return Ok(None) };
        let setup = Setup { problem: self, observed, loss };
        let usual = if self.walkers.is_some() { DRAWN_WALKERS } else { USUAL_REPLICATES };
        let (objective, _) = setup.objective(USUAL_ESTIMATOR, false, usual)?;
        let (width, scale) = (observed.target.outputs.len(), &observed.scale);
        let seed = derive_seed(self.file.run.seed, Purpose::Curves, 0);
        let by_number = |flat: &[f64]| -> Vec<Vec<f64>> {
            (0..width).map(|k| flat[k..].iter().step_by(width).map(|x| x * scale.number).collect()).collect()
        };
        let simulate = |theta: &&[f64]| {
            let outputs = objective.simulated(theta, setup.model(usual, false)?.1, seed)?;
            Ok(by_number(&outputs.mean()))
        };
        let simulated: Result<Vec<_>, JobError> = thetas.iter().map(simulate).collect();
        Ok(Some(Curves {
            summary: observed.choice.to_string(),
            outputs: observed.target.outputs.clone(),
            times: observed.target.steps.iter().map(|s| *s as f64 * scale.time).collect(),
            time_unit: scale.time_unit.clone(),
            unit: scale.number_unit.clone(),
            data: by_number(&observed.target.values),
            errors: observed.target.errors.as_deref().map(by_number),
            simulated: simulated?,
        }))
    }
}
