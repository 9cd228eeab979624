//! Passes the derivative by a draw's outcome on to its probability unchanged.
//!
//! p̄ = z̄; for a categorical draw p̄ₖ is the derivative by "the outcome is class k".
//!
//! Unbiased where the objective is linear in each draw given the others. For a loss quadratic in independent z its
//! mean is the gradient of the loss *of the means*, so a fit by it is consistent. It is not the gradient of the mean
//! loss: E(z − x)² has the derivative 1 − 2x by p, straight-through gives 2(p − x).
//!
//! Reference: Bengio, Léonard & Courville 2013, arXiv:1308.3432.

use super::{Draw, Estimator};
use crate::graph::Graph;
use crate::op::ValueId;

/// Straight-through: p̄ = z̄.
#[derive(Clone, Copy, Debug)]
pub struct StraightThrough;

impl Estimator for StraightThrough {
    fn name(&self) -> &'static str {
        "straight-through"
    }

    fn bias(&self) -> &'static str {
        "unbiased for losses linear in each draw; for a squared error its mean is the gradient of the error of the \
         means, whose minimum is at the true parameters"
    }

    fn bernoulli(&self, _g: &mut Graph, _draw: &Draw, _p: ValueId, bar: Option<ValueId>) -> Option<ValueId> {
        bar
    }

    fn categorical(
        &self,
        _g: &mut Graph,
        _draw: &Draw,
        _probabilities: &[ValueId],
        bars: &[Option<ValueId>],
    ) -> Vec<Option<ValueId>> {
        bars.to_vec()
    }
}
