//! Runs a fit: evaluates an objective, steps downhill, watches for the end.
//!
//! Each step k = 0, 1, …: evaluate loss and gradient at θ_k with iteration k; record them; stop if a rule says so;
//! otherwise pull the gradient back through the interval maps, clip it, and let the optimizer step. A fit of n
//! steps makes n updates and n + 1 evaluations: the last record, step n, is where it ended.
//!
//! The course depends on [`Descent`], the start and the objective alone. A fit that was interrupted and resumed
//! has the same result and trace, bit for bit.
//!
//! ```
//! use glauber_optimize::descent::{Control, Descent};
//! use glauber_optimize::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};
//! use glauber_optimize::optimizers::Choice;
//!
//! struct Parabola([Unknown; 1]);
//! impl Objective for Parabola {
//!     fn unknowns(&self) -> &[Unknown] {
//!         &self.0
//!     }
//!     fn evaluate(&mut self, theta: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
//!         let error = theta[0] - 0.3;
//!         Ok(Evaluation { value: error * error, gradient: vec![2.0 * error] })
//!     }
//! }
//!
//! let mut parabola = Parabola([Unknown::scalar("beta", Interval::unit())]);
//! let descent = Descent::new(Choice::new("adam"), 0.05, 1000);
//! let result = descent.run(&mut parabola, &[0.9], Control::default()).unwrap();
//! assert!((result.estimate("beta").unwrap().value - 0.3).abs() < 1e-6);
//! ```

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, CheckpointError, CheckpointPolicy, Identity};
use crate::clipping::Clip;
use crate::fit_result::FitResult;
use crate::maps::{Map, MapError, Maps};
use crate::objective::{Objective, ObjectiveError, Unknown};
use crate::observer::Observer;
use crate::optimizers::{Choice, OptionError};
use crate::schedule::{LearningRate, ScheduleError};
use crate::stopping::StoppingRules;
use crate::walk::Walk;

/// What a fit does, as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Descent {
    /// The optimizer, by name, with options.
    pub optimizer: Choice,
    /// The learning rate and its course.
    pub learning_rate: LearningRate,
    /// The bound on gradients, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Interval maps by unknown, where not the [usual](Map::usual) ones.
    #[serde(default)]
    pub maps: BTreeMap<String, Map>,
    /// When it ends.
    pub stopping: StoppingRules,
    /// The share of the steps, at the end, over which θ is averaged; 0 for none, at most 1.
    #[serde(default)]
    pub average: f64,
    /// Which steps the trace keeps: those divisible by this, and the last. At least 1.
    pub trace_every: u64,
    /// The seed of the objective's noise: for the record; the objective has its own copy.
    pub seed: u64,
}

/// What surrounds a fit and does not change its course.
#[derive(Default)]
pub struct Control<'a> {
    /// Who watches.
    pub observer: Option<&'a mut dyn Observer>,
    /// Raised from elsewhere (Ctrl-C) to stop before the next evaluation.
    pub interrupt: Option<&'a AtomicBool>,
    /// Where checkpoints go, if anywhere. The file stays after the fit: remove it once the result is written.
    pub checkpoint: Option<CheckpointPolicy>,
    /// What else the course depends on, in the user's words: model, data, loss, estimator, …
    pub identity: Identity,
}

