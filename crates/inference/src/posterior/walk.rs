//! Walks a chain at random, by values of the density alone: right for noisy likelihoods too.
//!
//! A proposal is u + s C^½ z with z normal and C the covariance of the warm-up's draws so far (Haario, Saksman & Tamminen
//! 2001, Bernoulli 7, 223; a small part of the first steps' kept, so that no direction is lost). The width s begins at
//! 2.56/√n, best for a likelihood of any noise (Sherlock, Thiery, Roberts & Rosenthal 2015, Annals of Statistics 43, 238),
//! and is moved in the warm-up so that 1 proposal in 4 is taken, fewer the noisier the likelihood: 0.25 · 2Φ(−σ/√2), with
//! σ the standard deviation of ln L. After the warm-up nothing is learnt any more.
//!
//! The value of the place where the chain stands is never computed anew.

use glauber_numbers::noise::{Purpose, derive_seed};

use super::{PosteriorError, Settings, Walked};
use crate::density::Density;
use crate::draws::Draws;
use crate::likelihood::{Kind, Stop};

/// Evaluations by which the noise of ln L is measured.
const MEASURED: u64 = 24;
/// The share of proposals that is taken without noise.
const TAKEN: f64 = 0.25;

pub(super) fn walk(
    mut density: Density,
    settings: Settings,
    chain: usize,
    start: Vec<f64>,
    stop: &(dyn Fn() -> bool + Sync),
    seen: &dyn Fn(usize),
) -> Result<Walked, PosteriorError> {
    let n = start.len();
    let noisy = density.likelihood().kind() == Kind::Noisy;
    let noise_of = |step: u64| {
        derive_seed(
            derive_seed(settings.seed, Purpose::PosteriorNoise, chain as u64),
            Purpose::PosteriorNoise,
            step,
        )
    };
    let mut evaluations = 0;
    let mut value_at = |density: &mut Density, place: &[f64], step: u64| {
        if stop() {
            return Err(PosteriorError::Interrupted);
        }
        evaluations += 1;
        density.free_value(place, noise_of(step)).map_err(|error| match error {
            Stop::Interrupted => PosteriorError::Interrupted,
            other => PosteriorError::Likelihood(other),
        })
    };
    // Steps beyond any walk's: noise of their own.
    let mut measured = 1 << 40;
    let mut spread_at =
        |density: &mut Density,
         place: &[f64],
         value_at: &mut dyn FnMut(&mut Density, &[f64], u64) -> Result<f64, PosteriorError>| {
            let mut values = Vec::new();
            for _ in 0..MEASURED {
                values.push(value_at(density, place, measured)?);
                measured += 1;
            }
            Ok::<f64, PosteriorError>(spread(&values))
        };
    let mut place = start;
    let mut value = value_at(&mut density, &place, 1 << 39)?;
    let mut noise = if noisy { Some(spread_at(&mut density, &place, &mut value_at)?) } else { None };
    let mut shape = Shape::new(n);
    let mut width = 2.56 / (n as f64).sqrt();
    let mut walked = Walked {
        draws: Vec::with_capacity(settings.draws * n),
        log_density: Vec::with_capacity(settings.draws),
        diverging: vec![false; settings.draws],
        accepted: None,
        noise: None,
        evaluations: 0,
    };
    let mut taken = 0u64;
    for step in 0..settings.warm_up + settings.draws {
        let learns = step < settings.warm_up;
        let random = Draws::new(settings.seed, Purpose::PosteriorMoves, chain, step as u64);
        let proposal = shape.proposal(&place, width, &random);
        let proposed = value_at(&mut density, &proposal, step as u64)?;
        let ratio = (proposed - value).min(0.0);
        let takes = proposed.is_finite() && libm::log(random.uniform(0)) < ratio;
        if takes {
            (place, value) = (proposal, proposed);
        }
        if learns {
            let wanted = TAKEN * accepted_by_noise(noise.unwrap_or(0.0));
            let chance = if proposed.is_finite() { libm::exp(ratio) } else { 0.0 };
            let rate = (10.0 / (step as f64 + 10.0)).max(0.02);
            width *= libm::exp(rate * (chance - wanted) / wanted.max(0.05));
            width = width.clamp(1e-6, 1e3);
            shape.learn(&place, step);
            // The noise far from the posterior is not that within it; what the first third saw is forgotten.
            if step == settings.warm_up / 3 || step == 2 * settings.warm_up / 3 {
                shape.forget();
                if noisy {
                    noise = Some(spread_at(&mut density, &place, &mut value_at)?);
                }
            }
        } else {
            taken += u64::from(takes);
            walked.draws.extend(&place);
            walked.log_density.push(value);
        }
        seen(step);
    }
    if noisy {
        noise = Some(spread_at(&mut density, &place, &mut value_at)?);
    }
    walked.noise = noise;
    walked.accepted = Some(taken as f64 / settings.draws as f64);
    walked.evaluations = evaluations;
    Ok(walked)
}

