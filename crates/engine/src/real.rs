//! Lets one kernel serve `f32` and `f64`: the number type every block of sites is made of.
//!
//! Every method is branch-free, inlined and made of single IEEE 754 operations (never a fused
//! multiply-add), so that a loop over a slice vectorises and gives the same bits whether it was compiled
//! for SSE2, AVX2 or AVX-512.
//!
//! `min` and `max` keep `self` when the *other* number is NaN and when `self` is NaN, so that
//! `x.max(low).min(high)` hands a NaN on; this differs from [`f32::min`], and costs one instruction
//! instead of three. Of two equal zeros `self` is kept.

use core::fmt::Debug;
use core::ops::{Add, Div, Mul, Neg, Sub};

use crate::elementary::Series;

/// A floating-point number a kernel computes with: `f32` in the blocks, `f64` on request.
pub trait Real:
    Copy
    + Send
    + Sync
    + PartialOrd
    + Default
    + Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Series
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// ½.
    const HALF: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// A quiet NaN.
    const NAN: Self;
    /// The smallest positive number with a full mantissa; below it lie the subnormal numbers.
    const MIN_POSITIVE: Self;
    /// The distance between 1 and the next larger number: 2⁻²³ or 2⁻⁵².
    const EPSILON: Self;

    /// The nearest number of this type (ties to even; overflow gives an infinity).
    fn from_f64(value: f64) -> Self;
    /// The same number in double precision, exactly.
    fn to_f64(self) -> f64;
    /// The nearest number of this type; exact in `f32` for magnitudes up to 2²⁴, always in `f64`.
    fn from_i32(value: i32) -> Self;
    /// The integer part, cut towards zero. Meaningful for |x| < 2³¹; beyond it saturates, NaN gives 0.
    fn to_i32(self) -> i32;
    /// The magnitude: clears the sign bit.
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign bit of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// The square root, correctly rounded; of a negative number NaN, of −0 −0.
    fn sqrt(self) -> Self;
    /// The largest integer not above `self`; exact for every number.
    fn floor(self) -> Self;
    /// The nearest integer, halves to the even one; exact for every number.
    fn round_ties_even(self) -> Self;
    /// The nearest integer, halves to the even one, for |x| ≤ 2²² (`f32`) or 2⁵¹ (`f64`) only: two additions.
    fn round_small(self) -> Self;
    /// `self` · 2ᵏ for an integer-valued `k` with |k| ≤ 254 (`f32`) or 2046 (`f64`), rounded once, with
    /// gradual underflow and overflow to infinity. Any other `k` gives an arbitrary number.
    fn scale_by_power_of_two(self, k: Self) -> Self;
    /// (m, k) with `self` = m · 2ᵏ, m in [√½, √2) and k integer-valued, for positive finite `self` that is
    /// not subnormal. Anything else gives arbitrary numbers.
    fn split_at_root_half(self) -> (Self, Self);
    /// `self` with the lower half of its mantissa cleared: the product of two such numbers is exact.
    fn upper_half(self) -> Self;

    /// The smaller of two numbers; `self` where either is NaN or both are equal.
    #[inline(always)]
    fn min(self, limit: Self) -> Self {
        if limit < self { limit } else { self }
    }

    /// The larger of two numbers; `self` where either is NaN or both are equal.
    #[inline(always)]
    fn max(self, limit: Self) -> Self {
        if limit > self { limit } else { self }
    }
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const HALF: f32 = 0.5;
    const INFINITY: f32 = f32::INFINITY;
    const NAN: f32 = f32::NAN;
    const MIN_POSITIVE: f32 = f32::MIN_POSITIVE;
    const EPSILON: f32 = f32::EPSILON;

    #[inline(always)]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn from_i32(value: i32) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn to_i32(self) -> i32 {
        self as i32
    }

    #[inline(always)]
    fn abs(self) -> f32 {
        f32::abs(self)
    }

    #[inline(always)]
    fn copysign(self, sign: f32) -> f32 {
        f32::copysign(self, sign)
    }

    #[inline(always)]
    fn sqrt(self) -> f32 {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn floor(self) -> f32 {
        f32::floor(self)
    }

    #[inline(always)]
    fn round_ties_even(self) -> f32 {
        f32::round_ties_even(self)
    }

    #[inline(always)]
    fn round_small(self) -> f32 {
        (self + ROUND_F32) - ROUND_F32
    }

    #[inline(always)]
    fn scale_by_power_of_two(self, k: f32) -> f32 {
        // Adding 1.5 · 2²³ leaves k in the low bits; two factors, since 2ᵏ alone may overflow.
        let biased = (k + ROUND_F32).to_bits().wrapping_sub(ROUND_F32.to_bits()).wrapping_add(254);
        let first = biased >> 1;
        let second = biased.wrapping_sub(first);
        self * f32::from_bits(first << 23) * f32::from_bits(second << 23)
    }

    #[inline(always)]
    fn split_at_root_half(self) -> (f32, f32) {
        let bits = self.to_bits();
        let exponent = bits.wrapping_sub(core::f32::consts::FRAC_1_SQRT_2.to_bits()) & 0xff80_0000;
        (f32::from_bits(bits.wrapping_sub(exponent)), ((exponent as i32) >> 23) as f32)
    }

    #[inline(always)]
    fn upper_half(self) -> f32 {
        f32::from_bits(self.to_bits() & 0xffff_f000)
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const HALF: f64 = 0.5;
    const INFINITY: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    const MIN_POSITIVE: f64 = f64::MIN_POSITIVE;
    const EPSILON: f64 = f64::EPSILON;

    #[inline(always)]
    fn from_f64(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn from_i32(value: i32) -> f64 {
        f64::from(value)
    }

    #[inline(always)]
    fn to_i32(self) -> i32 {
        self as i32
    }

    #[inline(always)]
    fn abs(self) -> f64 {
        f64::abs(self)
    }

    #[inline(always)]
    fn copysign(self, sign: f64) -> f64 {
        f64::copysign(self, sign)
    }

    #[inline(always)]
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }

    #[inline(always)]
    fn floor(self) -> f64 {
        f64::floor(self)
    }

    #[inline(always)]
    fn round_ties_even(self) -> f64 {
        f64::round_ties_even(self)
    }

    #[inline(always)]
    fn round_small(self) -> f64 {
        (self + ROUND_F64) - ROUND_F64
    }

    #[inline(always)]
    fn scale_by_power_of_two(self, k: f64) -> f64 {
        let biased = (k + ROUND_F64).to_bits().wrapping_sub(ROUND_F64.to_bits()).wrapping_add(2046);
        let first = biased >> 1;
        let second = biased.wrapping_sub(first);
        self * f64::from_bits(first << 52) * f64::from_bits(second << 52)
    }

    #[inline(always)]
    fn split_at_root_half(self) -> (f64, f64) {
        let bits = self.to_bits();
        let shifted = bits.wrapping_sub(core::f64::consts::FRAC_1_SQRT_2.to_bits());
        let mantissa = f64::from_bits(bits.wrapping_sub(shifted & 0xfff0_0000_0000_0000));
        // AVX2 has no conversion from 64-bit integers: write the biased exponent below 2⁵² instead.
        let biased = shifted.wrapping_add(1024 << 52) >> 52;
        (mantissa, f64::from_bits(biased | TWO_52.to_bits()) - (TWO_52 + 1024.0))
    }

    #[inline(always)]
    fn upper_half(self) -> f64 {
        f64::from_bits(self.to_bits() & 0xffff_ffff_f800_0000)
    }
}

/// 1.5 · 2²³: added and taken away again, it rounds to an integer.
const ROUND_F32: f32 = 12_582_912.0;
/// 1.5 · 2⁵².
const ROUND_F64: f64 = 6_755_399_441_055_744.0;
const TWO_52: f64 = 4_503_599_627_370_496.0;
