//! Names the instructions of a program: what each reads and at which rank it stands.

use glauber_lattice::{Colouring, Offset};
use serde::{Deserialize, Serialize};

use crate::counts::CountLaw;
use crate::unary::Unary;

/// The number of a value in its program: the position of the instruction that makes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ValueId(pub u32);

impl ValueId {
    /// As an index into the instructions.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How many numbers a value is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Rank {
    /// One number for the whole run: parameters, constants, the step's number.
    Run,
    /// One number per realisation.
    Replicate,
    /// One number per site of every realisation.
    Site,
}

/// A floating-point number that can be compared and hashed: two are equal when their bits are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Number(u64);

impl Number {
    /// Wraps a number; −0 becomes 0.
    pub fn new(value: f64) -> Number {
        Number((value + 0.0).to_bits())
    }

    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl std::fmt::Debug for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.get())
    }
}

/// Functions of two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Minimum,
    Maximum,
}

/// Comparisons; the result is 1 where true and 0 where not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
}

/// What the derivative of a step function is taken to be; w is the width, x the argument (for round: its distance from the step).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Surrogate {
    /// 1 everywhere: straight-through.
    Identity,
    /// σ(x/w)(1 − σ(x/w)) / w.
    Sigmoid(Number),
    /// max(0, 1 − |x|/w) / w.
    Triangle(Number),
}

impl Surrogate {
    /// The derivative of a sigmoid of width `width` > 0.
    pub fn sigmoid(width: f64) -> Surrogate {
        Surrogate::Sigmoid(Number::new(width))
    }

    /// A triangle of half-width `width` > 0 and area 1.
    pub fn triangle(width: f64) -> Surrogate {
        Surrogate::Triangle(Number::new(width))
    }
}

/// Another site, as an event that reads or writes it picks it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Place {
    /// The neighbour at the offset that `direction` picks.
    Neighbour {
        /// Which offset: a whole number at every site, such as a categorical draw.
        direction: ValueId,
        /// The offsets, as a neighbourhood of the declarations.
        offsets: u32,
    },
    /// A site drawn uniformly from the whole lattice (it may be the event's own).
    Anywhere {
        /// Which draw of the program.
        draw: u32,
    },
}

impl Place {
    fn visit_mut(&mut self, mut f: impl FnMut(&mut ValueId)) {
        if let Place::Neighbour { direction, .. } = self {
            f(direction);
        }
    }
}

