//! Checks what is said of parameters that act through step functions, against the adjoints themselves.
#![allow(clippy::unwrap_used)]

use glauber_lattice::{Lattice, Moore, Values};
use glauber_program::estimators::{ESTIMATORS, EstimatorOptions};
use glauber_program::{Expr, Interval, Model, Op, Scope, Sink, Slopeless, differentiate};

type Rule = fn(&Scope, Expr) -> Expr;

fn model(rule: Rule) -> Model {
    Model::build("m", Lattice::square(8).periodic())
        .layer("on", Values::Real)
        .parameter("p", Interval::unit())
        .step(|s| {
            let next = rule(s, s.parameter("p"));
            s.next("on").set(next);
        })
        .unwrap()
}

/// Rules, whether p acts through step functions, and whether through nothing else.
const RULES: [(&str, Rule, bool, bool); 26] = [
    ("draw", |s, p| s.bernoulli(p), false, false),
    ("uniform below", |s, p| s.uniform().less(p), true, true),
    ("uniform above", |s, p| p.greater(s.uniform() * 2.0), true, true),
    ("not above", |s, p| 1.0 - s.uniform().at_least(p), true, true),
    ("normal", |s, p| s.normal().less(p), true, true),
    ("of neighbours", |s, p| s.layer("on").neighbours(Moore).sum().less(p), true, true),
    ("partly", |s, p| s.uniform().less(p) * p, true, false),
    ("held", |s, p| s.uniform().less(p.hold()) * p, false, false),
    ("held outside", |s, p| s.uniform().less(p).hold() + p, false, false),
    ("with another's derivative", |s, p| s.uniform().less(p).with_gradient_of(p), false, false),
    ("heaviside", |_, p| (p - 0.5).heaviside(glauber_program::Surrogate::sigmoid(0.1)), false, false),
    ("round", |_, p| (p * 9.0).round(glauber_program::Surrogate::Identity), false, false),
    ("floor", |_, p| (p * 9.0).floor(), true, true),
    ("sign", |_, p| (p - 0.5).sign(), true, true),
    ("a draw's number", |s, p| s.binomial(9.0, p).at_least(4.0), true, true),
    ("what 2 leaves of a draw's number", |s, p| parity(s.binomial(9.0, p)), true, true),
    ("chosen by", |_, p| (p * 2.0).less(1.0).select(0.0, 1.0), true, true),
    ("chosen among", |s, p| s.layer("on").less(0.5).select(p, 1.0), false, false),
    ("chosen by a draw", |s, p| s.bernoulli(p).select(3.0, 4.0), false, false),
    ("chosen by a draw or not", |s, p| s.bernoulli(p).select(1.0, s.layer("on")), false, false),
    ("a draw above", |s, p| (s.bernoulli(p) + s.layer("on")).greater(0.7), false, false),
    ("a draw among draws", |s, p| (s.bernoulli(p) + s.bernoulli(0.5)).equals(2.0), false, false),
    ("chosen by a count", |s, p| s.binomial(9.0, p).select(3.0, 4.0), true, true),
    ("a draw above p", |s, p| (s.bernoulli(p) * 0.9).greater(p), true, false),
    ("clipped", |_, p| p.max(0.2).min(0.7), false, false),
    ("not there", |s, p| p * 0.0 + s.uniform().less(0.5), false, false),
];

/// Whether a whole number is odd. As a real function it grows as its argument does; of whole numbers it is all jumps.
fn parity(n: Expr) -> Expr {
    n - 2.0 * (n / 2.0).floor()
}

#[test]
fn what_is_said_is_what_the_adjoint_lacks() {
    for (name, rule, through, alone) in RULES {
        let own = model(rule);
        let found = own.slopeless(false, false);
        assert_eq!(!found.is_empty(), through, "{name}: {found:?}");
        assert_eq!(found.iter().any(|one| !one.only.is_empty()), alone, "{name}: {found:?}");
        for entry in ESTIMATORS.iter().filter(|e| !["mean-field", "differences"].contains(&e.name)) {
            let estimator = (entry.make)(EstimatorOptions::default());
            let adjoint = differentiate(&estimator.forward(&own.step), &*estimator);
            let slope = adjoint.result(Sink::ParameterAdjoint(0));
            if !own.step.instructions().iter().any(|i| i.op == Op::Parameter(0)) {
                assert!(slope.is_none() && !through, "{name}");
                continue;
            }
            // The score function asks how likely draws are, whatever is made of them.
            let scored = estimator.needs_advantage();
            let said = own.slopeless(false, scored).iter().any(|one| !one.only.is_empty());
            assert_eq!(slope.is_none(), said, "{name}, {}", entry.name);
        }
    }
}

#[test]
fn the_words_name_what_where_and_what_to_do() {
    let words =
        |rule: Rule| model(rule).slopeless(true, false).iter().map(Slopeless::words).collect::<Vec<_>>();
    let coin = words(|s, p| s.uniform().less(p));
    assert!(coin[0].starts_with("`random number (uniform) < p`"), "{coin:?}");
    for word in ["step, for next on", "every gradient by it is 0", "bernoulli(p)", "`p`"] {
        assert!(coin[0].contains(word), "{word}: {coin:?}");
    }
    let partly = words(|s, p| p + (p * 3.0).less(s.layer("on")));
    assert!(partly.iter().any(|w| w.contains("missing in gradients and in errors")), "{partly:?}");
}

/// What states do to later steps is missing where they are compared; where parameters make no states, nothing is.
#[test]
fn states_that_are_compared_are_told_of_rollouts() {
    let rule: Rule = |s, p| s.layer("on").less(0.5).select(1.0, 0.0) * 0.1 + s.bernoulli(p);
    assert!(model(rule).slopeless(false, false).is_empty());
    let found = model(rule).slopeless(true, false);
    assert!(found.len() == 1 && found[0].of_states, "{found:?}");
    assert!(model(rule).slopeless(true, true).is_empty());
    let fixed: Rule = |s, p| s.layer("on").less(0.5).select(1.0, 0.0) + p * 0.0;
    assert!(model(fixed).slopeless(true, false).is_empty());
}

/// As long a rule as there may be, on a small stack.
#[test]
fn long_rules_are_read_without_depth() {
    let own = Model::build("long", Lattice::line(4))
        .layer("on", Values::Real)
        .parameter("p", Interval::unit())
        .step(|s| {
            let mut x = s.parameter("p");
            for k in 0..20_000 {
                x = (x * 1.5 + f64::from(k)).sin();
            }
            s.next("on").set(x.less(0.5));
        });
    let own = own.unwrap();
    let found = std::thread::Builder::new().stack_size(256 << 10).spawn(move || own.slopeless(true, false));
    assert_eq!(found.unwrap().join().unwrap()[0].only, ["p"]);
}
