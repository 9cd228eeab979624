//! Fits parameters to observed pairs (state t, state t + 1) by simulating the step between them.
//!
//! Each evaluation takes a minibatch of pairs, one replicate each, runs one step from the state before and compares the
//! result with the state after by a [`TransitionLoss`]; the gradient is the estimator's. Pairs from which the model
//! leaves nothing to chance, whatever the fitted parameters are, carry no information and are dropped.

use std::sync::Arc;

use glauber_engine::{EngineError, LossValue, Observation, Options, Plan, Precision};
use glauber_numbers::noise::derive_seed;
use glauber_program::{Estimator, Model, ModelError};

use crate::losses::transition::{TransitionLoss, observed};
use crate::states::{States, StatesError};
use crate::tasks::unknowns::Fitted;
use glauber_optimize::objective::{Evaluation, Objective, ObjectiveError, Unknown};

/// What the noise of an evaluation is for, so that seeds of different uses never meet.
const NOISE: u32 = 1;
const SHUFFLE: u32 = 2;

/// Observed pairs of states that tell something about the parameters.
#[derive(Clone, Debug)]
pub struct Pairs {
    /// The observed lattices.
    pub states: States,
    /// The numbers of the states before; the one after has the next number.
    pub before: Arc<Vec<u32>>,
    /// The numbers of the states before of the pairs that were dropped: the model leaves nothing to chance from them.
    pub dropped: Arc<Vec<u32>>,
}

/// How many states are looked at in one run of the engine.
pub(crate) const CHUNK: usize = 2048;

impl Pairs {
    /// All pairs of successive states from which the model leaves something to chance.
    ///
    /// # Errors
    /// [`StatesError`] where there are none.
    pub fn new(
        model: &Model,
        fitted: &Fitted,
        states: States,
        options: Options,
    ) -> Result<Pairs, StatesError> {
        if states.times < 2 {
            return Err(StatesError::Empty(
                "the observed lattices have only one time per run: a transition needs a state and the one after it".into(),
            ));
        }
        let all: Vec<u32> = (0..(states.runs * states.times) as u32)
            .filter(|s| (*s as usize + 1) % states.times != 0)
            .collect();
        let free: Vec<bool> = (0..fitted.all.len()).map(|i| fitted.places.contains(&i)).collect();
        let chance = Observation::Program(glauber_program::chance(&model.step, &free));
        let options = Options { precision: Precision::Double, ..options };
        let plan = Plan::new(model, &[chance], None, options)?;
        let middle = fitted.parameters(&typical(&fitted.unknowns));
        let (mut before, mut dropped) = (Vec::new(), Vec::new());
        for chunk in all.chunks(CHUNK) {
            let picks = Arc::new(chunk.to_vec());
            let run = fitted.run(&middle, 0).replicates(chunk.len()).start(states.pick(&picks)).observe(0, 0);
            let outputs = plan.simulate(&run)?.outputs;
            for (state, chance) in chunk.iter().zip(&outputs.values) {
                let certain = *chance <= 0.0;
                if certain { dropped.push(*state) } else { before.push(*state) }
            }
        }
        if before.is_empty() {
            return Err(StatesError::Empty(format!(
                "in all {} observed pairs the outcome is certain whatever the parameters: there is nothing to learn from",
                all.len()
            )));
        }
        Ok(Pairs { states, before: Arc::new(before), dropped: Arc::new(dropped) })
    }
}

/// Parameters well inside their intervals.
pub(crate) fn typical(unknowns: &[Unknown]) -> Vec<f64> {
    let inside = |unknown: &Unknown| {
        let (low, high) = (unknown.interval.lowest, unknown.interval.highest);
        match (low.is_finite(), high.is_finite()) {
            (true, true) => 0.5 * (low + high),
            (true, false) => low + 1.0,
            (false, true) => high - 1.0,
            _ => 0.5,
        }
    };
    unknowns.iter().map(inside).collect()
}

