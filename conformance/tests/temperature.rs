//! Gumbel-softmax at temperature 1, which is computed without logarithms, is the limit of temperatures near 1.
#![allow(clippy::unwrap_used)]

use glauber_engine::{LossValue, Options, Plan, Precision, Run};
use glauber_lattice::{Lattice, Moore, Values};
use glauber_program::estimators::{EstimatorOptions, named};
use glauber_program::{Interval, Model};

/// Sites that catch fire from their neighbours or turn into one of three kinds, and a wind that all share.
fn model() -> Model {
    Model::build("kinds", Lattice::square(12).periodic())
        .layer("lit", Values::binary())
        .layer("kind", Values::integers(0, 2))
        .parameter("p", Interval::unit())
        .parameter("q", Interval::unit())
        .start(|s| {
            s.next("lit").bernoulli(0.4);
            s.next("kind").set(0.0);
        })
        .step(|s| {
            let around = s.layer("lit").neighbours(Moore).sum();
            let (p, q) = (s.parameter("p"), s.parameter("q"));
            let wind = s.replicate_categorical(&[(1.0 - q).into(), (q * 0.5).into(), (q * 0.5).into()]);
            let carried = s.translate(s.layer("lit"), wind, &[[0, 0, 0], [0, 0, 1], [0, 1, 0]]);
            s.next("lit").bernoulli(0.5 * carried + 0.5 * (1.0 - (1.0 - p).pow(around)));
            let kind = s.categorical(&[(1.0 - p).into(), (p * q).into(), (p * (1.0 - q)).into()]);
            s.next("kind").set(kind.is(1) + 2.0 * kind.is(2));
        })
        .unwrap()
}

fn gradient(name: &str, temperature: f64) -> Vec<f64> {
    let model = model();
    let seen = model.observe(|s| s.output("seen", (s.layer("lit") * (1.0 + s.layer("kind"))).sum())).unwrap();
    let estimator = named(name, EstimatorOptions { temperature, samples: 3, radius: None }).unwrap();
    let options = Options { precision: Precision::Double, threads: 1, ..Options::default() };
    let plan = Plan::new(&model, &[seen.into()], Some(&*estimator), options).unwrap();
    let run = Run::new(&[0.3, 0.6], 4).replicates(3).seed(7).observe(4, 0);
    plan.gradient(&run, &|mean| LossValue { value: mean[0], slopes: vec![1.0] }).unwrap().parameters
}

#[test]
fn temperature_one_is_the_limit_of_temperatures_near_it() {
    // The derivative by the temperature is of the order of the gradient itself, so a change of 1e-7 shows at about 1e-7;
    // the mean of both sides leaves only its square and rounding.
    let step = 1e-7;
    for name in ["gumbel-softmax", "gumbel-rao"] {
        let (below, at, above) =
            (gradient(name, 1.0 - step), gradient(name, 1.0), gradient(name, 1.0 + step));
        for ((below, at), above) in below.iter().zip(&at).zip(&above) {
            let middle = 0.5 * (below + above);
            assert!(at.abs() > 1.0, "{name}: the gradient is {at}, too small to tell anything");
            assert!((at - middle).abs() < 1e-9 * at.abs(), "{name}: {at} against {middle}");
        }
    }
}
