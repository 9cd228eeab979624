//! What only a rule that is applied to one site after another has: other sites that it picks, reads and writes, and rates.

use glauber_lattice::{Neighbours, Offset};

use crate::check::Requirement;
use crate::error::ModelError;
use crate::op::{Op, Place, Rank, ValueId};
use crate::program::Sink;
use crate::trace::expression::{refuse_far, refuse_itself};
use crate::trace::{
    Beyond, Expr, Next, Operand, Scope, Trace, check, find, in_range, name_draw, require, with_trace,
};

/// Another site, as a rule picks it for each site that it is applied to; see [`crate::Scope::neighbour`] and
/// [`crate::Scope::anywhere`].
///
/// ```
/// # use glauber_lattice::{Lattice, Values, VonNeumann};
/// # use glauber_program::{Model, Pick, Update};
/// let walkers = Model::build("walkers", Lattice::square(16))
///     .layer("walker", Values::binary())
///     .update(Update::sequential(Pick::Among { layer: "walker".into(), state: 1 }))
///     .step(|s| {
///         let there = s.neighbour(VonNeumann);
///         s.move_to(there, "walker", 0.0, 1.0 - s.layer("walker").at(there))
///     })?;
/// # Ok::<(), glauber_program::ModelError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct There {
    pub(crate) trace: u32,
    /// None where it could not be picked; the tracing has the mistake.
    pub(crate) place: Option<Place>,
}

impl There {
    /// 1 where there is such a site, 0 where it lies beyond a fixed edge.
    pub fn exists(self) -> Expr {
        let value = with_trace(self.trace, |t| match self.place {
            Some(place @ Place::Neighbour { .. }) if t.graph.has_fixed_edge() => {
                t.graph.push(Op::Inside(place))
            }
            _ => t.graph.constant(1.0),
        });
        Expr { trace: self.trace, value: value.unwrap_or(ValueId(u32::MAX)) }
    }

    /// Its place, where it belongs to this tracing.
    pub(crate) fn place_in(self, t: &mut Trace) -> Option<Place> {
        if self.trace != t.id() {
            t.fail(ModelError::ForeignValue { model: t.model() });
        }
        self.place.filter(|_| self.trace == t.id())
    }
}

impl Expr {
    /// The value at the site that is picked. It may be made of layers, fields and numbers, not of draws.
    pub fn at(self, there: There) -> Expr {
        Beyond::from(self).at(there)
    }

    /// The sum with an operand.
    pub(crate) fn plus(self, other: Operand) -> Expr {
        match other {
            Operand::Expr(other) => self + other,
            Operand::Number(other) => self + other,
        }
    }
}

impl Beyond {
    /// As [`Expr::at`].
    pub fn at(self, there: There) -> Expr {
        let Beyond { x, beyond } = self;
        let value = with_trace(x.trace, |t| {
            let of = t.resolve(x.into());
            let Some(place) = there.place_in(t) else { return t.graph.constant(f64::NAN) };
            let beyond = beyond.map(|beyond| t.resolve(beyond));
            t.graph.at_place(of, place, beyond)
        });
        Expr { trace: x.trace, value: value.unwrap_or(ValueId(u32::MAX)) }
    }
}

impl Scope {
    /// A neighbour in a direction that is drawn for each site: uniformly, or by the neighbourhood's weights.
    ///
    /// Only a rule that is applied to one site after another may pick sites ([`crate::Update`]).
    pub fn neighbour(&self, neighbourhood: impl Neighbours) -> There {
        let dimensions = with_trace(self.id, |t| t.graph.declarations.lattice.dimensions()).unwrap_or(1);
        let refusal = neighbourhood.refusal(dimensions);
        let neighbourhood = neighbourhood.on(dimensions);
        refuse_itself(self.id, refusal, &neighbourhood);
        let total: f64 = neighbourhood.weights().iter().sum();
        if neighbourhood.weights().iter().any(|w| *w < 0.0) || total.is_nan() || total <= 0.0 {
            self.push(|t| {
                                let why = "a neighbour is drawn by the neighbourhood's weights: they must be 0 or more, one of them more";
                t.fail(ModelError::Neighbourhood { model: t.model(), why: why.into() })
            });
        }
        let probabilities: Vec<Operand> =
            neighbourhood.weights().iter().map(|w| Operand::Number(w / total)).collect();
        let direction = self.categorical_at(Rank::Site, &probabilities, "direction");
        self.neighbour_towards(direction, neighbourhood.offsets())
    }

