//! Bounds what a value can be: an interval, and whether only whole numbers occur.
//!
//! The bounds choose storage, allow tables, and prove that a probability needs no check at run time. They are
//! conservative: a value never leaves its domain, but need not fill it.

use glauber_lattice::{Boundary, Lattice};
use serde::{Deserialize, Serialize};

use crate::op::{Binary, Comparison, Op, Unary, ValueId};

/// The most trials of a binomial draw, and the highest rate of a Poisson draw.
pub const MOST_COUNT: f64 = 1e9;

/// The range of a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// No value is below.
    pub lowest: f64,
    /// No value is above.
    pub highest: f64,
    /// Whether only whole numbers occur.
    pub integer: bool,
    /// Whether not-a-number may occur.
    pub nan: bool,
}

impl Domain {
    /// Anything.
    pub const ANY: Domain =
        Domain { lowest: f64::NEG_INFINITY, highest: f64::INFINITY, integer: false, nan: true };
    /// 0 or 1.
    pub const BINARY: Domain = Domain { lowest: 0.0, highest: 1.0, integer: true, nan: false };
    /// Any number from 0 to 1.
    pub const UNIT: Domain = Domain { lowest: 0.0, highest: 1.0, integer: false, nan: false };

    /// An interval of real numbers.
    pub fn real(lowest: f64, highest: f64) -> Domain {
        Domain { lowest, highest, integer: false, nan: false }
    }

    /// Whole numbers in an interval.
    pub fn integers(lowest: f64, highest: f64) -> Domain {
        Domain { lowest, highest, integer: true, nan: false }
    }

    /// One number.
    pub fn point(value: f64) -> Domain {
        let integer = value.fract().abs() < f64::MIN_POSITIVE;
        Domain { lowest: value, highest: value, integer, nan: value.is_nan() }
    }

    /// How many values occur, where only whole numbers do and they are fewer than 2¹⁶.
    pub fn count(&self) -> Option<usize> {
        let span = self.highest - self.lowest;
        (self.integer && span < 65536.0).then(|| span as usize + 1)
    }

    /// Whether every value lies in [lowest, highest], where it is a number.
    pub fn within(&self, lowest: f64, highest: f64) -> bool {
        self.lowest >= lowest && self.highest <= highest
    }

    /// Whether every value is a number in [lowest, highest].
    pub fn proves(&self, lowest: f64, highest: f64) -> bool {
        !self.nan && self.within(lowest, highest)
    }

    /// Whether a number may be one of its values.
    pub fn within_reach(&self, value: f64) -> bool {
        let whole = value.fract().abs() < f64::MIN_POSITIVE;
        value >= self.lowest && value <= self.highest && (whole || !self.integer)
    }

    fn unbounded(&self) -> bool {
        self.lowest.is_infinite() || self.highest.is_infinite()
    }

    fn contains_zero(&self) -> bool {
        self.lowest <= 0.0 && self.highest >= 0.0
    }

    /// The same with what stands beyond a lattice's fixed edges: what reads at other sites may give.
    pub fn beyond_edges(self, lattice: &Lattice) -> Domain {
        lattice.boundaries().into_iter().fold(self, |domain, boundary| match boundary {
            Boundary::Fixed(value) => domain.union(Domain::point(value)),
            _ => domain,
        })
    }

    fn union(self, other: Domain) -> Domain {
        Domain {
            lowest: self.lowest.min(other.lowest),
            highest: self.highest.max(other.highest),
            integer: self.integer && other.integer,
            nan: self.nan || other.nan,
        }
    }

    /// The hull of a function's values at the corners of the operands' intervals; anything where one is not a number.
    fn corners(values: impl IntoIterator<Item = f64>, integer: bool) -> Domain {
        let mut hull = Domain { lowest: f64::INFINITY, highest: f64::NEG_INFINITY, integer, nan: false };
        for value in values {
            if value.is_nan() {
                return Domain { integer, ..Domain::ANY };
            }
            hull.lowest = hull.lowest.min(value);
            hull.highest = hull.highest.max(value);
        }
        hull
    }
}

/// The domain of an instruction that computes (sources have theirs declared), given those of its operands.
pub(crate) fn domain_of(
    op: &Op,
    of: impl Fn(ValueId) -> Domain + Copy,
    weights: impl Fn(u32) -> (f64, f64, bool),
    lattice: &Lattice,
) -> Domain {
    let nan = may_be_nan(op, of, lattice);
    Domain { nan, ..range_of(op, of, weights, lattice) }
}

