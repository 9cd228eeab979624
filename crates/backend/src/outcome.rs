//! Holds what runs give: numbers observed, states, gradients; and who sees states on the way.

/// The numbers observed in a run: for each replicate those of every event in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    /// \[replicate\]\[number\], flattened.
    pub values: Vec<f64>,
    /// Numbers per replicate.
    pub width: usize,
}

impl Outputs {
    /// The numbers of one replicate.
    pub fn replicate(&self, replicate: usize) -> &[f64] {
        &self.values[replicate * self.width..(replicate + 1) * self.width]
    }

    /// How many replicates there are.
    pub fn replicates(&self) -> usize {
        if self.width == 0 { 0 } else { self.values.len() / self.width }
    }

    /// The mean over replicates of every number.
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.width];
        for row in self.values.chunks_exact(self.width.max(1)) {
            for (sum, value) in mean.iter_mut().zip(row) {
                *sum += value;
            }
        }
        let n = self.replicates().max(1) as f64;
        mean.iter_mut().for_each(|m| *m /= n);
        mean
    }

    /// The standard error of every mean over replicates.
    pub fn standard_error(&self) -> Vec<f64> {
        let (mean, n) = (self.mean(), self.replicates() as f64);
        let mut squares = vec![0.0; self.width];
        for row in self.values.chunks_exact(self.width.max(1)) {
            for ((sum, value), mean) in squares.iter_mut().zip(row).zip(&mean) {
                *sum += (value - mean) * (value - mean);
            }
        }
        squares.into_iter().map(|s| (s / (n - 1.0).max(1.0) / n).sqrt()).collect()
    }
}

/// A state at one time: for each layer the dense numbers.
pub type Frame = Vec<Vec<f64>>;

/// What a run without gradient gives.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The numbers observed.
    pub outputs: Outputs,
    /// For each replicate its last state, unless the run does not want them.
    pub last: Vec<Frame>,
}

/// What a loss makes of the mean outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct LossValue {
    /// The loss.
    pub value: f64,
    /// Its derivative by each mean output.
    pub slopes: Vec<f64>,
}

/// What a run with gradient gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// The loss.
    pub value: f64,
    /// The derivative by each parameter.
    pub parameters: Vec<f64>,
    /// The derivative by each parameter field of the model, by name: one number per site.
    pub fields: Vec<(String, Vec<f64>)>,
    /// Where wanted: the derivative by the starting state, per replicate and layer (per state, one after another, for
    /// a layer of three or more named states).
    pub start: Vec<Frame>,
    /// The numbers observed.
    pub outputs: Outputs,
}

/// Sees states as they are made; called from several threads.
pub trait Recorder: Sync {
    /// Whether this step's state is wanted.
    fn wants(&self, step: usize) -> bool;
    /// A state: one dense field per layer.
    fn record(&self, replicate: usize, step: usize, layers: Frame);
}
