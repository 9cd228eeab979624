//! Computes elementary functions, comparisons and choices over a block.

use glauber_program::{Binary, Comparison, Unary, UseOfUnary};

use crate::block::BLOCK;
use crate::kernels::Lane;
use crate::kernels::operands::{Operand, map1, map2, map3};
use glauber_numbers::elementary;

/// A loop over a block.
struct Block<'a, F> {
    d: &'a mut [F],
    a: &'a [F],
}

impl<F: Lane> UseOfUnary<F> for Block<'_, F> {
    type Out = ();

    #[inline(always)]
    fn with(self, function: impl Fn(F) -> F) {
        map1(self.d, self.a, function);
    }
}

#[inline(always)]
pub(super) fn unary<F: Lane>(function: Unary, d: &mut [F], a: &[F]) {
    function.choose(Block { d, a });
}

#[inline(always)]
pub(super) fn binary<F: Lane>(function: Binary, d: &mut [F], a: Operand<'_, F>, b: Operand<'_, F>) {
    match function {
        Binary::Add => map2(d, a, b, |a, b| a + b),
        Binary::Subtract => map2(d, a, b, |a, b| a - b),
        Binary::Multiply => map2(d, a, b, |a, b| a * b),
        Binary::Divide => map2(d, a, b, |a, b| a / b),
        Binary::Power => long_map2(d, a, b, elementary::pow),
        Binary::Minimum => map2(d, a, b, |a, b| a.min(b)),
        Binary::Maximum => map2(d, a, b, |a, b| a.max(b)),
    }
}

/// As [`map2`], with one loop for all kinds of operands.
#[inline(always)]
fn long_map2<F: Lane>(d: &mut [F], a: Operand<'_, F>, b: Operand<'_, F>, f: impl Fn(F, F) -> F) {
    let (mut first, mut second) = ([F::ZERO; BLOCK], [F::ZERO; BLOCK]);
    let (a, b) = (a.spread(d.len(), &mut first), b.spread(d.len(), &mut second));
    for ((d, a), b) in d.iter_mut().zip(a).zip(b) {
        *d = f(*a, *b);
    }
}

#[inline(always)]
pub(super) fn compare<F: Lane>(comparison: Comparison, d: &mut [F], a: Operand<'_, F>, b: Operand<'_, F>) {
    match comparison {
        Comparison::Equal => map2(d, a, b, |a, b| if a == b { F::ONE } else { F::ZERO }),
        Comparison::Less => map2(d, a, b, |a, b| if a < b { F::ONE } else { F::ZERO }),
        Comparison::LessOrEqual => map2(d, a, b, |a, b| if a <= b { F::ONE } else { F::ZERO }),
    }
}

#[inline(always)]
pub(super) fn select<F: Lane>(d: &mut [F], c: &[F], yes: Operand<'_, F>, no: Operand<'_, F>) {
    map3(d, Operand::Many(c), yes, no, |c, a, b| if c != F::ZERO { a } else { b });
}

/// Whether centred numbers are below, or have passed, the threshold of a draw on their side of 0.
#[inline(always)]
pub(super) fn threshold<F: Lane>(
    d: &mut [F],
    w: &[F],
    below: Operand<'_, F>,
    above: Operand<'_, F>,
    negated: bool,
    passes: bool,
) {
    let sign = if negated { -F::ONE } else { F::ONE };
    let at = |w: F, below: F, above: F| if w < F::ZERO { sign * above } else { below };
    let truth = |holds: bool| if holds { F::ONE } else { F::ZERO };
    match passes {
        true => map3(d, Operand::Many(w), below, above, |w, b, a| truth(at(w, b, a) <= w)),
        false => map3(d, Operand::Many(w), below, above, |w, b, a| truth(w < at(w, b, a))),
    }
}

/// One number or another field for the whole block.
#[inline(always)]
pub(super) fn copy<F: Lane>(d: &mut [F], a: Operand<'_, F>) {
    match a {
        Operand::Many(a) => d.copy_from_slice(a),
        Operand::One(a) => d.fill(a),
    }
}
