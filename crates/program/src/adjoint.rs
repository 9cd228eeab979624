//! Turns a program into the program that runs it backwards.
//!
//! The adjoint reads the same state and noise as the forward program, recomputes what it needs of the forward values,
//! and accumulates derivatives from the results back to layers, parameters and fields. What a draw's derivative is
//! taken to be is the [`Estimator`]'s business; everything else is the chain rule.
//!
//! Reference: Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, ch. 3.

use std::collections::{BTreeMap, HashMap};

use crate::dataflow::reached;
use crate::declarations::FieldKind;
use crate::derivatives::{elementary, surrogate_slope};
use crate::estimators::{Draw, Estimator};
use crate::graph::Graph;
use crate::op::{Binary, Comparison, Op, Rank, ValueId};
use crate::passes::sublattices;
use crate::program::{Program, Sink};
use crate::switches::{is_switch, switches};
use crate::unary::Unary;
use crate::update::Update;

/// Derivatives gathered so far for one value.
#[derive(Clone, Copy, Default)]
struct Bar {
    /// Contributions of uses at site rank.
    site: Option<ValueId>,
    /// Contributions of uses below site rank.
    scalar: Option<ValueId>,
}

pub(crate) struct Adjoint {
    pub(crate) graph: Graph,
    active: Vec<bool>,
    /// Whether a value, or what it is computed from, may be infinite or not-a-number at some site; see [`steep`].
    steep: Vec<bool>,
    bars: HashMap<ValueId, Bar>,
    /// For categorical draws, by class: the derivative by "the draw came out as this class".
    classes: BTreeMap<(ValueId, u32), Bar>,
}

/// The program that runs `program` backwards under an estimator.
///
/// It reads [`Op::NextAdjoint`] and [`Op::OutputAdjoint`] and leaves [`Sink::LayerAdjoint`], [`Sink::ParameterAdjoint`]
/// and [`Sink::FieldAdjoint`] (for parameter fields). Where the estimator needs it, it reads [`Op::Advantage`].
///
/// `program` must be what the estimator simulates: pass [`Estimator::forward`]'s result. A rule that is applied colour
/// after colour is differentiated as the whole step that it makes; one that is applied by events has no derivative
/// ([`crate::Update::is_by_events`]), and what is left of it here is 0.
pub fn differentiate(program: &Program, estimator: &dyn Estimator) -> Program {
    // Only a step is applied to sites.
    let is_step = program.results.iter().any(|(sink, _)| matches!(sink, Sink::NextLayer(_)));
    let program = &match program.declarations.update {
        Update::Sublattices if is_step => sublattices(program, estimator.needs_advantage()),
        _ => program.simulated(),
    };
    let mut graph = Graph::new(program.declarations.clone());
    let renamed = graph.import(program, |_, _, _| None);
    let forward = graph.len();
    let declarations = &program.declarations;
    let unknown = |i: u32| matches!(declarations.fields[i as usize].kind, FieldKind::Parameter(_));
    let is_source = |v: ValueId| match graph.instruction(v).op {
        Op::Parameter(_) | Op::Layer(_) => true,
        Op::Field(i) => unknown(i),
        _ => false,
    };
    let hands_on = |v: ValueId| match &graph.instruction(v).op {
        Op::Hold(_) => Vec::new(),
        Op::Compare(..) => switches(graph.instructions(), v).switches,
        op => op.operands(),
    };
    let active = reached(graph.len(), is_source, hands_on);
    let steep = steep(&graph);
    let mut adjoint = Adjoint { graph, active, steep, bars: HashMap::new(), classes: BTreeMap::new() };
    for (sink, value) in &program.results {
        let value = renamed[value.index()];
        match sink {
            Sink::NextLayer(i) => adjoint.seed_layer(*i, value),
            Sink::Output(i) => {
                let seed = adjoint.graph.push(Op::OutputAdjoint(*i));
                adjoint.accumulate(value, seed, Rank::Replicate);
            }
            _ => {}
        }
    }
    for index in (0..forward as u32).rev() {
        adjoint.backward(ValueId(index), estimator);
    }
    adjoint.collect(forward);
    adjoint.graph.finish()
}

