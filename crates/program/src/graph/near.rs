//! Writes c − x without the subtraction, where x is a sum of shares that come near c together.
//!
//! A mixture of decays, 0.3 (1 − b)ⁿ + 0.7 e⁻ᵇ, lies near 1 for a small b, and ½ + ½ (1 − 2b)ⁿ does too: what is missing is
//! the sum of what is missing to each share, by `complement`, and nothing is taken from anything near it.

use super::Graph;
use super::complement::without_subtraction;
use crate::op::{Binary, Op, ValueId};
use crate::unary::Unary;

/// How deep the form of a value is looked into.
const DEPTH: usize = 10;
/// More ways to read a sum than this are not followed.
const MOST: usize = 4;
/// Sums near larger numbers are left as they are written: adding a large one and taking it away is a way to round.
const LARGE: f64 = 16.0;
/// Shares that add up to a number up to the rounding of their sum are it.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// A value as a constant less something that is small where the value is near it.
#[derive(Clone, Copy, Debug)]
struct Near {
    constant: f64,
    /// What is missing to the constant; nothing where nothing is.
    missing: Option<ValueId>,
    /// The largest constant that was written: what is missing loses digits beside it.
    written: f64,
    /// Whether anything was written as a decay, or as a constant less something.
    is_made_of: bool,
}

/// a − b, where both are near the same by their form. Lone decays have rules of their own.
pub(super) fn difference(g: &mut Graph, a: ValueId, b: ValueId) -> Option<ValueId> {
    if !is_sum_of_decays(g, a, DEPTH) && !is_sum_of_decays(g, b, DEPTH) {
        return None;
    }
    let is_constant = [a, b].map(|x| g.constant_value(x).is_some());
    if is_constant[0] && without_subtraction(g, b).is_some() || is_constant[1] && is_decay(g, a) {
        return None;
    }
    let (of_a, of_b) = (readings(g, a, DEPTH), readings(g, b, DEPTH));
    for (near, other) in of_a.iter().flat_map(|a| of_b.iter().map(move |b| (*a, *b))).take(MOST) {
        let written = near.written.max(other.written);
        // A difference of decays without any constant loses nothing where both are small.
        if !(near.is_made_of || other.is_made_of) || !(f64::MIN_POSITIVE..=LARGE).contains(&written) {
            continue;
        }
        if (near.constant - other.constant).abs() <= ROUNDING * written {
            return Some(match (near.missing, other.missing) {
                (Some(near), Some(other)) => g.subtract(other, near),
                (Some(near), None) => g.negate(near),
                (None, other) => other?,
            });
        }
    }
    None
}

/// a − a x for a decay x, as a (1 − x).
pub(super) fn rest_of(g: &mut Graph, a: ValueId, product: ValueId) -> Option<ValueId> {
    let Op::Binary(Binary::Multiply, p, q) = g.instruction(product).op else { return None };
    let decay = if p == a {
        q
    } else if q == a {
        p
    } else {
        return None;
    };
    let missing = is_decay(g, decay).then(|| without_subtraction(g, decay))??;
    Some(g.multiply(a, missing))
}

/// Whether a value is made of decays by sums and constant factors, and is none itself.
fn is_sum_of_decays(g: &Graph, x: ValueId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let within = |y: ValueId| is_decay(g, y) || is_sum_of_decays(g, y, depth);
    match g.instruction(x).op {
        // 1 − b is a decay as a factor or term of a sum, but no sum of decays.
        Op::Binary(Binary::Add | Binary::Subtract, a, b) => {
            within(a) || within(b) || (g.constant_value(a).is_some() && g.constant_value(b).is_none())
        }
        _ => multiple(g, x).is_some_and(|(_, y)| within(y)),
    }
}

/// k and y, where a value is k y for a constant k.
fn multiple(g: &Graph, x: ValueId) -> Option<(f64, ValueId)> {
    match g.instruction(x).op {
        Op::Unary(Unary::Negate, y) => Some((-1.0, y)),
        Op::Binary(Binary::Multiply, a, b) => {
            [(a, b), (b, a)].into_iter().find_map(|(k, y)| Some((g.constant_value(k)?, y)))
        }
        Op::Binary(Binary::Divide, y, k) => Some((1.0 / g.constant_value(k)?, y)),
        _ => None,
    }
}

fn is_decay(g: &Graph, x: ValueId) -> bool {
    match g.instruction(x).op {
        Op::Unary(Unary::Exponential | Unary::Sigmoid, _) | Op::Binary(Binary::Power, ..) => true,
        Op::Binary(Binary::Multiply, a, b) => is_decay(g, a) && is_decay(g, b),
        _ => false,
    }
}

/// The ways to read a value as a constant less something.
fn readings(g: &mut Graph, x: ValueId, depth: usize) -> Vec<Near> {
    let near = |constant, missing, is_made_of| Near { constant, missing, written: 0.0, is_made_of };
    if let Some(constant) = g.constant_value(x) {
        return vec![Near { written: constant.abs(), ..near(constant, None, false) }];
    }
    let Some(depth) = depth.checked_sub(1) else { return vec![near(0.0, Some(g.negate(x)), false)] };
    let mut found = Vec::new();
    if is_decay(g, x) {
        if let Op::Unary(Unary::Sigmoid, y) = g.instruction(x).op {
            // σ(y) = ½ + ½ tanh(y/2).
            let half = g.constant(0.5);
            let argument = g.multiply(half, y);
            let bent = g.unary(Unary::HyperbolicTangent, argument);
            let scaled = g.multiply(half, bent);
            found.push(near(0.5, Some(g.negate(scaled)), true));
        }
        found.extend(without_subtraction(g, x).map(|missing| near(1.0, Some(missing), true)));
    } else if let Op::Binary(function @ (Binary::Add | Binary::Subtract), a, b) = g.instruction(x).op {
        let (of_a, of_b) = (readings(g, a, depth), readings(g, b, depth));
        let sign = if function == Binary::Add { 1.0 } else { -1.0 };
        let pairs = of_a.iter().flat_map(|a| of_b.iter().map(move |b| (*a, *b))).take(MOST);
        found.extend(pairs.map(|(a, b)| together(g, a, sign, b)));
    } else if let Some((k, y)) = multiple(g, x) {
        found.extend(readings(g, y, depth).into_iter().map(|near| scaled(g, k, near)));
    }
    if found.is_empty() { vec![near(0.0, Some(g.negate(x)), false)] } else { found }
}

fn scaled(g: &mut Graph, factor: f64, near: Near) -> Near {
    let k = g.constant(factor);
    let missing = near.missing.map(|missing| g.multiply(k, missing));
    Near { constant: factor * near.constant, missing, written: factor.abs() * near.written, ..near }
}

/// a + b, or a − b.
fn together(g: &mut Graph, a: Near, sign: f64, b: Near) -> Near {
    let b = if sign < 0.0 { scaled(g, sign, b) } else { b };
    let missing = match (a.missing, b.missing) {
        (Some(a), Some(b)) => Some(g.add(a, b)),
        (a, b) => a.or(b),
    };
    let is_made_of = a.is_made_of || b.is_made_of || a.missing.is_none() != b.missing.is_none();
    Near { constant: a.constant + b.constant, missing, written: a.written.max(b.written), is_made_of }
}
