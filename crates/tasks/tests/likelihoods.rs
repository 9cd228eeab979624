//! Checks which observed pairs carry information, and that the exact likelihood counts every draw and bears a 0.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // Infinities are compared exactly.

use std::path::Path;
use std::sync::Arc;

use glauber_engine::{Options, Plan, Run};
use glauber_lattice::{Lattice, Values};
use glauber_model_file::{load, parse};
use glauber_models::{ModelOptions, OptionValue};
use glauber_optimize::descent::{Control, Descent};
use glauber_optimize::gradient_free::GradientFree;
use glauber_optimize::objective::Objective;
use glauber_optimize::optimizers::Choice;
use glauber_optimize::stopping::Stopped;
use glauber_program::{Interval, Model};
use glauber_tasks::states::States;
use glauber_tasks::tasks::likelihood::{Likelihood, LikelihoodError};
use glauber_tasks::tasks::transition::Pairs;
use glauber_tasks::tasks::unknowns::Fitted;

fn record(model: &Model, theta: &[f64], steps: usize, runs: usize) -> States {
    let plan = Plan::new(model, &[], None, Options::default()).unwrap();
    States::record(&plan, &Run::new(theta, steps).replicates(runs).seed(5)).unwrap()
}

fn pairs(model: &Model, fixed: &[(String, f64)], states: States) -> (Fitted, Pairs) {
    let fitted = Fitted::new(model, fixed).unwrap();
    let pairs = Pairs::new(model, &fitted, states, Options::default()).unwrap();
    (fitted, pairs)
}

fn likelihood(model: &Model, states: States) -> Likelihood {
    let (fitted, pairs) = pairs(model, &[], states);
    Likelihood::new(model, fitted, pairs, Options::default()).unwrap()
}

fn in_file(interval: &str, rule: &str) -> Model {
    let text = format!(
        "name = \"one\"\nstates = [\"off\", \"on\"]\n[lattice]\nshape = [12, 12]\n[parameters]\np = {interval}\n\
         [start]\non = 0.1\n[transitions]\n\"off -> on\" = \"{rule}\"\n"
    );
    parse(&text, Path::new("one.toml"), &ModelOptions::none()).unwrap().model
}

#[test]
fn no_pair_is_dropped_for_where_an_interval_ends() {
    for (interval, rule) in [
        ("[0.0, 1.0]", "p"),
        ("[0.0, 2.5]", "p"),
        ("[0.0, 3.0]", "p"),
        ("[0.0, inf]", "p"),
        ("[0.0, 20.0]", "1 - exp(-p)"),
        ("[0.0, 40.0]", "1 - exp(-p)"),
        ("[0.0, 4000.0]", "1 - exp(-p)"),
        ("[0.0, 1e-9]", "p"),
        ("[-50.0, 0.0]", "1 - exp(p)"),
    ] {
        let model = in_file(interval, rule);
        let truth: f64 = if interval.contains("1e-9") {
            5e-10
        } else if interval.starts_with("[-") {
            -0.2
        } else {
            0.2
        };
        let (_, pairs) = pairs(&model, &[], record(&model, &[truth], 4, 10));
        assert_eq!((pairs.before.len(), pairs.dropped.len()), (40, 0), "{interval} {rule}");
    }
    let model = in_file("[0.0, 2.5]", "p");
    let mut likelihood = likelihood(&model, record(&model, &[0.2], 4, 10));
    let rprop = Descent::new(Choice::new("rprop"), 0.1, 200);
    let found = rprop.run(&mut likelihood, &[0.9], Control::default()).unwrap();
    let own = &found.estimates[0];
    let error = own.standard_error.unwrap();
    // A false alarm once in 10⁴ such data sets.
    assert!((own.value - 0.2).abs() < 3.89 * error && error < 0.02, "{} ± {error}", own.value);
}

#[test]
fn a_probability_beyond_1_is_a_likelihood_of_0() {
    let model = in_file("[0.0, 2.5]", "p");
    let mut likelihood = likelihood(&model, record(&model, &[0.2], 4, 10));
    assert!(likelihood.evaluate(&[0.99], 0).unwrap().value.is_finite());
    for p in [1.0001, 1.2, 2.5] {
        assert_eq!(likelihood.evaluate(&[p], 0).unwrap().value, f64::INFINITY, "{p}");
    }
}

