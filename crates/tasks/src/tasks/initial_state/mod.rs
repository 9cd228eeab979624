//! Fits the lattice a process started from, given what it looked like later and its parameters.
//!
//! Unknown: for each layer a start weight θ per site, in [0, 1]. Each evaluation draws a start per replicate, runs the
//! model, and compares every observed frame with the replicates' occupancy:
//!
//! ```text
//! m_x(k) = (replicates with state k at site x + ½) / (R + K/2)
//! cross-entropy  = − mean over frames, layers, sites of ln m_x(observed state)
//! squared-error  =   mean over frames, layers, sites of Σ_k (m_x(k) − [observed state is k])²
//! ```
//!
//! - K: states of the layer; R: replicates per gradient;
//! - a start: every site *on* with probability θ, each alone; or, where the number n of starting sites is known, n
//!   sites drawn with probability θ/Σθ each. Other sites are off. *Off* and *on* are 0 and 1 of a binary layer, the
//!   first and second state of a layer of named states (tree and burning, susceptible and infected).
//!
//! The gradient goes through all steps and, straight-through, from the drawn start into θ. Both losses are of the mean
//! over replicates, not of single ones, so noise that no start can explain does not pull. Two passes per evaluation,
//! on the same noise: forwards for m, then forwards and backwards with ∂loss/∂m as weights.
//!
//! The map alone is known to rank sites near the true start well, not to be a calibrated probability;
//! [`refine`] turns its best sites into one.
//!
//! Reference: the state-fitting task of Schering, Keemink & Textor 2023, taken through the dynamics.

mod occupancy;
mod refine;
mod starts;

pub use occupancy::ObservedFrame;
pub use refine::{Misfit, Refinement, RefinementSettings, refine};

use glauber_engine::{EngineError, FieldData, LossValue, Observation, Options, Plan, Run};
use glauber_lattice::Values;
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::{Estimator, Expr, Layer, Model, ModelError};

use crate::tasks::transition::failed;
use glauber_optimize::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};
use occupancy::{Occupancy, check_frames};
use starts::Starts;

/// Why an initial state cannot be fitted.
#[derive(Debug, thiserror::Error)]
pub enum InitialStateError {
    /// A layer that is neither binary nor of named states.
    #[error(
        "layer `{layer}` of model `{model}` holds {values}: an initial state can be fitted for layers of 0 and 1 or of \
         named states"
    )]
    NotStates {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// What it holds.
        values: String,
    },
    /// No frame, or one that does not fit.
    #[error("{0}")]
    Frames(String),
    /// More starting sites than there are sites.
    #[error("{wanted} sites cannot start on a lattice of {sites}: give a number from 1 to {sites}")]
    TooManyStarts {
        /// Asked for.
        wanted: usize,
        /// There are.
        sites: usize,
    },
    /// A mistake in the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What is minimised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateLoss {
    /// − mean ln occupancy of what was observed.
    #[default]
    CrossEntropy,
    /// Squared distance between occupancy and observation.
    SquaredError,
}

impl StateLoss {
    /// Every loss by its name in a fit file.
    pub const ALL: [(&'static str, StateLoss); 2] =
        [("cross-entropy", StateLoss::CrossEntropy), ("squared-error", StateLoss::SquaredError)];
}

/// How an initial state is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitialStateSettings {
    /// Rollouts per gradient.
    pub replicates: usize,
    /// How many sites of each layer started, where that is known.
    pub start_sites: Option<usize>,
    /// What is minimised.
    pub loss: StateLoss,
    /// The weight of the mean start probability in the loss, at least 0: prefers few starters. Of no effect where the
    /// number of starting sites is known.
    pub sparsity: f64,
    /// The seed of the noise.
    pub seed: u64,
    /// How the engine runs.
    pub options: Options,
}

/// The objective: start weights whose rollouts look like the observed frames.
pub struct InitialState {
    unknowns: Vec<Unknown>,
    forward: Plan,
    plan: Plan,
    scene: Scene,
    settings: InitialStateSettings,
}

/// What was observed of which model: all that does not change during a fit.
#[derive(Clone, Debug)]
struct Scene {
    parameters: Vec<f64>,
    fields: Vec<(String, FieldData)>,
    frames: Vec<ObservedFrame>,
    /// States per layer.
    states: Vec<usize>,
    sites: usize,
}

/// The name of a layer's field of start weights.
pub fn start_field(layer: &str) -> String {
    format!("start of {layer}")
}

fn weight_field(layer: &str, state: usize, frame: usize) -> String {
    format!("weight of {layer} {state} in frame {frame}")
}

impl InitialState {
    /// An objective for `model` at known `parameters`; `fields` are its covariates.
    ///
    /// # Errors
    /// [`InitialStateError`] where a layer has no states to start in or a frame does not fit the lattice.
    pub fn new(
        model: &Model,
        (parameters, fields): (&[f64], &[(String, FieldData)]),
        frames: Vec<ObservedFrame>,
        estimator: &dyn Estimator,
        settings: InitialStateSettings,
    ) -> Result<InitialState, InitialStateError> {
        let scene = Scene::new(model, parameters, fields, frames)?;
        let declarations = model.declarations();
        let sites = scene.sites;
        if let Some(wanted) = settings.start_sites.filter(|n| !(1..=sites).contains(n)) {
            return Err(InitialStateError::TooManyStarts { wanted, sites });
        }
        let forward = Plan::new(model, &[], None, settings.options)?;
        let observations = weighing(model, &scene)?;
        let plan = Plan::new(model, &observations, Some(estimator), settings.options)?;
        // Weights that are normalised have no upper end, where they would all pile up.
        let interval = if settings.start_sites.is_some() { Interval::positive() } else { Interval::unit() };
        let unknown =
            |layer: &Layer| Unknown::field(&start_field(&layer.name), interval, declarations.lattice.shape());
        let unknowns = declarations.layers.iter().map(unknown).collect();
        Ok(InitialState { unknowns, forward, plan, scene, settings })
    }

