//! Cuts a job into pieces that can be done apart: the fit of each start, the fits of a bootstrap.
//!
//! Of a fit its last checkpoint comes back: from there it ends here at once, with the same bits, and writes and says what it
//! would have said.

use std::sync::atomic::{AtomicBool, Ordering};

use glauber_inference::apart::written;
use glauber_inference::bootstrap::BootstrapError;
use glauber_inference::likelihood::Stop;
use glauber_optimize::checkpoint::CheckpointPolicy;
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::observer::Observer;
use glauber_optimize::stopping::Stopped;

use super::{Job, RunError, errors};
use crate::fit_file::Piece;
use crate::outcome::Sink;

impl Job {
    /// Does one piece: the bytes that [`Pieces::done`](super::Pieces::done) gives for it.
    ///
    /// # Errors
    /// [`RunError`] as [`Job::run`]; where there is no such piece.
    pub fn piece(&mut self, piece: &Piece, interrupt: &AtomicBool) -> Result<Vec<u8>, RunError> {
        match piece {
            Piece::Attempt(number) => {
                let refused =
                    |e: std::io::Error| RunError::Piece(format!("its checkpoint could not be kept: {e}"));
                let folder = tempfile::tempdir().map_err(refused)?;
                let path = folder.path().join("checkpoint");
                let policy = CheckpointPolicy { path, every: 0, resume: false };
                Ok(self.attempt(*number, None, policy, interrupt)?.1)
            }
            Piece::DataSet { theta, number } => {
                let found = errors::resampling(&self.problem, theta)
                    .ok_or_else(|| RunError::Piece("this fit has no bootstrap".into()))?
                    .fit(*number, &|| interrupt.load(Ordering::Relaxed))
                    .map_err(|e| match e {
                        BootstrapError::Stop(Stop::Interrupted) => RunError::Interrupted,
                        other => RunError::Piece(other.to_string()),
                    })?;
                Ok(written(&found))
            }
        }
    }

    /// Runs the fit of a number: its result, and its last checkpoint.
    pub(super) fn attempt<'a>(
        &mut self,
        number: usize,
        observer: Option<&'a mut dyn Observer>,
        policy: CheckpointPolicy,
        interrupt: &'a AtomicBool,
    ) -> Result<(FitResult, Vec<u8>), RunError> {
        let missing = || RunError::Piece("there is no such fit".into());
        let attempt = self.attempts.get_mut(number).ok_or_else(missing)?;
        let path = policy.path.clone();
        let result = attempt.run(observer, Some(interrupt), Some(policy))?;
        if result.stopped == Stopped::Interrupted {
            return Err(RunError::Interrupted);
        }
        let bytes = std::fs::read(path);
        let bytes = bytes.map_err(|e| RunError::Piece(format!("its checkpoint could not be kept: {e}")))?;
        Ok((result, bytes))
    }

    /// The last checkpoints of fits that somebody ran elsewhere, by fit, each where it will be looked for; in a folder of
    /// their own where nothing is kept.
    pub(super) fn fitted_elsewhere(&self, sink: &dyn Sink, interrupt: &AtomicBool) -> Fitted {
        let mut fitted = Fitted { folder: None, policies: self.attempts.iter().map(|_| None).collect() };
        let Some(elsewhere) = &self.problem.file.given.pieces else { return fitted };
        // The formation tests of a fit watch its steps, which are elsewhere.
        let single = self.attempts.len() < 2 && !elsewhere.has_single_fits();
        if single || self.problem.file.run.formation_test.is_some() {
            return fitted;
        }
        let kept = |number: usize| sink.checkpoint(&self.attempts[number].file_name());
        // What an earlier run has begun goes on from there.
        let wanted: Vec<usize> = (0..self.attempts.len())
            .filter(|n| kept(*n).is_none_or(|policy| !policy.path.exists()))
            .collect();
        let pieces: Vec<Piece> = wanted.iter().copied().map(Piece::Attempt).collect();
        for (number, bytes) in wanted.into_iter().zip(elsewhere.done(&pieces, interrupt)) {
            let Some(bytes) = bytes else { continue };
            let policy = match kept(number) {
                Some(policy) => Some(CheckpointPolicy { resume: true, ..policy }),
                None => fitted.policy(number),
            };
            // A fit whose checkpoint cannot be written runs here.
            fitted.policies[number] = policy.filter(|policy| std::fs::write(&policy.path, bytes).is_ok());
        }
        fitted
    }
}

/// Where the checkpoints of fits are that were run elsewhere.
pub(super) struct Fitted {
    folder: Option<tempfile::TempDir>,
    policies: Vec<Option<CheckpointPolicy>>,
}

impl Fitted {
    fn policy(&mut self, number: usize) -> Option<CheckpointPolicy> {
        if self.folder.is_none() {
            self.folder = tempfile::tempdir().ok();
        }
        let path = self.folder.as_ref()?.path().join(format!("checkpoint-{number}"));
        Some(CheckpointPolicy { path, every: 0, resume: true })
    }

    /// Where the checkpoint of a fit is, if it was run elsewhere.
    pub(super) fn of(&self, number: usize) -> Option<CheckpointPolicy> {
        self.policies.get(number).cloned().flatten()
    }
}
