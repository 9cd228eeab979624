//! Sets up fits of a summary over time.
//!
//! For models of independent walkers (each site is one) `optimizer.replicates` and `data.simulate.runs` count walkers:
//! they are spread over 1, 2, 4 … lattices that run side by side, the same on every machine, whatever `model-options.walkers`
//! says: that is the lattice of a simulation, and of observed states, whose rollouts are as many as their lattices.

use std::sync::Arc;

use glauber_engine::Options;
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::Model;

use super::estimators::{estimator_of, own_estimator};
use super::identity::{Digests, identity_of};
use super::names::{compared, own_name};
use super::observed_curve::{Observed, observe};
use super::transition::wrong;
use super::{Attempt, Job, JobError, engine_options, own_model, pairs};
use crate::fit_file::{DataSource, FitFile, ModelSource, OptionValue};
use glauber_optimize::method::Method;
use glauber_tasks::losses::curve::{CURVE_LOSSES, CurveLoss};
use glauber_tasks::summaries::observation;
use glauber_tasks::tasks::trajectory::{Replication, Trajectory, TrajectoryError, rollouts};
use glauber_tasks::tasks::unknowns::Fitted;

/// The estimator where nobody says: exact for squared displacements, of second order else.
const USUAL_ESTIMATOR: &str = "reinmax";
/// Catalogue models whose sites are independent walkers, counted by their option `walkers`.
const OF_WALKERS: &[&str] = &["persistent-random-walk"];
/// Walkers per evaluation where nobody says, and rollouts of other models.
const USUAL_WALKERS: u64 = 1500;
const USUAL_REPLICATES: u64 = 100;
/// A lattice of walkers is halved while both halves keep as many.
const FEWEST_WALKERS: u64 = 256;
/// The most lattices that walkers are spread over.
const MOST_LATTICES: u64 = 16;
/// Walkers, or rollouts of other models, behind a drawn curve.
const DRAWN_WALKERS: u64 = 20_000;

pub(crate) fn prepare(file: &FitFile) -> Result<Job, JobError> {
    let single = own_model(&with_walkers(file, 1))?;
    let found = observe(file, &single)?;
    let setting = Setting::new(file, &found)?;
    let starts = file.starts();
    let own = own_estimator(file, USUAL_ESTIMATOR).to_string();
    let called = own_name(file, &own);
    let (compare, again) = compared(file, &own, &[])?;
    let mut attempts = Vec::new();
    for (number, start) in starts.iter().enumerate() {
        let start =
            setting.fitted.start(&single.model, &pairs(start)).map_err(|e| wrong(file, "start", &e))?;
        let name = if starts.len() == 1 { called.clone() } else { format!("{called}, start {}", number + 1) };
        attempts.push(setting.attempt(&own, name, start, false)?);
    }
    for other in &compare {
        let start = attempts[0].start.clone();
        attempts.push(setting.attempt(other, other.clone(), start, true)?);
    }
    let mut notes = found.notes.clone();
    notes.extend(again);
    if counts_walkers(file) && file.model_options.contains_key("walkers") {
        notes
            .push("replicates and runs count walkers: the model's own `walkers` do not multiply them".into());
    }
    notes.extend(setting.rollouts_note()?);
    notes.extend(attempts.iter().filter_map(|a| a.caveat.as_ref().map(|c| format!("{}: {c}", a.name))));
    let truth = match file.source()? {
        DataSource::Simulate(simulation) => simulation.parameters.clone(),
        _ => Default::default(),
    };
    let data_notes = [single.notes, found.data_notes.clone()].concat();
    Ok(Job {
        task: file.task,
        attempts,
        truth,
        notes,
        data_notes,
        model: single.model,
        state: None,
        judge: None,
    })
}

/// Whether the model's sites are walkers, which `replicates` counts; not those of observed lattices, which belong together.
fn counts_walkers(file: &FitFile) -> bool {
    matches!(&file.model, ModelSource::Catalogue(name) if OF_WALKERS.contains(&name.as_str()))
        && !matches!(file.data.source, Some(DataSource::States(_)))
}

