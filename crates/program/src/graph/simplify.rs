//! Finds a simpler value that equals an instruction: folds constants, drops neutral elements, moves signs outwards.

use glauber_lattice::{Neighbourhood, Offset};

use super::complement::{growth, without_subtraction};
use super::{Graph, fold, near};
use crate::bounds::decided;
use crate::op::{Binary, Comparison, Op, Rank, ValueId};
use crate::unary::Unary;

impl Graph {
    /// A value that equals the instruction, or the instruction (perhaps rewritten) where none is simpler.
    pub(super) fn simplified(&mut self, op: Op) -> Result<ValueId, Op> {
        match op {
            Op::Unary(function, a) => self.simplified_unary(function, a),
            Op::Binary(function, a, b) => self.simplified_binary(function, a, b),
            Op::Compare(comparison, a, b) => self.simplified_comparison(comparison, a, b),
            Op::Select(c, a, b) if a == b => Ok(a).inspect(|_| debug_assert!(self.has(c))),
            Op::Select(c, a, b) => match (self.constant_value(c), &self.instruction(b).op) {
                (Some(chosen), _) => Ok(if is(chosen, 0.0) { b } else { a }),
                // What an inner choice of the same condition would have taken is never reached.
                (None, Op::Select(inner, _, otherwise)) if *inner == c => {
                    let otherwise = *otherwise;
                    Ok(self.select(c, a, otherwise))
                }
                (None, _) => Err(Op::Select(c, a, b)),
            },
            Op::Hold(a) if self.constant_value(a).is_some() => Ok(a),
            Op::Heaviside(a, _) if self.constant_value(a).is_some() => {
                let x = self.constant_value(a).unwrap_or_default();
                Ok(self.constant(if x > 0.0 { 1.0 } else { 0.0 }))
            }
            Op::Round(a, _) if self.constant_value(a).is_some() => {
                Ok(self.constant(self.constant_value(a).unwrap_or_default().round_ties_even()))
            }
            Op::Replace { value, gradient } if value == gradient => Ok(value),
            Op::Shift { x, offset: [0, 0, 0], .. } => Ok(x),
            Op::Shift { x, .. } | Op::Translate { x, .. }
                if self.rank(x) != Rank::Site && !self.has_fixed_edge() =>
            {
                Ok(x)
            }
            // One number is another beyond a fixed edge.
            Op::Shift { x, offset, transposed } if self.rank(x) != Rank::Site => {
                let x = self.push(Op::Spread(x));
                Ok(self.push(Op::Shift { x, offset, transposed }))
            }
            Op::Translate { x, direction, offsets, transposed } if self.rank(x) != Rank::Site => {
                let x = self.push(Op::Spread(x));
                Ok(self.push(Op::Translate { x, direction, offsets, transposed }))
            }
            Op::NeighbourSum { x, neighbourhood, transposed } if self.rank(x) != Rank::Site => {
                let x = self.push(Op::Spread(x));
                Ok(self.push(Op::NeighbourSum { x, neighbourhood, transposed }))
            }
            Op::Entry { list, at } if self.constant_value(at).is_some() => {
                let place = self.constant_value(at).unwrap_or_default() as usize;
                let known =
                    self.declarations.lists.get(list as usize).and_then(|own| own.get(place)).copied();
                known.map_or(Err(Op::Entry { list, at }), |number| Ok(self.constant(number)))
            }
            Op::CellSum { x, labels, at, cells }
                if [x, labels].iter().any(|v| self.rank(*v) != Rank::Site) =>
            {
                let [x, labels] = [x, labels].map(|value| self.push(Op::Spread(value)));
                Ok(self.push(Op::CellSum { x, labels, at, cells }))
            }
            Op::Spread(x) if self.rank(x) == Rank::Site => Ok(x),
            Op::SiteSum(x) if self.rank(x) != Rank::Site => {
                let sites = self.constant(self.declarations.lattice.sites() as f64);
                Ok(self.multiply(x, sites))
            }
            Op::SiteSum(x) => match self.negated(x) {
                Some(x) => {
                    let sum = self.site_sum(x);
                    Ok(self.negate(sum))
                }
                None => Err(Op::SiteSum(x)),
            },
            Op::NeighbourSum { x, neighbourhood, transposed } if !self.has_fixed_edge() => {
                if let Some(x) = self.negated(x) {
                    let sum = self.push(Op::NeighbourSum { x, neighbourhood, transposed });
                    return Ok(self.negate(sum));
                }
                match self.whole_multiple(x).filter(|_| !transposed) {
                    Some((y, factor, more)) if self.counts(neighbourhood) => {
                        let count = self.declarations.neighbourhoods[neighbourhood as usize].offsets().len();
                        let sum = self.push(Op::NeighbourSum { x: y, neighbourhood, transposed });
                        let sum = self.scale(factor, sum);
                        let more = self.constant(more * count as f64);
                        Ok(self.add(sum, more))
                    }
                    _ => Err(Op::NeighbourSum { x, neighbourhood, transposed }),
                }
            }
            other => Err(other),
        }
    }

