//! Decides whether a copy is made, from the change of cost d and a word of noise; two where the first leaves it open.
//!
//! The copy is made where a number u of 64 random bits is below p, so that p is met to 2⁻⁶⁴; the lower half is needed only
//! where the upper one equals that of p: once in 2³² attempts.
//!
//! u < p is d < L(u) with L = −ln u (Metropolis) or ln((1 − u) / u) (heat bath). L of the upper half alone, in single precision,
//! is a number known before d is, which spares the exponential: where d is farther from it than [`MARGIN`], u < p is
//! decided, and only one attempt in ten thousand is decided by p itself. The outcome is that of p, always.
//!
//! Why the margin is right: u lies within 2⁻³² above its upper half w. For 2¹⁶ ≤ w < 2³² − 2¹⁶ that changes L by at most
//! 2⁻³² (1/u + 1/(1 − u)) < 2⁻¹⁵; rounding w and two logarithms of at most 22.2, each right to 2⁻¹⁸ (three roundings of such a number), add less than 2⁻¹⁶.
//! Together that is below 2⁻¹⁴. Other words are left to p.

use glauber_numbers::elementary;
use glauber_numbers::real::Real;

use crate::energy::Acceptance;

const WORD: f64 = 4_294_967_296.0;

/// What is nearer to L is decided by p.
pub(crate) const MARGIN: f64 = 1.0 / 16384.0;

/// Words nearer than this to either end are left to p.
const NEAR_END: u32 = 1 << 16;

/// L of a word; NaN, which decides nothing, for a word near an end.
#[inline(always)]
pub(crate) fn level(acceptance: Acceptance, word: u32) -> f32 {
    const LN_2_31: f32 = 21.487_562;
    let level = match acceptance {
        Acceptance::Metropolis => LN_2_31 - logarithm(word),
        Acceptance::HeatBath => logarithm(!word) - logarithm(word),
    };
    let inside = word.wrapping_sub(NEAR_END) < 0_u32.wrapping_sub(2 * NEAR_END);
    f32::from_bits(level.to_bits() | if inside { 0 } else { f32::NAN.to_bits() })
}

/// ln of the upper 31 bits of a word that is not 0 or 1, since no vectors before AVX-512 convert unsigned integers.
///
/// ln(2ᵏ m) = k ln 2 + 2 artanh s with s = (m − 1) / (m + 1) and m in [√½, √2): |s| ≤ 0.172, and the series ends with s⁷,
/// below 3 · 10⁻⁸.
#[inline(always)]
fn logarithm(word: u32) -> f32 {
    let (m, k) = ((word >> 1) as i32 as f32).split_at_root_half();
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let series = 1.0 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0)));
    k * core::f32::consts::LN_2 + (s + s) * series
}

/// What a level says of a change of cost: `Some` where it is decided.
#[inline(always)]
pub(crate) fn decided(change: f64, level: f32) -> Option<bool> {
    let apart = f64::from(level) - change;
    if apart > MARGIN {
        Some(true)
    } else if apart < -MARGIN {
        Some(false)
    } else {
        None
    }
}

/// Whether a change of cost is accepted, by p; `more` gives the second word.
#[inline]
pub(crate) fn accepts(acceptance: Acceptance, change: f64, word: u32, more: impl FnOnce() -> u32) -> bool {
    let p = acceptance.probability(change);
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

impl Acceptance {
    /// With which probability a copy that changes the cost (in units of the temperature) by `change` is made.
    ///
    /// ```
    /// use glauber_cellular_potts::Acceptance;
    /// assert_eq!(Acceptance::Metropolis.probability(-1.0), 1.0);
    /// assert_eq!(Acceptance::HeatBath.probability(0.0), 0.5);
    /// ```
    pub fn probability(self, change: f64) -> f64 {
        match self {
            Acceptance::Metropolis if change <= 0.0 => 1.0,
            Acceptance::Metropolis => elementary::exp(-change),
            Acceptance::HeatBath => elementary::sigmoid(-change),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_numbers::noise::Key;

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
                let p = acceptance.probability(change);
                assert!(
                    (share - p).abs() <= 2_f64.powi(-63) + p * 1e-15,
                    "{acceptance:?} {change}: {share} {p}"
                );
            }
        }
    }

    /// What a level decides is what p decides, at the edge of the margin for words everywhere.
    #[test]
    fn levels_decide_as_probabilities_do() {
        let key = Key::new(1, 2, 3, 4, 5);
        let ends = (0..1 << 18).chain(u32::MAX - (1 << 18)..=u32::MAX);
        for acceptance in [Acceptance::Metropolis, Acceptance::HeatBath] {
            let mut open = 0;
            for word in ends.clone().chain((0..400_000).map(|i| key.word(i))) {
                let level = level(acceptance, word);
                if level.is_nan() {
                    open += 1;
                    assert_eq!(decided(0.0, level), None);
                    continue;
                }
                for apart in [-1.0, -1.01 * MARGIN, 1.01 * MARGIN, 0.5] {
                    let change = f64::from(level) + apart;
                    let found = decided(change, level).unwrap();
                    for more in [0, u32::MAX] {
                        assert_eq!(found, accepts(acceptance, change, word, || more), "{word} {change}");
                    }
                }
            }
            assert!((1 << 17..(1 << 17) + 100).contains(&open), "{open}");
        }
    }
}
