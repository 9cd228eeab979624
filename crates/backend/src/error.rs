//! Says what went wrong with a run, in the user's names.

use glauber_program::{FieldKind, Model, Update};

/// A number in the fewest digits that tell it from others: from others of single precision, where it is one.
fn shortest(value: f64) -> String {
    let single = value as f32;
    if f64::from(single).to_bits() == value.to_bits() { single.to_string() } else { value.to_string() }
}

/// What went wrong with a run, and what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// Workers elsewhere cannot be used.
    #[error("{0}")]
    Workers(String),
    /// A rule gave a layer a value it cannot hold.
    #[error(
        "model `{model}`, step {step}, replicate {replicate}, site {site:?}: layer `{layer}` ({values}) was given {}; \
         correct the rule or widen the layer's range",
        shortest(*.value)
    )]
    OutOfRange {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// Its declared range.
        values: String,
        /// What it was given.
        value: f64,
        /// The step, 1 for the first; 0 for the start.
        step: usize,
        /// The replicate.
        replicate: usize,
        /// The site, as an index into the lattice's shape.
        site: Vec<usize>,
    },
    /// A probability outside [0, 1].
    #[error(
        "model `{model}`, step {step}, replicate {replicate}, site {site:?}: the probability of `{draw}` is {}, \
         not in [0, 1]; correct the rule or narrow the parameters' intervals",
        shortest(*.value)
    )]
    NotProbability {
        /// The model.
        model: String,
        /// What it is the probability of: a draw, a transition.
        draw: String,
        /// The probability.
        value: f64,
        /// The step, 1 for the first; 0 for the start.
        step: usize,
        /// The replicate.
        replicate: usize,
        /// The site, as an index into the lattice's shape.
        site: Vec<usize>,
    },
    /// An argument of a draw that is none.
    #[error("model `{model}`, step {step}, replicate {replicate}, site {site:?}: {complaint}")]
    Argument {
        /// The model.
        model: String,
        /// What is wrong with it, and what to do.
        complaint: String,
        /// The step, 1 for the first; 0 for the start.
        step: usize,
        /// The replicate.
        replicate: usize,
        /// The site, as an index into the lattice's shape.
        site: Vec<usize>,
    },
    /// A step whose events cannot go on.
    #[error("model `{model}`, step {step}, replicate {replicate}: {complaint}")]
    Event {
        /// The model.
        model: String,
        /// The step.
        step: usize,
        /// The replicate.
        replicate: usize,
        /// What is wrong, and what to do.
        complaint: String,
    },
    /// A derivative of an update that has none.
    #[error(
        "model `{model}` with update = \"{update}\" has no gradient by another estimator than `differences`, the only one that \
         is offered so far where sites are updated one after another: {}fit it by a search (nelder-mead, cma-es){}",
        if *.fields { "since these have none by a parameter field, " } else { "take it, or " },
        if *.sublattices { ", or give update = \"sublattices\", under which every estimator works" } else { "" }
    )]
    NoWayBack {
        /// The model.
        model: String,
        /// The scheme.
        update: &'static str,
        /// Whether the rule can be applied by sublattices.
        sublattices: bool,
        /// Whether it has parameter fields, by which differences have no derivative.
        fields: bool,
    },
    /// Means of what has none.
    #[error(
        "model `{model}`: layer `{layer}` holds {}, which have no mean, so `mean-field` is no model of it: take the estimator {}",
        if *.labels { "labels of cells" } else { "three or more named states" },
        if *.labels { "`differences` or `score-function`" } else { "`light-cone` or `differences`" }
    )]
    NoMean {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// Whether it holds labels, not named states.
        labels: bool,
    },
    /// A derivative that differences do not have.
    #[error(
        "model `{model}`: `differences` move one parameter at a time, so there is no derivative by {what}{}",
        if *.one_by_one {
            ", and no other estimator is offered where sites are updated one after another: fit parameters alone, or give \
             update = \"sublattices\" where the rule can be applied so"
        } else { ": take another estimator, such as `light-cone`" }
    )]
    NoDifferences {
        /// The model.
        model: String,
        /// By what.
        what: String,
        /// Whether sites are updated one after another.
        one_by_one: bool,
    },
    /// A rule for single sites that is too large to be run.
    #[error("model `{model}`: {why}")]
    TooLarge {
        /// The model.
        model: String,
        /// What is too large, and what to do about it.
        why: &'static str,
    },
    /// An observation that was made for another model.
    #[error(
        "observation {number} was made for model `{other}`, which has another lattice, other layers or other parameters \
         than model `{model}`: make it from this model"
    )]
    Foreign {
        /// The model that is run.
        model: String,
        /// The observation, counted from 0.
        number: usize,
        /// The model it was made for.
        other: String,
    },
    /// A rule of the engine's own that does not hold.
    #[error("glauber is at fault: {0}; please report this, with the model")]
    Broken(&'static str),
    /// Vector instructions that were asked for and are not there.
    #[error("GLAUBER_SIMD is \"{found}\": give one of {known}, or unset it")]
    Simd {
        /// What was asked for.
        found: String,
        /// What this machine has.
        known: String,
    },
    /// Something given with the wrong number of members.
    #[error("model `{model}`: {what} has {found} values, but {wanted} are needed")]
    Length {
        /// The model.
        model: String,
        /// What was given.
        what: String,
        /// How many it has.
        found: usize,
        /// How many it should have.
        wanted: usize,
    },
    /// A parameter outside its interval.
    #[error("model `{model}`: parameter `{name}` is {value}, outside its interval {interval}")]
    Parameter {
        /// The model.
        model: String,
        /// The parameter.
        name: String,
        /// Its value.
        value: f64,
        /// Its interval.
        interval: String,
    },
    /// A value of given data that its layer or field cannot hold.
    #[error("model `{model}`: {what} holds {value} at position {position}, which is not {wanted}")]
    Data {
        /// The model.
        model: String,
        /// Which data.
        what: String,
        /// The offending value.
        value: f64,
        /// Where it stands.
        position: usize,
        /// What is allowed.
        wanted: String,
    },
    /// A field that a program reads and nobody gave.
    #[error("model `{model}` reads field `{name}`, which was not given: pass it with the run's fields")]
    MissingField {
        /// The model.
        model: String,
        /// The field.
        name: String,
    },
    /// A model without a start, and no start given.
    #[error("model `{model}` does not say how a lattice starts: give a start")]
    NoStart {
        /// The model.
        model: String,
    },
    /// Steps whose numbers no longer fit.
    #[error(
        "model `{model}`: the run would end with step {last}; steps are numbered up to 4294967295: run fewer steps"
    )]
    TooLong {
        /// The model.
        model: String,
        /// The number of its last step.
        last: u64,
    },
    /// No replicates.
    #[error("model `{model}`: a run needs at least one replicate")]
    NoReplicates {
        /// The model.
        model: String,
    },
    /// A history that no checkpointing fits into the memory allowed.
    #[error(
        "model `{model}`: {steps} steps of {replicates} replicates need at least {needed} bytes of history even with \
         checkpoints, but only {allowed} are allowed: raise the memory limit, or use fewer replicates"
    )]
    Memory {
        /// The model.
        model: String,
        /// How many steps.
        steps: usize,
        /// How many replicates.
        replicates: usize,
        /// The least that works.
        needed: usize,
        /// What is allowed.
        allowed: usize,
    },
    /// A gradient asked of a plan that was made without an estimator.
    #[error("this plan of model `{model}` was made without an estimator, so it has no gradient")]
    NoEstimator {
        /// The model.
        model: String,
    },
    /// Stopped from outside.
    #[error("interrupted")]
    Interrupted,
    /// Threads could not be started.
    #[error("could not start {0} threads: ask for fewer")]
    Threads(usize),
}

impl EngineError {
    /// The step that a run could not take, where it is one step that it could not: those before it can be had.
    pub fn step(&self) -> Option<usize> {
        match self {
            EngineError::OutOfRange { step, .. }
            | EngineError::NotProbability { step, .. }
            | EngineError::Argument { step, .. }
            | EngineError::Event { step, .. } => Some(*step),
            _ => None,
        }
    }

    /// That a model's update has no derivative.
    pub fn no_way_back(model: &Model) -> EngineError {
        EngineError::NoWayBack {
            model: model.name().to_string(),
            update: model.update().name(),
            sublattices: model.updated(Update::Sublattices).is_ok(),
            fields: model.signature().fields.iter().any(|f| matches!(f.kind, FieldKind::Parameter(_))),
        }
    }
}
