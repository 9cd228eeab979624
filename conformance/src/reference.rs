//! Runs models the slow way, forwards and backwards: the oracle of rollouts, histories, estimators and baselines, and a
//! second backend behind the engine's seam.
//!
//! Every state of every replicate is kept; nothing is pooled, checkpointed or shared between threads.

use std::collections::HashMap;

use glauber_engine::{
    Backend, EngineError, Fault, Frame, Gradient, LossValue, Observation, Options, Outputs, Precision,
    Prepared, Recorder, Run, Simulation, Start, noise_seed,
};
use glauber_numbers::real::Real;
use glauber_program::{Bundle, Estimator, FieldKind, Model, Program, units_of_terms};

use crate::cone::{self, Ahead};
use crate::events;
use crate::interpreter::{Inputs, Results, interpret};

/// Draws of observation k are numbered from (k + 1) · 2¹⁶ on, those of start and step from 0.
const DRAWS_PER_PROGRAM: u32 = 1 << 16;

/// What the reference gives.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// \[replicate\]\[number\] in event order.
    pub outputs: Vec<Vec<f64>>,
    /// \[replicate\]\[layer\]\[site\].
    pub last: Vec<Frame>,
    /// The loss.
    pub value: f64,
    /// The derivative by each parameter.
    pub parameters: Vec<f64>,
    /// The derivative by each parameter field, in the order of the declarations.
    pub fields: Vec<(String, Vec<f64>)>,
    /// \[replicate\]\[layer\]\[site\].
    pub start: Vec<Frame>,
    /// What went wrong where a rule left its range; the rest is then worth nothing.
    pub faults: Vec<EngineError>,
    /// Values that left their domains.
    pub outside: Vec<String>,
}

impl Reference {
    /// Notes what went wrong; what follows a fault has nothing to say of domains.
    fn note(&mut self, results: &Results, program: &Program, replicate: usize, step: u32) {
        if self.faults.is_empty() {
            self.outside.extend(results.outside.iter().cloned());
        }
        let explained = results.faults.iter().map(|fault| fault.explain(program, replicate, step as usize));
        self.faults.extend(explained);
    }
}

/// A model and its observations, ready for the reference.
pub struct Oracle {
    bundle: Bundle,
    observations: Vec<Observation>,
    precision: Precision,
}

impl Oracle {
    /// The oracle of a model; what an estimator simulates instead is simulated here too.
    pub fn new(model: &Model, observations: &[Program], estimator: Option<&dyn Estimator>) -> Oracle {
        let programs: Vec<Option<&Program>> = observations.iter().map(Some).collect();
        let observations = observations.iter().cloned().map(Observation::Program).collect();
        let bundle = Bundle::new(model, &programs, estimator);
        Oracle { bundle, observations, precision: Precision::Double }
    }

    /// Runs forwards.
    pub fn simulate<F: Real>(&self, run: &Run<'_>) -> Reference {
        let mut reference = Reference::default();
        for replicate in 0..run.replicates {
            let (states, outputs) = self.forwards::<F>(run, replicate, &mut reference);
            reference.outputs.push(outputs);
            reference.last.extend(states.into_iter().last());
        }
        reference
    }

    /// Runs forwards and backwards.
    pub fn gradient<F: Real>(&self, run: &Run<'_>, loss: &dyn Fn(&[f64]) -> LossValue) -> Reference {
        let mut reference = Reference::default();
        let mut histories = Vec::new();
        for replicate in 0..run.replicates {
            let (states, outputs) = self.forwards::<F>(run, replicate, &mut reference);
            reference.outputs.push(outputs);
            reference.last.extend(states.last().cloned());
            histories.push(states);
        }
        let width = reference.outputs[0].len();
        let mean = |k: usize| reference.outputs.iter().map(|o| o[k]).sum::<f64>() / run.replicates as f64;
        let LossValue { value, slopes } = loss(&(0..width).map(mean).collect::<Vec<_>>());
        reference.value = value;
        let d = self.bundle.declarations();
        let sites = d.lattice.sites();
        let mut sums = Sums { parameters: vec![0.0; d.parameters.len()], fields: HashMap::new() };
        let terms = self.terms::<F>(run, &histories, &slopes);
        for (replicate, states) in histories.iter().enumerate() {
            let seen = (&slopes[..], &reference.outputs[..], &terms[..]);
            let start = self.backwards::<F>(run, replicate, states, seen, &mut sums);
            reference.start.push(start);
        }
        reference.parameters = sums.parameters;
        for field in d.fields.iter().filter(|f| matches!(f.kind, FieldKind::Parameter(_))) {
            let sum = sums.fields.remove(&field.name).unwrap_or_else(|| vec![0.0; sites]);
            reference.fields.push((field.name.clone(), sum));
        }
        reference
    }

