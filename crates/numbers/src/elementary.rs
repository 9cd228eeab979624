//! Computes exponentials, logarithms, powers and circular functions to the same bits on every machine.
//!
//! The platform's mathematics library differs between systems and versions, and its functions do not
//! vectorise. Here each function is a range reduction and a polynomial, branch-free, in single IEEE 754
//! operations, so it gives the same bits under SSE2, AVX2, AVX-512 or NEON.
//!
//! - eˣ = 2ᵏ eʳ, k = round(x / ln 2), r = x − k ln 2 with ln 2 in two parts, |r| ≤ ½ ln 2
//! - ln x = k ln 2 + ln m, m in [√½, √2), ln m = 2 artanh s, s = (m − 1) / (m + 1)
//! - sin, cos: quadrant and remainder |t| ≤ π/4, then the odd and the even series
//! - xʸ = exp(y ln x), the logarithm and the product in more than the type's precision
//!
//! The polynomials interpolate at Chebyshev nodes; their truncation stays below 0.15 units in the last
//! place. Largest errors measured (`tests/elementary.rs`), in units in the last place:
//!
//! | | exp | exp_m1 | ln | ln_1p | pow | sigmoid | tanh | cosh | sin, cos |
//! |---|---|---|---|---|---|---|---|---|---|
//! | `f32` | 1.0 | 1.7 | 0.8 | 0.8 | 0.51 | 2.4 | 2.6 | 2.8 | 1.7 |
//! | `f64` | 1.0 | 2.0 | 0.8 | 0.8 | 0.7 | 2.5 | 2.7 | 2.8 | 2.1 |
//!
//! Subnormal arguments and results are treated as the numbers they are. The sign of a zero is kept by
//! `exp_m1`, `ln_1p` and `tanh`; `sin` of −0 is +0.

mod power;

pub use power::{pow, pow_integer};

use crate::real::Real;
use crate::real::series::{ends_of_ln, polynomial};

/// (k, eʳ − 1) with x = k ln 2 + r, for x cut to [`Series::EXP_RANGE`].
#[inline(always)]
fn reduced_exp_m1<F: Real>(x: F) -> (F, F) {
    let x = x.max(F::EXP_RANGE.0).min(F::EXP_RANGE.1);
    let k = (x * F::LOG2_E).round_small();
    let r = (x - k * F::LN_2_UPPER) - k * F::LN_2_LOWER;
    (k, r + r * r * polynomial(r, F::EXP))
}

/// eˣ. Overflows to infinity, underflows gradually to 0; NaN stays NaN.
///
/// ```
/// use glauber_numbers::elementary::exp;
/// assert_eq!(exp(0.0_f32), 1.0);
/// assert_eq!(exp(f64::NEG_INFINITY), 0.0);
/// ```
#[inline(always)]
pub fn exp<F: Real>(x: F) -> F {
    let (k, less_one) = reduced_exp_m1(x);
    (F::ONE + less_one).scale_by_power_of_two(k)
}

/// eˣ − 1, accurate for small x too. −∞ gives −1; NaN stays NaN.
#[inline(always)]
pub fn exp_m1<F: Real>(x: F) -> F {
    let (k, less_one) = reduced_exp_m1(x);
    // Half of everything, since 2ᵏ itself may overflow where the result does not.
    let half_scale = F::HALF.scale_by_power_of_two(k);
    let half = less_one * half_scale + (half_scale - F::HALF);
    // Halving a subnormal number would lose its last bit, and adding would lose the sign of −0.
    if x.abs() < F::EPSILON * F::HALF { x } else { half + half }
}

/// ln x + `correction` for positive normal finite x; `exponent` is added to the exponent of x.
#[inline(always)]
fn reduced_ln<F: Real>(x: F, exponent: F, correction: F) -> F {
    let (mantissa, k) = x.split_at_root_half();
    let k = k + exponent;
    let f = mantissa - F::ONE;
    let s = f / (f + (F::ONE + F::ONE));
    let z = s * s;
    // ln(1 + f) = f − f²/2 + s (f²/2 + z Q(z)): the rounded quotient s enters only small terms.
    let half_square = F::HALF * f * f;
    let tail = s * (half_square + z * polynomial(z, F::LN)) + (k * F::LN_2_LOWER + correction);
    k * F::LN_2_UPPER + (f - (half_square - tail))
}

/// The natural logarithm. ln 0 = −∞, ln ∞ = ∞; of a negative number or NaN it is NaN.
///
/// ```
/// use glauber_numbers::elementary::ln;
/// assert_eq!(ln(1.0_f32), 0.0);
/// assert_eq!(ln(0.0_f64), f64::NEG_INFINITY);
/// ```
#[inline(always)]
pub fn ln<F: Real>(x: F) -> F {
    let subnormal = x < F::MIN_POSITIVE;
    let scaled = if subnormal { x * F::SUBNORMAL_SCALE.0 } else { x };
    let exponent = if subnormal { -F::SUBNORMAL_SCALE.1 } else { F::ZERO };
    ends_of_ln(x, reduced_ln(scaled, exponent, F::ZERO))
}

