//! Keeps the states of a replicate's way forwards: all of them, or every k-th where they would outgrow the memory allowed.
//!
//! The layers of each step are kept in the smallest type of their range; the steps between kept states are run again,
//! with the same bits.

use std::ops::RangeInclusive;

use crate::kernels::Lane;
use crate::rollout::Rollout;
use crate::worker::{State, Worker};
use glauber_backend::EngineError;

/// What one replicate keeps of its way forwards: the states of steps 0, k, 2k …
pub(super) struct History<F> {
    pub(super) states: Vec<State<F>>,
    pub(super) interval: usize,
}

impl<F: Lane> Rollout<'_, F> {
    /// The distance between kept states: 1 where all fit the memory allowed.
    pub(super) fn interval(&self) -> Result<usize, EngineError> {
        let bytes = self.plan.bytes_per_state();
        let (steps, replicates) = (self.run.steps, self.replicates());
        let running = replicates.min(rayon::current_num_threads());
        let beside = self.bytes_of_baseline();
        let needed = |k: usize| {
            let again = if k == 1 { 0 } else { running * k };
            let states = replicates * (steps / k + 1) + again + 2 * running;
            bytes.saturating_mul(states).saturating_add(beside)
        };
        let allowed = self.plan.options.memory;
        let best = (((steps * replicates) as f64 / running as f64).sqrt().ceil() as usize).max(1);
        (1..=best).find(|k| needed(*k) <= allowed).ok_or_else(|| EngineError::Memory {
            model: self.plan.codes.declarations.model.clone(),
            steps,
            replicates,
            needed: needed(best),
            allowed,
        })
    }

    /// Runs one replicate forwards, keeping every `interval`-th state.
    pub(super) fn remember(
        &self,
        worker: &mut Worker<F>,
        replicate: usize,
        outputs: &mut [f64],
        interval: usize,
    ) -> Result<History<F>, EngineError> {
        let codes = &self.plan.codes;
        let mut state = self.begin(worker, replicate)?;
        self.observe(worker, &state, replicate, 0, outputs)?;
        let mut states = Vec::new();
        for step in 1..=self.run.steps {
            let mut next = worker.state(codes);
            self.advance(worker, &state, &mut next, replicate, step)?;
            if interval == 1 {
                worker.keep(codes, &mut state);
            }
            self.observe(worker, &next, replicate, step, outputs)?;
            let before = std::mem::replace(&mut state, next);
            if (step - 1) % interval == 0 {
                states.push(before);
            } else {
                worker.done_with(codes, before);
            }
        }
        if self.run.steps % interval == 0 {
            states.push(state);
        } else {
            worker.done_with(codes, state);
        }
        Ok(History { states, interval })
    }

    /// The states from a kept one, that of step `first`, up to that of step `last`.
    pub(super) fn restore(
        &self,
        worker: &mut Worker<F>,
        kept: State<F>,
        interval: usize,
        replicate: usize,
        steps: RangeInclusive<usize>,
    ) -> Result<Vec<State<F>>, EngineError> {
        let codes = &self.plan.codes;
        let (first, last) = (*steps.start(), *steps.end());
        if interval == 1 {
            return Ok(vec![kept]);
        }
        // The step beyond the stretch is run for what it makes on its way.
        let end = if codes.kept.is_empty() { last } else { (last + 1).min(self.run.steps) };
        let (mut stretch, mut state) = (Vec::new(), kept);
        for again in first + 1..=end {
            let mut next = worker.state(codes);
            self.advance(worker, &state, &mut next, replicate, again)?;
            worker.keep(codes, &mut state);
            stretch.push(std::mem::replace(&mut state, next));
        }
        if end > last {
            worker.done_with(codes, state);
        } else {
            stretch.push(state);
        }
        Ok(stretch)
    }
}
