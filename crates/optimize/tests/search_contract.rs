//! Sweeps the list of gradient-free searches with what must hold for every one.
#![allow(clippy::unwrap_used)]

mod objectives;

use std::sync::atomic::{AtomicBool, Ordering};

use glauber_optimize::checkpoint::CheckpointPolicy;
use glauber_optimize::descent::Control;
use glauber_optimize::gradient_free::GradientFree;
use glauber_optimize::maps::Map;
use glauber_optimize::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};
use glauber_optimize::optimizers::Choice;
use glauber_optimize::searches::{self, SEARCHES};
use glauber_optimize::stopping::{Stopped, StoppingRules, Tolerance};
use glauber_optimize::trace::Record;
use objectives::{Draws, Noisy, Quadratic, Rosenbrock};

fn hunt(name: &str, rounds: u64) -> GradientFree {
    GradientFree::new(Choice::new(name), rounds, 1)
}

/// A loss without a gradient.
struct ValueOnly<F>(Vec<Unknown>, F);

impl<F: FnMut(&[f64], u64) -> f64 + Send> Objective for ValueOnly<F> {
    fn unknowns(&self) -> &[Unknown] {
        &self.0
    }
    fn evaluate(&mut self, _: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
        Err(ObjectiveError::Failed("this loss has no gradient".into()))
    }
    fn value(&mut self, theta: &[f64], iteration: u64) -> Result<f64, ObjectiveError> {
        Ok((self.1)(theta, iteration))
    }
}

fn unit(names: &[&str]) -> Vec<Unknown> {
    names.iter().map(|name| Unknown::scalar(name, Interval::unit())).collect()
}

#[test]
fn each_finds_a_minimum_in_one_to_ten_dimensions() {
    for entry in SEARCHES {
        for n in [1, 2, 5, 10] {
            let curvature: Vec<f64> = (0..n).map(|i| 10f64.powi(i % 3)).collect();
            let minimum: Vec<f64> = (0..n).map(|i| f64::from(i) * 0.3 - 1.0).collect();
            let mut bowl = Quadratic::new(&curvature, &minimum);
            let result =
                hunt(entry.name, 3000).run(&mut bowl, &vec![0.0; n as usize], Control::default()).unwrap();
            for (found, right) in result.theta.iter().zip(&minimum) {
                assert!((found - right).abs() < 1e-5, "{} {n}: {:?}", entry.name, result.theta);
            }
            assert!(
                result.estimates[0].standard_error.is_some(),
                "an exact likelihood has its errors here too"
            );
        }
    }
}

#[test]
fn each_follows_a_curved_valley() {
    for entry in SEARCHES {
        let result =
            hunt(entry.name, 600).run(&mut Rosenbrock::new(), &[-1.0, 1.5], Control::default()).unwrap();
        assert!(result.loss < 1e-10, "{}: {:?}", entry.name, result.theta);
    }
}

#[test]
fn no_gradient_is_needed_and_kinks_do_no_harm() {
    for entry in SEARCHES {
        let kinked = |theta: &[f64], _: u64| (theta[0] - 0.3).abs() + 2.0 * (theta[1] - 0.8).abs();
        let mut loss = ValueOnly(unit(&["a", "b"]), kinked);
        let result = hunt(entry.name, 500).run(&mut loss, &[0.5, 0.5], Control::default()).unwrap();
        assert!(
            (result.theta[0] - 0.3).abs() < 1e-4 && (result.theta[1] - 0.8).abs() < 1e-4,
            "{}",
            entry.name
        );
    }
}

#[test]
fn every_candidate_lies_in_its_interval_for_every_map() {
    for entry in SEARCHES {
        for map in [Map::Clamp, Map::Logit, Map::Identity] {
            let mut most = [f64::INFINITY, f64::NEG_INFINITY];
            let mut loss = ValueOnly(unit(&["a"]), |theta: &[f64], _| {
                most = [most[0].min(theta[0]), most[1].max(theta[0])];
                -theta[0] // the minimum lies at the end
            });
            let settings = GradientFree { maps: [("a".to_string(), map)].into(), ..hunt(entry.name, 200) };
            let result = settings.run(&mut loss, &[0.5], Control::default()).unwrap();
            assert!(most[0] >= 0.0 && most[1] <= 1.0, "{} {map:?}: {most:?}", entry.name);
            assert!(result.theta[0] > 0.98, "{} {map:?}: {:?}", entry.name, result.theta);
        }
    }
}

#[test]
fn losses_that_are_not_finite_are_avoided() {
    for entry in SEARCHES {
        let holed = |theta: &[f64], _: u64| if theta[0] > 0.6 { f64::NAN } else { (theta[0] - 0.55).powi(2) };
        let mut loss = ValueOnly(unit(&["a"]), holed);
        let result = hunt(entry.name, 300).run(&mut loss, &[0.5], Control::default()).unwrap();
        assert!((result.theta[0] - 0.55).abs() < 1e-3, "{}: {:?}", entry.name, result.theta);
        let mut hopeless = ValueOnly(unit(&["a"]), |_: &[f64], _| f64::NAN);
        let result = hunt(entry.name, 300).run(&mut hopeless, &[0.5], Control::default()).unwrap();
        assert!(matches!(result.stopped, Stopped::Diverged { step: 0, .. }), "{}", entry.name);
    }
}

