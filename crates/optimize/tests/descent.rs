//! Checks the loop: stopping, divergence, averages, standard errors, fields, several starts.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // the floats compared are copies or ends of intervals

mod objectives;

use std::sync::atomic::{AtomicBool, Ordering};

use glauber_optimize::clipping::Clip;
use glauber_optimize::descent::{Control, Descent, FitError};
use glauber_optimize::maps::Map;
use glauber_optimize::multi_start::MultiStart;
use glauber_optimize::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};
use glauber_optimize::optimizers::Choice;
use glauber_optimize::stopping::{Plateau, Stopped, StoppingRules, Tolerance};
use glauber_optimize::trace::Record;
use objectives::{Noisy, Quadratic};

fn adam(steps: u64) -> Descent {
    Descent::new(Choice::new("adam"), 0.05, steps)
}

/// An objective from a closure over θ₀ and the iteration.
struct From<F>([Unknown; 1], F);

impl<F: FnMut(f64, u64) -> (f64, f64) + Send> Objective for From<F> {
    fn unknowns(&self) -> &[Unknown] {
        &self.0
    }
    fn evaluate(&mut self, theta: &[f64], iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let (value, slope) = (self.1)(theta[0], iteration);
        Ok(Evaluation { value, gradient: vec![slope] })
    }
}

fn on_unit<F: FnMut(f64, u64) -> (f64, f64)>(f: F) -> From<F> {
    From([Unknown::scalar("beta", Interval::unit())], f)
}

#[test]
fn every_record_is_seen_before_its_update_and_the_iterations_count_up() {
    let mut iterations = Vec::new();
    let mut seen = Vec::new();
    let mut observer = |record: &Record, theta: &[f64]| seen.push((record.step, theta[0]));
    let mut bowl = on_unit(|beta, iteration| {
        iterations.push(iteration);
        ((beta - 0.3).powi(2), 2.0 * (beta - 0.3))
    });
    let control = Control { observer: Some(&mut observer), ..Control::default() };
    let result = Descent { trace_every: 4, ..adam(10) }.run(&mut bowl, &[0.9], control).unwrap();
    assert_eq!(iterations, (0..=10).collect::<Vec<_>>());
    assert_eq!(seen.len(), 11);
    assert!((seen[0].1 - 0.9).abs() < 1e-15);
    assert_eq!(seen[10].1.to_bits(), result.theta[0].to_bits());
    assert_eq!(result.trace.records.iter().map(|r| r.step).collect::<Vec<_>>(), [0, 4, 8, 10]);
}

#[test]
fn no_steps_evaluates_the_start_once() {
    let result = adam(0).run(&mut Quadratic::probability(0.3), &[0.5], Control::default()).unwrap();
    assert_eq!((result.steps, result.trace.records.len()), (0, 1));
    assert!((result.loss - 0.02).abs() < 1e-15);
}

#[test]
fn an_exact_likelihood_gives_standard_errors() {
    let mut bowl = Quadratic::new(&[4.0, 25.0], &[1.0, 2.0]);
    let result = Descent {
        stopping: StoppingRules {
            tolerance: Some(Tolerance { change: 1e-9, patience: 5 }),
            ..StoppingRules::after(100_000)
        },
        ..adam(0)
    }
    .run(&mut bowl, &[0.0, 0.0], Control::default())
    .unwrap();
    assert_eq!(result.stopped.word(), "tolerance");
    let errors: Vec<_> = result.estimates.iter().map(|e| e.standard_error.unwrap()).collect();
    // Differences of slopes near 1 over a fiftieth of an error: rounding below 1e-13.
    assert!((errors[0] - 0.5).abs() < 1e-12 && (errors[1] - 0.2).abs() < 1e-12, "{errors:?}");
    assert_eq!((result.at_optimum, result.verdict.as_str()), (Some(true), "at its optimum"));
    let mut saddle = Quadratic::new(&[1.0, -1.0], &[0.0, 0.0]);
    let result = adam(1).run(&mut saddle, &[1e-3, 0.0], Control::default()).unwrap();
    assert_eq!((result.estimates[0].standard_error, result.at_optimum), (None, Some(false)));
    assert!(result.notes[0].contains("not at its optimum"), "{:?}", result.notes);
}

