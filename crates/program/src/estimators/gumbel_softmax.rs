//! Takes a draw's derivative from a softened version of it, at the very noise that made the outcome.
//!
//! Bernoulli: p̄ = z̄ · y(1 − y) / (τ p(1 − p)) with y = σ((logit p + l)/τ) and l the logistic noise. The uniform number
//! u that decided z gives it: l = −logit u, for u < p exactly where logit p + l > 0.
//! Categorical: y = softmax((ln p + g)/τ), p̄ₖ = yₖ (z̄ₖ − Σ z̄ⱼ yⱼ) / (τ pₖ), with g the Gumbel noise given the outcome i:
//! −ln E for the outcome and −ln(Eⱼ/pⱼ + E) for the others, E and Eⱼ standard exponential.
//!
//! At τ = 1 these are rational: y(1 − y)/(p(1 − p)) = u(1 − u)/(p(1 − u) + (1 − p)u)², and yₖ = (1/dₖ)/Σ(1/dⱼ) with
//! dₖ = E or Eₖ/pₖ + E.
//!
//! Biased. With a pixel-wise squared error and τ = 1 a fit of the susceptible–infected model settles at 0.317 for a
//! true 0.3 and at 0.581 for a true 0.5; lowering τ makes it worse. With a loss on counts the bias all but vanishes.
//!
//! References: Jang, Gu & Poole 2017, arXiv:1611.01144; Maddison, Mnih & Teh 2017, arXiv:1611.00712; the conditional
//! noise: Maddison, Tarlow & Minka 2014, arXiv:1411.0030. Departure: probabilities are kept 2⁻²⁴ away from 0 and 1.

use super::{Draw, Estimator, away_from_zero, inside};
use crate::graph::Graph;
use crate::op::{Binary, ValueId};
use crate::unary::Unary;

/// Gumbel-softmax with a temperature τ > 0.
#[derive(Clone, Copy, Debug)]
pub struct GumbelSoftmax {
    /// τ.
    pub temperature: f64,
}

impl Estimator for GumbelSoftmax {
    fn name(&self) -> &'static str {
        "gumbel-softmax"
    }

    fn bias(&self) -> &'static str {
        "biased: with a pixel-wise squared error and temperature 1, susceptible-infected settles near 0.317 for a true \
         0.3 and near 0.581 for a true 0.5; lowering the temperature makes it worse"
    }

    fn bernoulli(&self, g: &mut Graph, draw: &Draw, p: ValueId, bar: Option<ValueId>) -> Option<ValueId> {
        let bar = bar?;
        let slope = bernoulli_slope(g, p, draw.uniform, self.temperature);
        Some(g.multiply(bar, slope))
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
        categorical_sample(g, draw, probabilities, bars, self.temperature, 0).into_iter().map(Some).collect()
    }
}

/// y(1 − y) / (τ p(1 − p)) at the uniform number u.
pub(super) fn bernoulli_slope(g: &mut Graph, p: ValueId, u: ValueId, temperature: f64) -> ValueId {
    let p = inside(g, p);
    let u = away_from_zero(g, u);
    let q = g.one_minus(p);
    let logit_p = logit(g, p, q);
    let rest = g.one_minus(u);
    if is_one(temperature) {
        let (for_one, for_zero) = (g.multiply(p, rest), g.multiply(q, u));
        let total = g.add(for_one, for_zero);
        let (bell, square) = (g.multiply(u, rest), g.multiply(total, total));
        return g.divide(bell, square);
    }
    let logit_u = logit(g, u, rest);
    let difference = g.subtract(logit_p, logit_u);
    let scaled = g.scale(1.0 / temperature, difference);
    let y = g.unary(Unary::Sigmoid, scaled);
    let y_rest = g.one_minus(y);
    let bell = g.multiply(y, y_rest);
    let variance = g.multiply(p, q);
    let ratio = g.divide(bell, variance);
    g.scale(1.0 / temperature, ratio)
}

/// At a temperature of 1 the powers of odds and weights are these themselves: no logarithm is needed.
fn is_one(temperature: f64) -> bool {
    temperature.to_bits() == 1.0f64.to_bits()
}

fn logit(g: &mut Graph, p: ValueId, q: ValueId) -> ValueId {
    let odds = g.divide(p, q);
    g.unary(Unary::Logarithm, odds)
}

/// p̄ of each class from one draw of the conditional Gumbel noise, the `sample`-th.
pub(super) fn categorical_sample(
    g: &mut Graph,
    draw: &Draw,
    probabilities: &[ValueId],
    bars: &[Option<ValueId>],
    temperature: f64,
    sample: u32,
) -> Vec<ValueId> {
    let classes = probabilities.len() as u32;
    let exponential = |g: &mut Graph, index: u32| {
        let u = draw.fresh(g, sample * (classes + 1) + index);
        let log = g.unary(Unary::Logarithm, u);
        g.negate(log)
    };
    let top = exponential(g, classes);
    // Of the perturbed log-probabilities hₖ = ln pₖ + gₖ, given which is the largest, dₖ = e^(−hₖ).
    let mut depths = Vec::new();
    for (k, p) in probabilities.iter().enumerate() {
        let p = inside(g, *p);
        let own = exponential(g, k as u32);
        let scaled = g.divide(own, p);
        let below = g.add(scaled, top);
        let class = g.constant(k as f64);
        let chosen = g.compare(crate::op::Comparison::Equal, draw.outcome, class);
        let depth = g.select(chosen, top, below);
        depths.push((p, depth));
    }
    let weights = weights(g, depths.iter().map(|(_, depth)| *depth).collect(), temperature);
    let mut total = g.constant(0.0);
    for weight in &weights {
        total = g.add(total, *weight);
    }
    let y: Vec<ValueId> = weights.into_iter().map(|w| g.divide(w, total)).collect();
    let mut mean_bar = g.constant(0.0);
    for (y, bar) in y.iter().zip(bars) {
        if let Some(bar) = bar {
            let term = g.multiply(*y, *bar);
            mean_bar = g.add(mean_bar, term);
        }
    }
    let zero = g.constant(0.0);
    let slopes = y.iter().zip(&depths).zip(bars).map(|((y, (p, _)), bar)| {
        let excess = g.subtract(bar.unwrap_or(zero), mean_bar);
        let product = g.multiply(*y, excess);
        let ratio = g.divide(product, *p);
        g.scale(1.0 / temperature, ratio)
    });
    slopes.collect()
}

/// (d₀/dₖ)^(1/τ), with d₀ the smallest, so that the largest weight is 1.
fn weights(g: &mut Graph, depths: Vec<ValueId>, temperature: f64) -> Vec<ValueId> {
    if is_one(temperature) {
        let mut least = depths[0];
        for depth in &depths[1..] {
            least = g.binary(Binary::Minimum, least, *depth);
        }
        return depths.into_iter().map(|depth| g.divide(least, depth)).collect();
    }
    let heights: Vec<ValueId> = depths
        .into_iter()
        .map(|depth| {
            let log = g.unary(Unary::Logarithm, depth);
            g.negate(log)
        })
        .collect();
    let mut highest = heights[0];
    for height in &heights[1..] {
        highest = g.binary(Binary::Maximum, highest, *height);
    }
    let weight = |height: ValueId| {
        let above = g.subtract(height, highest);
        let scaled = g.scale(1.0 / temperature, above);
        g.unary(Unary::Exponential, scaled)
    };
    heights.into_iter().map(weight).collect()
}
