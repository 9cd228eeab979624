//! Sets up fits of a summary over time.
//!
//! For models of independent walkers (each site is one) `optimizer.replicates` and `data.simulate.runs` count walkers:
//! they are spread over 1, 2, 4 … lattices that run side by side, the same on every machine, whatever `model-options.walkers`
//! says: that is the lattice of a simulation, and of observed states, whose rollouts are as many as their lattices.

use glauber_program::estimators::Differences;
use glauber_program::{Estimator, Model};

use super::watch::{self, Watch};
use super::{Attempts, Made};
use crate::error::JobError;
use crate::problem::{ObservedCurve, Problem};
use glauber_tasks::losses::curve::CurveLoss;
use glauber_tasks::summaries::observation;
use glauber_tasks::tasks::trajectory::{Replication, Trajectory, TrajectoryError, rollouts};

/// The estimator of an objective whose gradient nobody asks for.
pub(super) const USUAL_ESTIMATOR: &str = "reinmax";
/// Walkers per evaluation where nobody says, and rollouts of other models.
const USUAL_WALKERS: u64 = 1500;
pub(super) const USUAL_REPLICATES: u64 = 100;
/// A lattice of walkers is halved while both halves keep as many.
const FEWEST_WALKERS: u64 = 256;
/// The most lattices that walkers are spread over.
const MOST_LATTICES: u64 = 16;

/// How `count` walkers are spread: lattices, and walkers on each.
fn spread(count: u64) -> (u64, u64) {
    let mut lattices = 1;
    while lattices < MOST_LATTICES
        && count.is_multiple_of(2 * lattices)
        && count / (2 * lattices) >= FEWEST_WALKERS
    {
        lattices *= 2;
    }
    (lattices, count / lattices)
}

/// What all fits share.
pub(super) struct Setup<'a> {
    pub(super) problem: &'a Problem,
    pub(super) observed: &'a ObservedCurve,
    pub(super) loss: &'a CurveLoss,
}

