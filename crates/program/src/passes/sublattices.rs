//! Writes a rule that is applied colour after colour as one step: the colours' updates one behind another.
//!
//! Whatever runs a synchronous step then runs it: states, derivatives, all estimators. Every site draws the same random
//! numbers whatever its colour is, since it is updated once in a step.

use glauber_lattice::{Boundary, Colouring, Offset};

use crate::counts::CountLaw;
use crate::declarations::Declarations;
use crate::graph::Graph;
use crate::op::{Comparison, Op, Place, ValueId};
use crate::program::{Program, Sink};
use crate::scheme::{at_neighbour, colouring, picks};
use crate::update::Update;

/// The whole step of a rule that is applied colour after colour. Where `scored`, the draws of sites that are not of the
/// colour at hand are certain, so that their outcome has no score.
pub fn sublattices(rule: &Program, scored: bool) -> Program {
    let rule = &rule.simulated();
    // Checked when the model was made: it has one.
    let Ok(colouring) = colouring(rule) else { return rule.clone() };
    let mut g = Graph::new(Declarations { update: Update::Synchronous, ..rule.declarations.clone() });
    let mut layers: Vec<ValueId> =
        (0..rule.declarations.layers.len() as u32).map(|i| g.push(Op::Layer(i))).collect();
    for colour in 0..colouring.colours {
        let own = mask(&mut g, &colouring, colour);
        layers = one_colour(&mut g, rule, own, &layers, scored);
    }
    for (i, value) in layers.into_iter().enumerate() {
        g.result(Sink::NextLayer(i as u32), value);
    }
    g.finish()
}

/// 1 at the sites of a colour.
pub fn mask(g: &mut Graph, colouring: &Colouring, colour: u32) -> ValueId {
    match colouring.colours {
        1 => g.constant(1.0),
        _ => g.push(Op::OfColour { colouring: *colouring, colour }),
    }
}

/// The layers after one colour's update, given those before.
fn one_colour(g: &mut Graph, rule: &Program, own: ValueId, layers: &[ValueId], scored: bool) -> Vec<ValueId> {
    let renamed = g.import(rule, |g, _, op| match op {
        Op::Layer(i) => Some(layers[*i as usize]),
        Op::There { x, place: Place::Neighbour { direction, offsets } } => {
            Some(at_neighbour(g, *x, *direction, *offsets))
        }
        Op::Put { value, .. } => Some(*value),
        Op::Inside(Place::Neighbour { direction, offsets }) => Some(exists(g, *direction, *offsets)),
        op if scored => scored_only(g, op, own),
        _ => None,
    });
    let mut after: Vec<ValueId> = layers.to_vec();
    for (sink, value) in &rule.results {
        match sink {
            Sink::NextLayer(i) => {
                let i = *i as usize;
                after[i] = g.select(own, renamed[value.index()], layers[i]);
            }
            Sink::Check(check) => {
                let harmless = g.declarations.checks[*check as usize].required.harmless();
                let harmless = g.constant(harmless);
                let checked = g.select(own, renamed[value.index()], harmless);
                g.result(*sink, checked);
            }
            _ => {}
        }
    }
    for (sink, value) in &rule.results {
        let Sink::Elsewhere(i) = sink else { continue };
        let Op::Put { place: Place::Neighbour { direction, offsets }, .. } = rule.instruction(*value).op
        else {
            continue;
        };
        let direction = renamed[direction.index()];
        let offsets = g.declarations.neighbourhoods[offsets as usize].offsets().to_vec();
        for (k, offset) in offsets.into_iter().enumerate() {
            // Seen from the site written to, the one that writes lies the other way.
            let back = offset.map(|d| -d);
            let towards = picks(g, direction, k);
            let writes = g.multiply(own, towards);
            let writes = arriving(g, writes, back);
            let written = g.shift(renamed[value.index()], back);
            let layer = &mut after[*i as usize];
            *layer = g.select(writes, written, *layer);
        }
    }
    after
}

/// 1 where the neighbour that a direction picks is a site, 0 where it lies beyond a fixed edge.
pub fn exists(g: &mut Graph, direction: ValueId, offsets: u32) -> ValueId {
    match marked(g) {
        None => g.constant(1.0),
        Some((everywhere, mark)) => {
            let seen = at_neighbour(g, everywhere, direction, offsets);
            g.compare(Comparison::Equal, seen, mark)
        }
    }
}

/// A field of one number that stands beyond no fixed edge, and the number; none where there is no fixed edge.
fn marked(g: &mut Graph) -> Option<(ValueId, ValueId)> {
    let beyond = |b: Boundary| match b {
        Boundary::Fixed(value) => Some(value),
        _ => None,
    };
    let edges: Vec<f64> = g.declarations.lattice.boundaries().into_iter().filter_map(beyond).collect();
    let highest = edges.into_iter().reduce(f64::max)?;
    let mark = g.constant(highest.floor() + 2.0);
    Some((g.push(Op::Spread(mark)), mark))
}

/// A condition seen from another site, false beyond fixed edges.
fn arriving(g: &mut Graph, condition: ValueId, offset: Offset) -> ValueId {
    let seen = g.shift(condition, offset);
    match marked(g) {
        None => seen,
        Some((everywhere, mark)) => {
            let there = g.shift(everywhere, offset);
            let exists = g.compare(Comparison::Equal, there, mark);
            g.multiply(exists, seen)
        }
    }
}

/// A draw that is certain where the site is not of the colour at hand.
fn scored_only(g: &mut Graph, op: &Op, own: ValueId) -> Option<ValueId> {
    let (zero, one) = (g.constant(0.0), g.constant(1.0));
    match op {
        Op::Bernoulli { p, rest, u } => {
            let p = g.select(own, *p, zero);
            let rest = rest.map(|rest| g.select(own, rest, one));
            Some(g.push(Op::Bernoulli { p, rest, u: *u }))
        }
        Op::Categorical { probabilities, below, above, u } => {
            let mut first = true;
            let mut certain = |g: &mut Graph, p: &ValueId| {
                let other = if std::mem::take(&mut first) { one } else { zero };
                g.select(own, *p, other)
            };
            let probabilities = probabilities.iter().map(|p| certain(g, p)).collect();
            let below = below.iter().map(|p| g.select(own, *p, one)).collect();
            let above = above.iter().map(|p| g.select(own, *p, zero)).collect();
            Some(g.push(Op::Categorical { probabilities, below, above, u: *u }))
        }
        Op::Count { law, arguments, draw, rank } => {
            let half = g.constant(0.5);
            let mut arguments = arguments.clone();
            if let Some(last) = arguments.last_mut() {
                let other = if *law == CountLaw::Poisson { one } else { half };
                *last = g.select(own, *last, other);
            }
            Some(g.push(Op::Count { law: *law, arguments, draw: *draw, rank: *rank }))
        }
        _ => None,
    }
}