/// Which values may be infinite or not-a-number, or have such a slope, for numbers that their operands may have: those of
/// functions with a pole, and what is computed from them. A choice ends it: what is chosen is meant to be a number.
fn steep(graph: &Graph) -> Vec<bool> {
    // Beyond this the exponential is infinite in single precision.
    const LARGEST_EXPONENT: f64 = 88.0;
    let domain = |v: ValueId| graph.domain(v);
    let op = |v: ValueId| &graph.instruction(v).op;
    let has_pole = |v: ValueId| match op(v) {
        Op::Binary(Binary::Divide, _, b) => domain(*b).contains_zero(),
        Op::Binary(Binary::Power, a, _) => domain(*a).lowest <= 0.0,
        Op::Unary(Unary::SquareRoot | Unary::Logarithm, x) => domain(*x).lowest <= 0.0,
        Op::Unary(Unary::LogarithmOnePlus, x) => domain(*x).lowest <= -1.0,
        Op::Unary(Unary::Exponential | Unary::ExponentialMinusOne, x) => {
            domain(*x).highest > LARGEST_EXPONENT
        }
        Op::Unary(Unary::HyperbolicCosine, x) => !domain(*x).within(-LARGEST_EXPONENT, LARGEST_EXPONENT),
        _ => false,
    };
    let hands_on = |v: ValueId| match op(v) {
        own @ (Op::Unary(..) | Op::Binary(..)) => own.operands(),
        _ => Vec::new(),
    };
    reached(graph.len(), has_pole, hands_on)
}

impl Adjoint {
    /// Adds a contribution to the derivative by `value`, from a use at rank `used_at`.
    pub(crate) fn accumulate(&mut self, value: ValueId, contribution: ValueId, used_at: Rank) {
        if value.index() >= self.active.len() || !self.active[value.index()] {
            return;
        }
        let mut bar = self.bars.get(&value).copied().unwrap_or_default();
        self.add_to(&mut bar, contribution, used_at);
        self.bars.insert(value, bar);
    }

    /// Begins with the derivatives by a layer's next value; by each state, where its number means nothing.
    fn seed_layer(&mut self, layer: u32, value: ValueId) {
        let first = self.graph.declarations.adjoint_place(layer);
        let own = &self.graph.declarations.layers[layer as usize];
        let (nominal, places) = (own.is_nominal(), own.adjoint_places() as u32);
        for class in 0..places {
            let seed = self.graph.push(Op::NextAdjoint(first + class));
            match nominal {
                true => self.accumulate_class(value, class, seed, Rank::Site),
                false => self.accumulate(value, seed, Rank::Site),
            }
        }
    }

    fn accumulate_class(&mut self, draw: ValueId, class: u32, contribution: ValueId, used_at: Rank) {
        let mut bar = self.classes.get(&(draw, class)).copied().unwrap_or_default();
        self.add_to(&mut bar, contribution, used_at);
        self.classes.insert((draw, class), bar);
    }

    fn add_to(&mut self, bar: &mut Bar, contribution: ValueId, used_at: Rank) {
        let slot = if used_at == Rank::Site { &mut bar.site } else { &mut bar.scalar };
        *slot = Some(match *slot {
            Some(sum) => self.graph.add(sum, contribution),
            None => contribution,
        });
    }

    /// The whole derivative by a value of the given rank.
    fn total(&mut self, bar: Bar, rank: Rank) -> Option<ValueId> {
        match (bar.site, bar.scalar) {
            (None, scalar) => scalar,
            (Some(site), None) if rank == Rank::Site => Some(site),
            (Some(site), Some(scalar)) if rank == Rank::Site => Some(self.graph.add(site, scalar)),
            (Some(site), scalar) => {
                let summed = self.graph.site_sum(site);
                Some(scalar.map_or(summed, |scalar| self.graph.add(summed, scalar)))
            }
        }
    }