    fn simplified_unary(&mut self, function: Unary, a: ValueId) -> Result<ValueId, Op> {
        if let Some(x) = self.constant_value(a) {
            return Ok(self.constant(function.value(x)));
        }
        let inner = self.instruction(a).op.clone();
        match (function, inner) {
            (Unary::Negate, Op::Unary(Unary::Negate, x)) => Ok(x),
            (Unary::Logarithm, Op::Unary(Unary::Exponential, x)) => Ok(x),
            // ln(1 + x) and ln(1 − x), exact near 0.
            (Unary::Logarithm, Op::Binary(Binary::Add, x, y)) if self.is_one(x) || self.is_one(y) => {
                Ok(self.unary(Unary::LogarithmOnePlus, if self.is_one(x) { y } else { x }))
            }
            (Unary::Logarithm, Op::Binary(Binary::Subtract, one, x)) if self.is_one(one) => {
                let minus = self.negate(x);
                Ok(self.unary(Unary::LogarithmOnePlus, minus))
            }
            (Unary::Absolute, _) if self.domain(a).lowest >= 0.0 => Ok(a),
            (Unary::Floor, _) if self.domain(a).integer => Ok(a),
            _ => Err(Op::Unary(function, a)),
        }
    }

    fn simplified_binary(&mut self, function: Binary, a: ValueId, b: ValueId) -> Result<ValueId, Op> {
        let (x, y) = (self.constant_value(a), self.constant_value(b));
        if let (Some(x), Some(y)) = (x, y) {
            return Ok(self.constant(fold::binary(function, x, y)));
        }
        let x_is = |value: f64| x.is_some_and(|x| is(x, value));
        let y_is = |value: f64| y.is_some_and(|y| is(y, value));
        match function {
            Binary::Add if x_is(0.0) => Ok(b),
            Binary::Add | Binary::Subtract if y_is(0.0) => Ok(a),
            Binary::Subtract if x_is(0.0) => Ok(self.negate(b)),
            Binary::Subtract if a == b => Ok(self.constant(0.0)),
            Binary::Subtract if y_is(1.0) => match growth(self, a) {
                Some(value) => Ok(value),
                None => self.simplified_difference(a, b),
            },
            Binary::Subtract if x_is(1.0) => match without_subtraction(self, b) {
                Some(value) => Ok(value),
                None => self.simplified_difference(a, b),
            },
            Binary::Subtract => self.simplified_difference(a, b),
            Binary::Multiply if x_is(0.0) || y_is(0.0) => Ok(self.constant(0.0)),
            Binary::Multiply if x_is(1.0) => Ok(b),
            Binary::Multiply | Binary::Divide | Binary::Power if y_is(1.0) => Ok(a),
            Binary::Multiply if x_is(-1.0) => Ok(self.negate(b)),
            Binary::Multiply if y_is(-1.0) => Ok(self.negate(a)),
            Binary::Power if y_is(0.0) => Ok(self.constant(1.0)),
            Binary::Power if y_is(2.0) => Ok(self.multiply(a, a)),
            Binary::Divide => match y {
                // Exact: a power of two has an exact reciprocal.
                Some(y) if is(y.abs().log2().fract(), 0.0) && y.is_normal() => {
                    let reciprocal = self.constant(1.0 / y);
                    Ok(self.multiply(a, reciprocal))
                }
                _ => Err(Op::Binary(function, a, b)),
            },
            Binary::Minimum if a == b || self.domain(a).highest <= self.domain(b).lowest => Ok(a),
            Binary::Minimum if self.domain(b).highest <= self.domain(a).lowest && !self.domain(a).nan => {
                Ok(b)
            }
            Binary::Maximum if a == b || self.domain(a).lowest >= self.domain(b).highest => Ok(a),
            Binary::Maximum if self.domain(b).lowest >= self.domain(a).highest && !self.domain(a).nan => {
                Ok(b)
            }
            // Both and either of two conditions: the same numbers, with the derivative of their expectation.
            Binary::Minimum if self.is_binary(a) && self.is_binary(b) => Ok(self.multiply(a, b)),
            Binary::Maximum if self.is_binary(a) && self.is_binary(b) => {
                let (not_a, not_b) = (self.one_minus(a), self.one_minus(b));
                let neither = self.multiply(not_a, not_b);
                Ok(self.one_minus(neither))
            }
            _ => self.simplified_signs(function, a, b),
        }
    }

