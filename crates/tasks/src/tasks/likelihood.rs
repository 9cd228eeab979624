//! Fits parameters to observed pairs of states by the exact likelihood of each step.
//!
//! Loss: −ln L / number of pairs, with ln L the sum over pairs and sites of the log-probability of the observed next
//! value given the state before, derived from the model's own step ([`glauber_program::log_likelihood`]). Double
//! precision throughout; no noise. The law of several steps is not known, so pairs of states further apart than one step
//! are left out, and where there are no others there is no likelihood. Standard errors come from the observed information, the second derivatives of
//! −ln L, taken as central differences of its exact gradient.

use std::sync::Arc;

use glauber_engine::{EngineError, LossValue, Observation, Options, Plan, Precision};
use glauber_program::estimators::StraightThrough;
use glauber_program::{Model, ModelError, log_likelihood};

use crate::tasks::transition::{CHUNK, Pairs, failed};
use crate::tasks::unknowns::Fitted;
use glauber_optimize::objective::{Evaluation, Information, Objective, ObjectiveError, Unknown};

/// Why a likelihood could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LikelihoodError {
    /// The model has none.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Pairs of which no likelihood is known.
    #[error(
        "the exact likelihood is known for states one step apart, but these are {spacing} apart: give every step's state, \
         or take a loss that simulates the steps between, such as `loss.name = \"pixel\"`"
    )]
    Spacing {
        /// How far apart they are, in words.
        spacing: String,
    },
}

/// The objective: the exact likelihood of all pairs.
pub struct Likelihood {
    fitted: Fitted,
    pairs: Pairs,
    plan: Plan,
}

impl Likelihood {
    /// The likelihood of those of `pairs` that are one step apart under a model.
    ///
    /// # Errors
    /// [`ModelError::NoLikelihood`] where the model has none; [`LikelihoodError::Spacing`] where no pair is one step apart.
    pub fn new(
        model: &Model,
        fitted: Fitted,
        pairs: Pairs,
        options: Options,
    ) -> Result<Likelihood, LikelihoodError> {
        let program = log_likelihood(&model.step)?;
        let pairs = match pairs.one_step_apart() {
            none if none.before.is_empty() => {
                return Err(LikelihoodError::Spacing { spacing: pairs.states.spacing() });
            }
            some => some,
        };
        let options = Options { precision: Precision::Double, ..options };
        // A likelihood draws nothing, so the estimator has no say.
        let plan = Plan::new(model, &[Observation::Program(program)], Some(&StraightThrough), options)?;
        Ok(Likelihood { fitted, pairs, plan })
    }

    /// −ln L of all pairs and its gradient by θ.
    fn total(&self, theta: &[f64]) -> Result<Evaluation, ObjectiveError> {
        let parameters = self.fitted.parameters(theta);
        let mut sum = Evaluation { value: 0.0, gradient: vec![0.0; theta.len()] };
        for before in self.pairs.before.chunks(CHUNK) {
            let after: Vec<u32> = before.iter().map(|s| s + 1).collect();
            let states = &self.pairs.states;
            let mut run = self
                .fitted
                .run(&parameters, 0)
                .replicates(before.len())
                .start(states.pick(&Arc::new(before.to_vec())))
                .first_steps(states.steps_of(before))
                .observe(0, 0);
            run.targets = Some(states.pick(&Arc::new(after)));
            let n = before.len() as f64;
            let part = self.plan.gradient(&run, &|m| LossValue { value: -n * m[0], slopes: vec![-n] });
            let part = part.map_err(failed)?;
            self.check(&part.outputs.values, before, theta)?;
            sum.value += part.value;
            let own = self.fitted.gradient(&part.parameters);
            sum.gradient.iter_mut().zip(own).for_each(|(s, g)| *s += g);
        }
        Ok(sum)
    }

    /// Finds a pair that the model says cannot happen.
    fn check(&self, values: &[f64], before: &[u32], theta: &[f64]) -> Result<(), ObjectiveError> {
        let Some(place) = values.iter().position(|v| !v.is_finite()) else { return Ok(()) };
        let states = &self.pairs.states;
        let (run, time) = states.place(before[place]);
        let step = states.steps[time];
        let at: Vec<String> =
            self.fitted.unknowns.iter().zip(theta).map(|(u, x)| format!("{} = {x}", u.name)).collect();
        Err(ObjectiveError::Failed(format!(
            "under model `{}` with {} the observed step of run {run} from step {step} to {} has probability 0: \
             the data contradict the model, or the parameters lie at the edge of their intervals",
            self.plan.declarations().model,
            at.join(", "),
            step + 1
        )))
    }
}

impl Objective for Likelihood {
    fn unknowns(&self) -> &[Unknown] {
        &self.fitted.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], _iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let Evaluation { value, gradient } = self.total(theta)?;
        let n = self.pairs.before.len() as f64;
        Ok(Evaluation { value: value / n, gradient: gradient.into_iter().map(|g| g / n).collect() })
    }

    fn observed_information(&mut self, theta: &[f64]) -> Option<Result<Information, ObjectiveError>> {
        Some(self.information(theta))
    }
}

impl Likelihood {
    fn information(&self, theta: &[f64]) -> Result<Information, ObjectiveError> {
        let n = theta.len();
        let mut entries = vec![0.0; n * n];
        for i in 0..n {
            let interval = self.fitted.unknowns[i].interval;
            let room = (theta[i] - interval.lowest).min(interval.highest - theta[i]);
            let step = (1e-4 * theta[i].abs().max(0.01)).min(0.5 * room);
            let at = |sign: f64| {
                let mut moved = theta.to_vec();
                moved[i] += sign * step;
                self.total(&moved).map(|e| e.gradient)
            };
            let (above, below) = (at(1.0)?, at(-1.0)?);
            for j in 0..n {
                let slope = (above[j] - below[j]) / (2.0 * step);
                entries[i * n + j] += 0.5 * slope;
                entries[j * n + i] += 0.5 * slope;
            }
        }
        Ok(Information { dimension: n, entries })
    }
}
