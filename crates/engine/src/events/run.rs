//! Runs the events of one step.

use glauber_numbers::noise::{EVENT_COUNT_LANE, EVENT_LANES, one_of};
use glauber_numbers::real::Real;
use glauber_program::{Binary, Comparison, CountLaw};

use super::compile::{From, Instruction, Picked, Rule, Source, required};
use super::machine::{Events, Trouble};
use crate::fault::Fault;
use crate::inputs::Address;
use crate::kernels::{Drawn, Lane, box_muller, draw};
use crate::plane::{Plane, Stored};
use glauber_numbers::elementary;

/// Random numbers are drawn for this many events at a time.
const RUN: usize = 512;

/// The event at hand.
struct Event {
    /// Its number within the step.
    number: u32,
    /// Its place among the random numbers at hand.
    index: usize,
    /// Where its site stands, and the sites it has picked; none beyond a fixed edge.
    places: [usize; 9],
    outside: [bool; 9],
    address: Address,
}

impl<F: Lane> Events<F> {
    /// Carries a state through one step.
    pub(crate) fn run(&mut self, layers: &mut [Plane<F>], address: Address) -> Result<(), Trouble> {
        self.make_ready(address)?;
        let rule = self.rule.clone();
        let sites = rule.layout.sites();
        let mut events = rule.events.map_or(sites as u64, u64::from);
        if rule.continuous {
            let mean = sites as f64 * self.highest;
            if !(mean <= 4e9) {
                return Err(Trouble::TooManyEvents(mean));
            }
            let key = address.key(0, EVENT_COUNT_LANE);
            events = CountLaw::Poisson.draw(&key, 0, [mean, 0.0]) as u64;
        }
        match rule.pick {
            Picked::AnySite => {}
            Picked::EachOnce => {
                self.order.clear();
                self.order.extend(0..sites as u32);
                if rule.events.is_none() {
                    events = sites as u64;
                }
            }
            Picked::Among { layer, state } => {
                let plane = &layers[layer as usize];
                let edges = &self.edges;
                let places = (0..sites).map(|site| edges.place_of(site));
                let state = F::from_i32(state);
                self.agents.gather(rule.layout.padded_len(), places, |place| value(plane, place) == state);
                if rule.events.is_none() {
                    events = self.agents.len() as u64;
                }
                if self.agents.len() == 0 {
                    return Err(Trouble::NoAgents);
                }
            }
        }
        let mut first = 0;
        while first < events {
            let count = (events - first).min(RUN as u64) as usize;
            self.draw(&rule, first as u32, count, address);
            for index in 0..count {
                let number = first as u32 + index as u32;
                let here = self.site(&rule, number, index, events)?;
                let event = Event { number, index, places: [here; 9], outside: [false; 9], address };
                self.event(&rule, layers, event)?;
            }
            first += count as u64;
        }
        Ok(())
    }

    /// Draws the random numbers of a run of events.
    fn draw(&mut self, rule: &Rule, first: u32, count: usize, address: Address) {
        let picks = EVENT_LANES.map(|lane| (0, lane));
        let anywhere = rule.anywhere.iter().flat_map(|draw| [(*draw, 0), (*draw, 1)]);
        for ((number, lane), own) in picks.into_iter().chain(anywhere).zip(&mut self.words) {
            own.resize(count, 0);
            let key = address.key(number, lane);
            draw::<F>(self.simd, Drawn::Words(own), key, first);
        }
        for (noise, own) in rule.noise.iter().zip(&mut self.noise) {
            own.resize(count, F::ZERO);
            let key = address.key(noise.draw, noise.lane);
            let drawn = if noise.centred { Drawn::Centred(own) } else { Drawn::Uniform(own) };
            draw(self.simd, drawn, key, first);
        }
    }

    fn bits(&self, pair: usize, index: usize) -> u64 {
        u64::from(self.words[pair][index]) << 32 | u64::from(self.words[pair + 1][index])
    }

