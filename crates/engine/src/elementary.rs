//! Computes exponentials, logarithms, powers and circular functions to the same bits on every machine.
//!
//! The platform's mathematics library differs between systems and versions, and does not vectorise. Here
//! every function is a range reduction and a polynomial, branch-free, in single IEEE 754 operations.
//!
//! - exp x = 2ᵏ exp r, k = round(x / ln 2), r = x − k ln 2 (ln 2 in two parts), |r| ≤ ½ ln 2
//! - ln x = k ln 2 + ln m, m in [√½, √2), ln m = 2 artanh s, s = (m − 1) / (m + 1)
//! - sin, cos: quadrant and remainder |t| ≤ π/4, then the odd and the even series
//!
//! The polynomials interpolate at Chebyshev nodes; their truncation stays below 0.15 units in the last place.

use crate::real::Real;

/// The numbers the series below are made of, in the precision of one type.
pub trait Series: Sized + 'static {
    /// (eʳ − 1 − r) / r² on |r| ≤ ½ ln 2, ascending powers of r.
    const EXP: &'static [Self];
    /// (2 artanh s − 2s) / s³ on |s| ≤ 0.1716, ascending powers of s².
    const LN: &'static [Self];
    /// (sin t − t) / t³ on |t| ≤ π/4, ascending powers of t².
    const SIN: &'static [Self];
    /// (cos t − 1 + t²/2) / t⁴ on |t| ≤ π/4, ascending powers of t².
    const COS: &'static [Self];
    /// 1 / ln 2.
    const LOG2_E: Self;
    /// The upper bits of ln 2: its product with any exponent is exact.
    const LN_2_UPPER: Self;
    /// ln 2 less [`Series::LN_2_UPPER`].
    const LN_2_LOWER: Self;
    /// Where the exponential is infinite for certain, and where it is 0 for certain.
    const EXP_RANGE: (Self, Self);
    /// A power of two that makes every subnormal number normal, and its exponent.
    const SUBNORMAL_SCALE: (Self, Self);
    /// π/2 in three parts; the first two have products with any allowed quadrant that are exact.
    const QUARTER_TURN: [Self; 3];
    /// The largest argument of sine and cosine.
    const CIRCLE_RANGE: Self;
}

impl Series for f32 {
    const EXP: &'static [f32] = &[0.5, 0.166_665_77, 0.041_666_556, 0.008_363_179, 0.001_392_618_4];
    const LN: &'static [f32] = &[0.666_666_85, 0.399_887_8, 0.295_800_54];
    const SIN: &'static [f32] = &[-0.166_666_65, 0.008_332_748, -0.000_195_878_4];
    const COS: &'static [f32] = &[0.041_666_664, -0.001_388_830_3, 0.000_024_547_892];
    const LOG2_E: f32 = core::f32::consts::LOG2_E;
    const LN_2_UPPER: f32 = 0.693_359_4;
    const LN_2_LOWER: f32 = -2.121_944_4e-4;
    const EXP_RANGE: (f32, f32) = (-104.5, 89.0);
    const SUBNORMAL_SCALE: (f32, f32) = (16_777_216.0, 24.0);
    const QUARTER_TURN: [f32; 3] = [1.570_312_5, 4.837_513e-4, 7.549_79e-8];
    const CIRCLE_RANGE: f32 = 8192.0;
}