/// Whether an instruction may give not-a-number. What is unbounded may be infinite.
fn may_be_nan(op: &Op, of: impl Fn(ValueId) -> Domain, lattice: &Lattice) -> bool {
    let any = op.operands().into_iter().any(|v| of(v).nan);
    match op {
        Op::Constant(number) => number.get().is_nan(),
        Op::StepIndex | Op::Coordinate(_) | Op::Uniform { .. } | Op::Centred { .. } => false,
        Op::Compare(..) | Op::Heaviside(..) | Op::Bernoulli { .. } => false,
        Op::Categorical { .. } | Op::Indicator { .. } => false,
        Op::Select(_, a, b) => of(*a).nan || of(*b).nan,
        Op::Replace { value, .. } | Op::Revealed { value, .. } => of(*value).nan,
        Op::Round(..) | Op::Hold(_) | Op::Spread(_) | Op::Normal(..) => any,
        Op::Shift { x, .. } | Op::Translate { x, .. } => of(*x).beyond_edges(lattice).nan,
        Op::NeighbourSum { x, .. } => {
            let x = of(*x).beyond_edges(lattice);
            x.nan || x.unbounded()
        }
        Op::SiteSum(x) => of(*x).nan || of(*x).unbounded(),
        Op::Unary(function, a) => any || unary_may_be_nan(*function, of(*a)),
        Op::Binary(function, a, b) => binary_may_be_nan(*function, of(*a), of(*b)),
        Op::Binomial { n, .. } => any || !of(*n).integer || !of(*n).within(0.0, MOST_COUNT),
        Op::Poisson { rate, .. } => any || !of(*rate).within(0.0, MOST_COUNT),
        _ => true,
    }
}

/// Whether a function of a number may give not-a-number.
fn unary_may_be_nan(function: Unary, a: Domain) -> bool {
    // Beyond this, single precision cannot tell the angle.
    const CIRCLE_RANGE: f64 = 8192.0;
    match function {
        Unary::SquareRoot | Unary::Logarithm => a.lowest < 0.0,
        Unary::LogarithmOnePlus => a.lowest < -1.0,
        Unary::Sine | Unary::Cosine => !a.within(-CIRCLE_RANGE, CIRCLE_RANGE),
        _ => false,
    }
}

fn binary_may_be_nan(function: Binary, a: Domain, b: Domain) -> bool {
    let either = a.nan || b.nan;
    let infinities = |a: f64, b: f64| a.is_infinite() && b.is_infinite();
    match function {
        Binary::Add => either || infinities(a.lowest, b.highest) || infinities(a.highest, b.lowest),
        Binary::Subtract => either || infinities(a.lowest, b.lowest) || infinities(a.highest, b.highest),
        Binary::Multiply => {
            either || (a.contains_zero() && b.unbounded()) || (b.contains_zero() && a.unbounded())
        }
        Binary::Divide => {
            either || (a.contains_zero() && b.contains_zero()) || (a.unbounded() && b.unbounded())
        }
        Binary::Power => either || (a.lowest < 0.0 && !b.integer),
        // The first operand is handed on where either is not a number.
        Binary::Minimum | Binary::Maximum => a.nan,
    }
}

/// Where an instruction's value lies where it is a number.
fn range_of(
    op: &Op,
    of: impl Fn(ValueId) -> Domain,
    weights: impl Fn(u32) -> (f64, f64, bool),
    lattice: &Lattice,
) -> Domain {
    match op {
        // Transposed, an edge may hand on nothing, or several sites to one.
        Op::Shift { transposed: true, .. }
        | Op::NeighbourSum { transposed: true, .. }
        | Op::Translate { transposed: true, .. } => Domain::ANY,
        Op::Constant(number) => Domain::point(number.get()),
        Op::StepIndex | Op::Coordinate(_) => Domain::integers(0.0, f64::from(u32::MAX)),
        Op::Unary(function, a) => unary(*function, of(*a)),
        Op::Binary(function, a, b) => binary(*function, of(*a), of(*b), a == b),
        Op::Compare(..) | Op::Heaviside(..) | Op::Bernoulli { .. } | Op::Indicator { .. } => Domain::BINARY,
        Op::Select(_, a, b) => of(*a).union(of(*b)),
        Op::Round(a, _) => {
            let a = of(*a);
            Domain::integers(a.lowest.round_ties_even(), a.highest.round_ties_even())
        }
        Op::Replace { value, .. } | Op::Revealed { value, .. } => of(*value),
        Op::Hold(a) | Op::Spread(a) => of(*a),
        Op::Shift { x, .. } | Op::Translate { x, .. } => of(*x).beyond_edges(lattice),
        Op::NeighbourSum { x, neighbourhood, .. } => {
            let (positive, negative, whole) = weights(*neighbourhood);
            let x = of(*x).beyond_edges(lattice);
            let term = |w: f64, v: f64| if w == 0.0 { 0.0 } else { w * v };
            Domain {
                lowest: term(positive, x.lowest) + term(negative, x.highest),
                highest: term(positive, x.highest) + term(negative, x.lowest),
                integer: x.integer && whole,
                nan: false,
            }
        }
        Op::SiteSum(a) => Domain { integer: of(*a).integer, ..Domain::ANY },
        Op::Uniform { .. } => Domain::UNIT,
        Op::Centred { .. } => Domain::real(-0.5, 0.5),
        Op::Categorical { probabilities, .. } => {
            Domain::integers(0.0, probabilities.len().max(1) as f64 - 1.0)
        }
        Op::Binomial { n, .. } => Domain::integers(0.0, of(*n).highest.max(0.0)),
        Op::Poisson { .. } => Domain::integers(0.0, f64::INFINITY),
        _ => Domain::ANY,
    }
}

