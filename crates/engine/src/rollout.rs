//! Runs compiled models: replicates in parallel, forwards with what a history needs, and backwards through it.
//!
//! The way forwards is here, what is kept of it in `history`, the way back in `backward`; `parts` runs some blocks alone.

mod backward;
mod cone;
mod ensemble;
mod history;
mod parts;

use glauber_program::Program;
use rayon::prelude::*;

use crate::codes::Observed;
use crate::cpu::{Compiled, Pool};
use crate::events::Trouble;
use crate::fields::set;
use crate::kernels::Lane;
use crate::worker::{State, Worker};
use glauber_backend::EngineError;
use glauber_backend::Fault;
use glauber_backend::inputs::{Address, Inputs, Results};
use glauber_backend::{Blocks, blocks_of};
use glauber_backend::{Ensemble, Precision, Prepared};
use glauber_backend::{Frame, Gradient, LossValue, Outputs, Recorder, Simulation};
use glauber_backend::{Run, Start, noise_seed};

impl Prepared for Compiled {
    fn simulate(&self, run: &Run<'_>, recorder: Option<&dyn Recorder>) -> Result<Simulation, EngineError> {
        self.install(|| match self.options.precision {
            Precision::Single => Rollout::new(self, &self.single, run).simulate(recorder),
            Precision::Double => Rollout::new(self, &self.double, run).simulate(recorder),
        })
    }

    fn gradient(
        &self,
        run: &Run<'_>,
        loss: &(dyn Fn(&[f64]) -> LossValue + Sync),
    ) -> Result<Gradient, EngineError> {
        self.install(|| match self.options.precision {
            Precision::Single => Rollout::new(self, &self.single, run).gradient(loss),
            Precision::Double => Rollout::new(self, &self.double, run).gradient(loss),
        })
    }

    fn bytes_per_state(&self) -> usize {
        Compiled::bytes_per_state(self)
    }

    fn ensemble(&self) -> Option<Box<dyn Ensemble + '_>> {
        Some(match self.options.precision {
            Precision::Single => Box::new(ensemble::Standing::new(self, &self.single)),
            Precision::Double => Box::new(ensemble::Standing::new(self, &self.double)),
        })
    }

    fn blocks(&self) -> Option<&dyn Blocks> {
        Some(self)
    }
}

/// Single lattices with at least this many sites are shared between threads block by block.
const SHARED_SITES: usize = 32_768;

/// The draws of start and step are numbered from 0, those of observation k from (k + 1) times this.
const DRAWS_PER_PROGRAM: u32 = 1 << 16;

struct Rollout<'a, F: Lane> {
    plan: &'a Compiled,
    pool: &'a Pool<F>,
    run: &'a Run<'a>,
    /// The seed of this lattice's noise.
    seed: u64,
    /// Numbers per replicate, and where each event's begin.
    width: usize,
    offsets: Vec<usize>,
    crew: usize,
    /// The replicates of each block that is run; within a block one follows the other.
    groups: Vec<std::ops::Range<usize>>,
    /// Whether nobody reads derivatives by states on the way back, so that none is made.
    forgets: bool,
}

