//! Reads `[observation]` and `[[experiment]]`: what was seen of a process, when, with which noise, under which conditions.
//!
//! `[observation]` (or a list of them) says what every experiment shares; each `[[experiment]]` adds what is its own and
//! may say any of it otherwise. Without experiments there is one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::data::CovariateChoice;
use super::error::FitFileError;
use super::reader::{ANY, ANY_OR_PATH, Key, Reader};

/// The keys of `[observation]`.
pub const OBSERVATION_KEYS: &[Key] = &[
    ("what", "text: LAYER or LAYER=STATE (site by site), regions(…), rows(…), columns(…), or a summary"),
    (
        "data",
        "path: what was written down (NPY or NPZ; CSV with a column `step`; NaN and empty cells were not seen)",
    ),
    ("regions", "path: a map of labels, for regions(…); negative labels are no region"),
    (
        "steps",
        "list of whole numbers: after which step each time was seen (default: 0, 1, 2 …, `times` of the NPZ or `step` of the CSV)",
    ),
    (
        "noise",
        "text or table {name, …}: exact, gaussian, poisson, negative-binomial, binomial, flipped (default exact)",
    ),
];

/// The keys of `[[experiment]]`.
pub const EXPERIMENT_KEYS: &[Key] = &[
    ("name", "text: its name (default: its number)"),
    ("observation", "table or list of tables: what was seen of it, over what [observation] says"),
    ("data", "path: the data of the only observation"),
    ("steps", "list of whole numbers: the steps of the only observation"),
    ("start", "path: the states that its runs start from (NPY or NPZ; default: the model's own start)"),
    ("first-step", "whole number: after how many steps the start was seen (default 0)"),
    ("fixed", "table: parameters with a value of their own here"),
    ("covariates", "table: data per site that the model reads, here"),
    ("mean-of", "whole number: of so many runs each run of the data is the mean (default 1)"),
];

/// An argument of a noise: a number, or a parameter's name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ArgumentChoice {
    /// A number.
    Number(f64),
    /// A parameter: of the model's, or one more that is fitted.
    Parameter(String),
}

/// The noise, as chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoiseChoice {
    /// Its name.
    pub name: String,
    /// Its arguments, by name.
    #[serde(flatten)]
    pub arguments: BTreeMap<String, ArgumentChoice>,
}

/// What is seen, as far as it is said.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ObservationChoice {
    /// What of the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// The data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// A map of labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<PathBuf>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<u64>>,
    /// With which noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseChoice>,
}

impl ObservationChoice {
    /// The same, where something is not said as `other` says it.
    fn over(mut self, other: &ObservationChoice) -> ObservationChoice {
        self.what = self.what.or_else(|| other.what.clone());
        self.data = self.data.or_else(|| other.data.clone());
        self.regions = self.regions.or_else(|| other.regions.clone());
        self.steps = self.steps.or_else(|| other.steps.clone());
        self.noise = self.noise.or_else(|| other.noise.clone());
        self
    }
}

/// An experiment, whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExperimentChoice {
    /// Its name.
    pub name: String,
    /// What was seen of it.
    #[serde(rename = "observation")]
    pub observations: Vec<ObservationChoice>,
    /// Where its runs start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<PathBuf>,
    /// After how many steps that was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_step: Option<u64>,
    /// Parameters with a value of their own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, f64>,
    /// Covariates of its own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub covariates: BTreeMap<String, CovariateChoice>,
    /// Of so many runs its data are means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_of: Option<u64>,
}

/// All experiments of a file; none where it speaks of none.
pub(super) fn read(whole: &mut Reader<'_>) -> Result<Vec<ExperimentChoice>, FitFileError> {
    let common = observations(whole)?;
    let mut experiments = Vec::new();
    for (number, table) in whole.tables("experiment", EXPERIMENT_KEYS)?.into_iter().enumerate() {
        experiments.push(experiment(table, number, &common)?);
    }
    if experiments.is_empty() && !common.is_empty() {
        experiments.push(ExperimentChoice {
            name: "1".into(),
            observations: common,
            ..ExperimentChoice::default()
        });
    }
    Ok(experiments)
}

fn observations(table: &mut Reader<'_>) -> Result<Vec<ObservationChoice>, FitFileError> {
    table.tables("observation", OBSERVATION_KEYS)?.into_iter().map(observation).collect()
}

fn observation(mut table: Reader<'_>) -> Result<ObservationChoice, FitFileError> {
    Ok(ObservationChoice {
        what: table.text("what")?,
        data: table.path_of("data")?,
        regions: table.path_of("regions")?,
        steps: table.counts("steps", 0)?,
        noise: noise(&mut table)?,
    })
}

fn noise(table: &mut Reader<'_>) -> Result<Option<NoiseChoice>, FitFileError> {
    if !table.is_table("noise") {
        return Ok(table.text("noise")?.map(|name| NoiseChoice { name, arguments: BTreeMap::new() }));
    }
    let mut inner = table.free_table("noise")?;
    let Some(name) = inner.text("name")? else {
        return Err(inner
            .here("`noise` needs `name`: exact, gaussian, poisson, negative-binomial, binomial or flipped"));
    };
    let mut arguments = BTreeMap::new();
    for key in inner.keys() {
        let own = match inner.is_text(&key) {
            true => inner.text(&key)?.map(ArgumentChoice::Parameter),
            false => inner.number(&key, ANY)?.map(ArgumentChoice::Number),
        };
        arguments.extend(own.map(|own| (key, own)));
    }
    Ok(Some(NoiseChoice { name, arguments }))
}

fn experiment(
    mut table: Reader<'_>,
    number: usize,
    common: &[ObservationChoice],
) -> Result<ExperimentChoice, FitFileError> {
    let mut own = observations(&mut table)?;
    if own.is_empty() {
        own = vec![ObservationChoice::default(); common.len().max(1)];
    }
    if own.len() != common.len() && common.len() > 1 {
        let message = format!(
            "this experiment has {} observations, and [[observation]] {}: give as many, in the same order",
            own.len(),
            common.len()
        );
        return Err(table.here(message));
    }
    let usual = ObservationChoice::default();
    let mut observations: Vec<ObservationChoice> = own
        .into_iter()
        .enumerate()
        .map(|(k, own)| own.over(common.get(k).or(common.first()).unwrap_or(&usual)))
        .collect();
    for key in ["data", "steps"] {
        if table.has(key) && observations.len() > 1 {
            let message = format!(
                "`{key}` is that of an only observation, and this experiment has several: say it in each"
            );
            return Err(table.error(table.key_place(key), message));
        }
    }
    if let Some(path) = table.path_of("data")? {
        observations[0].data = Some(path);
    }
    if let Some(steps) = table.counts("steps", 0)? {
        observations[0].steps = Some(steps);
    }
    let mut covariates = BTreeMap::new();
    let mut inner = table.free_table("covariates")?;
    for key in inner.keys() {
        let choice = match inner.is_text(&key) {
            true => inner.path_of(&key)?.map(CovariateChoice::Path),
            false => inner.number(&key, ANY_OR_PATH)?.map(CovariateChoice::Number),
        };
        covariates.extend(choice.map(|choice| (key, choice)));
    }
    Ok(ExperimentChoice {
        name: table.text("name")?.unwrap_or_else(|| (number + 1).to_string()),
        observations,
        start: table.path_of("start")?,
        first_step: table.count("first-step", 0)?,
        fixed: table.free_table("fixed")?.all_numbers()?,
        covariates,
        mean_of: table.count("mean-of", 1)?,
    })
}
