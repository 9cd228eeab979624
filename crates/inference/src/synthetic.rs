//! Gives a likelihood of any functions of the state: the normal law of simulated mean and covariance (synthetic likelihood).
//!
//! M simulations of an experiment give the mean m and covariance S of all its numbers at all its times; what was seen has
//! the density of the normal law N(m, S). Noise enters by its moments: S = Cov(E\[y|x\]) + E\[Var(y|x)\]. Of means of r runs S
//! is a r-th. The simulated correlations are drawn towards 0 by the share that minimises their expected squared error.
//!
//! ln L = Σ over runs −½ ((y − m)ᵀ S⁻¹ (y − m) + ln det S + d ln 2π)
//!
//! It is approximate: numbers that are not normal (small counts, extinction) bias it, and m and S have the simulations'
//! noise. Numbers that no simulation varies and that the data share are left out.
//!
//! References: Wood 2010, Nature 466, 1102; Schäfer & Strimmer 2005, Stat. Appl. Genet. Mol. Biol. 4, 32 (shrinkage).

use std::sync::Arc;

use glauber_engine::{EngineError, Options};
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_tasks::observation::{Design, Watch};
use glauber_tasks::tasks::transition::failed;
use rayon::prelude::*;

use crate::likelihood::{Kind, Likelihood, Parameter, Stop};

/// The name of the route.
pub const ROUTE: &str = "synthetic-likelihood";
/// Simulations where nobody says.
pub const SIMULATIONS: usize = 500;
/// The most numbers of an experiment: their covariance takes the square.
pub const MOST_NUMBERS: usize = 1500;

/// The synthetic likelihood of a design.
#[derive(Clone)]
pub struct Synthetic {
    shared: Arc<Shared>,
}

struct Shared {
    design: Design,
    watch: Watch,
    parameters: Vec<Parameter>,
    simulations: usize,
    seed: u64,
}

/// Why there is no synthetic likelihood for a design.
#[derive(Debug, thiserror::Error)]
pub enum SyntheticError {
    /// Too many numbers.
    #[error(
        "experiment `{experiment}` has {found} numbers, and a synthetic likelihood of more than {MOST_NUMBERS} takes their \
         whole covariance: look at sums over regions, or at fewer times"
    )]
    Numbers {
        /// Which.
        experiment: String,
        /// How many.
        found: usize,
    },
    /// Too few simulations.
    #[error("a covariance needs at least 10 simulations, not {0}")]
    Few(usize),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Synthetic {
    /// Of a design, by so many simulations of each experiment (of each run, where runs start otherwise).
    ///
    /// # Errors
    /// [`SyntheticError`] for too many numbers or too few simulations.
    pub fn new(
        design: Design,
        start: &[f64],
        simulations: usize,
        seed: u64,
        options: Options,
    ) -> Result<Synthetic, SyntheticError> {
        if simulations < 10 {
            return Err(SyntheticError::Few(simulations));
        }
        for experiment in &design.experiments {
            let found = experiment.observed.iter().map(|o| o.steps.len() * o.width).sum();
            if found > MOST_NUMBERS {
                return Err(SyntheticError::Numbers { experiment: experiment.name.clone(), found });
            }
        }
        let watch = Watch::new(&design, options)?;
        let unknowns = design.unknowns.iter().zip(start);
        let parameters = unknowns.map(|(u, start)| Parameter::new(&u.name, u.interval, *start)).collect();
        Ok(Synthetic { shared: Arc::new(Shared { design, watch, parameters, simulations, seed }) })
    }

    /// What a person should know of how many numbers there are.
    pub fn notes(&self) -> Vec<String> {
        let Shared { design, simulations, .. } = &*self.shared;
        let most = design
            .experiments
            .iter()
            .map(|e| e.observed.iter().map(|o| o.steps.len() * o.width).sum::<usize>());
        let most = most.max().unwrap_or(0);
        let few = 3 * most > *simulations;
        let note = few.then(|| {
            format!(
                "{simulations} simulations give the covariance of {most} numbers: its shrunk correlations are rough, take more \
                 simulations or fewer numbers"
            )
        });
        note.into_iter().collect()
    }

    /// The numbers of simulated runs: mean and variance of the noise about each.
    fn value(&self, theta: &[f64], noise: u64) -> Result<f64, EngineError> {
        let Shared { design, watch, simulations, seed, .. } = &*self.shared;
        let seed = derive_seed(*seed, Purpose::SyntheticLikelihood, noise);
        let mut total = 0.0;
        for (e, experiment) in design.experiments.iter().enumerate() {
            let numbers = design.numbers(theta, e);
            let seed = derive_seed(seed, Purpose::ObservedExperiment, e as u64);
            let arguments: Vec<Vec<f64>> =
                experiment.observed.iter().map(|o| design.arguments(o, &numbers)).collect();
            let sets: Vec<Vec<usize>> = match experiment.begins_alike() {
                true => vec![(0..experiment.runs()).collect()],
                false => (0..experiment.runs()).map(|run| vec![run]).collect(),
            };
            for (place, runs) in sets.iter().enumerate() {
                let seed = derive_seed(seed, Purpose::ObservedNoise, place as u64);
                let first = runs.first().copied().unwrap_or(0);
                let shown = watch.shown(design, e, &numbers, *simulations, |_| first, seed, None)?;
                let mut variances = vec![0.0; shown.first().map_or(0, Vec::len)];
                let means: Vec<Vec<f64>> = shown
                    .into_iter()
                    .map(|mut row| {
                        let mut from = 0;
                        for (observed, arguments) in experiment.observed.iter().zip(&arguments) {
                            let length = observed.steps.len() * observed.width;
                            let own = row[from..from + length].iter_mut().zip(&mut variances[from..]);
                            for (x, sum) in own {
                                let (mean, variance) = observed.noise.law.moments(*x, arguments);
                                *x = mean;
                                *sum += variance / *simulations as f64;
                            }
                            from += length;
                        }
                        row
                    })
                    .collect();
                for run in runs {
                    let seen: Vec<f64> = experiment
                        .observed
                        .iter()
                        .flat_map(|o| (0..o.steps.len()).flat_map(move |t| o.at(*run, t).iter().copied()))
                        .collect();
                    total += normal(&seen, &means, &variances, f64::from(experiment.mean_of.max(1)));
                }
                if !total.is_finite() {
                    return Ok(f64::NEG_INFINITY);
                }
            }
        }
        Ok(total)
    }
}

