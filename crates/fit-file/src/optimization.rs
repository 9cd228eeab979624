//! Reads the `[optimizer]` table: how the loss is brought down.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::FitFileError;
use super::marked::Marked;
use super::reader::{Key, NOT_NEGATIVE, POSITIVE, Range, Reader, SHARE};
use super::skip;
use glauber_files::spelling::suggestion;
use glauber_optimize::clipping::Clip;
use glauber_optimize::maps::Map;
use glauber_optimize::optimizers::{self, Choice, OPTIMIZERS, OptionSpec};
use glauber_optimize::schedule::{LearningRate, Schedule};
use glauber_optimize::searches::{self, SEARCHES};
use glauber_optimize::stopping::{Plateau, StoppingRules, Tolerance};

/// The keys of `[optimizer]` that every optimizer has; each has options of its own besides.
pub const KEYS: &[Key] = &[
    ("name", "text: the optimizer, or a gradient-free search (default \"adam\")"),
    ("learning-rate", "number: the size of a step (default: the optimizer's, where it has one)"),
    ("steps", "whole number: the most steps (default 1000)"),
    ("replicates", "whole number: rollouts per gradient (default: the task's)"),
    ("batch", "whole number: data per gradient (default: the task's)"),
    ("schedule", "text or table: constant, step, exponential, cosine or inverse-time (default constant)"),
    ("warm-up", "whole number: steps over which the rate rises (default 0)"),
    ("clip", "number or table {value} or {norm}: bound on the gradient, by its norm if a number"),
    ("map", "text or table by parameter: identity, clamp, logit or log (default: by the interval)"),
    ("tolerance", "number: end when no parameter moves by more in a step"),
    ("patience", "whole number: for so many steps in a row (default 10)"),
    ("plateau", "table: end when the mean loss stops falling"),
    ("average", "number: share of the steps, at the end, over which parameters are averaged (default 0)"),
];

const PLATEAU_KEYS: &[Key] = &[
    ("window", "whole number: steps whose losses are averaged"),
    ("improvement", "number: relative fall that counts (default 0.001)"),
    ("patience", "whole number: windows without one (default 3)"),
];

const CLIP_KEYS: &[Key] =
    &[("value", "number: bound on each component"), ("norm", "number: bound on the length")];

/// Interval maps, as chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum MapChoice {
    /// One for all.
    All(Map),
    /// By parameter; the others have their usual one.
    Named(BTreeMap<String, Map>),
}

/// The `[optimizer]` table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Optimization {
    /// The optimizer with its options.
    #[serde(flatten)]
    pub choice: Choice,
    /// The learning rate at the start; `None` for a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Its course.
    #[serde(skip_serializing_if = "skip::is_constant")]
    pub schedule: Schedule,
    /// Steps of warm-up.
    #[serde(skip_serializing_if = "skip::is_zero")]
    pub warm_up: u64,
    /// The most steps, at least 1.
    pub steps: u64,
    /// Rollouts per gradient, at least 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub replicates: Marked<Option<u64>>,
    /// Data per gradient, at least 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub batch: Marked<Option<u64>>,
    /// The bound on gradients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Interval maps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<MapChoice>,
    /// The change that counts as rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// Steps of rest in a row.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub patience: Marked<Option<u64>>,
    /// The plateau rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plateau: Option<Plateau>,
    /// Share of the steps that is averaged.
    #[serde(skip_serializing_if = "skip::is_nothing")]
    pub average: f64,
}

impl Optimization {
    /// The learning rate with its course; `None` for a search.
    pub fn rate(&self) -> Option<LearningRate> {
        let (schedule, warm_up) = (self.schedule, self.warm_up);
        self.learning_rate.map(|start| LearningRate { start, schedule, warm_up })
    }

    /// The stopping rules.
    pub fn stopping(&self) -> StoppingRules {
        let tolerance =
            self.tolerance.map(|change| Tolerance { change, patience: self.patience.unwrap_or(10) });
        StoppingRules { steps: self.steps, tolerance, plateau: self.plateau }
    }
}

