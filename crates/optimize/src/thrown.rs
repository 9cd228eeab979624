//! Tells a parameter that was thrown to an end of its interval from one that belongs there, by the loss, after any number of steps.
//!
//! A step too wide ends where the map is flat, and there a fit stays: the end looks like a finding. It is none where the loss is
//! far above what it was before, beyond its spread at the end, unless its slope points on outwards. Losses that are not lowest
//! where they are at rest ([`crate::objective::Objective::is_lowest_at_rest`]) grow with the chance that is left, of which an end
//! has none: for them as for the others twice what was before is too much.

use crate::ended::Ended;

/// How many times what it was before a loss at an end is that does not belong there.
const FAR_ABOVE: f64 = 2.0;
/// The same in standard deviations of the losses of the last part.
const SPREADS: f64 = 8.0;
/// The share of the records over which what was before is a mean.
const WINDOW: f64 = 0.05;

impl Ended<'_> {
    /// The loss before and on the last part, where the first is far below and scalar `k` lies at `end`.
    pub(crate) fn thrown(&self, k: usize, end: f64) -> Option<(f64, f64)> {
        let n = self.losses.len();
        // At least the start's is of before, where all is averaged.
        let last = ((n as f64 * self.share) as usize).clamp(1, n.saturating_sub(1).max(1));
        if n < 2 || self.losses.iter().any(|loss| !loss.is_finite()) || self.pulls_outwards(k, end) {
            return None;
        }
        let mean = |own: &[f64]| own.iter().sum::<f64>() / own.len() as f64;
        let (before, after) = self.losses.split_at(n - last);
        let window = ((n as f64 * WINDOW) as usize).clamp(1, before.len());
        // A single step too wide leaves one record of before: the start's.
        let lowest = before.windows(window).map(mean).fold(before[0], f64::min);
        let now = mean(after);
        let spread = after.iter().map(|loss| (loss - now).powi(2)).sum::<f64>() / after.len() as f64;
        let is_far = now > FAR_ABOVE * lowest && now - lowest > SPREADS * spread.sqrt();
        (lowest >= 0.0 && is_far).then_some((lowest, now))
    }

    /// Whether the loss falls, on the last part, from a scalar's end outwards, where it cannot go.
    fn pulls_outwards(&self, k: usize, end: f64) -> bool {
        let whole = self.course.whole();
        let last = ((whole as f64 * self.share) as usize).clamp(1, whole.max(1));
        let slope: f64 = (whole.saturating_sub(last)..whole).map(|b| self.course.slope(b, k)).sum();
        let is_lower = end.to_bits() == self.maps[k].interval().lowest.to_bits();
        if is_lower { slope > 0.0 } else { slope < 0.0 }
    }
}