impl Series for f64 {
    const EXP: &'static [f64] = &[
        0.5,
        0.166_666_666_666_666_71,
        0.041_666_666_666_666_669_8,
        0.008_333_333_333_326_135_13,
        0.001_388_888_888_888_374_83,
        0.000_198_412_698_748_206_253,
        0.000_024_801_587_325_547_741_2,
        2.755_725_540_020_642_44e-6,
        2.755_727_364_311_029_53e-7,
        2.510_521_700_472_074_52e-8,
        2.091_468_696_808_687_73e-9,
    ];
    const LN: &'static [f64] = &[
        0.666_666_666_666_666_969,
        0.399_999_999_998_994_432,
        0.285_714_286_260_032_687,
        0.222_222_111_302_598_77,
        0.181_828_894_556_749_46,
        0.153_317_106_182_107_716,
        0.146_165_854_248_886_22,
    ];
    const SIN: &'static [f64] = &[
        -0.166_666_666_666_666_646,
        0.008_333_333_333_330_946_1,
        -0.000_198_412_698_367_549_7,
        2.755_731_610_068_302_91e-6,
        -2.505_113_145_542_794_74e-8,
        1.591_810_123_027_412_03e-10,
    ];
    const COS: &'static [f64] = &[
        0.041_666_666_666_666_665_4,
        -0.001_388_888_888_888_739_57,
        0.000_024_801_587_298_763_433_2,
        -2.755_731_727_056_032_41e-7,
        2.087_614_602_468_974_66e-9,
        -1.138_261_486_855_632_46e-11,
    ];
    const LOG2_E: f64 = core::f64::consts::LOG2_E;
    const LN_2_UPPER: f64 = 6.931_471_803_691_238_164_90e-01;
    const LN_2_LOWER: f64 = 1.908_214_929_270_587_700_02e-10;
    const EXP_RANGE: (f64, f64) = (-746.0, 710.0);
    const SUBNORMAL_SCALE: (f64, f64) = (18_014_398_509_481_984.0, 54.0);
    const QUARTER_TURN: [f64; 3] =
        [1.570_796_326_734_125_614_17, 6.077_100_506_303_965_976_60e-11, 2.022_266_248_795_950_631_54e-21];
    const CIRCLE_RANGE: f64 = 1_000_000.0;
}

/// c₀ + c₁x + c₂x² + …, by Horner's rule.
#[inline(always)]
fn polynomial<F: Real>(x: F, coefficients: &'static [F]) -> F {
    let mut sum = coefficients[coefficients.len() - 1];
    let mut power = coefficients.len() - 1;
    while power > 0 {
        power -= 1;
        sum = sum * x + coefficients[power];
    }
    sum
}

/// (k, eʳ − 1) with x = k ln 2 + r, for x within [`Series::EXP_RANGE`].
#[inline(always)]
fn reduced_exp_m1<F: Real>(x: F) -> (F, F) {
    let k = (x * F::LOG2_E).round_small();
    let r = (x - k * F::LN_2_UPPER) - k * F::LN_2_LOWER;
    (k, r + r * r * polynomial(r, F::EXP))
}

/// eˣ. Overflows to infinity, underflows gradually to 0; NaN stays NaN.
#[inline(always)]
pub fn exp<F: Real>(x: F) -> F {
    let (k, less_one) = reduced_exp_m1(x.max(F::EXP_RANGE.0).min(F::EXP_RANGE.1));
    (F::ONE + less_one).scale_by_power_of_two(k)
}

/// eˣ − 1, accurate for small x too. −∞ gives −1; NaN stays NaN.
#[inline(always)]
pub fn exp_m1<F: Real>(x: F) -> F {
    let (k, less_one) = reduced_exp_m1(x.max(F::EXP_RANGE.0).min(F::EXP_RANGE.1));
    // Half of everything, since 2ᵏ itself may overflow where the result does not.
    let half_scale = F::HALF.scale_by_power_of_two(k);
    let half = less_one * half_scale + (half_scale - F::HALF);
    half + half
}

/// ln(x(1 + ε)) for positive normal finite x, ε far below 1; `exponent` is added to that of x.
#[inline(always)]
fn reduced_ln<F: Real>(x: F, exponent: F, epsilon: F) -> F {
    let (mantissa, k) = x.split_at_root_half();
    let k = k + exponent;
    let f = mantissa - F::ONE;
    let s = f / (f + (F::ONE + F::ONE));
    let z = s * s;
    // ln(1 + f) = f − f²/2 + s (f²/2 + z Q(z)): the rounded quotient s enters only small terms.
    let half_square = F::HALF * f * f;
    let tail = s * (half_square + z * polynomial(z, F::LN)) + (k * F::LN_2_LOWER + epsilon);
    k * F::LN_2_UPPER + (f - (half_square - tail))
}