/// ln density of what was seen under the normal law of simulations (rows) and the variances of noise; a number that is
/// NaN was not seen.
fn normal(seen: &[f64], rows: &[Vec<f64>], noise: &[f64], mean_of: f64) -> f64 {
    let m = rows.len() as f64;
    let open: Vec<usize> = (0..seen.len()).filter(|k| !seen[*k].is_nan()).collect();
    let mean = |k: usize| rows.iter().map(|row| row[k]).sum::<f64>() / m;
    let means: Vec<f64> = open.iter().map(|k| mean(*k)).collect();
    let deviations: Vec<f64> = open
        .iter()
        .zip(&means)
        .map(|(k, mean)| (rows.iter().map(|row| (row[*k] - mean).powi(2)).sum::<f64>() / (m - 1.0)).sqrt())
        .collect();
    // What no simulation varies, and no noise, must be as it was seen.
    let fixed =
        |i: &usize| deviations[*i] * deviations[*i] + noise[open[*i]] <= 1e-18 * means[*i].abs().max(1.0);
    let (still, varied): (Vec<usize>, Vec<usize>) = (0..open.len()).partition(fixed);
    if still.iter().any(|i| (seen[open[*i]] - means[*i]).abs() > 1e-9 * means[*i].abs().max(1.0)) {
        return f64::NEG_INFINITY;
    }
    let d = varied.len();
    if d == 0 {
        return 0.0;
    }
    // Standardised simulations, by number.
    let columns: Vec<Vec<f64>> = varied
        .iter()
        .map(|i| {
            let scale = if deviations[*i] > 0.0 { 1.0 / deviations[*i] } else { 0.0 };
            rows.iter().map(|row| (row[open[*i]] - means[*i]) * scale).collect()
        })
        .collect();
    // Correlations, and the sums that say how far they may be trusted.
    let pairs: Vec<(f64, f64)> = (0..d * d)
        .into_par_iter()
        .map(|place| {
            let (i, j) = (place / d, place % d);
            if j >= i {
                return (0.0, 0.0);
            }
            let products = columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b);
            let (sum, squares) = products.fold((0.0, 0.0), |(s, q), p| (s + p, q + p * p));
            let r = sum / (m - 1.0);
            let variance = m / (m - 1.0).powi(3) * (squares - sum * sum / m);
            (r, variance)
        })
        .collect();
    let (doubt, size) = pairs.iter().fold((0.0, 0.0), |(v, s), (r, own)| (v + own, s + r * r));
    let shrunk = if size > 0.0 { (doubt / size).clamp(0.0, 1.0) } else { 0.0 };
    let mut covariance = vec![0.0; d * d];
    for i in 0..d {
        let own = deviations[varied[i]];
        covariance[i * d + i] = (own * own + noise[open[varied[i]]]) / mean_of;
        for j in 0..i {
            let value = (1.0 - shrunk) * pairs[i * d + j].0 * own * deviations[varied[j]] / mean_of;
            covariance[i * d + j] = value;
            covariance[j * d + i] = value;
        }
    }
    let off: Vec<f64> = varied.iter().map(|i| seen[open[*i]] - means[*i]).collect();
    let Some((square, log_determinant)) = by_cholesky(&mut covariance, &off) else {
        return f64::NEG_INFINITY;
    };
    -0.5 * (square + log_determinant + d as f64 * std::f64::consts::TAU.ln())
}

