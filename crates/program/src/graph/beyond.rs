//! Reads values across fixed edges: there a layer has its own value, or the lattice's, and what a rule computes or draws
//! is what it makes of those.
//!
//! Beyond a fixed edge stands one site that never changes, all around: layers have their values there
//! ([`crate::Layer::edge`], else the number of [`Boundary::Fixed`]), fields and coordinates the lattice's number, and
//! its neighbours are as it is. A value that is read there is computed from these, or given (`given`); a draw whose
//! outcome is open there is made once a step. Instructions that read elsewhere know the lattice's number alone, so that
//! where that is not what stands there the read is written around it. (docs/decisions/0009-beyond-edges.md)

use glauber_lattice::{Boundary, Neighbourhood, Offset};

use super::Graph;
use crate::counts::CountLaw;
use crate::domain::Domain;
use crate::op::{Comparison, Op, Place, Rank, ValueId};

/// Whole numbers up to here are added without rounding in any precision.
const EXACT: f64 = 4_194_304.0;

/// A read at another site, of whatever value.
type Read<'r> = &'r dyn Fn(&mut Graph, ValueId) -> ValueId;

impl Graph {
    /// A value at a displaced site.
    pub(crate) fn shifted(&mut self, x: ValueId, offset: Offset, given: Option<ValueId>) -> ValueId {
        if offset == [0; 3] {
            return x;
        }
        self.across(x, given, &|g, x| g.shift(x, offset), None)
    }

    /// A plane moved as a whole, by the offset that a number picks.
    pub(crate) fn translated(
        &mut self,
        x: ValueId,
        direction: ValueId,
        offsets: u32,
        given: Option<ValueId>,
    ) -> ValueId {
        let read = |g: &mut Graph, x| g.push(Op::Translate { x, direction, offsets, transposed: false });
        self.across(x, given, &read, None)
    }

    /// A value at a site that is picked.
    pub(crate) fn at_place(&mut self, x: ValueId, place: Place, given: Option<ValueId>) -> ValueId {
        match place {
            Place::Anywhere { .. } if self.rank(x) != Rank::Site => x,
            Place::Anywhere { .. } => self.push(Op::There { x, place }),
            Place::Neighbour { .. } => {
                self.across(x, given, &|g, x| g.push(Op::There { x, place }), Some(place))
            }
        }
    }

    /// The weighted sum of a value over a neighbourhood.
    pub(crate) fn summed_around(
        &mut self,
        x: ValueId,
        neighbourhood: Neighbourhood,
        given: Option<ValueId>,
    ) -> ValueId {
        let total = neighbourhood.weights().iter().sum();
        if self.rank(x) != Rank::Site && (given.is_none() || !self.has_fixed_edge()) {
            return self.scale(total, x);
        }
        let x = self.push(Op::Spread(x));
        let number = self.declarations.neighbourhood(neighbourhood.clone());
        if !self.has_fixed_edge() {
            return self.push(Op::NeighbourSum { x, neighbourhood: number, transposed: false });
        }
        let sum = self.summed_at_edges(x, &neighbourhood, number, given);
        if let Some(beyond) = given {
            let beyond = self.scale(total, beyond);
            self.given.insert(sum, beyond);
        }
        sum
    }

    fn summed_at_edges(
        &mut self,
        x: ValueId,
        neighbourhood: &Neighbourhood,
        number: u32,
        given: Option<ValueId>,
    ) -> ValueId {
        let total = neighbourhood.weights().iter().sum();
        let plain = |x| Op::NeighbourSum { x, neighbourhood: number, transposed: false };
        if let Some(lattice) = self.one_number() {
            let edge = self.constant(lattice);
            let beyond = given.unwrap_or_else(|| self.outside(x, edge));
            if beyond == edge {
                return self.push(plain(x));
            }
            let above = self.subtract(beyond, edge);
            if self.is_exact(x, above) {
                // What differs from it is summed, which is the lattice's number beyond the edge.
                let differs = self.subtract(x, above);
                let sum = self.push(plain(differs));
                let rest = self.scale(total, above);
                return self.add(sum, rest);
            }
            let finite = |d: Domain| !d.nan && d.lowest.is_finite() && d.highest.is_finite();
            if finite(self.domain(above)) {
                let sum = self.push(plain(x));
                let missing = self.missing(neighbourhood, number, lattice);
                let rest = self.multiply(missing, above);
                return self.add(sum, rest);
            }
        }
        let mut sum = self.constant(0.0);
        for (offset, weight) in neighbourhood.offsets().iter().zip(neighbourhood.weights()) {
            let own = self.shifted(x, *offset, given);
            let own = self.scale(*weight, own);
            sum = self.add(sum, own);
        }
        sum
    }

