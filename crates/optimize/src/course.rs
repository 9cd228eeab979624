//! Keeps the course of a noisy fit in some tens of means, from which [`crate::rest`] tells whether it stood still.
//!
//! The steps are cut into batches, merged in pairs when they become too many, so that a fit of any length leaves some
//! hundred means of every parameter and of its slope.

/// The most batches kept; at least half as many are, once the fit is long enough.
pub const MOST_BATCHES: usize = 256;

/// Numbers that are summed per scalar.
const PER_SCALAR: usize = 5;

/// Sums over batches of steps, of [`PER_SCALAR`] numbers per scalar and step.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Numbers per step: the scalars of θ, their slopes, their squares, their values with the sign (−1)^step, and whether they
    /// lie at an end of their interval (1 or 0).
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
        let width = PER_SCALAR * scalars;
        Course { width, count: 0, batch_length: 1, batches: vec![0.0; width] }
    }

    /// Whether `batches` may ever be as long as this.
    pub fn may_hold(&self, length: u64) -> bool {
        let width = self.width as u64;
        let most = (MOST_BATCHES as u64 + 1) * width;
        length == width || (length > width && length <= most && length.is_multiple_of(width))
    }

    /// Adds a step: the scalars of θ, their slopes, and whether each lies at an end of its interval. Of no scalars, or of
    /// others than it follows, it keeps nothing.
    pub fn add(&mut self, values: &[f64], slopes: &[f64], at_end: &[bool]) {
        let n = self.scalars();
        if n == 0 || [values.len(), slopes.len(), at_end.len()] != [n; 3] {
            return;
        }
        let sign = if self.count.is_multiple_of(2) { 1.0 } else { -1.0 };
        let filling = self.batches.len() - self.width;
        let sums = &mut self.batches[filling..];
        for k in 0..n {
            let numbers = [
                values[k],
                slopes[k],
                values[k] * values[k],
                sign * values[k],
                f64::from(u8::from(at_end[k])),
            ];
            numbers.into_iter().enumerate().for_each(|(kind, x)| sums[kind * n + k] += x);
        }
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
        self.width / PER_SCALAR
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

    /// The mean square of a scalar in a batch.
    pub(crate) fn square(&self, batch: usize, scalar: usize) -> f64 {
        self.mean(batch, 2 * self.scalars() + scalar)
    }

    /// The mean of a scalar in a batch with the sign (−1)^step, of what it lies off `centre`.
    pub(crate) fn alternating(&self, batch: usize, scalar: usize, centre: f64) -> f64 {
        // A batch of several steps has as many of either sign.
        let signs = match self.batch_length {
            1 if batch.is_multiple_of(2) => 1.0,
            1 => -1.0,
            _ => 0.0,
        };
        self.mean(batch, 3 * self.scalars() + scalar) - signs * centre
    }

    /// The share of the steps of a batch in which a scalar lay at an end of its interval.
    pub(crate) fn at_end(&self, batch: usize, scalar: usize) -> f64 {
        self.mean(batch, 4 * self.scalars() + scalar)
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
        (0..100_000).for_each(|k| course.add(&[f64::from(k)], &[1.0], &[k % 2 == 0]));
        assert!(course.may_hold(course.batches.len() as u64) && !course.may_hold(3));
        let total: f64 = course.batches.chunks(PER_SCALAR).map(|own| own[1]).sum();
        assert!((total - 100_000.0).abs() < 1e-6, "{total}");
        // Of a line the even and the odd steps of a batch differ by its slope; at an end it was every second time.
        assert!(
            (course.alternating(3, 0, 0.0) + 0.5).abs() < 1e-9 && (course.at_end(3, 0) - 0.5).abs() < 1e-9
        );
        assert!(course.square(0, 0) > course.value(0, 0) * course.value(0, 0));
    }
}