    /// Rewrites sums of what has a part in common: Σ p q + Σ p r over sites is Σ p (q + r), and a field's values at some
    /// distances added up are a sum over neighbours.
    fn simplified_sum(&mut self, a: ValueId, b: ValueId) -> Option<ValueId> {
        let (&Op::SiteSum(x), &Op::SiteSum(y)) = (&self.instruction(a).op, &self.instruction(b).op) else {
            return None;
        };
        let (p, q, r) = self.common_factor(x, y)?;
        let sum = self.add_neighbours(q, r)?;
        let product = self.multiply(p, sum);
        Some(self.site_sum(product))
    }

    /// Whether a value is the constant 1.
    pub(super) fn is_one(&self, value: ValueId) -> bool {
        self.constant_value(value).is_some_and(|x| is(x, 1.0))
    }

    /// Whether a neighbourhood's sum counts.
    fn counts(&self, neighbourhood: u32) -> bool {
        self.declarations.neighbourhoods[neighbourhood as usize].counts()
    }

    /// y, a and b where a value is a y + b in whole numbers so small that sums of them are exact in any precision, so
    /// that neighbours are counted before they are scaled: y may be kept in bytes where a y + b may not.
    fn whole_multiple(&self, value: ValueId) -> Option<(ValueId, f64, f64)> {
        const SMALL: f64 = 4096.0;
        let whole = |v: ValueId| {
            let c = self.constant_value(v)?;
            (c.fract().abs() <= 0.0 && c.abs() <= SMALL).then_some(c)
        };
        let small = |v: ValueId| {
            let own = self.domain(v);
            own.integer && own.proves(-SMALL, SMALL) && self.rank(v) == Rank::Site
        };
        let Op::Binary(function, x, y) = self.instruction(value).op else { return None };
        let (inner, a, b) = match (function, whole(x), whole(y)) {
            (Binary::Multiply, Some(c), None) => (y, c, 0.0),
            (Binary::Multiply, None, Some(c)) => (x, c, 0.0),
            (Binary::Add, Some(c), None) => (y, 1.0, c),
            (Binary::Add, None, Some(c)) => (x, 1.0, c),
            (Binary::Subtract, Some(c), None) => (y, -1.0, c),
            (Binary::Subtract, None, Some(c)) => (x, 1.0, -c),
            _ => return None,
        };
        (small(inner) && small(value)).then_some((inner, a, b))
    }