    fn bar_of(&mut self, value: ValueId) -> Option<ValueId> {
        let bar = self.bars.get(&value).copied()?;
        let rank = self.graph.rank(value);
        self.total(bar, rank)
    }

    fn backward(&mut self, value: ValueId, estimator: &dyn Estimator) {
        if !self.active[value.index()] {
            return;
        }
        let op = self.graph.instruction(value).op.clone();
        if let Op::Bernoulli { .. } | Op::Categorical { .. } | Op::Count { .. } = op {
            self.backward_draw(value, &op, estimator);
            return;
        }
        self.backward_states(value, &op);
        let Some(bar) = self.bar_of(value) else { return };
        let rank = self.graph.rank(value);
        match op {
            Op::Unary(..) | Op::Binary(..) => {
                for (operand, contribution) in elementary(&mut self.graph, value, &op, bar) {
                    let contribution = self.where_it_matters(value, bar, contribution);
                    self.accumulate(operand, contribution, rank);
                }
            }
            Op::Select(condition, yes, no) => {
                let zero = self.graph.constant(0.0);
                let (to_yes, to_no) =
                    (self.graph.select(condition, bar, zero), self.graph.select(condition, zero, bar));
                self.accumulate(yes, to_yes, rank);
                self.accumulate(no, to_no, rank);
                let difference = |g: &mut Graph| g.subtract(yes, no);
                self.backward_choice(condition, bar, rank, difference);
            }
            Op::Compare(..) => self.backward_comparison(value, bar, rank),
            Op::Heaviside(x, surrogate) => {
                let slope = surrogate_slope(&mut self.graph, x, surrogate);
                let contribution = self.graph.multiply(bar, slope);
                self.accumulate(x, contribution, rank);
            }
            Op::Round(x, surrogate) => {
                let below = self.graph.unary(Unary::Floor, x);
                let half = self.graph.constant(0.5);
                let fraction = self.graph.subtract(x, below);
                let from_step = self.graph.subtract(fraction, half);
                let slope = surrogate_slope(&mut self.graph, from_step, surrogate);
                let contribution = self.graph.multiply(bar, slope);
                self.accumulate(x, contribution, rank);
            }
            Op::Replace { gradient, .. } => self.accumulate(gradient, bar, rank),
            Op::Shift { x, offset, transposed } => {
                let back = self.transposed_read(bar, |x| Op::Shift { x, offset, transposed: !transposed });
                self.accumulate(x, back, rank);
            }
            Op::NeighbourSum { x, neighbourhood, transposed } => {
                let back = self.transposed_read(bar, |x| Op::NeighbourSum {
                    x,
                    neighbourhood,
                    transposed: !transposed,
                });
                self.accumulate(x, back, rank);
            }
            Op::Translate { x, direction, offsets, transposed } => {
                self.backward_direction(bar, x, direction, offsets);
                let back = self.transposed_read(bar, |x| Op::Translate {
                    x,
                    direction,
                    offsets,
                    transposed: !transposed,
                });
                self.accumulate(x, back, rank);
            }
            // What each site of a cell is worth to all that read the cell's sum.
            Op::CellSum { x, labels, at, cells } => {
                let back = self.graph.push(Op::CellSum { x: bar, labels: at, at: labels, cells });
                self.accumulate(x, back, rank);
            }
            Op::SiteSum(x) => self.accumulate(x, bar, Rank::Site),
            Op::Spread(x) => self.accumulate(x, bar, Rank::Site),
            Op::Indicator { draw, class } => self.accumulate_class(draw, class, bar, rank),
            // Held values and noise have no derivative; sources are collected at the end.
            _ => {}
        }
    }

