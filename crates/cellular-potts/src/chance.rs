//! Decides whether a copy is made, from the change of cost and one word of noise; two where the first leaves it open.
//!
//! The copy is made where a number of 64 random bits is below p · 2⁶⁴, so that p is met to 2⁻⁶⁴. Its lower half is needed only
//! where the upper one equals that of p · 2⁶⁴: once in 2³² attempts.

use glauber_numbers::elementary;

use crate::energy::Acceptance;

const WORD: f64 = 4_294_967_296.0;

/// Whether a change of cost is accepted; `more` gives the second word.
#[inline(always)]
pub(crate) fn accepts(acceptance: Acceptance, change: f64, word: u32, more: impl FnOnce() -> u32) -> bool {
    let p = probability(acceptance, change);
    if p >= 1.0 {
        return true;
    }
    // Exact: a product by a power of two, a floor, and a difference of near numbers.
    let scaled = p * WORD;
    let upper = scaled as u32;
    if word != upper {
        return word < upper;
    }
    f64::from(more()) < (scaled - f64::from(upper)) * WORD
}

/// With which probability a change of cost is accepted.
#[inline(always)]
pub(crate) fn probability(acceptance: Acceptance, change: f64) -> f64 {
    match acceptance {
        Acceptance::Metropolis if change <= 0.0 => 1.0,
        Acceptance::Metropolis => elementary::exp(-change),
        Acceptance::HeatBath => elementary::sigmoid(-change),
    }
}

impl Acceptance {
    /// With which probability a copy that changes the cost (in units of the temperature) by `change` is made.
    ///
    /// ```
    /// use glauber_cellular_potts::Acceptance;
    /// assert_eq!(Acceptance::Metropolis.probability(-1.0), 1.0);
    /// assert_eq!(Acceptance::HeatBath.probability(0.0), 0.5);
    /// ```
    pub fn probability(self, change: f64) -> f64 {
        probability(self, change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that are accepted, counted by bisection, are p of all pairs of words.
    #[test]
    fn probabilities_are_met() {
        for acceptance in [Acceptance::Metropolis, Acceptance::HeatBath] {
            for change in [-50.0, -3.0, 0.0, 1e-12, 0.1, 0.7, 3.0, 20.0, 30.0, 43.0] {
                let accepted =
                    |whole: u64| accepts(acceptance, change, (whole >> 32) as u32, || whole as u32);
                let (mut low, mut high) = (0, u64::MAX);
                while low < high {
                    let middle = low + (high - low) / 2;
                    if accepted(middle) { low = middle + 1 } else { high = middle }
                }
                let share = low as f64 * 2_f64.powi(-64);
                let p = probability(acceptance, change);
                assert!(
                    (share - p).abs() <= 2_f64.powi(-63) + p * 1e-15,
                    "{acceptance:?} {change}: {share} {p}"
                );
            }
        }
    }
}
