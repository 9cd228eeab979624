//! Fits parameters so that a summary over time of simulated rollouts follows that of the data.
//!
//! Each evaluation runs R replicates from their start, takes the summary at the data's steps, averages it over the
//! replicates and compares the means with the data by a [`CurveLoss`]; the gradient goes back through all steps, each
//! draw's by the estimator. The noise of an evaluation is a function of (seed, iteration) alone.
//!
//! Rollouts that begin at the first states of observed runs begin as often at each: their number is rounded up to a
//! multiple of the runs. The curve that they are compared with is the mean of all runs, each counted once.
//!
//! The slopes of the loss are taken at the means of R other rollouts. With those of the same rollouts the mean gradient
//! would be that of (E m − t)² + Var m, which draws a fit towards parameters of small variance. With independent
//! rollouts the gradient of a squared error is that of (E m − t)².
//!
//! Which estimator: `reinmax` is exact where a summary is at most quadratic in each draw, as a squared displacement
//! is. Straight-through is not: for the persistent random walk its derivative by p_center is 0 on average.

use std::sync::Arc;

use glauber_engine::{EngineError, LossValue, Observation, Options, Outputs, Plan, Run};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::{Estimator, Model};

use crate::losses::curve::CurveLoss;
use crate::states::States;
use crate::tasks::transition::failed;
use crate::tasks::unknowns::Fitted;
use crate::tasks::way_back;
use glauber_optimize::information::Information;
use glauber_optimize::objective::{Evaluation, Objective, ObjectiveError, Unknown};

/// A summary of the data over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The steps of the process at which it is known, ascending; 0 is its start.
    pub steps: Vec<usize>,
    /// The names of the summary's numbers.
    pub outputs: Vec<String>,
    /// \[step\]\[number\], flattened.
    pub values: Vec<f64>,
    /// The standard error of every value, where known.
    pub errors: Option<Vec<f64>>,
}

/// Why a trajectory task could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TrajectoryError {
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Data without values, or of another shape than the summary.
    #[error("the data hold {found} values, but {wanted} are needed: {steps} steps of {outputs} numbers each")]
    Shape {
        /// How many values there are.
        found: usize,
        /// How many there must be.
        wanted: usize,
        /// At how many steps.
        steps: usize,
        /// Numbers per step.
        outputs: usize,
    },
    /// A value that is not a number, or not above 0 for a loss of logarithms.
    #[error("the data's value after step {step} is {value}: {remedy}")]
    Value {
        /// After which step.
        step: usize,
        /// What was found.
        value: f64,
        /// What to do.
        remedy: &'static str,
    },
    /// Weights without errors, or an error of 0.
    #[error(
        "the loss `{loss}` divides by the data's standard errors, but {why}, or take `squared-error` (without `loss.weighted`)"
    )]
    Errors {
        /// The loss.
        loss: &'static str,
        /// What is missing, and where it would come from.
        why: String,
    },
}

/// How many rollouts an evaluation has, and from which noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replication {
    /// Rollouts per evaluation.
    pub replicates: usize,
    /// The seed of all noise.
    pub seed: u64,
}

/// What is known of an estimate by a loss from the data's own uncertainty.
#[derive(Clone, Debug, PartialEq)]
pub struct Sandwich {
    /// The error of each number of θ.
    pub errors: Vec<f64>,
    /// How many errors the estimate lies from where the loss, by simulated slopes, is least.
    pub distance: f64,
    /// The way there.
    pub step: Vec<f64>,
}

/// How uncertain the data of a curve are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Uncertainty<'a> {
    /// They are the mean of so many runs, whose covariance simulations give.
    Runs(usize),
    /// Their covariance is known: \[value\]\[value\], flattened.
    Known(&'a [f64]),
}

/// The objective: rollouts, a summary over time, a loss.
pub struct Trajectory {
    fitted: Fitted,
    plan: Plan,
    target: Target,
    loss: CurveLoss,
    replication: Replication,
    starts: Option<States>,
    /// Why the last run that could not go on did not, as where its agents died out.
    ended: Option<String>,
}

