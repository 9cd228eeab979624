//! Fits parameters to observed pairs of successive states by simulating the steps between them.
//!
//! Each evaluation takes a minibatch of pairs, one replicate each, runs as many steps from the state before as lie
//! between the two (their numbers those of the observed process), and compares the result with the state after by a
//! [`TransitionLoss`]; the gradient is the estimator's. Pairs one step apart from which the model leaves nothing to
//! chance, whatever the fitted parameters are, carry no information and are dropped.
//!
//! Over several steps, and over one by an estimator that follows what is drawn, the slopes of the loss are taken at other
//! rollouts than the derivative is of. With those of the same rollouts the two would be correlated, and a fit would end beside
//! the parameters that made the data, at probabilities of 0 or 1.

use std::collections::BTreeMap;
use std::sync::Arc;

use glauber_engine::{
    EngineError, FieldData, LossValue, Numbers, Observation, Options, Plan, Precision, Run,
};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::{Estimator, Model, ModelError};

use crate::losses::transition::{TransitionLoss, linearised, observed, slope};
use crate::states::{States, StatesError};
use crate::tasks::unknowns::Fitted;
use crate::tasks::way_back;
use glauber_optimize::objective::{Evaluation, Objective, ObjectiveError, Unknown};

/// Observed pairs of states that tell something about the parameters.
#[derive(Clone, Debug)]
pub struct Pairs {
    /// The observed lattices.
    pub states: States,
    /// The numbers of the states before; the one after has the next number, and was seen as many steps later as the
    /// states say.
    pub before: Arc<Vec<u32>>,
    /// The numbers of the states before of the pairs that were dropped: the model leaves nothing to chance from them.
    pub dropped: Arc<Vec<u32>>,
}

/// How many states are looked at in one run of the engine.
pub(crate) const CHUNK: usize = 2048;

