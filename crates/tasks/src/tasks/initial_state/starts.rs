//! Draws starting lattices from weights per site, and takes derivatives back into the weights.
//!
//! Sites alone: on with probability θ. A known number n: n sites by θ/Σθ each, with replacement (a site drawn twice
//! is on once); q = n θ/Σθ is then the expected number of draws per site.
//!
//! Straight-through: ∂/∂q is the derivative by the drawn start itself, between its being on and off. For n sites
//! ∂/∂θ_s = (n/Σθ)(∂/∂q_s − Σ_t (q_t/n) ∂/∂q_t).

use glauber_engine::FieldData;
use glauber_numbers::noise::{Key, Purpose, derive_seed, uniform};

/// How one layer starts.
pub(super) struct Starts<'a> {
    theta: &'a [f64],
    known: Option<usize>,
    sum: f64,
}

impl<'a> Starts<'a> {
    pub(super) fn new(theta: &'a [f64], known: Option<usize>) -> Starts<'a> {
        Starts { theta, known, sum: theta.iter().sum::<f64>().max(f64::MIN_POSITIVE) }
    }

    /// The expected number of draws per site.
    pub(super) fn probabilities(&self) -> Vec<f64> {
        match self.known {
            None => self.theta.to_vec(),
            Some(n) => self.theta.iter().map(|t| n as f64 * t / self.sum).collect(),
        }
    }

    /// One start per replicate.
    pub(super) fn draw(&self, seed: u64, layer: u32, replicates: usize) -> FieldData {
        let seed = derive_seed(seed, Purpose::InitialStateStarts, u64::from(layer));
        let sites = self.theta.len();
        let mut states = vec![0u8; sites * replicates];
        let mut running = Vec::new();
        if self.known.is_some() {
            let mut total = 0.0;
            running.extend(self.theta.iter().map(|t| {
                total += t;
                total
            }));
        }
        for (replicate, state) in states.chunks_exact_mut(sites).enumerate() {
            let key = Key::new(seed, replicate as u32, 0, 0, 0);
            match self.known {
                None => {
                    for (site, (on, p)) in state.iter_mut().zip(self.theta).enumerate() {
                        *on = u8::from(uniform::<f64>(key.word(site as u32)) < *p);
                    }
                }
                Some(n) => {
                    for draw in 0..n {
                        let level = uniform::<f64>(key.word(draw as u32)) * running[sites - 1];
                        state[running.partition_point(|r| *r <= level).min(sites - 1)] = 1;
                    }
                }
            }
        }
        FieldData::picked(states, (0..replicates as u32).collect())
    }

    /// ∂loss/∂θ from the derivatives of each replicate by its start: by every site's being off and being on, which
    /// are one and the same list where the derivative is by the site's value.
    pub(super) fn pull_back<'b>(
        &self,
        by_start: impl Iterator<Item = (&'b Vec<f64>, &'b Vec<f64>)>,
    ) -> Vec<f64> {
        let mut slopes = vec![0.0; self.theta.len()];
        for (off, on) in by_start {
            let by_value = std::ptr::eq(off, on);
            for (slope, (off, on)) in slopes.iter_mut().zip(off.iter().zip(on)) {
                *slope += if by_value { *on } else { on - off };
            }
        }
        let Some(n) = self.known else { return slopes };
        let mean: f64 = slopes.iter().zip(self.theta).map(|(g, t)| g * t / self.sum).sum();
        slopes.iter().map(|g| n as f64 / self.sum * (g - mean)).collect()
    }
}