    /// a − b, where b may come near a by its form.
    fn simplified_difference(&mut self, a: ValueId, b: ValueId) -> Result<ValueId, Op> {
        let known = near::difference(self, a, b)
            .or_else(|| near::rest_of(self, a, b))
            .or_else(|| near::rest_of(self, b, a).map(|missing| self.negate(missing)));
        known.map_or_else(|| self.simplified_signs(Binary::Subtract, a, b), Ok)
    }

    /// What a value is the negative of.
    fn negated(&self, value: ValueId) -> Option<ValueId> {
        let Op::Unary(Unary::Negate, x) = self.instruction(value).op else { return None };
        Some(x)
    }

    /// p, q, r where x = p q and y = p r.
    fn common_factor(&self, x: ValueId, y: ValueId) -> Option<(ValueId, ValueId, ValueId)> {
        let factors = |v: ValueId| match self.instruction(v).op {
            Op::Binary(Binary::Multiply, a, b) => Some([(a, b), (b, a)]),
            _ => None,
        };
        let (of_x, of_y) = (factors(x)?, factors(y)?);
        of_x.into_iter()
            .find_map(|(p, q)| of_y.iter().find(|(other, _)| *other == p).map(|(_, r)| (p, q, *r)))
    }

    /// The sum of one field seen from several distances, as one sum over neighbours.
    fn add_neighbours(&mut self, q: ValueId, r: ValueId) -> Option<ValueId> {
        let ((x, mut offsets), (y, more)) = (self.seen_from(q)?, self.seen_from(r)?);
        if x != y || more.iter().any(|o| offsets.contains(o)) {
            return None;
        }
        offsets.extend(more);
        let neighbourhood = self.declarations.neighbourhood(Neighbourhood::of(&offsets));
        Some(self.push(Op::NeighbourSum { x, neighbourhood, transposed: false }))
    }

    /// The field that a value sums, and from which distances, each once.
    fn seen_from(&self, value: ValueId) -> Option<(ValueId, Vec<Offset>)> {
        match self.instruction(value).op {
            Op::Shift { x, offset, transposed: false } => Some((x, vec![offset])),
            Op::NeighbourSum { x, neighbourhood, transposed: false } => {
                let neighbourhood = &self.declarations.neighbourhoods[neighbourhood as usize];
                neighbourhood.counts().then(|| (x, neighbourhood.offsets().to_vec()))
            }
            _ => None,
        }
    }

    /// Rewrites sums and differences of negated values, and 1 − (1 − x); orders the operands of what commutes.
    fn simplified_signs(&mut self, function: Binary, a: ValueId, b: ValueId) -> Result<ValueId, Op> {
        if function == Binary::Add
            && self.rank(a) != Rank::Site
            && let Some(sum) = self.simplified_sum(a, b)
        {
            return Ok(sum);
        }
        let (left, right) = (self.instruction(a).op.clone(), self.instruction(b).op.clone());
        match (function, left, right) {
            (Binary::Add, _, Op::Unary(Unary::Negate, y)) => Ok(self.subtract(a, y)),
            (Binary::Add, Op::Unary(Unary::Negate, x), _) => Ok(self.subtract(b, x)),
            (Binary::Subtract, _, Op::Unary(Unary::Negate, y)) => Ok(self.add(a, y)),
            (Binary::Subtract, _, Op::Binary(Binary::Subtract, one, x))
                if self.is_one(a) && self.is_one(one) =>
            {
                Ok(x)
            }
            // x + (y − x) is y.
            (Binary::Add, _, Op::Binary(Binary::Subtract, y, x)) if x == a => Ok(y),
            (Binary::Add, Op::Binary(Binary::Subtract, y, x), _) if x == b => Ok(y),
            // Signs move outwards, to where a sum takes them in.
            (Binary::Multiply, _, Op::Unary(Unary::Negate, y)) => {
                let product = self.multiply(a, y);
                Ok(self.negate(product))
            }
            (Binary::Multiply, Op::Unary(Unary::Negate, _), _) => Ok(self.multiply(b, a)),
            (Binary::Subtract, ..) => match self.known.get(&Op::Binary(Binary::Subtract, b, a)) {
                Some(opposite) => Ok(self.append(Op::Unary(Unary::Negate, *opposite))),
                None => Err(Op::Binary(function, a, b)),
            },
            // Minimum and maximum do not commute: the first operand decides what becomes of not-a-number.
            (Binary::Add | Binary::Multiply, ..) if b < a => Err(Op::Binary(function, b, a)),
            _ => Err(Op::Binary(function, a, b)),
        }
    }

