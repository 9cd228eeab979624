//! Defines the one seam of inference: parameters → the logarithm of the probability of the data.
//!
//! A route (the exact law of a step, a particle filter, a mean-field filter, a synthetic likelihood) implements
//! [`Likelihood`]; priors, posteriors, profiles and information criteria take any. Parameters are on their natural scale.
//!
//! ```
//! use glauber_inference::likelihood::{Kind, Likelihood, Parameter, Stop};
//! use glauber_optimize::objective::Interval;
//!
//! /// 7 successes of 10.
//! #[derive(Clone)]
//! struct Binomial([Parameter; 1]);
//!
//! impl Likelihood for Binomial {
//!     fn parameters(&self) -> &[Parameter] {
//!         &self.0
//!     }
//!     fn observations(&self) -> usize {
//!         10
//!     }
//!     fn kind(&self) -> Kind {
//!         Kind::Exact
//!     }
//!     fn route(&self) -> &str {
//!         "exact"
//!     }
//!     fn log_likelihood(&mut self, at: &[f64], _noise: u64) -> Result<f64, Stop> {
//!         Ok(7.0 * at[0].ln() + 3.0 * (1.0 - at[0]).ln())
//!     }
//!     fn another(&self) -> Box<dyn Likelihood> {
//!         Box::new(self.clone())
//!     }
//! }
//!
//! let mut binomial = Binomial([Parameter::new("p", Interval::unit(), 0.5)]);
//! assert!(binomial.log_likelihood(&[0.7], 0).unwrap() > binomial.log_likelihood(&[0.5], 0).unwrap());
//! ```

use serde::{Deserialize, Serialize};

pub use glauber_optimize::objective::Interval;
/// Why there is no number at all: interrupted, or failed in its own words.
pub use glauber_optimize::objective::ObjectiveError as Stop;

/// One number that is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name, as in the model.
    pub name: String,
    /// Where it may lie.
    pub interval: Interval,
    /// Where searches and chains begin.
    pub start: f64,
}

impl Parameter {
    /// A parameter of this name, interval and start.
    pub fn new(name: &str, interval: Interval, start: f64) -> Parameter {
        Parameter { name: name.to_string(), interval, start }
    }
}

/// What kind of number a log-likelihood is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The logarithm of the probability of the data under the model.
    Exact,
    /// The same number every time, near the logarithm of that probability.
    Approximate,
    /// The logarithm of a simulated number, drawn anew with each noise. What samples by it needs that number, not its
    /// logarithm, to be right in the mean.
    Noisy,
}

/// How probable the data are by the parameters.
pub trait Likelihood: Send + Sync {
    /// What is unknown, in the order of the numbers that are handed over. The same list every time.
    fn parameters(&self) -> &[Parameter];

    /// How many independent pieces of data there are: what the Bayesian information criterion counts.
    fn observations(&self) -> usize;

    /// What kind of number it gives.
    fn kind(&self) -> Kind;

    /// By which route, as a fit file names it: `exact`, `particle-filter`, …
    fn route(&self) -> &str;

    /// ln L at these parameters. −∞ where the data are impossible; never an error for a value of the parameters.
    ///
    /// `noise` picks the noise of a noisy one: the same parameters and noise give the same bits, whatever was evaluated
    /// before and however many threads there are. Others do not look at it.
    ///
    /// # Errors
    /// [`Stop`] where it was interrupted, or no number can be computed whatever the parameters.
    fn log_likelihood(&mut self, parameters: &[f64], noise: u64) -> Result<f64, Stop>;

    /// Whether [`with_gradient`](Likelihood::with_gradient) gives one.
    fn has_gradient(&self) -> bool {
        false
    }

    /// ln L, and its derivative by each parameter written over `gradient`; not a number where ln L is −∞.
    ///
    /// # Errors
    /// As [`log_likelihood`](Likelihood::log_likelihood); [`Stop::Failed`] where there is no gradient.
    fn with_gradient(&mut self, parameters: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        let _ = (parameters, gradient);
        Err(Stop::Failed(format!("the likelihood by the route `{}` has no gradient", self.route())))
    }

    /// Why ln L is −∞ there, where that can be said.
    fn why_impossible(&mut self, parameters: &[f64]) -> Option<String> {
        let _ = parameters;
        None
    }

    /// Another one like it, for another chain or thread.
    fn another(&self) -> Box<dyn Likelihood>;
}