/// ln(1 + x), accurate for small x too. At −1 it is −∞, below it NaN; ∞ gives ∞.
#[inline(always)]
pub fn ln_1p<F: Real>(x: F) -> F {
    let sum = F::ONE + x;
    // What rounding took from the sum, exactly (Knuth's two-sum).
    let part = sum - F::ONE;
    let lost = (x - part) + (F::ONE - (sum - part));
    let result = ends_of_ln(sum, reduced_ln(sum, F::ZERO, lost / sum));
    // Keeps −0 and spares the smallest numbers a division.
    if x.abs() < F::EPSILON * F::HALF { x } else { result }
}

/// 1 / (1 + e⁻ˣ), with full relative accuracy at both ends.
#[inline(always)]
pub fn sigmoid<F: Real>(x: F) -> F {
    let small = exp(-x.abs());
    let numerator = if x < F::ZERO { small } else { F::ONE };
    numerator / (F::ONE + small)
}

/// The hyperbolic tangent, with full relative accuracy near 0; odd, ±1 at ±∞.
#[inline(always)]
pub fn tanh<F: Real>(x: F) -> F {
    let size = x.abs();
    let less_one = exp_m1(-(size + size));
    (-less_one / (less_one + (F::ONE + F::ONE))).copysign(x)
}

/// The hyperbolic cosine; ∞ at ±∞ and from where the result overflows, not before.
///
/// With h = e^(|x|/2): ½ h² + ½ h⁻².
///
/// ```
/// use glauber_numbers::elementary::cosh;
/// assert_eq!(cosh(0.0_f64), 1.0);
/// assert!(cosh(710.4_f64) < f64::INFINITY);
/// ```
#[inline(always)]
pub fn cosh<F: Real>(x: F) -> F {
    let root = exp(x.abs() * F::HALF);
    (root * F::HALF) * root + F::HALF / (root * root)
}

/// (sin, cos) of quadrant · π/2 + t for |t| ≤ π/4 and an integer-valued quadrant.
#[inline(always)]
fn reduced_sin_cos<F: Real>(quadrant: F, t: F) -> (F, F) {
    let z = t * t;
    let sine = t + t * z * polynomial(z, F::SIN);
    let cosine = (F::ONE - F::HALF * z) + z * z * polynomial(z, F::COS);
    // The quadrant modulo 4, in −2..=2.
    let turned = quadrant - F::from_f64(4.0) * (quadrant * F::from_f64(0.25)).round_small();
    let size = turned.abs();
    let swapped = size == F::ONE;
    let first = if swapped { cosine } else { sine };
    let second = if swapped { sine } else { cosine };
    let opposite = size > F::ONE;
    let first = if opposite | (turned == -F::ONE) { -first } else { first };
    let second = if opposite | (turned == F::ONE) { -second } else { second };
    (first, second)
}

/// (sin 2πu, cos 2πu) for |u| ≤ 2¹⁸: the angle of a Box–Muller pair. Cheaper than [`sin_cos`], since
/// the reduction is exact.
///
/// ```
/// use glauber_numbers::elementary::sin_cos_turns;
/// assert_eq!(sin_cos_turns(0.25_f64), (1.0, 0.0));
/// ```
#[inline(always)]
pub fn sin_cos_turns<F: Real>(u: F) -> (F, F) {
    let quadrant = (u * F::from_f64(4.0)).round_small();
    let remainder = u - quadrant * F::from_f64(0.25);
    reduced_sin_cos(quadrant, remainder * F::from_f64(core::f64::consts::TAU))
}

/// (sin x, cos x), x in radians, |x| ≤ 8192 (`f32`) or 10⁶ (`f64`); beyond, NaN rather than noise.
#[inline(always)]
pub fn sin_cos<F: Real>(x: F) -> (F, F) {
    let quadrant = (x * F::from_f64(core::f64::consts::FRAC_2_PI)).round_small();
    let mut t = x;
    let mut part = 0;
    while part < F::QUARTER_TURN.len() {
        t = t - quadrant * F::QUARTER_TURN[part];
        part += 1;
    }
    let (sine, cosine) = reduced_sin_cos(quadrant, t);
    let inside = x.abs() <= F::CIRCLE_RANGE;
    (if inside { sine } else { F::NAN }, if inside { cosine } else { F::NAN })
}

/// The sine; see [`sin_cos`] for the range.
#[inline(always)]
pub fn sin<F: Real>(x: F) -> F {
    sin_cos(x).0
}

/// The cosine; see [`sin_cos`] for the range.
#[inline(always)]
pub fn cos<F: Real>(x: F) -> F {
    sin_cos(x).1
}