    /// Where the site of an event stands.
    #[inline(always)]
    fn site(&mut self, rule: &Rule, number: u32, index: usize, events: u64) -> Result<usize, Trouble> {
        let bits = self.bits(0, index);
        match rule.pick {
            Picked::AnySite => Ok(self.anywhere(rule, bits)),
            Picked::EachOnce => {
                // Fisher and Yates, one exchange for each event.
                let (sites, number) = (self.order.len() as u64, u64::from(number));
                let at = number % sites;
                let other = at + one_of(bits, sites - at);
                debug_assert!(number < events);
                self.order.swap(at as usize, other as usize);
                Ok(self.edges.place_of(self.order[at as usize] as usize))
            }
            Picked::Among { .. } => match self.agents.len() {
                0 => Err(Trouble::NoAgents),
                agents => Ok(self.agents.place(one_of(bits, agents as u64) as usize)),
            },
        }
    }

    /// Where a site of the lattice stands that 64 bits pick: of its row-major number ⌊bits · sites / 2⁶⁴⌋, axis by axis.
    #[inline(always)]
    fn anywhere(&self, rule: &Rule, bits: u64) -> usize {
        let extent = rule.layout.extent();
        let mut rest = bits;
        let site = extent.map(|length| {
            let product = u128::from(rest) * length as u128;
            rest = product as u64;
            (product >> 64) as usize
        });
        self.edges.place(site)
    }

    #[inline(always)]
    fn read(&self, layers: &[Plane<F>], source: Source, place: usize) -> F {
        match source {
            Source::Layer(i) => value(&layers[i as usize], place),
            Source::Field(i) => value(&self.fields[i as usize], place),
            Source::Inside => value(&self.inside, place),
            Source::Edge => value(&self.edge, place),
        }
    }

    #[inline(always)]
    fn event(&mut self, rule: &Rule, layers: &mut [Plane<F>], mut event: Event) -> Result<(), Trouble> {
        for instruction in &rule.instructions {
            let r = |register: u16| self.registers[register as usize];
            let (to, result) = match *instruction {
                Instruction::Read { to, source, from, distance } => {
                    (to, self.read(layers, source, moved(&event, from, distance)))
                }
                Instruction::Count { to, source, from, start, count } => {
                    let distances = &rule.distances[start as usize..start as usize + count as usize];
                    (to, self.count(layers, source, &event, from, distances))
                }
                Instruction::Sum { to, source, from, start, count } => {
                    let range = start as usize..start as usize + count as usize;
                    let terms = rule.distances[range.clone()].iter().zip(&rule.weights[range]);
                    let sum = terms.fold(F::ZERO, |sum, (distance, weight)| {
                        sum + F::from_f64(*weight) * self.read(layers, source, moved(&event, from, *distance))
                    });
                    (to, sum)
                }
                Instruction::Coordinate { to, axis, from, distance } => {
                    let [_, height, width] = rule.layout.extent();
                    let site = self.edges.number(moved(&event, from, distance));
                    let at = [site / (height * width), site / width % height, site % width];
                    (to, F::from_i32(at[axis as usize] as i32))
                }
                Instruction::Noise { to, slot } => (to, self.noise[slot as usize][event.index]),
                Instruction::Unary { to, function, a } => (to, function.value(r(a))),
                Instruction::Binary { to, function, a, b } => (to, binary(function, r(a), r(b))),
                Instruction::Compare { to, comparison, a, b } => (to, compare(comparison, r(a), r(b))),
                Instruction::Select { to, condition, yes, no } => {
                    (to, if r(condition) != F::ZERO { r(yes) } else { r(no) })
                }
                Instruction::Round { to, a } => (to, r(a).round_ties_even()),
                Instruction::Normal { to, a, b } => (to, box_muller(r(a), r(b))),
                Instruction::Law { to, law, draw, a, b } => {
                    let key = event.address.key(draw, 0);
                    let arguments = [r(a).to_f64(), r(b).to_f64()];
                    (to, F::from_f64(law.draw(&key, event.number, arguments)))
                }
                Instruction::Lookup { to, table, keys } => {
                    let table = &self.tables[table as usize];
                    let mut entry = 0;
                    for (place, key) in keys.iter().enumerate() {
                        entry += (r(*key).nearest_i32() - table.lowest[place]) * table.strides[place];
                    }
                    (to, table.values[entry as usize])
                }
                Instruction::Neighbour { from, direction, start, count } => {
                    let class = (r(direction).nearest_i32().max(0) as usize).min(count as usize - 1);
                    let place =
                        (event.places[0] as isize + rule.distances[start as usize + class] as isize) as usize;
                    match self.edges.site(place) {
                        Some(site) => event.places[from as usize] = site,
                        None => {
                            event.places[from as usize] = place;
                            event.outside[from as usize] = true;
                        }
                    }
                    continue;
                }
                Instruction::Anywhere { from, slot } => {
                    let bits = self.bits(2 + 2 * slot as usize, event.index);
                    event.places[from as usize] = self.anywhere(rule, bits);
                    continue;
                }
                Instruction::Check { check, a } => {
                    let found = r(a).to_f64();
                    if !required(&rule.program, check).allows(found, F::EPSILON.to_f64()) {
                        let site = self.edges.number(event.places[0]);
                        return Err(Trouble::Fault(Fault::Refused { check, site, value: found }));
                    }
                    continue;
                }
                Instruction::Write { layer, from, a } => {
                    if !event.outside[from as usize] {
                        let (place, value) = (event.places[from as usize], r(a));
                        self.write(rule, layers, layer, place, value)?;
                    }
                    continue;
                }
            };
            self.registers[to as usize] = result;
        }
        Ok(())
    }

