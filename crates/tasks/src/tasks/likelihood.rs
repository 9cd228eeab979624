//! Fits parameters to observed pairs of states by the exact likelihood of each step.
//!
//! Loss: −ln L / number of pairs, with ln L the sum over pairs and sites of the log-probability of the observed next
//! value given the state before, derived from the model's own step ([`glauber_likelihood::log_likelihood`]). Double
//! precision throughout; no noise. Where an observed step has probability 0, ln L is −∞ and the loss +∞, without
//! gradient; that is an answer and no error, and [`Objective::why_infinite`] names the step. The law of several steps is
//! not known, so pairs of states further apart than one step are left out, and where there are no others there is no
//! likelihood.

use std::sync::Arc;

use glauber_engine::{EngineError, LossValue, Observation, Options, Plan, Precision, Run};
use glauber_files::rounded;
use glauber_likelihood::log_likelihood;
use glauber_program::estimators::StraightThrough;
use glauber_program::{Model, ModelError};

use crate::tasks::transition::{CHUNK, Pairs, failed, typical};
use crate::tasks::unknowns::Fitted;
use crate::tasks::{is_of_a_rule, outside_its_domain};
use glauber_optimize::objective::{Evaluation, Interval, LogLikelihood, Objective, ObjectiveError, Unknown};

