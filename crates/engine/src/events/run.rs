//! Runs the events of one step: in order, but as many at a time as do not meet.
//!
//! Events are gathered as long as none of them reads what an earlier one of them may write (`gather`); then each
//! instruction runs over all of them, and then they write, one after another. What comes out is the same bits as if each
//! had been run by itself.

use glauber_numbers::elementary;
use glauber_numbers::noise::{EVENT_COUNT_LANE, EVENT_LANES, one_of};
use glauber_numbers::real::Real;
use glauber_program::{Binary, Comparison, CountLaw, MOST_COUNT, Requirement, Unary};

use super::batch::{Batch, MOST, RUN, moved};
use super::instruction::{Instruction, Picked, Source, Write};
use super::machine::{Events, Trouble};
use super::rule::Rule;
use crate::kernels::{Drawn, Lane, box_muller, draw, pick};
use glauber_backend::Fault;
use glauber_backend::inputs::Address;
use glauber_backend::plane::{Plane, Stored};

/// After so many events (some milliseconds) a step looks whether it is to stop.
const BETWEEN_LOOKS: u64 = 128 * RUN as u64;

impl<F: Lane> Events<F> {
    /// Carries a state through one step.
    pub(crate) fn run(
        &mut self,
        layers: &mut [Plane<F>],
        address: Address,
        stopped: impl Fn() -> bool,
    ) -> Result<(), Trouble> {
        self.make_ready(address)?;
        let rule = self.rule.clone();
        self.sums.iter_mut().try_for_each(|sums| sums.begin(layers, address))?;
        if self.idle {
            return self.look_everywhere(&rule, layers, address);
        }
        let events = self.number_of_events(&rule, layers, address)?;
        let mut batch = std::mem::take(&mut self.batch);
        let mut first = 0;
        let mut outcome = Ok(());
        while first < events && outcome.is_ok() {
            if first > 0 && first % BETWEEN_LOOKS == 0 && stopped() {
                outcome = Err(Trouble::Stopped);
                break;
            }
            let count = (events - first).min(RUN as u64) as usize;
            self.draw(&rule, first as u32, count, address);
            outcome = self.find_sites(&rule, first as u32, count);
            let mut index = 0;
            while index < count && outcome.is_ok() {
                batch.begin(first as u32 + index as u32, index);
                outcome = self.gather(&rule, &mut batch, count);
                outcome = outcome.and_then(|()| self.compute(&rule, layers, &mut batch, address));
                outcome = outcome.and_then(|()| self.write_all(&rule, layers, &mut batch, address));
                index += batch.count;
            }
            first += count as u64;
        }
        self.batch = batch;
        outcome
    }

    /// Checks what the rule says at every site, where by its highest sum of rates nothing can happen: a rate below 0, or one above
    /// a highest sum of 0, would else never be met.
    fn look_everywhere(&mut self, rule: &Rule, layers: &[Plane<F>], address: Address) -> Result<(), Trouble> {
        let sites = rule.layout.sites();
        let mut batch = std::mem::take(&mut self.batch);
        let mut outcome = Ok(());
        for first in (0..sites).step_by(MOST) {
            batch.begin(0, 0);
            batch.count = MOST.min(sites - first);
            self.draw(rule, 0, batch.count, address);
            for event in 0..batch.count {
                batch.places[event] = self.edges.place_of(first + event);
            }
            outcome = self.compute(rule, layers, &mut batch, address);
            // No rates at all, as a share of a highest sum of 0, are no number.
            batch.refused.retain(|(_, check, found)| {
                !(found.is_nan() && matches!(rule.required(*check), Requirement::Share))
            });
            if outcome.is_ok() {
                outcome = self.refused(&batch).map_or(Ok(()), Err);
            }
            if outcome.is_err() {
                break;
            }
        }
        self.batch = batch;
        if outcome.is_ok() && self.highest < 0.0 {
            return Err(Trouble::NoHighestRate(Some(self.highest)));
        }
        outcome
    }

    /// The first event of a batch that met a value that may not be.
    fn refused(&self, batch: &Batch) -> Option<Trouble> {
        let event = batch.refused.iter().map(|(event, ..)| *event).min()?;
        let (_, check, value) = *batch.refused.iter().find(|(own, ..)| *own == event)?;
        let site = self.edges.number(batch.places[event]);
        Some(Trouble::Fault(Fault::Refused { check, site, value }))
    }