    fn number(run: &Run<'_>, replicate: usize, step: usize) -> u32 {
        run.first_step.of(replicate).wrapping_add(step as u32)
    }

    fn inputs<'r>(&self, run: &Run<'r>, replicate: usize, step: usize) -> Inputs<'r> {
        let sites = self.bundle.declarations().lattice.sites();
        let fields = run.fields.iter().map(|(name, data)| {
            let from = data.picks().map_or(0, |p| p[replicate] as usize * sites);
            (name.clone(), (from..from + sites).map(|i| data.numbers().at(i)).collect())
        });
        Inputs {
            parameters: run.parameters,
            fields: fields.collect(),
            address: (
                noise_seed(run.seed, &self.bundle.declarations().lattice),
                run.first_replicate.wrapping_add(replicate as u32),
                Oracle::number(run, replicate, step),
            ),
            ..Inputs::default()
        }
    }

    fn targets(&self, run: &Run<'_>, replicate: usize) -> Frame {
        let sites = self.bundle.declarations().lattice.sites();
        let field = |data: &glauber_engine::FieldData| {
            let from = data.picks().map_or(0, |p| p[replicate] as usize * sites);
            (from..from + sites).map(|i| data.numbers().at(i)).collect()
        };
        run.targets.iter().flatten().map(field).collect()
    }

    fn width(&self, observation: usize) -> usize {
        self.observations[observation].outputs().len()
    }

    fn forwards<F: Real>(
        &self,
        run: &Run<'_>,
        replicate: usize,
        reference: &mut Reference,
    ) -> (Vec<Frame>, Vec<f64>) {
        let layers = self.bundle.declarations().layers.len() as u32;
        let sites = self.bundle.declarations().lattice.sites();
        let frame = |mut r: Results| -> Frame {
            (0..layers).map(|i| r.next.remove(&i).unwrap_or_default()).collect()
        };
        let first = match (&run.start, &self.bundle.start) {
            (Start::States(data), _) => {
                let layer = |d: &glauber_engine::FieldData| {
                    let from = d.picks().map_or(0, |p| p[replicate] as usize * sites);
                    (from..from + sites).map(|i| F::from_f64(d.numbers().at(i)).to_f64()).collect()
                };
                data.iter().map(layer).collect()
            }
            (Start::Model, Some(start)) => {
                let results = interpret::<F>(start, &self.inputs(run, replicate, 0));
                reference.note(&results, start, replicate, Oracle::number(run, replicate, 0));
                frame(results)
            }
            (Start::Model, None) => Vec::new(),
        };
        let mut states = vec![first];
        for step in 1..=run.steps {
            let inputs = Inputs { layers: &states[step - 1], ..self.inputs(run, replicate, step) };
            if self.bundle.is_by_events() {
                let (state, faults) = events::step::<F>(&self.bundle.step, &inputs);
                let number = Oracle::number(run, replicate, step);
                let explain = |fault: Fault| fault.explain(&self.bundle.step, replicate, number as usize);
                reference.faults.extend(faults.into_iter().map(explain));
                states.push(state);
                continue;
            }
            let results = interpret::<F>(&self.bundle.step, &inputs);
            reference.note(&results, &self.bundle.step, replicate, Oracle::number(run, replicate, step));
            states.push(frame(results));
        }
        let mut outputs = Vec::new();
        for (step, observation) in &run.events {
            let program = match (&self.observations[*observation], &self.bundle.observed[*observation]) {
                (Observation::Summary(summary), _) => {
                    outputs.extend(summary.values(&states[*step]));
                    continue;
                }
                (_, Some(program)) => program,
                (_, None) => continue,
            };
            let targets = self.targets(run, replicate);
            let inputs = Inputs {
                layers: &states[*step],
                targets: &targets,
                first_draw: (*observation as u32 + 1) * DRAWS_PER_PROGRAM,
                ..self.inputs(run, replicate, *step)
            };
            let seen = interpret::<F>(program, &inputs);
            reference.note(&seen, program, replicate, Oracle::number(run, replicate, *step));
            outputs.extend((0..program.declarations().outputs.len() as u32).map(|i| seen.outputs[&i]));
        }
        (states, outputs)
    }

    /// Where a light cone is followed: for each event that has local terms those of every replicate.
    fn terms<F: Real>(&self, run: &Run<'_>, histories: &[Vec<Frame>], slopes: &[f64]) -> Vec<Option<Frame>> {
        let Some(cone) = self.bundle.adjoints.as_ref().and_then(|a| a.cone.as_ref()) else {
            return vec![None; run.events.len()];
        };
        let mut from = 0;
        let mut all: Vec<Option<Frame>> = Vec::new();
        let mut most: f64 = 0.0;
        for (step, observation) in &run.events {
            let width = self.width(*observation);
            let own: Vec<f64> =
                slopes[from..from + width].iter().map(|s| s / run.replicates as f64).collect();
            from += width;
            let terms = cone.observed[*observation].as_ref();
            let terms = terms.filter(|t| t.reads.is_some() && t.local.contains(&true));
            if let Some(terms) = terms {
                let bound = |(s, b): (&f64, &f64)| if *s == 0.0 { 0.0 } else { s.abs() * b };
                most = most.max(own.iter().zip(&terms.bounds).map(bound).sum());
            }
            all.push(terms.map(|terms| {
                let of_replicate = |replicate: usize| {
                    let targets = self.targets(run, replicate);
                    let inputs = Inputs {
                        layers: &histories[replicate][*step],
                        targets: &targets,
                        output_adjoints: &own,
                        first_draw: (*observation as u32 + 1) * DRAWS_PER_PROGRAM,
                        ..self.inputs(run, replicate, *step)
                    };
                    interpret::<F>(&terms.program, &inputs).layer_adjoints.remove(&0).unwrap_or_default()
                };
                (0..run.replicates).map(of_replicate).collect()
            }));
        }
        let numbers = || all.iter().flatten().flatten().flatten();
        if !most.is_finite() {
            most = numbers().fold(0.0, |most, x| if x.abs() <= most { most } else { x.abs() });
        }
        let sites = self.bundle.declarations().lattice.sites();
        let units = units_of_terms(most, run.replicates, sites, all.iter().flatten().count());
        for x in all.iter_mut().flatten().flatten().flatten() {
            *x = (*x * units).round_ties_even() / units;
        }
        all
    }

    fn backwards<F: Real>(
        &self,
        run: &Run<'_>,
        replicate: usize,
        states: &[Frame],
        (slopes, outputs, terms): (&[f64], &[Vec<f64>], &[Option<Frame>]),
        sums: &mut Sums,
    ) -> Frame {
        let Some(adjoints) = &self.bundle.adjoints else { return Frame::new() };
        let lattice = &self.bundle.declarations().lattice;
        let kinds = cone::kinds(run);
        let mut ahead = Ahead::default();
        let worth = |ahead: &mut Ahead, step: usize| {
            adjoints.cone.as_ref().map_or_else(Vec::new, |cone| ahead.worth(lattice, cone, step))
        };
        let step_adjoint = &adjoints.step.whole;
        let n = outputs.len() as f64;
        let (places, sites) = (step_adjoint.declarations().adjoint_places(), states[0][0].len());
        let mut bars: Frame = vec![vec![0.0; sites]; places];
        let mut advantage = 0.0;
        for step in (0..=run.steps).rev() {
            if step < run.steps {
                let local_advantage = worth(&mut ahead, step + 1);
                let inputs = Inputs {
                    local_advantage: &local_advantage,
                    layers: &states[step],
                    next_adjoints: &bars,
                    advantage,
                    ..self.inputs(run, replicate, step + 1)
                };
                let back = interpret::<F>(step_adjoint, &inputs);
                sums.add(step_adjoint, &back);
                let place =
                    |i| back.layer_adjoints.get(&(i as u32)).cloned().unwrap_or_else(|| vec![0.0; sites]);
                bars = (0..places).map(place).collect();
            }
            let mut from = 0;
            for (event, (at, observation)) in run.events.iter().enumerate() {
                let width = self.width(*observation);
                if *at == step {
                    let own: Vec<f64> = slopes[from..from + width].iter().map(|s| s / n).collect();
                    // What an observation draws changes its own numbers only.
                    let (mut lead, mut rest) = (0.0, 0.0);
                    let followed = adjoints.cone.as_ref().and_then(|c| c.observed[*observation].as_ref());
                    for (k, slope) in own.iter().enumerate() {
                        let mine = outputs[replicate][from + k];
                        let all: f64 = outputs.iter().map(|o| o[from + k]).sum();
                        let others = if outputs.len() > 1 { (all - mine) / (n - 1.0) } else { 0.0 };
                        lead += slope * (mine - others);
                        if !followed.is_some_and(|t| t.reads.is_some() && t.local[k]) {
                            rest += slope * (mine - others);
                        }
                    }
                    advantage += lead;
                    ahead.rest += rest;
                    let near = terms[event].as_ref().map(|terms| cone::lead(terms, &kinds, replicate));
                    let local_advantage: Vec<f64> = match (&near, followed) {
                        (Some(near), Some(terms)) => {
                            let felt = |site| rest + cone::felt(lattice, near, terms.draws, site);
                            (0..sites).map(felt).collect()
                        }
                        _ => vec![rest; sites],
                    };
                    if let (Some(near), Some(terms)) = (near, followed) {
                        ahead.take_in(step, terms.reads, near);
                    }
                    if let Observation::Summary(summary) = &self.observations[*observation] {
                        self.pull_back(&summary.pull_back(&states[step], &own), &mut bars);
                    }
                    if let Some(pair) = &adjoints.observed[*observation] {
                        let targets = self.targets(run, replicate);
                        let inputs = Inputs {
                            layers: &states[step],
                            targets: &targets,
                            output_adjoints: &own,
                            advantage: lead,
                            local_advantage: &local_advantage,
                            first_draw: (*observation as u32 + 1) * DRAWS_PER_PROGRAM,
                            ..self.inputs(run, replicate, step)
                        };
                        let back = interpret::<F>(&pair.whole, &inputs);
                        sums.add(&pair.whole, &back);
                        for (i, own) in &back.layer_adjoints {
                            bars[*i as usize].iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
                        }
                    }
                }
                from += width;
            }
        }
        if let (Start::Model, Some(adjoint)) = (&run.start, &adjoints.start) {
            let local_advantage = worth(&mut ahead, 0);
            let inputs = Inputs {
                next_adjoints: &bars,
                advantage,
                local_advantage: &local_advantage,
                ..self.inputs(run, replicate, 0)
            };
            let back = interpret::<F>(adjoint, &inputs);
            sums.add(adjoint, &back);
        }
        bars
    }

    /// Adds what a summary pulls back: by each layer's number, so state k of a nominal layer gets k times as much.
    fn pull_back(&self, pulled: &[Vec<f64>], bars: &mut Frame) {
        let mut place = 0;
        for (layer, own) in self.bundle.declarations().layers.iter().zip(pulled) {
            for class in 0..layer.adjoint_places() {
                let weight = if layer.is_nominal() { class as f64 } else { 1.0 };
                bars[place].iter_mut().zip(own).for_each(|(sum, x)| *sum += weight * x);
                place += 1;
            }
        }
    }
}