    /// The derivative by a condition of 0 or 1, in which a choice is linear: c · yes + (1 − c) · no.
    fn backward_choice(
        &mut self,
        condition: ValueId,
        bar: ValueId,
        rank: Rank,
        difference: impl FnOnce(&mut Graph) -> ValueId,
    ) {
        if !self.active[condition.index()] || !is_switch(self.graph.instruction(condition)) {
            return;
        }
        let difference = difference(&mut self.graph);
        let mut contribution = self.graph.multiply(bar, difference);
        let domain = self.graph.domain(contribution);
        if domain.nan || !(domain.lowest.is_finite() && domain.highest.is_finite()) {
            // Of a branch that is not taken, such as that of where(c, p / n, 0) at n = 0, the value may be infinite.
            const LARGEST: f64 = 3e38;
            let (largest, zero) = (self.graph.constant(LARGEST), self.graph.constant(0.0));
            let size = self.graph.unary(Unary::Absolute, difference);
            let is_number = self.graph.compare(Comparison::LessOrEqual, size, largest);
            contribution = self.graph.select(is_number, contribution, zero);
        }
        self.accumulate(condition, contribution, rank);
    }

    /// The derivative by each value of 0 or 1 that is compared: what the comparison is at 1, less what it is at 0.
    fn backward_comparison(&mut self, value: ValueId, bar: ValueId, rank: Rank) {
        let found = switches(self.graph.instructions(), value);
        for switch in found.switches {
            if !self.active[switch.index()] {
                continue;
            }
            let [there, not] = [1.0, 0.0].map(|number| {
                let number = self.graph.constant(number);
                let mut renamed = HashMap::from([(switch, number)]);
                for own in found.between.iter().chain([&value]) {
                    let mut op = self.graph.instruction(*own).op.clone();
                    op.visit_mut(|v| *v = renamed.get(v).copied().unwrap_or(*v));
                    let anew = self.graph.push(op);
                    renamed.insert(*own, anew);
                }
                renamed[&value]
            });
            let difference = self.graph.subtract(there, not);
            let contribution = self.graph.multiply(bar, difference);
            self.accumulate(switch, contribution, rank);
        }
    }

    /// A contribution where anything depends on the value, else 0: of a branch that is not taken, as that of
    /// where(n > 0, p / n, 0) at n = 0, the slope may be infinite, and 0 · ∞ is no number.
    fn where_it_matters(&mut self, value: ValueId, bar: ValueId, contribution: ValueId) -> ValueId {
        if !self.steep[value.index()] || contribution == bar {
            return contribution;
        }
        let zero = self.graph.constant(0.0);
        let idle = self.graph.compare(Comparison::Equal, bar, zero);
        self.graph.select(idle, zero, contribution)
    }

    /// Hands on derivatives by states where a value is a state that another value was, chosen or moved.
    fn backward_states(&mut self, value: ValueId, op: &Op) {
        let own = (value, 0)..=(value, u32::MAX);
        let classes: Vec<u32> = self.classes.range(own).map(|((_, class), _)| *class).collect();
        let rank = self.graph.rank(value);
        for class in classes {
            let bar = self.classes.get(&(value, class)).copied();
            let Some(bar) = bar.and_then(|b| self.total(b, rank)) else { continue };
            match *op {
                Op::Select(condition, yes, no) => {
                    let zero = self.graph.constant(0.0);
                    let to_yes = self.graph.select(condition, bar, zero);
                    let to_no = self.graph.select(condition, zero, bar);
                    self.accumulate_class(yes, class, to_yes, rank);
                    self.accumulate_class(no, class, to_no, rank);
                    self.backward_choice(condition, bar, rank, |g| {
                        let is = |g: &mut Graph, state| g.push(Op::Indicator { draw: state, class });
                        let (chosen, other) = (is(g, yes), is(g, no));
                        g.subtract(chosen, other)
                    });
                }
                Op::Replace { gradient, .. } => self.accumulate_class(gradient, class, bar, rank),
                Op::Shift { x, offset, transposed } => {
                    let transposed = !transposed;
                    let back = self.transposed_read(bar, |bar| Op::Shift { x: bar, offset, transposed });
                    self.accumulate_class(x, class, back, rank);
                }
                _ => {}
            }
        }
    }

    /// The transposed read of a derivative, which is first repeated at every site where it is one number.
    fn transposed_read(&mut self, bar: ValueId, read: impl FnOnce(ValueId) -> Op) -> ValueId {
        let field = self.graph.push(Op::Spread(bar));
        let op = read(field);
        self.graph.push(op)
    }

