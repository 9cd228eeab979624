//! Holds what a fit found, and writes it as JSON.

use serde_json::{Map as Object, Value, json};

use crate::objective::{Extent, Interval, Unknown};
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

/// What a fit hands over at its end.
pub(crate) struct Findings<'a> {
    pub unknowns: Vec<Unknown>,
    pub start: &'a [f64],
    pub theta: Vec<f64>,
    /// Of all of θ.
    pub standard_errors: Option<Vec<f64>>,
    /// Of the scalars alone.
    pub monte_carlo_errors: Option<Vec<f64>>,
    pub loss: f64,
    pub steps: u64,
    pub stopped: Stopped,
    pub seed: u64,
    pub trace: Trace,
    pub notes: Vec<String>,
}

impl Findings<'_> {
    /// Sorts θ by unknown.
    pub(crate) fn into_result(mut self) -> FitResult {
        let (mut estimates, mut fields) = (Vec::new(), Vec::new());
        let mut first = 0;
        for unknown in &self.unknowns {
            let range = first..first + unknown.len();
            let name = unknown.name.clone();
            match &unknown.extent {
                Extent::Scalar => {
                    let value = self.theta[first];
                    self.notes.extend(note_of_an_end(unknown, value));
                    estimates.push(Estimate {
                        name,
                        start: self.start[first],
                        value,
                        standard_error: self.standard_errors.as_ref().map(|errors| errors[first]),
                        monte_carlo_error: self
                            .monte_carlo_errors
                            .as_ref()
                            .map(|errors| errors[estimates.len()]),
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
        let Findings { unknowns, theta, loss, steps, stopped, seed, trace, notes, .. } = self;
        FitResult { estimates, fields, unknowns, theta, loss, steps, stopped, seed, trace, notes }
    }
}

/// A note where an estimate lies at an end of its interval, as nearly as its map allows.
fn note_of_an_end(unknown: &Unknown, value: f64) -> Option<String> {
    let Interval { lowest, highest } = unknown.interval;
    let near = |end: f64| end.is_finite() && (value - end).abs() <= 1e-9 * end.abs().max(1.0);
    let end = if near(lowest) { lowest } else { near(highest).then_some(highest)? };
    Some(format!(
        "`{}` lies at the end {end} of its interval, where standard errors do not hold",
        unknown.name
    ))
}
