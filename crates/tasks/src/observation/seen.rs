//! Joins numbers that were written down to what of a model they are of, and refuses those that cannot be.

use std::sync::Arc;

use glauber_engine::Observation;
use glauber_program::Model;

use super::error::ObservationError;
use super::noise::Law;
use super::regions::{along, regions};
use crate::summaries::{Selection, SummaryChoice, SummaryError, observation};

/// What of a state is seen.
#[derive(Clone, Debug)]
pub enum What {
    /// A layer site by site, or at each site whether it is in a state.
    Sites(Selection),
    /// Numbers of the whole state.
    Numbers(Observation),
}

/// An argument of a noise.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity {
    /// A number.
    Known(f64),
    /// A parameter: of the model's, or one more that is fitted.
    Named(String),
}

/// The noise between what is there and what is written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// Its law.
    pub law: Law,
    /// The law's arguments, in its order.
    pub arguments: Vec<Quantity>,
}

impl Noise {
    /// None.
    pub fn exact() -> Noise {
        Noise { law: Law::Exact, arguments: Vec::new() }
    }

    /// A noise by the name of its law and those of its arguments; others have their usual value.
    ///
    /// # Errors
    /// [`ObservationError::Noise`] for an unknown name, an argument that is missing, or one out of its range.
    pub fn named(name: &str, given: &[(String, Quantity)]) -> Result<Noise, ObservationError> {
        let wrong = |why: String| ObservationError::Noise { noise: name.to_string(), why };
        let Some(law) = Law::named(name) else {
            let known: Vec<&str> = super::noise::LAWS.iter().map(|(own, ..)| *own).collect();
            return Err(wrong(format!("there is none of this name; there are {}", known.join(", "))));
        };
        let known: Vec<&str> = law.arguments().iter().map(|a| a.name).collect();
        if let Some((other, _)) = given.iter().find(|(n, _)| !known.contains(&n.as_str())) {
            let takes =
                if known.is_empty() { "nothing".to_string() } else { format!("`{}`", known.join("`, `")) };
            return Err(wrong(format!("it has no `{other}`, it takes {takes}")));
        }
        let argument = |argument: &super::noise::Argument| {
            let own = given.iter().find(|(n, _)| n == argument.name).map(|(_, q)| q.clone());
            let own = own.or(argument.usual.map(Quantity::Known)).ok_or_else(|| {
                wrong(format!(
                    "it needs `{}`: a number, or the name of a parameter that is to be fitted",
                    argument.name
                ))
            })?;
            match &own {
                Quantity::Known(x) if !argument.interval.contains(*x) || !x.is_finite() => {
                    Err(wrong(format!("its `{}` is {x}, outside {}", argument.name, argument.interval)))
                }
                _ => Ok(own),
            }
        };
        let arguments = law.arguments().iter().map(argument).collect::<Result<_, _>>()?;
        Ok(Noise { law, arguments })
    }

    /// In words.
    pub fn words(&self) -> String {
        let own =
            self.law.arguments().iter().zip(&self.arguments).map(|(argument, quantity)| match quantity {
                Quantity::Known(x) => format!("{} {x}", argument.name),
                Quantity::Named(name) => format!("{} `{name}`", argument.name),
            });
        let own: Vec<String> = own.collect();
        if own.is_empty() {
            self.law.name().to_string()
        } else {
            format!("{} ({})", self.law.name(), own.join(", "))
        }
    }
}