/// Why a fit could not run.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A start or a map is wrong.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The optimizer or an option of it is wrong.
    #[error(transparent)]
    Optimizer(#[from] OptionError),
    /// The learning rate is wrong.
    #[error(transparent)]
    Rate(#[from] ScheduleError),
    /// Another setting is wrong.
    #[error("{0}")]
    Setting(String),
    /// The objective failed.
    #[error("at step {step} with {parameters}: {source}")]
    Objective {
        /// At which step.
        step: u64,
        /// Where.
        parameters: String,
        /// Its words.
        source: ObjectiveError,
    },
    /// Nothing depends on what is fitted, or no gradient flows to it.
    #[error(
        "the gradient by {names} was 0 in every one of {steps} steps, so nothing was fitted: what is compared does not depend \
         on the parameters, or no gradient flows to them. Start elsewhere, take data from which they can be told, another \
         loss or summary, the estimator `score-function`, or a search without gradients (`nelder-mead`)"
    )]
    NoGradient {
        /// How many steps were taken.
        steps: u64,
        /// What was fitted.
        names: String,
    },
    /// Every point that a search tried had the same loss.
    #[error(
        "every point tried in {rounds} rounds had the same loss, {loss}, so nothing was fitted: what is compared does not \
         depend on {names}. Take data from which they can be told, another loss or summary, or a larger `spread`"
    )]
    NoEffect {
        /// How many rounds were taken.
        rounds: u64,
        /// The loss.
        loss: f64,
        /// What was fitted.
        names: String,
    },
    /// The objective's gradient has the wrong length: a bug in the objective.
    #[error("the objective's gradient has {found} numbers, but θ has {wanted}")]
    GradientLength {
        /// Its length.
        found: usize,
        /// θ's.
        wanted: usize,
    },
    /// A checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl Descent {
    /// A fit with a constant rate, without clipping or averaging, that keeps every step in its trace.
    pub fn new(optimizer: Choice, rate: f64, steps: u64) -> Descent {
        Descent {
            optimizer,
            learning_rate: LearningRate::constant(rate),
            clip: None,
            maps: BTreeMap::new(),
            stopping: StoppingRules::after(steps),
            average: 0.0,
            trace_every: 1,
            seed: 0,
        }
    }

    /// Runs the fit from a start (natural units, as long as θ).
    ///
    /// Divergence and interruption are not errors: the result says why it stopped.
    ///
    /// # Errors
    /// [`FitError`] where a setting, the start or a checkpoint is wrong, or the objective fails.
    pub fn run(
        &self,
        objective: &mut dyn Objective,
        start: &[f64],
        control: Control<'_>,
    ) -> Result<FitResult, FitError> {
        self.check()?;
        let mut walk = Walk::new(self, objective, start, control)?.begin()?;
        let end = walk.take_steps(objective)?;
        walk.finish(objective, start, end)
    }

    fn check(&self) -> Result<(), FitError> {
        self.learning_rate.check()?;
        let fault = self.stopping.fault().or_else(|| match self.clip.map(Clip::bound) {
            Some(bound) if bound.is_nan() || bound <= 0.0 => {
                Some(format!("the clip is {bound}, but must be above 0"))
            }
            _ if !(0.0..=1.0).contains(&self.average) => {
                Some(format!("the averaged share of the steps is {}, but must be in [0, 1]", self.average))
            }
            _ if self.trace_every == 0 => {
                Some("the trace keeps every 0th step, but must keep at least every 1st".into())
            }
            _ => None,
        });
        fault.map_or(Ok(()), |what| Err(FitError::Setting(what)))
    }

    /// Everything the course depends on.
    pub(crate) fn identity(&self, maps: &Maps, start: &[f64], others: &Identity) -> Identity {
        let may_grow = !self.learning_rate.schedule.depends_on_length() && self.average <= 0.0;
        identity_of(self, may_grow, maps, start, others)
    }
}

/// Settings, maps and start as readable pairs. The number of steps is left out where it only says when to stop, so
/// that a finished fit can be carried on.
pub(crate) fn identity_of(
    settings: &impl Serialize,
    may_grow: bool,
    maps: &Maps,
    start: &[f64],
    others: &Identity,
) -> Identity {
    let mut identity = vec![("version".to_string(), env!("CARGO_PKG_VERSION").to_string())];
    identity.extend(others.iter().cloned());
    let mut settings = serde_json::to_value(settings).unwrap_or_default();
    if may_grow {
        settings["stopping"]["steps"] = serde_json::Value::Null;
    }
    flatten("", &settings, &mut identity);
    let mut first = 0;
    for (unknown, map) in maps.unknowns() {
        let Unknown { name, interval, .. } = unknown;
        let values = &start[first..first + unknown.len()];
        first += unknown.len();
        let text = if unknown.is_scalar() { format!("{:?}", values[0]) } else { checkpoint::digest(values) };
        identity.push((format!("start of {name}"), text));
        identity.push((format!("interval of {name}"), interval.to_string()));
        identity.push((format!("map of {name}"), map.name().to_string()));
    }
    identity
}

/// The leaves of a JSON value as (dotted path, text) pairs.
fn flatten(path: &str, value: &serde_json::Value, into: &mut Identity) {
    match value {
        serde_json::Value::Null => {}
        serde_json::Value::Object(entries) => {
            for (key, inner) in entries {
                let deeper = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&deeper, inner, into);
            }
        }
        other => into.push((path.to_string(), other.to_string())),
    }
}