/// Derivatives summed over replicates and steps.
struct Sums {
    parameters: Vec<f64>,
    fields: HashMap<String, Vec<f64>>,
}

impl Sums {
    fn add(&mut self, adjoint: &Program, back: &Results) {
        for (i, own) in &back.parameter_adjoints {
            self.parameters[*i as usize] += own;
        }
        for (i, own) in &back.field_adjoints {
            let name = adjoint.declarations().fields[*i as usize].name.clone();
            let sum = self.fields.entry(name).or_insert_with(|| vec![0.0; own.len()]);
            sum.iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
        }
    }
}

/// The interpreter as a backend: whole fits run on it, some thousand times slower.
///
/// ```
/// use glauber_conformance::reference::Interpreter;
/// use glauber_engine::{BackendName, Options};
/// let options = Options { backend: Some(BackendName(&Interpreter)), ..Options::default() };
/// # let _ = options;
/// ```
pub struct Interpreter;

impl Backend for Interpreter {
    fn name(&self) -> &'static str {
        "interpreter"
    }

    fn prepare(
        &self,
        bundle: Bundle,
        observations: &[Observation],
        options: &Options,
    ) -> Result<Box<dyn Prepared>, EngineError> {
        Ok(Box::new(Oracle { bundle, observations: observations.to_vec(), precision: options.precision }))
    }
}