/// The natural logarithm. ln 0 = −∞, ln ∞ = ∞, of a negative number NaN; subnormal numbers are exact arguments.
#[inline(always)]
pub fn ln<F: Real>(x: F) -> F {
    let subnormal = x < F::MIN_POSITIVE;
    let scaled = if subnormal { x * F::SUBNORMAL_SCALE.0 } else { x };
    let exponent = if subnormal { -F::SUBNORMAL_SCALE.1 } else { F::ZERO };
    ends_of_ln(x, reduced_ln(scaled, exponent, F::ZERO))
}

/// `inside` for 0 < x < ∞, and the values of the logarithm at and beyond the ends of that interval.
#[inline(always)]
fn ends_of_ln<F: Real>(x: F, inside: F) -> F {
    let at_ends = if x == F::ZERO { -F::INFINITY } else { F::NAN };
    let at_ends = if x == F::INFINITY { F::INFINITY } else { at_ends };
    if (x > F::ZERO) & (x < F::INFINITY) { inside } else { at_ends }
}

/// ln(1 + x), accurate for small x too. At −1 it is −∞, below NaN; ∞ gives ∞.
#[inline(always)]
pub fn ln_1p<F: Real>(x: F) -> F {
    let sum = F::ONE + x;
    // What rounding took from the sum, exactly (Knuth's two-sum).
    let part = sum - F::ONE;
    let lost = (x - part) + (F::ONE - (sum - part));
    ends_of_ln(sum, reduced_ln(sum, F::ZERO, lost / sum))
}

/// xʸ. x⁰ = 1 and 1ʸ = 1 for every x and y, NaN included; 0ʸ is 0 for y > 0 and ∞ for y < 0; a negative x
/// needs an integer y, else NaN.
#[inline(always)]
pub fn pow<F: Real>(x: F, y: F) -> F {
    let size = exp(y * ln(x.abs()));
    let size = if (y == F::ZERO) | (x == F::ONE) { F::ONE } else { size };
    let halved = y * F::HALF;
    let odd = (halved.floor() != halved) & (y.floor() == y);
    let signed = if odd { size.copysign(x) } else { size };
    let undefined = (x < F::ZERO) & (y.floor() != y);
    if undefined { F::NAN } else { signed }
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

/// (sin, cos) of quadrant · π/2 + t for |t| ≤ π/4 and an integer-valued quadrant.
#[inline(always)]
fn reduced_sin_cos<F: Real>(quadrant: F, t: F) -> (F, F) {
    let z = t * t;
    let sine = t + t * z * polynomial(z, F::SIN);
    let cosine = (F::ONE - F::HALF * z) + z * z * polynomial(z, F::COS);
    let quarter = F::HALF * F::HALF;
    let turned = quadrant - (quadrant * quarter).round_small() / quarter;
    let size = turned.abs();
    let swapped = size == F::ONE;
    let (first, second) = if swapped { (cosine, sine) } else { (sine, cosine) };
    let reversed = size > F::ONE;
    let first = if reversed | (turned == -F::ONE) { -first } else { first };
    let second = if reversed | (turned == F::ONE) { -second } else { second };
    (first, second)
}

/// (sin 2πu, cos 2πu) for |u| ≤ 1: the angle of a Box–Muller pair.
#[inline(always)]
pub fn sin_cos_turns<F: Real>(u: F) -> (F, F) {
    let quarter = F::HALF * F::HALF;
    let quadrant = (u / quarter).round_small();
    let remainder = u - quadrant * quarter;
    reduced_sin_cos(quadrant, remainder * F::from_f64(core::f64::consts::TAU))
}

/// (sin x, cos x) for |x| ≤ 8192 (`f32`) or 10⁶ (`f64`); beyond, NaN rather than noise.
#[inline(always)]
pub fn sin_cos<F: Real>(x: F) -> (F, F) {
    let quarter = F::HALF * F::HALF;
    let inside = x.abs() <= F::CIRCLE_RANGE;
    let [upper, middle, lower] = F::QUARTER_TURN;
    let quadrant = (x * (F::from_f64(core::f64::consts::FRAC_1_PI) * (F::ONE + F::ONE))).round_small();
    let _ = quarter;
    let t = ((x - quadrant * upper) - quadrant * middle) - quadrant * lower;
    let (sine, cosine) = reduced_sin_cos(quadrant, t);
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