    /// A binary value compared with a constant, where that tells 0 from 1, is itself, or 1 less itself: both have a
    /// derivative, which a comparison has not.
    fn compared_binary(&mut self, comparison: Comparison, a: ValueId, b: ValueId) -> Option<ValueId> {
        let (x, c, constant_first) = match (self.constant_value(a), self.constant_value(b)) {
            (None, Some(c)) => (a, c, false),
            (Some(c), None) => (b, c, true),
            _ => return self.compared_binaries(comparison, a, b),
        };
        if !self.is_binary(x) {
            return None;
        }
        let holds = |x: f64| match constant_first {
            true => fold::holds(comparison, c, x),
            false => fold::holds(comparison, x, c),
        };
        match (holds(0.0), holds(1.0)) {
            (false, true) => Some(x),
            (true, false) => Some(self.one_minus(x)),
            // It is always the same, which its domain decides.
            _ => None,
        }
    }

    /// Two binary values compared, as products of them and their complements: as one is in each of them, which is what
    /// their expectation is where they are independent, so that the derivative is that of the expectation.
    fn compared_binaries(&mut self, comparison: Comparison, a: ValueId, b: ValueId) -> Option<ValueId> {
        if a == b || !self.is_binary(a) || !self.is_binary(b) {
            return None;
        }
        let (not_a, not_b) = (self.one_minus(a), self.one_minus(b));
        Some(match comparison {
            Comparison::Less => self.multiply(not_a, b),
            Comparison::LessOrEqual => {
                let greater = self.multiply(a, not_b);
                self.one_minus(greater)
            }
            Comparison::Equal => {
                let (greater, less) = (self.multiply(a, not_b), self.multiply(not_a, b));
                let (at_most, at_least) = (self.one_minus(greater), self.one_minus(less));
                self.multiply(at_most, at_least)
            }
        })
    }

    /// Whether a value is 0 or 1.
    fn is_binary(&self, value: ValueId) -> bool {
        let domain = self.domain(value);
        domain.integer && domain.proves(0.0, 1.0)
    }

    fn simplified_comparison(
        &mut self,
        comparison: Comparison,
        a: ValueId,
        b: ValueId,
    ) -> Result<ValueId, Op> {
        if let (Some(x), Some(y)) = (self.constant_value(a), self.constant_value(b)) {
            return Ok(self.constant(f64::from(u8::from(fold::holds(comparison, x, y)))));
        }
        if let Some(holds) = decided(comparison, self.domain(a), self.domain(b)) {
            return Ok(self.constant(f64::from(u8::from(holds))));
        }
        if let Some(value) = self.compared_binary(comparison, a, b) {
            return Ok(value);
        }
        self.tell_of_upper_tail(comparison, a, b);
        match comparison {
            Comparison::Equal if b < a => Err(Op::Compare(comparison, b, a)),
            _ => Err(Op::Compare(comparison, a, b)),
        }
    }
}

/// Whether two numbers are the same number; the comparison is meant exactly.
#[allow(clippy::float_cmp)]
fn is(x: f64, y: f64) -> bool {
    x == y
}
