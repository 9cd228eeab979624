//! Runs plans: replicates in parallel, forwards with what a history needs, and backwards through it.
//!
//! The history keeps the layers of each step in the smallest type of their range; everything else is recomputed from
//! them and from the noise, which is a function of its address. Where the states of all steps would outgrow the memory
//! allowed, only every k-th is kept and the steps between are run again, with the same bits.

use glauber_lattice::Layout;
use glauber_program::FieldKind;
use rayon::prelude::*;

use crate::compile::Code;
use crate::error::EngineError;
use crate::kernel::{Destination, Source};
use crate::machine::{Address, Fault, Inputs, Results};
use crate::plan::{Observed, Plan, Pool, Precision};
use crate::plane::{Margin, Plane};
use crate::real::Real;
use crate::run::{Run, Start};
use crate::worker::{State, Worker, set};

/// The numbers observed in a run: for each replicate those of every event in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    /// [replicate][number], flattened.
    pub values: Vec<f64>,
    /// Numbers per replicate.
    pub width: usize,
}

impl Outputs {
    /// The numbers of one replicate.
    pub fn replicate(&self, replicate: usize) -> &[f64] {
        &self.values[replicate * self.width..(replicate + 1) * self.width]
    }

    /// How many replicates there are.
    pub fn replicates(&self) -> usize {
        if self.width == 0 { 0 } else { self.values.len() / self.width }
    }

    /// The mean over replicates of every number.
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.width];
        for row in self.values.chunks_exact(self.width.max(1)) {
            for (sum, value) in mean.iter_mut().zip(row) {
                *sum += value;
            }
        }
        let n = self.replicates().max(1) as f64;
        mean.iter_mut().for_each(|m| *m /= n);
        mean
    }

    /// The standard error of every mean over replicates.
    pub fn standard_error(&self) -> Vec<f64> {
        let (mean, n) = (self.mean(), self.replicates() as f64);
        let mut squares = vec![0.0; self.width];
        for row in self.values.chunks_exact(self.width.max(1)) {
            for ((sum, value), mean) in squares.iter_mut().zip(row).zip(&mean) {
                *sum += (value - mean) * (value - mean);
            }
        }
        squares.into_iter().map(|s| (s / (n - 1.0).max(1.0) / n).sqrt()).collect()
    }
}

/// A state at one time: for each layer the dense numbers.
pub type Frame = Vec<Vec<f64>>;

/// What a run without gradient gives.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The numbers observed.
    pub outputs: Outputs,
    /// For each replicate its last state, unless the run does not want them.
    pub last: Vec<Frame>,
}

/// What a loss makes of the mean outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct LossValue {
    /// The loss.
    pub value: f64,
    /// Its derivative by each mean output.
    pub slopes: Vec<f64>,
}

/// What a run with gradient gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// The loss.
    pub value: f64,
    /// The derivative by each parameter.
    pub parameters: Vec<f64>,
    /// The derivative by each parameter field of the model, by name: one number per site.
    pub fields: Vec<(String, Vec<f64>)>,
    /// Where wanted: the derivative by the starting state, per replicate and layer (per state, one after another, for
    /// a layer of three or more named states).
    pub start: Vec<Frame>,
    /// The numbers observed.
    pub outputs: Outputs,
}

/// Sees states as they are made; called from several threads.
pub trait Recorder: Sync {
    /// Whether this step's state is wanted.
    fn wants(&self, step: usize) -> bool;
    /// A state: one dense field per layer.
    fn record(&self, replicate: usize, step: usize, layers: Frame);
}

impl Plan {
    /// Runs forwards.
    ///
    /// # Errors
    /// [`EngineError`] where the run does not fit the model, or a rule leaves a layer's range or the probabilities' interval.
    pub fn simulate(&self, run: &Run<'_>) -> Result<Simulation, EngineError> {
        self.simulate_recorded(run, None)
    }

    /// Runs forwards, showing states to a recorder.
    ///
    /// # Errors
    /// As [`Plan::simulate`].
    pub fn simulate_recorded(
        &self,
        run: &Run<'_>,
        recorder: Option<&dyn Recorder>,
    ) -> Result<Simulation, EngineError> {
        run.check(self)?;
        self.install(|| match self.options.precision {
            Precision::Single => Rollout::new(self, &self.single, run).simulate(recorder),
            Precision::Double => Rollout::new(self, &self.double, run).simulate(recorder),
        })
    }

