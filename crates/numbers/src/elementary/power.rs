//! Raises numbers to powers: the logarithm and its product with y carry more bits than the result keeps.
//!
//! xʸ = exp(y ln x) multiplies the relative error of ln x by |y ln x|, up to 104 (`f32`) or 745 (`f64`).
//! So `f32` computes both in `f64`, and `f64` in pairs (upper + lower) whose products are exact
//! (Dekker 1971, "A floating-point technique for extending the available precision"; no fused
//! multiply-add, so that every instruction set gives the same bits).

use super::{Series, ends_of_ln, polynomial};
use crate::real::Real;

/// xʸ, as IEEE 754 `pow` defines it.
///
/// x⁰ = 1 and 1ʸ = 1 for every x and y, NaN included; 0ʸ is 0 for y > 0 and ∞ for y < 0. A negative x
/// needs an integer y (odd ones keep the sign), else the result is NaN. A result that is exactly
/// representable, such as 3⁴, is exact in `f32` and in all tested cases in `f64`.
///
/// ```
/// use glauber_numbers::elementary::pow;
/// assert_eq!(pow(0.0_f32, 0.0), 1.0);
/// assert_eq!(pow(-2.0_f64, 3.0), -8.0);
/// assert!(pow(-2.0_f64, 0.5).is_nan());
/// ```
#[inline(always)]
pub fn pow<F: Real>(x: F, y: F) -> F {
    let size = F::power(x.abs(), y);
    let size = if (y == F::ZERO) | (x.abs() == F::ONE) { F::ONE } else { size };
    let integer = y.floor() == y;
    let half = y * F::HALF;
    let odd = integer & (half.floor() != half);
    let signed = if odd { size.copysign(x) } else { size };
    let undefined = (x < F::ZERO) & (x > -F::INFINITY) & !integer;
    if undefined { F::NAN } else { signed }
}

/// xⁿ by repeated squaring: x², x³ and x⁻¹ are the plain products and quotient. For an exponent that is
/// the same for a whole block; cheaper than [`pow`] for |n| up to about 64, where the relative error
/// is below |n| units in the last place. x⁰ = 1.
///
/// ```
/// use glauber_numbers::elementary::pow_integer;
/// assert_eq!(pow_integer(3.0_f32, 4), 81.0);
/// assert_eq!(pow_integer(2.0_f64, -1), 0.5);
/// ```
#[inline(always)]
pub fn pow_integer<F: Real>(x: F, n: i32) -> F {
    let mut left = n.unsigned_abs();
    let mut square = x;
    let mut product = F::ONE;
    while left > 0 {
        if left & 1 == 1 {
            product = product * square;
        }
        left >>= 1;
        if left > 0 {
            square = square * square;
        }
    }
    if n < 0 { F::ONE / product } else { product }
}

/// [`Series::power`] of `f32`: everything in `f64`, with series just long enough.
#[inline(always)]
pub(super) fn in_double_precision(x: f32, y: f32) -> f32 {
    /// As [`Series::LN`], to 2⁻³⁵.
    const LN: &[f64] =
        &[0.666_666_665_544_516_5, 0.400_001_218_769_72, 0.285_508_165_997_115_5, 0.233_305_819_382_418_93];
    /// As [`Series::EXP`], to 2⁻³².
    const EXP: &[f64] = &[
        0.500_000_001_346_581,
        0.166_666_666_816_232_32,
        0.041_666_464_925_285_904,
        0.008_333_310_925_480_9,
        0.001_393_364_999_630_925_1,
        0.000_198_909_908_246_736_54,
    ];
    let wide = f64::from(x);
    let (mantissa, k) = wide.split_at_root_half();
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let logarithm = k * core::f64::consts::LN_2 + (s + s + s * z * polynomial(z, LN));
    let product = Real::max(ends_of_ln(wide, logarithm) * f64::from(y), f64::from(f32::EXP_RANGE.0));
    let product = Real::min(product, f64::from(f32::EXP_RANGE.1));
    let k = (product * core::f64::consts::LOG2_E).round_small();
    let r = product - k * core::f64::consts::LN_2;
    let result = 1.0 + (r + r * r * polynomial(r, EXP));
    // Within the range of f64 even where f32 underflows: the conversion rounds once.
    result.scale_by_power_of_two(k) as f32
}