    /// Where θ begins where nobody says: everywhere the same, one site's worth in all, at most ½.
    pub fn usual_start(&self) -> Vec<f64> {
        let expected = self.settings.start_sites.unwrap_or(1) as f64;
        let each = (expected / self.scene.sites as f64).min(0.5);
        vec![each; self.scene.sites * self.unknowns.len()]
    }

    /// The expected number of starts per site: θ itself, or scaled to the known number of sites.
    pub fn probabilities(&self, theta: &[f64]) -> Vec<f64> {
        let own = |layer: &[f64]| Starts::new(layer, self.settings.start_sites).probabilities();
        theta.chunks_exact(self.scene.sites).flat_map(own).collect()
    }
}

impl Scene {
    fn new(
        model: &Model,
        parameters: &[f64],
        fields: &[(String, FieldData)],
        mut frames: Vec<ObservedFrame>,
    ) -> Result<Scene, InitialStateError> {
        let declarations = model.declarations();
        let mut states = Vec::new();
        for layer in &declarations.layers {
            states.push(match &layer.values {
                Values::Binary => 2,
                Values::Categories(names) if names.len() >= 2 => names.len(),
                values => {
                    let (model, layer, values) =
                        (model.name().into(), layer.name.clone(), values.to_string());
                    return Err(InitialStateError::NotStates { model, layer, values });
                }
            });
        }
        let sites = declarations.lattice.sites();
        frames.sort_by_key(|f| f.step);
        check_frames(&frames, &states, sites)?;
        Ok(Scene { parameters: parameters.to_vec(), fields: fields.to_vec(), frames, states, sites })
    }

    fn last_step(&self) -> usize {
        self.frames.iter().map(|f| f.step).max().unwrap_or(1)
    }

    /// A run from these starts, without observations.
    fn run(&self, seed: u64, starts: Vec<FieldData>, replicates: usize) -> Run<'_> {
        let mut run = Run::new(&self.parameters, self.last_step()).replicates(replicates).seed(seed);
        run.fields.clone_from(&self.fields);
        run.start(starts)
    }
}

/// Per frame the weighted number of sites in each state, as an observation.
fn weighing(model: &Model, scene: &Scene) -> Result<Vec<Observation>, ModelError> {
    let layers = &model.declarations().layers;
    let frame = |frame: usize| {
        model.observe(|s| {
            let mut total = s.number(0.0);
            for (layer, states) in layers.iter().zip(&scene.states) {
                for state in 0..*states {
                    let weight = s.data(&weight_field(&layer.name, state, frame));
                    let there = match (states, &layer.values) {
                        (2, Values::Binary) => two_states(s.layer(&layer.name), state),
                        _ => s.layer(&layer.name).is(state as u32),
                    };
                    total = total + (weight * there).sum();
                }
            }
            s.output("weighted", total);
        })
    };
    (0..scene.frames.len()).map(|number| frame(number).map(Observation::Program)).collect()
}

/// Whether a layer of two states is in the second or first: linear, so that the derivative is that of the value.
fn two_states(value: Expr, state: usize) -> Expr {
    if state == 1 { value } else { 1.0 - value }
}

impl Objective for InitialState {
    fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let (scene, settings) = (&self.scene, &self.settings);
        let seed = derive_seed(settings.seed, Purpose::InitialState, iteration);
        let replicates = settings.replicates.max(1);
        let by_layer: Vec<Starts> =
            theta.chunks_exact(scene.sites).map(|layer| Starts::new(layer, settings.start_sites)).collect();
        let states = || -> Vec<FieldData> {
            by_layer.iter().enumerate().map(|(n, s)| s.draw(seed, n as u32, replicates)).collect()
        };
        let occupancy = Occupancy::count(&self.forward, scene, &scene.run(seed, states(), replicates));
        let occupancy = occupancy.map_err(failed)?;
        let mut value = occupancy.loss(scene, settings.loss);

        let mut run = scene.run(seed, states(), replicates);
        run.wants_start_gradient = true;
        for (number, frame) in scene.frames.iter().enumerate() {
            for (layer, states) in scene.states.iter().enumerate() {
                let name = &self.plan.declarations().layers[layer].name;
                for state in 0..*states {
                    let weights = occupancy.slopes(scene, settings.loss, number, layer, state);
                    run = run.with_field(&weight_field(name, state, number), FieldData::shared(weights));
                }
            }
            run = run.observe(frame.step, number);
        }
        let linear = |m: &[f64]| LossValue { value: m.iter().sum(), slopes: vec![1.0; m.len()] };
        let found = self.plan.gradient(&run, &linear).map_err(failed)?;
        let mut gradient = Vec::with_capacity(theta.len());
        let mut first = 0;
        for (layer, starts) in self.plan.declarations().layers.iter().zip(&by_layer) {
            // Off and on are the first two states of a layer that has a derivative for each.
            let off = first;
            let on = first + usize::from(layer.adjoint_places() > 1);
            first += layer.adjoint_places();
            gradient.extend(starts.pull_back(found.start.iter().map(|planes| (&planes[off], &planes[on]))));
        }
        if settings.start_sites.is_none() {
            let sites = scene.sites as f64;
            gradient.iter_mut().for_each(|slope| *slope += settings.sparsity / sites);
            value += settings.sparsity * theta.iter().sum::<f64>() / sites;
        }
        Ok(Evaluation { value, gradient })
    }
}
