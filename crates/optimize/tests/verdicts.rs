//! Checks what a fit says of its own estimate: an error only where it is one.
#![allow(clippy::unwrap_used)]

use glauber_optimize::checkpoint::CheckpointPolicy;
use glauber_optimize::descent::{Control, Descent, FitError};
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::gradient_free::GradientFree;
use glauber_optimize::maps::Map;
use glauber_optimize::objective::{Evaluation, Interval, LogLikelihood, Objective, ObjectiveError, Unknown};
use glauber_optimize::optimizers::Choice;
use glauber_optimize::schedule::{LearningRate, Schedule};
use glauber_optimize::searches::SEARCHES;
use glauber_optimize::stopping::{Stopped, StoppingRules, Tolerance};
use glauber_optimize::verdict::Known;

/// A function of θ and its slopes.
type Curve = fn(&[f64]) -> (f64, Vec<f64>);

/// Coins that came up heads in a share `q` of `n` throws, with a chance of heads that is a function of θ.
struct Coins {
    unknowns: Vec<Unknown>,
    chance: Curve,
    q: f64,
    n: f64,
}

impl Coins {
    fn new(names: &[&str], chance: Curve, q: f64, n: f64) -> Coins {
        let unknowns = names.iter().map(|name| Unknown::scalar(name, Interval::unit())).collect();
        Coins { unknowns, chance, q, n }
    }
}

impl Objective for Coins {
    fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }
    fn evaluate(&mut self, theta: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
        let (p, slopes) = (self.chance)(theta);
        let q = self.q;
        let value = if p > 0.0 && p < 1.0 { -q * p.ln() - (1.0 - q) * (1.0 - p).ln() } else { f64::INFINITY };
        let slope = (1.0 - q) / (1.0 - p) - q / p;
        Ok(Evaluation { value, gradient: slopes.iter().map(|s| slope * s).collect() })
    }
    fn likelihood(&self) -> Option<LogLikelihood> {
        Some(LogLikelihood { route: "exact", data: self.n })
    }
    fn why_infinite(&mut self, theta: &[f64]) -> Option<String> {
        Some(format!("coins of chance {} cannot do that", (self.chance)(theta).0))
    }
}

fn rprop(steps: u64) -> Descent {
    Descent::new(Choice::new("rprop"), 0.1, steps)
}

fn fit(objective: &mut dyn Objective, start: &[f64], steps: u64) -> FitResult {
    rprop(steps).run(objective, start, Control::default()).unwrap()
}

fn known(result: &FitResult) -> Vec<Known> {
    result.estimates.iter().map(|e| e.known.clone()).collect()
}

#[test]
fn a_product_is_named_and_the_third_parameter_keeps_its_error() {
    // Two kinds of coins: one of chance a · b, one of chance c.
    struct Two(Coins, Coins);
    impl Objective for Two {
        fn unknowns(&self) -> &[Unknown] {
            &self.0.unknowns
        }
        fn evaluate(&mut self, theta: &[f64], k: u64) -> Result<Evaluation, ObjectiveError> {
            let (first, second) = (self.0.evaluate(theta, k)?, self.1.evaluate(theta, k)?);
            let gradient = first.gradient.iter().zip(&second.gradient).map(|(a, b)| a + b).collect();
            Ok(Evaluation { value: first.value + second.value, gradient })
        }
        fn likelihood(&self) -> Option<LogLikelihood> {
            self.0.likelihood()
        }
    }
    let names = ["a", "b", "c"];
    for start in [[0.3, 0.8, 0.5], [0.9, 0.4, 0.1], [0.5, 0.5, 0.5]] {
        let mut two = Two(
            Coins::new(&names, |t| (t[0] * t[1], vec![t[1], t[0], 0.0]), 0.2, 4e4),
            Coins::new(&names, |t| (t[2], vec![0.0, 0.0, 1.0]), 0.3, 4e4),
        );
        let result = fit(&mut two, &start, 200);
        let only = Known::NotDetermined(Some("`a` · `b`".into()));
        assert_eq!(known(&result)[..2], [only.clone(), only]);
        let error = result.estimates[2].standard_error.unwrap();
        assert!((error / (0.21f64 / 4e4).sqrt() - 1.0).abs() < 1e-3, "{error}");
        assert!(result.verdict.contains("only `a` · `b`, not `a` and `b`"), "{}", result.verdict);
        assert!(result.notes[0] == result.verdict && result.at_optimum == Some(true));
    }
}

