//! Makes the log density of a posterior: likelihood times priors, on the natural scale and on the free one.
//!
//! A chain walks in free coordinates u, one for each parameter on the whole line ([`glauber_optimize::maps`]: log-odds
//! between two ends, the logarithm of the distance from one), in which the density is
//!
//! ln p(u) = ln L(θ(u)) + ln prior(θ(u)) + Σ ln |dθ/du|.
//!
//! Outside the intervals, and where the data are impossible, it is −∞: an answer, no error.

use std::sync::Arc;

use glauber_files::spelling::suggestion;
use glauber_optimize::maps::{IntervalMap, Map, MapError};
use glauber_optimize::objective::Unknown;

use crate::likelihood::{Interval, Likelihood, Parameter, Stop};
use crate::prior::{Prior, PriorError};

/// Why there is no density.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DensityError {
    /// A prior that is none.
    #[error(transparent)]
    Prior(#[from] PriorError),
    /// An interval without inside.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A start outside.
    #[error("the start of `{name}` is {start}, where its prior {prior} is 0: start it within {support}")]
    Start {
        /// The parameter.
        name: String,
        /// Its start.
        start: f64,
        /// Its prior.
        prior: String,
        /// Where that is above 0.
        support: Interval,
    },
}

/// One parameter of a density.
#[derive(Clone, Debug, PartialEq)]
pub struct Coordinate {
    /// Its name.
    pub name: String,
    /// Where chains begin.
    pub start: f64,
    /// Its prior.
    pub prior: Prior,
    /// Where it may be: its interval, where the prior is not 0.
    pub support: Interval,
    map: IntervalMap,
}

/// The log density of a posterior.
pub struct Density {
    likelihood: Box<dyn Likelihood>,
    coordinates: Arc<[Coordinate]>,
    natural: Vec<f64>,
}

impl Density {
    /// A likelihood with the priors that are given by name; the others' are uniform on their intervals.
    ///
    /// # Errors
    /// [`DensityError`] for a prior of something else, an improper one, or a start where one is 0.
    pub fn new(likelihood: Box<dyn Likelihood>, priors: &[(String, Prior)]) -> Result<Density, DensityError> {
        let parameters = likelihood.parameters().to_vec();
        for (place, (name, _)) in priors.iter().enumerate() {
            if !parameters.iter().any(|p| p.name == *name) {
                let hint = suggestion(name, parameters.iter().map(|p| p.name.as_str()));
                return Err(PriorError::NotFitted { name: name.clone(), hint }.into());
            }
            if priors[..place].iter().any(|(other, _)| other == name) {
                return Err(PriorError::Twice { name: name.clone() }.into());
            }
        }
        let coordinate = |Parameter { name, interval, start }: &Parameter| -> Result<_, DensityError> {
            let given = priors.iter().find(|(other, _)| other == name).map(|(_, prior)| *prior);
            let prior = given.unwrap_or(Prior::Uniform(None));
            let support = prior.support(name, *interval)?;
            let map = IntervalMap::new(Map::usual(&Unknown::scalar(name, support)), support, name)?;
            if !support.contains(*start) {
                let (name, prior) = (name.clone(), prior.to_string());
                return Err(DensityError::Start { name, start: *start, prior, support });
            }
            Ok(Coordinate { name: name.clone(), start: *start, prior, support, map })
        };
        let coordinates: Arc<[Coordinate]> = parameters.iter().map(coordinate).collect::<Result<_, _>>()?;
        Ok(Density { likelihood, natural: vec![0.0; coordinates.len()], coordinates })
    }

    /// Its parameters.
    pub fn coordinates(&self) -> &[Coordinate] {
        &self.coordinates
    }

    /// The likelihood in it.
    pub fn likelihood(&self) -> &dyn Likelihood {
        &*self.likelihood
    }

    /// The same, to be asked.
    pub fn likelihood_mut(&mut self) -> &mut dyn Likelihood {
        &mut *self.likelihood
    }

    /// Another one like it, for another thread.
    pub fn another(&self) -> Density {
        Density {
            likelihood: self.likelihood.another(),
            coordinates: self.coordinates.clone(),
            natural: self.natural.clone(),
        }
    }

    /// Free coordinates → parameters.
    pub fn to_natural(&self, free: &[f64]) -> Vec<f64> {
        self.coordinates.iter().zip(free).map(|(c, u)| c.map.to_natural(*u)).collect()
    }

    /// Parameters → free coordinates; what lies at an end that has none is moved inside.
    pub fn to_free(&self, natural: &[f64]) -> Vec<f64> {
        self.coordinates.iter().zip(natural).map(|(c, x)| c.map.to_free(c.map.inside(*x))).collect()
    }

    /// ln prior at these parameters.
    pub fn log_prior(&self, natural: &[f64]) -> f64 {
        self.coordinates.iter().zip(natural).map(|(c, x)| c.prior.log_density(*x, c.support).0).sum()
    }

    /// ln L + ln prior at these parameters.
    ///
    /// # Errors
    /// [`Stop`] as the likelihood's.
    pub fn value(&mut self, natural: &[f64], noise: u64) -> Result<f64, Stop> {
        let prior = self.log_prior(natural);
        // Where the prior is 0, or no number was given, the model is not asked.
        if prior.is_nan() || prior == f64::NEG_INFINITY {
            return Ok(f64::NEG_INFINITY);
        }
        Ok(finite_or_impossible(prior + self.likelihood.log_likelihood(natural, noise)?))
    }

    /// The same with its derivatives by the parameters; these are no numbers where it is −∞.
    ///
    /// # Errors
    /// [`Stop`] as the likelihood's.
    pub fn value_and_gradient(&mut self, natural: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        let prior = self.log_prior(natural);
        if prior.is_nan() || prior == f64::NEG_INFINITY {
            gradient.fill(f64::NAN);
            return Ok(f64::NEG_INFINITY);
        }
        let value = self.likelihood.with_gradient(natural, gradient)?;
        for ((slope, c), x) in gradient.iter_mut().zip(&*self.coordinates).zip(natural) {
            *slope += c.prior.log_density(*x, c.support).1;
        }
        Ok(finite_or_impossible(prior + value))
    }

    /// The density by free coordinates.
    ///
    /// # Errors
    /// [`Stop`] as the likelihood's.
    pub fn free_value(&mut self, free: &[f64], noise: u64) -> Result<f64, Stop> {
        let natural = self.to_natural(free);
        Ok(finite_or_impossible(self.value(&natural, noise)? + self.log_jacobian(free)))
    }

    /// The same with its derivatives by them.
    ///
    /// # Errors
    /// [`Stop`] as the likelihood's.
    pub fn free_value_and_gradient(&mut self, free: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        let mut natural = std::mem::take(&mut self.natural);
        for ((x, c), u) in natural.iter_mut().zip(&*self.coordinates).zip(free) {
            *x = c.map.to_natural(*u);
        }
        let value = self.value_and_gradient(&natural, gradient);
        self.natural = natural;
        for ((slope, c), u) in gradient.iter_mut().zip(&*self.coordinates).zip(free) {
            *slope = *slope * c.map.slope(*u) + c.map.log_jacobian(*u).1;
        }
        Ok(finite_or_impossible(value? + self.log_jacobian(free)))
    }

    /// Σ ln |dθ/du|.
    pub fn log_jacobian(&self, free: &[f64]) -> f64 {
        self.coordinates.iter().zip(free).map(|(c, u)| c.map.log_jacobian(*u).0).sum()
    }
}

/// A number that is none, or +∞ where a prior has a pole, is no density to walk by.
fn finite_or_impossible(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NEG_INFINITY }
}
