//! Gives an unbiased likelihood of noisy, partial observations: the bootstrap particle filter.
//!
//! N simulations (particles) of every observed run go from one observation to the next. There each is weighed by the
//! probability w of what was written down given its state; the likelihood is multiplied by the weighted mean of w, and
//! where the effective number of particles falls below N/2 they are drawn anew by weight (systematic resampling). L̂ is
//! unbiased for any N; ln L̂ is too low by about half its variance.
//!
//! ln L̂ = Σ over runs and times of ln Σᵢ Wᵢ wᵢ, with Wᵢ the weights carried so far (their sum is 1)
//!
//! All runs' particles are replicates that stay in the engine, whose noise is a function of (seed, evaluation, experiment,
//! particle, step): the same bits for any number of threads.
//!
//! References: Gordon, Salmond & Smith 1993, IEE Proc. F 140, 107; Del Moral 2004, *Feynman–Kac Formulae*, ch. 7, for
//! unbiasedness; Andrieu, Doucet & Holenstein 2010, J. R. Stat. Soc. B 72, 269.

use std::sync::Arc;

use glauber_engine::{EngineError, Ensemble, Options, Outputs};
use glauber_numbers::noise::{Key, Purpose, derive_seed};
use glauber_tasks::observation::noise::Law;
use glauber_tasks::observation::{Design, Experiment, Observed, Watch, What};
use glauber_tasks::summaries::Selection;
use glauber_tasks::tasks::transition::failed;
use rayon::prelude::*;

use crate::likelihood::{Kind, Likelihood, Parameter, Stop};

/// The name of the route.
pub const ROUTE: &str = "particle-filter";
/// Particles where nobody says.
pub const PARTICLES: usize = 500;
/// Below this share of effective particles they are drawn anew.
const FEWEST: f64 = 0.5;

/// The likelihood of a design by a particle filter.
#[derive(Clone)]
pub struct ParticleFilter {
    shared: Arc<Shared>,
}

struct Shared {
    design: Design,
    watch: Watch,
    parameters: Vec<Parameter>,
    particles: usize,
    seed: u64,
    memory: usize,
}

/// What a run of the filter found.
#[derive(Clone, Debug, PartialEq)]
pub struct Filtered {
    /// ln L̂.
    pub log_likelihood: f64,
    /// The least effective share of particles at an observation.
    pub least_effective: f64,
    /// Where no particle could show what was seen: experiment, run, step.
    pub lost: Option<(usize, usize, u32)>,
}