/// xᵀ S⁻¹ x and ln det S by Cholesky's decomposition, in place; nothing where S is not positive.
pub(crate) fn by_cholesky(s: &mut [f64], x: &[f64]) -> Option<(f64, f64)> {
    let d = x.len();
    // Perfectly correlated numbers are told apart by rounding alone: a trifle on the diagonal bears them.
    (0..d).for_each(|i| s[i * d + i] *= 1.0 + 1e-9);
    let (mut square, mut log_determinant) = (0.0, 0.0);
    let mut solved = vec![0.0; d];
    for i in 0..d {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| s[i * d + k] * s[j * d + k]).sum();
            let rest = s[i * d + j] - dot;
            if i == j {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                s[i * d + i] = rest.sqrt();
            } else {
                s[i * d + j] = rest / s[j * d + j];
            }
        }
        let dot: f64 = (0..i).map(|k| s[i * d + k] * solved[k]).sum();
        solved[i] = (x[i] - dot) / s[i * d + i];
        square += solved[i] * solved[i];
        log_determinant += 2.0 * s[i * d + i].ln();
    }
    Some((square, log_determinant))
}

impl Likelihood for Synthetic {
    fn parameters(&self) -> &[Parameter] {
        &self.shared.parameters
    }

    fn observations(&self) -> usize {
        self.shared.design.present()
    }

    fn kind(&self) -> Kind {
        Kind::Noisy
    }

    fn route(&self) -> &str {
        ROUTE
    }

    fn log_likelihood(&mut self, at: &[f64], noise: u64) -> Result<f64, Stop> {
        match self.shared.design.holds(at) {
            true => self.value(at, noise).map_err(failed),
            false => Ok(f64::NEG_INFINITY),
        }
    }

    fn why_impossible(&mut self, at: &[f64]) -> Option<String> {
        Some(match self.shared.design.holds(at) {
            true => {
                "a number that no simulation varies is another in the data: start elsewhere, or say a noise"
                    .into()
            }
            false => "a parameter lies outside its interval".into(),
        })
    }

    fn another(&self) -> Box<dyn Likelihood> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)] // Exact numbers are meant.
mod tests {
    use super::*;

    #[test]
    fn cholesky_gives_quadratic_form_and_determinant() {
        // S = [[4, 2], [2, 3]]: det 8, S⁻¹ = [[3, −2], [−2, 4]] / 8.
        let mut s = vec![4.0, 2.0, 2.0, 3.0];
        let (square, log_determinant) = by_cholesky(&mut s, &[1.0, 2.0]).unwrap();
        assert!(
            (square - (3.0 - 8.0 + 16.0) / 8.0).abs() < 1e-7 && (log_determinant - 8.0_f64.ln()).abs() < 1e-7
        );
        assert!(by_cholesky(&mut [1.0, 2.0, 2.0, 1.0], &[0.0, 0.0]).is_none());
    }

    #[test]
    fn what_does_not_vary_must_be_as_it_was_seen() {
        let rows: Vec<Vec<f64>> = (0..50).map(|i| vec![3.0, f64::from(i % 7)]).collect();
        let noise = [0.0, 0.0];
        assert!(normal(&[3.0, 2.0], &rows, &noise, 1.0).is_finite());
        assert_eq!(normal(&[4.0, 2.0], &rows, &noise, 1.0), f64::NEG_INFINITY);
        assert!(normal(&[f64::NAN, 2.0], &rows, &noise, 1.0).is_finite());
    }
}
