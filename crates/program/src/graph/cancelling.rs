//! Finds chances that single precision loses: what is left of two numbers near each other, or what is missing to 1 of a uniform
//! number. Forms that are known are rewritten (see `complement`, `near`); what is left is said among the model's notes.

use super::Graph;
use crate::op::{Binary, Comparison, Op, ValueId};
use crate::unary::Unary;

/// What is noted of a uniform number that decides by what is missing to 1.
const UPPER_TAIL: &str = "a uniform number is compared with 1 less something (`u > 1 - p`): near 1 single precision tells numbers \
                          6e-8 apart only, so that small chances are lost; write `u < p`, or bernoulli(p)";
/// How deep a chance is looked into.
const DEPTH: usize = 8;

impl Graph {
    /// Has the model say so among its notes, once.
    pub(crate) fn remark(&mut self, note: &str) {
        let notes = &mut self.declarations.signature.notes;
        if !notes.iter().any(|own| own == note) {
            notes.push(note.to_string());
        }
    }

    /// Has the model say where small chances are asked of the upper tail of a uniform number: 1 − p < u, or 1 − u < p.
    pub(super) fn tell_of_upper_tail(&mut self, comparison: Comparison, a: ValueId, b: ValueId) {
        let Op::Binary(Binary::Subtract, one, x) = self.instruction(a).op else { return };
        let is_uniform = |value: ValueId| matches!(self.instruction(value).op, Op::Uniform { .. });
        let known = self.constant_value(x).is_some() || self.constant_value(b).is_some();
        if comparison != Comparison::Equal && !known && self.is_one(one) && is_uniform(x) != is_uniform(b) {
            self.remark(UPPER_TAIL);
        }
    }

    /// Has the model say where a chance is the difference of numbers, some of them computed, that may be near each other.
    pub(crate) fn tell_of_cancelling(&mut self, chance: ValueId) {
        if let Some(difference) = self.cancelling(chance, DEPTH) {
            self.remark(&format!(
                "the chance `{}` is the difference of two numbers: where they are near each other, single precision tells them \
                 6e-8 apart only, so that smaller chances are lost (they are not with the precision f64); or write it without \
                 the difference",
                self.words().written(difference)
            ));
        }
    }

    /// The difference that a value is, but for factors, bounds and choices, where its parts may be near each other and not near 0.
    fn cancelling(&self, x: ValueId, depth: usize) -> Option<ValueId> {
        let depth = depth.checked_sub(1)?;
        match self.instruction(x).op {
            Op::Binary(Binary::Subtract, a, b) => {
                let [of_a, of_b] = [a, b].map(|v| self.domain(v));
                let (low, high) = (of_a.lowest.max(of_b.lowest), of_a.highest.min(of_b.highest));
                let near = low <= high && (low < 0.0 || high > 0.0);
                (near && [a, b].iter().any(|v| self.is_curved(*v, depth))).then_some(x)
            }
            Op::Unary(Unary::Negate, a) | Op::Binary(Binary::Divide, a, _) => self.cancelling(a, depth),
            // Rules of other files choose so between two forms of one function, each where it is exact.
            Op::Select(c, ..) if matches!(self.instruction(c).op, Op::Hold(_)) => None,
            Op::Binary(Binary::Multiply | Binary::Minimum | Binary::Maximum, a, b) | Op::Select(_, a, b) => {
                self.cancelling(a, depth).or_else(|| self.cancelling(b, depth))
            }
            _ => None,
        }
    }

    /// Whether a value is computed by a function that is not near 0 where its argument is: of single precision only its own
    /// digits are left in a difference.
    fn is_curved(&self, x: ValueId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self.instruction(x).op {
            Op::Unary(Unary::Negate | Unary::Absolute, a) => self.is_curved(a, depth),
            Op::Unary(Unary::ExponentialMinusOne | Unary::LogarithmOnePlus, _) => false,
            Op::Unary(Unary::Sign | Unary::Floor, _) => false,
            Op::Unary(..) | Op::Binary(Binary::Power, ..) => true,
            Op::Binary(Binary::Divide, a, b) if self.constant_value(b).is_none() => {
                !(self.domain(a).integer && self.domain(b).integer)
            }
            Op::Binary(Binary::Multiply | Binary::Add | Binary::Subtract, a, b) => {
                self.is_curved(a, depth) || self.is_curved(b, depth)
            }
            _ => false,
        }
    }
}