    /// How many events the step has; makes ready what they are picked from.
    fn number_of_events(
        &mut self,
        rule: &Rule,
        layers: &[Plane<F>],
        address: Address,
    ) -> Result<u64, Trouble> {
        let sites = rule.layout.sites();
        let asked = rule.events.map(u64::from);
        if rule.continuous {
            let mean = sites as f64 * self.highest;
            if mean.is_nan() || mean > MOST_COUNT {
                return Err(Trouble::TooManyEvents(mean));
            }
            let key = address.key(0, EVENT_COUNT_LANE);
            return Ok(CountLaw::Poisson.draw(&key, 0, [mean, 0.0]) as u64);
        }
        match rule.pick {
            Picked::AnySite => {}
            Picked::EachOnce => {
                self.order.clear();
                self.order.extend(0..sites as u32);
            }
            Picked::Among { layer, state } => {
                let (plane, edges) = (&layers[layer as usize], &self.edges);
                let places = (0..sites).map(|site| edges.place_of(site));
                let state = F::from_i32(state);
                self.agents.gather(rule.layout.padded_len(), places, |place| value(plane, place) == state);
                return match self.agents.len() as u64 {
                    0 => Err(Trouble::NoAgents),
                    agents => Ok(asked.unwrap_or(agents)),
                };
            }
        }
        Ok(asked.unwrap_or(sites as u64))
    }

    /// Draws the random numbers of a run of events.
    fn draw(&mut self, rule: &Rule, first: u32, count: usize, address: Address) {
        let picks = EVENT_LANES.map(|lane| (0, lane));
        let anywhere = rule.anywhere.iter().flat_map(|draw| [(*draw, 0), (*draw, 1)]);
        for ((number, lane), own) in picks.into_iter().chain(anywhere).zip(self.words.chunks_exact_mut(RUN)) {
            let key = address.key(number, lane);
            draw::<F>(self.simd, Drawn::Words(&mut own[..count]), key, first);
        }
        for (noise, own) in rule.noise.iter().zip(self.noise.chunks_exact_mut(RUN)) {
            let (own, key) = (&mut own[..count], address.key(noise.draw, noise.lane));
            let drawn = if noise.centred { Drawn::Centred(own) } else { Drawn::Uniform(own) };
            draw(self.simd, drawn, key, first);
        }
    }

    fn bits(&self, pair: usize, index: usize) -> u64 {
        let (high, low) = (self.words[pair * RUN + index], self.words[(pair + 1) * RUN + index]);
        u64::from(high) << 32 | u64::from(low)
    }

    /// Finds the sites of a run of events, where none depends on what events do.
    fn find_sites(&mut self, rule: &Rule, first: u32, count: usize) -> Result<(), Trouble> {
        match rule.pick {
            _ if !rule.knows_sites_ahead() => {}
            Picked::AnySite => {
                let (high, low) = self.words.split_at(RUN);
                let found = (&mut self.sites.places[..count], &mut self.sites.near_edge[..count]);
                pick(self.simd, &self.axes, [&high[..count], &low[..count]], found);
            }
            Picked::EachOnce => {
                // Fisher and Yates.
                let sites = self.order.len();
                for index in 0..count {
                    let at = (first as usize + index) % sites;
                    let other = at + one_of(self.bits(0, index), (sites - at) as u64) as usize;
                    self.order.swap(at, other);
                    self.sites.places[index] = self.edges.place_of(self.order[at] as usize) as u32;
                }
            }
            Picked::Among { .. } => {
                for index in 0..count {
                    self.sites.places[index] = self.agent(index)? as u32;
                }
            }
        }
        Ok(())
    }

    /// Where the agent stands that an event picks.
    fn agent(&self, index: usize) -> Result<usize, Trouble> {
        match self.agents.len() {
            0 => Err(Trouble::NoAgents),
            agents => Ok(self.agents.place(one_of(self.bits(0, index), agents as u64) as usize)),
        }
    }