/// Why there is no particle filter for a design.
#[derive(Debug, thiserror::Error)]
pub enum ParticleFilterError {
    /// Means of runs.
    #[error(
        "experiment `{0}` is a mean of several runs, and a particle filter weighs single ones: take \
         route = \"synthetic-likelihood\""
    )]
    Means(String),
    /// More memory than allowed.
    #[error(
        "{particles} particles of one run take {bytes} bytes, but {memory} are allowed: take fewer particles, or allow more memory"
    )]
    Memory {
        /// How many.
        particles: usize,
        /// What they take.
        bytes: usize,
        /// What is allowed.
        memory: usize,
    },
    /// Too few particles.
    #[error("a particle filter needs at least 2 particles, not {0}")]
    Few(usize),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl ParticleFilter {
    /// The filter of a design with so many particles for each run; θ starts at `start`.
    ///
    /// # Errors
    /// [`ParticleFilterError`] where the design is of means, or memory does not suffice.
    pub fn new(
        design: Design,
        start: &[f64],
        particles: usize,
        seed: u64,
        options: Options,
    ) -> Result<ParticleFilter, ParticleFilterError> {
        if let Some(mean) = design.experiments.iter().find(|e| e.mean_of > 1) {
            return Err(ParticleFilterError::Means(mean.name.clone()));
        }
        if particles < 2 {
            return Err(ParticleFilterError::Few(particles));
        }
        let bytes = bytes_of(&design).saturating_mul(particles);
        if bytes > options.memory {
            return Err(ParticleFilterError::Memory { particles, bytes, memory: options.memory });
        }
        let (memory, watch) = (options.memory, Watch::new(&design, options)?);
        let unknowns = design.unknowns.iter().zip(start);
        let parameters = unknowns.map(|(u, start)| Parameter::new(&u.name, u.interval, *start)).collect();
        let shared = Shared { design, watch, parameters, particles, seed, memory };
        Ok(ParticleFilter { shared: Arc::new(shared) })
    }

    /// Runs the filter at θ with the noise of an evaluation.
    ///
    /// # Errors
    /// [`EngineError`] where a rule leaves its range.
    pub fn filter(&self, theta: &[f64], noise: u64) -> Result<Filtered, EngineError> {
        let Shared { design, seed, particles, memory, .. } = &*self.shared;
        let seed = derive_seed(*seed, Purpose::ParticleFilter, noise);
        let mut whole = Filtered { log_likelihood: 0.0, least_effective: 1.0, lost: None };
        let together = (memory / (bytes_of(design) * particles).max(1)).max(1);
        for (e, experiment) in design.experiments.iter().enumerate() {
            let numbers = design.numbers(theta, e);
            let mut first = 0;
            while first < experiment.runs() {
                let runs = first..(first + together).min(experiment.runs());
                first = runs.end;
                let pass = Pass { shared: &self.shared, experiment, e, numbers: &numbers, seed, runs };
                pass.go(&mut whole)?;
                if whole.lost.is_some() {
                    return Ok(whole);
                }
            }
        }
        Ok(whole)
    }
}

/// Bytes of a particle: its state as the engine hands it out, and packed.
fn bytes_of(design: &Design) -> usize {
    let declarations = design.model.declarations();
    declarations.lattice.sites() * declarations.layers.len() * 17
}

/// The particles of some runs of an experiment.
struct Pass<'a> {
    shared: &'a Shared,
    experiment: &'a Experiment,
    e: usize,
    numbers: &'a [f64],
    seed: u64,
    runs: std::ops::Range<usize>,
}

