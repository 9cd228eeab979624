//! Runs catalogue models for tests: starts given as small numbers, means with their errors, likelihoods maximised.
#![allow(clippy::unwrap_used, dead_code)]

use glauber_engine::{FieldData, Frame, LossValue, Options, Outputs, Plan, Precision, Run};
use glauber_likelihood::log_likelihood;
use glauber_models::{ModelOptions, OptionValue, named};
use glauber_program::estimators::StraightThrough;
use glauber_program::{Model, Scope};
use glauber_statistics::tolerance::{SampleMean, mean_within_estimated};

/// A catalogue model with options.
pub fn model(name: &str, options: &[(&str, OptionValue)]) -> Model {
    let mut own = ModelOptions::none();
    for (key, value) in options {
        own.set(key, value.clone());
    }
    named(name, &own).unwrap_or_else(|e| panic!("{e}"))
}

pub fn shape(lengths: &[usize]) -> (&'static str, OptionValue) {
    ("shape", OptionValue::List(lengths.iter().map(|n| *n as f64).collect()))
}

pub fn word(key: &'static str, value: &str) -> (&'static str, OptionValue) {
    (key, OptionValue::Text(value.into()))
}

pub fn number(key: &'static str, value: f64) -> (&'static str, OptionValue) {
    (key, OptionValue::Number(value))
}

/// The same state for every replicate: one dense field per layer.
pub fn given(layers: &[Vec<u8>]) -> Vec<FieldData> {
    layers.iter().map(|l| FieldData::shared(l.clone())).collect()
}

/// Observed numbers of a simulation; `times` are the steps observed.
pub fn outputs(model: &Model, run: Run<'_>, times: &[usize], trace: impl FnOnce(&Scope)) -> Outputs {
    let program = model.observe(trace).unwrap();
    let plan = Plan::new(model, &[program.into()], None, Options::default()).unwrap();
    let run = times.iter().fold(run, |run, t| run.observe(*t, 0));
    plan.simulate(&run).unwrap_or_else(|e| panic!("{e}")).outputs
}

/// The last states.
pub fn last(model: &Model, run: Run<'_>) -> Vec<Frame> {
    let plan = Plan::new(model, &[], None, Options::default()).unwrap();
    plan.simulate(&run).unwrap_or_else(|e| panic!("{e}")).last
}

/// How often a check of a mean may raise a false alarm.
pub const ALARM: f64 = 1e-6;

/// Fails where the mean of independent numbers, about normal, is so far from `wanted` as it is with this probability.
pub fn assert_mean(what: &str, sample: &[f64], wanted: f64, false_alarm: f64) {
    let found = SampleMean::of(sample);
    let (mean, error) = (found.mean, found.standard_error());
    let allowed = mean_within_estimated(sample.len(), found.sd, false_alarm);
    assert!(
        (mean - wanted).abs() <= allowed + 1e-9 * wanted.abs(),
        "{what}: {mean} ± {error} for {wanted} ({:.1} standard errors)",
        (mean - wanted).abs() / error
    );
}

/// Observed transitions: states one after another, and which of them are followed by the next.
pub struct Transitions {
    /// Per layer: all states, dense.
    states: Vec<Vec<f64>>,
    before: Vec<u32>,
}

/// Simulates a run and keeps every state.
pub fn transitions(model: &Model, run: Run<'_>) -> Transitions {
    let steps = run.steps;
    let kept = Kept { frames: std::sync::Mutex::new(Vec::new()) };
    let plan = Plan::new(model, &[], None, Options::default()).unwrap();
    plan.simulate_recorded(&run, Some(&kept)).unwrap_or_else(|e| panic!("{e}"));
    let mut frames = kept.frames.into_inner().unwrap();
    frames.sort_by_key(|f| (f.0, f.1));
    let mut states: Vec<Vec<f64>> = vec![Vec::new(); model.declarations().layers.len()];
    let mut before = Vec::new();
    for (number, (_, step, frame)) in frames.iter().enumerate() {
        for (all, layer) in states.iter_mut().zip(frame) {
            all.extend(layer);
        }
        if *step < steps {
            before.push(number as u32);
        }
    }
    Transitions { states, before }
}

struct Kept {
    frames: std::sync::Mutex<Vec<(usize, usize, Frame)>>,
}

impl glauber_engine::Recorder for Kept {
    fn wants(&self, _step: usize) -> bool {
        true
    }
    fn record(&self, replicate: usize, step: usize, layers: Frame) {
        self.frames.lock().unwrap().push((replicate, step, layers));
    }
}

/// The exact log-likelihood of transitions, with its gradient by the parameters.
pub struct Likelihood<'a> {
    plan: Plan,
    data: &'a Transitions,
    fields: Vec<(String, Vec<f64>)>,
}

