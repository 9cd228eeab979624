//! Gradients where a rule compares what is 0 or 1, or takes a power of 0: no derivative is lost, and none is infinite.
#![allow(clippy::unwrap_used)]

use glauber_engine::{LossValue, Options, Plan, Precision, Run};
use glauber_lattice::{Lattice, Moore, Values};
use glauber_program::estimators::{Differences, LightCone, StraightThrough};
use glauber_program::{Estimator, Expr, Interval, Model};

const DOUBLE: Precision = Precision::Double;

/// A coin at each site; observed is the mean of what `seen` makes of it. A false alarm is none: the gradient is exact.
fn slope_of(seen: impl Fn(Expr) -> Expr) -> f64 {
    slope_and_share_of(seen).0
}

/// And the share of heads there was.
fn slope_and_share_of(seen: impl Fn(Expr) -> Expr) -> (f64, f64) {
    let coins = Model::build("coins", Lattice::line(16))
        .layer("heads", Values::binary())
        .parameter("p", Interval::unit())
        .start(|s| s.next("heads").set(0.0))
        .step(|s| s.next("heads").bernoulli(s.parameter("p")))
        .unwrap();
    let mean = coins.observe(|s| {
        s.output("mean", seen(s.layer("heads")).mean());
        s.output("share", s.layer("heads").mean());
    });
    let mean = mean.unwrap();
    let options = Options { precision: DOUBLE, ..Options::default() };
    let plan = Plan::new(&coins, &[mean.into()], Some(&StraightThrough), options).unwrap();
    // The loss's value is the share.
    let loss = |m: &[f64]| LossValue { value: m[1], slopes: vec![1.0, 0.0] };
    let found = plan.gradient(&Run::new(&[0.3], 1).replicates(3).observe(1, 0), &loss).unwrap();
    (found.parameters[0], found.value)
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

/// Of two independent coins the expectation of what compares them is a product of theirs; the slope by both is
/// the derivative of that, at the outcomes.
#[test]
fn two_binary_values_compared_have_the_derivative_of_their_expectation() {
    let next = |x: Expr| x.shift([0, 0, 1]);
    type Case<'a> = (&'a str, Box<dyn Fn(Expr) -> Expr>, fn(f64) -> f64);
    let cases: [Case<'_>; 9] = [
        ("greater of", Box::new(move |x| x.max(next(x))), |m| 2.0 * (1.0 - m)),
        ("lesser of", Box::new(move |x| x.min(next(x))), |m| 2.0 * m),
        ("product", Box::new(move |x| x * next(x)), |m| 2.0 * m),
        ("equals", Box::new(move |x| x.equals(next(x))), |m| -2.0 * (1.0 - 2.0 * m)),
        ("differs", Box::new(move |x| 1.0 - x.equals(next(x))), |m| 2.0 * (1.0 - 2.0 * m)),
        ("less", Box::new(move |x| x.less(next(x))), |m| 1.0 - 2.0 * m),
        ("greater", Box::new(move |x| x.greater(next(x))), |m| 1.0 - 2.0 * m),
        ("at most", Box::new(move |x| x.at_most(next(x))), |m| 2.0 * m - 1.0),
        ("itself", Box::new(|x| x.max(x) + x.equals(x) + x.less(x)), |_| 1.0),
    ];
    for (name, seen, right) in cases {
        let (slope, share) = slope_and_share_of(seen);
        assert!(share > 0.0 && share < 1.0);
        assert!((slope - right(share)).abs() < 1e-12, "{name}: {slope}, not {}", right(share));
    }
}

/// A choice is linear in a condition of 0 or 1, and so is a comparison of such a value with others.
#[test]
fn choices_and_comparisons_by_a_binary_value_have_its_derivative() {
    type Seen = fn(Expr) -> Expr;
    let cases: [(&str, Seen, f64); 7] = [
        ("chosen", |x| x.select(3.0, 1.0), 2.0),
        ("not chosen", |x| (1.0 - x).select(3.0, 1.0), -2.0),
        ("above", |x| (x + 0.25).greater(0.7), 1.0),
        ("never above", |x| (x + 0.25).greater(1.5), 0.0),
        ("scaled", |x| (x * 3.0 - 1.0).at_least(0.0), 1.0),
        ("chosen by a comparison", |x| (x * 2.0).greater(1.0).select(0.5, 4.0), -3.5),
        ("infinite where it is not chosen", |x| x.select(2.0, 1.0 / (1.0 - x)), 0.0),
    ];
    for (name, seen, right) in cases {
        // At x = 1 the other branch of the last is infinite; at x = 0 it is 1, for a slope of 1.
        let slope = slope_of(seen);
        if name.starts_with("infinite") {
            assert!(slope.is_finite() && slope >= 0.0, "{name}: {slope}");
            continue;
        }
        assert!((slope - right).abs() < 1e-12, "{name}: {slope}");
    }
}