    /// Runs forwards and backwards: the gradient of a loss of the mean outputs.
    ///
    /// # Errors
    /// As [`Plan::simulate`]; [`EngineError::Memory`] where no checkpointing fits the memory allowed;
    /// [`EngineError::NoEstimator`] where the plan was made without one.
    pub fn gradient(
        &self,
        run: &Run<'_>,
        loss: &(dyn Fn(&[f64]) -> LossValue + Sync),
    ) -> Result<Gradient, EngineError> {
        run.check(self)?;
        if self.codes.adjoint.is_none() {
            return Err(EngineError::NoEstimator { model: self.codes.declarations.model.clone() });
        }
        self.install(|| match self.options.precision {
            Precision::Single => Rollout::new(self, &self.single, run).gradient(loss),
            Precision::Double => Rollout::new(self, &self.double, run).gradient(loss),
        })
    }

    fn install<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        match &self.threads {
            Some(pool) => pool.install(f),
            None => f(),
        }
    }
}

/// Single lattices with at least this many sites are shared between threads block by block.
const SHARED_SITES: usize = 32_768;

/// Replicates are run in at most this many groups; within a group one after another.
const MOST_GROUPS: usize = 16;

/// The draws of start and step are numbered from 0, those of observation k from (k + 1) times this.
const DRAWS_PER_PROGRAM: u32 = 1 << 16;

struct Rollout<'a, F: Real> {
    plan: &'a Plan,
    pool: &'a Pool<F>,
    run: &'a Run<'a>,
    /// Numbers per replicate, and where each event's begin.
    width: usize,
    offsets: Vec<usize>,
    crew: usize,
    groups: Vec<std::ops::Range<usize>>,
}

/// What one replicate keeps of its way forwards: the states of steps 0, k, 2k …
struct History<F> {
    states: Vec<State<F>>,
    interval: usize,
}

impl<'a, F: Real> Rollout<'a, F> {
    fn new(plan: &'a Plan, pool: &'a Pool<F>, run: &'a Run<'a>) -> Rollout<'a, F> {
        let mut width = 0;
        let mut offsets = Vec::new();
        for (_, observation) in &run.events {
            offsets.push(width);
            width += plan.codes.observed[*observation].width();
        }
        let threads = rayon::current_num_threads();
        let large = plan.codes.layout.sites() >= SHARED_SITES && run.replicates < threads;
        let count = run.replicates.min(MOST_GROUPS);
        let bounds = |g: usize| g * run.replicates / count;
        let groups = (0..count).map(|g| bounds(g)..bounds(g + 1)).collect();
        Rollout { plan, pool, run, width, offsets, crew: if large { threads } else { 1 }, groups }
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

    fn explain(&self, fault: Fault, replicate: usize, step: usize) -> EngineError {
        let d = &self.plan.codes.declarations;
        let model = d.model.clone();
        let index = |mut site: usize| {
            let mut index = Vec::new();
            for length in d.lattice.shape().iter().rev() {
                index.push(site % length);
                site /= length;
            }
            index.reverse();
            index
        };
        match fault {
            Fault::OutOfRange { layer, site, value } => {
                let layer = &d.layers[layer as usize];
                let (name, values) = (layer.name.clone(), layer.values.to_string());
                EngineError::OutOfRange {
                    model,
                    layer: name,
                    values,
                    value,
                    step,
                    replicate,
                    site: index(site),
                }
            }
            Fault::NotProbability { draw, site, value } => {
                let code = if step == 0 { self.plan.codes.start.as_ref() } else { None };
                let checks = &code.unwrap_or(&self.plan.codes.step).program.declarations.checks;
                let draw = checks.get(draw as usize).cloned().unwrap_or_default();
                EngineError::NotProbability { model, draw, value, step, replicate, site: index(site) }
            }
        }
    }