#[test]
fn what_is_not_finite_stops_the_fit_with_advice() {
    let case = |f: fn(f64, u64) -> (f64, f64), descent: Descent| {
        let result = descent.run(&mut on_unit(f), &[0.5], Control::default()).unwrap();
        let Stopped::Diverged { step, what, advice } = result.stopped.clone() else {
            panic!("{:?}", result.stopped)
        };
        assert_eq!(result.steps, step);
        assert_eq!(result.trace.records.last().map(|r| r.step), Some(step));
        assert!(result.theta[0].is_finite());
        (step, what, advice)
    };
    let (step, what, advice) = case(|_, k| (if k == 3 { f64::NAN } else { 1.0 }, 0.1), adam(10));
    assert_eq!((step, what.as_str()), (3, "the loss is NaN"));
    assert!(advice.contains("lower the learning rate (now 0.05)"), "{advice}");
    let (step, what, advice) = case(|_, _| (1.0, f64::INFINITY), adam(10));
    assert_eq!((step, what.as_str()), (0, "the gradient of `beta` is inf"));
    assert!(advice.contains("start the parameters elsewhere"), "{advice}");
    let (_, _, advice) = case(
        |_, k| (1.0, [0.0, f64::NAN][usize::from(k == 2)]),
        Descent { clip: Some(Clip::Norm(1.0)), ..adam(10) },
    );
    assert!(advice.ends_with("or the clip"), "{advice}");
}

#[test]
fn an_identity_that_leaves_its_interval_has_diverged() {
    let maps = [("beta".to_string(), Map::Identity)].into();
    let result = Descent { maps, ..adam(100) }
        .run(&mut on_unit(|_, _| (0.0, 1.0)), &[0.1], Control::default())
        .unwrap();
    let Stopped::Diverged { what, advice, .. } = result.stopped else { panic!() };
    assert!(what.starts_with("`beta` became -") && advice.contains("`clamp` or `logit`"), "{what} {advice}");
}

#[test]
fn a_clamped_parameter_rests_at_its_end() {
    let maps = [("beta".to_string(), Map::Clamp)].into();
    let sgd = Descent { maps, ..Descent::new(Choice::new("sgd"), 0.1, 50) };
    let result = sgd.run(&mut on_unit(|_, _| (0.0, 1.0)), &[0.5], Control::default()).unwrap();
    assert_eq!(result.theta, [0.0]);
    assert!(result.notes[0].starts_with("`beta` lies at the end 0 of its interval"), "{:?}", result.notes);
}

#[test]
fn a_clip_bounds_the_step() {
    let clipped = Descent { clip: Some(Clip::Norm(1e-3)), ..Descent::new(Choice::new("sgd"), 1.0, 1) };
    let mut slope = From([Unknown::scalar("x", Interval::any())], |_, _| (0.0, 1e9));
    let result = clipped.run(&mut slope, &[0.0], Control::default()).unwrap();
    assert!((result.theta[0] + 1e-3).abs() < 1e-15);
    assert!(
        (result.trace.records[0].gradient_norm - 1e9).abs() < 1.0,
        "the trace keeps the unclipped length"
    );
}

#[test]
fn a_noisy_fit_stops_on_its_plateau() {
    let rule = Plateau { window: 200, improvement: 0.05, patience: 3 };
    let stopping = StoppingRules { plateau: Some(rule), ..StoppingRules::after(100_000) };
    let result = Descent { stopping, ..adam(0) }
        .run(&mut Noisy::new(&[0.3], 0.05, 1), &[0.9], Control::default())
        .unwrap();
    assert_eq!(result.stopped.word(), "plateau");
    assert!(
        result.steps < 20_000 && (result.theta[0] - 0.3).abs() < 0.1,
        "{} {:?}",
        result.steps,
        result.theta
    );
}

#[test]
fn the_average_is_closer_than_the_last_step_and_its_error_is_right() {
    // Plain descent on a quadratic with noise s: θ is an autoregression, and the average of n steps has the
    // standard error s / √n (to first order in 1/n).
    let (noise, steps) = (0.05, 40_000u64);
    let sgd = Descent {
        average: 0.5,
        maps: [("p0".to_string(), Map::Clamp)].into(),
        ..Descent::new(Choice::new("sgd"), 0.05, steps)
    };
    let right = noise / ((steps / 2) as f64).sqrt();
    let mut misses = 0.0;
    let cases = 16;
    for seed in 0..cases {
        let result = sgd.run(&mut Noisy::new(&[0.4], noise, seed), &[0.5], Control::default()).unwrap();
        let estimate = result.estimate("p0").unwrap();
        let z = (estimate.value - 0.4) / right;
        misses += z * z;
        // 31 or more batches, correlated over 1/rate = 20 of ≥ 312 steps: within 5 standard deviations of 13 %.
        let share = estimate.simulation_noise.unwrap() / right;
        assert!((share - 1.0).abs() < 0.65, "{share}");
    }
    // Chi-square with 16 degrees of freedom: mean 16, variance 32; below 40 but for a chance of 0.001.
    assert!(misses < 39.3 && misses > 3.9, "{misses}");
}

#[test]
fn an_average_that_never_began_is_said() {
    let stopping = StoppingRules {
        tolerance: Some(Tolerance { change: 10.0, patience: 1 }),
        ..StoppingRules::after(100)
    };
    let descent = Descent { average: 0.1, stopping, ..adam(0) };
    let result = descent.run(&mut Quadratic::probability(0.3), &[0.5], Control::default()).unwrap();
    assert_eq!(result.stopped.word(), "tolerance");
    assert!(result.notes.iter().any(|note| note.contains("averaged")), "{:?}", result.notes);
}

