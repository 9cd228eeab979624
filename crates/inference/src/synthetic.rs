//! Gives a likelihood of any functions of the state: the normal law of simulated mean and covariance (synthetic likelihood).
//!
//! M simulations of an experiment give the mean m and covariance S of all its numbers at all its times; what was seen has
//! the density of the normal law N(m, S). Of means of r runs S is a r-th.
//!
//! ln L = Σ over runs −½ ((y − m)ᵀ S⁻¹ (y − m) + ln det S + d ln 2π), less what M simulations bend it by ([`normal_law`])
//!
//! Fits take ln L̂, which is right in the mean; there noise enters by its moments, S = Cov(E\[y|x\]) + E\[Var(y|x)\]. Walks take
//! L̂, which is: there the noise is drawn with the simulations. (Runs of which other numbers are missing are taken apart.) Below three
//! simulations a number neither is, and correlations are drawn towards 0.
//!
//! It is approximate: numbers that are not normal (small counts, extinction) bias it. Numbers that no simulation varies and
//! that the data share are left out.
//!
//! References: Wood 2010, Nature 466, 1102; Price, Drovandi, Lee & Nott 2018, J. Comput. Graph. Stat. 27, 1.
//!
//! [`normal_law`]: crate::normal_law

use std::collections::BTreeMap;
use std::sync::Arc;

use glauber_engine::{EngineError, Options};
use glauber_numbers::noise::{Key, Purpose, derive_seed};
use glauber_tasks::observation::{Design, Experiment, Watch};
use glauber_tasks::tasks::transition::failed;

use crate::likelihood::{Kind, Likelihood, Parameter, Stop};
use crate::normal_law::{ENOUGH, NormalLaw, Right};

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
        let few = ENOUGH * most > *simulations;
        let note = few.then(|| {
            format!(
                "{simulations} simulations give the covariance of {most} numbers: its correlations are drawn towards 0 and errors are \
                 rough; take at least {} simulations, or fewer numbers",
                ENOUGH * most
            )
        });
        note.into_iter().collect()
    }

    fn value(&self, theta: &[f64], noise: u64, right: Right) -> Result<f64, EngineError> {
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
                let (rows, variances) = with_noise(shown, experiment, &arguments, seed, right);
                for (open, seen) in by_what_is_missing(experiment, runs) {
                    let law = NormalLaw::of(&rows, &open, &variances, f64::from(experiment.mean_of.max(1)));
                    total += law.ln_density(&seen, right);
                }
                if !total.is_finite() {
                    return Ok(f64::NEG_INFINITY);
                }
            }
        }
        Ok(total)
    }

    fn within(&self, at: &[f64], noise: u64, right: Right) -> Result<f64, Stop> {
        match self.shared.design.holds(at) {
            true => self.value(at, noise, right).map_err(failed),
            false => Ok(f64::NEG_INFINITY),
        }
    }
}

/// Simulated rows as they would be written down: with noise drawn, where the density is to be right; else its mean, and the
/// variances about it.
fn with_noise(
    mut rows: Vec<Vec<f64>>,
    experiment: &Experiment,
    arguments: &[Vec<f64>],
    seed: u64,
    right: Right,
) -> (Vec<Vec<f64>>, Vec<f64>) {
    let (simulations, width) = (rows.len() as f64, rows.first().map_or(0, Vec::len));
    let mut variances = vec![0.0; width];
    let mut from = 0;
    for (k, (observed, arguments)) in experiment.observed.iter().zip(arguments).enumerate() {
        let own = from..from + observed.steps.len() * observed.width;
        from = own.end;
        let law = observed.noise.law;
        let seed = derive_seed(seed, Purpose::ObservedNoise, k as u64);
        for (replicate, row) in rows.iter_mut().enumerate() {
            let keys = [0, 1].map(|draw| Key::new(seed, replicate as u32, 0, draw, 0));
            for (place, (x, sum)) in row[own.clone()].iter_mut().zip(&mut variances[own.clone()]).enumerate()
            {
                if right == Right::Density {
                    *x = law.draw(*x, arguments, observed.states, &keys, place as u32);
                } else {
                    let (mean, variance) = law.moments(*x, arguments);
                    *x = mean;
                    *sum += variance / simulations;
                }
            }
        }
    }
    (rows, variances)
}

/// What some runs show, put together by the places of the numbers that were seen.
fn by_what_is_missing(experiment: &Experiment, runs: &[usize]) -> BTreeMap<Vec<usize>, Vec<Vec<f64>>> {
    let mut sorted: BTreeMap<Vec<usize>, Vec<Vec<f64>>> = BTreeMap::new();
    for run in runs {
        let observed = experiment.observed.iter();
        let seen = observed.flat_map(|o| (0..o.steps.len()).flat_map(move |t| o.at(*run, t).iter().copied()));
        let (open, numbers) = seen.enumerate().filter(|(_, y)| !y.is_nan()).unzip();
        sorted.entry(open).or_default().push(numbers);
    }
    sorted
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
        self.within(at, noise, Right::Density)
    }

    fn mean_log_likelihood(&mut self, at: &[f64], noise: u64) -> Result<f64, Stop> {
        self.within(at, noise, Right::Logarithm)
    }

    fn why_impossible(&mut self, at: &[f64]) -> Option<String> {
        Some(match self.shared.design.holds(at) {
            true => {
                "a number that no simulation varies is another in the data, or what was seen lies far beyond all simulations: \
                     start elsewhere, say a noise, or take more simulations"
                    .into()
            }
            false => "a parameter lies outside its interval".into(),
        })
    }

    fn another(&self) -> Box<dyn Likelihood> {
        Box::new(self.clone())
    }
}
