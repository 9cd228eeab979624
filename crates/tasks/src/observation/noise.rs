//! Lists the laws by which what is written down follows from what is there: noise.
//!
//! | law | y, given the number x of the state | mean, variance |
//! |---|---|---|
//! | `exact` | x | x, 0 |
//! | `gaussian` | normal about x | x, σ² |
//! | `poisson` | Poisson of mean s x | s x, s x |
//! | `negative-binomial` | Poisson of a gamma-distributed mean about μ = s x, of shape k | μ, μ + μ²/k |
//! | `binomial` | each of x is seen with probability p | p x, p (1 − p) x |
//! | `flipped` | x, but with probability p another state, each as likely | that of the mixture |
//!
//! | symbol | argument | range |
//! |---|---|---|
//! | σ | `deviation` | above 0 |
//! | s | `share`: how many are reported of one | [0, ∞), 1 where nobody says |
//! | k | `size`: from ∞ (Poisson) down, the noisier | above 0 |
//! | p | `probability` | [0, 1] |
//!
//! An argument is a number, or the name of a parameter: of the model's, or one more that is fitted.
//!
//! ```
//! use glauber_tasks::observation::noise::Law;
//! let seen = Law::named("binomial").unwrap();
//! assert!((seen.ln_probability(1.0, 2.0, &[0.5], 2) - 0.5_f64.ln()).abs() < 1e-12);
//! assert_eq!(seen.ln_probability(3.0, 2.0, &[0.5], 2), f64::NEG_INFINITY);
//! ```

use glauber_numbers::counts::{binomial, poisson};
use glauber_numbers::noise::Key;
use glauber_program::Interval;

/// A law of noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// None: what is written down is what is there.
    Exact,
    /// A normal error.
    Gaussian,
    /// A count about a share of the number.
    Poisson,
    /// A count about a share of the number, with a spread of its own.
    NegativeBinomial,
    /// Each is seen or not.
    Binomial,
    /// A state is now and then taken for another.
    Flipped,
}

/// An argument of a law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Where it may lie.
    pub interval: Interval,
    /// What it is where nobody says.
    pub usual: Option<f64>,
}

const fn argument(name: &'static str, lowest: f64, highest: f64, usual: Option<f64>) -> Argument {
    Argument { name, interval: Interval { lowest, highest }, usual }
}

const SHARE: Argument = argument("share", 0.0, f64::INFINITY, Some(1.0));

/// The name, law and arguments of every noise.
pub const LAWS: &[(&str, Law, &[Argument])] = &[
    ("exact", Law::Exact, &[]),
    ("gaussian", Law::Gaussian, &[argument("deviation", 0.0, f64::INFINITY, None)]),
    ("poisson", Law::Poisson, &[SHARE]),
    ("negative-binomial", Law::NegativeBinomial, &[argument("size", 0.0, f64::INFINITY, None), SHARE]),
    ("binomial", Law::Binomial, &[argument("probability", 0.0, 1.0, None)]),
    ("flipped", Law::Flipped, &[argument("probability", 0.0, 1.0, None)]),
];

impl Law {
    /// The law of this name.
    pub fn named(name: &str) -> Option<Law> {
        LAWS.iter().find(|(own, ..)| *own == name).map(|(_, law, _)| *law)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        LAWS.iter().find(|(_, law, _)| *law == self).map_or("exact", |(name, ..)| name)
    }

