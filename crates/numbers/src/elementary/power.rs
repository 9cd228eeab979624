//! Raises numbers to powers, as IEEE 754 has it.
//!
//! The logarithm and its product with y carry more bits than the result keeps: `real::series` has how.

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