impl What {
    /// By its text: `LAYER`, `LAYER=STATE` (site by site), `regions(LAYER=STATE)` with a map of labels, `rows(…)`,
    /// `columns(…)`, or a summary of the list.
    ///
    /// A map's labels are numbers; a negative one or NaN is no region.
    ///
    /// # Errors
    /// [`ObservationError`] where the model has not what is read.
    pub fn named(text: &str, map: Option<&[f64]>, model: &Model) -> Result<What, ObservationError> {
        let text = text.trim();
        let Some((name, rest)) = text.split_once('(') else {
            let found = Selection::parse(model, text).map_err(|error| match error {
                SummaryError::Form { why, .. } => SummaryError::Form {
                    text: text.to_string(),
                    why,
                    usage: "LAYER, LAYER=STATE or a summary".to_string(),
                },
                other => other,
            });
            return Ok(What::Sites(found?));
        };
        let inside = || {
            rest.strip_suffix(')').ok_or_else(|| {
                ObservationError::What(SummaryError::Form {
                    text: text.to_string(),
                    why: "the bracket does not close at its end".into(),
                    usage: format!("{name}(LAYER=STATE)"),
                })
            })
        };
        let selected = || {
            Selection::parse(model, inside()?).map_err(|error| match error {
                // What is wrong with the selection is put into the whole text.
                SummaryError::Form { why, .. } => ObservationError::What(SummaryError::Form {
                    text: text.to_string(),
                    why,
                    usage: format!("{}(LAYER) or {0}(LAYER=STATE)", name.trim()),
                }),
                other => other.into(),
            })
        };
        let observation = match name.trim() {
            "regions" => {
                let selection = selected()?;
                let map = map.ok_or_else(|| ObservationError::NoRegions { what: text.to_string() })?;
                let (labels, names) = labelled(map)?;
                regions(model, &selection, &labels, names)?
            }
            "rows" | "columns" => {
                let of_rows = name.trim() == "rows";
                let from_the_last = if of_rows { 2 } else { 1 };
                if model.declarations().lattice.dimensions() < from_the_last {
                    let why = format!("the lattice {:?} has no rows", model.declarations().lattice.shape());
                    return Err(ObservationError::Regions { why });
                }
                let selection = selected()?;
                let (labels, names) = along(model, from_the_last, if of_rows { "row" } else { "column" });
                regions(model, &selection, &labels, names)?
            }
            _ => {
                let choice: SummaryChoice = text.parse()?;
                observation(&choice, model)?
            }
        };
        Ok(What::Numbers(observation))
    }

    /// How many numbers a time has.
    pub fn width(&self, model: &Model) -> usize {
        match self {
            What::Sites(_) => model.declarations().lattice.sites(),
            What::Numbers(observation) => observation.outputs().len(),
        }
    }

    /// How many states a site has, where that is what is seen; 2 of a named state.
    pub fn states(&self, model: &Model) -> usize {
        match self {
            What::Sites(selection) if selection.state.is_none() => {
                let (low, high) = selection.values(model).range();
                if selection.values(model).is_integer() { (high - low) as usize + 1 } else { 2 }
            }
            _ => 2,
        }
    }
}

/// The regions of a map, in the order of their labels.
fn labelled(map: &[f64]) -> Result<(Vec<Option<u32>>, Vec<String>), ObservationError> {
    let mut found: Vec<f64> = map.iter().copied().filter(|l| *l >= 0.0).collect();
    found.sort_by(f64::total_cmp);
    found.dedup();
    if let Some(bad) = found.iter().find(|l| l.fract().abs() > 0.0 || l.is_infinite()) {
        return Err(ObservationError::Regions { why: format!("its label {bad} is no whole number") });
    }
    let place = |label: &f64| found.iter().position(|own| own.total_cmp(label).is_eq()).map(|p| p as u32);
    let names = found.iter().map(|l| format!("region {l}")).collect();
    Ok((map.iter().map(|l| if *l >= 0.0 { place(l) } else { None }).collect(), names))
}

/// Numbers that were written down.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What is seen, as it was written.
    pub words: String,
    /// What is seen.
    pub what: What,
    /// With which noise.
    pub noise: Noise,
    /// After which steps, ascending; 0 is the start.
    pub steps: Vec<u32>,
    /// Of how many runs.
    pub runs: usize,
    /// How many numbers a time has.
    pub width: usize,
    /// How many states a site has, where sites are seen.
    pub states: usize,
    /// \[run\]\[time\]\[number\]; NaN was not seen.
    pub values: Arc<Vec<f64>>,
}

