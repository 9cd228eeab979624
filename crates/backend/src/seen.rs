//! Holds what a loss saw of all replicates, and what one replicate's outputs are worth against the others'.

use crate::blocks::Weights;

/// The outputs of some replicates with the slopes of the loss, per replicate.
pub struct Seen<'a> {
    /// \[replicate\]\[number\], from the replicate `first` on.
    outputs: &'a [f64],
    first: usize,
    /// How many replicates there are in all, and their mean.
    replicates: usize,
    mean: Vec<f64>,
    /// The loss's derivative by one replicate's outputs.
    pub slopes: Vec<f64>,
}

impl<'a> Seen<'a> {
    /// How all outputs count; `outputs` are those of the replicates from `first` on.
    pub fn new(weights: &Weights, outputs: &'a [f64], first: usize) -> Seen<'a> {
        let n = weights.replicates.max(1) as f64;
        let slopes = weights.slopes.iter().map(|s| s / n).collect();
        Seen { outputs, first, replicates: weights.replicates, mean: weights.mean.clone(), slopes }
    }

    /// Σ slope · (own output − mean of the other replicates' outputs) over some outputs.
    pub fn advantage(&self, replicate: usize, outputs: impl Iterator<Item = usize>) -> f64 {
        let n = self.replicates as f64;
        let own = &self.outputs[(replicate - self.first) * self.mean.len()..];
        outputs
            .map(|k| {
                let others = if n > 1.5 { (n * self.mean[k] - own[k]) / (n - 1.0) } else { 0.0 };
                self.slopes[k] * (own[k] - others)
            })
            .sum()
    }
}
