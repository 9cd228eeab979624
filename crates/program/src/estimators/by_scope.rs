//! Takes one estimator for the draws of single sites and another for draws that all sites of a replicate share.
//!
//! The two kinds differ in what suits them. There are many draws of single sites, each of little weight, which
//! straight-through serves well. A draw that all sites share (the direction in which a whole plane moves) weighs as much
//! as all of them together, and its straight-through derivative, taken as if the loss were linear in it, may point the
//! wrong way; a softened draw costs next to nothing there, as there is one for a whole lattice.
//!
//! Biased where either of the two is.
//!
//! ```
//! use glauber_program::estimators::{ByScope, Estimator, GumbelSoftmax, StraightThrough};
//! let estimator = ByScope { sites: Box::new(StraightThrough), shared: Box::new(GumbelSoftmax { temperature: 0.8 }) };
//! assert_eq!(estimator.name(), "by-scope");
//! ```

use super::{Draw, Estimator, LightCone};
use crate::counts::CountLaw;
use crate::graph::Graph;
use crate::op::{Rank, ValueId};
use crate::program::Program;

/// One estimator for each kind of draw.
#[derive(Debug)]
pub struct ByScope {
    /// For draws of single sites.
    pub sites: Box<dyn Estimator>,
    /// For draws that all sites of a replicate share.
    pub shared: Box<dyn Estimator>,
}

impl ByScope {
    fn of(&self, g: &Graph, draw: ValueId) -> &dyn Estimator {
        if g.rank(draw) == Rank::Site { &*self.sites } else { &*self.shared }
    }
}

impl Estimator for ByScope {
    fn name(&self) -> &'static str {
        "by-scope"
    }

    fn bias(&self) -> &'static str {
        "one estimator for draws of single sites, another for draws that all sites share: biased where either is"
    }

    fn bernoulli(&self, g: &mut Graph, draw: &Draw, p: ValueId, bar: Option<ValueId>) -> Option<ValueId> {
        self.of(g, draw.outcome).bernoulli(g, draw, p, bar)
    }

    fn categorical(
        &self,
        g: &mut Graph,
        draw: &Draw,
        probabilities: &[ValueId],
        bars: &[Option<ValueId>],
    ) -> Vec<Option<ValueId>> {
        self.of(g, draw.outcome).categorical(g, draw, probabilities, bars)
    }

    fn count(
        &self,
        g: &mut Graph,
        outcome: ValueId,
        law: CountLaw,
        arguments: &[ValueId],
        bar: Option<ValueId>,
    ) -> Vec<(ValueId, ValueId)> {
        self.of(g, outcome).count(g, outcome, law, arguments, bar)
    }

    fn forward(&self, program: &Program) -> Program {
        self.sites.forward(&self.shared.forward(program))
    }

    fn needs_advantage(&self) -> bool {
        self.sites.needs_advantage() || self.shared.needs_advantage()
    }

    fn follows_draws(&self) -> bool {
        self.sites.follows_draws() || self.shared.follows_draws()
    }

    fn light_cone(&self) -> Option<LightCone> {
        self.sites.light_cone()
    }
}
