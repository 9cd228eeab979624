//! Sweeps the list of optimizers with what must hold for every one.
#![allow(clippy::unwrap_used)]

mod objectives;

use glauber_optimize::descent::{Control, Descent};
use glauber_optimize::optimizers::{Choice, OPTIMIZERS, OptimizerEntry, OptionError};
use objectives::{Draws, Quadratic, Rosenbrock};

fn rate(entry: &OptimizerEntry) -> f64 {
    entry.usual_rate.unwrap_or(0.02)
}

#[test]
fn each_finds_the_minimum_of_a_quadratic() {
    for entry in OPTIMIZERS {
        let mut bowl = Quadratic::new(&[1.0, 10.0, 0.5], &[1.0, -2.0, 0.3]);
        let descent = Descent::new(Choice::new(entry.name), rate(entry), 4000);
        let result = descent.run(&mut bowl, &[0.0; 3], Control::default()).unwrap();
        for (found, right) in result.theta.iter().zip(&bowl.minimum) {
            assert!((found - right).abs() < 1e-6, "{}: {:?}", entry.name, result.theta);
        }
        assert_eq!((result.steps, result.stopped.word()), (4000, "steps"));
        assert_eq!(result.trace.records.len(), 4001);
        assert!(result.trace.records[0].loss > 1e6 * result.loss, "{}", entry.name);
    }
}

#[test]
fn each_follows_a_curved_valley() {
    for entry in OPTIMIZERS {
        let descent = Descent::new(Choice::new(entry.name), rate(entry).min(0.01), 20_000);
        let result = descent.run(&mut Rosenbrock::new(), &[-1.0, 1.5], Control::default()).unwrap();
        assert!(result.loss < 1e-4, "{}: {:?}, loss {}", entry.name, result.theta, result.loss);
    }
}

#[test]
fn the_first_step_is_proportional_to_the_rate_and_goes_downhill() {
    for entry in OPTIMIZERS {
        let optimizer = Choice::new(entry.name).build().unwrap();
        let step = |rate: f64| {
            let (mut point, gradient) = (vec![0.0, 0.0, 0.0], [2.0, -0.5, 0.0]);
            optimizer.step(&mut optimizer.begin(3), &mut point, &gradient, rate);
            point
        };
        let (one, half) = (step(1.0), step(0.5));
        assert!(one[0] < 0.0 && one[1] > 0.0 && one[2].abs() == 0.0, "{}: {one:?}", entry.name);
        assert!(one.iter().zip(&half).all(|(a, b)| (a - 2.0 * b).abs() <= 1e-15 * a.abs()), "{}", entry.name);
    }
}

#[test]
fn what_it_remembers_is_all_it_remembers() {
    for entry in OPTIMIZERS {
        let choice = if entry.name == "sgd" {
            Choice::new("sgd").with("momentum", 0.9)
        } else {
            Choice::new(entry.name)
        };
        let (first, second) = (choice.build().unwrap(), choice.build().unwrap());
        let mut draws = Draws::new(7, 0);
        let mut point = vec![0.3; 5];
        let mut memory = first.begin(5);
        let mut advance =
            |optimizer: &dyn glauber_optimize::optimizers::Optimizer, memory: &mut _, point: &mut [f64]| {
                let gradient: Vec<f64> = (0..5).map(|_| draws.symmetric()).collect();
                optimizer.step(memory, point, &gradient, 0.1);
                gradient
            };
        for _ in 0..20 {
            advance(&*first, &mut memory, &mut point);
        }
        assert!(memory.has_form_of(&first.begin(5)), "{}", entry.name);
        // The same memory in a freshly built optimizer gives the same next step.
        let (mut other_point, mut other_memory) = (point.clone(), memory.clone());
        let gradient = advance(&*first, &mut memory, &mut point);
        second.step(&mut other_memory, &mut other_point, &gradient, 0.1);
        assert_eq!((&point, &memory), (&other_point, &other_memory), "{}", entry.name);
    }
}

#[test]
fn coordinates_do_not_meet() {
    for entry in OPTIMIZERS {
        let optimizer = Choice::new(entry.name).build().unwrap();
        let (mut both, mut alone) = (vec![0.0, 0.0], vec![0.0]);
        let (mut memory_of_both, mut memory_of_one) = (optimizer.begin(2), optimizer.begin(1));
        let mut draws = Draws::new(11, 0);
        for _ in 0..50 {
            let gradient = [draws.symmetric(), 1e3 * draws.symmetric()];
            optimizer.step(&mut memory_of_both, &mut both, &gradient, 0.1);
            optimizer.step(&mut memory_of_one, &mut alone, &gradient[..1], 0.1);
        }
        assert_eq!(both[0].to_bits(), alone[0].to_bits(), "{}", entry.name);
    }
}

#[test]
fn each_option_has_a_default_in_its_range_and_refuses_nan() {
    for entry in OPTIMIZERS {
        for option in entry.options {
            assert!((option.accepts)(option.default), "{} {}", entry.name, option.name);
            let error = Choice::new(entry.name).with(option.name, f64::NAN).build().unwrap_err();
            assert!(matches!(error, OptionError::Range { .. }), "{error}");
        }
    }
}

#[test]
fn wrong_names_and_options_are_named() {
    let say = |choice: Choice| choice.build().unwrap_err().to_string();
    assert_eq!(say(Choice::new("adan")), "there is no optimizer `adan`: did you mean `adam`?");
    assert_eq!(
        say(Choice::new("sgd").with("momentun", 0.1)),
        "`sgd` has no option `momentun`: did you mean `momentum`?"
    );
    assert_eq!(
        say(Choice::new("sgd").with("momentum", 1.0)),
        "`momentum` of `sgd` is 1, but must be at least 0 and below 1"
    );
}