#[test]
fn a_product_with_few_data_is_named_though_the_fit_is_a_tenth_of_an_error_off() {
    // Beside the optimum the slope of a product looks like curvature.
    for steps in [14, 16, 18, 20, 25, 30, 40, 60] {
        let mut coins = Coins::new(&["a", "b"], |t| (t[0] * t[1], vec![t[1], t[0]]), 0.2, 50.0);
        let result = fit(&mut coins, &[0.3, 0.5], steps);
        assert!(result.estimates.iter().all(|e| e.standard_error.is_none()), "{steps}: {:?}", known(&result));
    }
}

#[test]
fn a_sum_is_named_and_so_is_what_has_no_effect() {
    let mut coins =
        Coins::new(&["a", "b", "idle"], |t| (0.5 * (t[0] + t[1]), vec![0.5, 0.5, 0.0]), 0.45, 4e4);
    let result = fit(&mut coins, &[0.3, 0.8, 0.5], 200);
    let only = Known::NotDetermined(Some("`a` + `b`".into()));
    assert_eq!(known(&result), [only.clone(), only, Known::NotDetermined(None)]);
    assert!(result.verdict.contains("the data do not determine `idle`"), "{}", result.verdict);
}

/// What has no effect but has a slope of rounding is not determined, wherever steps along that slope took it: it does not lie
/// at an end for that.
#[test]
fn a_slope_of_rounding_pulls_nothing_to_an_end() {
    for (begin, slope, steps) in [(0.4, 9e-19, 20), (0.4, -9e-19, 20), (0.4, 9e-19, 300), (0.4, -9e-19, 300)]
    {
        let chance: Curve = |theta| (theta[0], vec![1.0, 0.0]);
        struct Rounding(Coins, f64);
        impl Objective for Rounding {
            fn unknowns(&self) -> &[Unknown] {
                self.0.unknowns()
            }
            fn evaluate(&mut self, theta: &[f64], k: u64) -> Result<Evaluation, ObjectiveError> {
                let mut found = self.0.evaluate(theta, k)?;
                found.gradient[1] = self.1;
                Ok(found)
            }
            fn likelihood(&self) -> Option<LogLikelihood> {
                self.0.likelihood()
            }
        }
        let mut coins = Rounding(Coins::new(&["a", "idle"], chance, 0.3, 1e4), slope);
        let result = fit(&mut coins, &[0.29, begin], steps);
        let found = known(&result);
        assert!(steps < 100 || matches!(found[0], Known::Error(_)), "{begin} {slope}: {found:?}");
        assert_eq!(found[1], Known::NotDetermined(None), "{begin} {slope}: {}", result.verdict);
        assert!(result.verdict.contains("do not determine `idle`"), "{}", result.verdict);
    }
    // An optimum at an end, where the slope is 0 but not beside it, is felt.
    let chance: Curve = |theta| (0.3 + 0.5 * theta[0], vec![0.5]);
    let mut coins = Coins::new(&["a"], chance, 0.3, 1e4);
    let result = fit(&mut coins, &[0.2], 300);
    assert!(!matches!(known(&result)[0], Known::NotDetermined(_)), "{}", result.verdict);
    assert!(result.theta[0] < 1e-3, "{}", result.theta[0]);
}

#[test]
fn a_fit_that_has_not_arrived_has_no_error_at_any_step() {
    for steps in 0..60 {
        for start in [0.01, 0.5, 0.99] {
            let mut coins = Coins::new(&["p"], |t| (t[0], vec![1.0]), 0.3, 4e4);
            let result = fit(&mut coins, &[start], steps);
            let right = (0.21f64 / 4e4).sqrt();
            let off = (result.theta[0] - 0.3).abs() / right;
            match result.estimates[0].standard_error {
                // Newton's decrement is the square of the distance in errors.
                Some(error) => assert!(off < 0.11 && (error / right - 1.0).abs() < 0.01, "{off} {error}"),
                None => assert!(off > 0.09 && result.at_optimum == Some(false), "{off}"),
            }
        }
    }
}

