//! Measures how far simulated summaries are from those of the data.
//!
//! | name | formula, summed over steps and numbers | note |
//! |---|---|---|
//! | `squared-error` | (m − t)² | large values weigh most |
//! | `weighted` | ((m − t)/s)² | needs the data's standard errors |
//! | `log-squared` | (ln m − ln t)² | relative errors; needs values above 0 |
//!
//! m is the mean of a summary over the replicates, t the data's value, s the data's standard error. With `weighted`
//! set besides, `log-squared` divides by the standard error of ln t, s/t. Values at different lags of one set of tracks
//! are strongly correlated, so `weighted` weighs noise but is no likelihood.
//!
//! The slope by m is exact. m has noise of its own: the mean of (m − t)² is (E m − t)² + Var m; so a fit takes slopes
//! from other rollouts than those it sends backwards.
//!
//! Example:
//! ```
//! use glauber_tasks::losses::curve::CurveLoss;
//! let loss = CurveLoss::named("squared-error").unwrap();
//! assert_eq!(loss.of(&[3.0, 1.0], &[2.0, 1.0], None), (1.0, vec![2.0, 0.0]));
//! ```

use glauber_program::nearest_name;

/// One loss of the list.
#[derive(Clone, Copy)]
pub struct CurveLoss {
    /// Its name, as in a fit file.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Whether it divides by the data's standard errors.
    pub needs_errors: bool,
    /// Whether simulation and data must be above 0.
    pub needs_positive: bool,
    /// (m, t) → term and slope by m.
    term: fn(f64, f64) -> (f64, f64),
    /// (t, s) → what the term is divided by: the squared standard error of what is compared.
    variance: fn(f64, f64) -> f64,
}

/// Every loss. To add one: a line here.
pub const CURVE_LOSSES: &[CurveLoss] = &[
    CurveLoss {
        name: "squared-error",
        summary: "squared error, summed over steps",
        needs_errors: false,
        needs_positive: false,
        term: square,
        variance: |_, s| s * s,
    },
    CurveLoss {
        name: "weighted",
        summary: "squared error in the data's standard errors",
        needs_errors: true,
        needs_positive: false,
        term: square,
        variance: |_, s| s * s,
    },
    CurveLoss {
        name: "log-squared",
        summary: "squared error of the logarithms",
        needs_errors: false,
        needs_positive: true,
        term: log_square,
        variance: |t, s| (s / t) * (s / t),
    },
];

fn square(m: f64, t: f64) -> (f64, f64) {
    ((m - t) * (m - t), 2.0 * (m - t))
}

fn log_square(m: f64, t: f64) -> (f64, f64) {
    let error = (m / t).ln();
    (error * error, 2.0 * error / m)
}

impl CurveLoss {
    /// The loss of this name, or the name most like it.
    ///
    /// # Errors
    /// The nearest right name, where one is like it.
    pub fn named(name: &str) -> Result<CurveLoss, Option<String>> {
        let found = CURVE_LOSSES.iter().find(|l| l.name == name);
        found.copied().ok_or_else(|| nearest_name(name, CURVE_LOSSES.iter().map(|l| l.name)))
    }

    /// The same loss, dividing by the data's standard errors.
    pub fn weighted(self) -> CurveLoss {
        CurveLoss { needs_errors: true, ..self }
    }

    /// The loss and its slope by each of `means`, which are as many as `data` (and `errors`, where needed).
    pub fn of(&self, means: &[f64], data: &[f64], errors: Option<&[f64]>) -> (f64, Vec<f64>) {
        let (mut value, mut slopes) = (0.0, Vec::with_capacity(means.len()));
        for (place, (m, t)) in means.iter().zip(data).enumerate() {
            let (term, slope) = (self.term)(*m, *t);
            let weight = match errors.filter(|_| self.needs_errors) {
                Some(errors) => 1.0 / (self.variance)(*t, errors[place]),
                None => 1.0,
            };
            value += weight * term;
            slopes.push(weight * slope);
        }
        (value, slopes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn slopes_are_those_of_central_differences() {
        let (means, data, errors) = ([1.3, 0.4, 7.0], [1.0, 0.6, 9.0], [0.1, 0.2, 3.0]);
        for loss in CURVE_LOSSES.iter().flat_map(|l| [*l, l.weighted()]) {
            let at = |m: &[f64]| loss.of(m, &data, Some(&errors)).0;
            for (place, slope) in loss.of(&means, &data, Some(&errors)).1.into_iter().enumerate() {
                let h = 1e-5;
                let (mut above, mut below) = (means, means);
                above[place] += h;
                below[place] -= h;
                let difference = (at(&above) - at(&below)) / (2.0 * h);
                // Third derivatives here are below 10⁴, so a central difference is within 10⁴ h² / 6 ≈ 2 · 10⁻⁷.
                assert!(
                    (slope - difference).abs() < 1e-6 * slope.abs().max(1.0),
                    "{} {slope} {difference}",
                    loss.name
                );
            }
        }
    }

    #[test]
    fn weights_are_the_inverse_variances_of_what_is_compared() {
        let loss = CurveLoss::named("weighted").unwrap();
        assert!((loss.of(&[3.0], &[1.0], Some(&[0.5])).0 - 16.0).abs() < 1e-12);
        let loss = CurveLoss::named("log-squared").unwrap().weighted();
        let relative = 0.25f64;
        let right = (3f64.ln() / relative).powi(2);
        assert!((loss.of(&[6.0], &[2.0], Some(&[0.5])).0 - right).abs() < 1e-12 * right);
        assert_eq!(CurveLoss::named("squared-eror").err(), Some(Some("squared-error".into())));
    }
}