/// [`Series::power`] of `f64`.
#[inline(always)]
pub(super) fn in_pairs(x: f64, y: f64) -> f64 {
    let subnormal = x < f64::MIN_POSITIVE;
    let scaled = if subnormal { x * f64::SUBNORMAL_SCALE.0 } else { x };
    let (upper, lower) = ln_pair(scaled, if subnormal { -f64::SUBNORMAL_SCALE.1 } else { 0.0 });
    let upper = ends_of_ln(x, upper);
    // Beyond 2⁶⁵ the result is 0, 1 or ∞ whatever y is, and exact products would overflow.
    const LARGEST: f64 = 36_893_488_147_419_103_232.0;
    let y = Real::min(Real::max(y, -LARGEST), LARGEST);
    let (product, lost) = exact_product(y, upper);
    let (least, most) = f64::EXP_RANGE;
    let rest = if (product > least) & (product < most) { lost + y * lower } else { 0.0 };
    exp_pair(Real::min(Real::max(product, least), most), rest)
}

/// a · b as a rounded product and what rounding took from it (Dekker).
#[inline(always)]
fn exact_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let (a_upper, b_upper) = (a.upper_half(), b.upper_half());
    let (a_lower, b_lower) = (a - a_upper, b - b_upper);
    let lost = ((a_upper * b_upper - product) + a_upper * b_lower + a_lower * b_upper) + a_lower * b_lower;
    (product, lost)
}

/// ln x as a pair, to 2⁻⁶⁵, for positive normal finite x; `exponent` is added to the exponent of x.
#[inline(always)]
fn ln_pair(x: f64, exponent: f64) -> (f64, f64) {
    /// (2 artanh s − 2s − ⅔s³) / s⁵ on |s| ≤ 0.1716, ascending powers of s².
    const TAIL: &[f64] = &[
        0.4,
        0.285_714_285_714_293_64,
        0.222_222_222_216_558_85,
        0.181_818_183_353_928_02,
        0.153_845_949_625_184_3,
        0.133_348_046_938_473_1,
        0.117_062_363_394_912_06,
        0.117_231_786_238_765_18,
    ];
    /// ⅔ as a pair.
    const TWO_THIRDS: (f64, f64) = (2.0 / 3.0, 3.700_743_415_417_188e-17);
    let (mantissa, k) = x.split_at_root_half();
    let k = k + exponent;
    let f = mantissa - 1.0;
    // s = f / (2 + f)
    let divisor = 2.0 + f;
    let divisor_lower = f - (divisor - 2.0);
    let s = f / divisor;
    let (back, back_lost) = exact_product(s, divisor);
    let s_lower = (((f - back) - back_lost) - s * divisor_lower) / divisor;
    // z = s², c = ⅔ + z · tail, t = z c, u = s t: ln m = 2s + u
    let (z, z_lost) = exact_product(s, s);
    let z_lower = z_lost + 2.0 * s * s_lower;
    let tail = z * polynomial(z, TAIL);
    let c = TWO_THIRDS.0 + tail;
    let c_lower = (tail - (c - TWO_THIRDS.0)) + TWO_THIRDS.1;
    let (t, t_lost) = exact_product(z, c);
    let t_lower = t_lost + z * c_lower + z_lower * c;
    let (u, u_lost) = exact_product(s, t);
    let u_lower = u_lost + s * t_lower + s_lower * t;
    let mantissa_ln = 2.0 * s + u;
    let mantissa_lower = (u - (mantissa_ln - 2.0 * s)) + (u_lower + 2.0 * s_lower);
    // k ln 2 is 0 or the larger of the two terms, so the simple two-sum is exact.
    let whole = k * f64::LN_2_UPPER;
    let sum = whole + mantissa_ln;
    let sum_lower = if k == 0.0 { 0.0 } else { mantissa_ln - (sum - whole) };
    let lower = sum_lower + (mantissa_lower + k * f64::LN_2_LOWER);
    let upper = sum + lower;
    (upper, lower - (upper - sum))
}

/// e^(x + rest) for x within the range of the exponential and a `rest` of at most its last place.
#[inline(always)]
fn exp_pair(x: f64, rest: f64) -> f64 {
    let k = (x * f64::LOG2_E).round_small();
    let upper = x - k * f64::LN_2_UPPER;
    let lower = k * f64::LN_2_LOWER;
    let first = upper - lower;
    let added = ((upper - first) - lower) + rest;
    let r = first + added;
    let r_lower = added - (r - first);
    let sum = 1.0 + r;
    let small = (r - (sum - 1.0)) + (r * r * polynomial(r, f64::EXP) + r_lower * sum);
    (sum + small).scale_by_power_of_two(k)
}