/// The same fit file with so many walkers per lattice, where they are left to be counted.
fn with_walkers(file: &FitFile, walkers: u64) -> FitFile {
    let mut file = file.clone();
    if counts_walkers(&file) {
        file.model_options.insert("walkers".into(), OptionValue::Whole(walkers as i64));
        // The catalogue makes it anew, with so many.
        file.given.model = None;
        file.resolved = Arc::default();
    }
    file
}

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

/// What all attempts share.
struct Setting<'a> {
    file: &'a FitFile,
    found: &'a Observed,
    fitted: Fitted,
    loss: CurveLoss,
    options: Options,
    read: Digests,
}

impl<'a> Setting<'a> {
    fn new(file: &'a FitFile, found: &'a Observed) -> Result<Setting<'a>, JobError> {
        let own = own_model(&with_walkers(file, 1))?;
        let fitted = own.fitted(&pairs(&file.fixed)).map_err(|e| wrong(file, "fixed", &e))?;
        let mut read = Digests::of_model(file, &own).with_target(&found.target);
        if let Some(starts) = &found.starts {
            read = read.with_states("the states that rollouts start from", starts);
        }
        Ok(Setting { file, found, fitted, loss: loss_of(file)?, options: engine_options(file), read })
    }

    /// The model, and how many of its lattices hold the rollouts that were asked for. An estimator that weighs each
    /// replicate by its own loss needs walkers that are replicates of their own.
    fn model(&self, count: u64, one_by_one: bool) -> Result<(Model, usize), JobError> {
        let (lattices, walkers) = match counts_walkers(self.file) {
            true if one_by_one => (count, 1),
            true => spread(count),
            false => (count, 1),
        };
        Ok((own_model(&with_walkers(self.file, walkers))?.model, lattices as usize))
    }

    fn objective(
        &self,
        name: &str,
        key: &str,
        count: Option<u64>,
    ) -> Result<(Trajectory, Option<String>), JobError> {
        let file = self.file;
        let estimator = estimator_of(file, name, key)?;
        let (model, replicates) = self.model(self.count(count), estimator.needs_advantage())?;
        let choice = &self.found.choice;
        let by_gradient = file.optimizer.learning_rate.is_some();
        if by_gradient && !choice.is_differentiable(&model) && !estimator.needs_advantage() {
            let message = format!(
                "`{choice}` counts one of several numbers, through which no gradient flows: take the estimator \
                 `score-function`, or a search without gradients such as `optimizer.name = \"nelder-mead\"`"
            );
            return Err(file.wrong("loss.summary", message).into());
        }
        let summary = observation(choice, &model).map_err(|e| file.wrong("loss.summary", e.to_string()))?;
        let caveat = (name != USUAL_ESTIMATOR).then(|| estimator.bias().to_string());
        let replicates = rollouts(replicates, self.found.starts.as_ref());
        let replication = Replication { replicates, seed: file.run.seed };
        let (fitted, target, starts) =
            (self.fitted.clone(), self.found.target.clone(), self.found.starts.clone());
        let objective = Trajectory::new(
            &model,
            fitted,
            summary,
            target,
            self.loss,
            &*estimator,
            replication,
            starts,
            self.options,
        );
        Ok((objective.map_err(|e| self.wrong_target(e))?, caveat))
    }

    /// What a person should know of rollouts that are more than were asked for.
    fn rollouts_note(&self) -> Result<Option<String>, JobError> {
        let Some(states) = &self.found.starts else { return Ok(None) };
        let asked = self.count(None);
        let (_, replicates) = self.model(asked, false)?;
        let run = rollouts(replicates, Some(states));
        Ok((run != replicates).then(|| {
            format!(
                "{run} rollouts per gradient in place of {replicates}, {} from the first state of each of {} runs, so that \
                 every run counts alike",
                run / states.runs,
                states.runs
            )
        }))
    }

    /// The rollouts, or walkers, that are asked for.
    fn count(&self, count: Option<u64>) -> u64 {
        let usual = if counts_walkers(self.file) { USUAL_WALKERS } else { USUAL_REPLICATES };
        count.or(*self.file.optimizer.replicates).unwrap_or(usual)
    }

    fn wrong_target(&self, error: TrajectoryError) -> JobError {
        match error {
            TrajectoryError::Engine(error) => error.into(),
            TrajectoryError::Errors { .. } if *self.file.loss.weighted => {
                self.file.wrong("loss.weighted", error.to_string()).into()
            }
            TrajectoryError::Errors { .. } => self.file.wrong("loss.name", error.to_string()).into(),
            other => self.file.wrong("data", other.to_string()).into(),
        }
    }

    fn attempt(
        &self,
        estimator: &str,
        name: String,
        start: Vec<f64>,
        comparison: bool,
    ) -> Result<Attempt, JobError> {
        let key = if comparison { "estimator.compare" } else { "estimator.name" };
        let (objective, caveat) = self.objective(estimator, key, None)?;
        let method = self.file.method(&self.fitted.unknowns)?;
        let caveat = caveat.filter(|_| matches!(method, Method::Descent(_)));
        let identity = identity_of(self.file, &name, &self.read);
        Ok(Attempt { name, comparison, caveat, objective: Box::new(objective), method, start, identity })
    }
}