/// Why a transition task could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TransitionError {
    /// A mistake in the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A batch that cannot be.
    #[error("the batch is {found} pairs: give a whole number from 1; there are {pairs} pairs")]
    Batch {
        /// What was asked for.
        found: usize,
        /// How many pairs there are.
        pairs: usize,
    },
}

/// The objective: minibatches of pairs, a loss, an estimator.
pub struct Transition {
    fitted: Fitted,
    pairs: Pairs,
    plan: Plan,
    layers: Vec<String>,
    batch: usize,
    seed: u64,
    /// The order of the pairs in the epoch last asked for.
    epoch: Option<(u64, Vec<u32>)>,
}

impl Transition {
    /// An objective over `pairs` in minibatches of `batch` (at most all pairs).
    ///
    /// # Errors
    /// [`TransitionError`] where the loss does not fit the model or the batch is empty.
    pub fn new(
        model: &Model,
        fitted: Fitted,
        pairs: Pairs,
        loss: &TransitionLoss,
        estimator: &dyn Estimator,
        batch: usize,
        seed: u64,
        options: Options,
    ) -> Result<Transition, TransitionError> {
        if batch == 0 {
            return Err(TransitionError::Batch { found: batch, pairs: pairs.before.len() });
        }
        let observation = loss.observation(model)?;
        let plan = Plan::new(model, &[Observation::Program(observation)], Some(estimator), options)?;
        let layers = model.declarations().layers.iter().map(|l| l.name.clone()).collect();
        let batch = batch.min(pairs.before.len());
        Ok(Transition { fitted, pairs, plan, layers, batch, seed, epoch: None })
    }

    /// The states before of the batch of an iteration: the pairs in an order shuffled anew each epoch.
    fn batch(&mut self, iteration: u64) -> Vec<u32> {
        let per_epoch = (self.pairs.before.len() / self.batch).max(1) as u64;
        let epoch = iteration / per_epoch;
        if self.epoch.as_ref().is_none_or(|(known, _)| *known != epoch) {
            let mut order = self.pairs.before.to_vec();
            let seed = derive_seed(self.seed, SHUFFLE, epoch);
            for i in (1..order.len()).rev() {
                let random = derive_seed(seed, SHUFFLE, i as u64);
                // The high half of a 64 × 64-bit product is uniform over 0..=i up to 2⁻⁴⁰.
                let j = (u128::from(random) * (i as u128 + 1)) >> 64;
                order.swap(i, j as usize);
            }
            self.epoch = Some((epoch, order));
        }
        let from = (iteration % per_epoch) as usize * self.batch;
        self.epoch.as_ref().map(|(_, order)| order[from..from + self.batch].to_vec()).unwrap_or_default()
    }
}

impl Objective for Transition {
    fn unknowns(&self) -> &[Unknown] {
        &self.fitted.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let before = self.batch(iteration);
        let after: Vec<u32> = before.iter().map(|s| s + 1).collect();
        let parameters = self.fitted.parameters(theta);
        let states = &self.pairs.states;
        let mut run = self
            .fitted
            .run(&parameters, 1)
            .replicates(before.len())
            .seed(derive_seed(self.seed, NOISE, iteration))
            .start(states.pick(&Arc::new(before)))
            .observe(1, 0);
        let seen = states.pick(&Arc::new(after));
        run.fields.extend(self.layers.iter().map(|l| observed(l)).zip(seen));
        let gradient = self.plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] });
        let gradient = gradient.map_err(failed)?;
        Ok(Evaluation { value: gradient.value, gradient: self.fitted.gradient(&gradient.parameters) })
    }
}

/// The engine's words as the objective's.
pub(crate) fn failed(error: EngineError) -> ObjectiveError {
    match error {
        EngineError::Interrupted => ObjectiveError::Interrupted,
        other => ObjectiveError::Source(Box::new(other)),
    }
}
