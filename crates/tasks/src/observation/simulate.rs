//! Runs experiments as they were seen: the numbers of their states at the steps of the data, and data drawn with noise.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use glauber_engine::{EngineError, Ensemble, FieldData, Frame, Numbers, Observation, Options, Outputs, Plan};
use glauber_engine::{Recorder, Run, Start};
use glauber_lattice::Values;
use glauber_numbers::noise::{Key, Purpose, derive_seed};
use glauber_program::Model;

use super::design::{Design, Experiment};
use super::seen::{Observed, What};
use crate::summaries::Selection;

/// A model compiled with all that is observed of it.
pub struct Watch {
    /// The plan.
    pub plan: Plan,
    /// Per experiment and observation: its number in the plan, where it is of the whole state.
    numbers: Vec<Vec<Option<usize>>>,
}

impl Watch {
    /// Compiles.
    ///
    /// # Errors
    /// [`EngineError`] where the engine refuses.
    pub fn new(design: &Design, options: Options) -> Result<Watch, EngineError> {
        let mut observations: Vec<Observation> = Vec::new();
        let mut numbers = Vec::new();
        for experiment in &design.experiments {
            let mut own = Vec::new();
            for observed in &experiment.observed {
                own.push(match &observed.what {
                    What::Sites(_) => None,
                    What::Numbers(observation) => {
                        observations.push(observation.clone());
                        Some(observations.len() - 1)
                    }
                });
            }
            numbers.push(own);
        }
        Ok(Watch { plan: Plan::new(&design.model, &observations, None, options)?, numbers })
    }

    /// The number of an observation in the plan, where it is of the whole state.
    pub fn number(&self, experiment: usize, observation: usize) -> Option<usize> {
        self.numbers.get(experiment)?.get(observation).copied().flatten()
    }

    /// Replicates that go on from one observation to the next, for runs that start as this one.
    ///
    /// # Errors
    /// [`EngineError`] where the run does not fit the model.
    pub fn ensemble<'a>(
        &'a self,
        model: &'a Model,
        run: &Run<'_>,
    ) -> Result<Box<dyn Ensemble + 'a>, EngineError> {
        let here = self.plan.ensemble(run)?;
        Ok(here.unwrap_or_else(|| Box::new(Carried { plan: &self.plan, model, states: Vec::new() })))
    }

    /// What a run of an experiment to its end shows: for each replicate the numbers of every observation,
    /// \[time\]\[number\], one after another. `of` says of which run of the data each replicate is.
    ///
    /// # Errors
    /// [`EngineError`] as in [`Plan::simulate`].
    pub fn shown(
        &self,
        design: &Design,
        experiment: usize,
        numbers: &[f64],
        replicates: usize,
        of: impl Fn(usize) -> usize,
        seed: u64,
        interrupt: Option<&std::sync::atomic::AtomicBool>,
    ) -> Result<Vec<Vec<f64>>, EngineError> {
        let own = &design.experiments[experiment];
        let parameters = design.parameters(numbers);
        let begin = own.first_step();
        let mut run = own.run(parameters, replicates, of).seed(seed).without_last();
        run.interrupt = interrupt;
        run.steps = own.steps().last().map_or(0, |last| (last - begin) as usize);
        let mut events = Vec::new();
        for (k, observed) in own.observed.iter().enumerate() {
            if let Some(number) = self.number(experiment, k) {
                events.extend(observed.steps.iter().map(|step| ((step - begin) as usize, number, k)));
            }
        }
        events.sort_by_key(|event| event.0);
        run.events = events.iter().map(|(step, number, _)| (*step, *number)).collect();
        let sites: Vec<(usize, &Observed, &Selection)> = own
            .observed
            .iter()
            .enumerate()
            .filter_map(|(k, observed)| match &observed.what {
                What::Sites(selection) => Some((k, observed, selection)),
                What::Numbers(_) => None,
            })
            .collect();
        let keeper = Keeper {
            wanted: sites
                .iter()
                .flat_map(|(k, observed, selection)| {
                    observed.steps.iter().map(|step| ((step - begin) as usize, *k, (*selection).clone()))
                })
                .collect(),
            found: (0..replicates).map(|_| Mutex::new(BTreeMap::new())).collect(),
        };
        let recorder: Option<&dyn Recorder> = if sites.is_empty() { None } else { Some(&keeper) };
        let outputs = self.plan.simulate_recorded(&run, recorder)?.outputs;
        let mut shown = Vec::with_capacity(replicates);
        for (replicate, found) in keeper.found.into_iter().enumerate() {
            let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
            let row = if outputs.width > 0 { outputs.replicate(replicate) } else { &[] };
            let mut from = 0;
            for (step, _, k) in &events {
                let width = own.observed[*k].width;
                found.insert((*k, *step), row[from..from + width].to_vec());
                from += width;
            }
            // In the order of observations, each of its steps.
            shown.push(found.into_values().flatten().collect());
        }
        Ok(shown)
    }

    /// The experiments with data drawn at θ: as many runs, seen as often, missing where the data's are.
    ///
    /// # Errors
    /// [`EngineError`] as in [`Plan::simulate`].
    pub fn drawn(&self, design: &Design, theta: &[f64], seed: u64) -> Result<Vec<Experiment>, EngineError> {
        let mut drawn = Vec::new();
        for (e, own) in design.experiments.iter().enumerate() {
            let numbers = design.numbers(theta, e);
            let seed = derive_seed(seed, Purpose::ObservedExperiment, e as u64);
            let (runs, times) = (own.runs(), own.mean_of.max(1) as usize);
            let shown = self.shown(design, e, &numbers, runs * times, |r| r / times, seed, None)?;
            let mut observed = Vec::new();
            let mut from = 0;
            for (k, one) in own.observed.iter().enumerate() {
                let arguments = design.arguments(one, &numbers);
                let length = one.steps.len() * one.width;
                let mut values = vec![0.0; runs * length];
                for (replicate, row) in shown.iter().enumerate() {
                    let keys = [0, 1].map(|draw| {
                        Key::new(
                            derive_seed(seed, Purpose::ObservedNoise, k as u64),
                            replicate as u32,
                            0,
                            draw,
                            0,
                        )
                    });
                    for (place, x) in row[from..from + length].iter().enumerate() {
                        let y = one.noise.law.draw(*x, &arguments, one.states, &keys, place as u32);
                        values[replicate / times * length + place] += y / times as f64;
                    }
                }
                for (value, seen) in values.iter_mut().zip(one.values.iter()) {
                    if seen.is_nan() {
                        *value = f64::NAN;
                    }
                }
                observed.push(one.with_values(values));
                from += length;
            }
            drawn.push(Experiment { observed, ..own.clone() });
        }
        Ok(drawn)
    }
}