impl<'a> Likelihood<'a> {
    pub fn new(model: &Model, data: &'a Transitions, fields: &[(String, Vec<f64>)]) -> Likelihood<'a> {
        let program = log_likelihood(&model.step).unwrap_or_else(|e| panic!("{e}"));
        let options = Options { precision: Precision::Double, ..Options::default() };
        let plan = Plan::new(model, &[program.into()], Some(&StraightThrough), options).unwrap();
        Likelihood { plan, data, fields: fields.to_vec() }
    }

    pub fn at(&self, theta: &[f64]) -> (f64, Vec<f64>) {
        let picked = |shift: u32| -> Vec<FieldData> {
            let picks: Vec<u32> = self.data.before.iter().map(|b| b + shift).collect();
            self.data.states.iter().map(|s| FieldData::picked(s.clone(), picks.clone())).collect()
        };
        let n = self.data.before.len();
        let mut run = Run::new(theta, 0).replicates(n).start(picked(0)).observe(0, 0);
        run.targets = Some(picked(1));
        for (name, numbers) in &self.fields {
            run = run.with_field(name, FieldData::shared(numbers.clone()));
        }
        let n = n as f64;
        let gradient = self.plan.gradient(&run, &|m| LossValue { value: n * m[0], slopes: vec![n] });
        let gradient = gradient.unwrap_or_else(|e| panic!("{e}"));
        (gradient.value, gradient.parameters)
    }

    /// The parameters of greatest likelihood and their standard errors: Newton's method on the gradient, with the
    /// information by differences, damped (Levenberg & Marquardt) until the likelihood rises.
    pub fn maximum(&self, start: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut theta = start.to_vec();
        let (mut value, mut slope) = self.at(&theta);
        for _ in 0..60 {
            let information = self.information(&theta);
            let mut damping = 0.0;
            let found = loop {
                let mut damped = information.clone();
                damped.iter_mut().enumerate().for_each(|(i, row)| row[i] += damping * (row[i].abs() + 1e-9));
                let inverse = invert(&damped);
                let step: Vec<f64> =
                    inverse.iter().map(|row| row.iter().zip(&slope).map(|(h, g)| h * g).sum()).collect();
                let ascends = step.iter().zip(&slope).map(|(s, g)| s * g).sum::<f64>() >= 0.0;
                let moved: Vec<f64> = theta.iter().zip(&step).map(|(x, s)| x + s).collect();
                if ascends && self.allows(&moved) {
                    let (v, g) = self.at(&moved);
                    if v.is_finite() && v >= value - 1e-9 * value.abs() {
                        break Some((moved, v, g, step, inverse));
                    }
                }
                damping = if damping > 0.0 { damping * 4.0 } else { 0.01 };
                if damping > 1e8 {
                    break None;
                }
            };
            let Some((moved, v, g, step, inverse)) = found else { break };
            (theta, value, slope) = (moved, v, g);
            let near = |(i, s): (usize, &f64)| s.abs() < 1e-4 * inverse[i][i].abs().sqrt();
            if damping < 1e-9 && step.iter().enumerate().all(near) {
                break;
            }
        }
        let inverse = invert(&self.information(&theta));
        let errors = (0..theta.len()).map(|i| inverse[i][i].sqrt()).collect();
        (theta, errors)
    }

    fn allows(&self, theta: &[f64]) -> bool {
        let parameters = &self.plan.declarations().parameters;
        parameters.iter().zip(theta).all(|(p, x)| p.interval.contains(*x))
    }

    fn information(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        let parameters = &self.plan.declarations().parameters;
        let mut rows = vec![vec![0.0; theta.len()]; theta.len()];
        for i in 0..theta.len() {
            let interval = parameters[i].interval;
            let room = (theta[i] - interval.lowest).min(interval.highest - theta[i]);
            let width = (1e-4 * theta[i].abs().max(0.01)).min(0.5 * room);
            let slope = |sign: f64| {
                let mut moved = theta.to_vec();
                moved[i] += sign * width;
                self.at(&moved).1
            };
            let (above, below) = (slope(1.0), slope(-1.0));
            for j in 0..theta.len() {
                let entry = (below[j] - above[j]) / (2.0 * width);
                rows[i][j] += 0.5 * entry;
                rows[j][i] += 0.5 * entry;
            }
        }
        rows
    }
}

/// The inverse of a small matrix, by Gauss–Jordan with pivots.
pub fn invert(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = matrix.len();
    let mut rows: Vec<Vec<f64>> = matrix.to_vec();
    for (i, row) in rows.iter_mut().enumerate() {
        row.extend((0..n).map(|j| f64::from(u8::from(i == j))));
    }
    for column in 0..n {
        let pivot =
            (column..n).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs())).unwrap();
        rows.swap(column, pivot);
        let scale = rows[column][column];
        rows[column].iter_mut().for_each(|x| *x /= scale);
        let own = rows[column].clone();
        for (i, row) in rows.iter_mut().enumerate() {
            if i != column {
                let factor = row[column];
                row.iter_mut().zip(&own).for_each(|(x, o)| *x -= factor * o);
            }
        }
    }
    rows.into_iter().map(|row| row[n..].to_vec()).collect()
}