fn unary(function: Unary, a: Domain) -> Domain {
    let Domain { lowest, highest, integer, nan } = a;
    match function {
        Unary::Negate => Domain { lowest: -highest, highest: -lowest, integer, nan },
        Unary::Absolute if lowest >= 0.0 => a,
        Unary::Absolute => Domain { lowest: 0.0, highest: highest.max(-lowest), integer, nan },
        Unary::Sign => Domain::integers(-1.0, 1.0),
        Unary::SquareRoot if lowest >= 0.0 => Domain::real(lowest.sqrt(), highest.sqrt()),
        Unary::Exponential => Domain::real(0.0, widen(highest.exp())),
        Unary::ExponentialMinusOne => Domain::real(-1.0, widen(highest.exp_m1())),
        Unary::LogarithmOnePlus if lowest >= -1.0 => {
            let least = lowest.ln_1p();
            Domain::real(least - least.abs() * 1e-6, widen(highest.ln_1p()))
        }
        Unary::Sigmoid => Domain::UNIT,
        Unary::HyperbolicTangent | Unary::Sine | Unary::Cosine => Domain::real(-1.0, 1.0),
        Unary::Floor => Domain::integers(lowest.floor(), highest.floor()),
        _ => Domain::ANY,
    }
}

/// An upper bound that came through a rounded elementary function, moved up by more than its error in any precision.
fn widen(bound: f64) -> f64 {
    bound + bound.abs() * 1e-6
}

fn binary(function: Binary, a: Domain, b: Domain, same: bool) -> Domain {
    let integer = a.integer && b.integer;
    match function {
        Binary::Add => Domain::corners([a.lowest + b.lowest, a.highest + b.highest], integer),
        Binary::Subtract => Domain::corners([a.lowest - b.highest, a.highest - b.lowest], integer),
        Binary::Multiply => {
            let term = |x: f64, y: f64| if x == 0.0 || y == 0.0 { 0.0 } else { x * y };
            let corners = [
                term(a.lowest, b.lowest),
                term(a.lowest, b.highest),
                term(a.highest, b.lowest),
                term(a.highest, b.highest),
            ];
            let product = Domain::corners(corners, integer);
            if same { Domain { lowest: product.lowest.max(0.0), ..product } } else { product }
        }
        Binary::Divide if b.lowest > 0.0 || b.highest < 0.0 => Domain::corners(
            [a.lowest / b.lowest, a.lowest / b.highest, a.highest / b.lowest, a.highest / b.highest],
            false,
        ),
        Binary::Power if a.within(0.0, 1.0) && b.lowest >= 0.0 => Domain::UNIT,
        Binary::Power if a.lowest >= 0.0 => Domain::real(0.0, f64::INFINITY),
        Binary::Minimum => {
            Domain { lowest: a.lowest.min(b.lowest), highest: a.highest.min(b.highest), integer, nan: false }
        }
        Binary::Maximum => {
            Domain { lowest: a.lowest.max(b.lowest), highest: a.highest.max(b.highest), integer, nan: false }
        }
        _ => Domain { integer: false, ..Domain::ANY },
    }
}

/// The outcome of a comparison where the operands' domains decide it.
pub(crate) fn decided(comparison: Comparison, a: Domain, b: Domain) -> Option<bool> {
    let numbers = !a.nan && !b.nan;
    match comparison {
        Comparison::Less if a.highest < b.lowest && numbers => Some(true),
        Comparison::Less if a.lowest >= b.highest => Some(false),
        Comparison::LessOrEqual if a.highest <= b.lowest && numbers => Some(true),
        Comparison::LessOrEqual if a.lowest > b.highest => Some(false),
        Comparison::Equal if a.highest < b.lowest || b.highest < a.lowest => Some(false),
        _ => None,
    }
}
