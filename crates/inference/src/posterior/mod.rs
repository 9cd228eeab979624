//! Draws from posteriors: several chains, by the no-U-turn sampler where there are gradients, else by a random walk.
//!
//! | likelihood                    | chains walk by                                                       |
//! |-------------------------------|----------------------------------------------------------------------|
//! | with a gradient               | the no-U-turn sampler of `nuts-rs` (Hoffman & Gelman 2014)           |
//! | without, or noisy             | a random walk whose steps learn the posterior's shape in the warm-up  |
//!
//! Over a noisy likelihood the walk is pseudo-marginal (Andrieu & Roberts 2009, Annals of Statistics 37, 697): each
//! proposal is judged once by a likelihood of its own noise, which is kept as long as the chain stays. Where the simulated
//! likelihood is right in the mean, so are the draws, however noisy; the noise only makes them fewer.
//!
//! Chains begin at different places about the start. The draws depend on the seed alone, never on the number of threads.

mod nuts;
mod summary;
mod walk;

use glauber_numbers::noise::Purpose;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::agreement::Agreement;
use crate::density::{Coordinate, Density};
use crate::draws::Draws;
use crate::likelihood::{Kind, Stop};

pub use summary::Summary;

/// Trials to find a place of a density above 0 for a chain to begin at; each goes half as far as the one before.
const TRIALS: u64 = 40;

/// How chains walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampler {
    /// By the no-U-turn sampler.
    Nuts,
    /// By a random walk.
    RandomWalk,
}

impl Sampler {
    /// Every sampler.
    pub const ALL: [Sampler; 2] = [Sampler::Nuts, Sampler::RandomWalk];

    /// Its name in a fit file.
    pub fn name(self) -> &'static str {
        match self {
            Sampler::Nuts => "nuts",
            Sampler::RandomWalk => "random-walk",
        }
    }
}

/// How many chains of how many draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Chains.
    pub chains: usize,
    /// Draws of each that are kept.
    pub draws: usize,
    /// Draws before these, in which the sampler learns; they are not kept.
    pub warm_up: usize,
    /// The seed of everything.
    pub seed: u64,
    /// How they walk; by the likelihood where nobody says.
    pub sampler: Option<Sampler>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { chains: 4, draws: 1000, warm_up: 1000, seed: 1, sampler: None }
    }
}

/// Why there are no draws.
#[derive(Debug, thiserror::Error)]
pub enum PosteriorError {
    /// It was told to stop.
    #[error("the sampling was interrupted")]
    Interrupted,
    /// The likelihood failed.
    #[error(transparent)]
    Likelihood(#[from] Stop),
    /// Settings that cannot be.
    #[error("{0}")]
    Setting(String),
    /// Chains that have nowhere to begin.
    #[error(
        "the posterior is 0 at the start and at {TRIALS} places about it{why}: start the parameters elsewhere"
    )]
    Nowhere {
        /// Why, in words that follow.
        why: String,
    },
    /// The sampler could not go on.
    #[error("the chain {chain} could not go on: {why}")]
    Chain {
        /// Which chain, from 1.
        chain: usize,
        /// What the sampler said.
        why: String,
    },
}

/// What a chain left behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walked {
    /// Free coordinates, one draw after the other.
    draws: Vec<f64>,
    /// The log density of each by free coordinates.
    log_density: Vec<f64>,
    /// Whether the path to it left the posterior.
    diverging: Vec<bool>,
    /// The share of proposals that were taken; nothing where that says nothing.
    accepted: Option<f64>,
    /// The standard deviation of ln L by its noise, where it has any.
    noise: Option<f64>,
    /// How often the density was asked.
    evaluations: u64,
}

/// Draws of a posterior.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// What was drawn.
    pub coordinates: Vec<Coordinate>,
    /// How.
    pub sampler: Sampler,
    /// By which route the likelihood was computed, and what kind of number it is.
    pub route: String,
    /// What kind of number the likelihood is.
    pub kind: Kind,
    /// How many.
    pub settings: Settings,
    /// By parameter and chain: the draws, in natural units.
    pub draws: Vec<Vec<Vec<f64>>>,
    /// By chain: ln L + ln prior of each draw, by natural units; of a noisy likelihood as the chain knew it.
    pub log_density: Vec<Vec<f64>>,
    /// By chain: whether the path to a draw left the posterior.
    pub diverging: Vec<Vec<bool>>,
    /// By parameter.
    pub agreement: Vec<Agreement>,
    /// By chain: the share of proposals that a random walk took.
    pub accepted: Vec<Option<f64>>,
    /// The standard deviation of ln L by its noise, the mean over the chains.
    pub noise: Option<f64>,
    /// How often the density was asked, warm-up included.
    pub evaluations: u64,
    /// Observations behind it.
    pub observations: usize,
}

/// Draws from a posterior. `stop` is asked on the way; `seen` is told after each draw: chain, draw (the warm-up's
/// included).
///
/// # Errors
/// [`PosteriorError`] where chains cannot begin or go on, or were stopped.
pub fn sample(
    density: &Density,
    settings: Settings,
    stop: &(dyn Fn() -> bool + Sync),
    seen: &(dyn Fn(usize, usize) + Sync),
) -> Result<Posterior, PosteriorError> {
    sampler_of(density, settings)?;
    let walk = |chain: usize| one_chain(density, settings, chain, stop, &|draw| seen(chain, draw));
    let walked: Vec<Result<Walked, PosteriorError>> =
        (0..settings.chains).into_par_iter().map(walk).collect();
    // The first chain's error, not that of the thread that came first.
    let walked = walked.into_iter().collect::<Result<Vec<_>, _>>()?;
    of_chains(density, settings, walked)
}

