//! Joins experiments to a model: what is unknown in all of them, and what each has of its own.
//!
//! θ holds the model's parameters that nothing fixes, in their order, then the parameters of noises. What an experiment
//! fixes is its condition; what every experiment fixes is not fitted.

use glauber_engine::{FieldData, Run, Start};
use glauber_optimize::objective::Unknown;
use glauber_program::{Interval, Model, nearest_name};

use super::error::ObservationError;
use super::seen::{Observed, Quantity};
use crate::covariates::Covariates;
use crate::states::States;
use crate::tasks::unknowns::{UnknownsError, check};

/// What was seen of one set of runs under one condition.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// What was seen, each with its data: all of as many runs.
    pub observed: Vec<Observed>,
    /// The states that its runs start from: one for all or one for each run; nothing where the model says.
    pub start: Option<States>,
    /// What the model's rules read per site, here.
    pub covariates: Covariates,
    /// Parameters that have a value of their own here.
    pub fixed: Vec<(String, f64)>,
    /// Of so many realisations each run of the data is the mean.
    pub mean_of: u32,
}

impl Experiment {
    /// Runs of the model from its own start.
    pub fn new(name: &str, observed: Vec<Observed>) -> Experiment {
        let (covariates, fixed) = (Covariates::new(), Vec::new());
        Experiment { name: name.to_string(), observed, start: None, covariates, fixed, mean_of: 1 }
    }

    /// How many runs were seen.
    pub fn runs(&self) -> usize {
        self.observed.first().map_or(0, |own| own.runs)
    }

    /// After how many steps its runs begin.
    pub fn first_step(&self) -> u32 {
        self.start.as_ref().and_then(|states| states.steps.first().copied()).unwrap_or(0)
    }

    /// The steps at which anything is seen, ascending.
    pub fn steps(&self) -> Vec<u32> {
        let mut steps: Vec<u32> = self.observed.iter().flat_map(|own| own.steps.iter().copied()).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// How many numbers were seen.
    pub fn present(&self) -> usize {
        self.observed.iter().map(Observed::present).sum()
    }

    /// A run of `replicates` from its start, of which run `of(r)` of the data begins replicate r.
    pub fn run<'a>(&self, parameters: &'a [f64], replicates: usize, of: impl Fn(usize) -> usize) -> Run<'a> {
        let mut run = Run::new(parameters, 0).replicates(replicates);
        run.fields = self.covariates.clone();
        if let Some(states) = &self.start {
            let picks = (0..replicates).map(|r| if states.runs == 1 { 0 } else { of(r) as u32 }).collect();
            let picks = std::sync::Arc::new(picks);
            let layers = states.layers.iter();
            run.start = Start::States(
                layers
                    .map(|l| FieldData::from_parts(l.clone(), Some(std::sync::Arc::clone(&picks))))
                    .collect(),
            );
        }
        run.first_step(self.first_step())
    }

    /// Whether all its runs begin alike in law, so that simulations serve them all.
    pub fn begins_alike(&self) -> bool {
        self.start.as_ref().is_none_or(|states| states.runs == 1)
    }

    fn check(&self) -> Result<(), String> {
        let Some(first) = self.observed.first() else {
            return Err("nothing is seen of it: give at least one observation".into());
        };
        if let Some(other) = self.observed.iter().find(|own| own.runs != first.runs) {
            return Err(format!(
                "`{}` has {} runs, but `{}` has {}: give all of the same runs, NaN where one was not seen",
                other.words, other.runs, first.words, first.runs
            ));
        }
        if let Some(states) = &self.start {
            if states.times != 1 {
                return Err(format!("its start has {} times: give one state for each run", states.times));
            }
            if states.runs != 1 && states.runs != first.runs {
                return Err(format!(
                    "its start has {} runs, but {} were seen: give one, or as many",
                    states.runs, first.runs
                ));
            }
        }
        let begin = self.first_step();
        if let Some(early) = self.steps().first().filter(|step| **step < begin) {
            return Err(format!("something was seen after step {early}, but it starts after step {begin}"));
        }
        Ok(())
    }
}

