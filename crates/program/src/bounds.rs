//! Bounds the value of every instruction by the domains of what it reads.

use glauber_lattice::Lattice;

use crate::domain::Domain;
use crate::op::{Binary, Comparison, Op, ValueId};

impl Domain {
    /// That a comparison with a number holds for none of several values: what they are, in words.
    pub fn never(self, comparison: Comparison, number: f64, swapped: bool) -> Option<String> {
        let other = Domain::point(number);
        let (a, b) = if swapped { (other, self) } else { (self, other) };
        let holds = decided(comparison, a, b).filter(|_| self.lowest < self.highest)?;
        (!holds).then(|| self.words())
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
        Op::Shift { x, .. } | Op::Translate { x, .. } | Op::There { x, .. } => {
            of(*x).beyond_edges(lattice).nan
        }
        Op::Put { value, .. } => of(*value).nan,
        Op::CellSum { x, .. } => of(*x).nan || of(*x).unbounded(),
        Op::Inside(_) | Op::OfColour { .. } | Op::Fastest => false,
        Op::NeighbourSum { x, .. } => {
            let x = of(*x).beyond_edges(lattice);
            x.nan || x.unbounded()
        }
        Op::SiteSum(x) => of(*x).nan || of(*x).unbounded(),
        Op::Unary(function, a) => any || function.may_be_nan(of(*a)),
        Op::Binary(function, a, b) => binary_may_be_nan(*function, of(*a), of(*b)),
        Op::Count { law, arguments, .. } => {
            any || !law.required().iter().zip(arguments).all(|(required, v)| required.proved_by(of(*v)))
        }
        _ => true,
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
        Op::Unary(function, a) => function.range(of(*a)),
        Op::Binary(function, a, b) => binary(*function, of(*a), of(*b), a == b),
        Op::Compare(..) | Op::Heaviside(..) | Op::Bernoulli { .. } | Op::Indicator { .. } => Domain::BINARY,
        Op::Select(_, a, b) => of(*a).union(of(*b)),
        Op::Round(a, _) => {
            let a = of(*a);
            Domain::integers(a.lowest.round_ties_even(), a.highest.round_ties_even())
        }
        Op::Replace { value, .. } | Op::Revealed { value, .. } => of(*value),
        Op::Hold(a) | Op::Spread(a) => of(*a),
        Op::Shift { x, .. } | Op::Translate { x, .. } | Op::There { x, .. } => of(*x).beyond_edges(lattice),
        Op::Put { value, .. } => of(*value),
        Op::Inside(_) | Op::OfColour { .. } => Domain::BINARY,
        Op::Fastest => Domain::real(f64::MIN_POSITIVE, f64::INFINITY),
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
        Op::CellSum { x, .. } => {
            let (x, sites) = (of(*x), lattice.sites() as f64);
            let (lowest, highest) = (x.lowest.min(0.0) * sites, x.highest.max(0.0) * sites);
            Domain { lowest, highest, integer: x.integer, nan: false }
        }
        Op::Uniform { .. } => Domain::UNIT,
        Op::Centred { .. } => Domain::real(-0.5, 0.5),
        Op::Categorical { probabilities, .. } => {
            Domain::integers(0.0, probabilities.len().max(1) as f64 - 1.0)
        }
        Op::Count { law, arguments, .. } => {
            law.range(&arguments.iter().map(|v| of(*v)).collect::<Vec<Domain>>())
        }
        _ => Domain::ANY,
    }
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