impl Trajectory {
    /// An objective that compares `summary` at the target's steps. Rollouts begin as the model says, or, with
    /// `starts`, at the first states of observed runs, as often at each.
    ///
    /// # Errors
    /// [`TrajectoryError`] where the target does not fit the summary or the loss.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        model: &Model,
        fitted: Fitted,
        summary: Observation,
        target: Target,
        loss: CurveLoss,
        estimator: &dyn Estimator,
        replication: Replication,
        starts: Option<States>,
        options: Options,
    ) -> Result<Trajectory, TrajectoryError> {
        check(&target, &loss, summary.outputs().len())?;
        let plan = Plan::new(model, &[summary], way_back(model, estimator), options)?;
        Ok(Trajectory { fitted, plan, target, loss, replication, starts, ended: None })
    }

    /// What is to be known of its gradients.
    pub fn notes(&self) -> &[String] {
        self.plan.notes()
    }

    /// What is fitted to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    fn run<'a>(&self, parameters: &'a [f64], replicates: usize, seed: u64) -> Run<'a> {
        let run = self.fitted.run(parameters, 0).replicates(replicates).seed(seed);
        rollout(run, &self.target.steps, self.starts.as_ref())
    }

    /// The summary of simulated rollouts at θ, at the target's steps: values of `replicates` rollouts, or as many more as
    /// make them as many from each observed run.
    ///
    /// # Errors
    /// [`EngineError`] as in [`Plan::simulate`].
    pub fn simulated(&self, theta: &[f64], replicates: usize, seed: u64) -> Result<Outputs, EngineError> {
        let parameters = self.fitted.parameters(theta);
        self.plan.outputs(&self.run(&parameters, replicates, seed))
    }

    /// What the uncertainty of the data t does to an estimate θ̂ of this loss L(m(θ), t): Var θ̂ = H⁻¹ B Σ Bᵀ H⁻¹ with
    /// H = Jᵀ L_mm J, B = Jᵀ L_mt, J = ∂m/∂θ by common noise, from `replicates` simulations at θ̂. Σ is the data's covariance: as
    /// it is known, or that of a run (about the mean of its start) over the number of runs. Nothing where H is singular.
    ///
    /// Reference: Huber 1967, Proc. 5th Berkeley Symp. 1, 221; Gouriéroux, Monfort & Renault 1993, J. Appl. Econometrics 8, 85.
    ///
    /// # Errors
    /// [`EngineError`] as in [`Plan::simulate`].
    pub fn sandwich(
        &self,
        theta: &[f64],
        data: Uncertainty<'_>,
        replicates: usize,
        seed: u64,
    ) -> Result<Option<Sandwich>, EngineError> {
        let seed = derive_seed(seed, Purpose::Sandwich, 0);
        let here = self.simulated(theta, replicates, seed)?;
        let (means, width, n) = (here.mean(), here.width, theta.len());
        let mut jacobian = vec![vec![0.0; width]; n];
        for (i, column) in jacobian.iter_mut().enumerate() {
            let interval = self.fitted.unknowns[i].interval;
            let size = theta[i].abs().max(1e-3 * (interval.highest - interval.lowest).min(1.0));
            let side = |sign: f64| {
                let mut moved = theta.to_vec();
                moved[i] = (theta[i] + sign * 0.05 * size).clamp(interval.lowest, interval.highest);
                Ok::<_, EngineError>((moved[i], self.simulated(&moved, replicates, seed)?.mean()))
            };
            let ((high, above), (low, below)) = (side(1.0)?, side(-1.0)?);
            if high <= low {
                return Ok(None);
            }
            column
                .iter_mut()
                .zip(above.iter().zip(&below))
                .for_each(|(j, (a, b))| *j = (a - b) / (high - low));
        }
        let (target, errors) = (&self.target.values, self.target.errors.as_deref());
        let near = |x: &[f64], sign: f64| -> Vec<f64> {
            x.iter().map(|x| x + sign * 1e-5 * x.abs().max(1e-8)).collect()
        };
        let difference = |above: Vec<f64>, below: Vec<f64>, x: &[f64]| -> Vec<f64> {
            let wide = x.iter().map(|x| 2e-5 * x.abs().max(1e-8));
            above.iter().zip(&below).zip(wide).map(|((a, b), wide)| (a - b) / wide).collect()
        };
        let slope = |m: &[f64], t: &[f64]| self.loss.of(m, t, errors).1;
        let by_means =
            difference(slope(&near(&means, 1.0), target), slope(&near(&means, -1.0), target), &means);
        let by_data =
            difference(slope(&means, &near(target, 1.0)), slope(&means, &near(target, -1.0)), target);
        let meat = match data {
            Uncertainty::Known(covariance) => {
                let own: Vec<Vec<f64>> =
                    jacobian.iter().map(|j| j.iter().zip(&by_data).map(|(a, b)| a * b).collect()).collect();
                let of = |i: usize, k: usize| -> f64 {
                    let row =
                        |w: usize| (0..width).map(|v| covariance[w * width + v] * own[k][v]).sum::<f64>();
                    (0..width).map(|w| own[i][w] * row(w)).sum()
                };
                (0..n * n).map(|place| of(place / n, place % n)).collect()
            }
            Uncertainty::Runs(runs) => self.meat(&here, &jacobian, &by_data, runs),
        };
        let mut bread = vec![0.0; n * n];
        for i in 0..n {
            for k in 0..n {
                bread[i * n + k] = (0..width).map(|w| jacobian[i][w] * by_means[w] * jacobian[k][w]).sum();
            }
        }
        let information = Information::of(&bread, n);
        if !information.is_positive(n) {
            return Ok(None);
        }
        let inverse = information.inverse(n);
        let times = |a: &[f64], b: &[f64]| -> Vec<f64> {
            let one = |i: usize, k: usize| (0..n).map(|j| a[i * n + j] * b[j * n + k]).sum();
            (0..n * n).map(|place| one(place / n, place % n)).collect()
        };
        let variance = times(&times(&inverse, &meat), &inverse);
        let slopes = slope(&means, target);
        let gradient: Vec<f64> =
            jacobian.iter().map(|j| j.iter().zip(&slopes).map(|(a, b)| a * b).sum()).collect();
        let step: Vec<f64> =
            (0..n).map(|i| -(0..n).map(|k| inverse[i * n + k] * gradient[k]).sum::<f64>()).collect();
        let spread = Information::of(&variance, n);
        let distance = match spread.is_positive(n) {
            true => spread.decrement(&step, 1e-9).sqrt(),
            false => f64::INFINITY,
        };
        let errors = (0..n).map(|i| variance[i * n + i].max(0.0).sqrt()).collect();
        Ok(Some(Sandwich { errors, distance, step }))
    }

    /// B Σ Bᵀ, with Σ the covariance of simulated runs over `runs`.
    fn meat(&self, here: &Outputs, jacobian: &[Vec<f64>], by_data: &[f64], runs: usize) -> Vec<f64> {
        let (width, n) = (here.width, jacobian.len());
        // Each run about the mean of those that began alike: how runs begin is not what is uncertain.
        let groups = self.starts.as_ref().map_or(1, |states| states.runs.max(1));
        let mut centres = vec![vec![0.0; width]; groups];
        let members = |g: usize| (here.replicates() - g).div_ceil(groups) as f64;
        for r in 0..here.replicates() {
            centres[r % groups]
                .iter_mut()
                .zip(here.replicate(r))
                .for_each(|(c, x)| *c += x / members(r % groups));
        }
        let freedom = (here.replicates() - groups).max(1) as f64 * runs as f64;
        let mut meat = vec![0.0; n * n];
        for r in 0..here.replicates() {
            let off = here.replicate(r).iter().zip(&centres[r % groups]).zip(by_data);
            let off: Vec<f64> = off.map(|((x, c), l)| (x - c) * l).collect();
            let own: Vec<f64> =
                jacobian.iter().map(|j| j.iter().zip(&off).map(|(a, b)| a * b).sum()).collect();
            for i in 0..n {
                (0..n).for_each(|k| meat[i * n + k] += own[i] * own[k] / freedom);
            }
        }
        meat
    }

    fn of(&self, means: &[f64]) -> (f64, Vec<f64>) {
        self.loss.of(means, &self.target.values, self.target.errors.as_deref())
    }
}

