//! Holds an expression of a model file as a tree, each node with its place in the file.

use std::ops::Range;

/// A node of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Its bytes in the file.
    pub(crate) span: Range<usize>,
    /// Its height above the leaves.
    pub(crate) depth: usize,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Number(f64),
    Name(String),
    Negate(Box<Node>),
    Not(Box<Node>),
    Infix(Infix, Box<Node>, Box<Node>),
    Call(String, Vec<Node>),
}

/// What stands between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Infix {
    Or,
    And,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Unequal,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Infix {
    /// How strongly it binds to its left and right operands: the stronger takes the operand between two.
    pub(crate) fn strength(self) -> (u8, u8) {
        use Infix::*;
        match self {
            Or => (1, 2),
            And => (3, 4),
            Less | AtMost | Greater | AtLeast | Equal | Unequal => (7, 8),
            Add | Subtract => (9, 10),
            Multiply | Divide => (11, 12),
            // From the right: 2^3^2 is 2^(3^2).
            Power => (16, 15),
        }
    }

    pub(crate) fn is_comparison(self) -> bool {
        self.strength() == Infix::Less.strength()
    }

    /// Whether its result is always 0 or 1.
    pub(crate) fn is_truth(self) -> bool {
        matches!(self, Infix::Or | Infix::And) || self.is_comparison()
    }
}

/// `not` binds its operand weaker than comparisons …
pub(crate) const NOT_STRENGTH: u8 = 5;
/// … and a sign stronger than products, weaker than powers: -x^2 is -(x^2).
pub(crate) const SIGN_STRENGTH: u8 = 13;

impl Node {
    pub(crate) fn number(value: f64, span: Range<usize>) -> Node {
        Node { kind: Kind::Number(value), span, depth: 1 }
    }

    /// Calls `f` for this node and every node below it.
    pub(crate) fn visit<'n>(&'n self, f: &mut impl FnMut(&'n Node)) {
        f(self);
        match &self.kind {
            Kind::Number(_) | Kind::Name(_) => {}
            Kind::Negate(a) | Kind::Not(a) => a.visit(f),
            Kind::Infix(_, a, b) => {
                a.visit(f);
                b.visit(f);
            }
            Kind::Call(_, arguments) => arguments.iter().for_each(|a| a.visit(f)),
        }
    }
}
