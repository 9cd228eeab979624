//! Compares every fast path with the plain one, and both with the interpreter, bit for bit, over random programs.
//!
//! Tables, fused kernels, vector instructions, threads, checkpoints and reused memory may change how long a run takes
//! and nothing else.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::BTreeMap;

use glauber_conformance::compare::{close, same, same_simulation};
use glauber_conformance::random_models::{Dish, Recipe, Sample, recipes, runner};
use glauber_conformance::reference::Oracle;
use glauber_engine::*;
use glauber_numbers::real::Real;
use glauber_program::Estimator;
use glauber_program::estimators::{ESTIMATORS, EstimatorOptions, named};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

const SEED: u64 = 7;

/// How many of the recipes, which are the same every time, leave a draw's edges or a layer's range.
const GRADIENTS_REFUSED: usize = 1;
const CHECKPOINTS_REFUSED: usize = 2;

fn loss(mean: &[f64]) -> LossValue {
    let value = mean.iter().enumerate().map(|(k, m)| (k as f64 * 0.3 - 0.7) * m).sum();
    LossValue { value, slopes: (0..mean.len()).map(|k| k as f64 * 0.3 - 0.7).collect() }
}

fn plan(sample: &Sample, estimator: Option<&dyn Estimator>, options: Options) -> Plan {
    Plan::new(&sample.model, &[sample.observation.clone().into()], estimator, options).unwrap()
}

/// Every estimator of the list that runs backwards, and three pairs of them.
fn all_estimators() -> Vec<String> {
    let pairs = ["straight-through + gumbel-softmax", "reinmax + score-function", "light-cone + reinmax"];
    ESTIMATORS
        .iter()
        .map(|e| e.name)
        .filter(|name| *name != "differences")
        .chain(pairs)
        .map(str::to_string)
        .collect()
}

/// An estimator for the recipe, so that all have their turn.
fn estimator_of(recipe: &Recipe) -> (String, Box<dyn Estimator>) {
    let names = all_estimators();
    let options = EstimatorOptions { temperature: 0.7, samples: 2, radius: None };
    let name = &names[recipe.seed as usize % names.len()];
    (name.clone(), named(name, options).unwrap())
}

/// What an estimator takes.
fn dish_of(estimator: &str) -> Dish {
    if estimator == "mean-field" { Dish::Numeric } else { Dish::Discrete }
}

/// What became of the recipes of a test, by estimator: compared, and refused by engine and interpreter alike.
#[derive(Default)]
struct Tally(RefCell<BTreeMap<String, (usize, usize)>>);

impl Tally {
    fn compared(&self, estimator: &str) {
        self.0.borrow_mut().entry(estimator.to_string()).or_default().0 += 1;
    }

    fn refused(&self, estimator: &str) {
        self.0.borrow_mut().entry(estimator.to_string()).or_default().1 += 1;
    }

    /// Fails where an estimator had no turn, or where other than so many recipes were refused in all.
    fn check(&self, refused: usize) {
        let seen = self.0.borrow();
        for name in all_estimators() {
            assert!(
                seen.get(&name).is_some_and(|(compared, _)| *compared > 0),
                "{name} was not compared: {seen:?}"
            );
        }
        assert_eq!(seen.values().map(|(_, refused)| refused).sum::<usize>(), refused, "{seen:?}");
    }
}

/// What the engine refuses is refused by the interpreter too, in the simulation that the gradient is of.
fn both_refuse<F: Real>(
    sample: &Sample,
    estimator: &dyn Estimator,
    run: &Run<'_>,
    error: &EngineError,
) -> Result<(), TestCaseError> {
    let oracle = Oracle::new(&sample.model, std::slice::from_ref(&sample.observation), Some(estimator));
    let faults = oracle.simulate::<F>(run).faults;
    prop_assert!(!faults.is_empty(), "only the engine saw {error}");
    Ok(())
}

fn precisions() -> [Options; 2] {
    let single = Options { precision: Precision::Single, ..Options::default() };
    [single, Options { precision: Precision::Double, ..single }]
}

fn simulations_agree(recipe: &Recipe) -> Result<(), TestCaseError> {
    let sample = recipe.sample(Dish::Discrete).unwrap();
    let run = sample.run(&sample.parameters, 3, 2, SEED);
    for options in precisions() {
        let fast = plan(&sample, None, options).simulate(&run);
        let plain = Options { compile: CompileOptions::plain(), simd: Simd::Plain, ..options };
        let slow = plan(&sample, None, plain).simulate(&run);
        same_simulation(&fast, &slow, "default against plain")?;
        for simd in Simd::available() {
            for compile in [
                CompileOptions::default(),
                CompileOptions { tables: false, ..CompileOptions::default() },
                CompileOptions { fuse: false, ..CompileOptions::default() },
            ] {
                let other = plan(&sample, None, Options { simd, compile, ..options }).simulate(&run);
                same_simulation(&fast, &other, &format!("{simd:?}, {compile:?}"))?;
            }
        }
        let oracle = Oracle::new(&sample.model, std::slice::from_ref(&sample.observation), None);
        let reference = match options.precision {
            Precision::Single => oracle.simulate::<f32>(&run),
            Precision::Double => oracle.simulate::<f64>(&run),
        };
        prop_assert!(reference.outside.is_empty(), "{:?}", reference.outside);
        match &fast {
            Ok(fast) => {
                prop_assert!(reference.faults.is_empty(), "the interpreter saw {:?}", reference.faults);
                for replicate in 0..run.replicates {
                    let (a, b) = (&fast.last[replicate], &reference.last[replicate]);
                    prop_assert!(
                        a.iter().zip(b).all(|(a, b)| same(a, b)),
                        "{options:?}\n{a:?}\n{b:?}\n{}",
                        sample.model.step
                    );
                    let (a, b) = (fast.outputs.replicate(replicate), &reference.outputs[replicate]);
                    prop_assert!(same(a, b), "{options:?}: {a:?} {b:?}\n{}", sample.observation);
                }
            }
            Err(error) => prop_assert!(!reference.faults.is_empty(), "only the engine saw {error}"),
        }
    }
    Ok(())
}

