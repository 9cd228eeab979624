//! Checks what is known of whole numbers without running: remainders, quotients, questions with one answer.
#![allow(clippy::unwrap_used)]

use glauber_lattice::{Lattice, Values};
use glauber_program::{Comparison, Domain, Expr, Model, ModelError};

fn of(lowest: i32, highest: i32, f: impl Fn(Expr) -> Expr) -> Domain {
    let mut seen = None;
    let model = Model::build("m", Lattice::line(4)).layer("n", Values::integers(lowest, highest)).step(|s| {
        let n = s.layer("n");
        seen = f(n).domain();
        s.next("n").set(n);
    });
    model.unwrap();
    seen.unwrap()
}

/// n mod k and n div k, as Python and model files write them.
fn remainder(n: Expr, k: f64) -> Expr {
    n - (n / k).floor() * k
}

/// Every remainder and quotient lies where it is said to, and each end is reached where the range is a whole period.
#[test]
fn remainders_and_quotients_lie_where_they_are_said_to() {
    for (lowest, highest) in [(0, 9), (-7, 7), (3, 200), (-1, 0), (-300, -5), (0, 1 << 20)] {
        for k in [-8.0f64, -3.0, -1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 8.0, 10.0, 64.0, 1000.0] {
            let (rest, quotient) =
                (of(lowest, highest, |n| remainder(n, k)), of(lowest, highest, |n| (n / k).floor()));
            assert!(rest.integer && quotient.integer, "{lowest}..{highest} by {k}: {rest:?}, {quotient:?}");
            assert!(
                rest.highest - rest.lowest < k.abs() && (!rest.nan),
                "{lowest}..{highest} by {k}: {rest:?}"
            );
            let shown = (lowest..=highest).step_by(if highest - lowest > 1000 { 977 } else { 1 });
            for n in shown.map(f64::from) {
                let own = n - (n / k).floor() * k;
                assert!(rest.lowest <= own && own <= rest.highest, "{n} by {k}: {own} in {rest:?}");
                let own = (n / k).floor();
                assert!(
                    quotient.lowest <= own && own <= quotient.highest,
                    "{n} by {k}: {own} in {quotient:?}"
                );
            }
        }
    }
    // What is no whole number, or too large for single precision, is not said to be known.
    assert!(of(0, i32::MAX, |n| remainder(n, 3.0)).highest > 2.0);
    assert!(of(0, 9, |n| remainder(n, 2.5)).highest > 2.5);
    assert!(of(0, 9, |n| remainder(n * 0.5, 2.0)).highest > 1.5);
}

/// Single precision keeps every remainder of the numbers of which they are said to be known.
#[test]
fn single_precision_keeps_the_remainders() {
    for k in [2.0f32, 3.0, 5.0, 7.0, 10.0, 100.0, 1023.0, 65_535.0] {
        let near = (0..4000).map(|i| 16_777_216 - i).chain((0..4000).map(|i| i * 4093));
        for n in near.filter(|n| *n <= 16_777_216) {
            let (x, exact) = (n as f32, f64::from(n).rem_euclid(f64::from(k)));
            let own = f64::from(x - (x / k).floor() * k);
            assert!((own - exact).abs() < 0.5, "{n} by {k}: {own}, not {exact}");
        }
    }
}

#[test]
fn questions_with_one_answer_are_told_where_a_number_lies_beyond() {
    use Comparison::{Less, LessOrEqual};
    let told = |number: f64, comparison, swapped| {
        let mut words = None;
        let model = Model::build("m", Lattice::line(4)).layer("n", Values::integers(0, 9)).step(|s| {
            let n = s.layer("n");
            words = n.settled(comparison, number, swapped);
            s.next("n").set(n);
        });
        model.unwrap();
        words.map(|w| w.split(':').next().unwrap_or_default().to_string())
    };
    // n < 200, n > 200, n <= -1, n >= -1; at the ends it is a question still.
    assert_eq!(told(200.0, Less, false).as_deref(), Some("always"));
    assert_eq!(told(200.0, Less, true).as_deref(), Some("never"));
    assert_eq!(told(-1.0, LessOrEqual, false).as_deref(), Some("never"));
    assert_eq!(told(-1.0, LessOrEqual, true).as_deref(), Some("always"));
    for end in [0.0, 9.0, 4.5] {
        for comparison in [Less, LessOrEqual] {
            assert_eq!((told(end, comparison, false), told(end, comparison, true)), (None, None), "{end}");
        }
    }
}

#[test]
fn questions_that_hold_nowhere_are_told_at_the_ends_too() {
    use Comparison::{Less, LessOrEqual};
    let mut told = Vec::new();
    let model = Model::build("m", Lattice::line(4)).layer("n", Values::integers(0, 9)).step(|s| {
        let n = s.layer("n");
        // n < 0, n > 9; n <= 0, n >= 9, n < 9, n > 0.
        told = [(0.0, Less, false), (9.0, Less, true), (0.0, LessOrEqual, false), (9.0, LessOrEqual, true)]
            .into_iter()
            .chain([(9.0, Less, false), (0.0, Less, true)])
            .map(|(number, comparison, swapped)| n.never(comparison, number, swapped).is_some())
            .collect();
        n.remark("this is said");
        n.remark("this is said");
        s.next("n").set(n);
    });
    assert_eq!(told, [true, true, false, false, false, false]);
    assert_eq!(model.unwrap().notes(), ["this is said"]);
}

#[test]
fn names_that_are_none_and_colours_that_are_one_are_refused() {
    let begin = |name: &str| Model::build(name, Lattice::line(4));
    let keeps = |b: glauber_program::ModelBuilder, layer: &'static str| {
        b.step(move |s| s.next(layer).set(s.layer(layer))).unwrap_err()
    };
    let on = Values::binary;
    for error in [
        keeps(begin("").layer("n", on()), "n"),
        keeps(begin("m").layer(" ", on()), " "),
        keeps(begin("m").layer("n", on()).parameter("", glauber_program::Interval::unit()), "n"),
        keeps(begin("m").layer("n", on()).covariate(""), "n"),
        keeps(begin("m").layer("n", Values::categories(&["a", "", "c"])), "n"),
    ] {
        assert!(matches!(error, ModelError::NoName { .. }), "{error}");
    }
    let twice = keeps(begin("m").layer("n", Values::categories(&["a", "b", "a"])), "n");
    assert!(matches!(twice, ModelError::Duplicate { kind: "state", .. }), "{twice}");
    let red = glauber_program::Colour::hex(0xff0000);
    let same =
        begin("m").layer("n", Values::categories(&["a", "b", "c"])).colours(&[Some(red), None, Some(red)]);
    let same = keeps(same, "n").to_string();
    assert!(same.contains("`a` and `c`") && same.contains("#ff0000"), "{same}");
}