/// Walks one of the chains, alone.
///
/// # Errors
/// As [`sample`].
pub fn one_chain(
    density: &Density,
    settings: Settings,
    chain: usize,
    stop: &(dyn Fn() -> bool + Sync),
    seen: &dyn Fn(usize),
) -> Result<Walked, PosteriorError> {
    let sampler = sampler_of(density, settings)?;
    let mut own = density.another();
    let start = begin(&mut own, settings.seed, chain)?;
    match sampler {
        Sampler::Nuts => nuts::walk(own, settings, chain, start, stop, seen),
        Sampler::RandomWalk => walk::walk(own, settings, chain, start, stop, seen),
    }
}

/// The posterior that chains come to, in their order, whoever walked them.
///
/// # Errors
/// [`PosteriorError::Setting`] for settings that cannot be, or chains that are not of them.
pub fn of_chains(
    density: &Density,
    settings: Settings,
    walked: Vec<Walked>,
) -> Result<Posterior, PosteriorError> {
    let sampler = sampler_of(density, settings)?;
    let fits = |own: &Walked| {
        own.draws.len() == settings.draws * density.coordinates().len()
            && own.log_density.len() == settings.draws
            && own.diverging.len() == settings.draws
    };
    if walked.len() != settings.chains || !walked.iter().all(fits) {
        return Err(PosteriorError::Setting("the chains are not those of these settings".into()));
    }
    Ok(gathered(density, settings, sampler, walked))
}

fn sampler_of(density: &Density, settings: Settings) -> Result<Sampler, PosteriorError> {
    let Settings { chains, draws, warm_up, .. } = settings;
    let least = [("chains", chains, 1), ("draws", draws, 4), ("warm-up", warm_up, 20)];
    if let Some((name, found, least)) = least.into_iter().find(|(_, found, least)| found < least) {
        return Err(PosteriorError::Setting(format!("`{name}` is {found}: give at least {least}")));
    }
    let numbers = chains.checked_mul(draws).and_then(|n| n.checked_mul(density.coordinates().len()));
    if numbers.is_none_or(|n| n > 1 << 28) {
        return Err(PosteriorError::Setting(format!(
            "{chains} chains of {draws} draws of {} parameters do not fit into memory: give fewer",
            density.coordinates().len()
        )));
    }
    let likelihood = density.likelihood();
    let smooth = likelihood.has_gradient() && likelihood.kind() != Kind::Noisy;
    match settings.sampler {
        None => Ok(if smooth { Sampler::Nuts } else { Sampler::RandomWalk }),
        Some(Sampler::Nuts) if !smooth => Err(PosteriorError::Setting(format!(
            "the sampler `nuts` needs gradients without noise, which the likelihood by the route `{}` does not give: leave \
             `sampler` out, or give \"random-walk\"",
            likelihood.route()
        ))),
        Some(own) => Ok(own),
    }
}

/// Where a chain begins, in free coordinates: normal about the start, nearer with each trial.
fn begin(density: &mut Density, seed: u64, chain: usize) -> Result<Vec<f64>, PosteriorError> {
    let start: Vec<f64> = density.coordinates().iter().map(|c| c.start).collect();
    let middle = density.to_free(&start);
    let mut width = 1.0;
    for trial in 0..TRIALS {
        let draws = Draws::new(seed, Purpose::PosteriorStart, chain, trial);
        let place = |(i, u): (usize, &f64)| u + width * draws.normal(i as u32);
        let free: Vec<f64> = middle.iter().enumerate().map(place).collect();
        if density.free_value(&free, seed ^ trial)?.is_finite() {
            return Ok(free);
        }
        width *= 0.5;
    }
    let natural = density.to_natural(&middle);
    let why =
        density.likelihood_mut().why_impossible(&natural).map_or(String::new(), |why| format!(" ({why})"));
    Err(PosteriorError::Nowhere { why })
}

fn gathered(density: &Density, settings: Settings, sampler: Sampler, walked: Vec<Walked>) -> Posterior {
    let n = density.coordinates().len();
    let mut draws = vec![vec![Vec::with_capacity(settings.draws); walked.len()]; n];
    let mut log_density = Vec::new();
    for (chain, own) in walked.iter().enumerate() {
        let mut values = Vec::with_capacity(settings.draws);
        for (free, value) in own.draws.chunks(n).zip(&own.log_density) {
            values.push(value - density.log_jacobian(free));
            let natural = density.to_natural(free);
            draws.iter_mut().zip(natural).for_each(|(of, x)| of[chain].push(x));
        }
        log_density.push(values);
    }
    let noises: Vec<f64> = walked.iter().filter_map(|w| w.noise).collect();
    let likelihood = density.likelihood();
    Posterior {
        coordinates: density.coordinates().to_vec(),
        sampler,
        route: likelihood.route().to_string(),
        kind: likelihood.kind(),
        settings,
        agreement: draws.iter().map(|chains| Agreement::of(chains)).collect(),
        draws,
        log_density,
        accepted: walked.iter().map(|w| w.accepted).collect(),
        noise: (!noises.is_empty()).then(|| noises.iter().sum::<f64>() / noises.len() as f64),
        evaluations: walked.iter().map(|w| w.evaluations).sum(),
        diverging: walked.into_iter().map(|w| w.diverging).collect(),
        observations: likelihood.observations(),
    }
}
