//! Draws numbers that count exactly, in a time that does not grow with them: binomial, Poisson, geometric.
//!
//! Small means are inverted: one uniform number walks up the distribution. From a mean of 10 on, Hörmann's transformed
//! rejection with squeeze is used (BTRS and PTRS): two uniform numbers propose a value, which is taken at once in nine of
//! ten cases and else by the ratio of its probability to the proposal's; 1.1 to 1.4 attempts are needed.
//!
//! Attempt t of a site takes the site's words t ([`Key::words`]), so the draw depends on nothing but its address: the
//! same bits on any vectors and threads. Exact up to the rounding of f64.
//!
//! References: Hörmann 1993, "The transformed rejection method for generating Poisson random variables", Insurance:
//! Mathematics and Economics 12, 39–45; Hörmann 1993, "The generation of binomial random variates", Journal of
//! Statistical Computation and Simulation 46, 101–110; inversion: Devroye, *Non-Uniform Random Variate Generation*,
//! Springer 1986, X.3.3 and X.4.3.

use crate::elementary;
use crate::noise::Key;

/// The most trials of a binomial draw, and the highest rate of a Poisson draw.
pub const MOST_COUNT: f64 = 1e9;

/// From this mean on numbers are drawn by rejection.
const REJECTION: f64 = 10.0;

/// Two uniform numbers in (0, 1) with 53 bits each.
fn uniforms(key: &Key, site: u32, attempt: u32) -> [f64; 2] {
    let [a, b, c, d] = key.words(site, attempt);
    [(a, b), (c, d)].map(|(high, low)| {
        let bits = (u64::from(high) << 32 | u64::from(low)) >> 11;
        (bits as f64 + 0.5) / 9_007_199_254_740_992.0
    })
}

/// A number of successes in `n` trials of probability `p`; NaN where n is no whole number in [0, 10⁹] or p is none.
pub fn binomial(key: &Key, site: u32, n: f64, p: f64) -> f64 {
    if p.is_nan() || !(0.0..=MOST_COUNT).contains(&n) || n.fract() > 0.0 {
        return f64::NAN;
    }
    if p > 0.5 {
        return n - rare_successes(key, site, n, (1.0 - p).max(0.0));
    }
    rare_successes(key, site, n, p.max(0.0))
}

/// As [`binomial`] for a p of at most ½.
fn rare_successes(key: &Key, site: u32, n: f64, p: f64) -> f64 {
    if n * p >= REJECTION {
        return binomial_by_rejection(key, site, n, p);
    }
    let odds = p / (1.0 - p);
    let none = elementary::exp(n * elementary::ln_1p(-p));
    inverted(key, site, none, n, |k| odds * (n - k) / (k + 1.0))
}

/// A number of events of mean `rate`; NaN where the rate is no number in [0, 10⁹].
pub fn poisson(key: &Key, site: u32, rate: f64) -> f64 {
    if !(0.0..=MOST_COUNT).contains(&rate) {
        return f64::NAN;
    }
    if rate >= REJECTION {
        return poisson_by_rejection(key, site, rate);
    }
    // Below 10⁻³⁰⁰ nothing lies beyond a thousand events of a mean of at most 10.
    inverted(key, site, elementary::exp(-rate), 1000.0, |k| rate / (k + 1.0))
}