/// One instruction.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// A number.
    Constant(Number),
    /// A parameter, by its place in the declarations.
    Parameter(u32),
    /// The number of the step, 1 for the first; 0 while the start is drawn.
    StepIndex,
    /// A layer's value before the step.
    Layer(u32),
    /// A field of data or of unknowns, fixed during the run.
    Field(u32),
    /// A layer's observed value after the step (in likelihoods).
    Target(u32),
    /// The site's coordinate along axis 0 (z), 1 (y) or 2 (x).
    Coordinate(u8),
    /// The derivative of the objective by a layer's next value (in adjoint programs), numbered as
    /// [`crate::Signature::adjoint_place`] says.
    NextAdjoint(u32),
    /// The derivative of the objective by an output (in adjoint programs).
    OutputAdjoint(u32),
    /// How much better than the baseline this replicate did, weighted by the loss (in score-function gradients).
    Advantage,
    /// The same of what the outcome at a site can still change (in light-cone gradients).
    LocalAdvantage,
    /// A function of one number.
    Unary(Unary, ValueId),
    /// A function of two numbers.
    Binary(Binary, ValueId, ValueId),
    /// 1 where the comparison holds.
    Compare(Comparison, ValueId, ValueId),
    /// The second where the first is not 0, else the third.
    Select(ValueId, ValueId, ValueId),
    /// 1 where the argument is above 0; its derivative is the surrogate's.
    Heaviside(ValueId, Surrogate),
    /// The nearest whole number, halves to even; its derivative is the surrogate's.
    Round(ValueId, Surrogate),
    /// The first value with the second's derivative.
    Replace {
        /// What it is.
        value: ValueId,
        /// Whose derivative it has.
        gradient: ValueId,
    },
    /// The value, with derivative 0.
    Hold(ValueId),
    /// A random value that the observed next state gives away: in a simulation the value, in a likelihood what is
    /// observed of it, so that other sites may depend on it.
    Revealed {
        /// What it is.
        value: ValueId,
        /// What it was, in terms of the state before and the observed next state ([`Op::Target`]).
        observed: ValueId,
    },
    /// One number, repeated at every site.
    Spread(ValueId),
    /// The value at a displaced site: at site i, x(i + offset).
    Shift {
        /// The field.
        x: ValueId,
        /// The displacement.
        offset: Offset,
        /// Whether the transposed linear map is meant.
        transposed: bool,
    },
    /// The weighted sum over a neighbourhood.
    NeighbourSum {
        /// The field.
        x: ValueId,
        /// Which neighbourhood, by its place in the declarations.
        neighbourhood: u32,
        /// Whether the transposed linear map is meant.
        transposed: bool,
    },
    /// The whole plane moved by the offset that `direction` picks: at site i, x(i − the offset).
    Translate {
        /// The field.
        x: ValueId,
        /// One number per replicate: which offset.
        direction: ValueId,
        /// The offsets, as a neighbourhood of the declarations.
        offsets: u32,
        /// Whether the transposed linear map is meant.
        transposed: bool,
    },
    /// The value at another site that this one picks.
    There {
        /// The field.
        x: ValueId,
        /// Which site.
        place: Place,
    },
    /// A value for another site that this one picks: what is written there.
    Put {
        /// What is written.
        value: ValueId,
        /// Which site.
        place: Place,
    },
    /// 1 where there is a site at a place, 0 where it lies beyond a fixed edge.
    Inside(Place),
    /// In continuous time: the highest sum of rates that a site can have, of which rates are shares.
    Fastest,
    /// The sum over all sites: one number per replicate.
    SiteSum(ValueId),
    /// A uniform number in [0, 1): a pure function of seed, replicate, step, draw, lane and site.
    Uniform {
        /// Which draw of the program.
        draw: u32,
        /// 0 for the simulation; others are used by estimators.
        lane: u32,
        /// Per replicate or per site.
        rank: Rank,
    },
    /// The uniform number u of the same draw and lane, less 1 where it is ½ or more: in [−½, ½), and fine near 0 on both
    /// sides, so that it decides by small probabilities of either outcome. What draws are lowered to.
    Centred {
        /// Which draw of the program.
        draw: u32,
        /// As in [`Op::Uniform`].
        lane: u32,
        /// Per replicate or per site.
        rank: Rank,
    },
    /// 1 where u < p. Where the probability of 0 has a form of its own, it decides from u = ½ on: 1 where 1 − u > rest.
    Bernoulli {
        /// The probability of 1.
        p: ValueId,
        /// The probability of 0, where it is kept in a form that single precision does not round away.
        rest: Option<ValueId>,
        /// The uniform number.
        u: ValueId,
    },
    /// The class k with p₀ + … + p₍k−1₎ ≤ u < p₀ + … + p₍k₎. Below u = ½ the sums of the classes up to k decide, from ½ on
    /// the sums of those beyond, by 1 − u: so small classes on either side of a likely one are met, and a class of
    /// probability 0 never comes out.
    Categorical {
        /// The probabilities, which add up to 1.
        probabilities: Vec<ValueId>,
        /// For each class but the last, p₀ + … + p₍k₎.
        below: Vec<ValueId>,
        /// For each class but the last, what lies beyond it: p₍k+1₎ + ….
        above: Vec<ValueId>,
        /// The uniform number.
        u: ValueId,
    },
    /// 1 where a categorical draw, or a value that is one of named states, is `class`.
    Indicator {
        /// The draw, or the state.
        draw: ValueId,
        /// Which class.
        class: u32,
    },
    /// A standard normal number from two uniforms (Box & Muller 1958).
    Normal(ValueId, ValueId),
    /// A number that counts, of a law: successes, events.
    Count {
        /// The law.
        law: CountLaw,
        /// Its arguments, in its order.
        arguments: Vec<ValueId>,
        /// Which draw of the program.
        draw: u32,
        /// Per replicate or per site.
        rank: Rank,
    },
    /// The entry of a list of numbers that a whole number points at, 0 the first: a number given for each cell.
    Entry {
        /// Which list, by its place in the declarations.
        list: u32,
        /// Which entry: at every site a whole number that the list has.
        at: ValueId,
    },
    /// The sum of `x` over all sites that have a label: at site i, Σⱼ [labels(j) = at(i)] x(j), added in row-major order.
    CellSum {
        /// What is summed, at every site.
        x: ValueId,
        /// Which cell each site belongs to.
        labels: ValueId,
        /// The label that is asked for.
        at: ValueId,
        /// The highest label.
        cells: u32,
    },
    /// 1 at the sites of a colour, else 0.
    OfColour {
        /// Which sites have which colour.
        colouring: Colouring,
        /// Which colour.
        colour: u32,
    },
}

