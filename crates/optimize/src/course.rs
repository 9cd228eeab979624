//! Keeps the course of a noisy fit in some tens of means, from which [`crate::rest`] tells whether it stood still.
//!
//! The steps are cut into batches, merged in pairs when they become too many, so that a fit of any length leaves some
//! hundred means of every parameter and of its slope.

/// The most batches kept; at least half as many are, once the fit is long enough.
pub const MOST_BATCHES: usize = 256;

/// Sums over batches of steps, of `width` numbers per step.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Numbers per step: the scalars of θ, then their slopes.
    width: usize,
    /// Steps so far.
    pub count: u64,
    /// Steps per whole batch.
    pub batch_length: u64,
    /// Whole batches one after the other, then the one that is being filled.
    pub batches: Vec<f64>,
}

impl Course {
    /// No step yet, of so many scalars.
    pub fn new(scalars: usize) -> Course {
        let width = 2 * scalars;
        Course { width, count: 0, batch_length: 1, batches: vec![0.0; width] }
    }

    /// Whether `batches` may ever be as long as this.
    pub fn may_hold(&self, length: u64) -> bool {
        let width = self.width as u64;
        let most = (MOST_BATCHES as u64 + 1) * width;
        length == width || (length > width && length <= most && length.is_multiple_of(width))
    }

    /// Adds a step: the scalars of θ and their slopes.
    pub fn add(&mut self, numbers: impl Iterator<Item = f64>) {
        if self.width == 0 {
            return;
        }
        let filling = self.batches.len() - self.width;
        self.batches[filling..].iter_mut().zip(numbers).for_each(|(sum, x)| *sum += x);
        self.count += 1;
        if self.count.is_multiple_of(self.batch_length) {
            if self.batches.len() / self.width == MOST_BATCHES {
                let width = self.width;
                let pairs = self.batches.chunks(2 * width);
                let merged = pairs.flat_map(|pair| (0..width).map(|i| pair[i] + pair[width + i]));
                self.batches = merged.collect();
                self.batch_length *= 2;
            }
            self.batches.extend(std::iter::repeat_n(0.0, self.width));
        }
    }

    /// How many numbers of θ it follows.
    pub(crate) fn scalars(&self) -> usize {
        self.width / 2
    }

    /// How many whole batches there are.
    pub(crate) fn whole(&self) -> usize {
        (self.batches.len().checked_div(self.width).unwrap_or(0)).saturating_sub(1)
    }

    /// The mean of a scalar in a batch.
    pub(crate) fn value(&self, batch: usize, scalar: usize) -> f64 {
        self.mean(batch, scalar)
    }

    /// The mean slope of a scalar in a batch.
    pub(crate) fn slope(&self, batch: usize, scalar: usize) -> f64 {
        self.mean(batch, self.scalars() + scalar)
    }

    fn mean(&self, batch: usize, number: usize) -> f64 {
        self.batches[batch * self.width + number] / self.batch_length as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_stay_few_and_lose_nothing() {
        let mut course = Course::new(1);
        (0..100_000).for_each(|k| course.add([f64::from(k), 1.0].into_iter()));
        assert!(course.may_hold(course.batches.len() as u64) && !course.may_hold(3));
        let total: f64 = course.batches.chunks(2).map(|pair| pair[1]).sum();
        assert!((total - 100_000.0).abs() < 1e-6, "{total}");
    }
}
