//! Runs a fit from several starts and picks the best.
//!
//! Best is the least [smoothed final loss](FitResult::smoothed_loss); a fit that diverged or was interrupted comes
//! after all that ended well. All results are kept.

use crate::control::FitError;
use crate::fit_result::FitResult;
use crate::stopping::Stopped;

/// The results from several starts.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiStart {
    /// One per start that was run, in order.
    pub results: Vec<FitResult>,
    /// Which is the best.
    pub best: usize,
}

impl MultiStart {
    /// Picks the best of results that were computed elsewhere, in parallel say; `None` of none.
    pub fn choose(results: Vec<FitResult>) -> Option<MultiStart> {
        let best = MultiStart::best_of(results.iter())?;
        Some(MultiStart { results, best })
    }

    /// The number of the best of some results; `None` of none.
    pub fn best_of<'r>(results: impl Iterator<Item = &'r FitResult>) -> Option<usize> {
        let rank = |result: &FitResult| {
            let ended = !matches!(result.stopped, Stopped::Diverged { .. } | Stopped::Interrupted);
            let loss = result.smoothed_loss();
            (!ended || loss.is_nan(), loss)
        };
        let ranks = results.map(rank).enumerate();
        let best = ranks.min_by(|(_, (late_a, loss_a)), (_, (late_b, loss_b))| {
            late_a.cmp(late_b).then(loss_a.total_cmp(loss_b))
        });
        best.map(|(number, _)| number)
    }

    /// Runs one start after the other; `run` gets each start's number and values. Ends early where one is
    /// interrupted. `None` for no starts.
    ///
    /// # Errors
    /// The first error of `run`.
    pub fn run(
        starts: &[Vec<f64>],
        mut run: impl FnMut(usize, &[f64]) -> Result<FitResult, FitError>,
    ) -> Result<Option<MultiStart>, FitError> {
        let mut results = Vec::with_capacity(starts.len());
        for (number, start) in starts.iter().enumerate() {
            let result = run(number, start)?;
            let interrupted = result.stopped == Stopped::Interrupted;
            results.push(result);
            if interrupted {
                break;
            }
        }
        Ok(MultiStart::choose(results))
    }

    /// The best result.
    pub fn best(&self) -> &FitResult {
        &self.results[self.best]
    }
}