/// Reads the table under `optimizer` of the whole file.
pub(super) fn read(whole: &mut Reader<'_>) -> Result<Optimization, FitFileError> {
    // Which keys are right depends on the name.
    let mut table = whole.free_table("optimizer")?;
    let place = table.place("name");
    let name = table.text("name")?.unwrap_or_else(|| "adam".to_string());
    let kind = Kind::of(&name).map_err(|message| table.error(place, message))?;
    refuse_others(&table, &name, &kind)?;
    let mut choice = Choice::new(&name);
    for option in kind.options() {
        if let Some(value) =
            table.number(option.name, Range { accepts: option.accepts, words: option.range })?
        {
            choice.options.insert(option.name.to_string(), value);
        }
    }
    let mut learning_rate = table.number("learning-rate", POSITIVE)?;
    if let Kind::Optimizer(entry) = kind {
        learning_rate = learning_rate.or(entry.usual_rate);
        if learning_rate.is_none() {
            let message = format!(
                "`{name}` needs `optimizer.learning-rate`: the right one depends on the loss, so there is no default"
            );
            return Err(table.here(message));
        }
    }
    Ok(Optimization {
        choice,
        learning_rate,
        schedule: schedule(&mut table)?,
        warm_up: table.count("warm-up", 0)?.unwrap_or(0),
        steps: table.count("steps", 1)?.unwrap_or(1000),
        replicates: table.marked("replicates", |t, key| t.count(key, 1))?,
        batch: table.marked("batch", |t, key| t.count(key, 1))?,
        clip: clip(&mut table)?,
        map: map(&mut table)?,
        tolerance: table.number("tolerance", POSITIVE)?,
        patience: table.marked("patience", |t, key| t.count(key, 1))?,
        plateau: plateau(&mut table)?,
        average: table.number("average", SHARE)?.unwrap_or(0.0),
    })
}