/// The share of proposals that noise of this standard deviation alone leaves: 2 Φ(−σ/√2).
fn accepted_by_noise(sd: f64) -> f64 {
    if sd.is_finite() { libm::erfc(0.5 * sd) } else { 0.1 }
}

/// The standard deviation of what is finite; not a number where little is.
fn spread(values: &[f64]) -> f64 {
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if finite.len() < values.len() / 2 {
        return f64::NAN;
    }
    let n = finite.len() as f64;
    let mean = finite.iter().sum::<f64>() / n;
    (finite.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0)).sqrt()
}

/// What is known of the posterior's shape: mean and covariance of the places so far.
struct Shape {
    count: f64,
    mean: Vec<f64>,
    /// Sums of products of deviations.
    sums: Vec<f64>,
    /// The lower triangle L of C = L Lᵀ that proposals are made by.
    root: Vec<f64>,
}

impl Shape {
    fn new(n: usize) -> Shape {
        let mut root = vec![0.0; n * n];
        (0..n).for_each(|i| root[i * n + i] = 0.1);
        Shape { count: 0.0, mean: vec![0.0; n], sums: vec![0.0; n * n], root }
    }

    fn proposal(&self, place: &[f64], width: f64, random: &Draws) -> Vec<f64> {
        let n = place.len();
        let z: Vec<f64> = (0..n as u32).map(|i| random.normal(i)).collect();
        let moved = |i: usize| place[i] + width * (0..=i).map(|j| self.root[i * n + j] * z[j]).sum::<f64>();
        (0..n).map(moved).collect()
    }

    fn learn(&mut self, place: &[f64], step: usize) {
        let n = place.len();
        self.count += 1.0;
        let before: Vec<f64> = place.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
        self.mean.iter_mut().zip(&before).for_each(|(m, d)| *m += d / self.count);
        let after: Vec<f64> = place.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
        for i in 0..n {
            for j in 0..n {
                self.sums[i * n + j] += before[i] * after[j];
            }
        }
        if self.count >= 20.0 * n as f64 && step % 20 == 0 {
            self.root = self.triangle().unwrap_or(std::mem::take(&mut self.root));
        }
    }

    /// Forgets the places, not the shape that they gave.
    fn forget(&mut self) {
        let n = self.mean.len();
        (self.count, self.mean, self.sums) = (0.0, vec![0.0; n], vec![0.0; n * n]);
    }

    /// L of the covariance, a millionth of its trace added to its diagonal; nothing where it is not positive.
    fn triangle(&self) -> Option<Vec<f64>> {
        let n = self.mean.len();
        let trace: f64 = (0..n).map(|i| self.sums[i * n + i]).sum();
        let mut root = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let own = if i == j { 1e-6 * trace } else { 0.0 };
                let dot: f64 = (0..j).map(|k| root[i * n + k] * root[j * n + k]).sum();
                let rest = (self.sums[i * n + j] + own) / self.count - dot;
                if i == j {
                    let positive = rest > 0.0 && rest.is_finite();
                    root[i * n + i] = positive.then(|| rest.sqrt())?;
                } else {
                    root[i * n + j] = rest / root[j * n + j];
                }
            }
        }
        Some(root)
    }
}