#[test]
fn an_end_of_an_interval_has_no_normal_error() {
    for map in [Map::Logit, Map::Clamp] {
        let mut coins =
            Coins::new(&["p", "more"], |t| (0.3 + 0.1 * t[0] + 0.2 * t[1], vec![0.1, 0.2]), 0.6, 4e4);
        let maps = ["p", "more"].map(|name| (name.to_string(), map)).into();
        let descent = Descent { maps, ..rprop(400) };
        // p = 1 and more = 1 give 0.6; with 0.7 the likelihood would rise beyond.
        coins.q = 0.7;
        let result = descent.run(&mut coins, &[0.5, 0.5], Control::default()).unwrap();
        assert_eq!(known(&result), [Known::AtEnd(1.0), Known::AtEnd(1.0)], "{map:?} {:?}", result.theta);
        assert!(result.verdict.contains("`p` lies at the end 1 of its interval"), "{}", result.verdict);
    }
    // The end is a small part of an error away.
    let mut coins = Coins::new(&["p"], |t| (t[0] * t[0], vec![2.0 * t[0]]), 1e-9, 1e3);
    let result = fit(&mut coins, &[0.5], 400);
    assert!(result.estimates[0].standard_error.is_none(), "{:?} {:?}", known(&result), result.theta);
}

#[test]
fn a_kink_has_no_normal_error() {
    // Metropolis' acceptance: one side of 0.5 cannot have rejected, the other falls off at once.
    let kinked: Curve = |t| {
        let x = t[0] - 0.5;
        (0.5 * (-x.abs()).exp(), vec![-0.5 * x.signum() * (-x.abs()).exp()])
    };
    let mut coins = Coins::new(&["field"], kinked, 0.9, 4e4);
    let result = fit(&mut coins, &[0.8], 300);
    assert!((result.theta[0] - 0.5).abs() < 1e-6);
    assert_eq!(known(&result), [Known::NotSmooth]);
    assert!(result.verdict.contains("not smooth at `field`"), "{}", result.verdict);
}

/// A parabola made of straight pieces, three to an error: its optimum is a kink, and its course has an error all the same.
#[test]
fn many_small_kinks_leave_an_error() {
    const ERROR: f64 = 0.01;
    struct Pieces(Vec<Unknown>, f64);
    impl Objective for Pieces {
        fn unknowns(&self) -> &[Unknown] {
            &self.0
        }
        fn evaluate(&mut self, t: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
            let length = self.1 * ERROR;
            let u = (t[0] - 0.5) / length;
            let k = u.floor();
            let value = length * length * (0.5 * k * k + (k + 0.5) * (u - k));
            Ok(Evaluation { value, gradient: vec![length * (k + 0.5)] })
        }
        fn likelihood(&self) -> Option<LogLikelihood> {
            Some(LogLikelihood { route: "exact", data: 1.0 / (ERROR * ERROR) })
        }
    }
    let pieces = |length| Pieces(vec![Unknown::scalar("x", Interval::unit())], length);
    let result = fit(&mut pieces(1.0 / 3.0), &[0.45], 300);
    let error = result.estimates[0].standard_error.unwrap_or(f64::NAN);
    // Slopes two errors away are off by half a piece in six at most.
    assert!((error / ERROR - 1.0).abs() < 0.05, "{error} {result:?}");
    assert!((result.theta[0] - 0.5).abs() < 0.3 * ERROR && result.at_optimum == Some(true), "{result:?}");
    assert!(result.notes.iter().any(|note| note.contains("many small kinks along `x`")), "{result:?}");
    // Pieces of several errors are no parabola.
    let result = fit(&mut pieces(5.0), &[0.45], 300);
    assert_eq!(known(&result), [Known::NotSmooth], "{result:?}");
}

