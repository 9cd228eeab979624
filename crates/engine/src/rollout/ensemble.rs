//! Keeps replicates in their planes from one stretch of a process to the next.

use glauber_backend::{EngineError, Ensemble, Outputs, Run};
use rayon::prelude::*;

use crate::cpu::{Compiled, Pool};
use crate::kernels::Lane;
use crate::rollout::{Rollout, in_order};
use crate::worker::State;

/// The states in which replicates stand, and those of before, whose memory is used again.
pub(super) struct Standing<'a, F: Lane> {
    plan: &'a Compiled,
    pool: &'a Pool<F>,
    states: Vec<State<F>>,
    before: Vec<State<F>>,
}

impl<'a, F: Lane> Standing<'a, F> {
    pub(super) fn new(plan: &'a Compiled, pool: &'a Pool<F>) -> Standing<'a, F> {
        Standing { plan, pool, states: Vec::new(), before: Vec::new() }
    }
}

impl<F: Lane> Rollout<'_, F> {
    /// Runs all replicates into `to`, from the start or from where those stand that each has picked.
    fn carry(
        &self,
        from: Option<(&[State<F>], &[u32])>,
        to: &mut [State<F>],
    ) -> Result<Outputs, EngineError> {
        let mut values = vec![0.0; self.replicates() * self.width];
        let mut rows: Vec<_> = self.rows(&mut values).into_iter().zip(to).collect();
        let one = |(group, rows): (std::ops::Range<usize>, &mut [(&mut [f64], &mut State<F>)])| {
            let mut worker = self.worker(false)?;
            for (replicate, (row, to)) in group.zip(rows) {
                let own = std::mem::take(*to);
                let state = match from {
                    None => self.begin(&mut worker, replicate)?,
                    Some((states, picks)) => copied(&states[picks[replicate] as usize], own),
                };
                **to = self.onwards(&mut worker, state, replicate, row, None)?;
            }
            self.give_back(worker);
            Ok(())
        };
        let work = self.divide(&mut rows);
        in_order(work.into_par_iter().map(one).collect())?;
        Ok(Outputs { values, width: self.width })
    }
}

/// The same state, in the memory of another.
fn copied<F: Lane>(state: &State<F>, mut into: State<F>) -> State<F> {
    if into.len() != state.len() {
        return state.clone();
    }
    into.iter_mut().zip(state).for_each(|(to, from)| to.copy_from(from));
    into
}

impl<F: Lane> Ensemble for Standing<'_, F> {
    fn advance(&mut self, run: &Run<'_>, picks: Option<&[u32]>) -> Result<Outputs, EngineError> {
        let Standing { plan, pool, states, before } = self;
        let last = std::mem::take(states);
        let fits = |picks: &[u32]| {
            picks.len() == run.replicates && picks.iter().all(|pick| (*pick as usize) < last.len())
        };
        if picks.is_some_and(|picks| !fits(picks)) {
            return Err(EngineError::Broken("replicates go on that stand nowhere"));
        }
        let mut to = std::mem::take(before);
        to.resize_with(run.replicates, Vec::new);
        let outputs = plan.install(|| {
            Rollout::new(plan, pool, run).carry(picks.map(|picks| (&last[..], picks)), &mut to)
        })?;
        (*states, *before) = (to, last);
        Ok(outputs)
    }

    fn layer(&self, replicate: usize, layer: usize) -> Vec<f64> {
        self.states[replicate][layer].dense(&self.plan.codes.layout)
    }
}