impl Setup<'_> {
    /// The model, and how many of its lattices hold the rollouts that were asked for. An estimator that weighs each
    /// replicate by its own loss, and not each site, needs walkers that are replicates of their own.
    pub(super) fn model(&self, count: u64, one_by_one: bool) -> Result<(Model, usize), JobError> {
        let (lattices, walkers) = match self.problem.walkers.is_some() {
            true if one_by_one => (count, 1),
            true => spread(count),
            false => (count, 1),
        };
        Ok((self.problem.with_walkers(walkers)?, lattices as usize))
    }

    /// The objective by an estimator, with so many rollouts (or walkers).
    pub(super) fn objective(
        &self,
        name: &str,
        comparison: bool,
        count: u64,
    ) -> Result<(Trajectory, Option<String>), JobError> {
        let Problem { file, options, .. } = self.problem;
        let estimator = self.problem.estimator_named(name, comparison)?;
        let (model, replicates) =
            self.model(count, estimator.needs_advantage() && estimator.light_cone().is_none())?;
        let ObservedCurve { choice, target, starts, .. } = self.observed;
        let by_gradient = file.optimizer.learning_rate.is_some();
        let needs_slopes = !estimator.needs_advantage() && !estimator.by_differences();
        if by_gradient && !choice.is_differentiable(&model) && needs_slopes {
            let message = format!(
                "`{choice}` counts one of several numbers, through which no gradient flows: take the estimator \
                 `score-function`, or a search without gradients such as `optimizer.name = \"nelder-mead\"`"
            );
            return Err(file.wrong("loss.summary", message).into());
        }
        let summary = observation(choice, &model).map_err(|e| file.wrong("loss.summary", e.to_string()))?;
        let cut_off = estimator.light_cone().is_some_and(|cone| cone.radius.is_some());
        let silent = name == self.problem.usual_estimator && !cut_off;
        let caveat = (!silent).then(|| estimator.bias().to_string());
        let replicates = rollouts(replicates, starts.as_ref());
        let replication = Replication { replicates, seed: file.run.seed };
        let objective = Trajectory::new(
            &model,
            super::parameters(self.problem)?.clone(),
            summary,
            target.clone(),
            *self.loss,
            &*estimator,
            replication,
            starts.clone(),
            *options,
        );
        let objective = objective.map_err(|e| self.wrong_target(e))?;
        let told: Vec<String> = caveat.into_iter().chain(objective.notes().iter().cloned()).collect();
        let caveat = (!told.is_empty()).then(|| told.join("; "));
        Ok((objective, caveat))
    }

    /// What a person should know of the walkers, and of rollouts that are more than were asked for.
    pub(super) fn notes(&self) -> Result<Vec<String>, JobError> {
        let mut notes = Vec::new();
        if self.problem.walkers.is_some_and(|option| self.problem.file.model_options.contains_key(option)) {
            notes.push(
                "replicates and runs count walkers: the model's own `walkers` do not multiply them".into(),
            );
        }
        let Some(states) = &self.observed.starts else { return Ok(notes) };
        let (_, replicates) = self.model(self.count(), false)?;
        let run = rollouts(replicates, Some(states));
        if run != replicates {
            notes.push(format!(
                "{run} rollouts per gradient in place of {replicates}, {} from the first state of each of {} runs, so that \
                 every run counts alike",
                run / states.runs,
                states.runs
            ));
        }
        Ok(notes)
    }

    /// The rollouts, or walkers, that are asked for.
    fn count(&self) -> u64 {
        let usual = if self.problem.walkers.is_some() { USUAL_WALKERS } else { USUAL_REPLICATES };
        self.problem.file.optimizer.replicates.unwrap_or(usual)
    }

    fn wrong_target(&self, error: TrajectoryError) -> JobError {
        let file = &self.problem.file;
        match error {
            TrajectoryError::Engine(error) => error.into(),
            TrajectoryError::Errors { .. } if *file.loss.weighted => {
                file.wrong("loss.weighted", error.to_string()).into()
            }
            TrajectoryError::Errors { .. } => file.wrong("loss.name", error.to_string()).into(),
            other => file.wrong("data", other.to_string()).into(),
        }
    }
}

impl Attempts for Setup<'_> {
    fn made_by(&self, name: &str, start: &[f64], comparison: bool) -> Result<Made, JobError> {
        let (objective, caveat) = self.objective(name, comparison, self.count())?;
        let method = self.problem.method(&super::parameters(self.problem)?.unknowns, None)?;
        let estimator = self.problem.estimator_named(name, comparison)?;
        let first = watch::words_of_cones(&*estimator, objective.notes());
        let [caveat, first] = [caveat, first].map(|words| words.filter(|_| method.is_by_gradient()));
        Ok(Made { objective: Box::new(objective), method, start: start.to_vec(), caveat, first })
    }

    fn watch(&self, name: &str, comparison: bool) -> Result<Option<Watch>, JobError> {
        if !watch::is_watched(name) || self.problem.file.optimizer.learning_rate.is_none() {
            return Ok(None);
        }
        let walkers = self.problem.walkers.is_some();
        let few = if walkers { self.count() } else { self.count().min(watch::ROLLOUTS) };
        let (own, _) = self.objective(name, comparison, few)?;
        let (reference, _) = self.objective(Differences.name(), true, few)?;
        let steps = self.observed.target.steps.last().copied().unwrap_or(0);
        Ok(Some(Watch::new((Box::new(own), name), Box::new(reference), steps)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walkers_are_spread_evenly() {
        for (count, wanted) in
            [(1, (1, 1)), (1500, (4, 375)), (1501, (1, 1501)), (15_000, (8, 1875)), (20_000, (16, 1250))]
        {
            assert_eq!(spread(count), wanted);
        }
    }
}
