//! Runs models the slow way, forwards and backwards: the oracle of rollouts, histories, estimators and baselines.
//!
//! Every state of every replicate is kept; nothing is pooled, checkpointed or shared between threads.

use std::collections::HashMap;

use glauber_engine::{Frame, LossValue, Run, Start, noise_seed};
use glauber_numbers::real::Real;
use glauber_program::{Estimator, FieldKind, Model, Program, differentiate};

use crate::interpreter::{Inputs, Results, interpret};

/// Draws of observation k are numbered from (k + 1) · 2¹⁶ on, those of start and step from 0.
const DRAWS_PER_PROGRAM: u32 = 1 << 16;

/// What the reference gives.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// [replicate][number] in event order.
    pub outputs: Vec<Vec<f64>>,
    /// [replicate][layer][site].
    pub last: Vec<Frame>,
    /// The loss.
    pub value: f64,
    /// The derivative by each parameter.
    pub parameters: Vec<f64>,
    /// The derivative by each parameter field, in the order of the declarations.
    pub fields: Vec<(String, Vec<f64>)>,
    /// [replicate][layer][site].
    pub start: Vec<Frame>,
    /// What went wrong where a rule left its range; the rest is then worth nothing.
    pub faults: Vec<String>,
    /// Values that left their domains.
    pub outside: Vec<String>,
}

impl Reference {
    /// Notes what went wrong; what follows a fault has nothing to say of domains.
    fn note(&mut self, results: &Results) {
        if self.faults.is_empty() {
            self.outside.extend(results.outside.iter().cloned());
        }
        self.faults.extend(results.faults.iter().cloned());
    }
}

/// A model and its observations, ready for the reference.
pub struct Oracle<'a> {
    model: Model,
    observations: Vec<Program>,
    estimator: Option<&'a dyn Estimator>,
}

