//! Grows a program one instruction at a time, simplifying as it goes: constants are folded, common subexpressions
//! shared, neutral elements dropped.

use std::collections::{HashMap, HashSet};

use glauber_lattice::{Boundary, Neighbourhood, Offset};

use crate::complement::without_subtraction;
use crate::declarations::{Declarations, FieldKind, Layer};
use crate::display::Words;
use crate::domain::{Domain, decided, domain_of};
use crate::fold;
use crate::op::{Binary, Comparison, Number, Op, Rank, Surrogate, Unary, ValueId};
use crate::program::{Instruction, Program, Sink};

/// The most instructions a rule may have while it is traced. What is made of it, an adjoint above all, may have more.
pub const MOST_INSTRUCTIONS: usize = 100_000;

/// A program that is being written.
#[derive(Clone, Debug)]
pub struct Graph {
    /// What the instructions refer to by number.
    pub declarations: Declarations,
    instructions: Vec<Instruction>,
    known: HashMap<Op, ValueId>,
    results: Vec<(Sink, ValueId)>,
}

impl Graph {
    /// An empty program over the given declarations.
    pub fn new(declarations: Declarations) -> Graph {
        Graph { declarations, instructions: Vec::new(), known: HashMap::new(), results: Vec::new() }
    }

    /// The program written so far, without dead code. Results keep their order.
    pub fn finish(self) -> Program {
        Program { declarations: self.declarations, instructions: self.instructions, results: self.results }
            .without_dead_code()
    }

    /// Declares what a value is to the outside.
    pub fn result(&mut self, sink: Sink, value: ValueId) {
        self.results.push((sink, value));
    }

    /// The instruction that makes a value.
    pub fn instruction(&self, value: ValueId) -> &Instruction {
        &self.instructions[value.index()]
    }