    /// Gathers events up to the first that reads what one of them may write; at least one.
    fn gather(&mut self, rule: &Rule, batch: &mut Batch, count: usize) -> Result<(), Trouble> {
        if !rule.may_gather() {
            let index = batch.index;
            batch.places[0] = match rule.knows_sites_ahead() {
                true => self.sites.places[index] as usize,
                false => self.agent(index)?,
            };
            batch.near_edge[0] = self.sites.near_edge[index];
            batch.count = 1;
            return Ok(());
        }
        let most = self.sums.as_ref().map_or(MOST, |sums| sums.worth).min(count - batch.index);
        // The usual neighbourhoods as loops of fixed length.
        match *rule.reads {
            [a] => self.gather_up_to(rule, batch, most, &[a]),
            [a, b, c, d, e] => self.gather_up_to(rule, batch, most, &[a, b, c, d, e]),
            [a, b, c, d, e, f, g, h, i] => {
                self.gather_up_to(rule, batch, most, &[a, b, c, d, e, f, g, h, i]);
            }
            _ => self.gather_up_to(rule, batch, most, &rule.reads),
        }
        Ok(())
    }

    /// Gathers `most` events, or as many as none of which reads at `reads` what an earlier one may write.
    #[inline(always)]
    fn gather_up_to(
        &self,
        rule: &Rule,
        batch: &mut Batch,
        most: usize,
        reads: &(impl AsRef<[i32]> + ?Sized),
    ) {
        let range = batch.index..batch.index + most;
        let (places, near_edge) = (&self.sites.places[range.clone()], &self.sites.near_edge[range]);
        let own_alone = *rule.written == [0];
        let mut count = 0;
        for (place, near) in places.iter().zip(near_edge) {
            let here = *place as usize;
            if batch.meets(here, reads.as_ref()) {
                break;
            }
            (batch.places[count], batch.near_edge[count]) = (here, *near);
            count += 1;
            if own_alone && !*near {
                batch.mark(here);
            } else {
                self.mark(rule, batch, here, *near);
            }
        }
        batch.count = count;
    }

    /// Marks the places that an event may write.
    fn mark(&self, rule: &Rule, batch: &mut Batch, here: usize, near_edge: bool) {
        for distance in &rule.written {
            let place = here.wrapping_add_signed(*distance as isize);
            if !near_edge {
                batch.mark(place);
                continue;
            }
            let place = if *distance == 0 { Some(here) } else { self.edges.site(place) };
            if let Some(site) = place {
                batch.mark(site);
                self.edges.images(site, |image| batch.mark(image));
            }
        }
    }

    fn plane<'p>(&'p self, layers: &'p [Plane<F>], source: Source) -> &'p Plane<F> {
        match source {
            Source::Layer(i) => &layers[i as usize],
            Source::Field(i) => &self.fields[i as usize],
            Source::Inside => &self.inside,
            Source::Edge => &self.edge,
        }
    }

