//! Writes 1 − x without the subtraction, where x is of a form that tells what is missing to 1.
//!
//! Near 1 numbers lie 6·10⁻⁸ apart in single precision: of a probability of 10⁻⁹ that is written 1 − x nothing is left.
//! In terms of what x was made of it is exact: 1 − eʸ is −expm1(y), 1 − (1 − b)ⁿ is −expm1(n log1p(−b)), and the
//! complement of a choice is the choice of the complements.

use super::Graph;
use crate::op::{Binary, Op, ValueId};
use crate::unary::Unary;

/// How deep the form of a value is looked into.
const DEPTH: usize = 12;

/// Up to this b, 1 − (1 − b)ⁿ is written by expm1; above, the subtraction loses nothing.
const HALF: f64 = 0.5;

/// A constant this near 1 is a survival: what is missing to 1 counts.
const NEARLY_ONE: f64 = 0.99;

/// 1 − x where the form of x keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Complement {
    /// 1 − x.
    pub(crate) value: ValueId,
    /// Whether x was written as 1 less something (or as a decay), so that 1 − x may be far smaller than what single
    /// precision tells apart near 1.
    pub(crate) recovers: bool,
}

/// 1 − x in a form that keeps small values, where x has one.
pub(crate) fn complement(g: &mut Graph, x: ValueId) -> Option<Complement> {
    inner(g, x, DEPTH)
}

/// 1 − x by its form, else by subtraction.
pub fn one_minus(g: &mut Graph, x: ValueId) -> ValueId {
    match complement(g, x) {
        Some(found) => found.value,
        None => g.one_minus(x),
    }
}

fn inner(g: &mut Graph, x: ValueId, depth: usize) -> Option<Complement> {
    let depth = depth.checked_sub(1)?;
    let recovered = |value| Some(Complement { value, recovers: true });
    match g.instruction(x).op {
        Op::Constant(number) if number.get() > NEARLY_ONE && number.get() < 1.0 => {
            recovered(g.constant(1.0 - number.get()))
        }
        Op::Binary(Binary::Subtract, one, d) if is_one(g, one) => recovered(d),
        Op::Unary(Unary::Negate, y) => match g.instruction(y).op {
            // 1 − (1 − eʸ).
            Op::Unary(Unary::ExponentialMinusOne, y) => {
                let value = g.unary(Unary::Exponential, y);
                Some(Complement { value, recovers: false })
            }
            // 1 − (1 − xⁿ), written −(xⁿ − 1).
            Op::Binary(Binary::Subtract, power, one) if is_one(g, one) => {
                Some(Complement { value: power, recovers: false })
            }
            _ => None,
        },
        Op::Unary(..) | Op::Binary(Binary::Power, ..) => without_subtraction(g, x).and_then(recovered),
        Op::Select(c, yes, no) => {
            let (for_yes, for_no) = (inner(g, yes, depth), inner(g, no, depth));
            let recovers = [for_yes, for_no].iter().flatten().any(|found| found.recovers);
            if for_yes.is_none() && for_no.is_none() {
                return None;
            }
            let yes = for_yes.map_or_else(|| g.one_minus(yes), |found| found.value);
            let no = for_no.map_or_else(|| g.one_minus(no), |found| found.value);
            Some(Complement { value: g.select(c, yes, no), recovers })
        }
        Op::Binary(Binary::Multiply, a, b) => {
            let (binary, other) = if is_binary(g, a) { (a, b) } else { (b, a) };
            if !is_binary(g, binary) {
                return without_subtraction(g, x).and_then(recovered);
            }
            // 1 − a x = (1 − a) + a (1 − x), of which one term is 0.
            let found = inner(g, other, depth)?;
            let (off, on) = (g.one_minus(binary), g.multiply(binary, found.value));
            Some(Complement { value: g.add(off, on), recovers: found.recovers })
        }
        Op::Binary(Binary::Add, a, b) => {
            of_sum(g, a, b, false, depth).or_else(|| of_sum(g, b, a, false, depth))
        }
        Op::Binary(Binary::Subtract, a, b) => match share_of(g, a, b) {
            Some(_) => without_subtraction(g, x).and_then(recovered),
            None => of_sum(g, a, b, true, depth),
        },
        _ => None,
    }
}

/// Where `product` is a q for a of 0 or 1 and a share q: q.
fn share_of(g: &Graph, a: ValueId, product: ValueId) -> Option<ValueId> {
    let Op::Binary(Binary::Multiply, x, y) = g.instruction(product).op else { return None };
    let q = if x == a {
        y
    } else if y == a {
        x
    } else {
        return None;
    };
    (is_binary(g, a) && !g.domain(q).integer).then_some(q)
}

