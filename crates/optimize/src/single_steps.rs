//! Measures the single steps of a fit from its course: how far they spread, whether they alternate, whether they lie at an end.

use crate::ended::{Ended, GROUPS};

/// The spectral density at the fastest frequency, beside that of independent steps, of steps that swing to and fro.
const ALTERNATES: f64 = 4.0;

/// The single steps of a scalar on the last part, in natural units, where they are averaged.
pub(crate) struct Steps {
    pub mean: f64,
    /// Their standard deviation.
    pub spread: f64,
    /// The share that lay at an end of the interval.
    pub at_end: f64,
    /// How many there are per group, how many groups, and the mean square of their means with the sign (−1)^step.
    per_group: f64,
    groups: usize,
    alternating: f64,
}

impl Steps {
    /// Nothing where there are too few.
    pub(crate) fn of(ended: &Ended<'_>, k: usize) -> Option<Steps> {
        let course = ended.course;
        let whole = course.whole();
        let last = ((whole as f64 * ended.share) as usize).min(whole);
        let steps = last as u64 * course.batch_length;
        let groups = ((steps / GROUPS as u64) as usize).min(GROUPS).min(last);
        if groups == 0 {
            return None;
        }
        let own = whole - last..whole;
        let mean_of = |of: &dyn Fn(usize) -> f64| own.clone().map(of).sum::<f64>() / last as f64;
        let mean = mean_of(&|b| course.value(b, k));
        let spread = (mean_of(&|b| course.square(b, k)) - mean * mean).max(0.0).sqrt();
        let group = |g: usize| {
            let own = whole - last + g * last / groups..whole - last + (g + 1) * last / groups;
            own.clone().map(|b| course.alternating(b, k, mean)).sum::<f64>() / own.len() as f64
        };
        let squares: f64 = (0..groups).map(|g| group(g).powi(2)).sum();
        Some(Steps {
            mean,
            spread,
            at_end: mean_of(&|b| course.at_end(b, k)),
            per_group: steps as f64 / groups as f64,
            groups,
            alternating: squares / groups as f64,
        })
    }

    /// Whether most of their variance goes with the sign (−1)^step. Of independent steps the ratio is 1, with the spread of
    /// χ²/n of n groups: with 8 groups more than 4 comes once in 10,000 times, with fewer more than half of the steps of a
    /// group (8 at least) once in 200.
    pub(crate) fn alternates(&self) -> bool {
        let ratio = self.per_group * self.alternating / (self.spread * self.spread);
        ratio > if self.groups >= GROUPS / 2 { ALTERNATES } else { 0.5 * self.per_group }
    }
}
