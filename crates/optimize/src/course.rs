//! Keeps the course of a noisy fit in some tens of means, and says whether its last part stood still.
//!
//! The steps are cut into batches, merged in pairs when they become too many, so that a fit of any length leaves some
//! hundred means of every parameter and of its slope. Of the last part (the averaged one, or the last fifth) sixteen
//! groups are made:
//!
//! * *it moved* where the means of the first eight and of the last eight differ by more than their spread allows
//!   (Student's t of 14 degrees of freedom beyond 5: a false alarm in 5,000 parameters at rest);
//! * *it was still pulled* where the mean slope is far from 0 beside its own spread and not small beside the largest of
//!   the whole course: a rate that fell too fast lets parameters stand where the loss still falls;
//! * *it stood* where neither is so; *nothing is known* of fits too short for sixteen groups.

use crate::objective::Interval;
use crate::verdict::end_of;

/// The most batches kept; at least half as many are, once the fit is long enough.
pub const MOST_BATCHES: usize = 256;
/// Groups of the last part.
const GROUPS: usize = 16;
/// Student's t that chance does not reach.
const FAR: f64 = 5.0;
/// The share of a parameter's size, or of its interval, that counts as a move.
const MOVE: f64 = 1e-4;
/// The shares of the largest slope that are none, and that are a pull.
const NO_PULL: f64 = 1e-3;
const PULL: f64 = 1e-2;

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

/// How the last part of a course was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rest {
    /// Every parameter stood, and nothing pulled.
    Stood,
    /// A parameter moved: its place among the scalars, and its means in the two halves.
    Moved(usize, f64, f64),
    /// The slope still pulled a parameter one way.
    Pulled(usize),
    /// Too few steps, or neither is clear.
    Unclear,
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

    /// How the last `share` of the steps was, for parameters in these intervals, which end at `theta`.
    pub(crate) fn rest(&self, share: f64, intervals: &[Interval], theta: &[f64]) -> Rest {
        let whole = (self.batches.len().checked_div(self.width).unwrap_or(0)).saturating_sub(1);
        let last = ((whole as f64 * share) as usize).min(whole);
        if last < GROUPS {
            return Rest::Unclear;
        }
        let scalars = self.width / 2;
        let mut clear = true;
        for k in (0..scalars).filter(|k| end_of(intervals[*k], theta[*k]).is_none()) {
            let course = self.groups(k, whole, last);
            let (first, second) = (Sample::of(&course[..GROUPS / 2]), Sample::of(&course[GROUPS / 2..]));
            let width = intervals[k].highest - intervals[k].lowest;
            let size = if width.is_finite() { theta[k].abs().min(width) } else { theta[k].abs() };
            let moved = (second.mean - first.mean).abs();
            if moved > FAR * first.error.hypot(second.error) && moved > MOVE * size {
                return Rest::Moved(k, first.mean, second.mean);
            }
            let slope = Sample::of(&self.groups(scalars + k, whole, last));
            let largest = (0..whole).map(|b| self.mean(b, scalars + k).abs()).fold(0.0, f64::max);
            let pull = slope.mean.abs();
            if pull > 2.0 * FAR * slope.error && pull > PULL * largest {
                return Rest::Pulled(k);
            }
            clear &= pull <= FAR * slope.error || pull <= NO_PULL * largest;
        }
        if clear { Rest::Stood } else { Rest::Unclear }
    }

    fn mean(&self, batch: usize, number: usize) -> f64 {
        self.batches[batch * self.width + number] / self.batch_length as f64
    }

    /// Means of one number over sixteen groups of the last whole batches.
    fn groups(&self, number: usize, whole: usize, last: usize) -> Vec<f64> {
        let of = |group: usize| {
            let at = |g: usize| whole - last + g * last / GROUPS;
            let range = at(group)..at(group + 1);
            let length = range.len() as f64;
            range.map(|b| self.mean(b, number)).sum::<f64>() / length
        };
        (0..GROUPS).map(of).collect()
    }
}

/// The mean of some numbers and its error.
struct Sample {
    mean: f64,
    error: f64,
}

impl Sample {
    fn of(numbers: &[f64]) -> Sample {
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
        Sample { mean, error: (squares / (n - 1.0) / n).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform in (−1, 1), a linear congruential generator.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        }
    }

    fn rest(steps: u32, share: f64, mut f: impl FnMut(u32) -> (f64, f64)) -> Rest {
        let mut course = Course::new(1);
        let mut end = 0.0;
        for k in 0..steps {
            let (x, slope) = f(k);
            course.add([x, slope].into_iter());
            end = x;
        }
        course.rest(share, &[Interval::unit()], &[end])
    }

    #[test]
    fn noise_about_a_point_is_rest() {
        for seed in 1..100 {
            let mut noise = Noise(seed);
            let found = rest(1000, 0.2, |_| (0.3 + 0.01 * noise.next(), noise.next()));
            assert_eq!(found, Rest::Stood, "seed {seed}");
        }
    }

    #[test]
    fn a_slow_drift_under_noise_is_seen() {
        let mut noise = Noise(1);
        let found = rest(2000, 0.5, |k| (0.3 + 1e-4 * f64::from(k) + 0.01 * noise.next(), noise.next()));
        assert!(matches!(found, Rest::Moved(0, a, b) if (b - a - 0.05).abs() < 0.002), "{found:?}");
    }

    #[test]
    fn a_frozen_fit_is_no_fit_at_rest() {
        // The rate fell to nothing long ago, and the loss still falls.
        let mut noise = Noise(1);
        assert_eq!(rest(2000, 0.2, |_| (0.7, 1.0 + noise.next())), Rest::Pulled(0));
        assert_eq!(rest(2000, 0.2, |_| (0.7, 1.0)), Rest::Pulled(0), "without noise too");
    }

    #[test]
    fn a_fit_without_noise_that_arrived_is_at_rest() {
        let arrives = |k: u32| (0.3 + 0.4 * (-0.05 * f64::from(k)).exp(), (-0.05 * f64::from(k)).exp());
        assert_eq!(rest(1000, 0.2, arrives), Rest::Stood);
        assert!(matches!(rest(100, 0.5, arrives), Rest::Moved(..)));
    }

    #[test]
    fn short_fits_tell_nothing_and_ends_are_left_out() {
        assert_eq!(rest(50, 0.2, |_| (0.3, 0.0)), Rest::Unclear);
        assert_eq!(rest(500, 0.2, |_| (0.0, 1.0)), Rest::Stood);
        assert_eq!(Course::new(0).rest(0.5, &[], &[]), Rest::Unclear);
    }

    #[test]
    fn batches_stay_few_and_lose_nothing() {
        let mut course = Course::new(1);
        (0..100_000).for_each(|k| course.add([f64::from(k), 1.0].into_iter()));
        assert!(course.may_hold(course.batches.len() as u64) && !course.may_hold(3));
        let total: f64 = course.batches.chunks(2).map(|pair| pair[1]).sum();
        assert!((total - 100_000.0).abs() < 1e-6, "{total}");
    }
}