impl Pass<'_> {
    fn go(&self, whole: &mut Filtered) -> Result<(), EngineError> {
        let Shared { design, watch, particles: n, .. } = self.shared;
        let (n, replicates) = (*n, self.runs.len() * *n);
        let seed = derive_seed(self.seed, Purpose::ObservedExperiment, self.e as u64);
        let resampling = derive_seed(self.seed, Purpose::Resampling, self.e as u64);
        let steps = self.experiment.steps();
        let mut before = self.experiment.first_step();
        let mut picks: Option<Vec<u32>> = None;
        let mut weights = vec![1.0 / n as f64; replicates];
        let parameters = design.parameters(self.numbers);
        let mut run = self.experiment.run(parameters, replicates, |r| self.runs.start + r / n).seed(seed);
        run.first_replicate = (self.runs.start * n) as u32;
        let mut particles = watch.ensemble(&design.model, &run)?;
        for (t, step) in steps.iter().enumerate() {
            run = run.first_step(before);
            run.steps = (step - before) as usize;
            let seen: Vec<(usize, &Observed, usize)> = self
                .experiment
                .observed
                .iter()
                .enumerate()
                .filter_map(|(k, o)| Some((k, o, o.steps.iter().position(|own| own == step)?)))
                .collect();
            run.events =
                seen.iter().filter_map(|(k, ..)| Some((run.steps, watch.number(self.e, *k)?))).collect();
            let outputs = particles.advance(&run, picks.as_deref())?;
            let logs = self.weighed(&*particles, &outputs, &seen);
            let mut drawn_anew: Vec<u32> = Vec::with_capacity(replicates);
            for (place, run) in self.runs.clone().enumerate() {
                let own = place * n..(place + 1) * n;
                let Some(gain) = reweighed(&mut weights[own.clone()], &logs[own.clone()]) else {
                    whole.log_likelihood = f64::NEG_INFINITY;
                    whole.lost = Some((self.e, run, *step));
                    return Ok(());
                };
                whole.log_likelihood += gain;
                let effective = 1.0 / weights[own.clone()].iter().map(|w| w * w).sum::<f64>() / n as f64;
                whole.least_effective = whole.least_effective.min(effective);
                if effective < FEWEST {
                    let u: f64 = Key::new(resampling, run as u32, t as u32, 0, 0).uniform(0);
                    let drawn = systematic(&weights[own.clone()], u);
                    drawn_anew.extend(drawn.into_iter().map(|i| (own.start + i) as u32));
                    weights[own].fill(1.0 / n as f64);
                } else {
                    drawn_anew.extend(own.map(|i| i as u32));
                }
            }
            picks = Some(drawn_anew);
            before = *step;
        }
        Ok(())
    }

    /// By particle, the logarithm of the probability of what was seen: of which observation, at which of its times.
    fn weighed(
        &self,
        particles: &dyn Ensemble,
        outputs: &Outputs,
        seen: &[(usize, &Observed, usize)],
    ) -> Vec<f64> {
        let n = self.shared.particles;
        let mut logs = vec![0.0; self.runs.len() * n];
        let mut from = 0;
        for (_, observed, time) in seen {
            let arguments = self.shared.design.arguments(observed, self.numbers);
            let of = |r: usize| observed.at(self.runs.start + r / n, *time);
            match &observed.what {
                What::Numbers(_) => {
                    let mut laws: Vec<Recalled<'_>> =
                        (0..observed.width).map(|_| Recalled::new(observed, &arguments)).collect();
                    for (r, log) in logs.iter_mut().enumerate() {
                        let own = &outputs.replicate(r)[from..from + observed.width];
                        let known = of(r).iter().zip(own).zip(&mut laws).filter(|((y, _), _)| !y.is_nan());
                        *log += known.map(|((y, x), law)| law.ln_probability(*y, *x)).sum::<f64>();
                    }
                    from += observed.width;
                }
                What::Sites(selection) => {
                    let table = self.of_states(observed, selection, &arguments);
                    let (law, states) = (observed.noise.law, observed.states);
                    logs.par_iter_mut().enumerate().with_min_len(16).for_each(|(r, log)| {
                        let layer = particles.layer(r, selection.place);
                        let there = |x: f64| match selection.state {
                            Some(state) => f64::from(u8::from((x - f64::from(state)).abs() < 0.5)),
                            None => x,
                        };
                        let known = of(r).iter().zip(&layer).filter(|(y, _)| !y.is_nan());
                        let known = known.map(|(y, x)| (*y, there(*x)));
                        *log += match &table {
                            Some(table) => {
                                known.map(|(y, x)| table[y as usize * states + x as usize]).sum::<f64>()
                            }
                            None => known.map(|(y, x)| law.ln_probability(y, x, &arguments, states)).sum(),
                        };
                    });
                }
            }
        }
        logs
    }

    /// The logarithms of a site's few states, in place of one for each site.
    fn of_states(&self, observed: &Observed, selection: &Selection, arguments: &[f64]) -> Option<Vec<f64>> {
        let (law, states) = (observed.noise.law, observed.states);
        let low =
            selection.state.map_or_else(|| selection.values(&self.shared.design.model).range().0, |_| 0.0);
        let few = matches!(law, Law::Exact | Law::Flipped) && low == 0.0 && states <= 256;
        let pair = |i: usize| law.ln_probability((i / states) as f64, (i % states) as f64, arguments, states);
        few.then(|| (0..states * states).map(pair).collect())
    }
}

/// The law of what was seen of one number, asked once for each pair of it and a particle's where these are small and whole.
struct Recalled<'a> {
    observed: &'a Observed,
    arguments: &'a [f64],
    /// What was asked about last, and the answers by the particles' numbers; not a number where there is none yet.
    seen: f64,
    known: Vec<f64>,
}