/// How many rollouts are run where `wanted` are asked for: as many from each observed run.
pub fn rollouts(wanted: usize, starts: Option<&States>) -> usize {
    starts.map_or(wanted, |states| wanted.next_multiple_of(states.runs.max(1)))
}

/// The same run up to the last of `steps`, with the plan's first observation at each of them, from the first states of
/// observed runs, as often from each.
pub fn rollout<'a>(mut run: Run<'a>, steps: &[usize], starts: Option<&States>) -> Run<'a> {
    let begin = starts.and_then(|states| states.steps.first()).map_or(0, |step| *step as usize);
    let after = |step: usize| step.saturating_sub(begin);
    run.steps = steps.last().map_or(0, |last| after(*last));
    run.events = steps.iter().map(|step| (after(*step), 0)).collect();
    run.replicates = rollouts(run.replicates, starts);
    match starts {
        None => run,
        Some(states) => {
            let firsts = (0..run.replicates).map(|r| ((r % states.runs) * states.times) as u32).collect();
            run.start(states.pick(&Arc::new(firsts))).first_step(begin as u32)
        }
    }
}

impl Objective for Trajectory {
    fn unknowns(&self) -> &[Unknown] {
        &self.fitted.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let parameters = self.fitted.parameters(theta);
        let Replication { replicates, seed } = self.replication;
        let others = self
            .simulated(theta, replicates, derive_seed(seed, Purpose::TrajectorySlopes, iteration))
            .map_err(failed)?;
        let slopes = self.of(&others.mean()).1;
        let run = self.run(&parameters, replicates, derive_seed(seed, Purpose::Trajectory, iteration));
        let loss = |means: &[f64]| LossValue { value: self.of(means).0, slopes: slopes.clone() };
        let gradient = self.plan.gradient(&run, &loss);
        let gradient = gradient.map_err(failed)?;
        Ok(Evaluation { value: gradient.value, gradient: self.fitted.gradient(&gradient.parameters) })
    }