    /// How many of a site's neighbours (by weight) lie beyond the edges: 0, and not nearly so, where none does.
    fn missing(&mut self, neighbourhood: &Neighbourhood, number: u32, lattice: f64) -> ValueId {
        let total = neighbourhood.weights().iter().sum();
        let whole = neighbourhood.weights().iter().all(|w| w.fract().abs() <= 0.0);
        let inner = self.constant(if lattice.abs() > 0.0 { 0.0 } else { 1.0 });
        let inner = self.push(Op::Spread(inner));
        let around = Op::NeighbourSum { x: inner, neighbourhood: number, transposed: false };
        if lattice.abs() > 0.0 {
            let (sum, lattice) = (self.push(around), self.constant(lattice));
            return self.divide(sum, lattice);
        }
        if whole {
            let (total, there) = (self.constant(total), self.push(around));
            return self.subtract(total, there);
        }
        let mut missing = self.constant(0.0);
        for (offset, weight) in neighbourhood.offsets().iter().zip(neighbourhood.weights()) {
            let there = self.shift(inner, *offset);
            let gone = self.one_minus(there);
            let gone = self.scale(*weight, gone);
            missing = self.add(missing, gone);
        }
        missing
    }

    /// A value as `read` reads it: the lattice's number beyond fixed edges gives way to what stands there.
    fn across(
        &mut self,
        x: ValueId,
        given: Option<ValueId>,
        read: Read<'_>,
        place: Option<Place>,
    ) -> ValueId {
        if self.rank(x) != Rank::Site && (given.is_none() || !self.has_fixed_edge()) {
            return x;
        }
        let x = self.push(Op::Spread(x));
        if !self.has_fixed_edge() {
            return read(self, x);
        }
        let value = self.read_at_edges(x, given, read, place);
        if let Some(beyond) = given {
            self.given.insert(value, beyond);
        }
        value
    }

    fn read_at_edges(
        &mut self,
        x: ValueId,
        given: Option<ValueId>,
        read: Read<'_>,
        place: Option<Place>,
    ) -> ValueId {
        let edge = match self.one_number() {
            Some(lattice) => self.constant(lattice),
            None => {
                // Several numbers: read from a field that is 0 on the lattice.
                let zero = self.constant(0.0);
                let zeros = self.push(Op::Spread(zero));
                read(self, zeros)
            }
        };
        let beyond = given.unwrap_or_else(|| self.outside(x, edge));
        if beyond == edge {
            return read(self, x);
        }
        let above = self.subtract(beyond, edge);
        if self.is_exact(x, above) && !self.is_nominal(x) {
            let differs = self.subtract(x, above);
            let plain = read(self, differs);
            return self.add(plain, above);
        }
        let plain = read(self, x);
        let inside = match place {
            Some(place) => self.push(Op::Inside(place)),
            None => {
                // A number that stands beyond no edge.
                let stands = |mark: f64| self.edge_numbers().any(|number| number.to_bits() == mark.to_bits());
                let mark = [1.0, 0.0, 2.0, 3.0].into_iter().find(|mark| !stands(*mark)).unwrap_or(4.0);
                let mark = self.constant(mark);
                let marks = self.push(Op::Spread(mark));
                let seen = read(self, marks);
                self.compare(Comparison::Equal, seen, mark)
            }
        };
        let value = self.select(inside, plain, beyond);
        self.edged.insert(value);
        value
    }

    /// Whether a number can be taken from a value, and added again, without rounding.
    fn is_exact(&self, x: ValueId, above: ValueId) -> bool {
        let domain = self.domain(x);
        let whole = |c: f64| c.fract().abs() <= 0.0 && c.abs() <= EXACT;
        domain.integer && domain.proves(-EXACT, EXACT) && self.constant_value(above).is_some_and(whole)
    }

    fn edge_numbers(&self) -> impl Iterator<Item = f64> + use<> {
        self.declarations.lattice.boundaries().into_iter().filter_map(|b| match b {
            Boundary::Fixed(value) => Some(value + 0.0),
            _ => None,
        })
    }

    /// The lattice's number beyond its fixed edges, where it is the same along all axes.
    fn one_number(&self) -> Option<f64> {
        let mut numbers = self.edge_numbers();
        let first = numbers.next()?;
        numbers.all(|other| other.to_bits() == first.to_bits()).then_some(first)
    }

    /// What a value is beyond fixed edges, where the lattice's number is `edge`.
    fn outside(&mut self, x: ValueId, edge: ValueId) -> ValueId {
        let mut open = vec![x];
        while let Some(value) = open.last().copied() {
            if self.beyond.contains_key(&(value, edge)) {
                open.pop();
                continue;
            }
            let waiting: Vec<ValueId> =
                match self.rank(value) == Rank::Site && !self.given.contains_key(&value) {
                    true => self.asked_beyond(value, edge),
                    false => Vec::new(),
                };
            if waiting.is_empty() {
                let own = self.outside_of(value, edge);
                self.beyond.insert((value, edge), own);
            } else {
                open.extend(waiting);
            }
        }
        self.beyond[&(x, edge)]
    }

