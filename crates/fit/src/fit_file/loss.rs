//! Reads the `[loss]` and `[estimator]` tables: what is minimised, and what a draw's gradient is taken to be.
//!
//! Which names there are is known to those who make losses and estimators; here only types and ranges are checked.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::FitFileError;
use super::reader::{ANY, Key, POSITIVE, Reader};
use super::skip;

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
        "text: the estimator (default \"straight-through\", for trajectories \"reinmax\"), or two, \"straight-through + \
         gumbel-softmax\": the second for draws that all sites share",
    ),
    ("compare", "list of text: other estimators, or \"likelihood\", fitted to the same data for comparison"),
    ("temperature", "number: of the Gumbel-softmax (default 1)"),
    ("samples", "whole number: noises averaged by Gumbel–Rao"),
    ("baseline", "text: what the score function takes off the loss"),
    ("surrogate", "text: derivative of heaviside and round: identity, sigmoid or triangle"),
    ("width", "number: width of the surrogate"),
];

/// The `[loss]` table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LossChoice {
    /// Its name; the task's own where not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The summary compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Whether differences are divided by the data's standard errors.
    #[serde(skip_serializing_if = "skip::is_false")]
    pub weighted: bool,
    /// Weights of its terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Weights>,
    /// The steps compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Vec<u64>>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Other estimators, or `likelihood`, fitted to the same data for comparison.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compare: Vec<String>,
    /// Temperature, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Noises averaged, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// What the score function takes off the loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Derivative of heaviside and round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surrogate: Option<String>,
    /// Width of the surrogate, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
}

pub(super) fn read_loss(mut table: Reader<'_>) -> Result<LossChoice, FitFileError> {
    let weights = if table.is_table("weights") {
        Some(Weights::Named(table.free_table("weights")?.all_numbers()?))
    } else {
        table.numbers("weights", ANY)?.map(Weights::List)
    };
    Ok(LossChoice {
        name: table.text("name")?,
        summary: table.text("summary")?,
        weighted: table.flag("weighted")?.unwrap_or(false),
        weights,
        at: table.counts("at", 0)?,
    })
}

pub(super) fn read_estimator(mut table: Reader<'_>) -> Result<EstimatorChoice, FitFileError> {
    Ok(EstimatorChoice {
        name: table.text("name")?,
        compare: table.texts("compare")?,
        temperature: table.number("temperature", POSITIVE)?,
        samples: table.count("samples", 1)?,
        baseline: table.text("baseline")?,
        surrogate: table.text("surrogate")?,
        width: table.number("width", POSITIVE)?,
    })
}
