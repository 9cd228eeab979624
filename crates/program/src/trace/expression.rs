//! Gives traced values their operators: a handle is copied freely, and `a + b` writes an instruction.

use std::ops::{Add, Div, Mul, Neg, Sub};

use glauber_lattice::{Lattice, Neighbourhood, Neighbours, Offset, Overlap};

use crate::bounds::decided;
use crate::domain::Domain;
use crate::error::ModelError;
use crate::op::{Binary, Comparison, Op, Surrogate, ValueId};
use crate::trace::{Operand, Trace, tracing_is_over, with_trace};
use crate::unary::Unary;

/// A traced value: a copyable handle on an instruction of the program being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expr {
    pub(crate) trace: u32,
    pub(crate) value: ValueId,
}

impl Expr {
    fn apply(self, f: impl FnOnce(&mut Trace, ValueId) -> ValueId) -> Expr {
        let value = with_trace(self.trace, |t| {
            let x = t.resolve(self.into());
            let value = f(t, x);
            t.check_length();
            value
        });
        Expr { trace: self.trace, value: value.unwrap_or(ValueId(u32::MAX)) }
    }

    /// A function of this value; the usual ones have methods of their own.
    pub fn unary(self, function: Unary) -> Expr {
        self.apply(|t, x| t.graph.unary(function, x))
    }

    fn binary(self, function: Binary, other: Operand, swapped: bool) -> Expr {
        self.apply(|t, x| {
            let y = t.resolve(other);
            if swapped { t.graph.binary(function, y, x) } else { t.graph.binary(function, x, y) }
        })
    }

    fn compare(self, comparison: Comparison, other: Operand, swapped: bool) -> Expr {
        self.apply(|t, x| {
            let y = t.resolve(other);
            let (a, b) = if swapped { (y, x) } else { (x, y) };
            let holds = t.graph.compare(comparison, a, b);
            t.check_compared(holds, a, b);
            holds
        })
    }

    /// The first mistake of its tracing so far, or that the tracing is over: for front ends that report mistakes where
    /// they are made.
    pub fn mistake(self) -> Option<ModelError> {
        with_trace(self.trace, |t| t.mistake()).unwrap_or_else(|| Some(tracing_is_over()))
    }

    /// Whether a comparison with a number has the same answer everywhere because this value never comes so far: "always"
    /// or "never" where it has, with what the value can be. Front ends refuse such questions.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values};
    /// # use glauber_program::{Comparison, Model};
    /// # Model::build("m", Lattice::line(4)).layer("n", Values::integers(0, 9)).step(|s| {
    /// let n = s.layer("n");
    /// assert!(n.settled(Comparison::Less, 200.0, true).is_some_and(|words| words.starts_with("never")));
    /// assert_eq!(n.settled(Comparison::Less, 9.0, true), None);
    /// # s.next("n").set(n)
    /// # })?;
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn settled(self, comparison: Comparison, number: f64, swapped: bool) -> Option<String> {
        let own = self.domain()?;
        let beyond = number < own.lowest || number > own.highest;
        let other = Domain::point(number);
        let (a, b) = if swapped { (other, own) } else { (own, other) };
        let holds = decided(comparison, a, b).filter(|_| beyond && own.lowest < own.highest)?;
        let answer = if holds { "always" } else { "never" };
        Some(format!("{answer}: {}", own.words()))
    }

    /// Whether a comparison with a number holds nowhere because this value comes no farther than that number: what the value
    /// can be, in words. A bound that is just wide enough, which front ends tell and do not refuse.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values};
    /// # use glauber_program::{Comparison, Model};
    /// # Model::build("m", Lattice::line(4)).layer("n", Values::integers(0, 9)).step(|s| {
    /// let n = s.layer("n");
    /// assert_eq!(n.never(Comparison::Less, 0.0, false).as_deref(), Some("the value is a whole number from 0 to 9"));
    /// assert_eq!(n.never(Comparison::LessOrEqual, 0.0, false), None);
    /// # s.next("n").set(n)
    /// # })?;
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn never(self, comparison: Comparison, number: f64, swapped: bool) -> Option<String> {
        self.domain()?.never(comparison, number, swapped)
    }

    /// Has the model say so among its notes, once.
    pub fn remark(self, note: &str) {
        with_trace(self.trace, |t| t.graph.remark(note));
    }

    /// Where its value lies; nothing where its tracing is over.
    pub fn domain(self) -> Option<Domain> {
        with_trace(self.trace, |t| {
            let value = t.resolve(self.into());
            t.graph.domain(value)
        })
    }

    /// A plain number as a handle of the same tracing.
    pub fn number(self, value: f64) -> Expr {
        self.apply(|t, _| t.graph.constant(value))
    }

    /// |x|; derivative sign(x).
    pub fn abs(self) -> Expr {
        self.unary(Unary::Absolute)
    }

