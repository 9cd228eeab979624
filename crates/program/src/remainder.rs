//! Knows what a division by a whole number k leaves of a whole number, a − k ⌊a/k⌋, by its form.
//!
//! It jumps where a does and is no smooth function of it: that a − k ⌊a/k⌋ of a real number grows as a does between its
//! jumps says nothing of whole numbers, which lie on the jumps alone. Its derivative is 0, as that of ⌊a⌋ is.

use crate::instruction::Instruction;
use crate::op::{Binary, Op, ValueId};
use crate::unary::Unary;

/// The whole number k for which a difference is what is left of a whole number; nothing where it is no such thing. Where
/// single precision holds a, the quotient's rounding does not reach the next whole number.
pub(crate) fn divisor<'a>(op: &Op, of: impl Fn(ValueId) -> &'a Instruction) -> Option<f64> {
    const EXACT: f64 = 16_777_216.0;
    let Op::Binary(Binary::Subtract, a, multiple) = *op else { return None };
    let constant = |value: ValueId| match of(value).op {
        Op::Constant(number) => Some(number.get()),
        _ => None,
    };
    let own = of(a).domain;
    if !(own.integer && own.proves(-EXACT, EXACT)) {
        return None;
    }
    let (x, y) = match of(multiple).op {
        Op::Binary(Binary::Multiply, x, y) => (x, y),
        // Nothing is left by 1.
        Op::Unary(Unary::Floor, x) if x == a => return Some(1.0),
        _ => return None,
    };
    [(x, y), (y, x)].into_iter().find_map(|(k, floor)| {
        let k = constant(k).filter(|k| k.fract().abs() <= 0.0 && k.abs() >= 1.0)?;
        let Op::Unary(Unary::Floor, quotient) = of(floor).op else { return None };
        let divides = match of(quotient).op {
            Op::Binary(Binary::Divide, n, d) => {
                n == a && constant(d).is_some_and(|d| d.to_bits() == k.to_bits())
            }
            // A power of two, whose reciprocal is exact.
            Op::Binary(Binary::Multiply, n, r) => [(n, r), (r, n)].into_iter().any(|(n, r)| {
                n == a
                    && constant(r).is_some_and(|r| {
                        r.to_bits() == (1.0 / k).to_bits() && k.abs().log2().fract().abs() <= 0.0
                    })
            }),
            _ => false,
        };
        divides.then_some(k)
    })
}
