//! Gathers the programs a model needs for its observations and an estimator: what a backend is given to run.

use serde::{Deserialize, Serialize};

use crate::adjoint::differentiate;
use crate::cone::Cone;
use crate::declarations::Declarations;
use crate::estimators::Estimator;
use crate::model::Model;
use crate::passes::{reach, sublattices, without_state_adjoints};
use crate::program::Program;
use crate::scheme::footprint;
use crate::update::Update;

/// All programs of a model, as an estimator simulates them, with the adjoints it makes of them.
///
/// Which programs there are is decided here, once for all backends; how they run is a backend's business.
///
/// ```
/// # use glauber_lattice::{Lattice, Values};
/// # use glauber_program::{Bundle, Interval, Model, estimators::StraightThrough};
/// let coins = Model::build("coins", Lattice::line(10))
///     .layer("heads", Values::binary())
///     .parameter("p", Interval::unit())
///     .step(|s| s.next("heads").bernoulli(s.parameter("p")))?;
/// let count = coins.observe(|s| s.output("heads", s.layer("heads").sum()))?;
/// let bundle = Bundle::new(&coins, &[Some(&count)], Some(&StraightThrough));
/// assert!(bundle.adjoints.is_some_and(|adjoints| adjoints.observed[0].is_some()));
/// # Ok::<(), glauber_program::ModelError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bundle {
    /// How a lattice starts where nobody gives a state.
    pub start: Option<Program>,
    /// One step; where the update is by events, what one event does ([`Bundle::is_by_events`]).
    pub step: Program,
    /// The observations in their order; none where one is no program.
    pub observed: Vec<Option<Program>>,
    /// What runs backwards, where an estimator was given and there is a way back.
    pub adjoints: Option<Adjoints>,
    /// How far the forward programs read from a site, along (z, y, x); their adjoints read no farther.
    pub reach: [usize; 3],
}

/// The programs that run backwards.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Adjoints {
    /// Of the start.
    pub start: Option<Program>,
    /// Of the step.
    pub step: AdjointPair,
    /// Of each observation that is a program.
    pub observed: Vec<Option<AdjointPair>>,
    /// How far draws are felt, where the estimator asks.
    pub cone: Option<Cone>,
}

/// An adjoint, and the same where nobody wants the derivative by the state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AdjointPair {
    /// With the derivatives by the state.
    pub whole: Program,
    /// Without them.
    pub last: Program,
}

impl AdjointPair {
    fn new(program: &Program, estimator: &dyn Estimator) -> AdjointPair {
        let whole = differentiate(program, estimator);
        let last = without_state_adjoints(&whole);
        AdjointPair { whole, last }
    }
}

impl Bundle {
    /// The programs of a model with observations (none where one is no program); with an estimator, those backwards too.
    pub fn new(
        model: &Model,
        observations: &[Option<&Program>],
        estimator: Option<&dyn Estimator>,
    ) -> Bundle {
        let forward = |p: &Program| estimator.map_or_else(|| p.clone(), |e| e.forward(p));
        let scored = estimator.is_some_and(|e| e.needs_advantage());
        let step = match model.declarations().update {
            Update::Sublattices => forward(&sublattices(&model.step, scored)),
            _ => forward(&model.step),
        };
        let start = model.start.as_ref().map(forward);
        let observed: Vec<Option<Program>> = observations.iter().map(|o| o.map(forward)).collect();
        let by_events = model.declarations().update.is_by_events();
        let adjoints = estimator.filter(|e| !by_events && !e.by_differences()).map(|e| Adjoints {
            start: start.as_ref().map(|s| differentiate(s, e)),
            step: AdjointPair::new(&step, e),
            observed: observed.iter().map(|o| o.as_ref().map(|p| AdjointPair::new(p, e))).collect(),
            cone: e.light_cone().map(|own| Cone::new(own, &step, start.as_ref(), &observed)),
        });
        let mut reach = reach(std::iter::once(&step).chain(&start).chain(observed.iter().flatten()));
        if by_events {
            // An event reads layers at once, however the rule puts its offsets together.
            let own = footprint(&step).reach;
            reach = [0, 1, 2].map(|axis| reach[axis].max(own[axis]));
        }
        Bundle { start, step, observed, adjoints, reach }
    }

    /// Whether the step is a rule for single events, in the words of [`Update`].
    pub fn is_by_events(&self) -> bool {
        self.declarations().update.is_by_events()
    }

    /// What the model speaks of.
    pub fn declarations(&self) -> &Declarations {
        self.step.declarations()
    }
}
