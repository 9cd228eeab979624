//! Compares what every estimator says of a gradient with what the gradient is.
//!
//! The objective is the mean over sites of each layer (one at a time summed) after some steps: linear in the final
//! state. The reference is the central finite difference of its mean with common noise: every replicate is run twice
//! with the same noise, so that the difference is of paths and not of luck; its bias is of order h².
//!
//! An estimator's verdict is "agrees" where its mean lies within the bound that both standard errors allow at a
//! false-alarm rate of 10⁻⁴ for the whole table, else "differs".

use std::sync::atomic::AtomicBool;

use glauber_engine::{EngineError, LossValue, Observation, Options, Plan, Run};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::estimators::{ESTIMATORS, EstimatorOptions};
use glauber_program::{Model, ModelError, Program};

use crate::covariates::Covariates;
use glauber_statistics::tolerance;

/// A number with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Its mean.
    pub mean: f64,
    /// The standard error of the mean.
    pub standard_error: f64,
}

/// What one estimator says.
#[derive(Clone, Debug, PartialEq)]
pub struct EstimatorCheck {
    /// Its name.
    pub name: &'static str,
    /// Its gradient by every parameter.
    pub gradient: Vec<Measured>,
    /// Whether it agrees with the reference for every parameter.
    pub agrees: bool,
    /// When it is unbiased, in its own words.
    pub bias: String,
}

/// The whole comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The names of the parameters.
    pub parameters: Vec<String>,
    /// Where.
    pub theta: Vec<f64>,
    /// How the reference was found.
    pub kind: &'static str,
    /// The gradient's reference by every parameter.
    pub reference: Vec<Measured>,
    /// The estimators.
    pub estimators: Vec<EstimatorCheck>,
}

/// How much a check works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckSettings {
    /// Steps of the rollout.
    pub steps: usize,
    /// Replicates per batch.
    pub replicates: usize,
    /// Batches, whose spread gives the standard errors; at least 2.
    pub batches: usize,
    /// The seed.
    pub seed: u64,
}

impl Default for CheckSettings {
    fn default() -> CheckSettings {
        CheckSettings { steps: 3, replicates: 200, batches: 20, seed: 1 }
    }
}

/// Why a check could not run.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A mistake in the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Chance of one false "differs" in a whole table.
const FALSE_ALARM: f64 = 1e-4;

/// Checks every estimator at θ, with the covariates that the model declares.
///
/// # Errors
/// [`CheckError`] where the model cannot be run at θ.
pub fn check(
    model: &Model,
    covariates: &Covariates,
    theta: &[f64],
    settings: CheckSettings,
) -> Result<Check, CheckError> {
    check_until(model, covariates, theta, settings, None)
}

/// As [`check`], until the flag is raised.
///
/// # Errors
/// As [`check`]; [`EngineError::Interrupted`] where the flag was raised.
pub fn check_until(
    model: &Model,
    covariates: &Covariates,
    theta: &[f64],
    settings: CheckSettings,
    stop: Option<&AtomicBool>,
) -> Result<Check, CheckError> {
    if model.update().is_by_events() {
        return Err(EngineError::no_way_back(model).into());
    }
    let observation = layer_means(model)?;
    let parameters: Vec<String> = model.declarations().parameters.iter().map(|p| p.name.clone()).collect();
    let reference = finite_differences(model, covariates, &observation, theta, (settings, stop))?;
    let comparisons = ESTIMATORS.len() * parameters.len();
    let quantile = tolerance::mean_within(1.0, FALSE_ALARM / comparisons.max(1) as f64);
    let mut estimators = Vec::new();
    for entry in ESTIMATORS {
        let estimator = (entry.make)(EstimatorOptions::default());
        let plan = Plan::new(model, &[observation.clone().into()], Some(&*estimator), Options::default())?;
        let mut batches = Vec::new();
        for batch in 0..settings.batches {
            let run = run_of(theta, covariates, (settings, stop), batch);
            let gradient = plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] })?;
            batches.push(gradient.parameters);
        }
        let gradient = measured(&batches, parameters.len());
        let agrees = gradient.iter().zip(&reference).all(|(own, reference)| {
            let error = own.standard_error.hypot(reference.standard_error);
            // Rounding in single precision, for gradients without noise.
            let rounding = 1e-4 * reference.mean.abs().max(1e-6);
            (own.mean - reference.mean).abs() <= quantile * error + rounding
        });
        estimators.push(EstimatorCheck {
            name: entry.name,
            gradient,
            agrees,
            bias: estimator.bias().to_string(),
        });
    }
    Ok(Check { parameters, theta: theta.to_vec(), kind: "finite-difference", reference, estimators })
}

/// The sum of the layers' means over sites.
fn layer_means(model: &Model) -> Result<Program, ModelError> {
    let layers: Vec<String> = model.declarations().layers.iter().map(|l| l.name.clone()).collect();
    model.observe(|s| {
        let total = layers.iter().fold(s.number(0.0), |sum, layer| sum + s.layer(layer).mean());
        s.output("mean", total);
    })
}

fn run_of<'a>(
    theta: &'a [f64],
    covariates: &Covariates,
    (settings, stop): (CheckSettings, Option<&'a AtomicBool>),
    batch: usize,
) -> Run<'a> {
    Run { fields: covariates.clone(), interrupt: stop, ..Run::new(theta, settings.steps) }
        .replicates(settings.replicates)
        .seed(derive_seed(settings.seed, Purpose::Check, batch as u64))
        .observe(settings.steps, 0)
}

fn finite_differences(
    model: &Model,
    covariates: &Covariates,
    observation: &Program,
    theta: &[f64],
    (settings, stop): (CheckSettings, Option<&AtomicBool>),
) -> Result<Vec<Measured>, CheckError> {
    let plan = Plan::new(model, &[Observation::Program(observation.clone())], None, Options::default())?;
    let mut reference = Vec::new();
    for place in 0..theta.len() {
        let interval = model.declarations().parameters[place].interval;
        let room = (theta[place] - interval.lowest).min(interval.highest - theta[place]);
        let step = (0.02 * theta[place].abs().max(0.1)).min(room.max(0.0));
        let mut slopes = Vec::new();
        for batch in 0..settings.batches {
            let at = |sign: f64| -> Result<f64, EngineError> {
                let mut moved = theta.to_vec();
                moved[place] += sign * step;
                Ok(plan.simulate(&run_of(&moved, covariates, (settings, stop), batch))?.outputs.mean()[0])
            };
            slopes.push(vec![(at(1.0)? - at(-1.0)?) / (2.0 * step)]);
        }
        reference.extend(measured(&slopes, 1));
    }
    Ok(reference)
}

/// Mean and standard error over batches.
fn measured(batches: &[Vec<f64>], width: usize) -> Vec<Measured> {
    let n = batches.len() as f64;
    (0..width)
        .map(|k| {
            let mean = batches.iter().map(|b| b[k]).sum::<f64>() / n;
            let variance =
                batches.iter().map(|b| (b[k] - mean) * (b[k] - mean)).sum::<f64>() / (n - 1.0).max(1.0);
            Measured { mean, standard_error: (variance / n).sqrt() }
        })
        .collect()
}