    /// Which values have to be known beyond the edges before this one is. What decides a draw is not asked for where its
    /// outcome is certain.
    fn asked_beyond(&self, value: ValueId, edge: ValueId) -> Vec<ValueId> {
        let known = |v: &ValueId| self.beyond.get(&(*v, edge)).copied();
        let unknown = |of: Vec<ValueId>| of.into_iter().filter(|v| known(v).is_none()).collect::<Vec<_>>();
        let op = &self.instruction(value).op;
        let first = match op {
            Op::Put { value, .. } => vec![*value],
            Op::Inside(_) => Vec::new(),
            // Cells are made of what is on the lattice.
            Op::CellSum { at, .. } => vec![*at],
            Op::Shift { x, .. } | Op::Translate { x, .. } | Op::There { x, .. } => vec![*x],
            Op::Bernoulli { p, .. } => vec![*p],
            Op::Categorical { probabilities, .. } => probabilities.clone(),
            op => op.operands(),
        };
        let first = unknown(first);
        let certain = match op {
            Op::Bernoulli { p, .. } => known(p).and_then(|p| self.certain(&[p])).is_some(),
            Op::Categorical { probabilities, .. } => {
                let beyond: Option<Vec<ValueId>> = probabilities.iter().map(known).collect();
                beyond.and_then(|beyond| self.certain(&beyond)).is_some()
            }
            _ => true,
        };
        if first.is_empty() && !certain { unknown(op.operands()) } else { first }
    }

    /// The outcome of a draw with these probabilities, where it is certain: whether, of a single one; else which.
    fn certain(&self, probabilities: &[ValueId]) -> Option<usize> {
        let of = |p: &ValueId| self.constant_value(*p);
        match probabilities {
            [p] if of(p)? <= 0.0 => Some(0),
            [p] => (of(p)? >= 1.0).then_some(1),
            several => several.iter().position(|p| of(p).is_some_and(|p| p >= 1.0)),
        }
    }

    /// As [`Graph::outside`] for an instruction of which all that is asked is known there.
    fn outside_of(&mut self, value: ValueId, edge: ValueId) -> ValueId {
        if self.rank(value) != Rank::Site {
            return value;
        }
        if let Some(given) = self.given.get(&value) {
            return *given;
        }
        let mut op = self.instruction(value).op.clone();
        if let Op::CellSum { at, .. } = &mut op {
            *at = self.beyond.get(&(*at, edge)).copied().unwrap_or(*at);
            return self.push(op);
        }
        op.visit_mut(|v| *v = self.beyond.get(&(*v, edge)).copied().unwrap_or(*v));
        match op {
            Op::Layer(i) | Op::Target(i) => {
                let own = self.declarations.layers.get(i as usize).and_then(|layer| layer.edge);
                own.map_or(edge, |own| self.constant(own))
            }
            Op::Field(_) | Op::Coordinate(_) | Op::OfColour { .. } | Op::NextAdjoint(_) => edge,
            Op::Spread(x) | Op::Shift { x, .. } | Op::Translate { x, .. } | Op::There { x, .. } => x,
            Op::Put { value, .. } => value,
            Op::NeighbourSum { x, neighbourhood, .. } => {
                let own = &self.declarations.neighbourhoods[neighbourhood as usize];
                let total = own.weights().iter().sum();
                self.scale(total, x)
            }
            // It picks no site.
            Op::Inside(_) => self.constant(0.0),
            Op::Uniform { draw, lane, .. } => {
                let draw = self.draw_beyond(draw);
                self.uniform(draw, lane, Rank::Replicate)
            }
            // No trials, or events at the rate 0.
            Op::Count { law: CountLaw::Binomial | CountLaw::Poisson, ref arguments, .. }
                if self.constant_value(arguments[0]).is_some_and(|first| first.abs() <= 0.0) =>
            {
                self.constant(0.0)
            }
            Op::Count { law, arguments, draw, .. } => {
                let draw = self.draw_beyond(draw);
                self.push(Op::Count { law, arguments, draw, rank: Rank::Replicate })
            }
            Op::Bernoulli { p, .. } if self.certain(&[p]).is_some() => {
                let happens = self.certain(&[p]) == Some(1);
                self.constant(f64::from(u8::from(happens)))
            }
            Op::Categorical { ref probabilities, .. } => match self.certain(probabilities) {
                Some(class) if probabilities.len() > 1 => self.constant(class as f64),
                _ => self.push(op),
            },
            Op::Revealed { value, observed } if value == observed || self.constant_value(value).is_some() => {
                value
            }
            Op::Indicator { draw, class } if !self.is_nominal(draw) => {
                let class = self.constant(f64::from(class));
                self.compare(Comparison::Equal, draw, class)
            }
            op => self.push(op),
        }
    }

    /// The draw that is made beyond the edges as another is at each site.
    fn draw_beyond(&mut self, draw: u32) -> u32 {
        let draws = &mut self.declarations.draws;
        let name = format!("{} beyond the edges", draws.get(draw as usize).map_or("", String::as_str));
        let known = draws.iter().position(|own| *own == name);
        known.unwrap_or_else(|| {
            draws.push(name);
            draws.len() - 1
        }) as u32
    }
}
