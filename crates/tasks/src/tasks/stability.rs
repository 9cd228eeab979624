//! Fits parameters so that a pattern stays as it is.
//!
//! Each evaluation starts R replicates at the reference pattern, runs τ steps, and takes the mean over replicates of the
//! distance Σ over sites Σ over layers (x − x_ref)² to where they started; a [`StabilityLoss`] makes the loss of it.
//! The gradient goes back through all τ steps, each draw's by the estimator. With several patterns the replicates take
//! them in turn. The noise of an evaluation is a function of (seed, iteration) alone.
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | τ | steps of a rollout, 500 in the paper | steps |
//! | R | rollouts per evaluation, 1 in the paper | |
//! | x_ref | reference pattern | values of the layers |
//!
//! Reference: Schering, Keemink & Textor 2023. What the fit finds need not be the parameters the pattern was made with:
//! a pattern that moves little in τ steps is not the same as one that forms. A
//! [`FormationTest`](crate::formation::FormationTest) tells.

use std::sync::Arc;

use glauber_engine::{EngineError, LossValue, Options, Plan, Run};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::{Estimator, Model, ModelError};

use crate::losses::stability::{StabilityLoss, distance, reference};
use crate::states::States;
use crate::tasks::transition::failed;
use crate::tasks::unknowns::Fitted;
use crate::tasks::way_back;
use glauber_optimize::objective::{Evaluation, Objective, ObjectiveError, Unknown};

/// Why a stability task could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StabilityError {
    /// A mistake in the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Rollouts that cannot be.
    #[error("{steps} steps of {replicates} replicates: a rollout needs at least one step and one replicate")]
    Nothing {
        /// Steps asked for.
        steps: usize,
        /// Replicates asked for.
        replicates: usize,
    },
    /// Patterns of another lattice.
    #[error(
        "the reference has {found} sites and {layers} layers, but model `{model}` has {sites} sites and {wanted} layers"
    )]
    Shape {
        /// The model.
        model: String,
        /// Sites of the reference.
        found: usize,
        /// Layers of the reference.
        layers: usize,
        /// Sites of the model.
        sites: usize,
        /// Layers of the model.
        wanted: usize,
    },
}

/// The rollouts of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollouts {
    /// τ: steps of each.
    pub steps: usize,
    /// R: how many.
    pub replicates: usize,
    /// The seed of all noise.
    pub seed: u64,
}

/// The objective: patterns, rollouts, a loss.
pub struct Stability {
    fitted: Fitted,
    plan: Plan,
    patterns: States,
    names: Vec<String>,
    loss: StabilityLoss,
    rollouts: Rollouts,
}

impl Stability {
    /// An objective over every state in `patterns`.
    ///
    /// # Errors
    /// [`StabilityError`] where the patterns do not fit the model, or there is nothing to run.
    pub fn new(
        model: &Model,
        fitted: Fitted,
        patterns: States,
        loss: StabilityLoss,
        estimator: &dyn Estimator,
        rollouts: Rollouts,
        options: Options,
    ) -> Result<Stability, StabilityError> {
        let Rollouts { steps, replicates, .. } = rollouts;
        if steps == 0 || replicates == 0 {
            return Err(StabilityError::Nothing { steps, replicates });
        }
        let declarations = model.declarations();
        let (sites, wanted) = (declarations.lattice.sites(), declarations.layers.len());
        if patterns.sites != sites || patterns.layers.len() != wanted || patterns.runs * patterns.times == 0 {
            let (found, layers, model) = (patterns.sites, patterns.layers.len(), model.name().to_string());
            return Err(StabilityError::Shape { model, found, layers, sites, wanted });
        }
        let plan = Plan::new(model, &[distance(model)?.into()], way_back(model, estimator), options)?;
        let names = declarations.layers.iter().map(|l| reference(&l.name)).collect();
        Ok(Stability { fitted, plan, patterns, names, loss, rollouts })
    }

    fn run<'a>(&self, parameters: &'a [f64], iteration: u64) -> Run<'a> {
        let Rollouts { steps, replicates, seed } = self.rollouts;
        let count = (self.patterns.runs * self.patterns.times) as u64;
        let first = iteration.wrapping_mul(replicates as u64);
        let picks: Vec<u32> =
            (0..replicates as u64).map(|r| (first.wrapping_add(r) % count) as u32).collect();
        let seen_after = self.patterns.steps_of(&picks);
        let start = self.patterns.pick(&Arc::new(picks));
        let mut run = self
            .fitted
            .run(parameters, steps)
            .replicates(replicates)
            .seed(derive_seed(seed, Purpose::Stability, iteration))
            .start(start.clone())
            .first_steps(seen_after)
            .observe(steps, 0);
        run.fields.extend(self.names.iter().cloned().zip(start));
        run
    }

    fn loss(&self, means: &[f64]) -> LossValue {
        self.loss.at(means[0], self.patterns.sites * self.names.len())
    }
}

impl Objective for Stability {
    fn unknowns(&self) -> &[Unknown] {
        &self.fitted.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let parameters = self.fitted.parameters(theta);
        let run = self.run(&parameters, iteration);
        let gradient = self.plan.gradient(&run, &|m| self.loss(m)).map_err(failed)?;
        Ok(Evaluation { value: gradient.value, gradient: self.fitted.gradient(&gradient.parameters) })
    }

    fn value(&mut self, theta: &[f64], iteration: u64) -> Result<f64, ObjectiveError> {
        let parameters = self.fitted.parameters(theta);
        let outputs = self.plan.outputs(&self.run(&parameters, iteration)).map_err(failed)?;
        Ok(self.loss(&outputs.mean()).value)
    }
}