#[test]
fn simulations_are_the_same_bits_on_every_path_and_in_the_interpreter() {
    runner(150).run(&recipes(24), |recipe| simulations_agree(&recipe)).unwrap();
}

fn gradient_agrees<F: Real>(
    sample: &Sample,
    (name, estimator): (&str, &dyn Estimator),
    options: Options,
    tolerance: f64,
    tally: &Tally,
) -> Result<(), TestCaseError> {
    let mut run = sample.run(&sample.parameters, 3, 3, SEED);
    run.wants_start_gradient = true;
    let default = plan(sample, Some(estimator), options);
    let fast = match default.gradient(&run, &loss) {
        Ok(fast) => fast,
        Err(error) => {
            tally.refused(name);
            return both_refuse::<F>(sample, estimator, &run, &error);
        }
    };
    let plain = Options { compile: CompileOptions::plain(), simd: Simd::Plain, ..options };
    let slow = plan(sample, Some(estimator), plain).gradient(&run, &loss).unwrap();
    same_gradient(&fast, &slow, "default against plain")?;
    for simd in Simd::available() {
        let other = plan(sample, Some(estimator), Options { simd, ..options }).gradient(&run, &loss).unwrap();
        same_gradient(&fast, &other, &format!("{simd:?}"))?;
    }
    // Again on the same plan, after runs of another kind: nothing may be left over.
    let mut longer = sample.run(&sample.parameters, 5, 2, SEED + 1);
    longer.wants_start_gradient = false;
    let _ = default.gradient(&longer, &loss);
    let _ = default.simulate(&longer);
    same_gradient(&fast, &default.gradient(&run, &loss).unwrap(), "a used plan")?;
    let oracle = Oracle::new(&sample.model, std::slice::from_ref(&sample.observation), Some(estimator));
    let reference = oracle.gradient::<F>(&run, &loss);
    let scale: f64 = 1.0 + reference.parameters.iter().map(|x| x.abs()).sum::<f64>();
    let near = |a: &[f64], b: &[f64]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(*a, *b, tolerance * scale))
    };
    prop_assert!(
        near(&fast.parameters, &reference.parameters),
        "{}: {:?} {:?}\n{}",
        estimator.name(),
        fast.parameters,
        reference.parameters,
        sample.model.step
    );
    prop_assert_eq!(fast.fields.len(), reference.fields.len());
    for ((name, a), (other, b)) in fast.fields.iter().zip(&reference.fields) {
        prop_assert!(name == other && near(a, b), "{}: {name} {a:?} {b:?}", estimator.name());
    }
    for (a, b) in fast.start.iter().flatten().zip(reference.start.iter().flatten()) {
        prop_assert!(near(a, b), "{}: start {a:?} {b:?}", estimator.name());
    }
    tally.compared(name);
    Ok(())
}

fn same_gradient(a: &Gradient, b: &Gradient, what: &str) -> Result<(), TestCaseError> {
    glauber_conformance::compare::same_gradient(a, b)
        .map_err(|why| TestCaseError::fail(format!("{what}: {why}")))
}

fn gradients_agree(recipe: &Recipe, tally: &Tally) -> Result<(), TestCaseError> {
    let (name, estimator) = estimator_of(recipe);
    let sample = recipe.sample(dish_of(&name)).unwrap();
    let [_, double] = precisions();
    gradient_agrees::<f64>(&sample, (&name, &*estimator), double, 1e-9, tally)
}

#[test]
fn gradients_are_the_same_bits_on_every_path_and_those_of_the_interpreter() {
    let tally = Tally::default();
    runner(200).run(&recipes(20), |recipe| gradients_agree(&recipe, &tally)).unwrap();
    tally.check(GRADIENTS_REFUSED);
}

fn checkpoints_agree(recipe: &Recipe, tally: &Tally) -> Result<(), TestCaseError> {
    let (name, estimator) = estimator_of(recipe);
    let sample = recipe.sample(dish_of(&name)).unwrap();
    let mut run = sample.run(&sample.parameters, 17, 2, SEED).observe(5, 0).observe(16, 0);
    run.wants_start_gradient = true;
    let stored = plan(&sample, Some(&*estimator), Options::default());
    let whole = match stored.gradient(&run, &loss) {
        Ok(whole) => whole,
        Err(error) => {
            tally.refused(&name);
            return both_refuse::<f32>(&sample, &*estimator, &run, &error);
        }
    };
    let bytes = stored.bytes_per_state();
    let mut fitted = 0;
    for states in [1, 8, 12, 16, 20, 24, 28, 32, 36] {
        let options = Options { memory: states * bytes, ..Options::default() };
        match plan(&sample, Some(&*estimator), options).gradient(&run, &loss) {
            Ok(kept) => {
                fitted += 1;
                same_gradient(&whole, &kept, &format!("{states} states"))?;
            }
            Err(EngineError::Memory { needed, allowed, .. }) => prop_assert!(needed > allowed),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
    prop_assert!(fitted > 1, "no checkpointing was tried");
    tally.compared(&name);
    Ok(())
}

#[test]
fn checkpointed_gradients_are_those_of_stored_states() {
    let tally = Tally::default();
    runner(60).run(&recipes(16), |recipe| checkpoints_agree(&recipe, &tally)).unwrap();
    tally.check(CHECKPOINTS_REFUSED);
}