#[test]
fn a_field_is_fitted_beside_a_scalar() {
    let shape = [60, 40];
    let mut start = vec![0.5; 2401];
    start[0] = 0.9;
    let mut image = Quadratic::with_field(&shape);
    let result =
        Descent::new(Choice::new("sgd"), 0.5, 200).run(&mut image, &start, Control::default()).unwrap();
    let found = result.values("image").unwrap();
    assert_eq!(found.len(), 2400);
    assert!(found.iter().zip(&image.minimum[1..]).all(|(a, b)| (a - b).abs() < 1e-12));
    assert_eq!(result.trace.columns, ["beta", "image.mean", "image.sd", "image.min", "image.max"]);
    assert_eq!(
        result.trace.records[0].parameters,
        [result.trace.records[0].parameters[0], 0.5, 0.0, 0.5, 0.5]
    );
    let json = result.to_json();
    assert_eq!(json["fields"]["image"]["shape"], serde_json::json!([60, 40]));
    assert!(json["parameters"]["beta"]["standard_error"].is_null());
}

#[test]
fn several_starts_keep_all_and_choose_the_least_loss() {
    // Two valleys; the left one is deeper.
    let valleys = |x: f64, _: u64| {
        let f = |x: f64| (x - 0.2).powi(2) * (x - 0.8).powi(2) + 0.01 * x;
        (f(x), (f(x + 1e-6) - f(x - 1e-6)) / 2e-6)
    };
    let run = |start: &[f64]| adam(2000).run(&mut on_unit(valleys), start, Control::default());
    let starts = [vec![0.9], vec![0.1], vec![0.7]];
    let several = MultiStart::run(&starts, |_, start| run(start)).unwrap().unwrap();
    assert_eq!((several.results.len(), several.best), (3, 1));
    assert!(several.best().theta[0] < 0.3);
    let diverging =
        adam(5).run(&mut on_unit(|_, _| (f64::NEG_INFINITY, 1.0)), &[0.5], Control::default()).unwrap();
    let chosen = MultiStart::choose(vec![diverging, several.results[0].clone()]).unwrap();
    assert_eq!(chosen.best, 1, "a fit that diverged is never the best");
    assert!(MultiStart::choose(vec![]).is_none());
}

#[test]
fn an_interrupt_stops_before_the_next_step() {
    let flag = AtomicBool::new(false);
    let mut observer = |record: &Record, _: &[f64]| flag.store(record.step == 7, Ordering::Relaxed);
    let control = Control { observer: Some(&mut observer), interrupt: Some(&flag), ..Control::default() };
    let result = adam(100).run(&mut Quadratic::probability(0.3), &[0.5], control).unwrap();
    assert_eq!((result.steps, result.stopped), (8, Stopped::Interrupted));
    assert_eq!(result.trace.records.len(), 8);
}

#[test]
fn wrong_settings_are_refused_in_words() {
    let say = |descent: Descent, start: &[f64]| {
        descent.run(&mut Quadratic::probability(0.3), start, Control::default()).unwrap_err().to_string()
    };
    assert!(say(Descent { average: 1.5, ..adam(1) }, &[0.5]).contains("must be in [0, 1]"));
    assert!(say(Descent { average: f64::NAN, ..adam(1) }, &[0.5]).contains("must be in [0, 1]"));
    assert!(say(Descent { trace_every: 0, ..adam(1) }, &[0.5]).contains("trace"));
    assert!(say(Descent { clip: Some(Clip::Value(0.0)), ..adam(1) }, &[0.5]).contains("clip is 0"));
    assert!(say(Descent::new(Choice::new("adam"), -1.0, 1), &[0.5]).contains("`learning-rate` is -1"));
    assert!(say(Descent::new(Choice::new("adm"), 0.1, 1), &[0.5]).contains("did you mean `adam`"));
    assert!(say(adam(1), &[1.5]).contains("outside its interval"));
    assert!(say(adam(1), &[]).contains("the start has 0 numbers"));
    struct Broken(Vec<Unknown>, bool);
    impl Objective for Broken {
        fn unknowns(&self) -> &[Unknown] {
            &self.0
        }
        fn evaluate(&mut self, _: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
            if self.1 {
                Ok(Evaluation { value: 1.0, gradient: vec![] })
            } else {
                Err(ObjectiveError::Failed("no data left".into()))
            }
        }
    }
    let unknowns = vec![Unknown::scalar("beta", Interval::unit())];
    let short = adam(1).run(&mut Broken(unknowns.clone(), true), &[0.5], Control::default()).unwrap_err();
    assert!(matches!(short, FitError::GradientLength { found: 0, wanted: 1 }));
    let failed = adam(1).run(&mut Broken(unknowns, false), &[0.5], Control::default()).unwrap_err();
    assert_eq!(failed.to_string(), "at step 0 with beta = 0.500000: no data left");
}