    fn value(&mut self, theta: &[f64], iteration: u64) -> Result<f64, ObjectiveError> {
        let Replication { replicates, seed } = self.replication;
        match self.simulated(theta, replicates, derive_seed(seed, Purpose::Trajectory, iteration)) {
            Ok(outputs) => Ok(self.of(&outputs.mean()).0),
            // Without agents there is no summary: these parameters are worse than all that have one.
            Err(error @ EngineError::Event { .. }) => {
                self.ended = Some(error.to_string());
                Ok(f64::INFINITY)
            }
            Err(other) => Err(failed(other)),
        }
    }

    fn why_infinite(&mut self, _: &[f64]) -> Option<String> {
        self.ended.clone()
    }
}

fn check(target: &Target, loss: &CurveLoss, outputs: usize) -> Result<(), TrajectoryError> {
    let (steps, found) = (target.steps.len(), target.values.len());
    let wanted = steps * outputs;
    let lengths = target.errors.as_ref().map_or(found, Vec::len);
    if found != wanted || lengths != wanted || wanted == 0 {
        return Err(TrajectoryError::Shape { found: found.min(lengths), wanted, steps, outputs });
    }
    for (place, value) in target.values.iter().enumerate() {
        let remedy = if !value.is_finite() {
            "give a finite number"
        } else if loss.needs_positive && *value <= 0.0 {
            "its logarithm does not exist; leave that step out with `loss.at`, or take `squared-error`"
        } else {
            continue;
        };
        return Err(TrajectoryError::Value { step: target.steps[place / outputs], value: *value, remedy });
    }
    if !loss.needs_errors {
        return Ok(());
    }
    let errors = |why: String| Err(TrajectoryError::Errors { loss: loss.name, why });
    let Some(own) = &target.errors else {
        return errors(
            "the data have none: those of states and of simulated data are found from several runs, of which two or more \
             are needed, those of tracks by `data.bootstrap`; give them in a column of a curve"
                .into(),
        );
    };
    match own.iter().position(|s| !(s.is_finite() && *s > 0.0)) {
        Some(place) => {
            let step = target.steps[place / outputs];
            let alike =
                if own[place] == 0.0 { " (all runs are alike there, or the curve says so)" } else { "" };
            errors(format!(
                "that after step {step} is {}{alike}: leave that step out with `loss.at`",
                own[place]
            ))
        }
        None => Ok(()),
    }
}