impl<'a> Oracle<'a> {
    /// The oracle of a model; what an estimator simulates instead is simulated here too.
    pub fn new(model: &Model, observations: &[Program], estimator: Option<&'a dyn Estimator>) -> Oracle<'a> {
        let forward = |p: &Program| estimator.map_or_else(|| p.clone(), |e| e.forward(p));
        let model = Model { start: model.start.as_ref().map(forward), step: forward(&model.step) };
        Oracle { model, observations: observations.iter().map(forward).collect(), estimator }
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
        let d = self.model.declarations();
        let sites = d.lattice.sites();
        let mut sums = Sums { parameters: vec![0.0; d.parameters.len()], fields: HashMap::new() };
        for (replicate, states) in histories.iter().enumerate() {
            let start = self.backwards::<F>(run, replicate, states, &slopes, &reference.outputs, &mut sums);
            reference.start.push(start);
        }
        reference.parameters = sums.parameters;
        for field in d.fields.iter().filter(|f| matches!(f.kind, FieldKind::Parameter(_))) {
            let sum = sums.fields.remove(&field.name).unwrap_or_else(|| vec![0.0; sites]);
            reference.fields.push((field.name.clone(), sum));
        }
        reference
    }

    fn inputs<'r>(&self, run: &Run<'r>, replicate: usize, step: usize) -> Inputs<'r> {
        let sites = self.model.declarations().lattice.sites();
        let fields = run.fields.iter().map(|(name, data)| {
            let from = data.picks().map_or(0, |p| p[replicate] as usize * sites);
            (name.clone(), (from..from + sites).map(|i| data.numbers().at(i)).collect())
        });
        Inputs {
            parameters: run.parameters,
            fields: fields.collect(),
            address: (
                noise_seed(run.seed, &self.model.declarations().lattice),
                run.first_replicate.wrapping_add(replicate as u32),
                run.first_step.of(replicate) + step as u32,
            ),
            ..Inputs::default()
        }
    }

    fn targets(&self, run: &Run<'_>, replicate: usize) -> Frame {
        let sites = self.model.declarations().lattice.sites();
        let field = |data: &glauber_engine::FieldData| {
            let from = data.picks().map_or(0, |p| p[replicate] as usize * sites);
            (from..from + sites).map(|i| data.numbers().at(i)).collect()
        };
        run.targets.iter().flatten().map(field).collect()
    }

    fn forwards<F: Real>(
        &self,
        run: &Run<'_>,
        replicate: usize,
        reference: &mut Reference,
    ) -> (Vec<Frame>, Vec<f64>) {
        let layers = self.model.declarations().layers.len() as u32;
        let sites = self.model.declarations().lattice.sites();
        let frame = |mut r: Results, reference: &mut Reference| -> Frame {
            reference.note(&r);
            (0..layers).map(|i| r.next.remove(&i).unwrap_or_default()).collect()
        };
        let first = match (&run.start, &self.model.start) {
            (Start::States(data), _) => {
                let layer = |d: &glauber_engine::FieldData| {
                    let from = d.picks().map_or(0, |p| p[replicate] as usize * sites);
                    (from..from + sites).map(|i| F::from_f64(d.numbers().at(i)).to_f64()).collect()
                };
                data.iter().map(layer).collect()
            }
            (Start::Model, Some(start)) => {
                frame(interpret::<F>(start, &self.inputs(run, replicate, 0)), reference)
            }
            (Start::Model, None) => Vec::new(),
        };
        let mut states = vec![first];
        for step in 1..=run.steps {
            let inputs = Inputs { layers: &states[step - 1], ..self.inputs(run, replicate, step) };
            let next = frame(interpret::<F>(&self.model.step, &inputs), reference);
            states.push(next);
        }
        let mut outputs = Vec::new();
        for (step, observation) in &run.events {
            let program = &self.observations[*observation];
            let targets = self.targets(run, replicate);
            let inputs = Inputs {
                layers: &states[*step],
                targets: &targets,
                first_draw: (*observation as u32 + 1) * DRAWS_PER_PROGRAM,
                ..self.inputs(run, replicate, *step)
            };
            let seen = interpret::<F>(program, &inputs);
            reference.note(&seen);
            outputs.extend((0..program.declarations().outputs.len() as u32).map(|i| seen.outputs[&i]));
        }
        (states, outputs)
    }

    fn backwards<F: Real>(
        &self,
        run: &Run<'_>,
        replicate: usize,
        states: &[Frame],
        slopes: &[f64],
        outputs: &[Vec<f64>],
        sums: &mut Sums,
    ) -> Frame {
        let Some(estimator) = self.estimator else { return Frame::new() };
        let adjoints: Vec<Program> = self.observations.iter().map(|o| differentiate(o, estimator)).collect();
        let step_adjoint = differentiate(&self.model.step, estimator);
        let n = outputs.len() as f64;
        let (places, sites) = (step_adjoint.declarations().adjoint_places(), states[0][0].len());
        let mut bars: Frame = vec![vec![0.0; sites]; places];
        let mut advantage = 0.0;
        for step in (0..=run.steps).rev() {
            if step < run.steps {
                let inputs = Inputs {
                    layers: &states[step],
                    next_adjoints: &bars,
                    advantage,
                    ..self.inputs(run, replicate, step + 1)
                };
                let back = interpret::<F>(&step_adjoint, &inputs);
                sums.add(&step_adjoint, &back);
                let place =
                    |i| back.layer_adjoints.get(&(i as u32)).cloned().unwrap_or_else(|| vec![0.0; sites]);
                bars = (0..places).map(place).collect();
            }
            let mut from = 0;
            for (at, observation) in &run.events {
                let width = self.observations[*observation].declarations().outputs.len();
                if *at == step {
                    let own: Vec<f64> = slopes[from..from + width].iter().map(|s| s / n).collect();
                    // What an observation draws changes its own numbers only.
                    let mut lead = 0.0;
                    for (k, slope) in own.iter().enumerate() {
                        let mine = outputs[replicate][from + k];
                        let all: f64 = outputs.iter().map(|o| o[from + k]).sum();
                        let others = if outputs.len() > 1 { (all - mine) / (n - 1.0) } else { 0.0 };
                        lead += slope * (mine - others);
                    }
                    advantage += lead;
                    let targets = self.targets(run, replicate);
                    let inputs = Inputs {
                        layers: &states[step],
                        targets: &targets,
                        output_adjoints: &own,
                        advantage: lead,
                        first_draw: (*observation as u32 + 1) * DRAWS_PER_PROGRAM,
                        ..self.inputs(run, replicate, step)
                    };
                    let back = interpret::<F>(&adjoints[*observation], &inputs);
                    sums.add(&adjoints[*observation], &back);
                    for (i, own) in &back.layer_adjoints {
                        bars[*i as usize].iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
                    }
                }
                from += width;
            }
        }
        if let (Start::Model, Some(start)) = (&run.start, &self.model.start) {
            let adjoint = differentiate(start, estimator);
            let inputs = Inputs { next_adjoints: &bars, advantage, ..self.inputs(run, replicate, 0) };
            let back = interpret::<F>(&adjoint, &inputs);
            sums.add(&adjoint, &back);
        }
        bars
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
