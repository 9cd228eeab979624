//! Draws points from a normal law whose mean, size and shape it learns from the better half of them.
//!
//! x_k = m + σ y_k, y_k ~ N(0, C), k = 1..λ; sorted by loss, with weights w₁ ≥ … ≥ w_μ > 0 that sum to 1:
//!
//! ȳ = Σ w_k y_k,  m ← m + σ ȳ,
//! p_σ ← (1 − c_σ) p_σ + √(c_σ (2 − c_σ) μ_w) C^(−1/2) ȳ,  σ ← σ exp(c_σ / d_σ (‖p_σ‖ / E‖N(0, I)‖ − 1)),
//! p_c ← (1 − c_c) p_c + h √(c_c (2 − c_c) μ_w) ȳ,
//! C ← (1 − c_1 − c_μ + (1 − h) c_1 c_c (2 − c_c)) C + c_1 p_c p_cᵀ + c_μ Σ w_k y_k y_kᵀ
//!
//! m: mean, the favourite; σ: step size; C: covariance; p_σ, p_c: evolution paths; λ: `population`, 4 + ⌊3 ln n⌋
//! unless given; μ = ⌊λ/2⌋; μ_w = 1/Σ w²; h: 1 unless p_σ is long; c, d: the defaults of the reference's table 1.
//!
//! Hansen (2016), *The CMA evolution strategy: a tutorial*, arXiv:1604.00772. Departures: no negative weights; the
//! eigenvalues of C are kept above 1e-20 of the largest. Robust to noise in the loss: within a round all points have
//! the same noise, and each round new.

use super::draws::normals;
use super::eigen::eigen;
use super::{SPREAD, Search, SearchEntry, badness};
use crate::clipping::norm;
use crate::optimizers::{Memory, OptionSpec};

const POPULATION: OptionSpec = OptionSpec {
    name: "population",
    default: 0.0,
    accepts: |x| x.fract().abs() < f64::MIN_POSITIVE && (x.abs() < 0.5 || (4.0..=10_000.0).contains(&x)),
    range: "a whole number from 4 to 10,000, or 0 for the usual",
    meaning: "points per round; 0 for 4 + 3 ln n",
};

pub(super) const ENTRY: SearchEntry = SearchEntry {
    name: "cma-es",
    summary: "draws points from a normal law whose mean, size and shape it learns",
    options: &[POPULATION, SPREAD],
    build: |options| {
        Box::new(CmaEs { population: options.get("population") as usize, spread: options.get("spread") })
    },
};

/// Covariance matrix adaptation.
#[derive(Clone, Copy, Debug)]
struct CmaEs {
    population: usize,
    spread: f64,
}

/// The numbers of the reference's table 1.
struct Constants {
    weights: Vec<f64>,
    mu_w: f64,
    c_sigma: f64,
    d_sigma: f64,
    c_c: f64,
    c_1: f64,
    c_mu: f64,
    /// E‖N(0, I)‖.
    length: f64,
}

impl CmaEs {
    fn points(&self, n: usize) -> usize {
        if self.population > 0 { self.population } else { 4 + (3.0 * libm::log(n as f64)) as usize }
    }

