//! Infers parameters by approximate Bayesian computation, population after population, with a simulator and nothing else.
//!
//! Toni, Welch, Strelkowa, Ipsen & Stumpf (2009), J. R. Soc. Interface 6, 187: uniform prior; a population's threshold is the median of
//! distances of the one before; particles move by a normal law of twice the population's variance, axis by axis. Distances are
//! Euclidean over summaries divided by their deviation under the prior. Candidates are simulated side by side in rounds of a fixed
//! size, so that the course does not depend on threads.

use glauber_numbers::elementary::{exp, ln, sin_cos_turns};
use glauber_numbers::noise::{Key, open_uniform, uniform};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Candidates simulated side by side.
const SIDE_BY_SIDE: usize = 32;

/// How it is run.
pub(crate) struct Settings {
    /// The prior, uniform.
    pub ranges: Vec<[f64; 2]>,
    /// Particles of a population.
    pub population: usize,
    /// Simulations, at most.
    pub simulations: usize,
    pub seed: u64,
}

/// Populations, one after another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Populations {
    /// Simulations until each was full.
    pub simulations: Vec<f64>,
    pub thresholds: Vec<f64>,
    /// Weighted means.
    pub means: Vec<Vec<f64>>,
    /// Weighted standard deviations.
    pub widths: Vec<Vec<f64>>,
}

struct Particle {
    place: Vec<f64>,
    weight: f64,
    distance: f64,
}

/// Runs until the simulations are spent; a population that is not full by then is left out. `simulate` gives summaries of a place and
/// the number of a simulation.
pub(crate) fn infer(
    settings: &Settings,
    observed: &[f64],
    simulate: &(dyn Fn(&[f64], u64) -> Vec<f64> + Sync),
) -> Populations {
    let axes = settings.ranges.len();
    let drawn = |round: u32, candidate: u32, word: u32| -> f64 {
        uniform(Key::new(settings.seed, round, candidate, 0, 0).word(word))
    };
    let mut done = 0_u64;
    let first: Vec<Vec<f64>> = (0..settings.population as u32)
        .map(|candidate| {
            let at = |(axis, [low, high]): (usize, &[f64; 2])| {
                low + (high - low) * drawn(0, candidate, axis as u32)
            };
            settings.ranges.iter().enumerate().map(at).collect()
        })
        .collect();
    let summaries: Vec<Vec<f64>> =
        first.par_iter().enumerate().map(|(number, place)| simulate(place, number as u64)).collect();
    done += first.len() as u64;
    let scales = deviations(&summaries);
    let distance = |found: &[f64]| {
        let parts = found.iter().zip(observed).zip(&scales).map(|((a, b), scale)| ((a - b) / scale).powi(2));
        parts.sum::<f64>().sqrt()
    };
    let mut population: Vec<Particle> = first
        .into_iter()
        .zip(&summaries)
        .map(|(place, found)| Particle { place, weight: 1.0, distance: distance(found) })
        .collect();
    let mut told = Populations::default();
    told.keep(&population, done, f64::INFINITY);
    for round in 1_u32.. {
        let mut sorted: Vec<f64> = population.iter().map(|particle| particle.distance).collect();
        sorted.sort_by(f64::total_cmp);
        let threshold = sorted[sorted.len() / 2];
        let (_, width) = moments(&population);
        let steps: Vec<f64> = width.iter().map(|w| std::f64::consts::SQRT_2 * w.max(1e-12)).collect();
        let mut next: Vec<Particle> = Vec::new();
        let mut candidate = 0_u32;
        while next.len() < settings.population {
            if done as usize + SIDE_BY_SIDE > settings.simulations {
                return told;
            }
            let mut places = Vec::new();
            while places.len() < SIDE_BY_SIDE {
                let from = chosen(&population, drawn(round, candidate, 0));
                let place: Vec<f64> = (0..axes)
                    .map(|axis| {
                        let key = Key::new(settings.seed, round, candidate, 1 + axis as u32, 0);
                        population[from].place[axis] + steps[axis] * normal(&key)
                    })
                    .collect();
                candidate += 1;
                if place.iter().zip(&settings.ranges).all(|(x, [low, high])| (low..=high).contains(&x)) {
                    places.push(place);
                }
            }
            let found: Vec<f64> = places
                .par_iter()
                .enumerate()
                .map(|(number, place)| distance(&simulate(place, done + number as u64)))
                .collect();
            for (place, distance) in places.into_iter().zip(found) {
                done += 1;
                if distance <= threshold && next.len() < settings.population {
                    let weight = 1.0 / reached(&population, &place, &steps);
                    next.push(Particle { place, weight, distance });
                }
                if next.len() == settings.population {
                    break;
                }
            }
        }
        population = next;
        told.keep(&population, done, threshold);
    }
    told
}

