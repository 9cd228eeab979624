//! Chooses how the likelihood of what was seen is computed, and makes it.
//!
//! | route | where |
//! |---|---|
//! | `exact` | every layer is seen at every site and step, without noise, and the law of a step is known |
//! | `synthetic-likelihood` | numbers of the whole state without noise, or means of several runs |
//! | `mean-field-filter` | sites seen one by one, and the model has such a filter |
//! | `particle-filter` | all else: noise, hidden parts, times apart |

use std::sync::Arc;

use glauber_engine::{Numbers, Options};
use glauber_program::{ModelError, log_likelihood, mean_field_filter};
use glauber_tasks::observation::noise::Law;
use glauber_tasks::observation::{Design, Experiment, ObservationError, What};
use glauber_tasks::states::{States, StatesError};
use glauber_tasks::tasks::likelihood::{Likelihood as OfTransitions, LikelihoodError};
use glauber_tasks::tasks::transition::Pairs;
use glauber_tasks::tasks::unknowns::{Fitted, UnknownsError};

use crate::exact::Transitions;
use crate::likelihood::{Kind, Likelihood, Parameter, Stop};
use crate::mean_field_filter::{self, MeanFieldError, MeanFieldFilter};
use crate::particle_filter::{self, PARTICLES, ParticleFilter, ParticleFilterError};
use crate::synthetic::{self, SIMULATIONS, Synthetic, SyntheticError};

/// A way to a likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The law of the model's own step.
    Exact,
    /// Simulations weighed by what was seen.
    ParticleFilter,
    /// Sites taken for independent.
    MeanFieldFilter,
    /// The normal law of simulated numbers.
    Synthetic,
}

/// The name of the exact route.
pub const EXACT: &str = "exact";

/// Every route, by name.
pub const ROUTES: &[(&str, Route)] = &[
    (EXACT, Route::Exact),
    (particle_filter::ROUTE, Route::ParticleFilter),
    (mean_field_filter::ROUTE, Route::MeanFieldFilter),
    (synthetic::ROUTE, Route::Synthetic),
];