    fn constants(&self, n: usize) -> Constants {
        let points = self.points(n) as f64;
        let raw = (1..=self.points(n) / 2).map(|i| libm::log((points + 1.0) / 2.0) - libm::log(i as f64));
        let total: f64 = raw.clone().sum();
        let weights: Vec<f64> = raw.map(|w| w / total).collect();
        let mu_w = 1.0 / weights.iter().map(|w| w * w).sum::<f64>();
        let n = n as f64;
        let c_sigma = (mu_w + 2.0) / (n + mu_w + 5.0);
        let c_1 = 2.0 / ((n + 1.3) * (n + 1.3) + mu_w);
        Constants {
            mu_w,
            c_sigma,
            d_sigma: 1.0 + 2.0 * (((mu_w - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma,
            c_c: (4.0 + mu_w / n) / (n + 4.0 + 2.0 * mu_w / n),
            c_1,
            c_mu: (2.0 * (mu_w - 2.0 + 1.0 / mu_w) / ((n + 2.0) * (n + 2.0) + mu_w)).min(1.0 - c_1),
            length: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
            weights,
        }
    }
}

/// C = B diag(d²) Bᵀ: the roots d, and B.
fn roots(covariance: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let (values, vectors) = eigen(covariance, n);
    let largest = values.iter().fold(0.0, |most: f64, v| most.max(*v));
    (values.iter().map(|v| v.max(1e-20 * largest).sqrt()).collect(), vectors)
}

#[allow(clippy::needless_range_loop)] // the formulas are written in indices, as in the reference
impl Search for CmaEs {
    fn begin(&self, start: &[f64]) -> Memory {
        let n = start.len();
        let mut covariance = vec![0.0; n * n];
        (0..n).for_each(|i| covariance[i * n + i] = 1.0);
        Memory::with([
            ("mean", start.to_vec()),
            ("covariance", covariance),
            ("path-of-shape", vec![0.0; n]),
            ("path-of-size", vec![0.0; n]),
            // σ, and (1 − c_σ)^(2 rounds).
            ("size", vec![self.spread, 1.0]),
        ])
    }

    fn ask(&self, memory: &Memory, round: u64, seed: u64) -> Vec<Vec<f64>> {
        let [mean, covariance, _, _, size] = memory.values();
        let n = mean.len();
        let (d, b) = roots(covariance, n);
        let point = |k: usize| {
            let z = normals(seed, round, k as u32, n);
            let y = |i: usize| (0..n).map(|j| b[i * n + j] * d[j] * z[j]).sum::<f64>();
            (0..n).map(|i| mean[i] + size[0] * y(i)).collect()
        };
        (0..self.points(n)).map(point).collect()
    }

    fn tell(&self, memory: &mut Memory, points: &[Vec<f64>], losses: &[f64]) {
        let [mean, covariance, path_c, path_s, size] = memory.lists();
        let n = mean.len();
        let Constants { weights, mu_w, c_sigma, d_sigma, c_c, c_1, c_mu, length } = self.constants(n);
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&a, &b| badness(losses[a]).total_cmp(&badness(losses[b])));
        if order.first().is_none_or(|&best| !losses[best].is_finite()) {
            // Nothing to learn but that these points are too far out.
            size[0] *= 0.5;
            return;
        }
        let steps: Vec<Vec<f64>> = order
            .iter()
            .take(weights.len())
            .map(|&k| (0..n).map(|i| (points[k][i] - mean[i]) / size[0]).collect())
            .collect();
        let step: Vec<f64> =
            (0..n).map(|i| weights.iter().zip(&steps).map(|(w, y)| w * y[i]).sum()).collect();
        let (d, b) = roots(covariance, n);
        // C^(−1/2) ȳ = B diag(1/d) Bᵀ ȳ.
        let along: Vec<f64> =
            (0..n).map(|j| (0..n).map(|i| b[i * n + j] * step[i]).sum::<f64>() / d[j]).collect();
        let whitened = |i: usize| (0..n).map(|j| b[i * n + j] * along[j]).sum::<f64>();
        let gain = (c_sigma * (2.0 - c_sigma) * mu_w).sqrt();
        for i in 0..n {
            path_s[i] = (1.0 - c_sigma) * path_s[i] + gain * whitened(i);
        }
        size[1] *= (1.0 - c_sigma) * (1.0 - c_sigma);
        let stretch = norm(path_s);
        let short = stretch / (1.0 - size[1]).sqrt() < (1.4 + 2.0 / (n as f64 + 1.0)) * length;
        let h = f64::from(u8::from(short));
        let gain = h * (c_c * (2.0 - c_c) * mu_w).sqrt();
        for i in 0..n {
            path_c[i] = (1.0 - c_c) * path_c[i] + gain * step[i];
        }
        let kept = 1.0 - c_1 - c_mu + (1.0 - h) * c_1 * c_c * (2.0 - c_c);
        for i in 0..n {
            for j in 0..n {
                let spread: f64 = weights.iter().zip(&steps).map(|(w, y)| w * y[i] * y[j]).sum();
                let entry = &mut covariance[i * n + j];
                *entry = kept * *entry + c_1 * path_c[i] * path_c[j] + c_mu * spread;
            }
        }
        for i in 0..n {
            mean[i] += size[0] * step[i];
        }
        size[0] *= libm::exp((c_sigma / d_sigma * (stretch / length - 1.0)).min(1.0));
    }

    fn favourite(&self, memory: &Memory) -> Vec<f64> {
        let [mean] = memory.values();
        mean.to_vec()
    }

    fn spread(&self, memory: &Memory) -> f64 {
        let [mean, covariance, _, _, size] = memory.values();
        let n = mean.len();
        size[0] * (0..n).map(|i| covariance[i * n + i]).fold(0.0, f64::max).sqrt()
    }

    fn takes_fresh_noise(&self) -> bool {
        true
    }
}
