//! Compares what every estimator says of a gradient with what the gradient is.
//!
//! What is asked is what each site adds up to after some steps: the layers' means, how like the state still is to the one it
//! started from, and how like neighbours are. A mean alone is the same for ever in some models, whatever the parameters (the
//! voter, exclusion, walks, Ising without a field), and every estimator would agree about nothing. All replicates start from
//! one state, drawn as the model says; where a parameter acts on the start they draw their own, and likeness to it is left out.
//!
//! The reference is the estimator `differences`: every replicate is run at parameters on both sides with the same noise, so
//! that the difference is of paths and not of luck; its bias is of order h⁴. At an end of a parameter's interval it is taken
//! from one side, with a bias of order h³. Its runs are others than those it is compared with.
//!
//! Where sites are updated one after another no other estimator has a gradient: the check says how noisy differences are.
//!
//! An estimator "differs" where its mean lies outside the bound that both standard errors allow at a false-alarm rate of
//! 10⁻⁴ for the whole table, or is no number. It "agrees" where it does not and half as much as the gradient itself would
//! have been seen; else the check "cannot tell", and more replicates would.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use glauber_engine::{
    BackendName, EngineError, FieldData, LossValue, Observation, Options, Plan, Run, differences,
};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::estimators::{Differences, ESTIMATORS, EstimatorOptions};
use glauber_program::{Estimator, Model, ModelError, Op, Program};

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

/// What comes out of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No difference was seen, and one of half the gradient would have been.
    Agrees,
    /// No difference was seen, but none that matters would have been.
    CannotTell,
    /// It is another number, or none.
    Differs,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Agrees => "agrees",
            Verdict::CannotTell => "cannot tell",
            Verdict::Differs => "differs",
        }
    }
}

/// What one estimator says.
#[derive(Clone, Debug, PartialEq)]
pub struct EstimatorCheck {
    /// Its name.
    pub name: &'static str,
    /// Its gradient by every parameter.
    pub gradient: Vec<Measured>,
    /// By how much that is off the reference, with the error of both.
    pub off: Vec<Measured>,
    /// The standard deviation of one gradient by every parameter, at the cost of 100 rollouts. A gradient by differences
    /// costs several for each replicate, others one and the way back through it.
    pub deviation: Vec<f64>,
    /// Of how many rollouts the mean is off by more than its noise, where it is off at all.
    pub outweighs: Vec<Option<f64>>,
    /// Of every parameter whether it agrees with the reference.
    pub verdicts: Vec<Verdict>,
    /// Whether it agrees with the reference for every parameter.
    pub agrees: bool,
    /// When it is unbiased, in its own words.
    pub bias: String,
}

impl EstimatorCheck {
    /// Of all parameters together: the worst.
    pub fn verdict(&self) -> Verdict {
        self.verdicts.iter().copied().max().unwrap_or(Verdict::Agrees)
    }

    /// Of an estimator by scores: the parameters by which its gradient is exactly 0 and should not be.
    fn without_score(&self, names: &[String], theta: &[f64]) -> Option<String> {
        let zero = |k: &usize| self.gradient[*k].mean.abs() + self.gradient[*k].standard_error <= 0.0;
        let differs = |k: &usize| self.verdicts[*k] == Verdict::Differs;
        let told: Vec<String> = (0..names.len())
            .filter(|k| zero(k) && differs(k))
            .map(|k| format!("`{}` = {}", names[k], theta[k]))
            .collect();
        (!told.is_empty()).then(|| {
            format!(
                "{}: at {} draws have a probability of exactly 0 or 1, and what they might have been no score: its gradient by it \
                 is 0 there. Ask a little inside the interval",
                self.name,
                told.join(", ")
            )
        })
    }
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
    /// What was left out, and why.
    pub notes: Vec<String>,
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
    /// What runs it, where that is not this machine's cores.
    pub backend: Option<BackendName>,
}