    #[inline(always)]
    fn count(&self, layers: &[Plane<F>], source: Source, event: &Event, from: From, distances: &[i32]) -> F {
        let plane = match source {
            Source::Layer(i) => &layers[i as usize],
            Source::Field(i) => &self.fields[i as usize],
            Source::Inside => &self.inside,
            Source::Edge => &self.edge,
        };
        if let Plane::U8(bytes) = plane {
            let sum: i32 = distances.iter().map(|d| i32::from(bytes[moved(event, from, *d)])).sum();
            return F::from_i32(sum);
        }
        distances.iter().fold(F::ZERO, |sum, d| sum + value(plane, moved(event, from, *d)))
    }

    #[inline(always)]
    fn write(
        &mut self,
        rule: &Rule,
        layers: &mut [Plane<F>],
        layer: u16,
        place: usize,
        new: F,
    ) -> Result<(), Trouble> {
        let plane = &mut layers[layer as usize];
        if value(plane, place) == new {
            return Ok(());
        }
        let values = &rule.program.declarations().layers[layer as usize].values;
        let (lowest, highest) = values.range();
        let number = new.to_f64();
        let whole = !values.is_integer() || number.fract().abs() <= 0.0;
        if !(number >= lowest && number <= highest && whole) && values.is_integer() {
            let site = self.edges.number(place);
            return Err(Trouble::Fault(Fault::OutOfRange { layer: u32::from(layer), site, value: number }));
        }
        if let Picked::Among { layer: own, state } = rule.pick {
            if own == layer {
                self.agents.set(place, new == F::from_i32(state));
            }
        }
        store(plane, place, new);
        self.edges.images(place, |image| store(plane, image, new));
        Ok(())
    }
}

#[inline(always)]
fn moved(event: &Event, from: From, distance: i32) -> usize {
    (event.places[from as usize] as isize + distance as isize) as usize
}

#[inline(always)]
fn value<F: Lane>(plane: &Plane<F>, place: usize) -> F {
    match plane {
        Plane::U8(v) => F::from_i32(i32::from(v[place])),
        Plane::I16(v) => F::from_i32(i32::from(v[place])),
        Plane::I32(v) => F::from_f64(f64::from(v[place])),
        Plane::Real(v) => v[place],
    }
}

#[inline(always)]
fn store<F: Lane>(plane: &mut Plane<F>, place: usize, value: F) {
    match plane {
        Plane::U8(v) => v[place] = value.nearest_i32() as u8,
        Plane::I16(v) => v[place] = value.nearest_i32() as i16,
        Plane::I32(v) => v[place] = Stored::from_number(value.to_f64()),
        Plane::Real(v) => v[place] = value,
    }
}

#[inline(always)]
fn binary<F: Real>(function: Binary, a: F, b: F) -> F {
    match function {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Power => elementary::pow(a, b),
        Binary::Minimum => a.min(b),
        Binary::Maximum => a.max(b),
    }
}

#[inline(always)]
fn compare<F: Real>(comparison: Comparison, a: F, b: F) -> F {
    #[allow(clippy::float_cmp)] // The instruction means exact equality.
    let holds = match comparison {
        Comparison::Equal => a == b,
        Comparison::Less => a < b,
        Comparison::LessOrEqual => a <= b,
    };
    if holds { F::ONE } else { F::ZERO }
}
