//! Reads the `[loss]` and `[estimator]` tables: what is minimised, and what a draw's gradient is taken to be.
//!
//! Which names there are is known to those who make losses and estimators; here only types and ranges are checked.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::FitFileError;
use super::marked::Marked;
use super::reader::{ANY, Key, POSITIVE, Reader};

/// The keys of `[loss]`.
pub const LOSS_KEYS: &[Key] = &[
    ("name", "text: the loss (default: the task's own)"),
    ("summary", "text: the summary that is compared (default: the one the data hold)"),
    ("weighted", "true or false: divide by the data's standard errors (default false)"),
    ("weights", "table or list of numbers: weights of the loss's terms"),
    ("at", "list of whole numbers: the steps that are compared (default: all)"),
];

/// The keys of `[estimator]`.
pub const ESTIMATOR_KEYS: &[Key] = &[
    (
        "name",
        "text: the estimator (default \"straight-through\"; for trajectories \"light-cone\", of squared displacements \
         \"reinmax\", of three parameters or fewer through more than 10 steps \"differences\"), or two, \"straight-through + \
         gumbel-softmax\": the second for draws that all sites share",
    ),
    ("compare", "list of text: other estimators, or \"likelihood\", fitted to the same data for comparison"),
    ("temperature", "number: of the Gumbel-softmax (default 1)"),
    ("samples", "whole number: noises averaged by Gumbel–Rao"),
    (
        "radius",
        "whole number: the farthest that `light-cone` looks, in sites (default: all that a draw can reach)",
    ),
    ("baseline", "text: what the score function takes off the loss"),
    ("surrogate", "text: derivative of heaviside and round: identity, sigmoid or triangle"),
    ("width", "number: width of the surrogate"),
];

/// The `[loss]` table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LossChoice {
    /// Its name; the task's own where not given.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub name: Marked<Option<String>>,
    /// The summary compared.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub summary: Marked<Option<String>>,
    /// Whether differences are divided by the data's standard errors.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub weighted: Marked<bool>,
    /// Weights of its terms.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub weights: Marked<Option<Weights>>,
    /// The steps compared.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub at: Marked<Option<Vec<u64>>>,
}

/// Weights of a loss's terms.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Weights {
    /// In the loss's own order.
    List(Vec<f64>),
    /// By the terms' names.
    Named(BTreeMap<String, f64>),
}

/// The `[estimator]` table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EstimatorChoice {
    /// Its name; straight-through where not given.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub name: Marked<Option<String>>,
    /// Other estimators, or `likelihood`, fitted to the same data for comparison.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub compare: Marked<Vec<String>>,
    /// Temperature, above 0.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub temperature: Marked<Option<f64>>,
    /// Noises averaged, at least 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub samples: Marked<Option<u64>>,
    /// The farthest that a light cone is followed, at least 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub radius: Marked<Option<u64>>,
    /// What the score function takes off the loss.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub baseline: Marked<Option<String>>,
    /// Derivative of heaviside and round.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub surrogate: Marked<Option<String>>,
    /// Width of the surrogate, above 0.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub width: Marked<Option<f64>>,
}

pub(super) fn read_loss(mut table: Reader<'_>) -> Result<LossChoice, FitFileError> {
    Ok(LossChoice {
        name: table.marked("name", Reader::text)?,
        summary: table.marked("summary", Reader::text)?,
        weighted: table.marked("weighted", |t, key| Ok(t.flag(key)?.unwrap_or(false)))?,
        weights: table.marked("weights", weights)?,
        at: table.marked("at", |t, key| t.counts(key, 0))?,
    })
}

fn weights(table: &mut Reader<'_>, key: &str) -> Result<Option<Weights>, FitFileError> {
    Ok(match table.is_table(key) {
        true => Some(Weights::Named(table.free_table(key)?.all_numbers()?)),
        false => table.numbers(key, ANY)?.map(Weights::List),
    })
}

pub(super) fn read_estimator(mut table: Reader<'_>) -> Result<EstimatorChoice, FitFileError> {
    Ok(EstimatorChoice {
        name: table.marked("name", Reader::text)?,
        compare: table.marked("compare", Reader::texts)?,
        temperature: table.marked("temperature", |t, key| t.number(key, POSITIVE))?,
        samples: table.marked("samples", |t, key| t.count(key, 1))?,
        radius: table.marked("radius", |t, key| t.count(key, 1))?,
        baseline: table.marked("baseline", Reader::text)?,
        surrogate: table.marked("surrogate", Reader::text)?,
        width: table.marked("width", |t, key| t.number(key, POSITIVE))?,
    })
}