#[test]
fn what_is_dropped_is_certain_and_what_is_kept_is_not() {
    // From a state that was dropped every θ and every seed lead to the same next state; from one that was kept some
    // do not. Small lattices, so that both occur.
    let small = |name: &str| {
        let mut options = ModelOptions::none();
        options.set("shape", OptionValue::List(vec![4.0, 4.0]));
        if name == "ising" || name == "potts" {
            options.set("dynamics", OptionValue::Text("metropolis".into()));
        }
        if name == "contact-process" {
            options.set("update", OptionValue::Text("synchronous".into()));
        }
        options
    };
    let (mut kept, mut dropped) = (0, 0);
    for name in
        ["susceptible-infected", "susceptible-infected-recovered", "contact-process", "voter", "potts"]
    {
        let model = load(name, &small(name)).unwrap().model;
        let parameters = &model.declarations().parameters;
        let theta = |share: f64| -> Vec<f64> {
            let inside = |i: Interval| i.lowest.max(-2.0) + share * (i.highest.min(2.0) - i.lowest.max(-2.0));
            parameters.iter().map(|p| inside(p.interval)).collect()
        };
        let states = record(&model, &theta(0.4), 25, 6);
        let fitted = Fitted::new(&model, &[]).unwrap();
        let Ok(pairs) = Pairs::new(&model, &fitted, states, Options::default()) else { continue };
        let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
        for (list, certain) in [(&pairs.before, false), (&pairs.dropped, true)] {
            for state in list.iter().take(20) {
                let start = pairs.states.pick(&Arc::new(vec![*state; 64]));
                let mut all: Vec<String> = Vec::new();
                for share in [0.1, 0.3, 0.6, 0.9] {
                    let at = theta(share);
                    let run = Run::new(&at, 1).replicates(64).seed(9).start(start.clone());
                    let next = States::record(&plan, &run).unwrap();
                    let layers = |r: usize| -> String {
                        let from = (r * next.times + 1) * next.sites;
                        next.layers
                            .iter()
                            .map(|l| {
                                format!(
                                    "{:?}",
                                    (from..from + next.sites).map(|i| l.at(i)).collect::<Vec<_>>()
                                )
                            })
                            .collect()
                    };
                    all.extend((0..64).map(layers));
                }
                let same = all.iter().all(|one| *one == all[0]);
                assert_eq!(same, certain, "{name}, state {state}");
                if certain { dropped += 1 } else { kept += 1 }
            }
        }
    }
    assert!(kept > 20 && dropped > 5, "{kept} {dropped}");
}

#[test]
fn a_fixed_parameter_may_make_steps_certain() {
    let text = "name = \"two\"\nstates = [\"off\", \"on\"]\n[lattice]\nshape = [4, 4]\n[parameters]\na = [0.0, 1.0]\n\
                b = [0.0, 1.0]\n[start]\non = 0.1\n[transitions]\n\"off -> on\" = \"a\"\n\"on -> off\" = \"b\"\n";
    let model = parse(text, Path::new("two.toml"), &ModelOptions::none()).unwrap().model;
    let states = record(&model, &[0.5, 0.0], 30, 4);
    let all = pairs(&model, &[], states.clone()).1;
    assert_eq!(all.dropped.len(), 0);
    let fixed = pairs(&model, &[("b".to_string(), 0.0)], states).1;
    // Once all sites are on nothing happens any more.
    assert!(fixed.dropped.len() > 40, "{}", fixed.dropped.len());
}

#[test]
fn data_that_no_parameters_allow_are_refused() {
    let model = in_file("[0.0, 1.0]", "p");
    let mut on = vec![1u8; 144 * 3];
    // From off at the first time to on; from on at the second to off, which the model has no way for.
    on[..144].fill(0);
    on[2 * 144] = 0;
    let steps = vec![0, 1, 2];
    let states = States {
        sites: 144,
        layers: vec![Arc::new(on.into())],
        runs: 1,
        times: 3,
        steps,
        timed: false,
        update: None,
    };
    let (fitted, pairs) = pairs(&model, &[], states);
    assert_eq!((pairs.before.len(), pairs.dropped.len()), (1, 1));
    let Err(error) = Likelihood::new(&model, fitted, pairs, Options::default()) else { panic!() };
    assert!(matches!(error, LikelihoodError::Impossible { run: 0, step: 1, .. }), "{error}");
    assert!(error.to_string().contains("from step 1 to 2 cannot happen"), "{error}");
}

