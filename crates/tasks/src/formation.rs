//! Tests whether parameters form a pattern: long rollouts from the model's own start, and their [`PatternScore`]s.
//!
//! Near the edge of where patterns form, whether one has formed after so many steps is chance: several rollouts say how
//! often. Of several, the one of median variance (of two in the middle the more patterned) stands for all.
//!
//! The noise of a test is a function of (seed, fit step) alone, so a resumed fit repeats its tests.

use std::sync::atomic::AtomicBool;

use glauber_engine::{EngineError, Frame, Options, Plan};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_program::Model;

use crate::pattern::{Criterion, NoPattern, PatternScore, Verdict};
use crate::tasks::unknowns::Fitted;

/// The test, ready to be run at any θ.
pub struct FormationTest {
    plan: Plan,
    fitted: Fitted,
    /// The steps of its rollouts.
    pub steps: usize,
    /// How many rollouts, at least 1.
    pub rollouts: usize,
    seed: u64,
    /// What counts as a pattern in the first layer.
    pub criterion: Criterion,
    shape: Vec<usize>,
}

/// Why there is no test.
#[derive(Debug, thiserror::Error)]
pub enum FormationError {
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There can be no pattern.
    #[error("there can be no pattern, whatever the parameters: {0}; leave the test out")]
    NoPattern(#[from] NoPattern),
}

/// What a test found.
#[derive(Clone, Debug, PartialEq)]
pub struct Formation {
    /// The step of the fit.
    pub step: u64,
    /// How many of the rollouts formed a pattern.
    pub patterns: usize,
    /// How patterned the first layer of the median rollout is; all 0 or NaN where it is uniform.
    pub score: PatternScore,
    /// What that means.
    pub verdict: Verdict,
    /// The last state of that rollout: one dense field per layer.
    pub layers: Frame,
}

impl FormationTest {
    /// A test of `rollouts` rollouts of `steps` steps; it looks at the first layer, whose highest value is its capacity.
    ///
    /// # Errors
    /// [`EngineError`] where the model cannot be prepared, or does not say how a lattice starts; [`NoPattern`] where its first
    /// layer cannot show any.
    pub fn new(
        model: &Model,
        fitted: Fitted,
        (rollouts, steps): (usize, usize),
        seed: u64,
        options: Options,
    ) -> Result<FormationTest, FormationError> {
        if model.start.is_none() {
            return Err(EngineError::NoStart { model: model.name().to_string() }.into());
        }
        let declarations = model.declarations();
        let shape = declarations.lattice.shape().to_vec();
        let criterion = match declarations.layers.first() {
            Some(layer) => Criterion::of_layer(layer, &declarations.lattice)?,
            None => Criterion::new(&shape, 1.0),
        };
        let plan = Plan::new(model, &[], None, options)?;
        Ok(FormationTest { plan, fitted, steps, rollouts: rollouts.max(1), seed, criterion, shape })
    }

    /// The lattice's shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Runs the test at θ, for a step of the fit.
    ///
    /// # Errors
    /// [`EngineError`] as in [`Plan::simulate`]; [`EngineError::Interrupted`] where the flag was raised.
    pub fn run(
        &self,
        theta: &[f64],
        step: u64,
        interrupt: Option<&AtomicBool>,
    ) -> Result<Formation, EngineError> {
        let parameters = self.fitted.parameters(theta);
        let seed = derive_seed(self.seed, Purpose::Formation, step);
        let mut run = self.fitted.run(&parameters, self.steps).seed(seed);
        run = run.replicates(self.rollouts);
        run.interrupt = interrupt;
        let mut found: Vec<Formation> =
            self.plan.simulate(&run)?.last.into_iter().map(|layers| self.judged(step, layers)).collect();
        let patterns = found.iter().map(|one| one.patterns).sum();
        found.sort_by(|a, b| a.score.variance.total_cmp(&b.score.variance));
        let median = found.swap_remove(found.len() / 2);
        Ok(Formation { patterns, ..median })
    }

    /// What a state found after a step of the fit means.
    pub fn judged(&self, step: u64, layers: Frame) -> Formation {
        let blank = PatternScore { variance: 0.0, correlation: f64::NAN, mean_wave_number: f64::NAN };
        let score = layers.first().and_then(|layer| PatternScore::of(layer, &self.shape)).unwrap_or(blank);
        let verdict = self.criterion.verdict(&score);
        Formation { step, patterns: usize::from(verdict == Verdict::Pattern), verdict, score, layers }
    }

    /// A test's verdict with its reasons, in words.
    pub fn words(&self, test: &Formation) -> String {
        let words = self.criterion.words(&test.score);
        match self.rollouts {
            1 => words,
            n => format!("{words} in {} of {n} rollouts", test.patterns),
        }
    }

    /// What the tests of a fit say together.
    pub fn claim(&self, tests: &[Formation]) -> String {
        let Some((first, last)) = tests.first().zip(tests.last()) else {
            return "no formation test was run".to_string();
        };
        let words = |test: &Formation| self.words(test);
        if first.step == last.step {
            return format!(
                "formation test: after {} steps of the fit the parameters give {}",
                last.step,
                words(last)
            );
        }
        let when = tests.iter().find(|t| t.verdict == Verdict::Pattern);
        let since = match (when, last.verdict) {
            (Some(test), Verdict::Pattern) if test.step < last.step => {
                format!("; first seen after {}", test.step)
            }
            (Some(test), verdict) if verdict != Verdict::Pattern => {
                format!("; a pattern was seen after {}, and lost again", test.step)
            }
            _ => String::new(),
        };
        format!(
            "formation test: after {} steps of the fit the parameters give {}; after {} they gave {}{since}",
            last.step,
            words(last),
            first.step,
            words(first)
        )
    }
}
