//! Keeps a fit's checkpoints: when one is due, and what is said where the disk refuses it.
//!
//! A checkpoint that cannot be written does not end a fit that could go on: it is noted, and tried again. Only a fit that
//! is interrupted fails for it, as nothing else would be left of it.

use crate::checkpoint::{self, CheckpointError, CheckpointPolicy, FitState, Identity};

/// After a refusal a checkpoint is tried again this many times as often.
const SOONER: u64 = 10;

/// The checkpoints of one fit.
pub(crate) struct Keeper {
    policy: Option<CheckpointPolicy>,
    identity: Identity,
    /// The step of the newest checkpoint.
    saved: Option<u64>,
    refusals: u64,
    first_refusal: Option<(u64, String)>,
    last_was_refused: bool,
}

impl Keeper {
    /// Nothing is kept yet.
    pub(crate) fn new(policy: Option<CheckpointPolicy>, identity: Identity) -> Keeper {
        Keeper { policy, identity, saved: None, refusals: 0, first_refusal: None, last_was_refused: false }
    }

    /// The state to begin with: that of a checkpoint where one is kept and to be resumed, else `blank`.
    pub(crate) fn resume(&self, blank: FitState, most_records: u64) -> Result<FitState, CheckpointError> {
        match &self.policy {
            None => Ok(blank),
            Some(policy) => policy.resume(&self.identity, blank, most_records),
        }
    }

    /// Keeps the state if it is time for it; what to tell a person, where the disk refused.
    pub(crate) fn keep_if_due(&mut self, state: &FitState) -> Option<String> {
        let every = self.policy.as_ref().map_or(0, |policy| policy.every);
        let every = if self.last_was_refused { every.div_ceil(SOONER) } else { every };
        let due = every > 0 && state.step > 0 && state.step.is_multiple_of(every);
        if due { self.keep(state) } else { None }
    }

    /// Keeps the state; what to tell a person, where the disk refused.
    pub(crate) fn keep(&mut self, state: &FitState) -> Option<String> {
        let error = self.save(state).err();
        let first = error.is_some() && !self.last_was_refused;
        self.last_was_refused = error.is_some();
        let words = error?.to_string();
        self.refusals += 1;
        self.first_refusal.get_or_insert((state.step, words.clone()));
        first.then(|| {
            format!("no checkpoint at step {}, the fit goes on and tries again: {words}", state.step)
        })
    }

    /// Keeps the state, or fails.
    pub(crate) fn save(&mut self, state: &FitState) -> Result<(), CheckpointError> {
        if let Some(policy) = &self.policy
            && self.saved != Some(state.step)
        {
            checkpoint::write(&policy.path, &self.identity, state)?;
            self.saved = Some(state.step);
        }
        Ok(())
    }

    /// What was refused, for the result's notes.
    pub(crate) fn note(&self) -> Option<String> {
        let (step, words) = self.first_refusal.as_ref()?;
        let times = if self.refusals == 1 { "once".to_string() } else { format!("{} times", self.refusals) };
        Some(match (self.last_was_refused, self.saved) {
            (false, _) => {
                format!("a checkpoint was refused {times}, first at step {step}, and written later: {words}")
            }
            (true, Some(saved)) => format!(
                "a checkpoint was refused {times}, first at step {step}; the last one written is of step {saved}: {words}"
            ),
            (true, None) => format!(
                "a checkpoint was refused {times}, first at step {step}, and none was written: {words}"
            ),
        })
    }
}