    /// −1, 0 or 1; derivative 0.
    pub fn sign(self) -> Expr {
        self.unary(Unary::Sign)
    }

    /// √x.
    pub fn sqrt(self) -> Expr {
        self.unary(Unary::SquareRoot)
    }

    /// eˣ.
    pub fn exp(self) -> Expr {
        self.unary(Unary::Exponential)
    }

    /// eˣ − 1, exact near 0.
    pub fn exp_m1(self) -> Expr {
        self.unary(Unary::ExponentialMinusOne)
    }

    /// The natural logarithm.
    pub fn ln(self) -> Expr {
        self.unary(Unary::Logarithm)
    }

    /// ln(1 + x), exact near 0.
    pub fn ln_1p(self) -> Expr {
        self.unary(Unary::LogarithmOnePlus)
    }

    /// 1 / (1 + e⁻ˣ).
    pub fn sigmoid(self) -> Expr {
        self.unary(Unary::Sigmoid)
    }

    /// The hyperbolic tangent.
    pub fn tanh(self) -> Expr {
        self.unary(Unary::HyperbolicTangent)
    }

    /// The hyperbolic cosine.
    pub fn cosh(self) -> Expr {
        self.unary(Unary::HyperbolicCosine)
    }

    /// The sine of an angle in radians.
    pub fn sin(self) -> Expr {
        self.unary(Unary::Sine)
    }

    /// The cosine of an angle in radians.
    pub fn cos(self) -> Expr {
        self.unary(Unary::Cosine)
    }

    /// The greatest whole number not above x; derivative 0.
    pub fn floor(self) -> Expr {
        self.unary(Unary::Floor)
    }

    /// x to a power. Not a number where x < 0 and the power is not whole.
    pub fn pow(self, power: impl Into<Operand>) -> Expr {
        self.binary(Binary::Power, power.into(), false)
    }

    /// The lesser of two.
    pub fn min(self, other: impl Into<Operand>) -> Expr {
        self.binary(Binary::Minimum, other.into(), false)
    }

    /// The greater of two.
    pub fn max(self, other: impl Into<Operand>) -> Expr {
        self.binary(Binary::Maximum, other.into(), false)
    }

    /// 1 where equal, else 0; derivative 0, but for a binary value compared with a number.
    pub fn equals(self, other: impl Into<Operand>) -> Expr {
        self.compare(Comparison::Equal, other.into(), false)
    }

    /// 1 where below, else 0; derivative 0, but for a binary value compared with a number.
    pub fn less(self, other: impl Into<Operand>) -> Expr {
        self.compare(Comparison::Less, other.into(), false)
    }

    /// 1 where not above, else 0; derivative 0, but for a binary value compared with a number.
    pub fn at_most(self, other: impl Into<Operand>) -> Expr {
        self.compare(Comparison::LessOrEqual, other.into(), false)
    }

    /// 1 where above, else 0; derivative 0, but for a binary value compared with a number.
    pub fn greater(self, other: impl Into<Operand>) -> Expr {
        self.compare(Comparison::Less, other.into(), true)
    }

    /// 1 where not below, else 0; derivative 0, but for a binary value compared with a number.
    pub fn at_least(self, other: impl Into<Operand>) -> Expr {
        self.compare(Comparison::LessOrEqual, other.into(), true)
    }

    /// `yes` where this is not 0, else `no`.
    pub fn select(self, yes: impl Into<Operand>, no: impl Into<Operand>) -> Expr {
        let (yes, no) = (yes.into(), no.into());
        self.apply(|t, c| {
            let (yes, no) = (t.resolve(yes), t.resolve(no));
            t.graph.select(c, yes, no)
        })
    }

    /// 1 where this is state `class`, else 0. For a categorical draw the derivative goes to that class's probability;
    /// for a layer of three or more named states, and for choices between such values, to that state.
    pub fn is(self, class: u32) -> Expr {
        self.apply(|t, x| {
            let domain = t.graph.domain(x);
            if domain.integer && !(domain.lowest..=domain.highest).contains(&f64::from(class)) {
                let (lowest, highest) = (domain.lowest, domain.highest);
                let error = ModelError::NoSuchState {
                    model: t.model(),
                    what: "a value".into(),
                    asked: format!("{class}"),
                    values: format!("a whole number from {lowest} to {highest}"),
                };
                return t.fail(error);
            }
            if t.graph.is_nominal(x) {
                return t.graph.push(Op::Indicator { draw: x, class });
            }
            let class = t.graph.constant(f64::from(class));
            t.graph.compare(Comparison::Equal, x, class)
        })
    }

    /// 1 where above 0, else 0, with a surrogate derivative.
    pub fn heaviside(self, surrogate: Surrogate) -> Expr {
        self.apply(|t, x| t.graph.heaviside(x, surrogate))
    }

