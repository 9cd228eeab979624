//! Runs a model on from a state, and takes the curves' numbers there.

use std::sync::Arc;

use glauber_engine::{FieldData, Numbers, Observation, Options, Plan, Run};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::Model;
use glauber_tasks::covariates::Covariates;

use crate::knob::Knob;

/// A model with what is observed of it, ready to run.
pub(crate) struct Walk {
    pub(crate) plan: Plan,
    pub(crate) covariates: Covariates,
    pub(crate) observations: usize,
}

/// What a run begins with.
pub(crate) struct Beginning {
    pub(crate) model: Model,
    pub(crate) observations: Vec<Observation>,
    pub(crate) covariates: Covariates,
    /// The first step and the state there; none for the model's own start.
    pub(crate) step: u32,
    pub(crate) state: Vec<Vec<f64>>,
    pub(crate) knobs: Vec<Knob>,
    pub(crate) curves: usize,
}

/// Where a run has come to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moment {
    pub(crate) seed: u64,
    pub(crate) step: u32,
    /// The state, layer by layer; none for the start that the model says.
    pub(crate) state: Vec<Arc<Numbers>>,
    /// The curves' numbers.
    pub(crate) numbers: Vec<f64>,
}

impl Moment {
    /// Before the first step, at a state or, where that is empty, at the model's own start.
    pub(crate) fn at(seed: u64, step: u32, state: Vec<Vec<f64>>) -> Moment {
        // An observed state may be one of a run with this seed, whose noise would be repeated: it has noise of its own, as in
        // `glauber.simulate` from a given start.
        let seed = if state.is_empty() { seed } else { derive_seed(seed, Purpose::GivenStart, 0) };
        let state = state.into_iter().map(|numbers| Arc::new(Numbers::Reals(numbers))).collect();
        Moment { seed, step, state, numbers: Vec::new() }
    }
}

impl Walk {
    /// A model that is observed so.
    ///
    /// # Errors
    /// What the engine says, in words.
    pub(crate) fn new(
        model: &Model,
        observations: &[Observation],
        covariates: Covariates,
        threads: usize,
    ) -> Result<Walk, String> {
        let options = Options { threads, ..Options::default() };
        let plan = Plan::new(model, observations, None, options).map_err(|error| error.to_string())?;
        Ok(Walk { plan, covariates, observations: observations.len() })
    }

    /// So many steps on; of none the numbers are taken again.
    ///
    /// # Errors
    /// Why it stopped, in words.
    pub(crate) fn go_on(&self, moment: &mut Moment, parameters: &[f64], steps: usize) -> Result<(), String> {
        let mut run = Run::new(parameters, steps).seed(moment.seed).first_step(moment.step);
        run.fields = self.covariates.clone();
        if !moment.state.is_empty() {
            run = run.start(moment.state.iter().map(|n| FieldData::from_parts(n.clone(), None)).collect());
        }
        for observation in 0..self.observations {
            run = run.observe(steps, observation);
        }
        let simulation = self.plan.simulate(&run).map_err(|error| error.to_string())?;
        let last = simulation.last.into_iter().next().ok_or("the engine gave no state")?;
        moment.state = last.into_iter().map(|numbers| Arc::new(Numbers::Reals(numbers))).collect();
        moment.numbers = simulation.outputs.values;
        moment.step = moment.step.saturating_add(steps as u32);
        Ok(())
    }
}