/// A parameter of a noise that is no parameter of the model.
#[derive(Clone, Debug, PartialEq)]
struct Extra {
    name: String,
    interval: Interval,
}

/// Experiments joined to a model.
#[derive(Clone, Debug)]
pub struct Design {
    /// The model.
    pub model: Model,
    /// The experiments.
    pub experiments: Vec<Experiment>,
    /// θ.
    pub unknowns: Vec<Unknown>,
    /// Where each of θ stands among all numbers: the model's parameters, then those of noises.
    places: Vec<usize>,
    all: Vec<f64>,
    extras: Vec<Extra>,
    /// Per experiment: what it fixes, by place.
    own: Vec<Vec<(usize, f64)>>,
}

impl Design {
    /// Joins experiments to a model; `fixed` holds in all of them.
    ///
    /// # Errors
    /// [`ObservationError`] for names that are none, values outside their intervals, experiments that do not go together,
    /// or nothing to fit.
    pub fn new(
        model: &Model,
        experiments: Vec<Experiment>,
        fixed: &[(String, f64)],
    ) -> Result<Design, ObservationError> {
        for one in &experiments {
            let wrong = |why| ObservationError::Experiment { experiment: one.name.clone(), why };
            one.check().map_err(wrong)?;
        }
        let parameters = &model.declarations().parameters;
        let mut extras: Vec<Extra> = Vec::new();
        for (observed, argument, quantity) in experiments.iter().flat_map(|e| &e.observed).flat_map(|own| {
            let pairs = own.noise.law.arguments().iter().zip(&own.noise.arguments);
            pairs.map(move |(argument, quantity)| (own, argument, quantity))
        }) {
            let Quantity::Named(name) = quantity else { continue };
            if parameters.iter().any(|p| p.name == *name) {
                continue;
            }
            let Interval { lowest, highest } = argument.interval;
            match extras.iter_mut().find(|e| e.name == *name) {
                Some(own) => {
                    own.interval.lowest = own.interval.lowest.max(lowest);
                    own.interval.highest = own.interval.highest.min(highest);
                }
                None if name.trim().is_empty() => {
                    let (noise, why) = (
                        observed.noise.law.name().into(),
                        format!("the name of its `{}` is empty", argument.name),
                    );
                    return Err(ObservationError::Noise { noise, why });
                }
                None => extras.push(Extra { name: name.clone(), interval: argument.interval }),
            }
        }
        let place = |name: &str, value: f64| -> Result<usize, ObservationError> {
            if let Some(k) = extras.iter().position(|e| e.name == name) {
                let Interval { lowest, highest } = extras[k].interval;
                if extras[k].interval.contains(value) {
                    return Ok(parameters.len() + k);
                }
                let (model, name) = (model.name().to_string(), name.to_string());
                return Err(UnknownsError::Value { model, name, value, lowest, highest }.into());
            }
            check(model, name, value).map_err(|error| named_too(error, &extras).into())
        };
        let common = fixed
            .iter()
            .map(|(n, x)| Ok((place(n, *x)?, *x)))
            .collect::<Result<Vec<_>, ObservationError>>()?;
        let own = experiments
            .iter()
            .map(|e| {
                e.fixed
                    .iter()
                    .map(|(n, x)| Ok((place(n, *x)?, *x)))
                    .collect::<Result<Vec<_>, ObservationError>>()
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut design = Design {
            model: model.clone(),
            unknowns: Vec::new(),
            places: Vec::new(),
            all: parameters.iter().map(|p| p.default.unwrap_or(f64::NAN)).collect(),
            own,
            extras,
            experiments,
        };
        design.all.resize(parameters.len() + design.extras.len(), f64::NAN);
        common.iter().for_each(|(at, value)| design.all[*at] = *value);
        let fixed_everywhere = |at: usize| {
            common.iter().any(|(own, _)| *own == at)
                || (!design.own.is_empty() && design.own.iter().all(|own| own.iter().any(|(p, _)| *p == at)))
        };
        let names = parameters.iter().map(|p| (&p.name, p.interval));
        let names: Vec<(String, Interval)> = names
            .chain(design.extras.iter().map(|e| (&e.name, e.interval)))
            .map(|(name, interval)| (name.clone(), interval))
            .collect();
        for (at, (name, interval)) in names.iter().enumerate().filter(|(at, _)| !fixed_everywhere(*at)) {
            design.unknowns.push(Unknown::scalar(name, *interval));
            design.places.push(at);
        }
        if design.unknowns.is_empty() {
            return Err(UnknownsError::Nothing { model: model.name().to_string() }.into());
        }
        Ok(design)
    }

    /// The same design with other data, experiment by experiment.
    pub fn with_experiments(&self, experiments: Vec<Experiment>) -> Design {
        Design { experiments, ..self.clone() }
    }

    /// θ at the start: the named values, or the parameters' defaults.
    ///
    /// # Errors
    /// [`ObservationError`] for an unknown name, a value outside its interval, or a parameter without value.
    pub fn start(&self, start: &[(String, f64)]) -> Result<Vec<f64>, ObservationError> {
        for (name, value) in start {
            match self.unknowns.iter().find(|u| u.name == *name) {
                Some(u) if u.interval.contains(*value) => {}
                Some(u) => {
                    let Interval { lowest, highest } = u.interval;
                    let (model, name) = (self.model.name().to_string(), name.clone());
                    return Err(UnknownsError::Value { model, name, value: *value, lowest, highest }.into());
                }
                None => {
                    check(&self.model, name, *value).map_err(|error| named_too(error, &self.extras))?;
                }
            }
        }
        let value = |(unknown, place): (&Unknown, &usize)| {
            let given = start.iter().find(|(n, _)| *n == unknown.name).map(|(_, v)| *v);
            let usual = Some(self.all[*place]).filter(|v| v.is_finite());
            given.or(usual).ok_or_else(|| {
                let (model, name) = (self.model.name().to_string(), unknown.name.clone());
                ObservationError::from(UnknownsError::NoValue { model, name })
            })
        };
        self.unknowns.iter().zip(&self.places).map(value).collect()
    }

    /// All numbers of an experiment at θ: the model's parameters, then those of noises.
    pub fn numbers(&self, theta: &[f64], experiment: usize) -> Vec<f64> {
        let mut all = self.all.clone();
        for (place, value) in self.places.iter().zip(theta) {
            all[*place] = *value;
        }
        for (place, value) in self.own.get(experiment).into_iter().flatten() {
            all[*place] = *value;
        }
        all
    }

    /// The model's parameters among all numbers.
    pub fn parameters<'a>(&self, numbers: &'a [f64]) -> &'a [f64] {
        &numbers[..self.model.declarations().parameters.len()]
    }

