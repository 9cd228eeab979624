//! Draws binomial and Poisson numbers exactly, by inversion in pieces.
//!
//! A sum of independent binomials of one p is binomial, and of Poissons is Poisson; so a draw of large mean is cut into
//! pieces of mean at most 16, each inverted by walking up its distribution with one uniform number (a word of its own
//! per piece). Exact up to the rounding of f64; time grows with the mean.
//!
//! Reference: Devroye, *Non-Uniform Random Variate Generation*, Springer 1986, X.3.3 and X.4.3.

use glauber_numbers::elementary;
use glauber_numbers::noise::{Key, philox4x32_10};

/// The largest mean inverted at once: e⁻¹⁶ is far from underflow.
const PIECE: f64 = 16.0;

/// A uniform number in (0, 1) with 53 bits, the `piece`-th of a site.
fn uniform(key: &Key, site: u32, piece: u32) -> f64 {
    let (word, other) = (key.word(site), key.word(!site));
    let words = philox4x32_10([word, other, piece, site], [0x676c_6175, 0x6265_7221]);
    let bits = (u64::from(words[0]) << 32 | u64::from(words[1])) >> 11;
    (bits as f64 + 0.5) / 9_007_199_254_740_992.0
}

/// A number of successes in `n` trials of probability `p`; NaN where either is not a number or n is not in [0, 10⁹].
pub(crate) fn binomial(key: &Key, site: u32, n: f64, p: f64) -> f64 {
    if n.is_nan() || p.is_nan() || !(0.0..=1e9).contains(&n) {
        return f64::NAN;
    }
    let n = n.floor();
    if p > 0.5 {
        return n - binomial_low(key, site, n, (1.0 - p).max(0.0));
    }
    binomial_low(key, site, n, p.max(0.0))
}

fn binomial_low(key: &Key, site: u32, n: f64, p: f64) -> f64 {
    if p == 0.0 {
        return 0.0;
    }
    let most = (PIECE / p).floor().max(1.0);
    let (mut left, mut piece, mut total) = (n, 0, 0.0);
    while left > 0.0 {
        let trials = left.min(most);
        let mut chance = elementary::exp(trials * elementary::ln_1p(-p));
        let odds = p / (1.0 - p);
        let mut u = uniform(key, site, piece);
        let mut k = 0.0;
        while u >= chance && k < trials {
            u -= chance;
            chance *= odds * (trials - k) / (k + 1.0);
            k += 1.0;
        }
        total += k;
        left -= trials;
        piece += 1;
    }
    total
}

/// A number of events of mean `rate`; NaN where the rate is not a finite number ≥ 0.
pub(crate) fn poisson(key: &Key, site: u32, rate: f64) -> f64 {
    if !(0.0..1e9).contains(&rate) {
        return f64::NAN;
    }
    let (mut left, mut piece, mut total) = (rate, 0, 0.0);
    while left > 0.0 {
        let mean = left.min(PIECE);
        let mut chance = elementary::exp(-mean);
        let mut u = uniform(key, site, piece);
        let mut k = 0.0;
        while u >= chance && k < 1000.0 {
            u -= chance;
            k += 1.0;
            chance *= mean / k;
        }
        total += k;
        left -= mean;
        piece += 1;
    }
    total
}