/// A rule that chooses by a draw, fitted to a mean of 0.3 from a start at 0.6: the fit arrives.
#[test]
fn a_rule_that_chooses_by_a_draw_can_be_fitted() {
    let marks = Model::build("marks", Lattice::square(64).periodic())
        .layer("x", Values::Real)
        .parameter("p", Interval::unit())
        .start(|s| s.next("x").set(0.0))
        .step(|s| {
            let drawn = s.bernoulli(s.parameter("p"));
            s.next("x").set(drawn.select(1.0, s.layer("x")));
        })
        .unwrap();
    let mean = marks.observe(|s| s.output("mean", s.layer("x").mean())).unwrap();
    for estimator in [&StraightThrough as &dyn Estimator, &LightCone { radius: None }, &Differences] {
        let plan = Plan::new(&marks, &[mean.clone().into()], Some(estimator), Options::default()).unwrap();
        let mut p = 0.6;
        for step in 0..60 {
            let loss =
                |m: &[f64]| LossValue { value: (m[0] - 0.3).powi(2), slopes: vec![2.0 * (m[0] - 0.3)] };
            let at = [p];
            let run = Run::new(&at, 1);
            let found = plan.gradient(&run.replicates(8).seed(step).observe(1, 0), &loss).unwrap();
            p = (p - 0.25 * found.parameters[0]).clamp(0.01, 0.99);
        }
        // Each step sees 8 · 4096 draws: the mean is known to 0.0025.
        assert!((p - 0.3).abs() < 0.01, "{}: {p}", estimator.name());
    }
}

/// What is not chosen adds nothing to a gradient, though its slope there be infinite or no number.
#[test]
fn a_branch_that_is_not_taken_has_no_slope() {
    type Rule = fn(Expr, Expr) -> Expr;
    let rules: [(&str, Rule); 10] = [
        ("quotient", |n, p| n.greater(0.0).select(p / n, 0.0)),
        ("both ways", |n, p| n.equals(0.0).select(0.0, p / n)),
        ("function of a quotient", |n, p| n.greater(0.0).select((p / n).exp() - 1.0, 0.0).min(1.0)),
        ("product with a quotient", |n, p| n.greater(0.0).select((p / n) * p, 0.0)),
        ("inside another", |n, p| n.greater(0.0).select(n.less(3.0).select(p / n, p / n), 0.0)),
        ("root", |n, p| n.greater(0.0).select((p * n / 9.0).sqrt(), 0.0)),
        ("logarithm", |n, p| n.greater(0.0).select(-(p * n / 9.0).ln() / 9.0, 0.0).min(1.0)),
        ("power", |n, p| n.greater(0.0).select((p * n / 9.0).pow(0.3), 0.0)),
        ("overflow", |n, p| n.less(8.0).select(p, (1000.0 + p).exp())),
        ("lesser of", |n, p| (p / n).min(p)),
    ];
    for (name, rule) in rules {
        for precision in [Precision::Single, DOUBLE] {
            let sparse = Model::build("sparse", Lattice::square(8).periodic())
                .layer("on", Values::binary())
                .parameter("p", Interval::new(0.1, 0.5))
                .start(|s| s.next("on").bernoulli(0.05))
                .step(|s| {
                    let n = s.layer("on").neighbours(Moore).sum();
                    s.next("on").bernoulli(rule(n, s.parameter("p")));
                })
                .unwrap();
            let share = sparse.observe(|s| s.output("share", s.layer("on").mean())).unwrap();
            let options = Options { precision, ..Options::default() };
            let plan = Plan::new(&sparse, &[share.into()], Some(&StraightThrough), options).unwrap();
            let loss = |m: &[f64]| LossValue { value: m[0], slopes: vec![1.0] };
            let found = plan.gradient(&Run::new(&[0.3], 3).replicates(4).observe(3, 0), &loss).unwrap();
            let slope = found.parameters[0];
            assert!(slope.is_finite() && slope.abs() > 1e-6, "{name}, {precision:?}: {slope}");
        }
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
