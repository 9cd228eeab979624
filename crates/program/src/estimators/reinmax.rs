//! Averages the derivative at the outcome and at the outcome's weight: the trapezoid rule over the draw's classes.
//!
//! Bernoulli: p̄ = z̄ / (2 P(z)), so each outcome's derivative counts one half on average, whatever p.
//! Categorical: p̄ₖ = z̄ₖ/2 + \[k came out\] (z̄ₖ − Σⱼ pⱼ z̄ⱼ) / (2 pₖ).
//!
//! Unbiased where the objective is at most quadratic in each draw given the others, as a squared displacement is; the
//! derivative by f(1) − f(0) is then exactly the mean of f′(0) and f′(1). Where outcomes enter the probabilities of
//! later draws, the products that arise are of higher degree and a bias remains.
//!
//! Reference: Liu, Dong, Liu, Yu & Gao 2023, *Bridging Discrete and Backpropagation: Straight-Through and Beyond*,
//! arXiv:2304.08612 (ReinMax; Heun's rule). Departure: written by probabilities instead of logits.

use super::{Draw, Estimator};
use crate::graph::Graph;
use crate::op::{Comparison, ValueId};

/// ReinMax, the second-order straight-through.
#[derive(Clone, Copy, Debug)]
pub struct ReinMax;

impl Estimator for ReinMax {
    fn name(&self) -> &'static str {
        "reinmax"
    }

    fn bias(&self) -> &'static str {
        "unbiased for losses at most quadratic in each draw given the others, such as squared displacements; of second \
         order otherwise; its variance grows where probabilities are near 0"
    }

    fn follows_draws(&self) -> bool {
        true
    }

    fn bernoulli(&self, g: &mut Graph, draw: &Draw, p: ValueId, bar: Option<ValueId>) -> Option<ValueId> {
        let bar = bar?;
        let q = g.one_minus(p);
        let chance = g.select(draw.outcome, p, q);
        let half = g.scale(0.5, bar);
        Some(g.divide(half, chance))
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
        let (zero, one) = (g.constant(0.0), g.constant(1.0));
        let mut mean = zero;
        for (p, bar) in probabilities.iter().zip(bars) {
            if let Some(bar) = bar {
                let term = g.multiply(*p, *bar);
                mean = g.add(mean, term);
            }
        }
        let slopes = probabilities.iter().zip(bars).enumerate().map(|(k, (p, bar))| {
            let bar = bar.unwrap_or(zero);
            let class = g.constant(k as f64);
            let chosen = g.compare(Comparison::Equal, draw.outcome, class);
            let chance = g.select(chosen, *p, one);
            let excess = g.subtract(bar, mean);
            let weighed = g.divide(excess, chance);
            let own = g.select(chosen, weighed, zero);
            let both = g.add(bar, own);
            Some(g.scale(0.5, both))
        });
        slopes.collect()
    }
}
