//! Gives short names to the instructions that transforms write most.

use glauber_lattice::Offset;

use super::Graph;
use crate::op::{Binary, Comparison, Number, Op, Rank, Surrogate, ValueId};
use crate::unary::{Chain, Unary};

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

/// Formulas are written as instructions.
impl Chain for Graph {
    type Value = ValueId;

    fn constant(&mut self, value: f64) -> ValueId {
        Graph::constant(self, value)
    }
    fn unary(&mut self, function: Unary, x: ValueId) -> ValueId {
        Graph::unary(self, function, x)
    }
    fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        Graph::add(self, a, b)
    }
    fn subtract(&mut self, a: ValueId, b: ValueId) -> ValueId {
        Graph::subtract(self, a, b)
    }
    fn multiply(&mut self, a: ValueId, b: ValueId) -> ValueId {
        Graph::multiply(self, a, b)
    }
    fn divide(&mut self, a: ValueId, b: ValueId) -> ValueId {
        Graph::divide(self, a, b)
    }
    fn negate(&mut self, a: ValueId) -> ValueId {
        Graph::negate(self, a)
    }
    fn less(&mut self, a: ValueId, b: ValueId) -> ValueId {
        Graph::compare(self, Comparison::Less, a, b)
    }
    fn select(&mut self, condition: ValueId, yes: ValueId, no: ValueId) -> ValueId {
        Graph::select(self, condition, yes, no)
    }
}
