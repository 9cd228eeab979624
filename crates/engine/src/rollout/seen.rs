//! Holds what a loss saw of all replicates, and what one replicate's outputs are worth against the others'.

use crate::outcome::Outputs;

/// The outputs with the slopes of the loss, per replicate.
pub(super) struct Seen<'a> {
    outputs: &'a Outputs,
    mean: Vec<f64>,
    /// The loss's derivative by one replicate's outputs.
    pub(super) slopes: Vec<f64>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(outputs: &'a Outputs, slopes: &[f64]) -> Seen<'a> {
        let n = outputs.replicates().max(1) as f64;
        Seen { outputs, mean: outputs.mean(), slopes: slopes.iter().map(|s| s / n).collect() }
    }

    /// Σ slope · (own output − mean of the other replicates' outputs) over some outputs.
    pub(super) fn advantage(&self, replicate: usize, outputs: impl Iterator<Item = usize>) -> f64 {
        let n = self.outputs.replicates() as f64;
        let own = self.outputs.replicate(replicate);
        outputs
            .map(|k| {
                let others = if n > 1.5 { (n * self.mean[k] - own[k]) / (n - 1.0) } else { 0.0 };
                self.slopes[k] * (own[k] - others)
            })
            .sum()
    }
}
