//! Holds what a fit found, and writes it as JSON.

use serde_json::{Map as Object, Value, json};

use crate::objective::Unknown;
use crate::stopping::Stopped;
use crate::trace::{FieldSummary, Trace};

/// What was found for one scalar.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Its name.
    pub name: String,
    /// Where the fit started, as given by the user.
    pub start: f64,
    /// What was found.
    pub value: f64,
    /// The standard error from the data, where the loss is an exact likelihood and the fit ended at a minimum.
    pub standard_error: Option<f64>,
    /// The error from the simulation's noise alone, where an average was taken.
    pub monte_carlo_error: Option<f64>,
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
    /// What a person should know: a start that was moved, an average that was not taken.
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

    /// `{"parameters": {NAME: {"estimate", "standard_error", "start"}}, "loss", "steps", "stopped", "seed"}`, and
    /// `monte_carlo_error`, `fields` and `notes` where there are any. A number that is not known is null.
    pub fn to_json(&self) -> Object<String, Value> {
        let parameters = self.estimates.iter().map(|estimate| {
            let mut object = Object::new();
            object.insert("estimate".into(), json!(estimate.value));
            object.insert("standard_error".into(), json!(estimate.standard_error));
            object.insert("start".into(), json!(estimate.start));
            if let Some(error) = estimate.monte_carlo_error {
                object.insert("monte_carlo_error".into(), json!(error));
            }
            (estimate.name.clone(), Value::Object(object))
        });
        let mut object = Object::new();
        object.insert("parameters".into(), Value::Object(parameters.collect()));
        if !self.fields.is_empty() {
            let fields = self.fields.iter().map(|field| {
                (
                    field.name.clone(),
                    json!({"shape": field.shape, "estimate": field.value, "start": field.start}),
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
        if !self.notes.is_empty() {
            object.insert("notes".into(), json!(self.notes));
        }
        object
    }
}
