//! Gives the exact likelihoods as routes: of observed transitions, and of movies of cells.
//!
//! Outside a parameter's interval, and where a probability of the model is no number, ln L is −∞.

use std::sync::Arc;

use glauber_cellular_potts::LogLikelihood;
use glauber_tasks::tasks::likelihood::Likelihood as OfTransitions;

use crate::likelihood::{Interval, Kind, Likelihood, Parameter, Stop};

/// ln L of observed transitions, by the law of the model's own step.
pub struct Transitions {
    likelihood: Arc<OfTransitions>,
    parameters: Arc<[Parameter]>,
}

impl Transitions {
    /// By a likelihood of transitions, where `start` has as many numbers as it has unknowns.
    pub fn new(likelihood: OfTransitions, start: &[f64]) -> Transitions {
        let unknowns = likelihood.fitted().iter().zip(start);
        let parameters = unknowns.map(|(u, start)| Parameter::new(&u.name, u.interval, *start)).collect();
        Transitions { likelihood: Arc::new(likelihood), parameters }
    }
}

impl Likelihood for Transitions {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn observations(&self) -> usize {
        self.likelihood.observations()
    }

    fn kind(&self) -> Kind {
        Kind::Exact
    }

    fn route(&self) -> &str {
        "exact"
    }

    fn log_likelihood(&mut self, at: &[f64], _noise: u64) -> Result<f64, Stop> {
        match inside(&self.parameters, at) {
            true => Ok(number(self.likelihood.log_likelihood(at)?)),
            false => Ok(f64::NEG_INFINITY),
        }
    }

    fn has_gradient(&self) -> bool {
        true
    }

    fn with_gradient(&mut self, at: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        if !inside(&self.parameters, at) {
            gradient.fill(f64::NAN);
            return Ok(f64::NEG_INFINITY);
        }
        let (value, score) = self.likelihood.value_and_score(at)?;
        gradient.copy_from_slice(&score);
        Ok(number(value))
    }

    fn why_impossible(&mut self, at: &[f64]) -> Option<String> {
        outside(&self.parameters, at).or_else(|| self.likelihood.why_impossible(at))
    }

    fn another(&self) -> Box<dyn Likelihood> {
        let Transitions { likelihood, parameters } = self;
        Box::new(Transitions { likelihood: likelihood.clone(), parameters: parameters.clone() })
    }
}

/// ln L of movies of cells under the Cellular Potts model.
pub struct Cells {
    likelihood: Arc<LogLikelihood>,
    parameters: Arc<[Parameter]>,
    updates: usize,
}

impl Cells {
    /// By a likelihood of movies with the names and intervals of its unknowns; it starts at the numbers of the energy
    /// that was given.
    pub fn new(likelihood: LogLikelihood, unknowns: &[(String, Interval)]) -> Cells {
        let named = unknowns.iter().zip(likelihood.given());
        let parameters =
            named.map(|((name, interval), start)| Parameter::new(name, *interval, *start)).collect();
        let updates = likelihood.counts().updates - likelihood.counts().impossible;
        Cells { likelihood: Arc::new(likelihood), parameters, updates }
    }
}

impl Likelihood for Cells {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn observations(&self) -> usize {
        self.updates
    }

    fn kind(&self) -> Kind {
        Kind::Exact
    }

    fn route(&self) -> &str {
        "exact"
    }

    fn log_likelihood(&mut self, at: &[f64], _noise: u64) -> Result<f64, Stop> {
        match inside(&self.parameters, at) {
            true => Ok(number(self.likelihood.value(at))),
            false => Ok(f64::NEG_INFINITY),
        }
    }

    fn has_gradient(&self) -> bool {
        true
    }

    fn with_gradient(&mut self, at: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        if !inside(&self.parameters, at) {
            gradient.fill(f64::NAN);
            return Ok(f64::NEG_INFINITY);
        }
        let (value, score) = self.likelihood.value_and_score(at);
        gradient.copy_from_slice(&score);
        Ok(number(value))
    }

    fn why_impossible(&mut self, at: &[f64]) -> Option<String> {
        outside(&self.parameters, at)
    }

    fn another(&self) -> Box<dyn Likelihood> {
        let Cells { likelihood, parameters, updates } = self;
        Box::new(Cells { likelihood: likelihood.clone(), parameters: parameters.clone(), updates: *updates })
    }
}

fn inside(parameters: &[Parameter], at: &[f64]) -> bool {
    parameters.iter().zip(at).all(|(p, x)| p.interval.contains(*x))
}

fn outside(parameters: &[Parameter], at: &[f64]) -> Option<String> {
    let (parameter, x) = parameters.iter().zip(at).find(|(p, x)| !p.interval.contains(**x))?;
    let Parameter { name, interval, .. } = parameter;
    Some(format!("`{name}` is {x}, outside its interval {interval}"))
}

/// What is no number is impossible.
fn number(value: f64) -> f64 {
    if value.is_nan() { f64::NEG_INFINITY } else { value }
}