    /// The arguments of an observation's noise among all numbers.
    pub fn arguments(&self, observed: &Observed, numbers: &[f64]) -> Vec<f64> {
        let parameters = &self.model.declarations().parameters;
        let value = |quantity: &Quantity| match quantity {
            Quantity::Known(x) => *x,
            Quantity::Named(name) => {
                let own = parameters.iter().position(|p| p.name == *name);
                let extra = || self.extras.iter().position(|e| e.name == *name).map(|k| parameters.len() + k);
                own.or_else(extra).map_or(f64::NAN, |place| numbers[place])
            }
        };
        observed.noise.arguments.iter().map(value).collect()
    }

    /// How many numbers were seen.
    pub fn present(&self) -> usize {
        self.experiments.iter().map(Experiment::present).sum()
    }

    /// Whether θ lies in its intervals.
    pub fn holds(&self, theta: &[f64]) -> bool {
        theta.len() == self.unknowns.len()
            && self.unknowns.iter().zip(theta).all(|(u, x)| u.interval.contains(*x) && x.is_finite())
    }
}

/// An error about a name, which may be that of a noise's parameter too.
fn named_too(error: UnknownsError, extras: &[Extra]) -> UnknownsError {
    match error {
        UnknownsError::Name { model, name, mut known, .. } => {
            known.extend(extras.iter().map(|e| e.name.clone()));
            let nearest = nearest_name(&name, known.iter().map(String::as_str));
            UnknownsError::Name { model, name, nearest, known }
        }
        other => other,
    }
}
