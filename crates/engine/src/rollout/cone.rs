//! Weighs draws by what lies within their light cones: what each site adds to the loss, less what it adds in the other
//! replicates, summed over the box that a draw can still reach.
//!
//! A draw at a site changes what lies within reach of it by the time of an observation, and nothing else: see
//! [`glauber_program::Cone`]. The terms are rounded to whole multiples of a small number, the same for all replicates and
//! times, so that all sums are exact and none depends on its order. With n replicates to compare, n · own − sum is (n − 1)
//! times the lead over the others, whole again.

use std::sync::{Mutex, MutexGuard};

use glauber_lattice::Layout;
use glauber_program::{Span, units_of_terms};
use rayon::prelude::*;

use crate::codes::ConeCodes;
use crate::kernels::{Lane, Worth, add_terms, leads};
use crate::rollout::Rollout;
use crate::rollout::history::History;
use crate::worker::{State, Worker};
use glauber_backend::EngineError;
use glauber_backend::Simd;
use glauber_backend::inputs::{Inputs, Results};
use glauber_backend::plane::Plane;
use glauber_backend::{Seen, Terms};

/// What the terms of a replicate are compared with.
pub(super) struct Baseline {
    /// How many units a number has; 0 where some term is no finite number.
    units: f64,
    /// Of each replicate the number of its kind: those that start alike and are held against the same data.
    kind: Vec<usize>,
    /// How many replicates there are of each kind.
    count: Vec<usize>,
    /// For each event its place among those with local terms.
    place: Vec<Option<usize>>,
    /// For each kind and event with local terms: each site's terms, summed over replicates.
    sums: Vec<Mutex<Vec<i64>>>,
}

impl Baseline {
    /// What a unit of a replicate's leads is worth.
    fn worth(&self, replicate: usize) -> f64 {
        let others = self.count[self.kind[replicate]] - 1;
        1.0 / (self.units * others.max(1) as f64)
    }

    /// What the terms of a replicate's kind sum up to at an event.
    fn sums(&self, replicate: usize, place: usize) -> MutexGuard<'_, Vec<i64>> {
        let slot = &self.sums[self.kind[replicate] * self.events() + place];
        slot.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// A replicate's terms at an event, by rows, as its leads over the others of its kind, in units.
    fn leads<'t, F: Lane>(
        &self,
        (replicate, place): (usize, usize),
        terms: impl Iterator<Item = &'t [F]>,
        simd: Simd,
        to: &mut [i64],
    ) {
        let count = self.count[self.kind[replicate]];
        let sums = self.sums(replicate, place);
        let mut from = 0;
        for row in terms {
            let own = from..from + row.len();
            let others = (count > 1).then(|| (count as i64, &sums[own.clone()]));
            leads(simd, row, self.units, others, &mut to[own]);
            from += row.len();
        }
    }

    fn events(&self) -> usize {
        self.place.iter().flatten().count()
    }
}

