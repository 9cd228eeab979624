//! Averages the last part of a fit's path, and says how far its noise still moves that average.
//!
//! θ̄ = (1/n) Σ θ_k over the last n steps: Polyak & Juditsky (1992), *Acceleration of stochastic approximation by
//! averaging*. With a constant rate and noisy gradients the iterates wander about the optimum; their mean does not.
//!
//! The Monte Carlo error of θ̄ is found from means of b consecutive iterates ("batch means": Glynn & Whitt 1991;
//! for stochastic descent Chen, Lee, Tong & Zhang 2020): the standard deviation of the batch means over the root of
//! their number. Batches are merged in pairs when they become [`MOST_BATCHES`], so b grows with n.
//! It is the error from the *simulation's* noise alone, not from the data's, and too small where the path is
//! correlated over more than a batch. θ is averaged in natural units.

/// The most batches kept; at least half as many are, once the average is long enough.
pub const MOST_BATCHES: usize = 64;
/// With fewer whole batches no error is given.
const FEWEST_BATCHES: usize = 16;

/// A running average of θ, with batch means for some of its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Average {
    /// Iterates so far.
    pub count: u64,
    /// Their sum, as long as θ.
    pub sum: Vec<f64>,
    /// Iterates per whole batch.
    pub batch_length: u64,
    /// Batch sums of the tracked numbers: whole batches one after the other, then the one that is being filled.
    pub batches: Vec<f64>,
    /// Which numbers of θ are tracked: the scalars.
    tracked: Vec<usize>,
}

impl Average {
    /// No iterate yet. Of θ's `length` numbers those at `tracked` get an error.
    pub fn new(length: usize, tracked: Vec<usize>) -> Average {
        let batches = vec![0.0; tracked.len()];
        Average { count: 0, sum: vec![0.0; length], batch_length: 1, batches, tracked }
    }

    /// Adds an iterate.
    pub fn add(&mut self, theta: &[f64]) {
        for (sum, value) in self.sum.iter_mut().zip(theta) {
            *sum += value;
        }
        self.count += 1;
        let width = self.tracked.len();
        let filling = self.batches.len() - width;
        for (sum, &index) in self.batches[filling..].iter_mut().zip(&self.tracked) {
            *sum += theta[index];
        }
        if self.count.is_multiple_of(self.batch_length) {
            if width > 0 && self.batches.len() / width == MOST_BATCHES {
                self.merge_pairs();
            }
            self.batches.extend(std::iter::repeat_n(0.0, width));
        }
    }

    fn merge_pairs(&mut self) {
        let width = self.tracked.len();
        let merged =
            self.batches.chunks(2 * width).flat_map(|pair| (0..width).map(|i| pair[i] + pair[width + i]));
        self.batches = merged.collect();
        self.batch_length *= 2;
    }

    /// The longest that `batches` ever is.
    pub fn most_batch_numbers(&self) -> usize {
        (MOST_BATCHES + 1) * self.tracked.len()
    }

    /// θ̄; `None` before the first iterate.
    pub fn mean(&self) -> Option<Vec<f64>> {
        (self.count > 0).then(|| self.sum.iter().map(|sum| sum / self.count as f64).collect())
    }

    /// The Monte Carlo error of each tracked number of θ̄; `None` while there are too few batches.
    pub fn error(&self) -> Option<Vec<f64>> {
        let width = self.tracked.len();
        let whole = self.batches.len().checked_div(width)?.saturating_sub(1);
        if whole < FEWEST_BATCHES {
            return None;
        }
        let error = |i: usize| {
            let means: Vec<f64> =
                (0..whole).map(|b| self.batches[b * width + i] / self.batch_length as f64).collect();
            let mean = means.iter().sum::<f64>() / whole as f64;
            let squares: f64 = means.iter().map(|m| (m - mean) * (m - mean)).sum();
            (squares / (whole - 1) as f64 / whole as f64).sqrt()
        };
        Some((0..width).map(error).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_the_mean_and_batches_stay_few() {
        let mut average = Average::new(2, vec![1]);
        assert_eq!(average.mean(), None);
        for k in 1..=1000 {
            average.add(&[f64::from(k), -f64::from(k)]);
        }
        assert_eq!(average.mean(), Some(vec![500.5, -500.5]));
        assert!(average.batches.len() <= MOST_BATCHES + 1 && average.batches.len() >= MOST_BATCHES / 2);
        let total: f64 = average.batches.iter().sum();
        assert!((total + 500_500.0).abs() < 1e-9, "every iterate is in one batch: {total}");
    }

    #[test]
    fn the_error_is_the_standard_error_for_independent_iterates() {
        // Uniform numbers from a linear congruential generator; standard error of their mean: 1 / sqrt(12 n).
        let mut x = 1u64;
        let n = 1 << 14;
        let mut average = Average::new(1, vec![0]);
        for _ in 0..n {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            average.add(&[(x >> 11) as f64 / (1u64 << 53) as f64]);
        }
        let exact = (1.0 / (12.0 * f64::from(n))).sqrt();
        let found = average.error().unwrap()[0];
        // With at least 31 batches the relative error of a standard deviation is 1/sqrt(2·30) = 0.13; z = 3.29 for a
        // false alarm of 0.001.
        assert!((found / exact - 1.0).abs() < 3.29 * 0.13, "{found} {exact}");
        assert_eq!(Average::new(3, vec![]).error(), None);
    }
}