    /// Runs every instruction over the events gathered.
    pub(super) fn compute(
        &mut self,
        rule: &Rule,
        layers: &[Plane<F>],
        batch: &mut Batch,
        address: Address,
    ) -> Result<(), Trouble> {
        let n = batch.count;
        let mut registers = std::mem::take(&mut self.registers);
        batch.refused.clear();
        // The entries that were looked up last, and by which keys.
        let mut entries = [0; MOST];
        let mut looked_up = None;
        for (instruction, certain) in rule.instructions.iter().zip(&self.certain) {
            if *certain {
                continue;
            }
            let Some(to) = instruction.target() else {
                self.place_or_check(rule, &registers, batch, instruction);
                continue;
            };
            // A value stands behind all that it is computed from.
            let (before, rest) = registers.split_at_mut(to as usize * MOST);
            let d = &mut rest[..n];
            let r = |register: u16| &before[register as usize * MOST..][..n];
            match *instruction {
                Instruction::Read { source, from, distance, .. } => {
                    each(self.plane(layers, source), d, batch.of(from), distance);
                }
                Instruction::Count { source, from, start, count, .. } => {
                    let distances = &rule.distances[start as usize..start as usize + count as usize];
                    counted_around(self.plane(layers, source), d, batch.of(from), distances);
                }
                Instruction::Sum { source, from, start, count, .. } => {
                    let range = start as usize..start as usize + count as usize;
                    let plane = self.plane(layers, source);
                    for (e, d) in d.iter_mut().enumerate() {
                        let terms = rule.distances[range.clone()].iter().zip(&rule.weights[range.clone()]);
                        *d = terms.fold(F::ZERO, |sum, (distance, weight)| {
                            sum + F::from_f64(*weight) * value(plane, batch.moved(from, e, *distance))
                        });
                    }
                }
                Instruction::Coordinate { axis, from, distance, .. } => {
                    let [_, height, width] = rule.layout.extent();
                    for (e, d) in d.iter_mut().enumerate() {
                        let site = self.edges.number(batch.moved(from, e, distance));
                        let at = [site / (height * width), site / width % height, site % width];
                        *d = F::from_i32(at[axis as usize] as i32);
                    }
                }
                Instruction::Noise { slot, .. } => {
                    d.copy_from_slice(&self.noise[slot as usize * RUN + batch.index..][..n]);
                }
                Instruction::Unary { function, a, .. } => unary(function, d, r(a)),
                Instruction::Binary { function, a, b, .. } => binary(function, d, r(a), r(b)),
                Instruction::Compare { comparison, a, b, .. } => compare(comparison, d, r(a), r(b)),
                Instruction::Select { condition, yes, no, .. } => {
                    let choices = r(condition).iter().zip(r(yes).iter().zip(r(no)));
                    for (d, (c, (yes, no))) in d.iter_mut().zip(choices) {
                        *d = if *c != F::ZERO { *yes } else { *no };
                    }
                }
                Instruction::Round { a, .. } => map(d, r(a), |a| a.round_ties_even()),
                Instruction::Normal { a, b, .. } => map2(d, r(a), r(b), box_muller),
                Instruction::Law { law, draw, a, b, .. } => {
                    let key = address.key(draw, 0);
                    for (e, d) in d.iter_mut().enumerate() {
                        let arguments = [r(a)[e].to_f64(), r(b)[e].to_f64()];
                        *d = F::from_f64(law.draw(&key, batch.first + e as u32, arguments));
                    }
                }
                Instruction::Happens { noise, p, rest, .. } => {
                    let chances = r(noise).iter().zip(r(p).iter().zip(r(rest)));
                    for (d, (w, (p, rest))) in d.iter_mut().zip(chances) {
                        let threshold = if *w < F::ZERO { -*rest } else { *p };
                        *d = if *w < threshold { F::ONE } else { F::ZERO };
                    }
                }
                Instruction::Class { noise, start, count, .. } => {
                    d.fill(F::ZERO);
                    let list = &rule.operands[start as usize..start as usize + 2 * count as usize];
                    for pair in list.chunks_exact(2) {
                        let sums = r(noise).iter().zip(r(pair[0]).iter().zip(r(pair[1])));
                        for (d, (w, (below, above))) in d.iter_mut().zip(sums) {
                            let threshold = if *w < F::ZERO { -*above } else { *below };
                            *d = *d + if threshold <= *w { F::ONE } else { F::ZERO };
                        }
                    }
                }
                Instruction::Entry { list, a, .. } => {
                    let list = &rule.lists[list as usize];
                    map(d, r(a), |label| F::from_f64(entry(list, label)));
                }
                Instruction::CellSum { sum, a, .. } => {
                    if let Some(sums) = &self.sums {
                        let sums = &sums.by_label[sum as usize];
                        map(d, r(a), |label| F::from_f64(entry(sums, label)));
                    }
                }
                Instruction::Lookup { table, keys, .. } => {
                    let table = &self.tables[table as usize];
                    let by = (keys, table.lowest, table.strides);
                    if looked_up != Some(by) {
                        looked_up = Some(by);
                        entries[..n].fill(0);
                        let used = keys.iter().zip(table.lowest.iter().zip(&table.strides));
                        for (key, (lowest, stride)) in used.filter(|(_, (_, stride))| **stride > 0) {
                            for (entry, key) in entries[..n].iter_mut().zip(r(*key)) {
                                *entry += (key.nearest_i32() - lowest) * stride;
                            }
                        }
                    }
                    for (d, entry) in d.iter_mut().zip(&entries) {
                        *d = table.values[*entry as usize];
                    }
                }
                Instruction::Neighbour { .. } | Instruction::Anywhere { .. } | Instruction::Check { .. } => {}
            }
        }
        self.registers = registers;
        Ok(())
    }

