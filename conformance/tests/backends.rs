//! Proves the seam by use: whole fits run on the interpreter, through the same tasks and the same loop, and end where they
//! end on the engine; errors are the same words.
//!
//! Forwards, and over one step, the bits are the same. A way back over several steps adds contributions of neighbours in
//! another order: there the numbers agree to rounding.
#![allow(clippy::unwrap_used)]

use glauber_conformance::compare::{close, same};
use glauber_conformance::reference::Interpreter;
use glauber_engine::{BackendName, EngineError, Observation, Options, Plan, Precision, Run, Summary};
use glauber_lattice::{Lattice, Moore, Values};
use glauber_optimize::descent::{Control, Descent};
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::objective::Objective;
use glauber_optimize::optimizers::Choice;
use glauber_program::estimators::{ESTIMATORS, EstimatorOptions, StraightThrough};
use glauber_program::{Interval, Model};
use glauber_tasks::losses::curve::CurveLoss;
use glauber_tasks::losses::transition::TransitionLoss;
use glauber_tasks::states::States;
use glauber_tasks::tasks::likelihood::Likelihood;
use glauber_tasks::tasks::trajectory::{Replication, Target, Trajectory};
use glauber_tasks::tasks::transition::{Pairs, Transition};
use glauber_tasks::tasks::unknowns::Fitted;

fn spread() -> Model {
    Model::build("spread", Lattice::square(10).periodic())
        .layer("ill", Values::binary())
        .parameter("beta", Interval::unit())
        .parameter("gamma", Interval::unit())
        .start(|s| s.next("ill").bernoulli(0.2))
        .step(|s| {
            let ill = s.layer("ill");
            let exposure = ill.neighbours(Moore).sum();
            let falls_ill = 1.0 - (1.0 - s.parameter("beta")).pow(exposure);
            s.next("ill").bernoulli(ill * (1.0 - s.parameter("gamma")) + (1.0 - ill) * falls_ill);
        })
        .unwrap()
}

fn both() -> [Options; 2] {
    let engine = Options { threads: 1, ..Options::default() };
    [engine, Options { backend: Some(BackendName(&Interpreter)), ..engine }]
}

fn observed(model: &Model) -> States {
    let plan = Plan::new(model, &[], None, Options::default()).unwrap();
    States::record(&plan, &Run::new(&[0.15, 0.3], 3).replicates(3).seed(11)).unwrap()
}

/// Fits on both backends: estimates may differ by this part of themselves.
fn fitted_on_both(
    model: &Model,
    steps: u64,
    tolerance: f64,
    objective: impl Fn(Options) -> Box<dyn Objective>,
) {
    let mut found: Vec<FitResult> = Vec::new();
    for options in both() {
        let mut objective = objective(options);
        let descent = Descent::new(Choice::new("adam"), 0.05, steps);
        found.push(descent.run(&mut *objective, &[0.5, 0.5], Control::default()).unwrap());
    }
    for (one, other) in found[0].estimates.iter().zip(&found[1].estimates) {
        assert!(
            close(one.value, other.value, tolerance),
            "{}: {} and {}",
            model.name(),
            one.value,
            other.value
        );
    }
    // The fit went somewhere.
    assert!(found[0].estimates.iter().all(|e| (e.value - 0.5).abs() > 1e-3), "{:?}", found[0].estimates);
}

#[test]
fn a_transition_fit_by_a_loss_has_the_same_bits_on_the_interpreter() {
    let model = spread();
    fitted_on_both(&model, 30, 0.0, |options| {
        let fitted = Fitted::new(&model, &[]).unwrap();
        let pairs = Pairs::new(&model, &fitted, observed(&model), options).unwrap();
        let loss = TransitionLoss::named("pixel").unwrap();
        let task = Transition::new(&model, fitted, pairs, &loss, &StraightThrough, 4, 3, options);
        Box::new(task.unwrap())
    });
}

#[test]
fn a_likelihood_fit_has_the_same_bits_on_the_interpreter() {
    let model = spread();
    fitted_on_both(&model, 30, 0.0, |options| {
        let fitted = Fitted::new(&model, &[]).unwrap();
        let pairs = Pairs::new(&model, &fitted, observed(&model), options).unwrap();
        Box::new(Likelihood::new(&model, fitted, pairs, options).unwrap())
    });
}

/// The share of the ill, and its square: a summary by code of its own, as those of walkers are.
struct Shares;

