//! Gradients where a rule compares what is 0 or 1, or takes a power of 0: no derivative is lost, and none is infinite.
#![allow(clippy::unwrap_used)]

use glauber_engine::{LossValue, Options, Plan, Precision, Run};
use glauber_lattice::{Lattice, Moore, Values};
use glauber_program::estimators::StraightThrough;
use glauber_program::{Expr, Interval, Model};

const DOUBLE: Precision = Precision::Double;

/// A coin at each site; observed is the mean of what `seen` makes of it. A false alarm is none: the gradient is exact.
fn slope_of(seen: impl Fn(Expr) -> Expr) -> f64 {
    let coins = Model::build("coins", Lattice::line(16))
        .layer("heads", Values::binary())
        .parameter("p", Interval::unit())
        .start(|s| s.next("heads").set(0.0))
        .step(|s| s.next("heads").bernoulli(s.parameter("p")))
        .unwrap();
    let mean = coins.observe(|s| s.output("mean", seen(s.layer("heads")).mean())).unwrap();
    let options = Options { precision: DOUBLE, ..Options::default() };
    let plan = Plan::new(&coins, &[mean.into()], Some(&StraightThrough), options).unwrap();
    let loss = |m: &[f64]| LossValue { value: m[0], slopes: vec![1.0] };
    plan.gradient(&Run::new(&[0.3], 1).replicates(3).observe(1, 0), &loss).unwrap().parameters[0]
}

#[test]
fn a_binary_value_compared_with_a_number_has_its_derivative() {
    let ups: [fn(Expr) -> Expr; 5] = [
        |x| x.equals(1.0),
        |x| x.greater(0.0),
        |x| x.greater(0.5),
        |x| 1.0 - x.less(1.0),
        |x| x.at_least(0.25),
    ];
    let downs: [fn(Expr) -> Expr; 4] =
        [|x| x.equals(0.0), |x| x.less(1.0), |x| x.at_most(0.0), |x| x.at_most(0.75)];
    for (k, up) in ups.into_iter().enumerate() {
        assert!((slope_of(up) - 1.0).abs() < 1e-12, "up {k}: {}", slope_of(up));
    }
    for (k, down) in downs.into_iter().enumerate() {
        assert!((slope_of(down) + 1.0).abs() < 1e-12, "down {k}: {}", slope_of(down));
    }
}

/// Where everyone who meets one falls ill, 1 − (1 − β)ⁿ has a power of 0, and at n = 0 a logarithm of 0 beside it.
#[test]
fn a_certain_infection_has_a_finite_gradient() {
    let spread = Model::build("spread", Lattice::square(8).periodic())
        .layer("ill", Values::binary())
        .parameter("beta", Interval::unit())
        .start(|s| s.next("ill").bernoulli(0.05))
        .step(|s| {
            let ill = s.layer("ill");
            let falls_ill = 1.0 - (1.0 - s.parameter("beta")).pow(ill.neighbours(Moore).sum());
            s.next("ill").bernoulli(ill + (1.0 - ill) * falls_ill);
        })
        .unwrap();
    let share = spread.observe(|s| s.output("share", s.layer("ill").mean())).unwrap();
    for precision in [Precision::Single, DOUBLE] {
        let options = Options { precision, ..Options::default() };
        let plan = Plan::new(&spread, &[share.clone().into()], Some(&StraightThrough), options).unwrap();
        let loss = |m: &[f64]| LossValue { value: m[0], slopes: vec![1.0] };
        let found = plan.gradient(&Run::new(&[1.0], 3).replicates(4).observe(3, 0), &loss).unwrap();
        assert!(found.parameters[0].is_finite(), "{precision:?}: {:?}", found.parameters);
    }
}