    /// The neighbour at the offset (z, y, x) that `direction` picks, a whole number from 0 at each site.
    pub fn neighbour_towards(&self, direction: Expr, offsets: &[Offset]) -> There {
        refuse_far(self.id, offsets);
        let place = with_trace(self.id, |t| {
            if offsets.is_empty() {
                t.fail(t.miscounted("a picked neighbour", "at least one offset", 0));
                return None;
            }
            let direction = t.resolve(direction.into());
            check(t, "the picked neighbour", Requirement::Direction(offsets.len() as u32), direction);
            let offsets = t.graph.declarations.neighbourhood(glauber_lattice::Neighbourhood::of(offsets));
            Some(Place::Neighbour { direction, offsets })
        });
        There { trace: self.id, place: place.flatten() }
    }

    /// A site drawn uniformly from the whole lattice for each event; it may be the event's own.
    pub fn anywhere(&self) -> There {
        let place = with_trace(self.id, |t| Place::Anywhere { draw: name_draw(t, "anywhere") });
        There { trace: self.id, place }
    }

    /// The number of the transition that an event is, for transitions of these rates (per unit of time); one number
    /// higher than the last where none happens. For [`crate::Update::ContinuousTime`], once in a rule.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values, VonNeumann};
    /// # use glauber_program::{Interval, Model, Update};
    /// let contact = Model::build("contact-process", Lattice::square(16))
    ///     .layer("occupied", Values::binary())
    ///     .parameter("lambda", Interval::positive())
    ///     .update(Update::ContinuousTime)
    ///     .step(|s| {
    ///         let occupied = s.layer("occupied");
    ///         let birth = s.parameter("lambda") * (1.0 - occupied) * occupied.neighbours(VonNeumann).mean();
    ///         let event = s.rates(&[occupied.into(), birth.into()]);
    ///         s.next("occupied").set(event.is(0).select(0.0, event.is(1).select(1.0, occupied)))
    ///     })?;
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn rates(&self, rates: &[Operand]) -> Expr {
        self.rates_at_most(rates, None)
    }

    /// As [`Scope::rates`], with the highest sum of rates that a site can have, where it cannot be found from the rule. A
    /// site whose rates add up to more is an error that names them.
    pub fn rates_below(&self, rates: &[Operand], fastest: impl Into<Operand>) -> Expr {
        self.rates_at_most(rates, Some(fastest.into()))
    }

    fn rates_at_most(&self, rates: &[Operand], declared: Option<Operand>) -> Expr {
        self.push(|t| {
            let model = t.model();
            if rates.is_empty() {
                return t.fail(t.miscounted("rates", "at least one rate", 0));
            }
            if t.rates {
                return t.fail(ModelError::RatesTwice { model });
            }
            t.rates = true;
            let draw = name_draw(t, "rates");
            let rates: Vec<ValueId> = rates.iter().map(|r| t.resolve(*r)).collect();
            rates.iter().for_each(|rate| require(t, draw, Requirement::Rate, *rate));
            let fastest = match declared {
                Some(most) => {
                    let most = t.resolve(most);
                    if t.graph.rank(most) != Rank::Run {
                        return t.fail(ModelError::FastestPerSite { model });
                    }
                    let highest = t.graph.domain(most).highest;
                    if highest <= 0.0 || highest.is_nan() {
                        let complaint = "the highest sum of rates (most) is 0 or less, so that nothing would ever happen: give a \
                                         number above 0"
                            .to_string();
                        return t.fail(ModelError::Argument { model, complaint });
                    }
                    t.graph.result(Sink::Fastest, most);
                    most
                }
                None => t.graph.push(Op::Fastest),
            };
            let (mut sum, mut below, mut shares) = (t.graph.constant(0.0), Vec::new(), Vec::new());
            for rate in &rates {
                sum = t.graph.add(sum, *rate);
                below.push(t.graph.divide(sum, fastest));
                shares.push(t.graph.divide(*rate, fastest));
            }
            t.graph.result(Sink::TotalRate, sum);
            let all = below[below.len() - 1];
            if declared.is_some() {
                require(t, draw, Requirement::Share, all);
            }
            let mut beyond = t.graph.one_minus(all);
            shares.push(beyond);
            let mut above = vec![beyond];
            for share in shares[1..rates.len()].iter().rev() {
                beyond = t.graph.add(beyond, *share);
                above.push(beyond);
            }
            above.reverse();
            let u = t.graph.uniform(draw, 0, Rank::Site);
            t.graph.push(Op::Categorical { probabilities: shares, below, above, u })
        })
    }