impl<'a> Recalled<'a> {
    fn new(observed: &'a Observed, arguments: &'a [f64]) -> Recalled<'a> {
        Recalled { observed, arguments, seen: f64::NAN, known: Vec::new() }
    }

    fn ln_probability(&mut self, y: f64, x: f64) -> f64 {
        let Recalled { observed, arguments, .. } = *self;
        let ask = || observed.noise.law.ln_probability(y, x, arguments, observed.states);
        let place = x as usize;
        if !(0.0..4096.0).contains(&x) || x.fract() > 0.0 {
            return ask();
        }
        if self.seen.to_bits() != y.to_bits() {
            self.known.clear();
            self.seen = y;
        }
        if self.known.len() <= place {
            self.known.resize(place + 1, f64::NAN);
        }
        if self.known[place].is_nan() {
            self.known[place] = ask();
        }
        self.known[place]
    }
}

/// Multiplies weights (of sum 1) by what was seen, and gives the logarithm of their sum before they are made of sum 1
/// again; nothing where all are 0.
fn reweighed(weights: &mut [f64], logs: &[f64]) -> Option<f64> {
    let most = logs
        .iter()
        .zip(weights.iter())
        .filter(|(_, w)| **w > 0.0)
        .map(|(l, _)| *l)
        .fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return None;
    }
    weights.iter_mut().zip(logs).for_each(|(w, l)| *w *= (l - most).exp());
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= sum);
    Some(most + sum.ln())
}

/// Draws as many as there are weights: number i where the sum of weights passes (j + u) / n, for each j.
fn systematic(weights: &[f64], u: f64) -> Vec<usize> {
    let n = weights.len();
    let mut drawn = Vec::with_capacity(n);
    let (mut sum, mut i) = (weights[0], 0);
    for j in 0..n {
        let wanted = (j as f64 + u) / n as f64;
        while sum <= wanted && i + 1 < n {
            i += 1;
            sum += weights[i];
        }
        drawn.push(i);
    }
    drawn
}

impl Likelihood for ParticleFilter {
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
        if !self.shared.design.holds(at) {
            return Ok(f64::NEG_INFINITY);
        }
        Ok(self.filter(at, noise).map_err(failed)?.log_likelihood)
    }

    fn why_impossible(&mut self, at: &[f64]) -> Option<String> {
        if !self.shared.design.holds(at) {
            return Some("a parameter lies outside its interval".into());
        }
        let (e, run, step) = self.filter(at, 0).ok()?.lost?;
        let Shared { design, particles, .. } = &*self.shared;
        Some(format!(
            "none of {particles} particles could show what was seen of experiment `{}`, run {run}, after step {step}: \
             start elsewhere, take more particles, or allow more noise",
            design.experiments[e].name
        ))
    }

    fn another(&self) -> Box<dyn Likelihood> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systematic_draws_are_as_many_as_weights_say() {
        let drawn = systematic(&[0.5, 0.0, 0.25, 0.25], 0.3);
        assert_eq!(drawn, [0, 0, 2, 3]);
        for u in [0.0, 0.999_999] {
            let even = systematic(&[0.25; 4], u);
            assert_eq!(even, [0, 1, 2, 3], "{u}");
        }
    }

    #[test]
    fn weights_gain_the_logarithm_of_their_mean() {
        let mut weights = vec![0.5, 0.5];
        let gain = reweighed(&mut weights, &[0.2_f64.ln(), 0.6_f64.ln()]);
        assert!(gain.is_some_and(|g| (g - 0.4_f64.ln()).abs() < 1e-12));
        assert!((weights[1] - 0.75).abs() < 1e-12);
        assert_eq!(reweighed(&mut weights, &[f64::NEG_INFINITY; 2]), None);
    }
}
