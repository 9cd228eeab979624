//! Checks what a run's first step means: a run that carries on is the run that never stopped, bit for bit, and every
//! replicate's rule reads the number of its own steps.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use glauber_conformance::compare::same;
use glauber_conformance::random_models::{Dish, recipes, runner};
use glauber_engine::*;
use glauber_lattice::{Lattice, Values};
use glauber_program::{Interval, Model};
use glauber_statistics::tolerance::mean_within;
use proptest::prelude::*;

const SEED: u64 = 11;

#[test]
fn a_run_that_carries_on_is_the_run_that_never_stopped() {
    let compared = std::cell::Cell::new(0);
    runner(60)
        .run(&recipes(20), |recipe| {
            let sample = recipe.sample(Dish::Discrete).unwrap();
            let plan =
                Plan::new(&sample.model, &[sample.observation.clone().into()], None, Options::default())
                    .unwrap();
            let whole = sample.run(&sample.parameters, 7, 3, SEED).first_step(2);
            let Ok(whole) = plan.simulate(&whole) else { return Ok(()) };
            let part = plan.simulate(&sample.run(&sample.parameters, 4, 3, SEED).first_step(2)).unwrap();
            let layers = sample.model.declarations().layers.len();
            let sites = sample.model.declarations().lattice.sites();
            let start = (0..layers).map(|layer| {
                let states: Vec<f64> = part.last.iter().flat_map(|frame| frame[layer].clone()).collect();
                assert_eq!(states.len(), 3 * sites);
                FieldData::picked(states, vec![0, 1, 2])
            });
            let rest = sample.run(&sample.parameters, 3, 3, SEED).start(start.collect()).first_step(6);
            let rest = plan.simulate(&rest).unwrap();
            for replicate in 0..3 {
                for (a, b) in whole.last[replicate].iter().zip(&rest.last[replicate]) {
                    prop_assert!(same(a, b), "replicate {replicate}\n{}", sample.model.step);
                }
                // The last observation of both is that after step 9.
                let last = |o: &Outputs| o.replicate(replicate)[o.width - 3..].to_vec();
                prop_assert!(same(&last(&whole.outputs), &last(&rest.outputs)));
            }
            compared.set(compared.get() + 1);
            Ok(())
        })
        .unwrap();
    assert!(compared.get() > 40, "{}", compared.get());
}

/// Sites that count the numbers of their steps.
fn counter() -> Model {
    Model::build("counter", Lattice::line(3))
        .layer("sum", Values::integers(0, 1000))
        .parameter("p", Interval::unit())
        .start(|s| s.next("sum").set(0.0))
        .step(|s| s.next("sum").set(s.layer("sum") + s.step()))
        .unwrap()
}

#[test]
fn every_replicate_reads_the_numbers_of_its_own_steps() {
    let model = counter();
    let seen = model.observe(|s| s.output("seen", s.layer("sum").mean() + s.step() * 1000.0)).unwrap();
    let plan = Plan::new(&model, &[seen.into()], None, Options::default()).unwrap();
    let first = Arc::new(vec![0, 5, 100]);
    let run = Run::new(&[0.5], 3).replicates(3).first_steps(first).observe(2, 0);
    let found = plan.simulate(&run).unwrap();
    assert_eq!(found.last.iter().map(|f| f[0][1]).collect::<Vec<_>>(), [6.0, 21.0, 306.0]);
    // After two steps: their sum, and the number of the second.
    assert_eq!(found.outputs.values, [2003.0, 7013.0, 102_203.0]);
    let wrong = Run::new(&[0.5], 3).replicates(2).first_steps(Arc::new(vec![1]));
    assert!(matches!(plan.simulate(&wrong), Err(EngineError::Length { found: 1, wanted: 2, .. })));
    let long = plan.simulate(&Run::new(&[0.5], 3).first_step(u32::MAX - 1)).unwrap_err();
    assert!(matches!(&long, EngineError::TooLong { last, .. } if *last == u64::from(u32::MAX) + 2), "{long}");
}

/// Coins that are thrown anew in every step.
fn coins(shape: &[usize]) -> Vec<f64> {
    let model = Model::build("coins", Lattice::new(shape).unwrap())
        .layer("heads", Values::binary())
        .parameter("p", Interval::unit())
        .start(|s| s.next("heads").bernoulli(s.parameter("p")))
        .step(|s| s.next("heads").bernoulli(s.parameter("p")))
        .unwrap();
    let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
    let states = [0, 1].map(|steps| plan.simulate(&Run::new(&[0.5], steps).seed(3)).unwrap().last);
    states.concat().concat().concat()
}

/// The share of equal coins is ½ between lattices, whatever they have in common; false alarm 10⁻⁶ in all.
#[test]
fn lattices_of_different_shapes_share_no_noise() {
    let shapes: [&[usize]; 6] = [&[64, 64], &[32, 64], &[64, 32], &[2048], &[1, 2048], &[8, 16, 16]];
    let all: Vec<Vec<f64>> = shapes.iter().map(|shape| coins(shape)).collect();
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate().take(i) {
            // The start of both; and what both drew in their first step.
            let starts = a[..2048].iter().zip(&b[..2048]);
            let steps = a[a.len() / 2..].iter().zip(&b[b.len() / 2..]).take(2048);
            for pairs in [starts.collect::<Vec<_>>(), steps.collect()] {
                let equal = pairs.iter().filter(|(a, b)| a.to_bits() == b.to_bits()).count();
                let off = equal as f64 / 2048.0 - 0.5;
                let limit = mean_within(0.5 / 2048f64.sqrt(), 1e-6 / 30.0);
                assert!(off.abs() < limit, "{:?} and {:?}: {equal} of 2048", shapes[i], shapes[j]);
            }
        }
    }
}