    /// The nearest whole number (halves to even), with a surrogate derivative.
    pub fn round(self, surrogate: Surrogate) -> Expr {
        self.apply(|t, x| t.graph.round(x, surrogate))
    }

    /// This value, taken as constant by every derivative.
    pub fn hold(self) -> Expr {
        self.apply(|t, x| t.graph.push(Op::Hold(x)))
    }

    /// This value, with the derivative of another.
    pub fn with_gradient_of(self, other: impl Into<Operand>) -> Expr {
        self.apply(|t, value| {
            let gradient = t.resolve(other.into());
            t.graph.push(Op::Replace { value, gradient })
        })
    }

    /// This random value, which the observed next state gives away: `observed` says what it was in terms of the state
    /// before and [`crate::Scope::observed_next`]. Simulations are unchanged; the exact likelihood may then pass this
    /// value on to other sites, as it must where a step updates one part of the lattice after another or moves
    /// particles.
    ///
    /// It must be true that the observed next state determines the value; the likelihood relies on it.
    pub fn revealed_by(self, observed: impl Into<Operand>) -> Expr {
        self.apply(|t, value| {
            let observed = t.resolve(observed.into());
            t.graph.push(Op::Revealed { value, observed })
        })
    }

    /// The value at a displaced site: at site i, x(i + offset); the offset as (z, y, x), no farther than the lattice is
    /// long (or 32 sites). Beyond a fixed edge stands what the rule makes of the layers' values there
    /// ([`crate::ModelBuilder::edge`]).
    pub fn shift(self, offset: Offset) -> Expr {
        Beyond::from(self).shift(offset)
    }

    /// This value, to be read across fixed edges, where it is to be `value` and not what the rule makes of the layers'
    /// values there ([`crate::ModelBuilder::edge`]).
    ///
    /// ```
    /// use glauber_lattice::{Lattice, Values, VonNeumann};
    /// use glauber_program::Model;
    /// // Spins are 0 beyond free edges, where a layer of 0 would be a spin of −1.
    /// let free = Model::build("free", Lattice::square(8).fixed(0.0)).layer("up", Values::binary()).step(|s| {
    ///     let spin = s.layer("up") * 2.0 - 1.0;
    ///     s.next("up").bernoulli(spin.beyond(0.0).neighbours(VonNeumann).sum().sigmoid());
    /// })?;
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn beyond(self, value: impl Into<Operand>) -> Beyond {
        Beyond { x: self, beyond: Some(value.into()) }
    }

    /// How many axes its lattice has; 1 where its tracing is over.
    pub fn dimensions(self) -> usize {
        with_trace(self.trace, |t| t.graph.declarations.lattice.dimensions()).unwrap_or(1)
    }

    /// The values around each site. On a lattice so small that the neighbourhood leads a site to itself the model is
    /// refused; where it leads to another site twice, [`crate::Model::notes`] says so.
    pub fn neighbours(self, neighbourhood: impl Neighbours) -> Neighbourly {
        Beyond::from(self).neighbours(neighbourhood)
    }

    /// As [`Expr::neighbours`], also where the lattice is so small that a site is its own neighbour, and that is meant.
    pub fn neighbours_all_round(self, neighbourhood: impl Neighbours) -> Neighbourly {
        Beyond::from(self).neighbours_all_round(neighbourhood)
    }

    /// The sum over all sites: one number per replicate.
    pub fn sum(self) -> Expr {
        self.apply(|t, x| t.graph.site_sum(x))
    }

    /// The mean over all sites: one number per replicate.
    pub fn mean(self) -> Expr {
        self.apply(|t, x| {
            let sum = t.graph.site_sum(x);
            let sites = t.graph.constant(t.graph.declarations.lattice.sites() as f64);
            t.graph.divide(sum, sites)
        })
    }
}

/// Refuses a neighbourhood that is none here, or that leads a site to itself.
pub(super) fn refuse_itself(trace: u32, refusal: Option<&str>, neighbourhood: &Neighbourhood) {
    with_trace(trace, |t| {
        let lattice = &t.graph.declarations.lattice;
        let why = match (refusal, neighbourhood.overlap(lattice)) {
            (Some(why), _) => why.to_string(),
            (None, Some(Overlap::Itself(offset))) => itself(lattice, offset),
            _ => return,
        };
        t.fail(ModelError::Neighbourhood { model: t.model(), why });
    });
}

/// Refuses offsets that lead farther than a lattice is long.
pub(super) fn refuse_far(trace: u32, offsets: &[Offset]) {
    with_trace(trace, |t| {
        let lattice = &t.graph.declarations.lattice;
        let Some(far) = offsets.iter().find(|offset| !lattice.admits(**offset)) else { return };
        let own = &far[3 - lattice.dimensions()..];
        let why = format!(
            "the offset {own:?} leads farther than the lattice of {lattice} is long: give offsets within it (on a torus \
             {own:?} is the same as what is left of it after the lattice's length)"
        );
        t.fail(ModelError::Neighbourhood { model: t.model(), why });
    });
}

