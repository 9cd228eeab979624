//! Lists what a draw's gradient may be taken to be.
//!
//! The simulation never depends on the estimator: a draw uses one uniform number, and where an estimator needs more
//! noise it draws it in the backward pass, conditioned on the outcome. So estimators are compared on the same paths.
//!
//! In every file z is the outcome of the draw, p its probability, z̄ the derivative of the objective by the outcome,
//! p̄ by the probability.

mod by_scope;
mod differences;
mod gumbel_rao;
mod gumbel_softmax;
mod light_cone;
mod mean_field;
mod reinmax;
mod score_function;
mod straight_through;

pub use by_scope::ByScope;
pub use differences::Differences;
pub use gumbel_rao::GumbelRao;
pub use gumbel_softmax::GumbelSoftmax;
pub use light_cone::LightCone;
pub use mean_field::MeanField;
pub use reinmax::ReinMax;
pub use score_function::ScoreFunction;
pub use straight_through::StraightThrough;

use crate::counts::CountLaw;
use crate::error::nearest_name;
use crate::graph::Graph;
use crate::op::{Op, Rank, ValueId};
use crate::program::Program;

/// The noise of a draw, as an estimator sees it.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// The outcome.
    pub outcome: ValueId,
    /// The uniform number that decided it.
    pub uniform: ValueId,
    draw: u32,
    rank: Rank,
}

impl Draw {
    pub(crate) fn new(graph: &Graph, outcome: ValueId, uniform: ValueId) -> Draw {
        let (draw, rank) = match graph.instruction(uniform).op {
            Op::Uniform { draw, rank, .. } => (draw, rank),
            _ => (0, graph.rank(outcome)),
        };
        Draw { outcome, uniform, draw, rank }
    }

    /// A fresh uniform number in (0, 1) for the estimator, the `index`-th of this draw.
    pub fn fresh(&self, graph: &mut Graph, index: u32) -> ValueId {
        let u = graph.uniform(self.draw, FIRST_LANE + index, self.rank);
        away_from_zero(graph, u)
    }
}

/// Lanes below are the simulation's.
const FIRST_LANE: u32 = 8;

/// Half the spacing of the noise near 0: a uniform number of exactly 0 stands for this.
const LEAST_UNIFORM: f64 = 1.0 / 4_294_967_296.0;

/// The least distance a probability keeps from 0 and 1 inside a logarithm; single precision just holds 1 minus this.
const LEAST_PROBABILITY: f64 = 1.0 / 16_777_216.0;

/// A uniform number moved from 0 to where its logarithm is finite.
fn away_from_zero(g: &mut Graph, u: ValueId) -> ValueId {
    let least = g.constant(LEAST_UNIFORM);
    g.binary(crate::op::Binary::Maximum, u, least)
}

/// A probability moved away from 0 and 1 to where its logit is finite.
fn inside(g: &mut Graph, p: ValueId) -> ValueId {
    let (low, high) = (g.constant(LEAST_PROBABILITY), g.constant(1.0 - LEAST_PROBABILITY));
    let above = g.binary(crate::op::Binary::Maximum, p, low);
    g.binary(crate::op::Binary::Minimum, above, high)
}

/// What the gradient of a random draw is taken to be.
pub trait Estimator: Send + Sync + std::fmt::Debug {
    /// Its name, as in a fit file.
    fn name(&self) -> &'static str;

    /// When it is unbiased, and what its known bias is, in one sentence.
    fn bias(&self) -> &'static str;

    /// p̄ of a Bernoulli draw.
    fn bernoulli(&self, g: &mut Graph, draw: &Draw, p: ValueId, bar: Option<ValueId>) -> Option<ValueId>;

    /// p̄ of each class of a categorical draw; `bars` are the derivatives by "the draw came out as this class".
    fn categorical(
        &self,
        g: &mut Graph,
        draw: &Draw,
        probabilities: &[ValueId],
        bars: &[Option<ValueId>],
    ) -> Vec<Option<ValueId>>;

    /// Contributions of a number that counts to its arguments: straight-through to its mean.
    fn count(
        &self,
        g: &mut Graph,
        _outcome: ValueId,
        law: CountLaw,
        arguments: &[ValueId],
        bar: Option<ValueId>,
    ) -> Vec<(ValueId, ValueId)> {
        let Some(bar) = bar else { return Vec::new() };
        let contributions = law.through_mean(g, arguments, bar);
        arguments.iter().copied().zip(contributions).collect()
    }

    /// The program that is simulated; only an estimator that replaces the model changes it.
    fn forward(&self, program: &Program) -> Program {
        program.clone()
    }

    /// Whether its gradients need each replicate's own loss ([`Op::Advantage`]).
    fn needs_advantage(&self) -> bool {
        false
    }

    /// Whether it has the gradient of a loss of what is drawn, at least of one quadratic in each draw: a squared error of single
    /// draws is least at probabilities of 0 or 1. Others have that of the loss of the draws' means.
    fn follows_draws(&self) -> bool {
        self.needs_advantage() || self.by_differences()
    }

    /// Whether it runs the model at other parameters instead of backwards: then nothing else of it is asked.
    fn by_differences(&self) -> bool {
        false
    }