impl Observed {
    /// Checks the data.
    ///
    /// # Errors
    /// [`ObservationError`] for data of another length, of nothing, or that the noise cannot make.
    pub fn new(
        words: &str,
        what: What,
        noise: Noise,
        steps: Vec<u32>,
        runs: usize,
        values: Vec<f64>,
        model: &Model,
    ) -> Result<Observed, ObservationError> {
        let (width, states, name) = (what.width(model), what.states(model), words.to_string());
        let (times, found) = (steps.len(), values.len());
        if let Some(pair) = steps.windows(2).find(|pair| pair[1] <= pair[0]) {
            let why = format!("{} follows {}", pair[1], pair[0]);
            return Err(ObservationError::Steps { what: name, why });
        }
        let wanted = runs * times * width;
        if found != wanted || wanted == 0 {
            return Err(ObservationError::Length { what: name, found, runs, times, width, wanted });
        }
        if values.iter().all(|y| y.is_nan()) {
            return Err(ObservationError::AllMissing { what: name });
        }
        let of_sites = match &what {
            What::Sites(selection) if selection.state.is_none() => Some(selection.values(model).range()),
            What::Sites(_) => Some((0.0, 1.0)),
            What::Numbers(_) => None,
        };
        let whole = match &what {
            What::Sites(selection) => selection.state.is_some() || selection.values(model).is_integer(),
            What::Numbers(_) => false,
        };
        if noise.law == Law::Flipped && !whole {
            let why =
                "it takes one state of a site for another, so it is for a layer of states, seen site by site"
                    .into();
            return Err(ObservationError::Noise { noise: "flipped".into(), why });
        }
        let as_it_is = matches!(noise.law, Law::Exact | Law::Flipped);
        let fault = |y: f64| -> Option<String> {
            let law = noise.law.refuses(y).map(str::to_string);
            law.or_else(|| match of_sites {
                Some((low, high))
                    if as_it_is && !(y >= low && y <= high && !(whole && y.fract().abs() > 0.0)) =>
                {
                    Some(format!("no state of a site, which has {low} to {high}"))
                }
                _ => None,
            })
        };
        for (place, y) in values.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
            if let Some(why) = fault(*y) {
                return Err(ObservationError::Impossible {
                    what: name,
                    run: place / width / times,
                    step: steps[place / width % times],
                    number: place % width,
                    value: *y,
                    why,
                    noise: noise.law.name(),
                });
            }
        }
        Ok(Observed { words: name, what, noise, steps, runs, width, states, values: Arc::new(values) })
    }

    /// How many numbers were seen.
    pub fn present(&self) -> usize {
        self.values.iter().filter(|y| !y.is_nan()).count()
    }

    /// The numbers of one time of a run.
    pub fn at(&self, run: usize, time: usize) -> &[f64] {
        let from = (run * self.steps.len() + time) * self.width;
        &self.values[from..from + self.width]
    }

    /// The same of other data.
    pub fn with_values(&self, values: Vec<f64>) -> Observed {
        Observed { values: Arc::new(values), ..self.clone() }
    }

    /// In words: what, of how many, when, with which noise.
    pub fn described(&self) -> String {
        let (first, last) =
            (self.steps.first().copied().unwrap_or(0), self.steps.last().copied().unwrap_or(0));
        let times = match self.steps.len() {
            1 => format!("after step {first}"),
            n => format!("at {n} times from step {first} to {last}"),
        };
        let runs = if self.runs == 1 { "1 run".to_string() } else { format!("{} runs", self.runs) };
        let missing = self.values.len() - self.present();
        let missing = match missing {
            0 => String::new(),
            n => format!(", {n} of {} numbers missing", self.values.len()),
        };
        format!("{} of {runs} {times}, noise {}{missing}", self.words, self.noise.words())
    }
}