/// 1 − (a x + (1 − a) y) = a (1 − x) + (1 − a)(1 − y) for a of 0 or 1; 1 − (a + (1 − a) y) = (1 − a)(1 − y) for any a.
/// Where the second term is taken away, y is the negative of what stands there.
fn of_sum(
    g: &mut Graph,
    first: ValueId,
    second: ValueId,
    taken_away: bool,
    depth: usize,
) -> Option<Complement> {
    if let Some((rest, y)) = rest_times(g, first, second) {
        let y = if taken_away { g.negate(y) } else { y };
        let found = inner(g, y, depth);
        let recovers = found.is_some_and(|found| found.recovers);
        let missing = found.map_or_else(|| g.one_minus(y), |found| found.value);
        return Some(Complement { value: g.multiply(rest, missing), recovers });
    }
    let Op::Binary(Binary::Multiply, left, right) = g.instruction(first).op else { return None };
    for (a, x) in [(left, right), (right, left)] {
        if !is_binary(g, a) {
            continue;
        }
        if let Some((rest, y)) = rest_times(g, a, second) {
            let y = if taken_away { g.negate(y) } else { y };
            let (for_x, for_y) = (inner(g, x, depth), inner(g, y, depth));
            if for_x.is_none() && for_y.is_none() {
                return None;
            }
            let recovers = [for_x, for_y].iter().flatten().any(|found| found.recovers);
            let missing_x = for_x.map_or_else(|| g.one_minus(x), |found| found.value);
            let missing_y = for_y.map_or_else(|| g.one_minus(y), |found| found.value);
            let (on, off) = (g.multiply(a, missing_x), g.multiply(rest, missing_y));
            return Some(Complement { value: g.add(on, off), recovers });
        }
    }
    None
}

/// Where `product` is (1 − a) x: the values 1 − a and x.
fn rest_times(g: &mut Graph, a: ValueId, product: ValueId) -> Option<(ValueId, ValueId)> {
    let Op::Binary(Binary::Multiply, x, y) = g.instruction(product).op else { return None };
    let rest = g.one_minus(a);
    if x == rest {
        Some((rest, y))
    } else if y == rest {
        Some((rest, x))
    } else {
        None
    }
}

/// 1 − x for x a decay: eʸ, σ(y), (1 − b)ⁿ, cⁿ, (eʸ)ⁿ, or a product of such.
///
/// Written so that writing it again changes nothing.
pub(crate) fn without_subtraction(g: &mut Graph, x: ValueId) -> Option<ValueId> {
    match g.instruction(x).op {
        Op::Unary(Unary::Exponential, y) => Some(minus_expm1(g, y)),
        Op::Unary(Unary::Sigmoid, y) => {
            let minus = g.negate(y);
            Some(g.unary(Unary::Sigmoid, minus))
        }
        Op::Binary(Binary::Power, base, n) => of_power(g, x, base, n),
        Op::Binary(Binary::Divide, one, d) if is_one(g, one) => of_quotient(g, d),
        // 1 − (a − a q) = (1 − a) + a q, of which one term is 0.
        Op::Binary(Binary::Subtract, a, product) => {
            share_of(g, a, product)?;
            let off = g.one_minus(a);
            Some(g.add(off, product))
        }
        // The complement of a choice is the choice of the complements.
        Op::Select(c, yes, no) if !g.domain(x).integer && (is_survival(g, yes) || is_survival(g, no)) => {
            let (yes, no) = (g.one_minus(yes), g.one_minus(no));
            Some(g.select(c, yes, no))
        }
        Op::Binary(Binary::Multiply, a, b) => {
            let numbers = g.domain(a).integer && g.domain(b).integer;
            let (a, b) = if is_binary(g, b) { (b, a) } else { (a, b) };
            if numbers || !((is_survival(g, a) || is_binary(g, a)) && is_survival(g, b)) {
                return None;
            }
            // 1 − a b = (1 − a) + a (1 − b).
            let (of_a, of_b) = (g.one_minus(a), g.one_minus(b));
            let second = g.multiply(a, of_b);
            Some(g.add(of_a, second))
        }
        _ => None,
    }
}

