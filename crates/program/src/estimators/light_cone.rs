//! Weighs the derivative of each draw's log-probability by what the draw can still change of the loss.
//!
//! p̄ₛ = Aₛ · ∂ ln P(zₛ)/∂p, with Aₛ = Σ over later times of observation and over sites within the draw's light cone of
//! (the site's term of the loss − its mean over the other replicates). The cone of a draw at site s is what the rule's
//! reach lets it touch in the steps that are left: the rest of the loss does not depend on the draw, and its product with
//! the score has mean 0. ∂ ln P/∂p is that of the [score function](super::ScoreFunction).
//!
//! Draws that all sites share, and numbers that are no sums of terms of single sites, take the replicate's whole lead.
//!
//! Unbiased, like the score function, for any loss of the replicates' mean outputs: what it leaves out is noise. The noise
//! grows with the number of draws in a cone, not in the lattice. With a `radius` the cone is cut off there, which is less
//! noise still, and biased by what lies beyond.
//!
//! References: the score function as there; leaving out what an action cannot influence: Baxter & Bartlett 2001,
//! doi:10.1613/jair.806, in time; here in space too.

use super::{Draw, Estimator, score_function};
use crate::counts::CountLaw;
use crate::graph::Graph;
use crate::op::{Op, Rank, ValueId};

/// The score function within light cones.
#[derive(Clone, Copy, Debug, Default)]
pub struct LightCone {
    /// The farthest that is looked, in sites; nothing where the whole cone is.
    pub radius: Option<u32>,
}

/// The lead that a draw's score is weighed by.
fn lead(g: &mut Graph, noise: Rank) -> ValueId {
    g.push(if noise == Rank::Site { Op::LocalAdvantage } else { Op::Advantage })
}

impl Estimator for LightCone {
    fn name(&self) -> &'static str {
        "light-cone"
    }

    fn bias(&self) -> &'static str {
        match self.radius {
            None => {
                "unbiased for any loss where no draw has a probability of exactly 0 or 1, at which what might happen has no \
                 score; its variance grows with the number of draws within reach of a site, so it needs some replicates"
            }
            Some(_) => {
                "biased by what a draw changes beyond the `radius`; without one it is unbiased and has more variance"
            }
        }
    }

    fn bernoulli(&self, g: &mut Graph, draw: &Draw, p: ValueId, _bar: Option<ValueId>) -> Option<ValueId> {
        let lead = lead(g, draw.rank);
        Some(score_function::bernoulli(g, draw, p, lead))
    }

    fn categorical(
        &self,
        g: &mut Graph,
        draw: &Draw,
        probabilities: &[ValueId],
        _bars: &[Option<ValueId>],
    ) -> Vec<Option<ValueId>> {
        let lead = lead(g, draw.rank);
        score_function::categorical(g, draw, probabilities, lead)
    }

    fn count(
        &self,
        g: &mut Graph,
        outcome: ValueId,
        law: CountLaw,
        arguments: &[ValueId],
        _bar: Option<ValueId>,
    ) -> Vec<(ValueId, ValueId)> {
        let noise = match g.instruction(outcome).op {
            Op::Count { rank, .. } => rank,
            _ => g.rank(outcome),
        };
        let lead = lead(g, noise);
        score_function::count(g, outcome, law, arguments, lead)
    }

    fn needs_advantage(&self) -> bool {
        true
    }

    fn light_cone(&self) -> Option<LightCone> {
        Some(*self)
    }
}
