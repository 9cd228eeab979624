//! Holds the series of each number type, and powers, which need more bits than the type has.
//!
//! xʸ = exp(y ln x) multiplies the relative error of ln x by |y ln x|, up to 104 (`f32`) or 745 (`f64`).
//! So `f32` computes both in `f64`, and `f64` in pairs (upper + lower) whose products are exact
//! (Dekker 1971, "A floating-point technique for extending the available precision"; no fused
//! multiply-add, so that every instruction set gives the same bits).

use super::Real;

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
    /// The upper bits of ln 2: the product with any exponent is exact.
    const LN_2_UPPER: Self;
    /// ln 2 less [`Series::LN_2_UPPER`].
    const LN_2_LOWER: Self;
    /// Where the exponential is 0 for certain, and where it is infinite for certain.
    const EXP_RANGE: (Self, Self);
    /// A power of two that makes every subnormal number normal, and its exponent.
    const SUBNORMAL_SCALE: (Self, Self);
    /// π/2 in parts; the products of all but the last with any allowed quadrant number are exact.
    const QUARTER_TURN: &'static [Self];
    /// The largest argument of sine and cosine.
    const CIRCLE_RANGE: Self;
    /// xʸ for x ≥ 0 and any y, apart from the cases x = 1 and y = 0, which may give NaN.
    fn power(x: Self, y: Self) -> Self;
}

impl Series for f32 {
    const EXP: &'static [f32] = &[0.5, 0.166_665_76, 0.041_666_556, 0.008_363_179, 0.001_392_618_4];
    const LN: &'static [f32] = &[0.666_666_87, 0.399_887_77, 0.295_800_54];
    const SIN: &'static [f32] = &[-0.166_666_64, 0.008_332_748, -0.000_195_878_41];
    const COS: &'static [f32] = &[0.041_666_664, -0.001_388_830_2, 2.454_789_1e-5];
    const LOG2_E: f32 = core::f32::consts::LOG2_E;
    const LN_2_UPPER: f32 = 0.693_145_75;
    const LN_2_LOWER: f32 = 1.428_606_8e-6;
    const EXP_RANGE: (f32, f32) = (-104.5, 89.0);
    const SUBNORMAL_SCALE: (f32, f32) = (16_777_216.0, 24.0);
    const QUARTER_TURN: &'static [f32] = &[1.570_312_5, 4.837_513e-4, 7.549_533_6e-8, 2.563_344e-12];
    const CIRCLE_RANGE: f32 = 8192.0;

    #[inline(always)]
    fn power(x: f32, y: f32) -> f32 {
        in_double_precision(x, y)
    }
}

impl Series for f64 {
    const EXP: &'static [f64] = &[
        0.5,
        0.166_666_666_666_666_7,
        0.041_666_666_666_666_67,
        0.008_333_333_333_326_136,
        0.001_388_888_888_888_374_8,
        0.000_198_412_698_748_206_27,
        2.480_158_732_554_774_3e-5,
        2.755_725_540_020_642_2e-6,
        2.755_727_364_311_03e-7,
        2.510_521_700_472_074_5e-8,
        2.091_468_696_808_687_6e-9,
    ];
    const LN: &'static [f64] = &[
        0.666_666_666_666_667,
        0.399_999_999_998_994_44,
        0.285_714_286_260_032_7,
        0.222_222_111_302_598_78,
        0.181_828_894_556_749_47,
        0.153_317_106_182_107_73,
        0.146_165_854_248_886_23,
    ];
    const SIN: &'static [f64] = &[
        -0.166_666_666_666_666_66,
        0.008_333_333_333_330_946,
        -0.000_198_412_698_367_549_7,
        2.755_731_610_068_303e-6,
        -2.505_113_145_542_794_6e-8,
        1.591_810_123_027_412e-10,
    ];
    const COS: &'static [f64] = &[
        0.041_666_666_666_666_664,
        -0.001_388_888_888_888_739_5,
        2.480_158_729_876_343_3e-5,
        -2.755_731_727_056_032_6e-7,
        2.087_614_602_468_974_7e-9,
        -1.138_261_486_855_632_5e-11,
    ];
    const LOG2_E: f64 = core::f64::consts::LOG2_E;
    const LN_2_UPPER: f64 = 0.693_147_180_485_539_1;
    const LN_2_LOWER: f64 = 7.440_617_110_012_397e-11;
    const EXP_RANGE: (f64, f64) = (-746.0, 710.0);
    const SUBNORMAL_SCALE: (f64, f64) = (18_014_398_509_481_984.0, 54.0);
    const QUARTER_TURN: &'static [f64] =
        &[1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];
    const CIRCLE_RANGE: f64 = 1_000_000.0;

    #[inline(always)]
    fn power(x: f64, y: f64) -> f64 {
        in_pairs(x, y)
    }
}

/// c₀ + c₁x + c₂x² + …, by Horner's rule.
#[inline(always)]
pub(crate) fn polynomial<F: Real>(x: F, coefficients: &'static [F]) -> F {
    let mut power = coefficients.len() - 1;
    let mut sum = coefficients[power];
    while power > 0 {
        power -= 1;
        sum = sum * x + coefficients[power];
    }
    sum
}

/// `inside` for 0 < x < ∞, and the values of the logarithm at and beyond the ends of that interval.
#[inline(always)]
pub(crate) fn ends_of_ln<F: Real>(x: F, inside: F) -> F {
    let beyond = if x == F::ZERO { -F::INFINITY } else { F::NAN };
    let beyond = if x == F::INFINITY { F::INFINITY } else { beyond };
    if (x > F::ZERO) & (x < F::INFINITY) { inside } else { beyond }
}

/// [`Series::power`] of `f32`: everything in `f64`, with series just long enough.
#[inline(always)]
fn in_double_precision(x: f32, y: f32) -> f32 {
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
fn in_pairs(x: f64, y: f64) -> f64 {
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