impl Summary for Shares {
    fn outputs(&self) -> Vec<String> {
        vec!["share".into(), "square".into()]
    }
    fn values(&self, layers: &[Vec<f64>]) -> Vec<f64> {
        let share = layers[0].iter().sum::<f64>() / layers[0].len() as f64;
        vec![share, share * share]
    }
    fn pull_back(&self, layers: &[Vec<f64>], bars: &[f64]) -> Vec<Vec<f64>> {
        let share = self.values(layers)[0];
        let slope = (bars[0] + 2.0 * share * bars[1]) / layers[0].len() as f64;
        vec![vec![slope; layers[0].len()]]
    }
}

#[test]
fn a_trajectory_fit_through_several_steps_ends_at_the_same_place() {
    let model = spread();
    for summary in [true, false] {
        fitted_on_both(&model, 12, 1e-6, |options| {
            let observation: Observation = match summary {
                true => Observation::Summary(std::sync::Arc::new(Shares)),
                false => model
                    .observe(|s| {
                        let share = s.layer("ill").mean();
                        s.output("share", share);
                        s.output("square", share * share);
                    })
                    .unwrap()
                    .into(),
            };
            let target = Target {
                steps: vec![1, 3],
                outputs: observation.outputs(),
                values: vec![0.4, 0.16, 0.6, 0.36],
                errors: None,
            };
            let replication = Replication { replicates: 4, seed: 5 };
            let fitted = Fitted::new(&model, &[]).unwrap();
            let loss = CurveLoss::named("squared-error").unwrap();
            let task = Trajectory::new(
                &model,
                fitted,
                observation,
                target,
                loss,
                &StraightThrough,
                replication,
                None,
                options,
            );
            Box::new(task.unwrap())
        });
    }
}

#[test]
fn every_estimator_has_the_same_gradient_on_both() {
    let model = spread();
    let share = model.observe(|s| s.output("share", s.layer("ill").mean())).unwrap();
    let (mut compared, mut refused) = (0, 0);
    // Differences are runs forwards, which are compared elsewhere.
    for entry in ESTIMATORS.iter().filter(|e| e.name != "differences") {
        let estimator = (entry.make)(EstimatorOptions::default());
        for precision in [Precision::Single, Precision::Double] {
            let gradient = |options: Options| {
                let options = Options { precision, ..options };
                let plan = Plan::new(&model, &[share.clone().into()], Some(&*estimator), options)?;
                let run = Run::new(&[0.2, 0.4], 3).replicates(5).observe(3, 0).seed(9);
                plan.gradient(&run, &|m| glauber_engine::LossValue { value: m[0], slopes: vec![1.0] })
            };
            match both().map(gradient) {
                [Ok(engine), Ok(interpreter)] => {
                    assert!(same(&engine.outputs.values, &interpreter.outputs.values), "{}", entry.name);
                    let tolerance = if precision == Precision::Single { 1e-5 } else { 1e-13 };
                    for (a, b) in engine.parameters.iter().zip(&interpreter.parameters) {
                        assert!(close(*a, *b, tolerance), "{}: {a} and {b}", entry.name);
                    }
                    compared += 1;
                }
                [engine, interpreter] => {
                    assert_eq!(engine.err(), interpreter.err(), "{}", entry.name);
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((compared, refused), (2 * (ESTIMATORS.len() - 1), 0));
}

#[test]
fn errors_are_the_same_words() {
    let wild = Model::build("wild", Lattice::square(6))
        .layer("n", Values::Integers { lowest: 0, highest: 3 })
        .parameter("a", Interval::any())
        .start(|s| s.next("n").set(1.0))
        .step(|s| {
            s.next("n")
                .set(s.layer("n") + s.bernoulli(s.parameter("a")).round(glauber_program::Surrogate::Identity))
        })
        .unwrap();
    for a in [1.0, 1.5, -0.25] {
        let found: Vec<Option<EngineError>> = both()
            .map(|options| {
                let plan = Plan::new(&wild, &[], None, options).unwrap();
                plan.simulate(&Run::new(&[a], 5)).err()
            })
            .into();
        assert_eq!(found[0], found[1], "{a}");
        assert!(found[0].is_some(), "{a}");
    }
}

#[test]
fn a_gradient_of_nothing_observed_is_zero() {
    let model = spread();
    for options in both() {
        let plan = Plan::new(&model, &[], Some(&StraightThrough), options).unwrap();
        let run = Run::new(&[0.2, 0.4], 3).replicates(5);
        let found =
            plan.gradient(&run, &|_| glauber_engine::LossValue { value: 1.0, slopes: vec![] }).unwrap();
        assert_eq!((found.value, found.parameters), (1.0, vec![0.0, 0.0]));
    }
}