    /// Its arguments, in order.
    pub fn arguments(self) -> &'static [Argument] {
        LAWS.iter().find(|(_, law, _)| *law == self).map_or(&[], |(.., arguments)| arguments)
    }

    /// ln of the probability (or density) of y, given the number x of the state; `states` are how many a site has.
    /// −∞ where it cannot be, or where an argument is at an end at which there is no law.
    pub fn ln_probability(self, y: f64, x: f64, arguments: &[f64], states: usize) -> f64 {
        let value = match (self, arguments) {
            (Law::Gaussian, [deviation]) => gaussian(y, x, *deviation),
            (Law::Poisson, [share]) => ln_poisson(y, share * x),
            (Law::NegativeBinomial, [size, share]) => ln_negative_binomial(y, share * x, *size),
            (Law::Binomial, [p]) => ln_binomial(y, x, *p),
            (Law::Flipped, [p]) if same(x, y) => (1.0 - p).ln(),
            (Law::Flipped, [p]) => (p / (states.max(2) - 1) as f64).ln(),
            _ if same(x, y) => 0.0,
            _ => f64::NEG_INFINITY,
        };
        if value.is_nan() { f64::NEG_INFINITY } else { value }
    }

    /// Mean and variance of what is written down, given the number of the state. Of a flipped state those of a state of
    /// two, 0 and 1.
    pub fn moments(self, x: f64, arguments: &[f64]) -> (f64, f64) {
        match (self, arguments) {
            (Law::Gaussian, [deviation]) => (x, deviation * deviation),
            (Law::Poisson, [share]) => (share * x, share * x),
            (Law::NegativeBinomial, [size, share]) => {
                let mean = share * x;
                (mean, mean + mean * mean / size)
            }
            (Law::Binomial, [p]) => (p * x, p * (1.0 - p) * x),
            (Law::Flipped, [p]) => ((1.0 - p) * x + p * (1.0 - x), p * (1.0 - p)),
            _ => (x, 0.0),
        }
    }

    /// What is written down, drawn from the addresses of two `keys` at `place`.
    pub fn draw(self, x: f64, arguments: &[f64], states: usize, keys: &[Key; 2], place: u32) -> f64 {
        let key = &keys[0];
        match (self, arguments) {
            (Law::Gaussian, [deviation]) => x + deviation * normal(key, place, 0),
            (Law::Poisson, [share]) => poisson(key, place, share * x),
            (Law::NegativeBinomial, [size, share]) => {
                let mean = share * x * gamma(key, place, *size) / size;
                poisson(&keys[1], place, mean)
            }
            (Law::Binomial, [p]) => binomial(key, place, x, *p),
            (Law::Flipped, [p]) => {
                let u: f64 = key.uniform(place);
                if u >= *p {
                    return x;
                }
                let others = (states.max(2) - 1) as f64;
                let other = (u / p * others).floor().min(others - 1.0);
                if other < x { other } else { other + 1.0 }
            }
            _ => x,
        }
    }

    /// Why no state can give a number, in words that follow "is".
    pub fn refuses(self, y: f64) -> Option<&'static str> {
        let counts = matches!(self, Law::Poisson | Law::NegativeBinomial | Law::Binomial);
        match () {
            () if !y.is_finite() => Some("infinite"),
            () if counts && y < 0.0 => Some("negative, and this noise makes counts"),
            () if counts && y.fract().abs() > 0.0 => Some("no whole number, and this noise makes counts"),
            () => None,
        }
    }
}

fn same(x: f64, y: f64) -> bool {
    (x - y).abs() <= 1e-9 * x.abs().max(1.0)
}

fn gaussian(y: f64, x: f64, deviation: f64) -> f64 {
    if deviation <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let z = (y - x) / deviation;
    -0.5 * z * z - deviation.ln() - 0.5 * std::f64::consts::TAU.ln()
}

fn ln_poisson(y: f64, mean: f64) -> f64 {
    match mean {
        m if m > 0.0 => y * m.ln() - m - libm::lgamma(y + 1.0),
        _ if y == 0.0 => 0.0,
        _ => f64::NEG_INFINITY,
    }
}

fn ln_negative_binomial(y: f64, mean: f64, size: f64) -> f64 {
    if size <= 0.0 {
        return f64::NEG_INFINITY;
    }
    // Beyond this the two laws are the same to the last digits.
    if size > 1e9 || mean <= 0.0 {
        return ln_poisson(y, mean);
    }
    libm::lgamma(y + size) - libm::lgamma(size) - libm::lgamma(y + 1.0) - size * (mean / size).ln_1p()
        + y * (mean / (size + mean)).ln()
}

fn ln_binomial(y: f64, x: f64, p: f64) -> f64 {
    if y > x + 1e-9 {
        return f64::NEG_INFINITY;
    }
    let left = (x - y).max(0.0);
    // 0 · ln 0 is 0.
    let power = |n: f64, ln: f64| if n > 0.0 { n * ln } else { 0.0 };
    libm::lgamma(x + 1.0) - libm::lgamma(y + 1.0) - libm::lgamma(left + 1.0)
        + power(y, p.ln())
        + power(left, (-p).ln_1p())
}

/// A standard normal number of an attempt (Box & Muller 1958).
fn normal(key: &Key, place: u32, attempt: u32) -> f64 {
    let [a, b, ..] = key.words(place, attempt);
    let unit = |word: u32| (f64::from(word) + 0.5) / 4_294_967_296.0;
    (-2.0 * unit(a).ln()).sqrt() * (std::f64::consts::TAU * unit(b)).cos()
}

