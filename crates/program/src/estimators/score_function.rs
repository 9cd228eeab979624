//! Weighs the derivative of each draw's log-probability by how well its replicate did.
//!
//! p̄ = A · ∂ ln P(z)/∂p, with A the replicate's weighted loss after the draw minus the other replicates' mean.
//! Bernoulli: ∂ ln P/∂p = 1/p where z = 1, −1/(1 − p) where z = 0. Categorical: 1/pₖ for the class that came out.
//! Binomial: (z − n p)/(p(1 − p)). Poisson: z/λ − 1. What the draws do to later states is in A, so z̄ is not passed on.
//!
//! Unbiased for any loss of the replicates' mean outputs, whatever its dependence on z; the variance grows with the number of draws.
//!
//! References: Glynn 1990, doi:10.1145/84537.84552; Williams 1992, doi:10.1007/BF00992696; leave-one-out baseline:
//! Kool, van Hoof & Welling 2019.

use super::{Draw, Estimator};
use crate::counts::CountLaw;
use crate::graph::Graph;
use crate::op::{Comparison, Op, ValueId};

/// The score function (REINFORCE) with a leave-one-out baseline.
#[derive(Clone, Copy, Debug)]
pub struct ScoreFunction;

impl Estimator for ScoreFunction {
    fn name(&self) -> &'static str {
        "score-function"
    }

    fn bias(&self) -> &'static str {
        "unbiased for any loss where no draw has a probability of exactly 0 or 1, at which what might happen has no score; \
         its variance grows with the number of draws, so it needs many replicates"
    }

    fn bernoulli(&self, g: &mut Graph, draw: &Draw, p: ValueId, _bar: Option<ValueId>) -> Option<ValueId> {
        let advantage = g.push(Op::Advantage);
        Some(bernoulli(g, draw, p, advantage))
    }

    fn categorical(
        &self,
        g: &mut Graph,
        draw: &Draw,
        probabilities: &[ValueId],
        _bars: &[Option<ValueId>],
    ) -> Vec<Option<ValueId>> {
        let advantage = g.push(Op::Advantage);
        categorical(g, draw, probabilities, advantage)
    }

    fn count(
        &self,
        g: &mut Graph,
        outcome: ValueId,
        law: CountLaw,
        arguments: &[ValueId],
        _bar: Option<ValueId>,
    ) -> Vec<(ValueId, ValueId)> {
        let advantage = g.push(Op::Advantage);
        count(g, outcome, law, arguments, advantage)
    }

    fn needs_advantage(&self) -> bool {
        true
    }
}

/// p̄ of a Bernoulli draw whose outcome is worth `advantage`.
pub(super) fn bernoulli(g: &mut Graph, draw: &Draw, p: ValueId, advantage: ValueId) -> ValueId {
    let q = g.one_minus(p);
    let chance = g.select(draw.outcome, p, q);
    let slope = g.divide(advantage, chance);
    let minus = g.negate(slope);
    g.select(draw.outcome, slope, minus)
}

/// p̄ of each class of a categorical draw whose outcome is worth `advantage`.
pub(super) fn categorical(
    g: &mut Graph,
    draw: &Draw,
    probabilities: &[ValueId],
    advantage: ValueId,
) -> Vec<Option<ValueId>> {
    let (zero, one) = (g.constant(0.0), g.constant(1.0));
    let slopes = probabilities.iter().enumerate().map(|(k, p)| {
        let class = g.constant(k as f64);
        let chosen = g.compare(Comparison::Equal, draw.outcome, class);
        let chance = g.select(chosen, *p, one);
        let slope = g.divide(advantage, chance);
        Some(g.select(chosen, slope, zero))
    });
    slopes.collect()
}

/// What a number that counts, whose outcome is worth `advantage`, adds to the argument that it has a score by.
pub(super) fn count(
    g: &mut Graph,
    outcome: ValueId,
    law: CountLaw,
    arguments: &[ValueId],
    advantage: ValueId,
) -> Vec<(ValueId, ValueId)> {
    let score = law.score(g, outcome, arguments);
    let contribution = g.multiply(advantage, score);
    arguments.last().map(|last| (*last, contribution)).into_iter().collect()
}