    /// Picks other sites, or notes values that may not be.
    fn place_or_check(&self, rule: &Rule, registers: &[F], batch: &mut Batch, instruction: &Instruction) {
        let r = |register: u16, event: usize| registers[register as usize * MOST + event];
        match *instruction {
            Instruction::Neighbour { from, direction, start, count } => {
                for e in 0..batch.count {
                    let class = r(direction, e).nearest_i32().max(0) as usize;
                    let distance = rule.distances[start as usize + class.min(count as usize - 1)];
                    let place = batch.moved(0, e, distance);
                    let site = self.edges.site(place);
                    batch.places[from as usize * MOST + e] = site.unwrap_or(place);
                    batch.outside[from as usize * MOST + e] = site.is_none();
                }
            }
            Instruction::Anywhere { from, slot } => {
                for e in 0..batch.count {
                    let bits = self.bits(2 + 2 * slot as usize, batch.index + e);
                    batch.places[from as usize * MOST + e] = self.axes.place(bits);
                }
            }
            Instruction::Check { check, a } => {
                let required = rule.required(check);
                for e in 0..batch.count {
                    let found = r(a, e).to_f64();
                    if !required.allows(found, F::EPSILON.to_f64()) {
                        batch.refused.push((e, check, found));
                    }
                }
            }
            _ => {}
        }
    }

    /// Has the events write, one after another; the first that may not is the error.
    fn write_all(
        &mut self,
        rule: &Rule,
        layers: &mut [Plane<F>],
        batch: &mut Batch,
        address: Address,
    ) -> Result<(), Trouble> {
        if self.write_bytes(rule, layers, batch) {
            return Ok(());
        }
        let refused = batch.refused.iter().map(|(event, ..)| *event).min();
        for event in 0..batch.count {
            if let Some(trouble) = (refused == Some(event)).then(|| self.refused(batch)).flatten() {
                return Err(trouble);
            }
            for Write { layer, from, a } in &rule.writes {
                let at = *from as usize * MOST + event;
                if *from == 0 || !batch.outside[at] {
                    let new = self.registers[*a as usize * MOST + event];
                    let near_edge = *from != 0 || batch.near_edge[event];
                    self.write(rule, layers, *layer, batch.places[at], new, (near_edge, address))?;
                }
            }
            if self.sums.as_mut().is_some_and(|sums| std::mem::take(&mut sums.changed)) {
                // Those behind were computed from sums that this one has changed: they come again.
                batch.count = event + 1;
            }
            if event + 1 >= batch.count {
                break;
            }
        }
        if let Some(sums) = &mut self.sums {
            sums.worth = (2 * batch.count).clamp(8, MOST);
        }
        Ok(())
    }

    /// Does all of [`Events::write_all`] where that is to write one layer of bytes at the events' own sites, and no
    /// value is refused; whether it did.
    fn write_bytes(&self, rule: &Rule, layers: &mut [Plane<F>], batch: &Batch) -> bool {
        let [Write { layer, from: 0, a }] = *rule.writes else { return false };
        let Plane::U8(plane) = &mut layers[layer as usize] else { return false };
        let of_agents = matches!(rule.pick, Picked::Among { layer: own, .. } if own == layer);
        if of_agents || self.sums.is_some() || !batch.refused.is_empty() {
            return false;
        }
        let held = &self.held[layer as usize];
        let new = &self.registers[a as usize * MOST..][..batch.count];
        let mut all_may = true;
        for new in new {
            all_may &= (*new >= held.lowest) & (*new <= held.highest) & (new.round_small() == *new);
        }
        if !all_may {
            return false;
        }
        for ((new, place), near_edge) in new.iter().zip(&batch.places).zip(&batch.near_edge) {
            let new = new.nearest_i32() as u8;
            plane[*place] = new;
            if *near_edge {
                self.edges.images(*place, |image| plane[image] = new);
            }
        }
        true
    }

    #[inline(always)]
    fn write(
        &mut self,
        rule: &Rule,
        layers: &mut [Plane<F>],
        layer: u16,
        place: usize,
        new: F,
        (near_edge, address): (bool, Address),
    ) -> Result<(), Trouble> {
        if value(&layers[layer as usize], place) == new {
            return Ok(());
        }
        let held = &self.held[layer as usize];
        if held.integer && !(new >= held.lowest && new <= held.highest && is_whole(new)) {
            let (site, value) = (self.edges.number(place), new.to_f64());
            return Err(Trouble::Fault(Fault::OutOfRange { layer: u32::from(layer), site, value }));
        }
        if let Picked::Among { layer: own, state } = rule.pick {
            if own == layer {
                self.agents.set(place, new == F::from_i32(state));
            }
        }
        let mut sums = self.sums.as_mut().filter(|sums| sums.concerns(layer));
        if let Some(sums) = &mut sums {
            sums.around(layers, place, address, -1.0)?;
        }
        let plane = &mut layers[layer as usize];
        store(plane, place, new);
        if near_edge {
            self.edges.images(place, |image| store(plane, image, new));
        }
        sums.map_or(Ok(()), |sums| sums.around(layers, place, address, 1.0))
    }
}

