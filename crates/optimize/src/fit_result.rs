//! Holds what a fit found, and writes it as JSON.

use serde_json::{Map as Object, Value, json};

use crate::objective::{Extent, Unknown};
use crate::stopping::Stopped;
use crate::trace::{FieldSummary, Trace};
use crate::verdict::{Known, Verdict, significant, with_precision};

/// What was found for one scalar.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Its name.
    pub name: String,
    /// Where the fit started, as given by the user.
    pub start: f64,
    /// What was found.
    pub value: f64,
    /// Its standard error, where one is known; the same as in `known`.
    pub standard_error: Option<f64>,
    /// How far the simulation's noise still moves it, where an average was taken of steps that neither swing nor shrink. No error of the estimate: the data's
    /// own uncertainty is not in it.
    pub simulation_noise: Option<f64>,
    /// What is known of how far it is off.
    pub known: Known,
}

impl Estimate {
    /// The estimate in words: `beta = 0.30012 ± 0.00042`, or `beta = 0.30012, simulation noise 0.00015, error not known`.
    pub fn words(&self) -> String {
        let Estimate { name, value, .. } = self;
        if self.known == Known::Diverged {
            return format!("{name}: {}", self.known.words());
        }
        let precision = self.standard_error.or(self.simulation_noise);
        let mut words = format!("{name} = {}", with_precision(*value, precision));
        if self.standard_error.is_none() {
            words.push(',');
            if let Some(noise) = self.simulation_noise {
                words += &format!(" simulation noise {},", significant(noise, 2));
            }
        }
        words + " " + &self.known.words()
    }

    /// The value, where there is one: a fit that diverged has none.
    pub fn found(&self) -> Option<f64> {
        (self.known != Known::Diverged).then_some(self.value)
    }
}

/// What was found for one field; its values are in [`FitResult::theta`].
#[derive(Clone, Debug, PartialEq)]
pub struct FieldEstimate {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where the fit started.
    pub start: FieldSummary,
    /// What was found.
    pub value: FieldSummary,
}

/// What a fit found.
#[derive(Clone, Debug, PartialEq)]
pub struct FitResult {
    /// The scalars, in the order of θ.
    pub estimates: Vec<Estimate>,
    /// The fields, in the order of θ.
    pub fields: Vec<FieldEstimate>,
    /// What was fitted; tells where in θ what lies.
    pub unknowns: Vec<Unknown>,
    /// The whole of θ, natural units.
    pub theta: Vec<f64>,
    /// The loss there (one evaluation, so with its noise); NaN where the fit was interrupted before its first step.
    pub loss: f64,
    /// Updates made.
    pub steps: u64,
    /// Why it ended.
    pub stopped: Stopped,
    /// The seed of the objective's noise.
    pub seed: u64,
    /// Its history.
    pub trace: Trace,
    /// By which route the likelihood was computed, where the loss is one.
    pub likelihood: Option<&'static str>,
    /// Whether it came to rest at an optimum; `None` where nothing tells.
    pub at_optimum: Option<bool>,
    /// What is known of the fit as a whole, in words, for the first line a person reads.
    pub verdict: String,
    /// What a person must know, worst first: that it did not arrive, what the data do not determine, a start that was
    /// moved, an average that was not taken.
    pub notes: Vec<String>,
}

impl FitResult {
    /// The estimate of a scalar.
    pub fn estimate(&self, name: &str) -> Option<&Estimate> {
        self.estimates.iter().find(|estimate| estimate.name == name)
    }

    /// The values found for an unknown: one for a scalar, one per site for a field.
    pub fn values(&self, name: &str) -> Option<&[f64]> {
        let place = self.unknowns.iter().position(|unknown| unknown.name == name)?;
        let first: usize = self.unknowns[..place].iter().map(Unknown::len).sum();
        self.theta.get(first..first + self.unknowns[place].len())
    }

    /// The loss near the end: the mean over the last tenth of the records (at least one, at most 1000). Less noisy
    /// than `loss`; NaN without records.
    pub fn smoothed_loss(&self) -> f64 {
        let records = &self.trace.records;
        let last = &records[records.len() - (records.len() / 10).clamp(1, 1000).min(records.len())..];
        last.iter().map(|record| record.loss).sum::<f64>() / last.len() as f64
    }

