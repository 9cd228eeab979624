//! Changes stored models and observations byte by byte: what is read is refused, or it runs without a panic.
//!
//! `GLAUBER_FUZZ` multiplies the number of changes that are tried.
#![allow(clippy::unwrap_used)]

use glauber_conformance::random_models::{Dish, recipes, runner, scattered};
use glauber_engine::{LossValue, Options, Plan, Run};
use glauber_likelihood::log_likelihood;
use glauber_models::{MODELS, ModelOptions, named};
use glauber_program::estimators::StraightThrough;
use glauber_program::{FieldKind, Model, Program};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Models to change: the catalogue's on small lattices, and random ones.
fn models() -> Vec<(Model, Vec<Program>)> {
    let mut found = Vec::new();
    for entry in MODELS {
        found.push((named(entry.name, &ModelOptions::none()).unwrap(), Vec::new()));
    }
    let mut random: TestRunner = runner(1);
    for dish in [Dish::Discrete, Dish::Smooth, Dish::Discrete, Dish::Smooth] {
        let recipe = recipes(20).new_tree(&mut random).unwrap().current();
        let sample = recipe.sample(dish).unwrap();
        found.push((sample.model, vec![sample.observation]));
    }
    found
}

fn mutated(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let random = |stream: u64, below: usize| (scattered(number, stream, 0) * below as f64) as usize;
    for change in 0..=random(0, 3) as u64 {
        let place = random(10 * change + 1, bytes.len());
        match random(10 * change + 2, 4) {
            0 => bytes[place] ^= 1 << random(10 * change + 3, 8),
            1 => bytes[place] = random(10 * change + 3, 256) as u8,
            2 => bytes[place] = bytes[place].wrapping_add(1),
            _ => {
                let other = random(10 * change + 3, bytes.len());
                bytes.swap(place, other);
            }
        }
    }
    bytes
}

/// Whether a lattice is small enough to be run here.
fn small(model: &Model) -> bool {
    model.declarations().lattice.sites() <= 16_384
}

/// Runs everything that a model can be used for. Errors are answers; panics are not.
fn use_it(model: &Model, observation: Option<&Program>) {
    let _ = (model.notes(), model.step.to_string());
    let d = model.declarations();
    let own = model.observe(|s| s.output("sum", s.layer(&d.layers[0].name).sum()));
    let Some(observation) = observation.cloned().or(own.ok()) else { return };
    let _ = log_likelihood(&model.step);
    let options = Options { threads: 1, memory: 1 << 26, ..Options::default() };
    let Ok(plan) = Plan::new(model, &[observation.clone().into()], Some(&StraightThrough), options) else {
        return;
    };
    let middle = |p: &glauber_program::Parameter| {
        let (low, high) = (p.interval.lowest.max(-1e3), p.interval.highest.min(1e3));
        0.5 * (low + high)
    };
    let theta: Vec<f64> = d.parameters.iter().map(middle).collect();
    let mut run = Run::new(&theta, 2).replicates(2).observe(2, 0);
    for field in d.fields.iter().chain(&observation.declarations().fields) {
        let value = match field.kind {
            FieldKind::Parameter(interval) => interval.lowest.max(-1e3),
            FieldKind::Covariate => 0.5,
        };
        run = run.with_field(&field.name, glauber_engine::FieldData::shared(vec![value; d.lattice.sites()]));
    }
    let _ = plan.simulate(&run);
    let _ = plan.gradient(&run, &|m| LossValue { value: m.iter().sum(), slopes: vec![1.0; m.len()] });
}

#[test]
fn changed_models_are_refused_or_run() {
    let times: usize = std::env::var("GLAUBER_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let models = models();
    assert!(models.len() > 10);
    let (mut read, mut refused) = (0, 0);
    for (number, (model, observations)) in models.iter().enumerate() {
        let bytes = postcard::to_allocvec(model).unwrap();
        assert_eq!(&postcard::from_bytes::<Model>(&bytes).unwrap(), model, "{}", model.name());
        for change in 0..200 * times {
            let key = (number * 1_000_000 + change) as u64;
            match postcard::from_bytes::<Model>(&mutated(&bytes, key)) {
                Ok(changed) if small(&changed) => {
                    use_it(&changed, None);
                    read += 1;
                }
                Ok(_) => {}
                Err(_) => refused += 1,
            }
            for observation in observations {
                let bytes = postcard::to_allocvec(observation).unwrap();
                if let Ok(changed) = postcard::from_bytes::<Program>(&mutated(&bytes, key)) {
                    use_it(model, Some(&changed));
                    read += 1;
                }
            }
        }
    }
    // Names, colours, constants and intervals may be others and still say something.
    assert!(read > 50 && refused > 1000, "{read} were read, {refused} refused");
}