impl Prepared for Oracle {
    fn simulate(&self, run: &Run<'_>, recorder: Option<&dyn Recorder>) -> Result<Simulation, EngineError> {
        let mut reference = Reference::default();
        for replicate in 0..run.replicates {
            stop_if_interrupted(run)?;
            let (states, outputs) = match self.precision {
                Precision::Single => self.forwards::<f32>(run, replicate, &mut reference),
                Precision::Double => self.forwards::<f64>(run, replicate, &mut reference),
            };
            if let Some(fault) = reference.faults.first() {
                return Err(fault.clone());
            }
            for (step, state) in states.iter().enumerate() {
                if let Some(recorder) = recorder.filter(|r| r.wants(step)) {
                    recorder.record(replicate, step, state.clone());
                }
            }
            reference.outputs.push(outputs);
            reference.last.extend(states.into_iter().last().filter(|_| run.wants_last));
        }
        Ok(Simulation { outputs: outputs_of(&reference.outputs), last: reference.last })
    }

    fn gradient(
        &self,
        run: &Run<'_>,
        loss: &(dyn Fn(&[f64]) -> LossValue + Sync),
    ) -> Result<Gradient, EngineError> {
        stop_if_interrupted(run)?;
        let reference = match self.precision {
            Precision::Single => Oracle::gradient::<f32>(self, run, loss),
            Precision::Double => Oracle::gradient::<f64>(self, run, loss),
        };
        if let Some(fault) = reference.faults.into_iter().next() {
            return Err(fault);
        }
        Ok(Gradient {
            value: reference.value,
            parameters: reference.parameters,
            fields: reference.fields,
            start: if run.wants_start_gradient { reference.start } else { Vec::new() },
            outputs: outputs_of(&reference.outputs),
        })
    }

    fn bytes_per_state(&self) -> usize {
        8 * self.bundle.declarations().layers.len() * self.bundle.declarations().lattice.sites()
    }
}

fn stop_if_interrupted(run: &Run<'_>) -> Result<(), EngineError> {
    match run.interrupt.is_some_and(|i| i.load(std::sync::atomic::Ordering::Relaxed)) {
        true => Err(EngineError::Interrupted),
        false => Ok(()),
    }
}

fn outputs_of(rows: &[Vec<f64>]) -> Outputs {
    Outputs { values: rows.concat(), width: rows.first().map_or(0, Vec::len) }
}