impl Default for CheckSettings {
    fn default() -> CheckSettings {
        CheckSettings { steps: 3, replicates: 200, batches: 20, seed: 1, backend: None }
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

/// Batches of the reference, for each of an estimator's.
const REFERENCE: usize = 3;

/// Chance of one false "differs" in a whole table.
const FALSE_ALARM: f64 = 1e-4;

/// An estimator agrees only where a difference of this part of the gradient would have been seen.
const POWER: f64 = 0.5;

/// So many states are drawn, of which one is taken that is not the same everywhere.
const DRAWN: usize = 256;

/// A parameter matters where it moves what is asked by this part of what the one that moves it most does, or more.
const MATTERS: f64 = 0.1;

/// Rounding in single precision, for gradients without noise, and the fourth power of the difference's step.
const ROUNDING: f64 = 5e-4;

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
    let by_events = model.update().is_by_events();
    let asked = Asked::new(model, covariates, theta, (settings, stop))?;
    let parameters: Vec<String> = model.declarations().parameters.iter().map(|p| p.name.clone()).collect();
    let reference = asked.reference()?;
    let comparisons = ESTIMATORS.len() * parameters.len();
    let quantile = tolerance::mean_within(1.0, FALSE_ALARM / comparisons.max(1) as f64);
    let (mut estimators, mut notes) = (Vec::new(), Vec::new());
    if by_events {
        notes.push(format!(
            "{}; the check compares `differences` with themselves, on other runs",
            EngineError::no_way_back(model)
        ));
    }
    let idle = model.idle(true);
    notes.extend(parameters.iter().filter(|name| idle.contains(name)).map(|name| {
        format!("nothing that the model does depends on `{name}`: all gradients by it are 0, which tells of no estimator")
    }));
    for entry in ESTIMATORS {
        let estimator = (entry.make)(EstimatorOptions::default());
        if by_events && !estimator.by_differences() {
            continue;
        }
        let gradient = match asked.gradient(&*estimator, 0..settings.batches, &mut notes) {
            Err(CheckError::Engine(
                error @ (EngineError::NoDifferences { .. } | EngineError::NoMean { .. }),
            )) => {
                notes.push(format!("{} is left out: {error}", entry.name));
                continue;
            }
            other => other?,
        };
        let found = asked.compared(entry.name, &*estimator, (gradient, &reference), quantile);
        if estimator.needs_advantage() {
            notes.extend(found.without_score(&parameters, theta));
        }
        estimators.push(found);
    }
    Ok(Check { parameters, theta: theta.to_vec(), kind: "finite-difference", reference, estimators, notes })
}

/// What is asked of a model, and how often.
struct Asked<'a> {
    model: &'a Model,
    theta: &'a [f64],
    settings: CheckSettings,
    stop: Option<&'a AtomicBool>,
    observation: Program,
    /// Covariates, and what the observation reads of the start.
    fields: Covariates,
    /// The state that all replicates start from; each draws its own where there is none.
    start: Option<Vec<FieldData>>,
}

impl<'a> Asked<'a> {
    fn new(
        model: &'a Model,
        covariates: &Covariates,
        theta: &'a [f64],
        (settings, stop): (CheckSettings, Option<&'a AtomicBool>),
    ) -> Result<Asked<'a>, CheckError> {
        let acts = |op: &Op| matches!(op, Op::Parameter(_) | Op::Field(_));
        let drawn = model.start.as_ref().is_some_and(|p| !p.instructions().iter().any(|i| acts(&i.op)));
        let mut asked = Asked {
            model,
            theta,
            settings,
            stop,
            observation: likeness(model, false)?,
            fields: covariates.clone(),
            start: None,
        };
        if drawn {
            let plan = Plan::new(model, &[], None, Options::default())?;
            let seed = derive_seed(settings.seed, Purpose::Check, u64::MAX);
            let run = Run { fields: covariates.clone(), interrupt: stop, ..Run::new(theta, 0) };
            let drawn = plan.simulate(&run.seed(seed).replicates(DRAWN))?.last;
            // From an empty lattice nothing may ever happen: one is taken where something is, in most layers.
            let uneven = |x: &Vec<f64>| x.iter().any(|y| y.to_bits() != x[0].to_bits());
            let varied = |state: &Vec<Vec<f64>>| state.iter().filter(|x| uneven(x)).count();
            let most = drawn.iter().map(varied).max().unwrap_or(0);
            let Some(first) = drawn.into_iter().find(|state| varied(state) == most).filter(|_| most > 0)
            else {
                return Ok(asked);
            };
            for (layer, numbers) in model.declarations().layers.iter().zip(&first) {
                let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
                for class in 0..layer.adjoint_places() {
                    let like = |x: &f64| if layer.is_nominal() { same(*x, class) } else { x - mean };
                    let weights: Vec<f64> = numbers.iter().map(like).collect();
                    asked.fields.push((weight(&layer.name, class), FieldData::shared(weights)));
                }
            }
            asked.observation = likeness(model, true)?;
            asked.start = Some(first.into_iter().map(FieldData::shared).collect());
        }
        Ok(asked)
    }

    /// How its plans run.
    fn options(&self) -> Options {
        Options { backend: self.settings.backend, ..Options::default() }
    }