impl Pairs {
    /// All pairs of successive states, but for those one step apart from which the model leaves nothing to chance.
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
        if model.update().is_by_events() {
            // Which sites are picked is chance itself.
            return Ok(Pairs { states, before: Arc::new(all), dropped: Arc::default() });
        }
        let chance = Observation::Program(glauber_likelihood::chance(&model.step, &free));
        let options = Options { precision: Precision::Double, ..options };
        let plan = Plan::new(model, &[chance], None, options)?;
        let middle = fitted.parameters(&typical(&fitted.unknowns));
        let (mut before, mut dropped) = (Vec::new(), Vec::new());
        for chunk in all.chunks(CHUNK) {
            let picks = Arc::new(chunk.to_vec());
            let run = fitted.run(&middle, 0).replicates(chunk.len()).start(states.pick(&picks));
            let run = run.first_steps(states.steps_of(chunk)).observe(0, 0);
            let outputs = plan.outputs(&run)?;
            for (state, chance) in chunk.iter().zip(&outputs.values) {
                let certain = *chance <= 0.0 && spacing(&states, *state) == 1;
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

    /// These pairs by how many steps lie between their states, the fewest first.
    fn by_spacing(&self, before: &[u32]) -> BTreeMap<u32, Vec<u32>> {
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for state in before {
            groups.entry(spacing(&self.states, *state)).or_default().push(*state);
        }
        groups
    }

    /// Whether the states of any are several steps apart.
    pub fn are_several_steps_apart(&self) -> bool {
        self.before.iter().any(|state| spacing(&self.states, *state) > 1)
    }

    /// How many steps lie between the states that are furthest apart.
    pub fn most_steps(&self) -> u32 {
        self.before.iter().map(|state| spacing(&self.states, *state)).max().unwrap_or(0)
    }

    /// Those whose states are one step apart.
    pub fn one_step_apart(&self) -> Pairs {
        let one = self.by_spacing(&self.before).remove(&1).unwrap_or_default();
        Pairs { before: Arc::new(one), ..self.clone() }
    }
}

/// How many steps lie between a state and the next of its run.
fn spacing(states: &States, state: u32) -> u32 {
    let (_, time) = states.place(state);
    states.steps[time + 1] - states.steps[time]
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
    loss: TransitionLoss,
    /// For pairs one step apart.
    plan: Plan,
    /// For those that are further apart, and for all where the estimator follows what is drawn.
    linearised: Option<Linearised>,
    /// Whether it is for all.
    of_means: bool,
    layers: Vec<String>,
    batch: usize,
    seed: u64,
    /// The order of the pairs in the epoch last asked for.
    epoch: Option<(u64, Vec<u32>)>,
    /// Whether there is no way back through a step.
    forwards_only: bool,
}

/// The plans for a loss whose slopes are of other rollouts.
struct Linearised {
    forwards: Plan,
    /// Observes the loss as linearised.
    linear: Plan,
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
        let back = way_back(model, estimator);
        let plan = Plan::new(model, &[Observation::Program(observation)], back, options)?;
        let layers = model.declarations().layers.iter().map(|l| l.name.clone()).collect();
        let batch = batch.min(pairs.before.len());
        let of_means = back.is_some_and(|e| e.follows_draws());
        let linearised = match of_means || pairs.are_several_steps_apart() {
            false => None,
            true => Some(Linearised {
                forwards: Plan::new(model, &[], None, options)?,
                linear: Plan::new(model, &[linearised(model)?.into()], back, options)?,
            }),
        };
        let loss = *loss;
        let forwards_only = back.is_none();
        Ok(Transition {
            fitted,
            pairs,
            loss,
            plan,
            linearised,
            of_means,
            layers,
            batch,
            seed,
            epoch: None,
            forwards_only,
        })
    }

    /// What is to be known of its gradients.
    pub fn notes(&self) -> &[String] {
        self.linearised.as_ref().map_or_else(|| self.plan.notes(), |plans| plans.linear.notes())
    }

    /// The states before of the batch of an iteration: the pairs in an order shuffled anew each epoch.
    fn batch(&mut self, iteration: u64) -> Vec<u32> {
        let per_epoch = (self.pairs.before.len() / self.batch).max(1) as u64;
        let epoch = iteration / per_epoch;
        if self.epoch.as_ref().is_none_or(|(known, _)| *known != epoch) {
            let mut order = self.pairs.before.to_vec();
            let seed = derive_seed(self.seed, Purpose::TransitionOrder, epoch);
            for i in (1..order.len()).rev() {
                let random = derive_seed(seed, Purpose::TransitionOrder, i as u64);
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
        let parameters = self.fitted.parameters(theta);
        let mut sum = Evaluation { value: 0.0, gradient: vec![0.0; theta.len()] };
        for (weight, group) in self.groups(iteration) {
            let part = match &self.linearised {
                Some(plans) if self.of_means || group.steps > 1 => {
                    self.linearised(plans, &parameters, &group)
                }
                _ => self.over_one(&parameters, &group),
            };
            let part = part.map_err(failed)?;
            sum.value += weight * part.value;
            sum.gradient.iter_mut().zip(part.gradient).for_each(|(s, g)| *s += weight * g);
        }
        Ok(sum)
    }

    fn observations(&self) -> Option<usize> {
        Some(self.pairs.before.len() * self.pairs.states.sites)
    }

    /// No loss of this list is a proper score of the draws.
    fn is_lowest_at_rest(&self) -> bool {
        false
    }

    fn value(&mut self, theta: &[f64], iteration: u64) -> Result<f64, ObjectiveError> {
        if !self.forwards_only {
            return Ok(self.evaluate(theta, iteration)?.value);
        }
        let parameters = self.fitted.parameters(theta);
        let mut sum = 0.0;
        for (weight, group) in self.groups(iteration) {
            sum += weight * self.forwards(&parameters, &group).map_err(failed)?;
        }
        Ok(sum)
    }
}

/// The pairs of a batch that are so many steps apart.
struct Group {
    before: Vec<u32>,
    steps: usize,
    /// How many pairs of the batch come before: their replicates have other noise.
    first: u32,
    iteration: u64,
}

impl Transition {
    /// The groups of an iteration's batch, each with its share of it.
    fn groups(&mut self, iteration: u64) -> Vec<(f64, Group)> {
        let batch = self.batch(iteration);
        let mut first = 0;
        let mut groups = Vec::new();
        for (steps, before) in self.pairs.by_spacing(&batch) {
            let weight = before.len() as f64 / batch.len() as f64;
            let count = before.len() as u32;
            groups.push((weight, Group { before, steps: steps as usize, first, iteration }));
            first += count;
        }
        groups
    }

    /// The loss of a group without a derivative.
    fn forwards(&self, parameters: &[f64], group: &Group) -> Result<f64, EngineError> {
        let mut run = self.run(parameters, group, Purpose::Transition);
        run.fields.extend(self.layers.iter().map(|l| observed(l)).zip(self.seen(group)));
        let values = self.plan.outputs(&run)?.values;
        Ok(values.iter().sum::<f64>() / values.len().max(1) as f64)
    }

    /// The run over the steps between the pairs of a group, one replicate each.
    fn run<'a>(&self, parameters: &'a [f64], group: &Group, purpose: Purpose) -> Run<'a> {
        let states = &self.pairs.states;
        let mut run = self
            .fitted
            .run(parameters, group.steps)
            .replicates(group.before.len())
            .seed(derive_seed(self.seed, purpose, group.iteration))
            .start(states.pick(&Arc::new(group.before.clone())))
            .first_steps(states.steps_of(&group.before))
            .observe(group.steps, 0);
        run.first_replicate = group.first;
        run
    }

    /// What was seen after the pairs' states, one field per layer.
    fn seen(&self, group: &Group) -> Vec<FieldData> {
        self.pairs.states.pick(&Arc::new(group.before.iter().map(|s| s + 1).collect()))
    }

    fn over_one(&self, parameters: &[f64], group: &Group) -> Result<Evaluation, EngineError> {
        let mut run = self.run(parameters, group, Purpose::Transition);
        run.fields.extend(self.layers.iter().map(|l| observed(l)).zip(self.seen(group)));
        let gradient = self.plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] })?;
        Ok(Evaluation { value: gradient.value, gradient: self.fitted.gradient(&gradient.parameters) })
    }

    fn linearised(
        &self,
        plans: &Linearised,
        parameters: &[f64],
        group: &Group,
    ) -> Result<Evaluation, EngineError> {
        let mut others = self.run(parameters, group, Purpose::TransitionSlopes);
        others.events.clear();
        let simulated = plans.forwards.simulate(&others)?.last;
        let (pairs, sites) = (group.before.len(), self.pairs.states.sites);
        let mut value = 0.0;
        let mut slopes: Vec<Vec<f64>> = vec![Vec::with_capacity(pairs * sites); self.layers.len()];
        for (state, before) in simulated.iter().zip(&group.before) {
            let (loss, own) = self.loss.slopes(state, &self.pairs.states.dense(before + 1));
            value += loss / pairs as f64;
            slopes.iter_mut().zip(own).for_each(|(all, own)| all.extend(own));
        }
        let mut run = self.run(parameters, group, Purpose::Transition);
        let field = |slopes: Vec<f64>| FieldData::picked(Numbers::from(slopes), (0..pairs as u32).collect());
        run.fields.extend(self.layers.iter().map(|l| slope(l)).zip(slopes.into_iter().map(field)));
        let gradient = plans.linear.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] })?;
        Ok(Evaluation { value, gradient: self.fitted.gradient(&gradient.parameters) })
    }
}

/// The engine's words as the objective's.
pub fn failed(error: EngineError) -> ObjectiveError {
    match error {
        EngineError::Interrupted => ObjectiveError::Interrupted,
        other => ObjectiveError::Source(Box::new(other)),
    }
}
