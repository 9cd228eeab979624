//! Fits the lattice a process started from, given what it looked like later and its parameters.
//!
//! Unknown: for each binary layer a start probability p per site. Each evaluation draws starts from p, runs the model,
//! and compares every observed frame with the simulated one:
//!
//! loss = Σ over frames of the mean over sites of (x̂ − x)², plus `sparsity` · Σ over sites of p / number of sites.
//!
//! The gradient goes through all steps and, straight-through, into p. The loss sees each draw through its mean over
//! replicates, so it is the mean lattice that is fitted to the observation.
//!
//! Reference: the state-fitting task of Schering, Keemink & Textor 2023, taken through the dynamics.

use glauber_engine::noise::derive_seed;
use glauber_engine::{EngineError, FieldData, LossValue, Observation, Options, Plan, Run};
use glauber_lattice::Values;
use glauber_program::{Estimator, Field, FieldKind, Model, ModelError, Scope, Stage};

use crate::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};
use crate::tasks::transition::failed;

/// What the noise of an evaluation is for.
const NOISE: u32 = 21;

/// Why an initial state cannot be fitted.
#[derive(Debug, thiserror::Error)]
pub enum InitialStateError {
    /// A layer that is not binary.
    #[error(
        "layer `{layer}` of model `{model}` holds {values}: an initial state can be fitted for binary layers only"
    )]
    NotBinary {
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
    /// A mistake in the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// One observed lattice: after how many steps, and for each layer its dense values.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedFrame {
    /// Steps after the unknown start, at least 1.
    pub step: usize,
    /// One field per layer.
    pub layers: Vec<Vec<f64>>,
}

/// The objective: start probabilities whose rollouts look like the observed frames.
pub struct InitialState {
    unknowns: Vec<Unknown>,
    plan: Plan,
    parameters: Vec<f64>,
    frames: Vec<ObservedFrame>,
    layers: Vec<String>,
    replicates: usize,
    sparsity: f64,
    seed: u64,
}

/// How an initial state is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitialStateSettings {
    /// Rollouts per gradient.
    pub replicates: usize,
    /// The weight of the mean start probability in the loss: prefers few starters.
    pub sparsity: f64,
    /// The seed of the noise.
    pub seed: u64,
    /// How the engine runs.
    pub options: Options,
}

/// The name of a layer's field of start probabilities.
pub fn start_field(layer: &str) -> String {
    format!("start of {layer}")
}

fn frame_field(layer: &str, frame: usize) -> String {
    format!("observed {layer} {frame}")
}

impl InitialState {
    /// An objective for `model` at known `parameters`.
    ///
    /// # Errors
    /// [`InitialStateError`] where a layer is not binary or a frame does not fit the lattice.
    pub fn new(
        model: &Model,
        parameters: &[f64],
        frames: Vec<ObservedFrame>,
        estimator: &dyn Estimator,
        settings: InitialStateSettings,
    ) -> Result<InitialState, InitialStateError> {
        let declarations = model.declarations();
        let layers: Vec<String> = declarations.layers.iter().map(|l| l.name.clone()).collect();
        if let Some(layer) = declarations.layers.iter().find(|l| l.values != Values::Binary) {
            let (model, layer, values) = (model.name().into(), layer.name.clone(), layer.values.to_string());
            return Err(InitialStateError::NotBinary { model, layer, values });
        }
        let sites = declarations.lattice.sites();
        if frames.is_empty() {
            return Err(InitialStateError::Frames(
                "no frame was observed: give at least one lattice after the start".into(),
            ));
        }
        for frame in &frames {
            let sizes = frame.layers.len() == layers.len() && frame.layers.iter().all(|l| l.len() == sites);
            if !sizes || frame.step == 0 {
                return Err(InitialStateError::Frames(format!(
                    "the frame observed after {} steps must hold {sites} sites for each of {} layers, and lie at least \
                     one step after the start",
                    frame.step,
                    layers.len()
                )));
            }
        }
        let started = with_unknown_start(model, &layers)?;
        let observations = distances(&started, &layers, frames.len())?;
        let plan = Plan::new(&started, &observations, Some(estimator), settings.options)?;
        let unknown = |layer: &String| {
            Unknown::field(&start_field(layer), Interval::unit(), declarations.lattice.shape())
        };
        Ok(InitialState {
            unknowns: layers.iter().map(unknown).collect(),
            plan,
            parameters: parameters.to_vec(),
            frames,
            layers,
            replicates: settings.replicates.max(1),
            sparsity: settings.sparsity,
            seed: settings.seed,
        })
    }

    fn run<'a>(&'a self, theta: &[f64], iteration: u64) -> Run<'a> {
        let last = self.frames.iter().map(|f| f.step).max().unwrap_or(1);
        let mut run = Run::new(&self.parameters, last)
            .replicates(self.replicates)
            .seed(derive_seed(self.seed, NOISE, iteration));
        let sites = self.plan.declarations().lattice.sites();
        for (layer, p) in self.layers.iter().zip(theta.chunks_exact(sites)) {
            run = run.with_field(&start_field(layer), FieldData::shared(p.to_vec()));
        }
        for (number, frame) in self.frames.iter().enumerate() {
            for (layer, values) in self.layers.iter().zip(&frame.layers) {
                run = run.with_field(&frame_field(layer, number), FieldData::shared(values.clone()));
            }
            run = run.observe(frame.step, number);
        }
        run
    }
}

/// The same model, started by one draw per site with unknown probability.
fn with_unknown_start(model: &Model, layers: &[String]) -> Result<Model, ModelError> {
    let mut declarations = model.declarations().clone();
    declarations.draws.clear();
    declarations.outputs.clear();
    declarations.neighbourhoods.clear();
    declarations.fields = layers
        .iter()
        .map(|layer| Field { name: start_field(layer), kind: FieldKind::Parameter(Interval::unit()) })
        .collect();
    let scope = Scope::open(declarations, Stage::Start);
    for layer in layers {
        scope.next(layer).bernoulli(scope.field(&start_field(layer)));
    }
    Ok(Model { start: Some(scope.close()?), step: model.step.clone() })
}

/// For each frame the mean squared distance to it, as an observation.
fn distances(model: &Model, layers: &[String], frames: usize) -> Result<Vec<Observation>, ModelError> {
    let distance = |frame: usize| {
        model.observe(|s| {
            let mut total = s.number(0.0);
            for layer in layers {
                let error = s.layer(layer) - s.data(&frame_field(layer, frame));
                total = total + (error * error).mean();
            }
            s.output("distance", total);
        })
    };
    (0..frames).map(|frame| distance(frame).map(Observation::Program)).collect()
}

impl Objective for InitialState {
    fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let run = self.run(theta, iteration);
        let loss = |m: &[f64]| LossValue { value: m.iter().sum(), slopes: vec![1.0; m.len()] };
        let found = self.plan.gradient(&run, &loss).map_err(failed)?;
        let sites = self.plan.declarations().lattice.sites() as f64;
        let mut gradient = Vec::with_capacity(theta.len());
        for layer in &self.layers {
            let name = start_field(layer);
            let own = found.fields.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
            gradient.extend(own.unwrap_or_else(|| vec![0.0; sites as usize]));
        }
        gradient.iter_mut().for_each(|g| *g += self.sparsity / sites);
        let value = found.value + self.sparsity * theta.iter().sum::<f64>() / sites;
        Ok(Evaluation { value, gradient })
    }
}
