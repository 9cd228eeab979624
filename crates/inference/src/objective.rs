//! Makes a likelihood the objective of a fit: −ln L per datum, and how it looks around the estimate.

use glauber_optimize::objective::{
    Evaluation, LogLikelihood, Objective, ObjectiveError, Surroundings, Unknown,
};

use crate::likelihood::{Kind, Likelihood};
use crate::route::ROUTES;
use crate::surface;

/// The objective of a likelihood.
pub struct OfLikelihood {
    likelihood: Box<dyn Likelihood>,
    unknowns: Vec<Unknown>,
    data: f64,
    seed: u64,
}

impl OfLikelihood {
    /// Of a likelihood; `seed` is that of the points around the estimate.
    pub fn new(likelihood: Box<dyn Likelihood>, seed: u64) -> OfLikelihood {
        let unknowns = likelihood.parameters().iter().map(|p| Unknown::scalar(&p.name, p.interval)).collect();
        let data = likelihood.observations().max(1) as f64;
        OfLikelihood { likelihood, unknowns, data, seed }
    }
}

impl Objective for OfLikelihood {
    fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let mut gradient = vec![f64::NAN; theta.len()];
        let value = match self.likelihood.has_gradient() {
            true => self.likelihood.with_gradient(theta, &mut gradient)?,
            false => self.likelihood.log_likelihood(theta, iteration)?,
        };
        gradient.iter_mut().for_each(|g| *g /= -self.data);
        Ok(Evaluation { value: -value / self.data, gradient })
    }

    fn value(&mut self, theta: &[f64], iteration: u64) -> Result<f64, ObjectiveError> {
        Ok(-self.likelihood.log_likelihood(theta, iteration)? / self.data)
    }

    fn has_gradient(&self) -> bool {
        self.likelihood.has_gradient()
    }

    fn likelihood(&self) -> Option<LogLikelihood> {
        let route = ROUTES.iter().find(|(name, _)| *name == self.likelihood.route());
        Some(LogLikelihood { route: route.map_or("exact", |(name, _)| name), data: self.data })
    }

    fn why_infinite(&mut self, theta: &[f64]) -> Option<String> {
        self.likelihood.why_impossible(theta)
    }

    fn surroundings(
        &mut self,
        theta: &[f64],
        stop: &dyn Fn() -> bool,
    ) -> Option<Result<Surroundings, ObjectiveError>> {
        if self.likelihood.kind() != Kind::Noisy {
            return None;
        }
        let found = surface::look(&mut *self.likelihood, theta, self.seed, stop);
        Some(found.map(|found| Surroundings {
            loss: -found.log_likelihood / self.data,
            theta: found.theta,
            simulation_noise: found.simulation_noise,
            verdict: found.verdict,
        }))
    }
}