/// 1 − baseⁿ.
fn of_power(g: &mut Graph, power: ValueId, base: ValueId, n: ValueId) -> Option<ValueId> {
    match g.instruction(base).op {
        Op::Unary(Unary::Exponential, y) => {
            let exponent = g.multiply(n, y);
            Some(minus_expm1(g, exponent))
        }
        Op::Constant(c) if c.get() > HALF && c.get() < 1.0 => {
            let log = g.unary(Unary::Logarithm, base);
            let exponent = g.multiply(n, log);
            Some(minus_expm1(g, exponent))
        }
        Op::Binary(Binary::Subtract, one, b) if is_one(g, one) => {
            let domain = g.domain(b);
            if domain.lowest > HALF {
                return None;
            }
            let half = g.constant(HALF);
            let small = g.binary(Binary::Minimum, b, half);
            let minus = g.negate(small);
            let log = g.unary(Unary::LogarithmOnePlus, minus);
            let exponent = g.multiply(n, log);
            let exact = minus_expm1(g, exponent);
            if domain.highest <= HALF && !domain.nan {
                return Some(exact);
            }
            // Where b may be 1 the logarithm is none; there nothing is lost by subtracting. As −(xⁿ − 1), which has the
            // bits of 1 − xⁿ, since that form would be rewritten.
            let (near, one) = (g.compare(crate::op::Comparison::LessOrEqual, b, half), g.constant(1.0));
            // Both forms are the same function: nothing is lost in a derivative, and `slopeless` need not tell of it.
            let near = g.push(Op::Hold(near));
            let less = g.subtract(power, one);
            let plain = g.negate(less);
            Some(g.select(near, exact, plain))
        }
        _ => None,
    }
}

/// 1 − 1/(1 + b) = b / (1 + b), and 1 − 1/(1 + b)ⁿ = −expm1(−n log1p(b)) for b above −1.
fn of_quotient(g: &mut Graph, d: ValueId) -> Option<ValueId> {
    if let Op::Binary(Binary::Power, base, n) = g.instruction(d).op {
        let exponent = exponent_of_growth(g, base, n)?;
        let minus = g.negate(exponent);
        return Some(minus_expm1(g, minus));
    }
    let b = beyond_one(g, d)?;
    Some(g.binary(Binary::Divide, b, d))
}

/// eʸ − 1 = expm1(y), and (1 + b)ⁿ − 1 = expm1(n log1p(b)) for b above −1.
pub(crate) fn growth(g: &mut Graph, x: ValueId) -> Option<ValueId> {
    let exponent = match g.instruction(x).op {
        Op::Unary(Unary::Exponential, y) => y,
        Op::Binary(Binary::Power, base, n) => exponent_of_growth(g, base, n)?,
        _ => return None,
    };
    Some(g.unary(Unary::ExponentialMinusOne, exponent))
}

/// n log1p(b), where a base is 1 + b.
fn exponent_of_growth(g: &mut Graph, base: ValueId, n: ValueId) -> Option<ValueId> {
    let b = beyond_one(g, base)?;
    let log = g.unary(Unary::LogarithmOnePlus, b);
    Some(g.multiply(n, log))
}

/// b, where a value is 1 + b with a b above −1 that is no whole number.
fn beyond_one(g: &Graph, x: ValueId) -> Option<ValueId> {
    let Op::Binary(Binary::Add, p, q) = g.instruction(x).op else { return None };
    let b = if is_one(g, p) {
        q
    } else if is_one(g, q) {
        p
    } else {
        return None;
    };
    let domain = g.domain(b);
    (domain.lowest > -1.0 && !domain.nan && !domain.integer).then_some(b)
}

fn minus_expm1(g: &mut Graph, y: ValueId) -> ValueId {
    let less_one = g.unary(Unary::ExponentialMinusOne, y);
    g.negate(less_one)
}

/// Whether a value is 1 less another, a decay, or a product of two such: 1 − x is then known without a subtraction.
fn is_survival(g: &Graph, x: ValueId) -> bool {
    let is_factor = |x: ValueId| match g.instruction(x).op {
        Op::Unary(Unary::Exponential, _) => true,
        Op::Binary(Binary::Subtract, one, _) => is_one(g, one),
        Op::Binary(Binary::Power, base, _) => match g.instruction(base).op {
            Op::Unary(Unary::Exponential, _) => true,
            Op::Constant(c) => c.get() > HALF && c.get() < 1.0,
            Op::Binary(Binary::Subtract, one, b) => is_one(g, one) && g.domain(b).lowest <= HALF,
            _ => false,
        },
        _ => false,
    };
    match g.instruction(x).op {
        Op::Binary(Binary::Multiply, a, b) => is_factor(a) && is_factor(b),
        _ => is_factor(x),
    }
}

fn is_binary(g: &Graph, x: ValueId) -> bool {
    g.domain(x).integer && g.domain(x).proves(0.0, 1.0)
}

fn is_one(g: &Graph, x: ValueId) -> bool {
    g.constant_value(x).is_some_and(|x| x.to_bits() == 1f64.to_bits())
}
