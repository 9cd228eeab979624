//! Runs replicates backwards through their history, and adds up the derivatives.

use glauber_lattice::Layout;
use rayon::prelude::*;

use crate::ahead::Ahead;
use crate::codes::Observed;
use crate::compile::Code;
use crate::kernel::{Destination, Source};
use crate::kernels::Lane;
use crate::rollout::cone::Baseline;
use crate::rollout::history::History;
use crate::rollout::{Rollout, in_order};
use crate::worker::{State, Unit, UnitPair, Worker};
use glauber_backend::EngineError;
use glauber_backend::Start;
use glauber_backend::inputs::{Inputs, Results};
use glauber_backend::plane::{Margin, Plane};
use glauber_backend::{BlockSum, Seen, Terms, Weights, total};
use glauber_backend::{Gradient, LossValue, Outputs};

impl<F: Lane> Rollout<'_, F> {
    pub(super) fn gradient(
        &self,
        loss: &(dyn Fn(&[f64]) -> LossValue + Sync),
    ) -> Result<Gradient, EngineError> {
        let (values, histories) = self.remembered()?;
        let outputs = Outputs { values, width: self.width };
        let LossValue { value, slopes } = loss(&outputs.mean());
        let seen = Seen::new(&Weights::new(&outputs, slopes), &outputs.values, 0);
        let sums = self.sums(histories, &seen, None)?;
        Ok(total(&self.plan.codes.declarations, value, sums, outputs))
    }

    /// Runs the blocks forwards: what was observed, and for each block what its replicates keep.
    pub(super) fn remembered(&self) -> Result<(Vec<f64>, Vec<Vec<History<F>>>), EngineError> {
        let interval = self.interval()?;
        let mut values = vec![0.0; self.replicates() * self.width];
        let histories: Vec<Result<Vec<History<F>>, EngineError>> = {
            let mut rows = self.rows(&mut values);
            let work = self.divide(&mut rows);
            work.into_par_iter()
                .map(|(group, rows)| {
                    let mut worker = self.worker(false)?;
                    let kept: Result<Vec<_>, _> = group
                        .zip(rows)
                        .map(|(replicate, row)| self.remember(&mut worker, replicate, row, interval))
                        .collect();
                    self.give_back(worker);
                    kept
                })
                .collect()
        };
        Ok((values, in_order(histories)?))
    }

    /// Runs the blocks backwards through what they kept; with the terms of all blocks, where these are not all.
    pub(super) fn sums(
        &self,
        mut histories: Vec<Vec<History<F>>>,
        seen: &Seen<'_>,
        terms: Option<&Terms>,
    ) -> Result<Vec<BlockSum>, EngineError> {
        let baseline = match terms {
            Some(terms) => self.baseline_of(terms)?,
            None => self.baseline(&histories, &seen.slopes)?,
        };
        let parts: Vec<Result<BlockSum, EngineError>> = self
            .groups
            .par_iter()
            .zip(histories.par_iter_mut())
            .map(|(group, histories)| {
                self.group_backwards(group.clone(), histories, (seen, baseline.as_ref()))
            })
            .collect();
        in_order(parts)
    }

    fn group_backwards(
        &self,
        group: std::ops::Range<usize>,
        histories: &mut Vec<History<F>>,
        seen: (&Seen<'_>, Option<&Baseline>),
    ) -> Result<BlockSum, EngineError> {
        let mut worker = self.worker(true)?;
        let mut part = BlockSum::of(self.plan.codes.declarations.parameters.len());
        for (replicate, history) in group.zip(histories.drain(..)) {
            self.backwards(&mut worker, replicate, history, seen, &mut part)?;
        }
        let layout = &self.plan.codes.layout;
        for unit in worker.units_with_field_adjoints() {
            let names: Vec<String> =
                unit.machine.code().program.declarations().fields.iter().map(|f| f.name.clone()).collect();
            let wanted: Vec<u32> = unit.machine.code().field_adjoints();
            let fields = wanted.into_iter().filter_map(|i| {
                Some((names[i as usize].clone(), unit.field_adjoints.get(i as usize)?.dense(layout)))
            });
            part.add_fields(fields.collect());
        }
        self.give_back(worker);
        Ok(part)
    }

    /// Runs one replicate backwards.
    fn backwards(
        &self,
        worker: &mut Worker<F>,
        replicate: usize,
        history: History<F>,
        (seen, baseline): (&Seen<'_>, Option<&Baseline>),
        part: &mut BlockSum,
    ) -> Result<(), EngineError> {
        let codes = &self.plan.codes;
        worker.ahead.iter_mut().for_each(Ahead::clear);
        let mut bars = Bars { touched: false, advantage: 0.0 };
        let mut after: Option<State<F>> = None;
        let History { states, interval } = history;
        let mut end = self.run.steps;
        for (place, kept) in states.into_iter().enumerate().rev() {
            let first = place * interval;
            let stretch = self.restore(worker, kept, interval, replicate, first..=end)?;
            for (later, mut state) in stretch.into_iter().enumerate().rev() {
                let step = first + later;
                if step % 64 == 0 && self.run.interrupted() {
                    return Err(EngineError::Interrupted);
                }
                // The step that led from this state to the next.
                if let Some(mut next) = after.take() {
                    let of_state = state.len();
                    let nothing = || Plane::U8(Vec::new());
                    let lent =
                        codes.kept.outcomes().map(|layer| std::mem::replace(&mut next[layer], nothing()));
                    state.extend(lent);
                    self.step_backwards(worker, &state, replicate, step + 1, baseline, &mut bars, part)?;
                    let lent = codes.kept.outcomes().zip(state.drain(of_state..));
                    lent.for_each(|(layer, plane)| next[layer] = plane);
                    worker.done_with(codes, next);
                }
                let seen = (seen, baseline);
                self.observe_backwards(worker, &state, replicate, step, seen, &mut bars, part)?;
                after = Some(state);
            }
            end = first.saturating_sub(1);
        }
        if let Some(first) = after {
            worker.done_with(codes, first);
        }
        if !bars.touched {
            worker.adjoints[0].iter_mut().for_each(Plane::clear);
        }
        self.start_backwards(worker, replicate, baseline, &bars, part);
        if self.run.wants_start_gradient {
            let layout = &codes.layout;
            part.start.push(worker.adjoints[0].iter().map(|p| p.dense(layout)).collect());
        }
        Ok(())
    }

    /// Whether anyone wants the derivative by the starting state.
    fn start_has_gradient(&self) -> bool {
        self.run.wants_start_gradient || matches!(self.run.start, Start::Model)
    }

    #[allow(clippy::too_many_arguments)]
    fn step_backwards(
        &self,
        worker: &mut Worker<F>,
        state: &State<F>,
        replicate: usize,
        step: usize,
        baseline: Option<&Baseline>,
        bars: &mut Bars,
        part: &mut BlockSum,
    ) -> Result<(), EngineError> {
        if !bars.touched {
            return Ok(());
        }
        let layout = &self.plan.codes.layout;
        let first = step == 1 && !self.start_has_gradient() && self.events_at(0).next().is_none();
        let last = first || self.forgets;
        let reads = |pair: &mut UnitPair<F>| pair.unit(last).machine.code().reads(Source::LocalAdvantage);
        if let Some(baseline) = baseline.filter(|_| worker.adjoint_step.as_mut().is_some_and(reads)) {
            self.lead_at(worker, replicate, step, baseline);
        }
        let Some(pair) = &mut worker.adjoint_step else {
            return Err(EngineError::Broken("a gradient has no adjoint of the step"));
        };
        let unit = pair.unit(last);
        unit.choose(self.run, replicate);
        let [from, to] = &mut worker.adjoints;
        fill_adjoint_margins(layout, unit.machine.code(), from);
        for (place, plane) in to.iter_mut().enumerate() {
            if !last && !unit.machine.code().writes(Destination::LayerAdjoint(place as u32)) {
                plane.clear();
            }
        }
        let inputs = Inputs {
            layers: state,
            next_adjoints: from,
            fields: &unit.fields,
            advantage: bars.advantage,
            local_advantage: &worker.local_advantage,
            address: self.address(replicate, step),
            ..Inputs::nothing()
        };
        let mut results = Results {
            next_layers: &mut [],
            layer_adjoints: to,
            add_layer_adjoints: false,
            field_adjoints: &mut unit.field_adjoints,
            outputs: &mut [],
            parameter_adjoints: &mut part.parameters,
        };
        if let Some(fault) = unit.machine.run(&inputs, &mut results) {
            return Err(self.explain(fault, &unit.machine.code().program, replicate, step));
        }
        worker.adjoints.swap(0, 1);
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn observe_backwards(
        &self,
        worker: &mut Worker<F>,
        state: &State<F>,
        replicate: usize,
        step: usize,
        (seen, baseline): (&Seen<'_>, Option<&Baseline>),
        bars: &mut Bars,
        part: &mut BlockSum,
    ) -> Result<(), EngineError> {
        for (event, observation) in self.events_at(step) {
            let observed = &self.plan.codes.observed[observation];
            let from = self.offsets[event];
            let slopes = &seen.slopes[from..from + observed.width()];
            let add = std::mem::replace(&mut bars.touched, true);
            // What an observation draws changes its own numbers only.
            let lead = seen.advantage(replicate, from..from + observed.width());
            bars.advantage += lead;
            if let Some(baseline) = baseline {
                self.look_ahead(worker, state, replicate, (step, event, observation), (seen, baseline));
            }
            match (observed, &mut worker.observed[observation]) {
                (_, Some((_, Some(pair)))) => {
                    let last = (step == 0 && !self.start_has_gradient()) || self.forgets;
                    let unit = pair.sharing(last, self.run, replicate);
                    for (place, plane) in worker.adjoints[0].iter_mut().enumerate().filter(|_| !add && !last)
                    {
                        if !unit.machine.code().writes(Destination::LayerAdjoint(place as u32)) {
                            plane.clear();
                        }
                    }
                    let inputs = Inputs {
                        layers: state,
                        fields: unit.fields,
                        targets: unit.targets,
                        output_adjoints: slopes,
                        advantage: lead,
                        local_advantage: &worker.local_advantage,
                        address: self.address_of_observation(replicate, step, observation),
                        ..Inputs::nothing()
                    };
                    let mut results = Results {
                        next_layers: &mut [],
                        layer_adjoints: &mut worker.adjoints[0],
                        add_layer_adjoints: add,
                        field_adjoints: unit.field_adjoints,
                        outputs: &mut [],
                        parameter_adjoints: &mut part.parameters,
                    };
                    // Its forward run already checked everything a fault could be about.
                    let _ = unit.machine.run(&inputs, &mut results);
                }
                (Observed::Summary(_), _) if self.forgets => {}
                (Observed::Summary(summary), _) => {
                    if !add {
                        worker.adjoints[0].iter_mut().for_each(Plane::clear);
                    }
                    let layout = &self.plan.codes.layout;
                    let pulled = summary.pull_back(&self.dense(state), slopes);
                    let mut planes = worker.adjoints[0].iter_mut();
                    for (layer, own) in self.plan.codes.declarations.layers.iter().zip(pulled) {
                        // A state's number k enters a summary as k times "the site is in state k".
                        for (class, plane) in planes.by_ref().take(layer.adjoint_places()).enumerate() {
                            let weight = if layer.is_nominal() { class as f64 } else { 1.0 };
                            let before = plane.dense(layout);
                            plane.set_dense(layout, Margin::Unread, |site| before[site] + weight * own[site]);
                        }
                    }
                }
                (Observed::Program { .. }, _) => {
                    return Err(EngineError::Broken("an observation has no adjoint"));
                }
            }
        }
        Ok(())
    }

    fn start_backwards(
        &self,
        worker: &mut Worker<F>,
        replicate: usize,
        baseline: Option<&Baseline>,
        bars: &Bars,
        part: &mut BlockSum,
    ) {
        let layout = &self.plan.codes.layout;
        let reads = |unit: &Unit<F>| unit.machine.code().reads(Source::LocalAdvantage);
        let has_draws =
            matches!(self.run.start, Start::Model) && worker.adjoint_start.as_ref().is_some_and(reads);
        if let Some(baseline) = baseline.filter(|_| bars.touched && has_draws) {
            self.lead_at(worker, replicate, 0, baseline);
        }
        let (Start::Model, Some(unit)) = (&self.run.start, &mut worker.adjoint_start) else { return };
        if !bars.touched {
            return;
        }
        unit.choose(self.run, replicate);
        fill_adjoint_margins(layout, unit.machine.code(), &mut worker.adjoints[0]);
        let inputs = Inputs {
            next_adjoints: &worker.adjoints[0],
            fields: &unit.fields,
            advantage: bars.advantage,
            local_advantage: &worker.local_advantage,
            address: self.address(replicate, 0),
            ..Inputs::nothing()
        };
        let mut results = Results {
            next_layers: &mut [],
            layer_adjoints: &mut [],
            add_layer_adjoints: false,
            field_adjoints: &mut unit.field_adjoints,
            outputs: &mut [],
            parameter_adjoints: &mut part.parameters,
        };
        let _ = unit.machine.run(&inputs, &mut results);
    }
}

/// Fills the margins of derivatives that a program reads, with 0 where a fixed value stands.
fn fill_adjoint_margins<F: Lane>(layout: &Layout, code: &Code, adjoints: &mut State<F>) {
    for (place, plane) in adjoints.iter_mut().enumerate() {
        plane.fill_margin(layout, code.margin(Source::NextAdjoint(place as u32), Margin::Zero));
    }
}

/// Where a replicate's way back stands.
struct Bars {
    /// Whether any observation was met yet; before, all derivatives are 0.
    touched: bool,
    /// The replicate's weighted lead over the baseline, from here to the end.
    advantage: f64,
}