    /// Where it weighs draws by what they can still change ([`Op::LocalAdvantage`]): how far it looks.
    fn light_cone(&self) -> Option<LightCone> {
        None
    }
}

/// The numbers an estimator may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EstimatorOptions {
    /// The softmax temperature τ > 0.
    pub temperature: f64,
    /// How many noises are averaged, K ≥ 1.
    pub samples: u32,
    /// The farthest that a light cone is followed, in sites ≥ 1; nothing for all of it.
    pub radius: Option<u32>,
}

impl Default for EstimatorOptions {
    fn default() -> EstimatorOptions {
        EstimatorOptions { temperature: 1.0, samples: 10, radius: None }
    }
}

/// One estimator of the list.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name, as in a fit file.
    pub name: &'static str,
    /// Makes it.
    pub make: fn(EstimatorOptions) -> Box<dyn Estimator>,
}

/// Every estimator. To add one: a file beside this one, and a line here.
pub const ESTIMATORS: &[Entry] = &[
    Entry { name: "straight-through", make: |_| Box::new(StraightThrough) },
    Entry { name: "gumbel-softmax", make: |o| Box::new(GumbelSoftmax { temperature: o.temperature }) },
    Entry {
        name: "gumbel-rao",
        make: |o| Box::new(GumbelRao { temperature: o.temperature, samples: o.samples }),
    },
    Entry { name: "reinmax", make: |_| Box::new(ReinMax) },
    Entry { name: "score-function", make: |_| Box::new(ScoreFunction) },
    Entry { name: "light-cone", make: |o| Box::new(LightCone { radius: o.radius }) },
    Entry { name: "differences", make: |_| Box::new(Differences) },
    Entry { name: "mean-field", make: |_| Box::new(MeanField) },
];

/// What is wrong with the choice of an estimator.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EstimatorError {
    /// A name that is not in the list.
    #[error("there is no estimator called `{name}`{}", match .nearest {
        Some(n) => format!(": did you mean `{n}`?"),
        None => format!("; there are {}", ESTIMATORS.iter().map(|e| e.name).collect::<Vec<_>>().join(", ")),
    })]
    Unknown {
        /// What was asked for.
        name: String,
        /// The name most like it.
        nearest: Option<String>,
    },
    /// A temperature that is not a positive number.
    #[error("the estimator's temperature is {0}: give a finite number above 0, such as 1.0")]
    Temperature(f64),
    /// No samples, or too many.
    #[error("the estimator's samples is {0}: give a whole number from 1 to 1000")]
    Samples(u32),
    /// A cone without neighbours.
    #[error(
        "the estimator's radius is {0}: give a whole number of sites from 1 on, or leave it out for the whole cone"
    )]
    Radius(u32),
    /// Mean field replaces the whole model: it is no estimator of single draws.
    #[error(
        "`mean-field` replaces every draw of a model by its mean: it cannot be one of two estimators; give it alone"
    )]
    MeanFieldInPair,
    /// Differences move a parameter: they are of no single draw.
    #[error(
        "`differences` are of whole runs, not of draws: it cannot be one of two estimators; give it alone"
    )]
    DifferencesInPair,
}

/// The estimator of this name; `"one + other"` is [`ByScope`], the other for draws that all sites share.
///
/// # Errors
/// [`EstimatorError`] for a name that is not in [`ESTIMATORS`] or options out of range.
///
/// ```
/// use glauber_program::estimators::{EstimatorOptions, named};
/// assert_eq!(named("gumbel-softmax", EstimatorOptions::default())?.name(), "gumbel-softmax");
/// assert_eq!(named("straight-through + reinmax", EstimatorOptions::default())?.name(), "by-scope");
/// assert!(named("gumbel", EstimatorOptions::default()).is_err());
/// # Ok::<(), glauber_program::estimators::EstimatorError>(())
/// ```
pub fn named(name: &str, options: EstimatorOptions) -> Result<Box<dyn Estimator>, EstimatorError> {
    if !(options.temperature > 0.0 && options.temperature.is_finite()) {
        return Err(EstimatorError::Temperature(options.temperature));
    }
    if !(1..=1000).contains(&options.samples) {
        return Err(EstimatorError::Samples(options.samples));
    }
    if options.radius == Some(0) {
        return Err(EstimatorError::Radius(0));
    }
    if let Some((sites, shared)) = name.split_once('+') {
        let (sites, shared) = (named(sites.trim(), options)?, named(shared.trim(), options)?);
        if [&sites, &shared].iter().any(|e| e.name() == MeanField.name()) {
            return Err(EstimatorError::MeanFieldInPair);
        }
        if sites.by_differences() || shared.by_differences() {
            return Err(EstimatorError::DifferencesInPair);
        }
        return Ok(Box::new(ByScope { sites, shared }));
    }
    let entry = ESTIMATORS.iter().find(|e| e.name == name);
    let entry = entry.ok_or_else(|| EstimatorError::Unknown {
        name: name.to_string(),
        nearest: nearest_name(name, ESTIMATORS.iter().map(|e| e.name)),
    })?;
    Ok((entry.make)(options))
}
