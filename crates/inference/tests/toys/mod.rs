//! Holds likelihoods of a few lines whose posteriors and profiles are known.

use std::sync::Arc;

use glauber_inference::likelihood::{Interval, Kind, Likelihood, Parameter, Stop};
use glauber_numbers::noise::{Purpose, derive_seed};

/// ln L and its slopes.
pub type Law = dyn Fn(&[f64]) -> (f64, Vec<f64>) + Send + Sync;

/// A likelihood written down.
#[derive(Clone)]
pub struct Toy {
    pub parameters: Vec<Parameter>,
    pub law: Arc<Law>,
    /// The standard deviation of ln L by its noise.
    pub noise: f64,
    pub kind: Kind,
    pub gradient: bool,
}

impl Toy {
    pub fn new(
        parameters: &[(&str, Interval, f64)],
        law: impl Fn(&[f64]) -> (f64, Vec<f64>) + Send + Sync + 'static,
    ) -> Toy {
        let parameters = parameters.iter().map(|(n, i, s)| Parameter::new(n, *i, *s)).collect();
        Toy { parameters, law: Arc::new(law), noise: 0.0, kind: Kind::Exact, gradient: true }
    }

    /// 7 of 10 successes.
    pub fn binomial(successes: f64, trials: f64) -> Toy {
        Toy::new(&[("p", Interval::unit(), 0.5)], move |at| {
            let (p, failures) = (at[0], trials - successes);
            let log = |count: f64, x: f64| if count > 0.0 { count * x.ln() } else { 0.0 };
            let slope = |count: f64, x: f64| if count > 0.0 { count / x } else { 0.0 };
            (log(successes, p) + log(failures, 1.0 - p), vec![slope(successes, p) - slope(failures, 1.0 - p)])
        })
    }

    /// The same by a noisy number whose exponential is right in the mean.
    pub fn noisy(self, sd: f64) -> Toy {
        Toy { noise: sd, kind: Kind::Noisy, gradient: false, ..self }
    }
}

impl Likelihood for Toy {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }
    fn observations(&self) -> usize {
        10
    }
    fn kind(&self) -> Kind {
        self.kind
    }
    fn route(&self) -> &str {
        "toy"
    }
    fn log_likelihood(&mut self, at: &[f64], noise: u64) -> Result<f64, Stop> {
        let value = (self.law)(at).0;
        if self.noise <= 0.0 {
            return Ok(value);
        }
        // Twelve uniform numbers are nearly normal; that the mean of the exponential is 1 is what counts, and their
        // cumulant is known: Π sinh(s/2)/(s/2).
        let uniform =
            |k: u64| (derive_seed(noise, Purpose::Check, k) >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
        let z: f64 = (0..12).map(uniform).sum();
        let half = 0.5 * self.noise;
        Ok(value + self.noise * z - 12.0 * (half.sinh() / half).ln())
    }
    fn has_gradient(&self) -> bool {
        self.gradient
    }
    fn with_gradient(&mut self, at: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        let (value, slopes) = (self.law)(at);
        gradient.copy_from_slice(&slopes);
        Ok(value)
    }
    fn another(&self) -> Box<dyn Likelihood> {
        Box::new(self.clone())
    }
}