#[test]
fn errors_of_a_badly_conditioned_fit_are_given_with_a_note() {
    // Two coins, of chance (a + b)/2 and, hardly otherwise, (a + b)/2 + 1e-3·a: condition number about 10⁷.
    struct Nearly(Vec<Unknown>);
    impl Objective for Nearly {
        fn unknowns(&self) -> &[Unknown] {
            &self.0
        }
        fn evaluate(&mut self, t: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
            let (sum, difference) = (t[0] + t[1] - 0.9, 5e-4 * (t[0] - t[1] + 0.1));
            let value = 0.5 * (sum * sum + difference * difference);
            Ok(Evaluation { value, gradient: vec![sum + 5e-4 * difference, sum - 5e-4 * difference] })
        }
        fn likelihood(&self) -> Option<LogLikelihood> {
            Some(LogLikelihood { route: "exact", data: 1e9 })
        }
    }
    let unknowns = ["a", "b"].map(|name| Unknown::scalar(name, Interval::unit())).to_vec();
    let result = rprop(0).run(&mut Nearly(unknowns), &[0.4 + 1e-7, 0.5 - 1e-7], Control::default()).unwrap();
    let error = result.estimates[0].standard_error.unwrap();
    // Variance of (sum + difference) / 2, the difference known to 1 / (5e-4 √1e9).
    let right = 0.5 / (5e-4 * 1e9f64.sqrt());
    assert!((error / right - 1.0).abs() < 1e-3, "{error} {right}");
    assert!(result.notes.iter().any(|n| n.contains("condition number is 4.0e6")), "{:?}", result.notes);
}

#[test]
fn a_gradient_of_0_in_every_step_is_an_error() {
    let mut coins = Coins::new(&["a", "b"], |_| (0.5, vec![0.0, 0.0]), 0.3, 100.0);
    let error = rprop(20).run(&mut coins, &[0.3, 0.6], Control::default()).unwrap_err();
    assert!(matches!(error, FitError::NoGradient { steps: 20, .. }));
    assert!(error.to_string().contains("`a` and `b` was 0 in every one of 20 steps"), "{error}");
    for entry in SEARCHES {
        let mut coins = Coins::new(&["a", "b"], |_| (0.5, vec![0.0, 0.0]), 0.3, 100.0);
        let search = GradientFree::new(Choice::new(entry.name), 20, 1);
        let error = search.run(&mut coins, &[0.3, 0.6], Control::default()).unwrap_err();
        assert!(matches!(error, FitError::NoEffect { .. }), "{}: {error}", entry.name);
    }
}

/// A noisy bowl about 0.3 by its first number; the second has no gradient.
struct Loss(Vec<Unknown>, f64);

impl Loss {
    fn new(names: &[&str], noise: f64) -> Loss {
        Loss(names.iter().map(|name| Unknown::scalar(name, Interval::unit())).collect(), noise)
    }
}