/// How many trials of probability `p` it takes up to the first success, that one included; NaN where p is not in (0, 1].
///
/// By inversion, 1 + ⌊ln u / ln(1 − p)⌋ (Devroye 1986, X.2.1): exact up to the rounding of f64 for any p.
pub fn geometric(key: &Key, site: u32, p: f64) -> f64 {
    if p.is_nan() || p <= 0.0 {
        return f64::NAN;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let [u, _] = uniforms(key, site, 0);
    1.0 + (elementary::ln(u) / elementary::ln_1p(-p)).floor()
}

/// Walks up a distribution from the chance of 0; `ratio` gives that of k + 1 over that of k.
fn inverted(key: &Key, site: u32, none: f64, most: f64, ratio: impl Fn(f64) -> f64) -> f64 {
    let [mut u, _] = uniforms(key, site, 0);
    let (mut chance, mut k) = (none, 0.0);
    while u >= chance && k < most {
        u -= chance;
        chance *= ratio(k);
        k += 1.0;
    }
    k
}

/// The shape of the proposal: k = ⌊(2a/(½ − |u|) + b) u + centre⌋ for a uniform u in (−½, ½).
struct Proposal {
    a: f64,
    b: f64,
    centre: f64,
}

/// A proposed value, and how deep in the tails and how high under the hat it lies.
struct Proposed {
    k: f64,
    depth: f64,
    height: f64,
}

impl Proposal {
    fn value(&self, key: &Key, site: u32, attempt: u32) -> Proposed {
        let [u, height] = uniforms(key, site, attempt);
        let u = u - 0.5;
        let depth = 0.5 - u.abs();
        Proposed { k: ((2.0 * self.a / depth + self.b) * u + self.centre).floor(), depth, height }
    }

    /// What the height is divided by before it is compared with a probability, up to a constant.
    fn density(&self, depth: f64) -> f64 {
        self.a / (depth * depth) + self.b
    }
}

/// PTRS.
fn poisson_by_rejection(key: &Key, site: u32, rate: f64) -> f64 {
    let b = 0.931 + 2.53 * rate.sqrt();
    let proposal = Proposal { a: -0.059 + 0.02483 * b, b, centre: rate + 0.43 };
    let (squeeze, scale) = (0.9277 - 3.6224 / (b - 2.0), 1.1239 + 1.1328 / (b - 3.4));
    let mut attempt = 0;
    loop {
        let Proposed { k, depth, height } = proposal.value(key, site, attempt);
        attempt += 1;
        if depth >= 0.07 && height <= squeeze {
            return k;
        }
        if k < 0.0 || (depth < 0.013 && height > depth) {
            continue;
        }
        // ln of rateᵏ e^(−rate) / k!, without the difference of large numbers.
        let next = k + 1.0;
        let log_chance = (next - rate) + k * elementary::ln(rate / next)
            - 0.5 * elementary::ln(next)
            - HALF_LOG_TWO_PI
            - stirling_rest(k);
        if elementary::ln(height * scale / proposal.density(depth)) <= log_chance {
            return k;
        }
    }
}

/// BTRS.
fn binomial_by_rejection(key: &Key, site: u32, n: f64, p: f64) -> f64 {
    let odds = p / (1.0 - p);
    let spread = (n * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * spread;
    let proposal = Proposal { a: -0.0873 + 0.0248 * b + 0.01 * p, b, centre: n * p + 0.5 };
    let (squeeze, scale) = (0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread);
    let mode = ((n + 1.0) * p).floor();
    let (after_mode, failures_at_mode) = (mode + 1.0, n - mode + 1.0);
    let at_mode = (mode + 0.5) * elementary::ln(after_mode / (odds * failures_at_mode))
        + stirling_rest(mode)
        + stirling_rest(n - mode);
    let mut attempt = 0;
    loop {
        let Proposed { k, depth, height } = proposal.value(key, site, attempt);
        attempt += 1;
        if depth >= 0.07 && height <= squeeze {
            return k;
        }
        if k < 0.0 || k > n {
            continue;
        }
        // ln of the chance of k over that of the mode.
        let (next, failures) = (k + 1.0, n - k + 1.0);
        let log_ratio = at_mode
            + (n + 1.0) * elementary::ln(failures_at_mode / failures)
            + (k + 0.5) * elementary::ln(failures * odds / next)
            - stirling_rest(k)
            - stirling_rest(n - k);
        if elementary::ln(height * scale / proposal.density(depth)) <= log_ratio {
            return k;
        }
    }
}

/// ½ ln 2π.
const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// What Stirling's formula leaves of ln k!: ln k! − ½ ln 2π − (k + ½) ln(k + 1) + (k + 1).
fn stirling_rest(k: f64) -> f64 {
    const EXACT: [f64; 10] = [
        0.081_061_466_795_327_26,
        0.041_340_695_955_409_3,
        0.027_677_925_684_998_34,
        0.020_790_672_103_765_093,
        0.016_644_691_189_821_193,
        0.013_876_128_823_070_748,
        0.011_896_709_945_891_77,
        0.010_411_265_261_972_096,
        0.009_255_462_182_712_733,
        0.008_330_563_433_362_87,
    ];
    if let Some(exact) = EXACT.get(k as usize) {
        return *exact;
    }
    let z = 1.0 / (k + 1.0);
    let square = z * z;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - square / 1680.0) * square) * square) * z
}