impl Op {
    /// Calls `f` for every value it reads, in order.
    pub fn visit(&self, mut f: impl FnMut(ValueId)) {
        let mut copy = self.clone();
        copy.visit_mut(|v| f(*v));
    }

    /// Calls `f` for every value it reads, which may replace it.
    pub fn visit_mut(&mut self, mut f: impl FnMut(&mut ValueId)) {
        use Op::*;
        match self {
            Constant(_)
            | Parameter(_)
            | StepIndex
            | Layer(_)
            | Field(_)
            | Target(_)
            | Coordinate(_)
            | OfColour { .. }
            | NextAdjoint(_)
            | OutputAdjoint(_)
            | Advantage
            | LocalAdvantage
            | Fastest
            | Uniform { .. }
            | Centred { .. } => {}
            There { x, place } | Put { value: x, place } => {
                f(x);
                place.visit_mut(f);
            }
            Inside(place) => place.visit_mut(f),
            Unary(_, a) | Heaviside(a, _) | Round(a, _) | Hold(a) | Spread(a) | SiteSum(a) => f(a),
            Shift { x, .. } | NeighbourSum { x, .. } => f(x),
            Indicator { draw, .. } => f(draw),
            Entry { at, .. } => f(at),
            CellSum { x, labels, at, .. } => [x, labels, at].into_iter().for_each(f),
            Binary(_, a, b) | Compare(_, a, b) | Normal(a, b) => {
                f(a);
                f(b);
            }
            Replace { value, gradient } => {
                f(value);
                f(gradient);
            }
            Revealed { value, observed } => {
                f(value);
                f(observed);
            }
            Translate { x, direction, .. } => {
                f(x);
                f(direction);
            }
            Bernoulli { p, rest, u } => {
                f(p);
                rest.iter_mut().for_each(&mut f);
                f(u);
            }
            Count { arguments, .. } => arguments.iter_mut().for_each(f),
            Select(c, a, b) => {
                f(c);
                f(a);
                f(b);
            }
            Categorical { probabilities, below, above, u } => {
                probabilities.iter_mut().chain(below).chain(above).for_each(&mut f);
                f(u);
            }
        }
    }

    /// The values it reads, in order.
    pub fn operands(&self) -> Vec<ValueId> {
        let mut operands = Vec::new();
        self.visit(|v| operands.push(v));
        operands
    }

    /// Whether it reads its operand at other sites, so that the operand must exist as a whole field first.
    pub fn reads_elsewhere(&self) -> bool {
        matches!(
            self,
            Op::Shift { .. }
                | Op::NeighbourSum { .. }
                | Op::Translate { .. }
                | Op::There { .. }
                | Op::CellSum { .. }
        )
    }

    /// Whether only a rule that is applied to one site after another can have it.
    pub fn is_of_events(&self) -> bool {
        matches!(self, Op::There { .. } | Op::Put { .. } | Op::Inside(_) | Op::Fastest)
    }

    /// Its rank, given the ranks of its operands.
    pub fn rank(&self, rank_of: impl Fn(ValueId) -> Rank) -> Rank {
        use Op::*;
        match self {
            Constant(_) | Parameter(_) | StepIndex | Fastest => Rank::Run,
            OutputAdjoint(_) | Advantage | SiteSum(_) => Rank::Replicate,
            Layer(_) | Field(_) | Target(_) | Coordinate(_) | NextAdjoint(_) | Spread(_) => Rank::Site,
            There { .. } | Put { .. } | Inside(_) | OfColour { .. } => Rank::Site,
            Entry { .. } | CellSum { .. } => Rank::Site,
            LocalAdvantage => Rank::Site,
            Uniform { rank, .. } | Centred { rank, .. } => *rank,
            Count { rank, .. } => self.operands().into_iter().map(rank_of).fold(*rank, Rank::max),
            _ => self.operands().into_iter().map(rank_of).fold(Rank::Run, Rank::max),
        }
    }
}