    /// The derivative by the direction of a translation: what the sum would change by had the plane moved otherwise.
    fn backward_direction(&mut self, bar: ValueId, x: ValueId, direction: ValueId, offsets: u32) {
        let is_draw = matches!(self.graph.instruction(direction).op, Op::Categorical { .. });
        if !is_draw || !self.active[direction.index()] {
            return;
        }
        let members = self.graph.declarations.neighbourhoods[offsets as usize].offsets().to_vec();
        for (class, offset) in members.into_iter().enumerate() {
            let moved = self.graph.shift(x, offset.map(|d| -d));
            let product = self.graph.multiply(bar, moved);
            let sum = self.graph.site_sum(product);
            self.accumulate_class(direction, class as u32, sum, Rank::Replicate);
        }
    }

    fn backward_draw(&mut self, value: ValueId, op: &Op, estimator: &dyn Estimator) {
        let rank = self.graph.rank(value);
        let bar = self.bar_of(value);
        let contributions = match op {
            Op::Bernoulli { p, u, .. } => {
                let draw = Draw::new(&self.graph, value, *u);
                let to_p = estimator.bernoulli(&mut self.graph, &draw, *p, bar);
                to_p.map(|c| (*p, c)).into_iter().collect()
            }
            Op::Categorical { probabilities, u, .. } => {
                let draw = Draw::new(&self.graph, value, *u);
                let bars: Vec<_> =
                    (0..probabilities.len() as u32).map(|k| self.class_bar(value, k, bar)).collect();
                let to = estimator.categorical(&mut self.graph, &draw, probabilities, &bars);
                probabilities.iter().zip(to).filter_map(|(p, c)| c.map(|c| (*p, c))).collect()
            }
            Op::Count { law, arguments, .. } => estimator.count(&mut self.graph, value, *law, arguments, bar),
            _ => Vec::new(),
        };
        for (operand, contribution) in contributions {
            self.accumulate(operand, contribution, rank);
        }
    }

    /// The derivative by "the draw came out as class k": from its indicators and from its use as the number k.
    fn class_bar(&mut self, draw: ValueId, class: u32, bar: Option<ValueId>) -> Option<ValueId> {
        let rank = self.graph.rank(draw);
        let from_indicator = self.classes.get(&(draw, class)).copied();
        let from_indicator = from_indicator.and_then(|b| self.total(b, rank));
        let from_number = if class == 0 { None } else { bar.map(|b| self.graph.scale(f64::from(class), b)) };
        match (from_indicator, from_number) {
            (Some(a), Some(b)) => Some(self.graph.add(a, b)),
            (a, b) => a.or(b),
        }
    }

    /// Leaves the derivatives of the sources as results.
    fn collect(&mut self, forward: usize) {
        for index in 0..forward as u32 {
            let value = ValueId(index);
            let sink = match self.graph.instruction(value).op {
                Op::Layer(i) if self.graph.declarations.layers[i as usize].is_nominal() => {
                    self.collect_states(value, i);
                    continue;
                }
                Op::Layer(i) => Sink::LayerAdjoint(self.graph.declarations.adjoint_place(i)),
                Op::Parameter(i) => Sink::ParameterAdjoint(i),
                Op::Field(i) if self.active[value.index()] => Sink::FieldAdjoint(i),
                _ => continue,
            };
            if let Some(bar) = self.bar_of(value) {
                self.graph.result(sink, bar);
            }
        }
    }

    /// Leaves the derivative by each state of a layer.
    fn collect_states(&mut self, value: ValueId, layer: u32) {
        let first = self.graph.declarations.adjoint_place(layer);
        let places = self.graph.declarations.layers[layer as usize].adjoint_places() as u32;
        let bar = self.bar_of(value);
        for class in 0..places {
            if let Some(bar) = self.class_bar(value, class, bar) {
                self.graph.result(Sink::LayerAdjoint(first + class), bar);
            }
        }
    }
}