/// Why there is no likelihood by a route.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// An unknown name.
    #[error("there is no route `{name}`: there are {}", ROUTES.iter().map(|(own, _)| *own).collect::<Vec<_>>().join(", "))]
    Name {
        /// What was asked for.
        name: String,
    },
    /// Data that are not every state.
    #[error(
        "the route `exact` needs every layer at every site and step, without noise: {0}; take another route, \
         \"particle-filter\" say"
    )]
    NotWhole(String),
    /// A model without one.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The exact likelihood.
    #[error(transparent)]
    Exact(#[from] LikelihoodError),
    /// The choice of parameters.
    #[error(transparent)]
    Unknowns(#[from] UnknownsError),
    /// What was seen.
    #[error(transparent)]
    Observation(#[from] ObservationError),
    /// The particle filter.
    #[error(transparent)]
    ParticleFilter(#[from] ParticleFilterError),
    /// The mean-field filter.
    #[error(transparent)]
    MeanField(#[from] MeanFieldError),
    /// The synthetic likelihood.
    #[error(transparent)]
    Synthetic(#[from] SyntheticError),
    /// The states of an experiment.
    #[error(transparent)]
    States(#[from] StatesError),
}

/// What a likelihood is made with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Particles of a run, or simulations; the route's own number where nobody says.
    pub simulations: Option<usize>,
    /// The seed of all noise.
    pub seed: u64,
    /// How the engine runs.
    pub options: Options,
}

impl Route {
    /// Its name.
    pub fn name(self) -> &'static str {
        ROUTES.iter().find(|(_, own)| *own == self).map_or(EXACT, |(name, _)| name)
    }

    /// The route of this name, or the one that what was seen asks for; and the reason in words.
    ///
    /// # Errors
    /// [`RouteError::Name`] for an unknown name.
    pub fn of(design: &Design, wanted: Option<&str>) -> Result<(Route, String), RouteError> {
        if let Some(name) = wanted {
            let route = ROUTES.iter().find(|(own, _)| *own == name).map(|(_, route)| *route);
            return Ok((
                route.ok_or_else(|| RouteError::Name { name: name.to_string() })?,
                "as was said".into(),
            ));
        }
        let law = log_likelihood(&design.model.step);
        if design.experiments.iter().all(|e| whole(e, design).is_ok()) && law.is_ok() {
            return Ok((Route::Exact, "every site is seen at every step without noise".into()));
        }
        let observed = || design.experiments.iter().flat_map(|e| &e.observed);
        if design.experiments.iter().any(|e| e.mean_of > 1) {
            return Ok((Route::Synthetic, "data are means of several runs".into()));
        }
        if let Some(own) =
            observed().find(|o| o.noise.law == Law::Exact && matches!(o.what, What::Numbers(_)))
        {
            let why = format!("`{}` is a number of the whole state, seen without noise", own.words);
            return Ok((Route::Synthetic, why));
        }
        if observed().all(|o| matches!(o.what, What::Sites(_))) && mean_field_filter(&design.model).is_ok() {
            return Ok((Route::MeanFieldFilter, "sites are seen one by one, not all or not well".into()));
        }
        Ok((Route::ParticleFilter, "what is seen is noisy, or only part of the state".into()))
    }

    /// What its estimates are known to be off by.
    pub fn caveat(self) -> Option<&'static str> {
        match self {
            Route::Exact | Route::ParticleFilter => None,
            Route::MeanFieldFilter => Some(
                "sites are taken for independent: estimates are biased where neighbours are correlated, and errors are of that \
                 approximation (docs/observations.md has the measured biases)",
            ),
            Route::Synthetic => Some(
                "what is seen is taken for normal with the simulations' mean and covariance: where it is not, as for small counts \
                 or runs that die out, estimates and errors are biased",
            ),
        }
    }

    /// The likelihood of a design by this route; θ starts at `start`.
    ///
    /// # Errors
    /// [`RouteError`] where there is none.
    pub fn likelihood(
        self,
        design: Design,
        start: &[f64],
        settings: Settings,
    ) -> Result<Box<dyn Likelihood>, RouteError> {
        let Settings { simulations, seed, options } = settings;
        Ok(match self {
            Route::Exact => Box::new(exact(design, start, options)?),
            Route::ParticleFilter => {
                Box::new(ParticleFilter::new(design, start, simulations.unwrap_or(PARTICLES), seed, options)?)
            }
            Route::MeanFieldFilter => Box::new(MeanFieldFilter::new(design, start, options)?),
            Route::Synthetic => {
                Box::new(Synthetic::new(design, start, simulations.unwrap_or(SIMULATIONS), seed, options)?)
            }
        })
    }
}

/// The states of an experiment that was seen whole.
fn whole(experiment: &Experiment, design: &Design) -> Result<States, String> {
    let layers = &design.model.declarations().layers;
    let first = experiment.observed.first().ok_or("nothing was seen")?;
    if experiment.mean_of > 1 {
        return Err("data are means of several runs".into());
    }
    let mut numbers = Vec::new();
    for (k, layer) in layers.iter().enumerate() {
        let of_layer = |o: &&glauber_tasks::observation::Observed| match &o.what {
            What::Sites(selection) => {
                selection.place == k && selection.state.is_none() && o.noise.law == Law::Exact
            }
            What::Numbers(_) => false,
        };
        let Some(own) = experiment.observed.iter().find(of_layer) else {
            return Err(format!("layer `{}` is not seen site by site without noise", layer.name));
        };
        if own.steps != first.steps {
            return Err(format!(
                "layer `{}` is seen after other steps than the first observation",
                layer.name
            ));
        }
        if own.present() < own.values.len() {
            return Err(format!("sites of layer `{}` are missing", layer.name));
        }
        numbers.push(Arc::new(Numbers::Reals(own.values.to_vec())));
    }
    if experiment.observed.len() > layers.len() {
        return Err("more than the layers themselves is seen".into());
    }
    if first.steps.len() < 2 || first.steps.windows(2).any(|pair| pair[1] != pair[0] + 1) {
        return Err("times are further than one step apart".into());
    }
    if let Some(states) = &experiment.start
        && states.steps.first() != first.steps.first()
    {
        return Err("its start was seen before the first observation".into());
    }
    Ok(States {
        layers: numbers,
        runs: experiment.runs(),
        times: first.steps.len(),
        sites: design.model.declarations().lattice.sites(),
        steps: first.steps.clone(),
        timed: true,
        update: None,
    })
}

fn exact(design: Design, start: &[f64], options: Options) -> Result<Sum, RouteError> {
    let names: Vec<&str> = design.unknowns.iter().map(|u| u.name.as_str()).collect();
    let declared = &design.model.declarations().parameters;
    let mut parts: Vec<(Box<dyn Likelihood>, Vec<usize>)> = Vec::new();
    let mut extras = names.iter().filter(|name| declared.iter().all(|p| p.name != **name));
    if let Some(name) = extras.next() {
        return Err(RouteError::NotWhole(format!("`{name}` is a parameter of a noise")));
    }
    for (e, experiment) in design.experiments.iter().enumerate() {
        let states = whole(experiment, &design).map_err(RouteError::NotWhole)?;
        let numbers = design.numbers(start, e);
        let own: Vec<&str> =
            names.iter().copied().filter(|name| experiment.fixed.iter().all(|(n, _)| n != name)).collect();
        let fixed = declared.iter().zip(&numbers).filter(|(p, _)| !own.contains(&p.name.as_str()));
        let fixed: Vec<(String, f64)> = fixed.map(|(p, value)| (p.name.clone(), *value)).collect();
        let fitted = Fitted::new(&design.model, &fixed)?.with_covariates(experiment.covariates.clone());
        let pairs = Pairs::new(&design.model, &fitted, states, options)?;
        let likelihood = OfTransitions::new(&design.model, fitted, pairs, options)?;
        let places: Vec<usize> =
            likelihood.fitted().iter().filter_map(|u| names.iter().position(|n| *n == u.name)).collect();
        let begin: Vec<f64> = places.iter().map(|place| start[*place]).collect();
        parts.push((Box::new(Transitions::new(likelihood, &begin)), places));
    }
    let unknowns = design.unknowns.iter().zip(start);
    let parameters = unknowns.map(|(u, start)| Parameter::new(&u.name, u.interval, *start)).collect();
    Ok(Sum { parts, parameters })
}

/// The likelihood of several experiments together: each takes its own of the parameters.
struct Sum {
    parts: Vec<(Box<dyn Likelihood>, Vec<usize>)>,
    parameters: Vec<Parameter>,
}

impl Likelihood for Sum {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn observations(&self) -> usize {
        self.parts.iter().map(|(part, _)| part.observations()).sum()
    }

    fn kind(&self) -> Kind {
        Kind::Exact
    }

    fn route(&self) -> &str {
        EXACT
    }

    fn log_likelihood(&mut self, at: &[f64], noise: u64) -> Result<f64, Stop> {
        let mut sum = 0.0;
        for (part, places) in &mut self.parts {
            let own: Vec<f64> = places.iter().map(|place| at[*place]).collect();
            sum += part.log_likelihood(&own, noise)?;
        }
        Ok(sum)
    }

    fn has_gradient(&self) -> bool {
        true
    }

    fn with_gradient(&mut self, at: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        gradient.fill(0.0);
        let mut sum = 0.0;
        for (part, places) in &mut self.parts {
            let own: Vec<f64> = places.iter().map(|place| at[*place]).collect();
            let mut slopes = vec![0.0; own.len()];
            sum += part.with_gradient(&own, &mut slopes)?;
            places.iter().zip(slopes).for_each(|(place, slope)| gradient[*place] += slope);
        }
        Ok(sum)
    }

    fn why_impossible(&mut self, at: &[f64]) -> Option<String> {
        self.parts.iter_mut().find_map(|(part, places)| {
            let own: Vec<f64> = places.iter().map(|place| at[*place]).collect();
            part.why_impossible(&own)
        })
    }

    fn another(&self) -> Box<dyn Likelihood> {
        let parts = self.parts.iter().map(|(part, places)| (part.another(), places.clone())).collect();
        Box::new(Sum { parts, parameters: self.parameters.clone() })
    }
}