/// Keeps sites of the states that are seen.
struct Keeper {
    wanted: Vec<(usize, usize, Selection)>,
    found: Vec<Mutex<BTreeMap<(usize, usize), Vec<f64>>>>,
}

impl Recorder for Keeper {
    fn wants(&self, step: usize) -> bool {
        self.wanted.iter().any(|(own, ..)| *own == step)
    }

    fn record(&self, replicate: usize, step: usize, layers: Frame) {
        let mut found = self.found[replicate].lock().unwrap_or_else(PoisonError::into_inner);
        for (_, k, selection) in self.wanted.iter().filter(|(own, ..)| *own == step) {
            found.insert((*k, step), of_sites(selection, &layers));
        }
    }
}

/// A layer's numbers, or at each site whether it is in a state.
pub(super) fn of_sites(selection: &Selection, layers: &Frame) -> Vec<f64> {
    let own = &layers[selection.place];
    match selection.state {
        None => own.clone(),
        Some(state) => own.iter().map(|x| f64::from(u8::from((x - f64::from(state)).abs() < 0.5))).collect(),
    }
}

/// An ensemble on a backend that keeps none: last states are handed out, and in again, by layer, in bytes where they fit.
struct Carried<'a> {
    plan: &'a Plan,
    model: &'a Model,
    states: Vec<Arc<Numbers>>,
}

impl Ensemble for Carried<'_> {
    fn advance(&mut self, run: &Run<'_>, picks: Option<&[u32]>) -> Result<Outputs, EngineError> {
        let mut run = run.clone();
        run.wants_last = true;
        if let Some(picks) = picks {
            let picks = Arc::new(picks.to_vec());
            let field = |layer: &Arc<Numbers>| FieldData::from_parts(layer.clone(), Some(picks.clone()));
            run.start = Start::States(self.states.iter().map(field).collect());
        }
        let found = self.plan.simulate(&run)?;
        let fits = |values: &Values| {
            let (low, high) = values.range();
            values.is_integer() && low >= 0.0 && high <= 255.0
        };
        let layer = |(k, layer): (usize, &glauber_program::Layer)| {
            let numbers = found.last.iter().flat_map(|frame| frame[k].iter());
            Arc::new(match fits(&layer.values) {
                true => Numbers::Bytes(numbers.map(|x| *x as u8).collect()),
                false => Numbers::Reals(numbers.copied().collect()),
            })
        };
        self.states = self.model.declarations().layers.iter().enumerate().map(layer).collect();
        Ok(found.outputs)
    }

    fn layer(&self, replicate: usize, layer: usize) -> Vec<f64> {
        let sites = self.model.declarations().lattice.sites();
        (0..sites).map(|site| self.states[layer].at(replicate * sites + site)).collect()
    }
}