/// The entry of a list that a whole number points at, by whose bounds it is one.
#[inline(always)]
fn entry<F: Real>(list: &[f64], place: F) -> f64 {
    list[(place.nearest_i32().max(0) as usize).min(list.len() - 1)]
}

/// d = the plane at a distance from a place of each event.
#[inline(always)]
fn each<F: Lane>(plane: &Plane<F>, d: &mut [F], places: &[usize], distance: i32) {
    match plane {
        Plane::U8(v) => {
            for (d, place) in d.iter_mut().zip(places) {
                *d = F::from_i32(i32::from(v[moved(*place, distance)]));
            }
        }
        other => {
            for (d, place) in d.iter_mut().zip(places) {
                *d = value(other, moved(*place, distance));
            }
        }
    }
}

/// d = the sum of the plane at distances from a place of each event.
#[inline(always)]
fn counted_around<F: Lane>(plane: &Plane<F>, d: &mut [F], places: &[usize], distances: &[i32]) {
    match plane {
        Plane::U8(v) => {
            let at = |place: usize, distance: i32| i32::from(v[moved(place, distance)]);
            // The usual neighbourhoods in one go.
            if let [a, b, c, f] = *distances {
                for (d, place) in d.iter_mut().zip(places) {
                    *d = F::from_i32((at(*place, a) + at(*place, b)) + (at(*place, c) + at(*place, f)));
                }
                return;
            }
            for (d, place) in d.iter_mut().zip(places) {
                let sum: i32 = distances.iter().map(|k| at(*place, *k)).sum();
                *d = F::from_i32(sum);
            }
        }
        other => {
            for (d, place) in d.iter_mut().zip(places) {
                let values = distances.iter().map(|k| value(other, moved(*place, *k)));
                *d = values.fold(F::ZERO, |sum, value| sum + value);
            }
        }
    }
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
fn map<F: Real>(d: &mut [F], a: &[F], f: impl Fn(F) -> F) {
    for (d, a) in d.iter_mut().zip(a) {
        *d = f(*a);
    }
}

#[inline(always)]
fn map2<F: Real>(d: &mut [F], a: &[F], b: &[F], f: impl Fn(F, F) -> F) {
    for (d, (a, b)) in d.iter_mut().zip(a.iter().zip(b)) {
        *d = f(*a, *b);
    }
}

fn unary<F: Real>(function: Unary, d: &mut [F], a: &[F]) {
    map(d, a, |a| function.value(a));
}

fn binary<F: Real>(function: Binary, d: &mut [F], a: &[F], b: &[F]) {
    match function {
        Binary::Add => map2(d, a, b, |a, b| a + b),
        Binary::Subtract => map2(d, a, b, |a, b| a - b),
        Binary::Multiply => map2(d, a, b, |a, b| a * b),
        Binary::Divide => map2(d, a, b, |a, b| a / b),
        Binary::Power => map2(d, a, b, elementary::pow),
        Binary::Minimum => map2(d, a, b, Real::min),
        Binary::Maximum => map2(d, a, b, Real::max),
    }
}

#[allow(clippy::float_cmp)] // The instruction means exact equality.
fn compare<F: Real>(comparison: Comparison, d: &mut [F], a: &[F], b: &[F]) {
    let truth = |holds: bool| if holds { F::ONE } else { F::ZERO };
    match comparison {
        Comparison::Equal => map2(d, a, b, |a, b| truth(a == b)),
        Comparison::Less => map2(d, a, b, |a, b| truth(a < b)),
        Comparison::LessOrEqual => map2(d, a, b, |a, b| truth(a <= b)),
    }
}

/// Whether a number is whole.
#[inline(always)]
fn is_whole<F: Real>(x: F) -> bool {
    // Exact up to here, and cheaper than the floor of any number.
    const NEAR: i32 = 1 << 22;
    match x.abs() <= F::from_i32(NEAR) {
        true => F::from_i32(x.nearest_i32()) == x,
        false => x.floor() == x,
    }
}