#[test]
fn noise_is_shared_within_a_round_or_by_all() {
    for entry in SEARCHES {
        let fresh = searches::build(&Choice::new(entry.name)).unwrap().takes_fresh_noise();
        let mut iterations = Vec::new();
        let mut loss = ValueOnly(unit(&["a", "b"]), |theta: &[f64], iteration| {
            iterations.push(iteration);
            theta[0] + theta[1]
        });
        hunt(entry.name, 5).run(&mut loss, &[0.5, 0.5], Control::default()).unwrap();
        let last = if fresh { 5 } else { 0 };
        assert_eq!(iterations.last(), Some(&last), "{}", entry.name);
        assert!(iterations.is_sorted(), "{}", entry.name);
    }
}

#[test]
fn noise_does_not_stop_cma_es() {
    // Gaussian noise of 0.02 on a loss of curvature 1: half a step away costs 0.125.
    let result = hunt("cma-es", 400)
        .run(&mut Noisy::new(&[0.3, 0.7], 0.02, 3), &[0.5, 0.5], Control::default())
        .unwrap();
    assert!(
        result.theta.iter().zip([0.3, 0.7]).all(|(found, right)| (found - right).abs() < 0.1),
        "{:?}",
        result.theta
    );
}

#[test]
fn a_search_rests_when_its_spread_is_small() {
    for entry in SEARCHES {
        let tolerance = Some(Tolerance { change: 1e-6, patience: 3 });
        let settings = GradientFree {
            stopping: StoppingRules { tolerance, ..StoppingRules::after(5000) },
            ..hunt(entry.name, 0)
        };
        let result = settings
            .run(&mut Quadratic::new(&[1.0, 2.0], &[0.3, 0.1]), &[0.0, 0.0], Control::default())
            .unwrap();
        assert_eq!(result.stopped.word(), "tolerance", "{}", entry.name);
        assert!((result.theta[0] - 0.3).abs() < 1e-5, "{}: {:?}", entry.name, result.theta);
    }
}

#[test]
fn a_search_interrupted_at_random_rounds_is_the_uninterrupted_search() {
    let folder = tempfile::tempdir().unwrap();
    let mut draws = Draws::new(7, 7);
    for entry in SEARCHES {
        let settings = GradientFree { trace_every: 2, ..hunt(entry.name, 60) };
        let make = || Noisy::new(&[0.3, 0.7, 0.5], 0.01, 5);
        let start = [0.9, 0.1, 0.2];
        let whole = settings.run(&mut make(), &start, Control::default()).unwrap();
        for case in 0..5 {
            let path = folder.path().join(format!("{}-{case}", entry.name));
            let policy =
                || Some(CheckpointPolicy { path: path.clone(), every: [0, 7][case % 2], resume: true });
            let mut stops: Vec<u64> = (0..3).map(|_| draws.next() % 59).collect();
            stops.sort_unstable();
            stops.dedup();
            for stop in stops {
                let flag = AtomicBool::new(false);
                let mut observer =
                    |record: &Record, _: &[f64]| flag.store(record.step >= stop, Ordering::Relaxed);
                let control = Control {
                    observer: Some(&mut observer),
                    interrupt: Some(&flag),
                    checkpoint: policy(),
                    ..Control::default()
                };
                let result = settings.run(&mut make(), &start, control).unwrap();
                assert_eq!(result.stopped, Stopped::Interrupted);
            }
            let resumed = settings
                .run(&mut make(), &start, Control { checkpoint: policy(), ..Control::default() })
                .unwrap();
            // `{:?}` of f64 is exact, and equal for NaN.
            assert_eq!(format!("{resumed:?}"), format!("{whole:?}"), "{}", entry.name);
        }
    }
}

#[test]
fn wrong_searches_are_refused_in_words() {
    let say = |choice: Choice, unknowns: Vec<Unknown>| {
        let start: Vec<f64> = unknowns.iter().flat_map(|unknown| vec![0.5; unknown.len()]).collect();
        let mut loss = ValueOnly(unknowns, |_: &[f64], _| 0.0);
        GradientFree::new(choice, 3, 1).run(&mut loss, &start, Control::default()).unwrap_err().to_string()
    };
    assert!(
        say(Choice::new("cma"), unit(&["a"])).contains("there is no search `cma`: did you mean `cma-es`?")
    );
    assert!(say(Choice::new("cma-es").with("population", 2.0), unit(&["a"])).contains("from 4 to 10,000"));
    assert!(
        say(Choice::new("nelder-mead").with("population", 8.0), unit(&["a"]))
            .contains("has no option `population`")
    );
    assert!(say(Choice::new("cma-es").with("spread", 0.0), unit(&["a"])).contains("above 0"));
    let image = vec![Unknown::field("image", Interval::unit(), &[100, 100])];
    assert!(say(Choice::new("cma-es"), image).contains("is for 1 to 200 unknown numbers, not 10000"));
    assert!(say(Choice::new("cma-es"), vec![]).contains("not 0"));
}