impl<'a, F: Lane> Rollout<'a, F> {
    fn new(plan: &'a Compiled, pool: &'a Pool<F>, run: &'a Run<'a>) -> Rollout<'a, F> {
        let mut width = 0;
        let mut offsets = Vec::new();
        for (_, observation) in &run.events {
            offsets.push(width);
            width += plan.codes.observed[*observation].width();
        }
        let threads = rayon::current_num_threads();
        let large = plan.codes.layout.sites() >= SHARED_SITES && run.replicates < threads;
        let groups = blocks_of(run.replicates);
        let seed = noise_seed(run.seed, &plan.codes.declarations.lattice);
        let crew = if large { threads } else { 1 };
        let forgets = plan.codes.adjoint.as_ref().is_some_and(|adjoint| {
            let drawn = matches!(run.start, Start::Model);
            let start = adjoint.start.as_ref().filter(|start| drawn && start.reads_next_adjoints());
            // Parameter fields add up in two places then, which would be another order.
            let of_fields = !adjoint.step.whole.field_adjoints().is_empty();
            let step = adjoint.step.whole.reads_next_adjoints();
            !(run.wants_start_gradient || of_fields || step || start.is_some())
        });
        Rollout { plan, pool, run, seed, width, offsets, crew, groups, forgets }
    }

    /// How many replicates are run.
    fn replicates(&self) -> usize {
        self.groups.iter().map(std::ops::Range::len).sum()
    }

    fn worker(&self, backward: bool) -> Result<Worker<F>, EngineError> {
        let waiting = {
            let mut pool = self.pool.0.lock().unwrap_or_else(|e| e.into_inner());
            pool.pop().filter(|w| w.crew == self.crew)
        };
        let mut worker =
            waiting.unwrap_or_else(|| Worker::new(&self.plan.codes, &self.plan.options, self.crew));
        worker.prepare(self.run, backward)?;
        Ok(worker)
    }

    fn give_back(&self, worker: Worker<F>) {
        self.pool.0.lock().unwrap_or_else(|e| e.into_inner()).push(worker);
    }

    /// What a fault of a program is to the user.
    fn explain(&self, fault: Fault, program: &Program, replicate: usize, step: usize) -> EngineError {
        fault.explain(program, replicate, self.number(replicate, step) as usize)
    }

    /// The number of a step of this run: 1 for the first after a start that has none behind it.
    fn number(&self, replicate: usize, step: usize) -> u32 {
        self.run.first_step.of(replicate).wrapping_add(step as u32)
    }

    fn address(&self, replicate: usize, step: usize) -> Address {
        Address {
            seed: self.seed,
            replicate: self.run.first_replicate.wrapping_add(replicate as u32),
            step: self.number(replicate, step),
            first_draw: 0,
        }
    }

    /// Where an observation's noise comes from: apart from the step's and from other observations'.
    fn address_of_observation(&self, replicate: usize, step: usize, observation: usize) -> Address {
        let first_draw = (observation as u32).wrapping_add(1).wrapping_mul(DRAWS_PER_PROGRAM);
        Address { first_draw, ..self.address(replicate, step) }
    }

    fn begin(&self, worker: &mut Worker<F>, replicate: usize) -> Result<State<F>, EngineError> {
        let codes = &self.plan.codes;
        let mut state = worker.state(codes);
        match (&self.run.start, &mut worker.start) {
            (Start::States(layers), _) => {
                for ((plane, data), margin) in state.iter_mut().zip(layers).zip(&codes.margins) {
                    set(plane, &codes.layout, *margin, data, replicate);
                }
            }
            (Start::Model, Some(start)) => {
                start.choose(self.run, replicate);
                let inputs = Inputs {
                    fields: &start.fields,
                    address: self.address(replicate, 0),
                    ..Inputs::nothing()
                };
                let mut results = Results {
                    next_layers: &mut state,
                    layer_adjoints: &mut [],
                    add_layer_adjoints: false,
                    field_adjoints: &mut [],
                    outputs: &mut [],
                    parameter_adjoints: &mut [],
                };
                if let Some(fault) = start.machine.run(&inputs, &mut results) {
                    return Err(self.explain(fault, &start.machine.code().program, replicate, 0));
                }
                codes.fill_margins(&mut state);
            }
            (Start::Model, None) => {
                return Err(EngineError::NoStart { model: codes.declarations.model.clone() });
            }
        }
        Ok(state)
    }

    /// Makes the state after `step` from the one before.
    fn advance(
        &self,
        worker: &mut Worker<F>,
        state: &State<F>,
        next: &mut State<F>,
        replicate: usize,
        step: usize,
    ) -> Result<(), EngineError> {
        if step % 64 == 0 && self.run.interrupted() {
            return Err(EngineError::Interrupted);
        }
        let unit = &mut worker.step;
        unit.choose(self.run, replicate);
        let inputs = Inputs {
            layers: state,
            fields: &unit.fields,
            address: self.address(replicate, step),
            ..Inputs::nothing()
        };
        let mut results = Results {
            next_layers: next,
            layer_adjoints: &mut [],
            add_layer_adjoints: false,
            field_adjoints: &mut [],
            outputs: &mut [],
            parameter_adjoints: &mut [],
        };
        if let Some(fault) = unit.machine.run(&inputs, &mut results) {
            return Err(self.explain(fault, &unit.machine.code().program, replicate, step));
        }
        self.plan.codes.fill_margins(next);
        Ok(())
    }

    /// Carries a state through a step, an event at a time.
    fn advance_by_events(
        &self,
        worker: &mut Worker<F>,
        state: &mut State<F>,
        replicate: usize,
        step: usize,
    ) -> Result<(), EngineError> {
        if self.run.interrupted() {
            return Err(EngineError::Interrupted);
        }
        let Some(events) = &mut worker.events else {
            return Err(EngineError::Broken("there are no events to run"));
        };
        events.choose(self.run, replicate);
        let address = self.address(replicate, step);
        events.run(state, address, || self.run.interrupted()).map_err(|trouble| match trouble {
            Trouble::Stopped => EngineError::Interrupted,
            Trouble::Fault(fault) => self.explain(fault, &events.rule().program, replicate, step),
            other => {
                let model = self.plan.codes.declarations.model.clone();
                let complaint = other.complaint(&self.plan.codes.declarations);
                EngineError::Event { model, step: address.step as usize, replicate, complaint }
            }
        })
    }

    fn events_at(&self, step: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let from = self.run.events.partition_point(|e| e.0 < step);
        let here = self.run.events[from..].iter().take_while(move |e| e.0 == step);
        here.enumerate().map(move |(k, e)| (from + k, e.1))
    }

    fn observe(
        &self,
        worker: &mut Worker<F>,
        state: &State<F>,
        replicate: usize,
        step: usize,
        outputs: &mut [f64],
    ) -> Result<(), EngineError> {
        for (event, observation) in self.events_at(step) {
            let width = self.plan.codes.observed[observation].width();
            let own = &mut outputs[self.offsets[event]..self.offsets[event] + width];
            match (&self.plan.codes.observed[observation], &mut worker.observed[observation]) {
                (_, Some((unit, _))) => {
                    unit.choose(self.run, replicate);
                    let inputs = Inputs {
                        layers: state,
                        fields: &unit.fields,
                        targets: &unit.targets,
                        address: self.address_of_observation(replicate, step, observation),
                        ..Inputs::nothing()
                    };
                    let mut results = Results {
                        next_layers: &mut [],
                        layer_adjoints: &mut [],
                        add_layer_adjoints: false,
                        field_adjoints: &mut [],
                        outputs: own,
                        parameter_adjoints: &mut [],
                    };
                    if let Some(fault) = unit.machine.run(&inputs, &mut results) {
                        return Err(self.explain(fault, &unit.machine.code().program, replicate, step));
                    }
                }
                (Observed::Summary(summary), None) => {
                    own.copy_from_slice(&summary.values(&self.dense(state)));
                }
                (Observed::Program { .. }, None) => {
                    return Err(EngineError::Broken("an observation has no machine"));
                }
            }
        }
        Ok(())
    }

    fn dense(&self, state: &State<F>) -> Frame {
        state.iter().map(|p| p.dense(&self.plan.codes.layout)).collect()
    }

    fn simulate(&self, recorder: Option<&dyn Recorder>) -> Result<Simulation, EngineError> {
        let mut values = vec![0.0; self.replicates() * self.width];
        let mut rows = self.rows(&mut values);
        let work = self.divide(&mut rows);
        let last: Vec<Result<Vec<Frame>, EngineError>> = work
            .into_par_iter()
            .map(|(group, rows)| {
                let mut worker = self.worker(false)?;
                let mut last = Vec::new();
                for (replicate, row) in group.zip(rows) {
                    let state = self.forwards(&mut worker, replicate, row, recorder)?;
                    if self.run.wants_last {
                        last.push(self.dense(&state));
                    }
                    worker.done_with(&self.plan.codes, state);
                }
                self.give_back(worker);
                Ok(last)
            })
            .collect();
        let outputs = Outputs { values, width: self.width };
        Ok(Simulation { outputs, last: in_order(last)?.into_iter().flatten().collect() })
    }

    /// One row of numbers for each replicate; empty ones where nothing is observed.
    fn rows<'v>(&self, values: &'v mut [f64]) -> Vec<&'v mut [f64]> {
        match self.width {
            0 => (0..self.replicates()).map(|_| Default::default()).collect(),
            width => values.chunks_exact_mut(width).collect(),
        }
    }

    /// Splits one item per replicate into the groups.
    fn divide<'r, T>(&self, mut rows: &'r mut [T]) -> Vec<(std::ops::Range<usize>, &'r mut [T])> {
        let mut work = Vec::new();
        for group in &self.groups {
            let (own, rest) = rows.split_at_mut(group.len());
            rows = rest;
            work.push((group.clone(), own));
        }
        work
    }

    fn forwards(
        &self,
        worker: &mut Worker<F>,
        replicate: usize,
        outputs: &mut [f64],
        recorder: Option<&dyn Recorder>,
    ) -> Result<State<F>, EngineError> {
        let state = self.begin(worker, replicate)?;
        self.onwards(worker, state, replicate, outputs, recorder)
    }

    /// Carries a state to the end of the run.
    fn onwards(
        &self,
        worker: &mut Worker<F>,
        mut state: State<F>,
        replicate: usize,
        outputs: &mut [f64],
        recorder: Option<&dyn Recorder>,
    ) -> Result<State<F>, EngineError> {
        let record = |step: usize, state: &State<F>| {
            if let Some(recorder) = recorder.filter(|r| r.wants(step)) {
                recorder.record(replicate, step, self.dense(state));
            }
        };
        // Many runs of few steps end soon too.
        if self.run.interrupted() {
            return Err(EngineError::Interrupted);
        }
        self.observe(worker, &state, replicate, 0, outputs)?;
        record(0, &state);
        let mut next = worker.state(&self.plan.codes);
        for step in 1..=self.run.steps {
            if worker.events.is_some() {
                self.advance_by_events(worker, &mut state, replicate, step)?;
            } else {
                self.advance(worker, &state, &mut next, replicate, step)?;
                std::mem::swap(&mut state, &mut next);
            }
            self.observe(worker, &state, replicate, step, outputs)?;
            record(step, &state);
        }
        worker.done_with(&self.plan.codes, next);
        Ok(state)
    }
}

/// The results of all groups; of several errors the first group's, whichever thread met its own first.
fn in_order<T>(results: Vec<Result<T, EngineError>>) -> Result<Vec<T>, EngineError> {
    results.into_iter().collect()
}
