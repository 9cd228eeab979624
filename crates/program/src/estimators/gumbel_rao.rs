//! Averages the Gumbel-softmax derivative over K noises drawn given the outcome.
//!
//! p̄ = (1/K) Σₖ of Gumbel-softmax's p̄ at noise k. Bernoulli: uₖ is uniform in [0, p) where z = 1, in [p, 1) where z = 0.
//!
//! Same mean, so the same bias, as Gumbel-softmax of that temperature; less variance.
//!
//! Reference: Paulus, Maddison & Krause 2021, arXiv:2010.04838.

use super::gumbel_softmax::{bernoulli_slope, categorical_sample};
use super::{Draw, Estimator};
use crate::graph::Graph;
use crate::op::ValueId;

/// Gumbel–Rao with a temperature τ > 0 and K ≥ 1 samples.
#[derive(Clone, Copy, Debug)]
pub struct GumbelRao {
    /// τ.
    pub temperature: f64,
    /// K.
    pub samples: u32,
}

impl Estimator for GumbelRao {
    fn name(&self) -> &'static str {
        "gumbel-rao"
    }

    fn bias(&self) -> &'static str {
        "biased like gumbel-softmax of the same temperature, with less variance"
    }

    fn bernoulli(&self, g: &mut Graph, draw: &Draw, p: ValueId, bar: Option<ValueId>) -> Option<ValueId> {
        let bar = bar?;
        let q = g.one_minus(p);
        let mut sum = g.constant(0.0);
        for k in 0..self.samples {
            let v = draw.fresh(g, k);
            let below = g.multiply(v, p);
            let height = g.multiply(v, q);
            let above = g.add(p, height);
            let u = g.select(draw.outcome, below, above);
            let slope = bernoulli_slope(g, p, u, self.temperature);
            sum = g.add(sum, slope);
        }
        let mean = g.scale(1.0 / f64::from(self.samples), sum);
        Some(g.multiply(bar, mean))
    }

    fn categorical(
        &self,
        g: &mut Graph,
        draw: &Draw,
        probabilities: &[ValueId],
        bars: &[Option<ValueId>],
    ) -> Vec<Option<ValueId>> {
        if bars.iter().all(Option::is_none) {
            return vec![None; bars.len()];
        }
        let zero = g.constant(0.0);
        let mut sums = vec![zero; bars.len()];
        for k in 0..self.samples {
            let sample = categorical_sample(g, draw, probabilities, bars, self.temperature, k);
            for (sum, slope) in sums.iter_mut().zip(sample) {
                *sum = g.add(*sum, slope);
            }
        }
        sums.into_iter().map(|s| Some(g.scale(1.0 / f64::from(self.samples), s))).collect()
    }
}