    /// How many instructions there are so far.
    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.instructions.is_empty()
    }

    /// Whether a value of this number exists.
    pub fn has(&self, value: ValueId) -> bool {
        value.index() < self.instructions.len()
    }

    /// The rank of a value.
    pub fn rank(&self, value: ValueId) -> Rank {
        self.instruction(value).rank
    }

    /// The domain of a value.
    pub fn domain(&self, value: ValueId) -> Domain {
        self.instruction(value).domain
    }

    /// Appends an instruction, or finds a simpler value that equals it.
    pub fn push(&mut self, op: Op) -> ValueId {
        match self.simplified(op) {
            Ok(value) => value,
            Err(op) => self.append(op),
        }
    }

    /// Copies a program in, each instruction passed through `change`, which may give another value instead;
    /// returns where each of its values went. Results are not copied.
    pub fn import(
        &mut self,
        program: &Program,
        mut change: impl FnMut(&mut Graph, ValueId, &Op) -> Option<ValueId>,
    ) -> Vec<ValueId> {
        let mut renamed: Vec<ValueId> = Vec::with_capacity(program.instructions.len());
        for (index, instruction) in program.instructions.iter().enumerate() {
            let mut op = instruction.op.clone();
            op.visit_mut(|v| *v = renamed[v.index()]);
            let value = change(self, ValueId(index as u32), &op).unwrap_or_else(|| self.push(op));
            renamed.push(value);
        }
        renamed
    }

    fn append(&mut self, op: Op) -> ValueId {
        if let Some(value) = self.known.get(&op) {
            return *value;
        }
        let rank = op.rank(|v| self.rank(v));
        let domain = self.source_domain(&op).unwrap_or_else(|| {
            let weights = |n: u32| weight_sums(&self.declarations.neighbourhoods[n as usize]);
            domain_of(&op, |v| self.domain(v), weights, &self.declarations.lattice)
        });
        let domain = self.left_of_trials(&op, domain);
        let domain = self.remainder(&op, domain);
        let value = ValueId(self.instructions.len() as u32);
        self.instructions.push(Instruction { op: op.clone(), rank, domain });
        self.known.insert(op, value);
        value
    }

    /// The failures among a number of trials are not fewer than none.
    fn left_of_trials(&self, op: &Op, domain: Domain) -> Domain {
        match op {
            Op::Binary(Binary::Subtract, trials, successes) => match self.instruction(*successes).op {
                Op::Binomial { n, .. } if n == *trials => Domain { lowest: domain.lowest.max(0.0), ..domain },
                _ => domain,
            },
            _ => domain,
        }
    }

    /// What a division by a whole number k leaves of a whole number, a − k ⌊a/k⌋, lies from 0 to k − 1. Where single
    /// precision holds a, the quotient's rounding does not reach the next whole number.
    fn remainder(&self, op: &Op, domain: Domain) -> Domain {
        const EXACT: f64 = 16_777_216.0;
        let Op::Binary(Binary::Subtract, a, multiple) = *op else { return domain };
        let Op::Binary(Binary::Multiply, x, y) = self.instruction(multiple).op else { return domain };
        let own = self.domain(a);
        if !(own.integer && own.proves(-EXACT, EXACT)) {
            return domain;
        }
        let divisor = [(x, y), (y, x)].into_iter().find_map(|(k, floor)| {
            let k = self.constant_value(k).filter(|k| is(k.fract(), 0.0) && k.abs() >= 1.0)?;
            let Op::Unary(Unary::Floor, quotient) = self.instruction(floor).op else { return None };
            let divides = match self.instruction(quotient).op {
                Op::Binary(Binary::Divide, n, d) => {
                    n == a && self.constant_value(d).is_some_and(|d| is(d, k))
                }
                // A power of two, whose reciprocal is exact.
                Op::Binary(Binary::Multiply, n, r) => [(n, r), (r, n)].into_iter().any(|(n, r)| {
                    n == a
                        && self
                            .constant_value(r)
                            .is_some_and(|r| is(r, 1.0 / k) && is(k.abs().log2().fract(), 0.0))
                }),
                _ => false,
            };
            divides.then_some(k)
        });
        let Some(k) = divisor else { return domain };
        let (lowest, highest) = if k > 0.0 { (0.0, k - 1.0) } else { (k + 1.0, 0.0) };
        Domain { lowest: domain.lowest.max(lowest), highest: domain.highest.min(highest), ..domain }
    }

    /// Its instructions in words.
    pub(crate) fn words(&self) -> Words<'_> {
        Words { declarations: &self.declarations, instructions: &self.instructions }
    }

    fn source_domain(&self, op: &Op) -> Option<Domain> {
        let d = &self.declarations;
        match op {
            Op::Parameter(i) => {
                let interval = d.parameters.get(*i as usize)?.interval;
                Some(Domain::real(interval.lowest, interval.highest))
            }
            Op::Layer(i) | Op::Target(i) => {
                let values = &d.layers.get(*i as usize)?.values;
                let (lowest, highest) = values.range();
                let integer = values.is_integer();
                Some(Domain { lowest, highest, integer, nan: !integer })
            }
            Op::Field(i) => match d.fields.get(*i as usize)?.kind {
                FieldKind::Parameter(interval) => Some(Domain::real(interval.lowest, interval.highest)),
                // Checked to be finite when a run is given them.
                FieldKind::Covariate => Some(Domain::real(f64::NEG_INFINITY, f64::INFINITY)),
            },
            _ => None,
        }
    }

    /// Whether a value is one of several states rather than a number: a categorical draw, a layer of three or more
    /// named states, what is moved or chosen of such.
    pub fn is_nominal(&self, value: ValueId) -> bool {
        let (mut open, mut seen) = (vec![value], HashSet::new());
        while let Some(value) = open.pop() {
            if !seen.insert(value) {
                continue;
            }
            match self.instruction(value).op {
                Op::Categorical { .. } => {}
                Op::Layer(i) if self.declarations.layers.get(i as usize).is_some_and(Layer::is_nominal) => {}
                Op::Select(_, a, b) => open.extend([a, b]),
                Op::Shift { x, .. } | Op::Hold(x) | Op::Revealed { value: x, .. } => open.push(x),
                _ => return false,
            }
        }
        true
    }

    /// The number a value always is, where that is known.
    pub fn constant_value(&self, value: ValueId) -> Option<f64> {
        match self.instruction(value).op {
            Op::Constant(number) => Some(number.get()),
            _ => None,
        }
    }

    /// Whether some edge of the lattice has a value of its own beyond it.
    pub(crate) fn has_fixed_edge(&self) -> bool {
        self.declarations.lattice.boundaries().iter().any(|b| matches!(b, Boundary::Fixed(_)))
    }

    /// A value that equals the instruction, or the instruction (perhaps rewritten) where none is simpler.
    fn simplified(&mut self, op: Op) -> Result<ValueId, Op> {
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
                match self.negated(x) {
                    Some(x) => {
                        let sum = self.push(Op::NeighbourSum { x, neighbourhood, transposed });
                        Ok(self.negate(sum))
                    }
                    None => Err(Op::NeighbourSum { x, neighbourhood, transposed }),
                }
            }
            other => Err(other),
        }
    }

    fn simplified_unary(&mut self, function: Unary, a: ValueId) -> Result<ValueId, Op> {
        if let Some(x) = self.constant_value(a) {
            return Ok(self.constant(fold::unary(function, x)));
        }
        let inner = self.instruction(a).op.clone();
        match (function, inner) {
            (Unary::Negate, Op::Unary(Unary::Negate, x)) => Ok(x),
            (Unary::Logarithm, Op::Unary(Unary::Exponential, x)) => Ok(x),
            // ln(1 + x) and ln(1 − x), exact near 0.
            (Unary::Logarithm, Op::Binary(Binary::Add, x, one)) if self.is_one(one) => {
                Ok(self.unary(Unary::LogarithmOnePlus, x))
            }
            (Unary::Logarithm, Op::Binary(Binary::Add, one, x)) if self.is_one(one) => {
                Ok(self.unary(Unary::LogarithmOnePlus, x))
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
            Binary::Subtract if y_is(1.0) && self.is_exponential(a).is_some() => {
                let exponent = self.is_exponential(a).unwrap_or(a);
                Ok(self.unary(Unary::ExponentialMinusOne, exponent))
            }
            Binary::Subtract if x_is(1.0) => match without_subtraction(self, b) {
                Some(value) => Ok(value),
                None => self.simplified_signs(function, a, b),
            },
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
            _ => self.simplified_signs(function, a, b),
        }
    }

    /// Rewrites sums of what has a part in common: Σ p q + Σ p r over sites is Σ p (q + r), and a field's values at some
    /// distances added up are a sum over neighbours.
    fn simplified_sum(&mut self, a: ValueId, b: ValueId) -> Option<ValueId> {
        match (self.instruction(a).op.clone(), self.instruction(b).op.clone()) {
            (Op::SiteSum(x), Op::SiteSum(y)) => {
                let (p, q, r) = self.common_factor(x, y)?;
                let sum = self.add_neighbours(q, r)?;
                let product = self.multiply(p, sum);
                Some(self.site_sum(product))
            }
            _ => None,
        }
    }

    /// Whether a value is the constant 1.
    fn is_one(&self, value: ValueId) -> bool {
        self.constant_value(value).is_some_and(|x| is(x, 1.0))
    }

    /// What a value is the exponential of.
    fn is_exponential(&self, value: ValueId) -> Option<ValueId> {
        match self.instruction(value).op {
            Op::Unary(Unary::Exponential, x) => Some(x),
            _ => None,
        }
    }

    /// What a value is the negative of.
    fn negated(&self, value: ValueId) -> Option<ValueId> {
        match self.instruction(value).op {
            Op::Unary(Unary::Negate, x) => Some(x),
            _ => None,
        }
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
        let neighbourhood = Neighbourhood::of(&offsets);
        let known = self.declarations.neighbourhoods.iter().position(|n| *n == neighbourhood);
        let number = known.unwrap_or_else(|| {
            self.declarations.neighbourhoods.push(neighbourhood);
            self.declarations.neighbourhoods.len() - 1
        });
        Some(self.push(Op::NeighbourSum { x, neighbourhood: number as u32, transposed: false }))
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
        if function == Binary::Add && self.rank(a) != Rank::Site {
            if let Some(sum) = self.simplified_sum(a, b) {
                return Ok(sum);
            }
        }
        let (left, right) = (self.instruction(a).op.clone(), self.instruction(b).op.clone());
        match (function, left, right) {
            (Binary::Add, _, Op::Unary(Unary::Negate, y)) => Ok(self.subtract(a, y)),
            (Binary::Add, Op::Unary(Unary::Negate, x), _) => Ok(self.subtract(b, x)),
            (Binary::Subtract, _, Op::Unary(Unary::Negate, y)) => Ok(self.add(a, y)),
            (Binary::Subtract, Op::Constant(one), Op::Binary(Binary::Subtract, c, x))
                if is(one.get(), 1.0) && self.constant_value(c).is_some_and(|c| is(c, 1.0)) =>
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
            (Binary::Multiply, Op::Unary(Unary::Negate, x), _) => {
                let product = self.multiply(x, b);
                Ok(self.negate(product))
            }
            (Binary::Subtract, ..) => match self.known.get(&Op::Binary(Binary::Subtract, b, a)) {
                Some(opposite) => Ok(self.append(Op::Unary(Unary::Negate, *opposite))),
                None => Err(Op::Binary(function, a, b)),
            },
            // Minimum and maximum do not commute: the first operand decides what becomes of not-a-number.
            (Binary::Add | Binary::Multiply, ..) if b < a => Err(Op::Binary(function, b, a)),
            _ => Err(Op::Binary(function, a, b)),
        }
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
        // A binary value equals 1 exactly where it is itself 1.
        let one = |g: &Graph, v| g.constant_value(v).is_some_and(|x| is(x, 1.0));
        let binary = |g: &Graph, v| g.domain(v).integer && g.domain(v).proves(0.0, 1.0);
        match comparison {
            Comparison::Equal if one(self, b) && binary(self, a) => Ok(a),
            Comparison::Equal if one(self, a) && binary(self, b) => Ok(b),
            Comparison::Equal if b < a => Err(Op::Compare(comparison, b, a)),
            _ => Err(Op::Compare(comparison, a, b)),
        }
    }
}