/// What is wrong where an offset leads a site to itself.
fn itself(lattice: &Lattice, offset: Offset) -> String {
    let own = &offset[3 - lattice.dimensions()..];
    let longer: Vec<&usize> = lattice.shape().iter().filter(|length| **length > 1).collect();
    let shape = if longer.len() < lattice.dimensions() && !longer.is_empty() {
        format!("leave out the axes of length 1 (shape {longer:?}), ")
    } else {
        String::new()
    };
    format!(
        "on a lattice of {lattice} a neighbour at offset {own:?} is the site itself, which would count as its own \
         neighbour: {shape}choose greater lengths or a smaller neighbourhood"
    )
}

/// A value that is read at other sites, and what it is beyond fixed edges; see [`Expr::beyond`].
#[derive(Clone, Copy, Debug)]
pub struct Beyond {
    pub(super) x: Expr,
    /// None for what the rule makes of the layers' values there.
    pub(super) beyond: Option<Operand>,
}

impl From<Expr> for Beyond {
    fn from(x: Expr) -> Beyond {
        Beyond { x, beyond: None }
    }
}

impl Beyond {
    /// As [`Expr::shift`].
    pub fn shift(self, offset: Offset) -> Expr {
        refuse_far(self.x.trace, &[offset]);
        self.x.apply(|t, x| {
            let beyond = self.beyond.map(|beyond| t.resolve(beyond));
            t.graph.shifted(x, offset, beyond)
        })
    }

    /// As [`Expr::neighbours`].
    pub fn neighbours(self, neighbourhood: impl Neighbours) -> Neighbourly {
        let dimensions = self.x.dimensions();
        let refusal = neighbourhood.refusal(dimensions);
        let neighbourhood = neighbourhood.on(dimensions);
        refuse_far(self.x.trace, neighbourhood.offsets());
        refuse_itself(self.x.trace, refusal, &neighbourhood);
        Neighbourly { of: self, neighbourhood }
    }

    /// As [`Expr::neighbours_all_round`].
    pub fn neighbours_all_round(self, neighbourhood: impl Neighbours) -> Neighbourly {
        let neighbourhood = neighbourhood.on(self.x.dimensions());
        refuse_far(self.x.trace, neighbourhood.offsets());
        Neighbourly { of: self, neighbourhood }
    }
}

/// The values around each site; see [`Expr::neighbours`].
#[derive(Clone, Debug)]
pub struct Neighbourly {
    of: Beyond,
    neighbourhood: Neighbourhood,
}

impl Neighbourly {
    /// Their weighted sum.
    pub fn sum(self) -> Expr {
        let Neighbourly { of: Beyond { x, beyond }, neighbourhood } = self;
        x.apply(|t, x| {
            let beyond = beyond.map(|beyond| t.resolve(beyond));
            t.graph.summed_around(x, neighbourhood, beyond)
        })
    }

    /// Their weighted mean.
    pub fn mean(self) -> Expr {
        let total: f64 = self.neighbourhood.weights().iter().sum();
        self.sum() / total
    }

    /// How many of them (by weight) are in state `class`.
    pub fn count(self, class: u32) -> Expr {
        let state = f64::from(class);
        let beyond = self.of.beyond.map(|beyond| match beyond {
            Operand::Number(own) => Operand::Number(f64::from(u8::from((own - state).abs() <= 0.0))),
            Operand::Expr(own) => Operand::Expr(own.equals(state)),
        });
        Neighbourly { of: Beyond { x: self.of.x.is(class), beyond }, neighbourhood: self.neighbourhood }.sum()
    }
}

/// Writes the operator between handles, and between a handle and a number on either side.
macro_rules! operator {
    ($name:ident, $method:ident, $function:expr) => {
        impl $name<Expr> for Expr {
            type Output = Expr;
            fn $method(self, other: Expr) -> Expr {
                self.binary($function, other.into(), false)
            }
        }
        impl $name<f64> for Expr {
            type Output = Expr;
            fn $method(self, other: f64) -> Expr {
                self.binary($function, other.into(), false)
            }
        }
        impl $name<Expr> for f64 {
            type Output = Expr;
            fn $method(self, other: Expr) -> Expr {
                other.binary($function, self.into(), true)
            }
        }
    };
}

operator!(Add, add, Binary::Add);
operator!(Sub, sub, Binary::Subtract);
operator!(Mul, mul, Binary::Multiply);
operator!(Div, div, Binary::Divide);

impl Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        self.unary(Unary::Negate)
    }
}