impl Populations {
    fn keep(&mut self, population: &[Particle], done: u64, threshold: f64) {
        let (mean, width) = moments(population);
        self.simulations.push(done as f64);
        // The prior's own has none, which JSON cannot say.
        self.thresholds.push(if threshold.is_finite() { threshold } else { -1.0 });
        self.means.push(mean);
        self.widths.push(width);
    }
}

/// Standard deviations, none 0.
fn deviations(rows: &[Vec<f64>]) -> Vec<f64> {
    let count = rows.len() as f64;
    let width = rows.first().map_or(0, Vec::len);
    (0..width)
        .map(|place| {
            let mean = rows.iter().map(|row| row[place]).sum::<f64>() / count;
            let square = rows.iter().map(|row| (row[place] - mean).powi(2)).sum::<f64>() / count;
            square.sqrt().max(1e-9)
        })
        .collect()
}

/// Weighted means and standard deviations.
fn moments(population: &[Particle]) -> (Vec<f64>, Vec<f64>) {
    let total: f64 = population.iter().map(|particle| particle.weight).sum();
    let axes = population.first().map_or(0, |particle| particle.place.len());
    let mean: Vec<f64> =
        (0..axes).map(|k| population.iter().map(|p| p.weight * p.place[k]).sum::<f64>() / total).collect();
    let width = (0..axes)
        .map(|k| {
            let square = population.iter().map(|p| p.weight * (p.place[k] - mean[k]).powi(2)).sum::<f64>();
            (square / total).sqrt()
        })
        .collect();
    (mean, width)
}

/// A particle by weight.
fn chosen(population: &[Particle], share: f64) -> usize {
    let mut left = share * population.iter().map(|particle| particle.weight).sum::<f64>();
    for (place, particle) in population.iter().enumerate() {
        left -= particle.weight;
        if left <= 0.0 {
            return place;
        }
    }
    population.len() - 1
}

/// With which density the population moves to a place, up to a factor.
fn reached(population: &[Particle], place: &[f64], steps: &[f64]) -> f64 {
    let total: f64 = population.iter().map(|particle| particle.weight).sum();
    let one = |particle: &Particle| {
        let apart =
            particle.place.iter().zip(place).zip(steps).map(|((a, b), s)| ((a - b) / s).powi(2)).sum::<f64>();
        particle.weight / total * exp(-0.5 * apart)
    };
    population.iter().map(one).sum::<f64>().max(f64::MIN_POSITIVE)
}

/// A standard normal number.
fn normal(key: &Key) -> f64 {
    let (_, cosine) = sin_cos_turns(uniform::<f64>(key.word(1)));
    (-2.0 * ln(open_uniform::<f64>(key.word(0)))).sqrt() * cosine
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of one normal number with an unknown mean, the posterior is the prior cut to about the threshold.
    #[test]
    fn populations_close_in_on_the_posterior() {
        let settings = Settings { ranges: vec![[0.0, 10.0]], population: 100, simulations: 20_000, seed: 3 };
        let simulate = |place: &[f64], number: u64| {
            let key = Key::new(7, number as u32, 0, 0, 0);
            vec![place[0] + 0.5 * normal(&key)]
        };
        let found = infer(&settings, &[4.0], &simulate);
        let last = found.means.len() - 1;
        assert!(last > 5 && found.simulations[last] <= 20_000.0);
        // 100 weighted particles of a law of width 0.5: one false alarm in ten thousand with half of them effective.
        assert!((found.means[last][0] - 4.0).abs() < 3.9 * 0.5 / 50_f64.sqrt(), "{:?}", found.means);
        assert!((0.3..0.75).contains(&found.widths[last][0]), "{:?}", found.widths);
        assert_eq!(infer(&settings, &[4.0], &simulate), found);
    }
}
