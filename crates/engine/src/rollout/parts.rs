//! Runs some blocks of a run alone, forwards or backwards, for whoever shares a run among machines.

use std::any::Any;
use std::ops::Range;

use crate::cpu::{Compiled, Pool};
use crate::kernels::Lane;
use crate::rollout::Rollout;
use crate::rollout::history::History;
use glauber_backend::EngineError;
use glauber_backend::Precision;
use glauber_backend::Run;
use glauber_backend::Simulation;
use glauber_backend::{BlockSum, Blocks, Remembered, Seen, Terms, Weights};

impl<'a, F: Lane> Rollout<'a, F> {
    /// Of some blocks alone; of those that there are not, of none.
    fn of_blocks(
        plan: &'a Compiled,
        pool: &'a Pool<F>,
        run: &'a Run<'a>,
        blocks: Range<usize>,
    ) -> Result<Rollout<'a, F>, EngineError> {
        let mut all = Rollout::new(plan, pool, run);
        let own = all.groups.get(blocks).filter(|own| !own.is_empty());
        all.groups = own.ok_or(EngineError::Broken("blocks were asked for that a run has not"))?.to_vec();
        Ok(all)
    }

    fn remember_blocks(&self) -> Result<Remembered, EngineError> {
        let (outputs, histories) = self.remembered()?;
        Ok(Remembered { outputs, states: Box::new(histories) })
    }

    /// What was kept of the way forwards, if it is of these blocks.
    fn checked<'s>(
        &self,
        states: &'s (dyn Any + Send + Sync),
        weights: &Weights,
    ) -> Result<&'s Vec<Vec<History<F>>>, EngineError> {
        let histories = states.downcast_ref::<Vec<Vec<History<F>>>>();
        let histories = histories.ok_or(EngineError::Broken("what was kept is of another precision"))?;
        let replicates = histories.iter().map(Vec::len).sum::<usize>();
        if replicates != self.replicates()
            || weights.mean.len() != self.width
            || weights.slopes.len() != self.width
        {
            return Err(EngineError::Broken("what was kept is of another run"));
        }
        Ok(histories)
    }

    fn terms_of(
        &self,
        Remembered { outputs, states }: &Remembered,
        weights: &Weights,
    ) -> Result<Option<Terms>, EngineError> {
        let slopes = Seen::new(weights, outputs, self.groups[0].start).slopes;
        self.terms_of_blocks(self.checked(&**states, weights)?, &slopes)
    }

    fn sums_of(
        &self,
        Remembered { outputs, states }: Remembered,
        (weights, terms): (&Weights, Option<&Terms>),
    ) -> Result<Vec<BlockSum>, EngineError> {
        self.checked(&*states, weights)?;
        if self.plan.codes.cone.is_some() && terms.is_none() {
            return Err(EngineError::Broken("the terms of all blocks are missing"));
        }
        let histories = states.downcast::<Vec<Vec<History<F>>>>();
        let histories =
            histories.map_err(|_| EngineError::Broken("what was kept is of another precision"))?;
        self.sums(*histories, &Seen::new(weights, &outputs, self.groups[0].start), terms)
    }
}

impl Blocks for Compiled {
    fn simulate(&self, run: &Run<'_>, blocks: Range<usize>) -> Result<Simulation, EngineError> {
        self.install(|| match self.options.precision {
            Precision::Single => Rollout::of_blocks(self, &self.single, run, blocks)?.simulate(None),
            Precision::Double => Rollout::of_blocks(self, &self.double, run, blocks)?.simulate(None),
        })
    }

    fn remember(&self, run: &Run<'_>, blocks: Range<usize>) -> Result<Remembered, EngineError> {
        self.install(|| match self.options.precision {
            Precision::Single => Rollout::of_blocks(self, &self.single, run, blocks)?.remember_blocks(),
            Precision::Double => Rollout::of_blocks(self, &self.double, run, blocks)?.remember_blocks(),
        })
    }

    fn needs_terms(&self) -> bool {
        self.codes.cone.is_some()
    }

    fn terms(
        &self,
        run: &Run<'_>,
        blocks: Range<usize>,
        remembered: &Remembered,
        weights: &Weights,
    ) -> Result<Option<Terms>, EngineError> {
        self.install(|| match self.options.precision {
            Precision::Single => {
                Rollout::of_blocks(self, &self.single, run, blocks)?.terms_of(remembered, weights)
            }
            Precision::Double => {
                Rollout::of_blocks(self, &self.double, run, blocks)?.terms_of(remembered, weights)
            }
        })
    }

    fn sums(
        &self,
        run: &Run<'_>,
        blocks: Range<usize>,
        remembered: Remembered,
        weights: (&Weights, Option<&Terms>),
    ) -> Result<Vec<BlockSum>, EngineError> {
        self.install(|| match self.options.precision {
            Precision::Single => {
                Rollout::of_blocks(self, &self.single, run, blocks)?.sums_of(remembered, weights)
            }
            Precision::Double => {
                Rollout::of_blocks(self, &self.double, run, blocks)?.sums_of(remembered, weights)
            }
        })
    }
}
