//! Compares gradients with finite differences of the simulation, in double precision, over random programs.
//!
//! Noise is held by the seed, so a run of a smooth model is a smooth function of parameters, fields and start. A
//! five-point difference quotient at two widths gives the derivative and an estimate of its own error; where the two
//! widths disagree (a kink of min, max, abs or a comparison lies between), the quotient is no reference and the
//! coordinate is passed over, which may happen rarely and is counted.
#![allow(clippy::unwrap_used)]

use glauber_conformance::random_models::{Dish, Recipe, Sample, recipes, runner, scattered};
use glauber_engine::*;
use glauber_program::estimators::StraightThrough;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::cell::Cell;

fn options() -> Options {
    Options { precision: Precision::Double, ..Options::default() }
}

/// A loss that is curved in every output.
fn loss(mean: &[f64]) -> LossValue {
    let value = mean.iter().enumerate().map(|(k, m)| (k as f64 * 0.3 - 0.7) * m + 0.05 * m * m).sum();
    let slopes = mean.iter().enumerate().map(|(k, m)| (k as f64 * 0.3 - 0.7) + 0.1 * m).collect();
    LossValue { value, slopes }
}

/// What the derivative is taken by.
#[derive(Clone, Copy, Debug)]
enum Unknown {
    Parameter(usize),
    Field(usize),
    Start(usize, usize),
}

struct Problem {
    sample: Sample,
    plan: Plan,
    steps: usize,
}

impl Problem {
    fn value(&self, unknown: Unknown, shift: f64) -> f64 {
        let mut sample = self.sample.clone();
        match unknown {
            Unknown::Parameter(i) => sample.parameters[i] += shift,
            Unknown::Field(i) => sample.fields[1].1[i] += shift,
            Unknown::Start(layer, i) => sample.start[layer][i] += shift,
        }
        let run = sample.run(&sample.parameters, self.steps, 2, 5);
        loss(&self.plan.simulate(&run).unwrap().outputs.mean()).value
    }

    fn quotient(&self, unknown: Unknown, width: f64) -> f64 {
        let at = |k: f64| self.value(unknown, k * width);
        (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * width)
    }
}

/// Checks one recipe; returns how many coordinates were compared and passed over.
fn check(recipe: &Recipe, compared: &Cell<usize>, passed_over: &Cell<usize>) -> Result<(), TestCaseError> {
    let sample = recipe.sample(Dish::Smooth).unwrap();
    let observations = [sample.observation.clone().into()];
    let plan = Plan::new(&sample.model, &observations, Some(&StraightThrough), options()).unwrap();
    let problem = Problem { sample, plan, steps: 3 };
    let mut run = problem.sample.run(&problem.sample.parameters, 3, 2, 5);
    run.wants_start_gradient = true;
    let gradient = problem.plan.gradient(&run, &loss).unwrap();
    let sites = problem.sample.fields[0].1.len();
    let site = |k| (scattered(recipe.seed, 99, k) * sites as f64) as usize;
    let mut unknowns = vec![
        (Unknown::Parameter(0), gradient.parameters[0]),
        (Unknown::Parameter(1), gradient.parameters[1]),
    ];
    let field = &gradient.fields.iter().find(|(name, _)| name == "unknown").unwrap().1;
    unknowns.extend([site(0), site(1)].map(|i| (Unknown::Field(i), field[i])));
    if problem.sample.model.start.is_none() {
        for (layer, i) in [(0, site(2)), (1, site(3))] {
            // Both replicates start from the same state.
            let sum = gradient.start.iter().map(|frame| frame[layer][i]).sum();
            unknowns.push((Unknown::Start(layer, i), sum));
        }
    }
    for (unknown, exact) in unknowns {
        let (coarse, fine) = (problem.quotient(unknown, 2e-4), problem.quotient(unknown, 1e-4));
        let scale = 1.0 + fine.abs();
        let error = (coarse - fine).abs();
        if error > 1e-4 * scale {
            passed_over.set(passed_over.get() + 1);
            continue;
        }
        compared.set(compared.get() + 1);
        // Rounding: 1e-16 of the summed terms over the width; truncation: at most what halving the width changed.
        let tolerance = 4.0 * error + 1e-9 * (scale + gradient.value.abs());
        prop_assert!(
            (exact - fine).abs() <= tolerance,
            "{unknown:?}: adjoint {exact}, difference {fine} ± {tolerance}\n{}",
            problem.sample.model.step
        );
    }
    Ok(())
}

#[test]
fn gradients_are_difference_quotients_over_random_programs() {
    let (compared, passed_over) = (Cell::new(0), Cell::new(0));
    runner(400).run(&recipes(24), |recipe| check(&recipe, &compared, &passed_over)).unwrap();
    let (compared, passed_over) = (compared.get(), passed_over.get());
    assert!(compared > 1500, "only {compared} coordinates were compared");
    assert!(passed_over * 20 < compared, "{passed_over} of {compared} coordinates lie near kinks");
}