fn loss_of(file: &FitFile) -> Result<CurveLoss, JobError> {
    let name = file.loss.name.as_deref().unwrap_or(CURVE_LOSSES[0].name);
    let loss = CurveLoss::named(name).map_err(|nearest| {
        let hint = match nearest {
            Some(n) => format!(": did you mean `{n}`?"),
            None => {
                format!("; there are {}", CURVE_LOSSES.iter().map(|l| l.name).collect::<Vec<_>>().join(", "))
            }
        };
        file.wrong("loss.name", format!("the task `trajectory` has no loss called `{name}`{hint}"))
    })?;
    Ok(if *file.loss.weighted { loss.weighted() } else { loss })
}

/// A summary over time of the data and of simulations, in the data's units, to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// What the summary is.
    pub summary: String,
    /// The names of its numbers.
    pub outputs: Vec<String>,
    /// The times.
    pub times: Vec<f64>,
    /// Their unit; none where they are steps.
    pub time_unit: Option<String>,
    /// The unit of the values; none where they are the lattice's own.
    pub unit: Option<String>,
    /// The data: \[number\]\[time\].
    pub data: Vec<Vec<f64>>,
    /// Their standard errors, where known.
    pub errors: Option<Vec<Vec<f64>>>,
    /// The simulations, in the order they were asked for: \[simulation\]\[number\]\[time\].
    pub simulated: Vec<Vec<Vec<f64>>>,
}

/// The summary over time of a trajectory fit's data, and of simulations at each θ of `thetas`.
///
/// # Errors
/// [`JobError`] as in [`prepare`](super::prepare).
pub fn trajectory_curves(file: &FitFile, thetas: &[&[f64]]) -> Result<Curves, JobError> {
    let found = observe(file, &own_model(&with_walkers(file, 1))?)?;
    let setting = Setting::new(file, &found)?;
    let usual = if counts_walkers(file) { DRAWN_WALKERS } else { USUAL_REPLICATES };
    let (objective, _) = setting.objective(USUAL_ESTIMATOR, "estimator.name", Some(usual))?;
    let (width, scale) = (found.target.outputs.len(), &found.scale);
    let seed = derive_seed(file.run.seed, Purpose::Curves, 0);
    let by_number = |flat: &[f64]| -> Vec<Vec<f64>> {
        (0..width).map(|k| flat[k..].iter().step_by(width).map(|x| x * scale.number).collect()).collect()
    };
    let simulate = |theta: &&[f64]| {
        let outputs = objective.simulated(theta, setting.model(usual, false)?.1, seed)?;
        Ok(by_number(&outputs.mean()))
    };
    let simulated: Result<Vec<_>, JobError> = thetas.iter().map(simulate).collect();
    Ok(Curves {
        summary: found.choice.to_string(),
        outputs: found.target.outputs.clone(),
        times: found.target.steps.iter().map(|s| *s as f64 * scale.time).collect(),
        time_unit: scale.time_unit.clone(),
        unit: scale.number_unit.clone(),
        data: by_number(&found.target.values),
        errors: found.target.errors.as_deref().map(by_number),
        simulated: simulated?,
    })
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