    /// `{"parameters": {NAME: {"estimate", "standard_error", "simulation_noise", "start"}}, "loss", "steps", "stopped",
    /// "seed", "likelihood", "at_optimum", "verdict", "notes"}`, and `fields` where there are any. A number that is not
    /// known is null; `no_error_because` says why a standard error is.
    pub fn to_json(&self) -> Object<String, Value> {
        let parameters = self.estimates.iter().map(|estimate| {
            let mut object = Object::new();
            object.insert("estimate".into(), json!(estimate.found()));
            object.insert("standard_error".into(), json!(estimate.standard_error));
            if estimate.standard_error.is_none() {
                object.insert("no_error_because".into(), json!(estimate.known.words()));
            }
            object.insert("simulation_noise".into(), json!(estimate.simulation_noise));
            object.insert("start".into(), json!(estimate.start));
            if let Some(noise) = estimate.simulation_noise {
                // As it was called before.
                object.insert("monte_carlo_error".into(), json!(noise));
            }
            (estimate.name.clone(), Value::Object(object))
        });
        let mut object = Object::new();
        object.insert("parameters".into(), Value::Object(parameters.collect()));
        let found = !matches!(self.stopped, Stopped::Diverged { .. });
        if !self.fields.is_empty() {
            let fields = self.fields.iter().map(|field| {
                (
                    field.name.clone(),
                    json!({"shape": field.shape, "estimate": found.then_some(field.value), "start": field.start}),
                )
            });
            object.insert("fields".into(), Value::Object(fields.collect()));
        }
        object.insert("loss".into(), json!(self.loss));
        object.insert("steps".into(), json!(self.steps));
        object.insert("stopped".into(), json!(self.stopped.word()));
        if let Stopped::Diverged { .. } = self.stopped {
            object.insert("diverged".into(), json!(self.stopped.to_string()));
        }
        object.insert("seed".into(), json!(self.seed));
        object.insert("likelihood".into(), json!(self.likelihood));
        object.insert("at_optimum".into(), json!(self.at_optimum));
        object.insert("verdict".into(), json!(self.verdict));
        object.insert("notes".into(), json!(self.notes));
        object
    }
}

/// What a fit hands over at its end.
pub(crate) struct Findings<'a> {
    pub unknowns: Vec<Unknown>,
    pub start: &'a [f64],
    pub theta: Vec<f64>,
    /// Of the scalars alone; nothing for one of which it is not known.
    pub simulation_noise: Option<Vec<Option<f64>>>,
    pub likelihood: Option<&'static str>,
    /// What is known of the scalars.
    pub verdict: Verdict,
    pub loss: f64,
    pub steps: u64,
    pub stopped: Stopped,
    pub seed: u64,
    pub trace: Trace,
    pub notes: Vec<String>,
}

impl Findings<'_> {
    /// Sorts θ by unknown.
    pub(crate) fn into_result(self) -> FitResult {
        let (mut estimates, mut fields) = (Vec::new(), Vec::new());
        let mut first = 0;
        for unknown in &self.unknowns {
            let range = first..first + unknown.len();
            let name = unknown.name.clone();
            match &unknown.extent {
                Extent::Scalar => {
                    let known = self.verdict.known.get(estimates.len()).cloned();
                    let known = known.unwrap_or(Known::NotComputed);
                    let noise = self.simulation_noise.as_ref();
                    estimates.push(Estimate {
                        name,
                        start: self.start[first],
                        value: self.theta[first],
                        standard_error: known.error(),
                        simulation_noise: noise
                            .and_then(|noise| noise.get(estimates.len()).copied().flatten()),
                        known,
                    });
                }
                Extent::Field(shape) => fields.push(FieldEstimate {
                    name,
                    shape: shape.clone(),
                    start: FieldSummary::of(&self.start[range.clone()]),
                    value: FieldSummary::of(&self.theta[range.clone()]),
                }),
            }
            first = range.end;
        }
        let Verdict { at_optimum, words: verdict, warns, notes: others, .. } = self.verdict;
        let first = warns.then(|| verdict.clone());
        let notes = first.into_iter().chain(others).chain(self.notes).collect();
        let Findings { unknowns, theta, loss, steps, stopped, seed, trace, likelihood, .. } = self;
        FitResult {
            estimates,
            fields,
            unknowns,
            theta,
            loss,
            steps,
            stopped,
            seed,
            trace,
            likelihood,
            at_optimum,
            verdict,
            notes,
        }
    }
}
