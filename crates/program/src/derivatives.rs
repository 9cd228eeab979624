//! States the derivatives of the elementary functions and of the surrogates of step functions.

use crate::graph::Graph;
use crate::op::{Binary, Comparison, Number, Op, Surrogate, ValueId};
use crate::remainder::divisor;
use crate::unary::Unary;

/// What the derivative `bar` by `value` = op(…) contributes to each operand.
pub(crate) fn elementary(g: &mut Graph, value: ValueId, op: &Op, bar: ValueId) -> Vec<(ValueId, ValueId)> {
    match *op {
        Op::Unary(function, x) => function.pull_back(g, x, value, bar).map(|c| (x, c)).into_iter().collect(),
        // Of whole numbers, which lie on its jumps.
        Op::Binary(..) if divisor(op, |v| g.instruction(v)).is_some() => Vec::new(),
        Op::Binary(function, a, b) => binary(g, function, value, a, b, bar),
        _ => Vec::new(),
    }
}

fn binary(
    g: &mut Graph,
    function: Binary,
    y: ValueId,
    a: ValueId,
    b: ValueId,
    bar: ValueId,
) -> Vec<(ValueId, ValueId)> {
    match function {
        Binary::Add => vec![(a, bar), (b, bar)],
        Binary::Subtract => {
            let minus = g.negate(bar);
            vec![(a, bar), (b, minus)]
        }
        Binary::Multiply if a == b => {
            // Doubling is exact: the same bits as both contributions added, and no kernel where `bar` is one number.
            let twice = g.scale(2.0, bar);
            vec![(a, g.multiply(twice, a))]
        }
        Binary::Multiply => {
            let (to_a, to_b) = (g.multiply(bar, b), g.multiply(bar, a));
            vec![(a, to_a), (b, to_b)]
        }
        Binary::Divide => {
            let to_a = g.divide(bar, b);
            let product = g.multiply(to_a, y);
            let to_b = g.negate(product);
            vec![(a, to_a), (b, to_b)]
        }
        Binary::Power => power(g, y, a, b, bar),
        Binary::Minimum | Binary::Maximum => {
            let comparison = Comparison::LessOrEqual;
            let first = match function {
                Binary::Minimum => g.compare(comparison, a, b),
                _ => g.compare(comparison, b, a),
            };
            let zero = g.constant(0.0);
            let (to_a, to_b) = (g.select(first, bar, zero), g.select(first, zero, bar));
            vec![(a, to_a), (b, to_b)]
        }
    }
}

/// d(aᵇ) = b aᵇ⁻¹ da + aᵇ ln(a) db, the second term 0 where aᵇ or a is.
fn power(g: &mut Graph, y: ValueId, a: ValueId, b: ValueId, bar: ValueId) -> Vec<(ValueId, ValueId)> {
    let one = g.constant(1.0);
    let less = g.subtract(b, one);
    let lower = g.binary(Binary::Power, a, less);
    let slope = g.multiply(b, lower);
    // At b = 0 the slope is 0 even where a⁻¹ is infinite.
    let zero = g.constant(0.0);
    let flat = g.compare(Comparison::Equal, b, zero);
    let slope = g.select(flat, zero, slope);
    let to_a = g.multiply(bar, slope);
    let log = g.unary(Unary::Logarithm, a);
    let growth = g.multiply(y, log);
    let vanishes = g.compare(Comparison::Equal, y, zero);
    let growth = g.select(vanishes, zero, growth);
    // 0⁰ is 1, and next to it 0ᵇ is 0: no slope is better than an infinite one.
    let at_zero = g.compare(Comparison::Equal, a, zero);
    let growth = g.select(at_zero, zero, growth);
    let to_b = g.multiply(bar, growth);
    vec![(a, to_a), (b, to_b)]
}

/// The derivative that a step function at x = 0 is taken to have.
pub(crate) fn surrogate_slope(g: &mut Graph, x: ValueId, surrogate: Surrogate) -> ValueId {
    let scaled = |g: &mut Graph, width: Number| {
        let factor = g.constant(1.0 / width.get());
        (g.multiply(x, factor), factor)
    };
    match surrogate {
        Surrogate::Identity => g.constant(1.0),
        Surrogate::Sigmoid(width) => {
            let (z, factor) = scaled(g, width);
            let s = g.unary(Unary::Sigmoid, z);
            let rest = g.one_minus(s);
            let bell = g.multiply(s, rest);
            g.multiply(bell, factor)
        }
        Surrogate::Triangle(width) => {
            let (z, factor) = scaled(g, width);
            let distance = g.unary(Unary::Absolute, z);
            let height = g.one_minus(distance);
            let zero = g.constant(0.0);
            let tent = g.binary(Binary::Maximum, height, zero);
            g.multiply(tent, factor)
        }
    }
}