/// A gamma-distributed number of this shape and scale 1 (Marsaglia & Tsang 2000, ACM Trans. Math. Softw. 26, 363).
fn gamma(key: &Key, place: u32, shape: f64) -> f64 {
    let unit = |word: u32| (f64::from(word) + 0.5) / 4_294_967_296.0;
    if shape < 1.0 {
        let [_, _, _, d] = key.words(place, 999);
        return gamma(key, place, shape + 1.0) * unit(d).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    for attempt in 0..998 {
        let z = normal(key, place, attempt);
        let v = (1.0 + c * z).powi(3);
        let [_, _, u, _] = key.words(place, attempt);
        if v > 0.0 && unit(u).ln() < 0.5 * z * z + d - d * v + d * v.ln() {
            return d * v;
        }
    }
    shape
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)] // Exact numbers are meant.
mod tests {
    use super::*;
    use glauber_statistics::tolerance::SampleMean;

    /// Every law sums (or integrates) to 1, with the moments that are said, and is drawn with them.
    #[test]
    fn laws_are_laws_with_their_moments_and_draws() {
        let cases: [(Law, f64, &[f64]); 6] = [
            (Law::Poisson, 7.0, &[0.6]),
            (Law::NegativeBinomial, 9.0, &[2.5, 0.8]),
            (Law::NegativeBinomial, 9.0, &[0.4, 1.0]),
            (Law::Binomial, 12.0, &[0.3]),
            (Law::Flipped, 1.0, &[0.2]),
            (Law::Gaussian, 3.0, &[1.7]),
        ];
        for (law, x, arguments) in cases {
            let width = if law == Law::Gaussian { 0.01 } else { 1.0 };
            let points: Vec<f64> = match law {
                Law::Gaussian => (-2000..2600).map(|k| f64::from(k) * width).collect(),
                Law::Flipped => vec![0.0, 1.0],
                _ => (0..2000).map(f64::from).collect(),
            };
            let weights: Vec<f64> =
                points.iter().map(|y| law.ln_probability(*y, x, arguments, 2).exp() * width).collect();
            let (mean, variance) = law.moments(x, arguments);
            let total: f64 = weights.iter().sum();
            let first: f64 = weights.iter().zip(&points).map(|(w, y)| w * y).sum();
            let second: f64 = weights.iter().zip(&points).map(|(w, y)| w * (y - first).powi(2)).sum();
            assert!((total - 1.0).abs() < 1e-6, "{law:?} sums to {total}");
            assert!((first - mean).abs() < 1e-5, "{law:?} {first} {mean}");
            assert!((second - variance).abs() < 1e-4, "{law:?} {second} {variance}");
            let keys = [0, 1].map(|draw| Key::new(11, 0, 0, draw, 0));
            let draws: Vec<f64> = (0..40_000).map(|i| law.draw(x, arguments, 2, &keys, i)).collect();
            assert!(SampleMean::of(&draws).agrees_with(mean, 1e-5), "{law:?}");
            let squares: Vec<f64> = draws.iter().map(|y| (y - mean).powi(2)).collect();
            assert!(SampleMean::of(&squares).agrees_with(variance, 1e-5), "{law:?}");
        }
    }

    #[test]
    fn edges_of_laws_are_no_nan() {
        assert_eq!(Law::Binomial.ln_probability(2.0, 2.0, &[1.0], 2), 0.0);
        assert_eq!(Law::Binomial.ln_probability(1.0, 2.0, &[1.0], 2), f64::NEG_INFINITY);
        assert_eq!(Law::Binomial.ln_probability(0.0, 2.0, &[0.0], 2), 0.0);
        assert_eq!(Law::Poisson.ln_probability(0.0, 0.0, &[1.0], 2), 0.0);
        assert_eq!(Law::Poisson.ln_probability(1.0, 0.0, &[1.0], 2), f64::NEG_INFINITY);
        assert_eq!(Law::Gaussian.ln_probability(1.0, 1.0, &[0.0], 2), f64::NEG_INFINITY);
        let flipped = Law::Flipped.ln_probability(2.0, 1.0, &[0.3], 4).exp();
        assert!((flipped - 0.1).abs() < 1e-12);
        assert!(Law::Poisson.refuses(-1.0).is_some() && Law::Gaussian.refuses(-1.0).is_none());
    }
}
