//! Lets one kernel serve `f32` and `f64`: the number type every block of sites is made of.
//!
//! Every method is branch-free, inlined and made of single IEEE 754 operations (never a fused
//! multiply-add), so that a loop over a slice vectorises and gives the same bits whether it was compiled
//! for SSE2, AVX2 or AVX-512.
//!
//! `min` and `max` keep `self` when the *other* number is NaN and when `self` is NaN, so that
//! `x.max(low).min(high)` hands a NaN on; this differs from [`f32::min`], and costs one instruction
//! instead of three. Of two equal zeros `self` is kept.

pub(crate) mod series;

use core::fmt::Debug;
use core::ops::{Add, Div, Mul, Neg, Sub};

pub use series::Series;

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
    /// The integer part, cut towards zero, for |x| < 2³¹; any other x, NaN included, gives an arbitrary
    /// integer. (Rust's `as` saturates, which keeps loops from being vectorised.)
    fn to_i32(self) -> i32;
    /// The nearest integer, halves to the even one, for |x| ≤ 2²² (`f32`) or |x| < 2³¹ (`f64`); any other x
    /// gives an arbitrary integer. Three times cheaper than [`Real::to_i32`]; exact for integer-valued x.
    fn nearest_i32(self) -> i32;
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
        // The mantissa, shifted left or right by what the exponent says, then negated where x is.
        let bits = self.to_bits();
        let exponent = (bits >> 23) & 0xff;
        let mantissa = (bits & 0x007f_ffff) | 0x0080_0000;
        let left = exponent.wrapping_sub(150);
        let right = 150_u32.wrapping_sub(exponent);
        let cut = if right > 31 { 0 } else { mantissa >> (right & 31) };
        let size = if exponent >= 150 { mantissa << (left & 31) } else { cut };
        let negative = ((bits as i32) >> 31) as u32;
        (size ^ negative).wrapping_sub(negative) as i32
    }

    #[inline(always)]
    fn nearest_i32(self) -> i32 {
        (self + ROUND_F32).to_bits().wrapping_sub(ROUND_F32.to_bits()) as i32
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
        let shifted = self + ROUND_F64;
        let nearest = shifted - ROUND_F64;
        let away = nearest.abs() > self.abs();
        let back = if self < 0.0 { -1 } else { 1 };
        (shifted.to_bits() as i32).wrapping_sub(if away { back } else { 0 })
    }

    #[inline(always)]
    fn nearest_i32(self) -> i32 {
        (self + ROUND_F64).to_bits() as i32
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

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    /// Numbers of all sizes below 2³¹, dense near the integers and halves.
    fn numbers() -> impl Iterator<Item = f64> {
        let bits = (0..=u32::MAX / 9973).map(|i| f64::from(f32::from_bits(i * 9973)));
        let halves = (-40_000..=40_000).flat_map(|i| {
            let half = f64::from(i) * 0.5;
            [half, half + 1e-3, half - 1e-3, half * 53_687.1]
        });
        bits.chain(halves).filter(|x| x.abs() < 2_147_483_647.0)
    }

    #[test]
    fn conversions_to_integers_agree_with_the_language() {
        for x in numbers() {
            let single = x as f32;
            assert_eq!(Real::to_i32(x), x as i32, "{x}");
            assert_eq!(Real::nearest_i32(x), x.round_ties_even() as i32, "{x}");
            if single.abs() < 2_147_483_648.0 {
                assert_eq!(Real::to_i32(single), single as i32, "{single}");
            }
            if single.abs() <= 4_194_304.0 {
                assert_eq!(Real::nearest_i32(single), single.round_ties_even() as i32, "{single}");
                assert_eq!(Real::round_small(single), single.round_ties_even(), "{single}");
            }
            assert_eq!(Real::round_small(x), x.round_ties_even(), "{x}");
        }
    }

    #[test]
    fn minimum_and_maximum_hand_on_their_own_nan_and_ignore_the_limits() {
        fn hold<F: Real>() {
            let (one, two) = (F::ONE, F::ONE + F::ONE);
            assert_eq!((one.min(two), two.min(one), one.max(two), two.max(one)), (one, one, two, two));
            assert_eq!((one.min(F::NAN), one.max(F::NAN)), (one, one));
            assert!(F::NAN.min(one).to_f64().is_nan() && F::NAN.max(one).to_f64().is_nan());
        }
        hold::<f32>();
        hold::<f64>();
    }

    #[test]
    fn scaling_and_splitting_undo_each_other() {
        fn hold<F: Real>(largest: i32) {
            for k in -largest..=largest {
                let x = F::from_f64(1.25).scale_by_power_of_two(F::from_i32(k));
                if x.to_f64() >= F::MIN_POSITIVE.to_f64() && x < F::INFINITY {
                    assert_eq!(x.split_at_root_half(), (F::from_f64(1.25), F::from_i32(k)), "2^{k}");
                }
            }
        }
        hold::<f32>(254);
        hold::<f64>(2046);
        let (mantissa, k) = 1.5_f32.split_at_root_half();
        assert_eq!((mantissa, k), (0.75, 1.0));
        // Gradual underflow rounds once, to the smallest subnormal number and then to zero.
        assert_eq!(1.5_f32.scale_by_power_of_two(-150.0), f32::from_bits(1));
        assert_eq!(1.0_f32.scale_by_power_of_two(-151.0), 0.0);
        assert_eq!(1.0_f32.scale_by_power_of_two(128.0), f32::INFINITY);
    }

    #[test]
    fn products_of_upper_halves_are_exact() {
        for x in numbers().filter(|x| x.abs() > 1e-3) {
            let half = (x as f32).upper_half();
            assert_eq!(f64::from(half * half), f64::from(half) * f64::from(half), "{x}");
            assert!((f64::from(half) - x).abs() <= x.abs() * 2_f64.powi(-11), "{x}");
        }
    }
}