/// Short names for the instructions that transforms write most.
#[allow(missing_docs)]
impl Graph {
    pub fn constant(&mut self, value: f64) -> ValueId {
        self.append(Op::Constant(Number::new(value)))
    }
    pub fn unary(&mut self, function: Unary, a: ValueId) -> ValueId {
        self.push(Op::Unary(function, a))
    }
    pub fn binary(&mut self, function: Binary, a: ValueId, b: ValueId) -> ValueId {
        self.push(Op::Binary(function, a, b))
    }
    pub fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Add, a, b)
    }
    pub fn subtract(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Subtract, a, b)
    }
    pub fn multiply(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Multiply, a, b)
    }
    pub fn divide(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Divide, a, b)
    }
    pub fn negate(&mut self, a: ValueId) -> ValueId {
        self.unary(Unary::Negate, a)
    }
    pub fn compare(&mut self, comparison: Comparison, a: ValueId, b: ValueId) -> ValueId {
        self.push(Op::Compare(comparison, a, b))
    }
    pub fn select(&mut self, condition: ValueId, yes: ValueId, no: ValueId) -> ValueId {
        self.push(Op::Select(condition, yes, no))
    }
    /// The number of the step after the one a state was seen after.
    pub fn next_step(&mut self) -> ValueId {
        let step = self.push(Op::StepIndex);
        let one = self.constant(1.0);
        self.add(step, one)
    }
    pub fn one_minus(&mut self, a: ValueId) -> ValueId {
        let one = self.constant(1.0);
        self.subtract(one, a)
    }
    pub fn scale(&mut self, factor: f64, a: ValueId) -> ValueId {
        let factor = self.constant(factor);
        self.multiply(factor, a)
    }
    pub fn site_sum(&mut self, a: ValueId) -> ValueId {
        self.push(Op::SiteSum(a))
    }
    pub fn shift(&mut self, x: ValueId, offset: Offset) -> ValueId {
        self.push(Op::Shift { x, offset, transposed: false })
    }
    pub fn uniform(&mut self, draw: u32, lane: u32, rank: Rank) -> ValueId {
        self.push(Op::Uniform { draw, lane, rank })
    }
    pub fn heaviside(&mut self, a: ValueId, surrogate: Surrogate) -> ValueId {
        self.push(Op::Heaviside(a, surrogate))
    }
    pub fn round(&mut self, a: ValueId, surrogate: Surrogate) -> ValueId {
        self.push(Op::Round(a, surrogate))
    }
}

/// Whether two numbers are the same number; the comparison is meant exactly.
#[allow(clippy::float_cmp)]
fn is(x: f64, y: f64) -> bool {
    x == y
}

/// The sums of a neighbourhood's positive and negative weights, and whether all are whole.
fn weight_sums(neighbourhood: &Neighbourhood) -> (f64, f64, bool) {
    let weights = neighbourhood.weights();
    let sum = |keep: fn(&f64) -> bool| weights.iter().filter(|w| keep(w)).sum::<f64>();
    (sum(|w| *w > 0.0), sum(|w| *w < 0.0), weights.iter().all(|w| is(w.fract(), 0.0)))
}