    fn address(&self, replicate: usize, step: usize) -> Address {
        Address {
            seed: self.run.seed,
            replicate: self.run.first_replicate.wrapping_add(replicate as u32),
            step: step as u32,
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
                    return Err(self.explain(fault, replicate, 0));
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
            return Err(self.explain(fault, replicate, step));
        }
        self.plan.codes.fill_margins(next);
        Ok(())
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
                        return Err(self.explain(fault, replicate, step));
                    }
                }
                (Observed::Summary(summary), None) => {
                    own.copy_from_slice(&summary.values(&self.dense(state)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn dense(&self, state: &State<F>) -> Frame {
        state.iter().map(|p| p.dense(&self.plan.codes.layout)).collect()
    }

    fn simulate(&self, recorder: Option<&dyn Recorder>) -> Result<Simulation, EngineError> {
        let mut values = vec![0.0; self.run.replicates * self.width];
        let mut rows: Vec<&mut [f64]> = if self.width == 0 {
            (0..self.run.replicates).map(|_| Default::default()).collect()
        } else {
            values.chunks_exact_mut(self.width).collect()
        };
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
                    worker.spare.push(state);
                }
                self.give_back(worker);
                Ok(last)
            })
            .collect();
        let outputs = Outputs { values, width: self.width };
        Ok(Simulation { outputs, last: in_order(last)?.into_iter().flatten().collect() })
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
        let record = |step: usize, state: &State<F>| {
            if let Some(recorder) = recorder.filter(|r| r.wants(step)) {
                recorder.record(replicate, step, self.dense(state));
            }
        };
        let mut state = self.begin(worker, replicate)?;
        self.observe(worker, &state, replicate, 0, outputs)?;
        record(0, &state);
        let mut next = worker.state(&self.plan.codes);
        for step in 1..=self.run.steps {
            self.advance(worker, &state, &mut next, replicate, step)?;
            std::mem::swap(&mut state, &mut next);
            self.observe(worker, &state, replicate, step, outputs)?;
            record(step, &state);
        }
        worker.spare.push(next);
        Ok(state)
    }

    /// The distance between kept states: 1 where all fit the memory allowed.
    fn interval(&self) -> Result<usize, EngineError> {
        let bytes = self.plan.bytes_per_state();
        let (steps, replicates) = (self.run.steps, self.run.replicates);
        let running = replicates.min(rayon::current_num_threads());
        let needed = |k: usize| {
            let again = if k == 1 { 0 } else { running * k };
            bytes.saturating_mul(replicates * (steps / k + 1) + again + 2 * running)
        };
        let allowed = self.plan.options.memory;
        let best = (((steps * replicates) as f64 / running as f64).sqrt().ceil() as usize).max(1);
        (1..=best).find(|k| needed(*k) <= allowed).ok_or_else(|| EngineError::Memory {
            model: self.plan.codes.declarations.model.clone(),
            steps,
            replicates,
            needed: needed(best),
            allowed,
        })
    }

    fn gradient(&self, loss: &(dyn Fn(&[f64]) -> LossValue + Sync)) -> Result<Gradient, EngineError> {
        let interval = self.interval()?;
        let mut values = vec![0.0; self.run.replicates * self.width];
        let histories: Vec<Result<Vec<History<F>>, EngineError>> = {
            let mut rows: Vec<&mut [f64]> = values.chunks_exact_mut(self.width.max(1)).collect();
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
        let mut histories = in_order(histories)?;
        let outputs = Outputs { values, width: self.width };
        let LossValue { value, slopes } = loss(&outputs.mean());
        let seen = Seen::new(&outputs, &slopes);
        let parts: Vec<Result<Part, EngineError>> = self
            .groups
            .par_iter()
            .zip(histories.par_iter_mut())
            .map(|(group, histories)| self.group_backwards(group.clone(), histories, &seen))
            .collect();
        let mut parameters = vec![0.0; self.plan.codes.declarations.parameters.len()];
        let mut fields = self.zero_fields();
        let mut start = Vec::new();
        for part in in_order(parts)? {
            for (sum, own) in parameters.iter_mut().zip(&part.parameters) {
                *sum += own;
            }
            add_fields(&mut fields, part.fields);
            start.extend(part.start);
        }
        Ok(Gradient { value, parameters, fields, start, outputs })
    }

    /// A derivative of 0 for every parameter field of the model.
    fn zero_fields(&self) -> Vec<(String, Vec<f64>)> {
        let d = &self.plan.codes.declarations;
        let unknown = d.fields.iter().filter(|f| matches!(f.kind, FieldKind::Parameter(_)));
        unknown.map(|f| (f.name.clone(), vec![0.0; d.lattice.sites()])).collect()
    }

    /// Runs one replicate forwards, keeping every `interval`-th state.
    fn remember(
        &self,
        worker: &mut Worker<F>,
        replicate: usize,
        outputs: &mut [f64],
        interval: usize,
    ) -> Result<History<F>, EngineError> {
        let codes = &self.plan.codes;
        let first = self.begin(worker, replicate)?;
        self.observe(worker, &first, replicate, 0, outputs)?;
        let mut states = vec![first];
        let mut current: Option<State<F>> = None;
        for step in 1..=self.run.steps {
            let mut next = worker.state(codes);
            {
                let state = current.as_ref().or(states.last()).ok_or(EngineError::Interrupted)?;
                self.advance(worker, state, &mut next, replicate, step)?;
            }
            self.observe(worker, &next, replicate, step, outputs)?;
            if let Some(old) = current.take() {
                worker.spare.push(old);
            }
            if step % interval == 0 {
                states.push(next);
            } else {
                current = Some(next);
            }
        }
        worker.spare.extend(current);
        Ok(History { states, interval })
    }

    fn group_backwards(
        &self,
        group: std::ops::Range<usize>,
        histories: &mut Vec<History<F>>,
        seen: &Seen<'_>,
    ) -> Result<Part, EngineError> {
        let mut worker = self.worker(true)?;
        let mut part = Part::new(self.plan.codes.declarations.parameters.len());
        for (replicate, history) in group.zip(histories.drain(..)) {
            self.backwards(&mut worker, replicate, history, seen, &mut part)?;
        }
        let layout = &self.plan.codes.layout;
        for unit in worker.units_with_field_adjoints() {
            let names: Vec<String> =
                unit.machine.code().program.declarations.fields.iter().map(|f| f.name.clone()).collect();
            let wanted: Vec<u32> = unit.machine.code().field_adjoints();
            let fields = wanted.into_iter().filter_map(|i| {
                Some((names[i as usize].clone(), unit.field_adjoints.get(i as usize)?.dense(layout)))
            });
            add_fields(&mut part.fields, fields.collect());
        }
        self.give_back(worker);
        Ok(part)
    }

    /// Runs one replicate backwards.
    fn backwards(
        &self,
        worker: &mut Worker<F>,
        replicate: usize,
        mut history: History<F>,
        seen: &Seen<'_>,
        part: &mut Part,
    ) -> Result<(), EngineError> {
        let codes = &self.plan.codes;
        let mut bars = Bars { touched: false, advantage: 0.0 };
        // The states from the last kept one up to the end of its stretch.
        let mut stretch: Vec<State<F>> = Vec::new();
        for step in (0..=self.run.steps).rev() {
            if step % 64 == 0 && self.run.interrupted() {
                return Err(EngineError::Interrupted);
            }
            if stretch.is_empty() {
                stretch = self.restore(worker, &mut history, replicate, step)?;
            }
            let Some(state) = stretch.pop() else { continue };
            // The step that led from this state to the next.
            if step < self.run.steps {
                self.step_backwards(worker, &state, replicate, step + 1, &mut bars, part)?;
            }
            self.observe_backwards(worker, &state, replicate, step, seen, &mut bars, part);
            worker.spare.push(state);
        }
        if !bars.touched {
            worker.adjoints[0].iter_mut().for_each(Plane::clear);
        }
        self.start_backwards(worker, replicate, &bars, part);
        if self.run.wants_start_gradient {
            let layout = &codes.layout;
            part.start.push(worker.adjoints[0].iter().map(|p| p.dense(layout)).collect());
        }
        Ok(())
    }

    /// The states from the last kept one up to `step`.
    fn restore(
        &self,
        worker: &mut Worker<F>,
        history: &mut History<F>,
        replicate: usize,
        step: usize,
    ) -> Result<Vec<State<F>>, EngineError> {
        let kept = history.states.pop().ok_or(EngineError::Interrupted)?;
        let first = step - step % history.interval;
        let mut stretch = vec![kept];
        for again in first + 1..=step {
            let mut next = worker.state(&self.plan.codes);
            if let Some(state) = stretch.last() {
                self.advance(worker, state, &mut next, replicate, again)?;
            }
            stretch.push(next);
        }
        Ok(stretch)
    }

    /// Whether anyone wants the derivative by the starting state.
    fn start_has_gradient(&self) -> bool {
        self.run.wants_start_gradient || matches!(self.run.start, Start::Model)
    }

    fn step_backwards(
        &self,
        worker: &mut Worker<F>,
        state: &State<F>,
        replicate: usize,
        step: usize,
        bars: &mut Bars,
        part: &mut Part,
    ) -> Result<(), EngineError> {
        if !bars.touched {
            return Ok(());
        }
        let layout = &self.plan.codes.layout;
        let last = step == 1 && !self.start_has_gradient() && self.events_at(0).next().is_none();
        let Some(pair) = &mut worker.adjoint_step else { return Ok(()) };
        let unit = pair.unit(last);
        unit.choose(self.run, replicate);
        let [from, to] = &mut worker.adjoints;
        fill_adjoint_margins(layout, unit.machine.code(), from);
        for (place, plane) in to.iter_mut().enumerate() {
            if !last && !unit.machine.code().writes(Destination::LayerAdjoint(place as u16)) {
                plane.clear();
            }
        }
        let inputs = Inputs {
            layers: state,
            next_adjoints: from,
            fields: &unit.fields,
            advantage: bars.advantage,
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
            return Err(self.explain(fault, replicate, step));
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
        seen: &Seen<'_>,
        bars: &mut Bars,
        part: &mut Part,
    ) {
        for (event, observation) in self.events_at(step) {
            let observed = &self.plan.codes.observed[observation];
            let from = self.offsets[event];
            let slopes = &seen.slopes[from..from + observed.width()];
            let add = std::mem::replace(&mut bars.touched, true);
            // What an observation draws changes its own numbers only.
            let lead = seen.advantage(replicate, from..from + observed.width());
            bars.advantage += lead;
            match (observed, &mut worker.observed[observation]) {
                (_, Some((_, Some(pair)))) => {
                    let last = step == 0 && !self.start_has_gradient();
                    let unit = pair.sharing(last, self.run, replicate);
                    for (place, plane) in worker.adjoints[0].iter_mut().enumerate().filter(|_| !add) {
                        if !unit.machine.code().writes(Destination::LayerAdjoint(place as u16)) {
                            plane.clear();
                        }
                    }
                    let inputs = Inputs {
                        layers: state,
                        fields: unit.fields,
                        targets: unit.targets,
                        output_adjoints: slopes,
                        advantage: lead,
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
                _ => {}
            }
        }
    }

    fn start_backwards(&self, worker: &mut Worker<F>, replicate: usize, bars: &Bars, part: &mut Part) {
        let layout = &self.plan.codes.layout;
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
fn fill_adjoint_margins<F: Real>(layout: &Layout, code: &Code, adjoints: &mut State<F>) {
    for (place, plane) in adjoints.iter_mut().enumerate() {
        plane.fill_margin(layout, code.margin(Source::NextAdjoint(place as u16), Margin::Zero));
    }
}

/// The results of all groups; of several errors the first group's, whichever thread met its own first.
fn in_order<T>(results: Vec<Result<T, EngineError>>) -> Result<Vec<T>, EngineError> {
    results.into_iter().collect()
}

/// Where a replicate's way back stands.
struct Bars {
    /// Whether any observation was met yet; before, all derivatives are 0.
    touched: bool,
    /// The replicate's weighted lead over the baseline, from here to the end.
    advantage: f64,
}

/// The sums of a group of replicates.
struct Part {
    parameters: Vec<f64>,
    fields: Vec<(String, Vec<f64>)>,
    start: Vec<Frame>,
}

impl Part {
    fn new(parameters: usize) -> Part {
        Part { parameters: vec![0.0; parameters], fields: Vec::new(), start: Vec::new() }
    }
}

fn add_fields(sums: &mut Vec<(String, Vec<f64>)>, own: Vec<(String, Vec<f64>)>) {
    for (name, values) in own {
        match sums.iter_mut().find(|(n, _)| *n == name) {
            Some((_, sum)) => sum.iter_mut().zip(values).for_each(|(s, v)| *s += v),
            None => sums.push((name, values)),
        }
    }
}

/// The outputs with the slopes of the loss, per replicate.
struct Seen<'a> {
    outputs: &'a Outputs,
    mean: Vec<f64>,
    /// The loss's derivative by one replicate's outputs.
    slopes: Vec<f64>,
}

impl<'a> Seen<'a> {
    fn new(outputs: &'a Outputs, slopes: &[f64]) -> Seen<'a> {
        let n = outputs.replicates().max(1) as f64;
        Seen { outputs, mean: outputs.mean(), slopes: slopes.iter().map(|s| s / n).collect() }
    }

    /// Σ slope · (own output − mean of the other replicates' outputs) over some outputs.
    fn advantage(&self, replicate: usize, range: std::ops::Range<usize>) -> f64 {
        let n = self.outputs.replicates() as f64;
        let own = self.outputs.replicate(replicate);
        range
            .map(|k| {
                let others = if n > 1.5 { (n * self.mean[k] - own[k]) / (n - 1.0) } else { 0.0 };
                self.slopes[k] * (own[k] - others)
            })
            .sum()
    }
}

impl Observed {
    fn width(&self) -> usize {
        match self {
            Observed::Program { forward, .. } => forward.program.declarations.outputs.len(),
            Observed::Summary(s) => s.outputs().len(),
        }
    }
}