impl<F: Lane> Rollout<'_, F> {
    /// For each event whether any of its numbers is a sum of local terms.
    fn local_events(&self, cone: &ConeCodes) -> Vec<Option<usize>> {
        let mut count = 0;
        let number = |(_, observation): &(usize, usize)| {
            cone.has_local(*observation).then(|| {
                count += 1;
                count - 1
            })
        };
        self.run.events.iter().map(number).collect()
    }

    /// Bytes that the sums over replicates take.
    pub(super) fn bytes_of_baseline(&self) -> usize {
        let Some(cone) = &self.plan.codes.cone else { return 0 };
        let events = self.local_events(cone).iter().flatten().count();
        let kinds = if events == 0 { 0 } else { self.run.kinds().1.len() };
        kinds.saturating_mul(events).saturating_mul(8 * self.plan.codes.layout.sites())
    }

    /// What the replicates' terms are compared with, by the slopes of the loss by one replicate's numbers.
    pub(super) fn baseline(
        &self,
        histories: &[Vec<History<F>>],
        slopes: &[f64],
    ) -> Result<Option<Baseline>, EngineError> {
        let Some(mut baseline) = self.blank_baseline() else { return Ok(None) };
        let mut most = self.most(&baseline, slopes);
        if !most.is_finite() {
            most = self.over_terms(histories, slopes, &baseline, |_, _, terms| {
                let sizes = rows(terms, &self.plan.codes.layout).flatten().map(|x| x.to_f64().abs());
                sizes.fold(0.0, |most, x| if x <= most { most } else { x })
            })?;
        }
        self.add_up(&mut baseline, most, histories, slopes)?;
        Ok(Some(baseline))
    }

    /// What these blocks add to it; nothing where terms have no bound.
    pub(super) fn terms_of_blocks(
        &self,
        histories: &[Vec<History<F>>],
        slopes: &[f64],
    ) -> Result<Option<Terms>, EngineError> {
        let Some(mut baseline) = self.blank_baseline() else { return Ok(None) };
        let most = self.most(&baseline, slopes);
        if !most.is_finite() {
            return Ok(None);
        }
        self.add_up(&mut baseline, most, histories, slopes)?;
        let sums = baseline.sums.into_iter().map(|own| own.into_inner().unwrap_or_else(|e| e.into_inner()));
        Ok(Some(Terms { units: baseline.units, sums: sums.collect() }))
    }

    /// The same where the terms of all blocks are known.
    pub(super) fn baseline_of(&self, terms: &Terms) -> Result<Option<Baseline>, EngineError> {
        let Some(blank) = self.blank_baseline() else { return Ok(None) };
        let sites = self.plan.codes.layout.sites();
        if terms.sums.len() != blank.sums.len() || terms.sums.iter().any(|own| own.len() != sites) {
            return Err(EngineError::Broken("the terms are of another run"));
        }
        let sums = terms.sums.iter().cloned().map(Mutex::new).collect();
        Ok(Some(Baseline { units: terms.units, sums, ..blank }))
    }

    /// Nothing added up yet.
    fn blank_baseline(&self) -> Option<Baseline> {
        let place = self.local_events(self.plan.codes.cone.as_ref()?);
        let (kind, count) = self.run.kinds();
        let sites = self.plan.codes.layout.sites();
        let sums = count.len() * place.iter().flatten().count();
        let sums = (0..sums).map(|_| Mutex::new(vec![0; sites])).collect();
        Some(Baseline { units: 1.0, kind, count, place, sums })
    }

    /// The largest that a term can be, as far as the loss's slopes tell.
    fn most(&self, baseline: &Baseline, slopes: &[f64]) -> f64 {
        let Some(cone) = &self.plan.codes.cone else { return 0.0 };
        let bound = |(event, (_, observation)): (usize, &(usize, usize))| {
            let own = &slopes[self.offsets[event]..];
            let bounds = cone.cone.observed[*observation].iter().flat_map(|terms| &terms.bounds);
            // A slope of 0 has no term, however large.
            own.iter().zip(bounds).map(|(slope, b)| if *slope == 0.0 { 0.0 } else { slope.abs() * b }).sum()
        };
        let here = self.run.events.iter().enumerate().filter(|(k, _)| baseline.place[*k].is_some());
        here.map(bound).fold(0.0, f64::max)
    }

    /// Adds up the terms of the blocks, none larger than `most`.
    fn add_up(
        &self,
        baseline: &mut Baseline,
        most: f64,
        histories: &[Vec<History<F>>],
        slopes: &[f64],
    ) -> Result<(), EngineError> {
        let (layout, events) = (&self.plan.codes.layout, baseline.events());
        if events == 0 {
            return Ok(());
        }
        baseline.units = units_of_terms(most, self.run.replicates, layout.sites(), events);
        if baseline.units > 0.0 {
            let (baseline, simd) = (&*baseline, self.plan.options.simd.supported());
            self.over_terms(histories, slopes, baseline, |replicate, place, terms| {
                let mut sums = baseline.sums(replicate, place);
                for (row, sums) in rows(terms, layout).zip(sums.chunks_exact_mut(layout.width())) {
                    add_terms(simd, row, baseline.units, sums);
                }
                0.0
            })?;
        }
        Ok(())
    }

    /// Calls `f` with the terms of every replicate at every event that has some; gives the largest answer, or the one
    /// that is no number.
    fn over_terms(
        &self,
        histories: &[Vec<History<F>>],
        slopes: &[f64],
        baseline: &Baseline,
        f: impl Fn(usize, usize, &Plane<F>) -> f64 + Sync,
    ) -> Result<f64, EngineError> {
        let parts: Vec<Result<f64, EngineError>> = self
            .groups
            .par_iter()
            .zip(histories.par_iter())
            .map(|(group, histories)| {
                let mut worker = self.worker(true)?;
                let mut most: f64 = 0.0;
                for (replicate, history) in group.clone().zip(histories) {
                    self.over_states(&mut worker, replicate, history, &mut |worker, step, state| {
                        for (event, observation) in self.events_at(step) {
                            let Some(place) = baseline.place[event] else { continue };
                            self.terms(worker, state, replicate, (step, event, observation), slopes);
                            let own = f(replicate, place, &worker.terms_plane[0]);
                            most = if own <= most { most } else { own };
                        }
                        Ok(())
                    })?;
                }
                self.give_back(worker);
                Ok(most)
            })
            .collect();
        let parts = super::in_order(parts)?;
        Ok(parts.into_iter().fold(0.0, |most, own| if own <= most { most } else { own }))
    }

    /// Calls `f` with the state at each step at which something is observed.
    fn over_states(
        &self,
        worker: &mut Worker<F>,
        replicate: usize,
        history: &History<F>,
        f: &mut dyn FnMut(&mut Worker<F>, usize, &State<F>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let seen = |step: usize| self.events_at(step).next().is_some();
        for (place, kept) in history.states.iter().enumerate() {
            let first = place * history.interval;
            let last = (first + history.interval - 1).min(self.run.steps);
            if history.interval == 1 {
                if seen(first) {
                    f(worker, first, kept)?;
                }
                continue;
            }
            let Some(last) = (first..=last).rev().find(|step| seen(*step)) else { continue };
            let stretch = self.restore(worker, kept.clone(), history.interval, replicate, first..=last)?;
            for (later, state) in stretch.into_iter().enumerate() {
                if seen(first + later) {
                    f(worker, first + later, &state)?;
                }
                worker.done_with(&self.plan.codes, state);
            }
        }
        Ok(())
    }

    /// Leaves the terms of an event in the worker's plane for them.
    fn terms(
        &self,
        worker: &mut Worker<F>,
        state: &State<F>,
        replicate: usize,
        (step, event, observation): (usize, usize, usize),
        slopes: &[f64],
    ) {
        let Some(unit) = &mut worker.terms[observation] else { return };
        unit.choose(self.run, replicate);
        let width = self.plan.codes.observed[observation].width();
        let from = self.offsets[event];
        let inputs = Inputs {
            layers: state,
            fields: &unit.fields,
            targets: &unit.targets,
            output_adjoints: &slopes[from..from + width],
            address: self.address_of_observation(replicate, step, observation),
            ..Inputs::nothing()
        };
        let mut results = Results {
            next_layers: &mut [],
            layer_adjoints: &mut worker.terms_plane,
            add_layer_adjoints: false,
            field_adjoints: &mut [],
            outputs: &mut [],
            parameter_adjoints: &mut [],
        };
        // Its forward run already checked everything a fault could be about.
        let _ = unit.machine.run(&inputs, &mut results);
    }

    /// Takes an event's leads in, and leaves what they are worth to the draws of the observation itself.
    pub(super) fn look_ahead(
        &self,
        worker: &mut Worker<F>,
        state: &State<F>,
        replicate: usize,
        (step, event, observation): (usize, usize, usize),
        (seen, baseline): (&Seen<'_>, &Baseline),
    ) {
        let (Some(cone), Some(mut ahead)) = (&self.plan.codes.cone, worker.ahead.take()) else { return };
        let width = self.plan.codes.observed[observation].width();
        let from = self.offsets[event];
        let other = (from..from + width).filter(|k| !cone.is_local(observation, k - from));
        let rest = seen.advantage(replicate, other);
        ahead.rest += rest;
        let sites = self.plan.codes.layout.sites();
        let mut own: Option<Vec<i64>> = None;
        if let Some(place) = baseline.place[event] {
            self.terms(worker, state, replicate, (step, event, observation), &seen.slopes);
            let mut lead = ahead.spare.pop().unwrap_or_default();
            lead.resize(sites, 0);
            match baseline.units > 0.0 {
                true => {
                    let terms = rows(&worker.terms_plane[0], &self.plan.codes.layout);
                    baseline.leads((replicate, place), terms, ahead.boxes.simd(), &mut lead);
                }
                // What is no number is worth none either: 0 times infinity.
                false => lead.fill(0),
            }
            ahead.boxes.tabulate(&mut lead);
            own = Some(lead);
        }
        if self.plan.codes.observed[observation].reads_lead() {
            let terms = cone.cone.observed[observation].as_ref();
            let draws = terms.and_then(|t| t.draws).filter(|radius| !ahead.boxes.is_whole(*radius));
            ahead.sums.clear();
            ahead.sums.resize(sites, 0);
            match (&own, draws) {
                (Some(lead), Some(radius)) => ahead.boxes.add(lead, radius, &mut ahead.sums),
                (Some(lead), None) => ahead.sums.fill(ahead.boxes.total(lead)),
                (None, _) => {}
            }
            let each = Worth { whole: 0, unit: baseline.worth(replicate), rest };
            if let Plane::Real(plane) = &mut worker.local_advantage[0] {
                ahead.write(each, (&self.plan.codes.layout, plane));
            }
        }
        if let Some(lead) = own {
            let reads = cone.cone.observed[observation].as_ref().and_then(|t| t.reads);
            ahead.take_in(step, reads, lead);
        }
        worker.ahead = Some(ahead);
    }

    /// Leaves in the worker's plane what the draws of the step (or start) that led to `step` are worth.
    pub(super) fn lead_at(&self, worker: &mut Worker<F>, replicate: usize, step: usize, baseline: &Baseline) {
        let (Some(cone), Some(mut ahead)) = (&self.plan.codes.cone, worker.ahead.take()) else { return };
        let cone = &cone.cone;
        let draws = if step == 0 { cone.start } else { cone.draws };
        if let Plane::Real(plane) = &mut worker.local_advantage[0] {
            let extent = |span: &Span| cone.after(draws, span.reads, span.latest - step);
            ahead.worth(extent, baseline.worth(replicate), (&self.plan.codes.layout, plane));
        }
        worker.ahead = Some(ahead);
    }
}

/// The rows of a plane of real numbers.
fn rows<'p, F: Lane>(plane: &'p Plane<F>, layout: &'p Layout) -> impl Iterator<Item = &'p [F]> {
    let values = match plane {
        Plane::Real(values) => &values[..],
        _ => &[],
    };
    let count = if values.is_empty() { 0 } else { layout.rows() };
    (0..count).map(|row| &values[layout.row(row)..][..layout.width()])
}