    fn run<'b>(&self, theta: &'b [f64], batch: usize) -> Run<'b>
    where
        'a: 'b,
    {
        let settings = self.settings;
        let run =
            Run { fields: self.fields.clone(), interrupt: self.stop, ..Run::new(theta, settings.steps) }
                .replicates(settings.replicates)
                .seed(derive_seed(settings.seed, Purpose::Check, batch as u64))
                .observe(settings.steps, 0)
                .without_last();
        match &self.start {
            Some(start) => run.start(start.clone()),
            None => run,
        }
    }

    /// An estimator's gradient, from batches with these numbers.
    fn gradient(
        &self,
        estimator: &dyn Estimator,
        numbers: Range<usize>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Measured>, CheckError> {
        let observation = Observation::Program(self.observation.clone());
        let plan = Plan::new(self.model, &[observation], Some(estimator), self.options())?;
        notes.extend(plan.notes().iter().cloned());
        let mut batches = Vec::new();
        for batch in numbers {
            let run = self.run(self.theta, batch);
            let gradient = plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] })?;
            batches.push(gradient.parameters);
        }
        Ok(measured(&batches, self.theta.len()))
    }

    /// The gradient, by differences of other runs than the estimators'. A parameter field stands as it is.
    fn reference(&self) -> Result<Vec<Measured>, CheckError> {
        let others = self.settings.batches..(1 + REFERENCE) * self.settings.batches;
        match self.gradient(&Differences, others, &mut Vec::new()) {
            Err(CheckError::Engine(EngineError::NoDifferences { .. })) => self.parameters_alone(),
            other => other,
        }
    }

    /// The gradient by the parameters of a model that has parameter fields too.
    fn parameters_alone(&self) -> Result<Vec<Measured>, CheckError> {
        let observation = Observation::Program(self.observation.clone());
        let plan = Plan::new(self.model, &[observation], None, self.options())?;
        let mut reference = Vec::new();
        for place in 0..self.theta.len() {
            let interval = self.model.declarations().parameters[place].interval;
            let places = differences::places(self.theta[place], interval);
            let mut slopes = Vec::new();
            for batch in 0..self.settings.batches {
                let mut slope = 0.0;
                for (at, weight) in &places {
                    let mut moved = self.theta.to_vec();
                    moved[place] = *at;
                    slope += weight * plan.outputs(&self.run(&moved, batch))?.mean()[0];
                }
                slopes.push(vec![slope]);
            }
            reference.extend(measured(&slopes, 1));
        }
        Ok(reference)
    }

    fn compared(
        &self,
        name: &'static str,
        estimator: &dyn Estimator,
        (gradient, reference): (Vec<Measured>, &[Measured]),
        quantile: f64,
    ) -> EstimatorCheck {
        let size = |place: usize| {
            differences::size(self.theta[place], self.model.declarations().parameters[place].interval)
        };
        let effects = reference.iter().enumerate().map(|(place, r)| r.mean.abs() * size(place));
        let most = effects.fold(0.0, f64::max);
        let rollouts = (self.settings.batches * self.settings.replicates) as f64;
        let runs = if estimator.by_differences() { 1.0 + 4.0 * self.theta.len() as f64 } else { 1.0 };
        let (mut off, mut deviation, mut outweighs, mut verdicts) = (vec![], vec![], vec![], vec![]);
        for (place, (own, reference)) in gradient.iter().zip(reference).enumerate() {
            let error = own.standard_error.hypot(reference.standard_error);
            let bias = own.mean - reference.mean;
            let bound = quantile * error;
            let rounding = ROUNDING * reference.mean.abs().max(1e-6);
            let seen = bias.abs() <= bound + rounding;
            let matters = reference.mean.abs().max(MATTERS * most / size(place));
            let verdict = match seen {
                // Also where it is no number.
                false => Verdict::Differs,
                // Two noughts without noise: what is asked does not know the parameter.
                true if own.mean.abs() + reference.mean.abs() + error <= 0.0 => Verdict::CannotTell,
                true if bound <= POWER * matters && matters > 0.0 => Verdict::Agrees,
                true => Verdict::CannotTell,
            };
            let single = own.standard_error * (rollouts * runs).sqrt();
            off.push(Measured { mean: bias, standard_error: error });
            deviation.push(single / 10.0);
            let many = (single / bias).powi(2);
            outweighs.push((verdict == Verdict::Differs && many.is_finite()).then(|| many.max(1.0)));
            verdicts.push(verdict);
        }
        let agrees = verdicts.iter().all(|v| *v == Verdict::Agrees);
        let bias = estimator.bias().to_string();
        EstimatorCheck { name, gradient, off, deviation, outweighs, verdicts, agrees, bias }
    }
}

/// The name of what a layer's start weighs its numbers by.
fn weight(layer: &str, class: usize) -> String {
    format!("weight of {layer} {class}")
}

/// Whether a state is of a class.
fn same(x: f64, class: usize) -> f64 {
    f64::from(u8::from((x - class as f64).abs() < 0.5))
}

/// What is asked: of all layers the mean, how like neighbours are, and how like the start it still is.
fn likeness(model: &Model, to_start: bool) -> Result<Program, ModelError> {
    let layers = model.declarations().layers.clone();
    model.observe(|s| {
        let mut total = s.number(0.0);
        for layer in &layers {
            let x = s.layer(&layer.name);
            let next = |x: glauber_program::Expr| x.shift([0, 0, 1]);
            if layer.is_nominal() {
                for class in 0..layer.adjoint_places() {
                    let own = x.is(class as u32);
                    total = total + own.mean() * (class as f64) + (own * next(own)).mean();
                    if to_start {
                        total = total + (own * s.data(&weight(&layer.name, class))).mean();
                    }
                }
                continue;
            }
            total = total + x.mean() + (x * next(x)).mean() * 0.5;
            if to_start {
                total = total + (x * s.data(&weight(&layer.name, 0))).mean();
            }
        }
        s.output("likeness", total);
    })
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