#[test]
fn a_draw_that_is_known_only_as_revealed_counts() {
    // The coin of every site is thrown there and seen at its right neighbour.
    let model = Model::build("passed on", Lattice::line(50).periodic())
        .layer("heads", Values::binary())
        .parameter("p", Interval::unit())
        .start(|s| s.next("heads").bernoulli(0.5))
        .step(|s| {
            let thrown = s.bernoulli(s.parameter("p"));
            let seen = thrown.revealed_by(s.observed_next("heads").shift([0, 0, 1]));
            s.next("heads").set(seen.shift([0, 0, -1]));
        })
        .unwrap();
    let states = record(&model, &[0.7], 20, 4);
    let heads = |from: usize| (0..50).map(|i| states.layers[0].at(from + i)).sum::<f64>();
    let shown: f64 =
        (0..states.runs * states.times).filter(|s| s % states.times != 0).map(|s| heads(s * 50)).sum();
    let (n, share) = (4000.0, shown / 4000.0);
    let mut objective = likelihood(&model, states.clone());
    for p in [0.2, 0.7, 0.9f64] {
        let right = -n * (share * p.ln() + (1.0 - share) * (1.0 - p).ln()) / 80.0;
        let found = objective.evaluate(&[p], 0).unwrap();
        assert!((found.value - right).abs() < 1e-9 * right, "{} {right}", found.value);
        let slope = -n * (share / p - (1.0 - share) / (1.0 - p)) / 80.0;
        assert!((found.gradient[0] - slope).abs() < 1e-9 * slope.abs(), "{} {slope}", found.gradient[0]);
    }
    let rprop = Descent::new(Choice::new("rprop"), 0.1, 100);
    let own = rprop.run(&mut objective, &[0.2], Control::default()).unwrap().estimates.remove(0);
    assert!((own.value - share).abs() < 1e-6 && own.standard_error.is_some());
}

#[test]
fn metropolis_spins_are_fitted_though_the_likelihood_is_0_nearby() {
    let mut options = ModelOptions::none();
    options.set("shape", OptionValue::List(vec![16.0, 16.0]));
    options.set("dynamics", OptionValue::Text("metropolis".into()));
    let model = load("ising", &options).unwrap().model;
    let states = record(&model, &[0.3, 0.5], 12, 6);
    let mut objective = likelihood(&model, states);
    // A field of the other sign would have turned spins that kept still.
    assert_eq!(objective.evaluate(&[0.3, -0.5], 0).unwrap().value, f64::INFINITY);
    let why = objective.why_infinite(&[0.3, -0.5]).unwrap();
    assert!(why.contains("has probability 0") && why.contains("field = -0.5"), "{why}");
    let check = |result: &glauber_optimize::fit_result::FitResult, what: &str| {
        for (own, truth) in result.estimates.iter().zip([0.3, 0.5]) {
            let error =
                own.standard_error.unwrap_or_else(|| panic!("{what}: {} {}", own.words(), result.verdict));
            // A false alarm once in 10⁴ such data sets.
            assert!((own.value - truth).abs() < 3.89 * error, "{what}: {}", own.words());
        }
    };
    // Steps as long as these lead across the wall at field 0.
    for (name, rate) in [("rprop", 0.6), ("adam", 0.3)] {
        let descent = Descent::new(Choice::new(name), rate, 400);
        let result = descent.run(&mut objective, &[0.9, 0.1], Control::default()).unwrap();
        check(&result, name);
    }
    for name in ["nelder-mead", "cma-es"] {
        let search = GradientFree::new(Choice::new(name), 250, 1);
        check(&search.run(&mut objective, &[0.6, 0.2], Control::default()).unwrap(), name);
    }
    let lost = Descent::new(Choice::new("rprop"), 0.1, 20);
    let result = lost.run(&mut objective, &[0.3, -0.5], Control::default()).unwrap();
    assert!(
        matches!(&result.stopped, Stopped::Diverged { step: 0, what, .. } if what.contains("probability 0"))
    );
}