    /// Moves what is at this site in a layer to the picked one, and leaves `left` here, where `when` is 1 and the picked
    /// site exists: beyond a fixed edge none does, and what is here stays. `when` is 0 or 1: for a probability draw it, by
    /// [`Scope::bernoulli`].
    pub fn move_to(&self, there: There, layer: &str, left: impl Into<Operand>, when: impl Into<Operand>) {
        let here = self.layer(layer);
        let when = self.condition(there, "`when` of move_to", when.into());
        let left = self.number(0.0).plus(left.into());
        self.next(layer).set(self.either(layer, when, left, here));
        self.next(layer).set_at(there, self.either(layer, when, here, here.at(there)));
    }

    /// Has this site and the picked one change places in a layer, where `when` is 1 and the picked site exists. `when` is 0 or
    /// 1: for a probability draw it, by [`Scope::bernoulli`]. Beyond a fixed edge no site exists, and nothing changes.
    pub fn swap_with(&self, there: There, layer: &str, when: impl Into<Operand>) {
        let (here, other) = (self.layer(layer), self.layer(layer).at(there));
        let when = self.condition(there, "`when` of swap_with", when.into());
        self.next(layer).set(self.either(layer, when, other, here));
        self.next(layer).set_at(there, self.either(layer, when, here, other));
    }

    /// Whether something is to happen at a picked site: 0 or 1, and 0 where there is no such site. What lies between would mix
    /// the values of both sites, and is refused.
    fn condition(&self, there: There, what: &str, when: Operand) -> Expr {
        let when = self.number(0.0).plus(when);
        let happens = there.exists() * when;
        with_trace(self.id, |t| {
            let alone = t.resolve(when.into());
            // Beyond an edge nothing happens, whatever the rule reads there.
            let refuted = Requirement::Condition.refuted_by(t.graph.domain(alone));
            let value = if refuted { alone } else { t.resolve(happens.into()) };
            check(t, what, Requirement::Condition, value);
        });
        happens
    }

    /// One of two values of a layer by a 0 or 1, such that derivatives reach that too; of several states it is a choice.
    fn either(&self, layer: &str, when: Expr, yes: Expr, no: Expr) -> Expr {
        let nominal = with_trace(self.id, |t| {
            t.graph.declarations.layers.iter().any(|own| own.name == layer && own.is_nominal())
        });
        if nominal == Some(true) { when.select(yes, no) } else { when * yes + (1.0 - when) * no }
    }
}

impl Next<'_> {
    /// Sets the value at a picked site. Written after the values of the site itself, in the order in which the rule says so;
    /// beyond a fixed edge nothing is written, whatever the rule says of the site itself: what it leaves behind for a site out
    /// there is gone ([`There::exists`] tells). Where the picked site is the site itself (drawn from the whole lattice, or
    /// mirrored at an edge) this comes last, and stays.
    pub fn set_at(self, there: There, value: impl Into<Operand>) {
        with_trace(self.scope.id, |t| {
            let value = t.resolve(value.into());
            let Some(place) = there.place_in(t) else { return };
            match find(t, &self.layer) {
                Err(error) => {
                    t.fail(error);
                }
                Ok(layer) => {
                    if let Err(error) = in_range(t, layer, value) {
                        t.fail(error);
                    }
                    let put = t.graph.push(Op::Put { value, place });
                    t.graph.result(Sink::Elsewhere(layer), put);
                }
            }
        });
    }
}
