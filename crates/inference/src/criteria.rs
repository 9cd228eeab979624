//! Compares models by what their likelihoods reach and how many parameters that took.
//!
//! AIC = 2 k − 2 ln L̂; AICc adds 2 k (k + 1) / (n − k − 1); BIC = k ln n − 2 ln L̂. Smaller is better, and only the
//! differences between models of the same data mean anything. Akaike (1974); Schwarz (1978).

/// What a model's highest likelihood comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Criteria {
    /// ln L at its highest.
    pub log_likelihood: f64,
    /// Parameters that were fitted.
    pub parameters: usize,
    /// Observations, as the route counts them.
    pub observations: usize,
}

impl Criteria {
    /// Akaike's.
    pub fn aic(&self) -> f64 {
        2.0 * self.parameters as f64 - 2.0 * self.log_likelihood
    }

    /// Akaike's for few observations; +∞ where there are as few as parameters.
    pub fn aicc(&self) -> f64 {
        let (k, n) = (self.parameters as f64, self.observations as f64);
        if n - k - 1.0 > 0.0 { self.aic() + 2.0 * k * (k + 1.0) / (n - k - 1.0) } else { f64::INFINITY }
    }

    /// The Bayesian one.
    pub fn bic(&self) -> f64 {
        self.parameters as f64 * libm::log(self.observations as f64) - 2.0 * self.log_likelihood
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // Exact numbers are meant.
mod tests {
    use super::*;

    #[test]
    fn they_are_these_numbers() {
        let own = Criteria { log_likelihood: -10.0, parameters: 2, observations: 100 };
        assert_eq!(own.aic(), 24.0);
        assert!((own.aicc() - (24.0 + 12.0 / 97.0)).abs() < 1e-12);
        assert!((own.bic() - (2.0 * 100f64.ln() + 20.0)).abs() < 1e-12);
        assert_eq!(Criteria { observations: 3, ..own }.aicc(), f64::INFINITY);
    }
}
