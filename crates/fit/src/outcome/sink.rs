//! Says where a job keeps what it finds while it runs.

use glauber_optimize::checkpoint::CheckpointPolicy;
use glauber_tasks::formation::{Formation, FormationTest};

use super::formation::FormationTests;

/// Where a job keeps what it finds while it runs. `attempt` is a fit's name as part of a file's name.
pub trait Sink {
    /// When and where checkpoints of a fit are written; nothing for none.
    fn checkpoint(&self, attempt: &str) -> Option<CheckpointPolicy> {
        let _ = attempt;
        None
    }

    /// Whether a fit whose checkpoint cannot be resumed begins anew, the checkpoint thrown away; else it fails.
    fn begins_anew(&self, attempt: &str) -> bool {
        let _ = attempt;
        false
    }

    /// Keeps the formation tests of a fit, of which the last is new.
    ///
    /// # Errors
    /// What could not be kept, in words: it is noted, and no reason to lose the fit.
    fn keep_tests(&self, attempt: &str, tests: &FormationTests) -> Result<(), String> {
        let _ = (attempt, tests);
        Ok(())
    }

    /// The tests that an earlier run of a fit made, every so many steps, before the step at which it goes on.
    fn earlier_tests(&self, attempt: &str, test: &FormationTest, every: u64, first: u64) -> Vec<Formation> {
        let _ = (attempt, test, every, first);
        Vec::new()
    }
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unkept;

impl Sink for Unkept {}