/// What the name stands for.
enum Kind {
    Optimizer(&'static optimizers::OptimizerEntry),
    Search(&'static searches::SearchEntry),
}

impl Kind {
    fn of(name: &str) -> Result<Kind, String> {
        if let Ok(entry) = searches::entry(name) {
            return Ok(Kind::Search(entry));
        }
        Choice::new(name).entry().map(Kind::Optimizer).map_err(|_| {
            let names =
                OPTIMIZERS.iter().map(|entry| entry.name).chain(SEARCHES.iter().map(|entry| entry.name));
            format!("there is no optimizer `{name}`{}", suggestion(name, names))
        })
    }

    fn options(&self) -> &'static [OptionSpec] {
        match self {
            Kind::Optimizer(entry) => entry.options,
            Kind::Search(entry) => entry.options,
        }
    }
}

/// Keys that mean nothing without gradients.
pub(super) const OF_GRADIENTS: [&str; 5] = ["learning-rate", "schedule", "warm-up", "clip", "average"];

fn refuse_others(table: &Reader<'_>, name: &str, kind: &Kind) -> Result<(), FitFileError> {
    let without_gradients = matches!(kind, Kind::Search(_));
    let known: Vec<&str> =
        KEYS.iter().map(|(key, _)| *key).chain(kind.options().iter().map(|option| option.name)).collect();
    for key in table.keys() {
        let hint = if without_gradients && OF_GRADIENTS.contains(&key.as_str()) {
            ": it uses no gradients".to_string()
        } else if key == "clip" && matches!(kind, Kind::Optimizer(entry) if entry.by_sign) {
            ": it steps by the gradient's sign, whatever its size".to_string()
        } else if known.contains(&key.as_str()) {
            continue;
        } else {
            match owners(&key)[..] {
                [] => suggestion(&key, known.iter().copied()),
                ref owners => {
                    let of = format!(": it is an option of {}", owners.join(" and "));
                    let unnamed = if table.has("name") { "" } else { ", to be named by `optimizer.name`" };
                    of + unnamed
                }
            }
        };
        let message = format!("[optimizer] with name \"{name}\" has no key `{key}`{hint}");
        return Err(table.error(table.key_place(&key), message));
    }
    Ok(())
}

/// The optimizers and searches that have an option of this name.
fn owners(option: &str) -> Vec<String> {
    let has = |options: &[OptionSpec]| options.iter().any(|spec| spec.name == option);
    let optimizers = OPTIMIZERS.iter().filter(|entry| has(entry.options)).map(|entry| entry.name);
    let searches = SEARCHES.iter().filter(|entry| has(entry.options)).map(|entry| entry.name);
    optimizers.chain(searches).map(|name| format!("`{name}`")).collect()
}

fn schedule(table: &mut Reader<'_>) -> Result<Schedule, FitFileError> {
    let words = Schedule::NAMES.map(|name| (name, name));
    if !table.is_table("schedule") {
        let place = table.place("schedule");
        return match table.word("schedule", &words)? {
            None | Some("constant") => Ok(Schedule::Constant),
            Some("cosine") => Ok(Schedule::Cosine { end: 0.0 }),
            Some(name) => {
                let (key, example) = match name {
                    "step" => ("every` and `factor", "every = 1000, factor = 0.5"),
                    "exponential" => ("half-life", "half-life = 1000"),
                    _ => ("time", "time = 1000"),
                };
                let message = format!(
                    "the schedule `{name}` needs `{key}`: schedule = {{ name = \"{name}\", {example} }}"
                );
                Err(table.error(place, message))
            }
        };
    }
    let mut inner = table.free_table("schedule")?;
    let name = inner.word("name", &words)?;
    let needs = |inner: &Reader<'_>, key: &str| inner.here(format!("`optimizer.schedule` needs `{key}`"));
    let keys: &[&str] = match name {
        None => return Err(needs(&inner, "name")),
        Some("step") => &["every", "factor"],
        Some("exponential") => &["half-life"],
        Some("cosine") => &["end"],
        Some("inverse-time") => &["time"],
        Some(_) => &[],
    };
    if let Some(other) = inner.keys().into_iter().find(|key| !keys.contains(&key.as_str())) {
        let hint = suggestion(&other, keys.iter().copied());
        let message = format!("the schedule `{}` has no key `{other}`{hint}", name.unwrap_or_default());
        return Err(inner.error(inner.key_place(&other), message));
    }
    const FACTOR: Range = Range { accepts: |x| x > 0.0 && x <= 1.0, words: "above 0 and at most 1" };
    Ok(match name {
        Some("step") => Schedule::Step {
            every: inner.count("every", 1)?.ok_or_else(|| needs(&inner, "every"))?,
            factor: inner.number("factor", FACTOR)?.ok_or_else(|| needs(&inner, "factor"))?,
        },
        Some("exponential") => {
            let half_life = inner.number("half-life", POSITIVE)?.ok_or_else(|| needs(&inner, "half-life"))?;
            Schedule::Exponential { half_life }
        }
        Some("cosine") => Schedule::Cosine { end: inner.number("end", SHARE)?.unwrap_or(0.0) },
        Some("inverse-time") => Schedule::InverseTime {
            time: inner.number("time", POSITIVE)?.ok_or_else(|| needs(&inner, "time"))?,
        },
        _ => Schedule::Constant,
    })
}

fn clip(table: &mut Reader<'_>) -> Result<Option<Clip>, FitFileError> {
    if !table.is_table("clip") {
        return Ok(table.number("clip", POSITIVE)?.map(Clip::Norm));
    }
    let mut inner = table.table("clip", CLIP_KEYS)?;
    match (inner.number("value", POSITIVE)?, inner.number("norm", POSITIVE)?) {
        (Some(value), None) => Ok(Some(Clip::Value(value))),
        (None, Some(norm)) => Ok(Some(Clip::Norm(norm))),
        _ => Err(inner.here("`optimizer.clip` takes either `value` or `norm`")),
    }
}

fn map(table: &mut Reader<'_>) -> Result<Option<MapChoice>, FitFileError> {
    let words = Map::ALL.map(|map| (map.name(), map));
    if !table.is_table("map") {
        return Ok(table.word("map", &words)?.map(MapChoice::All));
    }
    let mut inner = table.free_table("map")?;
    let mut maps = BTreeMap::new();
    for key in inner.keys() {
        if let Some(map) = inner.word(&key, &words)? {
            maps.insert(key, map);
        }
    }
    Ok(Some(MapChoice::Named(maps)))
}

fn plateau(table: &mut Reader<'_>) -> Result<Option<Plateau>, FitFileError> {
    if !table.has("plateau") {
        return Ok(None);
    }
    let mut inner = table.table("plateau", PLATEAU_KEYS)?;
    let Some(window) = inner.count("window", 1)? else {
        return Err(inner.here("`optimizer.plateau` needs `window`: how many steps' losses are averaged"));
    };
    let improvement = inner.number("improvement", NOT_NEGATIVE)?.unwrap_or(1e-3);
    Ok(Some(Plateau { window, improvement, patience: inner.count("patience", 1)?.unwrap_or(3) }))
}
