//! Runs rules of tens of thousands of instructions in a thread with a small stack: nothing that is done with a program
//! follows it by recursion, and nothing takes a time that grows with its square.
#![allow(clippy::unwrap_used)]

use glauber_engine::{FieldData, LossValue, Options, Plan, Run};
use glauber_lattice::{Lattice, Moore, Values};
use glauber_likelihood::log_likelihood;
use glauber_program::estimators::StraightThrough;
use glauber_program::{Expr, Interval, MOST_INSTRUCTIONS, Model, ModelError, differentiate};

/// How often the chains below are continued: at least this many instructions each.
const LENGTH: usize = 40_000;

/// A quarter of what Rust gives its threads.
const STACK: usize = 512 * 1024;

fn with_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}

fn chain(name: &str, links: usize, values: Values, link: impl Fn(Expr, Expr, usize) -> Expr) -> Model {
    Model::build(name, Lattice::square(4))
        .layer("x", values.clone())
        .parameter("a", Interval::unit())
        .start(|s| s.next("x").set(0.0))
        .step(|s| {
            let (x, a) = (s.layer("x"), s.parameter("a"));
            let last = (0..links).fold(x, |value, k| link(value, a, k));
            match values {
                Values::Real => s.next("x").set(last),
                Values::Categories(_) => s.next("x").set(last),
                _ => s.next("x").bernoulli(last.sigmoid()),
            }
        })
        .unwrap()
}

fn everything(model: &Model) {
    assert!(model.step.instructions().len() >= LENGTH / 2, "{} is short", model.name());
    assert_eq!(&Model::from_bytes(&model.to_bytes().unwrap()).unwrap(), model);
    assert!(model.step.to_string().len() > LENGTH && !format!("{model:?}").is_empty());
    let _ = log_likelihood(&model.step);
    let adjoint = differentiate(&model.step, &StraightThrough);
    drop(adjoint.to_string());
    let mean = model.observe(|s| s.output("mean", s.layer("x").mean())).unwrap();
    let plan = Plan::new(
        model,
        &[mean.into()],
        Some(&StraightThrough),
        Options { threads: 1, ..Options::default() },
    );
    let plan = plan.unwrap();
    let run = Run::new(&[0.25], 2).replicates(2).observe(2, 0).start(vec![FieldData::shared(vec![1u8; 16])]);
    let found = plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] }).unwrap();
    assert!(found.value.is_finite() && found.parameters[0].is_finite(), "{}", model.name());
}

#[test]
fn long_chains_of_arithmetic_run() {
    with_small_stack(|| {
        everything(&chain("sums", LENGTH, Values::Real, |x, a, k| {
            if k % 2 == 0 { x * 0.999 } else { x + a * (k as f64 * 1e-9) }
        }));
    });
}

/// Every link depends on a binary layer alone, so that each might be a table.
#[test]
fn long_chains_that_tables_could_hold_run() {
    with_small_stack(|| {
        everything(&chain("tables", LENGTH, Values::binary(), |x, a, k| {
            if k % 2 == 0 { x * (0.5 + a) } else { x.tanh() + k as f64 * 1e-9 }
        }));
    });
}

#[test]
fn long_chains_of_choices_run() {
    let states = Values::categories(&["r", "s", "t"]);
    with_small_stack(move || {
        everything(&chain("choices", LENGTH / 2, states, |x, a, k| {
            let condition = (a * (k as f64 + 1.0)).greater(LENGTH as f64 * 0.1);
            // Every five thousandth asks what it is, down the whole chain.
            let chosen = if k % 5_000 == 4_999 { x.is(1) } else { condition };
            if k % 2 == 0 { chosen.select(x, 2.0) } else { chosen.select(1.0, x) }
        }));
    });
}

#[test]
fn rules_beyond_the_stated_length_are_refused() {
    with_small_stack(|| {
        let model = Model::build("endless", Lattice::line(4)).layer("x", Values::Real).step(|s| {
            let x = s.layer("x");
            let last =
                (0..MOST_INSTRUCTIONS).fold(x, |value, k| value * 0.5 + x.neighbours(Moore).sum() * k as f64);
            s.next("x").set(last);
        });
        let error = model.unwrap_err();
        assert!(matches!(error, ModelError::TooLong { .. }), "{error}");
        assert!(error.to_string().contains("100000"), "{error}");
    });
}
