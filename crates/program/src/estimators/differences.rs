//! Takes no derivative at all: runs the model at parameters on both sides, with the same noise.
//!
//! ∂E(loss)/∂θ ≈ (4 D(h) − D(2h))/3, D(h) = (L(θ + h) − L(θ − h))/2h, with the same random numbers everywhere; at an end of a
//! parameter's interval one-sided, (−11 L(θ) + 18 L(θ + h) − 9 L(θ + 2h) + 2 L(θ + 3h))/6h. Which h is the engine's business.
//!
//! Biased by a multiple of h⁴ (h³ at an end), which is small beside the noise. It asks for no derivative, so it works where
//! there is none: for rules that compare, and for sites that are updated one after another. Four runs for each parameter, whatever
//! the number of steps; it has none by fields and starting states, which are too many.
//!
//! Reference: common random numbers: Glasserman & Yao 1992, doi:10.1287/mnsc.38.6.884.

use super::{Draw, Estimator};
use crate::graph::Graph;
use crate::op::ValueId;

/// Central differences under common noise.
#[derive(Clone, Copy, Debug)]
pub struct Differences;

impl Estimator for Differences {
    fn name(&self) -> &'static str {
        "differences"
    }

    fn bias(&self) -> &'static str {
        "the difference of runs with the same noise on both sides of a parameter: biased by the fourth power of a small \
         step; four runs for each parameter, and no derivative is needed"
    }

    /// None: it is never asked.
    fn bernoulli(&self, _g: &mut Graph, _draw: &Draw, _p: ValueId, _bar: Option<ValueId>) -> Option<ValueId> {
        None
    }

    fn categorical(
        &self,
        _g: &mut Graph,
        _draw: &Draw,
        _probabilities: &[ValueId],
        bars: &[Option<ValueId>],
    ) -> Vec<Option<ValueId>> {
        vec![None; bars.len()]
    }

    fn by_differences(&self) -> bool {
        true
    }
}