impl Objective for Loss {
    fn unknowns(&self) -> &[Unknown] {
        &self.0
    }
    fn evaluate(&mut self, theta: &[f64], k: u64) -> Result<Evaluation, ObjectiveError> {
        // A uniform number from the iteration alone.
        let hash = (k + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let noise = self.1 * (((hash ^ (hash >> 32)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0);
        let off = theta[0] - 0.3;
        let mut gradient = vec![0.0; theta.len()];
        gradient[0] = off + noise;
        Ok(Evaluation { value: 0.5 * off * off, gradient })
    }
}

fn sgd(rate: f64, steps: u64) -> Descent {
    let maps = [("p".to_string(), Map::Clamp)].into();
    Descent { maps, average: 0.5, ..Descent::new(Choice::new("sgd"), rate, steps) }
}

#[test]
fn a_loss_has_simulation_noise_and_no_error() {
    let result = sgd(0.1, 2000).run(&mut Loss::new(&["p"], 0.1), &[0.8], Control::default()).unwrap();
    let p = &result.estimates[0];
    assert_eq!((p.standard_error, p.known.clone()), (None, Known::NoLikelihood));
    let noise = p.simulation_noise.unwrap();
    assert!(
        noise > 0.0 && p.words().contains("simulation noise 0.00") && p.words().ends_with("error not known")
    );
    assert!(!p.words().contains('±'), "{}", p.words());
    assert_eq!(result.at_optimum, Some(true), "{}", result.verdict);
    let json = result.to_json();
    let own = &json["parameters"]["p"];
    assert!(
        own["standard_error"].is_null() && (own["simulation_noise"].as_f64().unwrap() - noise).abs() < 1e-15
    );
    assert!(json["likelihood"].is_null() && json["at_optimum"] == true);
}

#[test]
fn a_loss_that_still_falls_is_said_to() {
    let slow = sgd(0.0005, 2000).run(&mut Loss::new(&["p"], 0.1), &[0.8], Control::default()).unwrap();
    assert_eq!(slow.at_optimum, Some(false));
    assert!(slow.verdict.starts_with("not at its optimum: `p` still moved"), "{}", slow.verdict);
    assert_eq!(slow.estimates[0].known, Known::NotAtOptimum);
    let schedule = Schedule::Exponential { half_life: 3.0 };
    let learning_rate = LearningRate { start: 0.05, schedule, warm_up: 0 };
    let frozen = Descent { learning_rate, average: 0.0, ..sgd(0.05, 2000) };
    let frozen = frozen.run(&mut Loss::new(&["p"], 0.1), &[0.8], Control::default()).unwrap();
    assert_eq!(frozen.at_optimum, Some(false), "at {:?}", frozen.theta);
    assert!(frozen.verdict.contains("fell too fast"), "{}", frozen.verdict);
}

#[test]
fn a_shrunken_rate_is_no_rest() {
    let schedule = Schedule::Exponential { half_life: 3.0 };
    let stopping = StoppingRules {
        tolerance: Some(Tolerance { change: 1e-5, patience: 3 }),
        ..StoppingRules::after(300)
    };
    for warm_up in [0, 100_000] {
        let learning_rate = LearningRate { start: 0.05, schedule, warm_up };
        let descent = Descent { learning_rate, stopping, average: 0.0, ..sgd(0.05, 300) };
        let result = descent.run(&mut Loss::new(&["p"], 0.0), &[0.8], Control::default()).unwrap();
        assert_eq!(result.stopped, Stopped::Steps, "at {:?}", result.theta);
    }
    let rests = Descent { stopping, average: 0.0, ..sgd(0.5, 300) };
    let result = rests.run(&mut Loss::new(&["p"], 0.0), &[0.8], Control::default()).unwrap();
    assert_eq!(result.stopped.word(), "tolerance");
}

#[test]
fn what_no_gradient_reached_is_named() {
    let result =
        sgd(0.1, 500).run(&mut Loss::new(&["p", "idle"], 0.1), &[0.8, 0.4], Control::default()).unwrap();
    assert_eq!(known(&result), [Known::NoLikelihood, Known::NotReached]);
    assert!(result.verdict.contains("no gradient reached `idle`"), "{}", result.verdict);
}

/// Coins that the data contradict above 0.5, with the best chance there.
fn walled(q: f64) -> Coins {
    let chance: Curve = |t| if t[0] > 0.5 { (0.0, vec![0.0]) } else { (t[0], vec![1.0]) };
    Coins::new(&["p"], chance, q, 1e4)
}

#[test]
fn a_likelihood_of_0_makes_the_step_smaller() {
    for (optimizer, rate) in [("rprop", 0.5), ("adam", 0.3), ("sgd", 3.0)] {
        let descent = Descent::new(Choice::new(optimizer), rate, 400);
        let result = descent.run(&mut walled(0.45), &[0.05], Control::default()).unwrap();
        assert!((result.theta[0] - 0.45).abs() < 1e-3, "{optimizer}: {:?} {}", result.theta, result.stopped);
        assert!(result.trace.records.iter().all(|r| r.loss.is_finite()), "{optimizer}");
        // Where the wall itself is best, it is come near to, and there is no error.
        let result = descent.run(&mut walled(0.8), &[0.05], Control::default()).unwrap();
        assert!(result.theta[0] > 0.45 && result.theta[0] <= 0.5, "{optimizer}: {:?}", result.theta);
        assert_eq!(result.estimates[0].standard_error, None, "{optimizer}");
    }
    for entry in SEARCHES {
        let search = GradientFree::new(Choice::new(entry.name), 200, 1);
        let result = search.run(&mut walled(0.45), &[0.4], Control::default()).unwrap();
        assert!((result.theta[0] - 0.45).abs() < 1e-4, "{}: {:?}", entry.name, result.theta);
        assert!(result.estimates[0].standard_error.is_some(), "{}: {}", entry.name, result.verdict);
    }
}

#[test]
fn a_start_that_the_data_contradict_says_why() {
    let result = rprop(10).run(&mut walled(0.3), &[0.7], Control::default()).unwrap();
    let Stopped::Diverged { step: 0, what, .. } = &result.stopped else { panic!("{:?}", result.stopped) };
    assert!(what.contains("coins of chance 0 cannot do that"), "{what}");
    assert_eq!(known(&result), [Known::Diverged]);
    assert!(result.to_json()["parameters"]["p"]["estimate"].is_null());
    assert!(result.verdict.starts_with("no estimate"), "{}", result.verdict);
}

#[test]
fn a_fit_that_stepped_back_is_resumed_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, resume| {
        let path = folder.path().join(name);
        Control { checkpoint: Some(CheckpointPolicy { path, every: 1, resume }), ..Control::default() }
    };
    let descent = Descent::new(Choice::new("rprop"), 0.5, 60);
    let whole = descent.run(&mut walled(0.8), &[0.05], at("whole", false)).unwrap();
    for stop in [1, 3, 5, 8, 20, 45] {
        let name = format!("part {stop}");
        let part = Descent { stopping: StoppingRules::after(stop), ..descent.clone() };
        part.run(&mut walled(0.8), &[0.05], at(&name, false)).unwrap();
        let resumed = descent.run(&mut walled(0.8), &[0.05], at(&name, true)).unwrap();
        assert_eq!(format!("{resumed:?}"), format!("{whole:?}"), "{stop}");
    }
}

#[test]
fn a_rate_that_throws_a_fit_across_is_said_to_be_too_high() {
    for (rate, steps) in [(1.97, 400), (1.97, 5000), (5.0, 400)] {
        let result = sgd(rate, steps).run(&mut Loss::new(&["p"], 0.05), &[0.8], Control::default()).unwrap();
        let trace = &result.trace.records;
        assert_eq!(
            result.at_optimum,
            Some(false),
            "{rate}: {} {:?}",
            result.verdict,
            &trace[trace.len() - 4..]
        );
        for words in ["`p` swings from step to step", "the learning rate is too high"] {
            assert!(result.verdict.contains(words), "{rate}: {}", result.verdict);
        }
        assert_eq!(result.estimates[0].simulation_noise, None);
        assert!(result.to_json()["parameters"]["p"]["simulation_noise"].is_null());
    }
    // It overshoots by a third of the way, which is no harm; that it stood need not be clear (it is not in 3 % of fits).
    let result = sgd(1.3, 2000).run(&mut Loss::new(&["p"], 0.01), &[0.8], Control::default()).unwrap();
    assert_ne!(result.at_optimum, Some(false), "{}", result.verdict);
}

#[test]
fn the_spread_of_steps_that_shrink_or_stand_is_no_noise() {
    let rprop = Descent { average: 0.4, ..Descent::new(Choice::new("rprop"), 0.05, 300) };
    let result = rprop.run(&mut Loss::new(&["p"], 0.1), &[0.8], Control::default()).unwrap();
    assert_eq!(result.estimates[0].simulation_noise, None);
    assert!(
        result
            .notes
            .iter()
            .any(|note| note == "the simulation's noise in `p` is not known: the steps shrank"),
        "{:?}",
        result.notes
    );
    // What nothing reached stands where it started, and has none; the other has.
    let result =
        sgd(0.1, 2000).run(&mut Loss::new(&["p", "idle"], 0.1), &[0.8, 0.34], Control::default()).unwrap();
    assert!(result.estimates[0].simulation_noise.is_some() && result.estimates[1].simulation_noise.is_none());
    let schedule = Schedule::Exponential { half_life: 20.0 };
    let learning_rate = LearningRate { start: 0.1, schedule, warm_up: 0 };
    let shrinks = Descent { learning_rate, ..sgd(0.1, 400) };
    let result = shrinks.run(&mut Loss::new(&["p"], 0.1), &[0.8], Control::default()).unwrap();
    assert_eq!(result.estimates[0].simulation_noise, None);
}

/// A loss that is lowest elsewhere than where its gradient is 0.
struct Improper(Loss, bool);

impl Objective for Improper {
    fn unknowns(&self) -> &[Unknown] {
        self.0.unknowns()
    }
    fn evaluate(&mut self, theta: &[f64], k: u64) -> Result<Evaluation, ObjectiveError> {
        let own = self.0.evaluate(theta, k)?;
        Ok(Evaluation { value: -own.value, ..own })
    }
    fn is_lowest_at_rest(&self) -> bool {
        self.1
    }
}

#[test]
fn what_an_improper_loss_was_before_tells_nothing() {
    let run = |proper| {
        let mut objective = Improper(Loss::new(&["p"], 0.1), proper);
        sgd(0.1, 2000).run(&mut objective, &[0.8], Control::default()).unwrap()
    };
    assert!(run(true).verdict.contains("the loss was"), "{}", run(true).verdict);
    assert_eq!(run(false).at_optimum, Some(true), "{}", run(false).verdict);
}

/// A bowl about 0.3, far above 0 at the ends of its interval, whatever its gradient is there.
struct Bowl(Vec<Unknown>, bool);

impl Objective for Bowl {
    fn unknowns(&self) -> &[Unknown] {
        &self.0
    }
    fn evaluate(&mut self, theta: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
        let off = theta[0] - 0.3;
        Ok(Evaluation { value: 100.0 * off * off + 0.5, gradient: vec![200.0 * off] })
    }
    fn is_lowest_at_rest(&self) -> bool {
        self.1
    }
}

#[test]
fn what_was_thrown_to_an_end_is_no_finding_after_any_number_of_steps() {
    for (steps, proper) in
        [(2, false), (5, false), (10, true), (20, false), (50, true), (50, false), (200, false)]
    {
        let mut bowl = Bowl(vec![Unknown::scalar("p", Interval::unit())], proper);
        let descent = Descent::new(Choice::new("sgd"), 1e4, steps);
        let result = descent.run(&mut bowl, &[0.4], Control::default()).unwrap();
        assert_eq!(result.at_optimum, Some(false), "{steps}: {}", result.verdict);
        let words = "not at its optimum: `p` was thrown to the end 0 of its interval";
        assert!(result.verdict.starts_with(words), "{steps}: {}", result.verdict);
    }
    let mut bowl = Bowl(vec![Unknown::scalar("p", Interval::unit())], false);
    let whole = Descent { average: 1.0, ..Descent::new(Choice::new("sgd"), 1e4, 5) };
    assert!(whole.run(&mut bowl, &[0.4], Control::default()).is_ok());
    // What the loss pulls to an end belongs there, from wherever it comes.
    struct Slope(Vec<Unknown>);
    impl Objective for Slope {
        fn unknowns(&self) -> &[Unknown] {
            &self.0
        }
        fn evaluate(&mut self, theta: &[f64], k: u64) -> Result<Evaluation, ObjectiveError> {
            // A loss with more noise at the end than it falls by.
            let noise = if k == 0 { 0.0 } else { 3.0 };
            Ok(Evaluation { value: theta[0] + 0.1 + noise, gradient: vec![1.0] })
        }
        fn is_lowest_at_rest(&self) -> bool {
            false
        }
    }
    let descent = Descent::new(Choice::new("sgd"), 1e3, 10);
    let mut slope = Slope(vec![Unknown::scalar("p", Interval::unit())]);
    let result = descent.run(&mut slope, &[0.4], Control::default()).unwrap();
    assert_eq!(result.verdict, "`p` lies at the end 0 of its interval");
}

/// Where a law has no slope at the estimate, the curvature there is all but 0 and the likelihood falls by the fourth power.
#[test]
fn a_curvature_that_says_nothing_of_the_likelihood_gives_no_error() {
    let law: Curve = |t| (0.1 + 3.0 * (t[0] - 0.5) * (t[0] - 0.5), vec![6.0 * (t[0] - 0.5)]);
    for (share, tells) in [(0.0999, false), (0.0998, false), (0.05, true), (0.2, true)] {
        let mut coins = Coins::new(&["a"], law, share, 4e4);
        let result = fit(&mut coins, &[0.2], 200);
        let error = result.estimates[0].standard_error;
        assert_eq!(error.is_some(), tells, "{share}: {error:?}, {}", result.verdict);
        if !tells {
            assert!(result.verdict.contains("hardly curves right at `a`"), "{}", result.verdict);
            assert_eq!(result.notes[0], result.verdict);
        }
    }
}