/// Why a likelihood could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LikelihoodError {
    /// The model has none.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A step was observed that no parameters allow.
    #[error(
        "the observed step of run {run} from step {step} to {} cannot happen under model `{model}`, whatever the \
         parameters: leave that run out, or let the model allow it",
        step + 1
    )]
    Impossible {
        /// The model.
        model: String,
        /// The run.
        run: usize,
        /// The step before.
        step: u32,
    },
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
    /// [`ModelError::NoLikelihood`] where the model has none; [`LikelihoodError::Spacing`] where no pair is one step apart;
    /// [`LikelihoodError::Impossible`] where the data contradict the model at any parameters.
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
        let likelihood = Likelihood { fitted, pairs, plan };
        likelihood.check_dropped()?;
        Ok(likelihood)
    }

    /// θ, in its order.
    pub fn fitted(&self) -> &[Unknown] {
        &self.fitted.unknowns
    }

    /// How many outcomes of sites enter ln L: the sites of all pairs one step apart.
    pub fn observations(&self) -> usize {
        self.pairs.before.len() * self.pairs.states.sites
    }

    /// ln L of all pairs. −∞ where θ makes a step that was observed impossible, not a number where a probability of the
    /// model is none there.
    ///
    /// # Errors
    /// [`ObjectiveError`] where the engine refuses.
    pub fn log_likelihood(&self, theta: &[f64]) -> Result<f64, ObjectiveError> {
        let parameters = self.fitted.parameters(theta);
        let mut sum = 0.0;
        for before in self.pairs.before.chunks(CHUNK) {
            match self.plan.outputs(&self.run(&parameters, before)) {
                Ok(outputs) => sum += outputs.values.iter().sum::<f64>(),
                Err(error) if is_of_a_rule(&error) => return Ok(f64::NAN),
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(sum)
    }

    /// ln L as [`log_likelihood`](Likelihood::log_likelihood), and its derivatives by θ; these are no numbers where ln L
    /// is none.
    ///
    /// # Errors
    /// [`ObjectiveError`] where the engine refuses.
    pub fn value_and_score(&self, theta: &[f64]) -> Result<(f64, Vec<f64>), ObjectiveError> {
        match self.total(theta) {
            Ok(Evaluation { value, gradient }) => {
                Ok((-value, gradient.into_iter().map(std::ops::Neg::neg).collect()))
            }
            Err(error) if outside_its_domain(&error) => Ok((f64::NAN, vec![f64::NAN; theta.len()])),
            Err(other) => Err(other),
        }
    }

    /// Why the likelihood is 0 at θ, where that can be said.
    pub fn why_impossible(&self, theta: &[f64]) -> Option<String> {
        let before = self.impossible(theta).ok()??;
        let scheme = self.plan.update();
        if let Some(tried) = self.never(before) {
            return Some(format!(
                "the likelihood of the data is 0: the observed step {} has probability 0 under the update {scheme}, as at all {tried} \
                 other values of the parameters that were tried; either it cannot happen, whatever the parameters (as where the \
                 states are of another update), or these are far from those at which it can",
                self.described(before, theta)
            ));
        }
        Some(format!(
            "the likelihood of the data is 0 there: the observed step {} has probability 0 under the update {scheme}, so that the \
             data contradict the model, the parameters lie at the edge of what the data allow, or a probability lies beyond [0, 1]",
            self.described(before, theta)
        ))
    }

    /// −ln L of all pairs and its gradient by θ.
    fn total(&self, theta: &[f64]) -> Result<Evaluation, ObjectiveError> {
        let parameters = self.fitted.parameters(theta);
        let mut sum = Evaluation { value: 0.0, gradient: vec![0.0; theta.len()] };
        for before in self.pairs.before.chunks(CHUNK) {
            let run = self.run(&parameters, before);
            let n = before.len() as f64;
            let part = self.plan.gradient(&run, &|m| LossValue { value: -n * m[0], slopes: vec![-n] });
            let part = part.map_err(failed)?;
            if let Some(place) = part.outputs.values.iter().position(|v| !v.is_finite()) {
                return self.not_finite(part.outputs.values[place], before[place], theta);
            }
            sum.value += part.value;
            let own = self.fitted.gradient(&part.parameters);
            sum.gradient.iter_mut().zip(own).for_each(|(s, g)| *s += g);
        }
        Ok(sum)
    }

    /// Refuses data in which a step that is certain came out otherwise.
    fn check_dropped(&self) -> Result<(), LikelihoodError> {
        let parameters = self.fitted.parameters(&typical(&self.fitted.unknowns));
        for before in self.pairs.dropped.chunks(CHUNK) {
            let outputs = self.plan.outputs(&self.run(&parameters, before))?;
            if let Some(place) = outputs.values.iter().position(|v| *v == f64::NEG_INFINITY) {
                let (run, time) = self.pairs.states.place(before[place]);
                let step = self.pairs.states.steps[time];
                let model = self.plan.declarations().model.clone();
                return Err(LikelihoodError::Impossible { model, run, step });
            }
        }
        Ok(())
    }

    /// What a log-likelihood of one pair comes to that is no finite number.
    fn not_finite(&self, value: f64, before: u32, theta: &[f64]) -> Result<Evaluation, ObjectiveError> {
        if value == f64::NEG_INFINITY {
            return Ok(Evaluation { value: f64::INFINITY, gradient: vec![f64::NAN; theta.len()] });
        }
        Err(ObjectiveError::Failed(format!(
            "the log-likelihood of the observed step {} is {value}: a probability of the model is no number there",
            self.described(before, theta)
        )))
    }

    /// Where a pair is in the data, and at which parameters it was looked at.
    fn described(&self, before: u32, theta: &[f64]) -> String {
        let (run, time) = self.pairs.states.place(before);
        let at: Vec<String> = self
            .fitted
            .unknowns
            .iter()
            .zip(theta)
            .map(|(u, x)| format!("{} = {}", u.name, rounded(*x)))
            .collect();
        let (model, step) = (&self.plan.declarations().model, self.pairs.states.steps[time]);
        format!("of run {run} from step {step} to {} under model `{model}` with {}", step + 1, at.join(", "))
    }

    /// The first pair that the model says cannot happen at θ.
    fn impossible(&self, theta: &[f64]) -> Result<Option<u32>, ObjectiveError> {
        let parameters = self.fitted.parameters(theta);
        for before in self.pairs.before.chunks(CHUNK) {
            let outputs = self.plan.outputs(&self.run(&parameters, before)).map_err(failed)?;
            if let Some(place) = outputs.values.iter().position(|v| *v == f64::NEG_INFINITY) {
                return Ok(Some(before[place]));
            }
        }
        Ok(None)
    }

    /// At how many other parameters a pair cannot happen, where that is all that are tried: spread over their intervals.
    fn never(&self, before: u32) -> Option<usize> {
        const SHARES: [f64; 5] = [0.5, 0.1, 0.9, 0.02, 0.98];
        let unknowns = &self.fitted.unknowns;
        let middle = typical(unknowns);
        let at = |k: usize, turn: usize| -> Vec<f64> {
            let of = |(i, (unknown, middle)): (usize, (&Unknown, &f64))| {
                let Interval { lowest, highest } = unknown.interval;
                let share = SHARES[(k + turn * i) % SHARES.len()];
                match (lowest.is_finite(), highest.is_finite()) {
                    (true, true) => lowest + share * (highest - lowest),
                    _ => middle * 4.0 * share,
                }
            };
            // A field's sites are all alike.
            let mut places = 0;
            let whole = unknowns.iter().enumerate().flat_map(|(i, unknown)| {
                let own = of((i, (unknown, &middle[places])));
                places += unknown.len();
                std::iter::repeat_n(own, unknown.len()).collect::<Vec<_>>()
            });
            whole.collect()
        };
        let mut tried: Vec<Vec<f64>> = (0..SHARES.len()).flat_map(|k| [at(k, 0), at(k, 1)]).collect();
        tried.dedup();
        let cannot = |theta: &Vec<f64>| {
            let parameters = self.fitted.parameters(theta);
            let outputs = self.plan.outputs(&self.run(&parameters, &[before])).ok()?;
            Some(outputs.values[0] == f64::NEG_INFINITY)
        };
        tried.iter().all(|theta| cannot(theta) == Some(true)).then_some(tried.len())
    }

    /// The run that takes the likelihood of some pairs.
    fn run<'a>(&self, parameters: &'a [f64], before: &[u32]) -> Run<'a> {
        let after: Vec<u32> = before.iter().map(|s| s + 1).collect();
        let states = &self.pairs.states;
        let mut run = self
            .fitted
            .run(parameters, 0)
            .replicates(before.len())
            .start(states.pick(&Arc::new(before.to_vec())))
            .first_steps(states.steps_of(before))
            .observe(0, 0);
        run.targets = Some(states.pick(&Arc::new(after)));
        run
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

    fn observations(&self) -> Option<usize> {
        Some(Likelihood::observations(self))
    }

    fn likelihood(&self) -> Option<LogLikelihood> {
        Some(LogLikelihood { route: "exact", data: self.pairs.before.len() as f64 })
    }

    fn why_infinite(&mut self, theta: &[f64]) -> Option<String> {
        self.why_impossible(theta)
    }
}
