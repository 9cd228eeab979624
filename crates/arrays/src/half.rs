//! Turns half-precision numbers, IEEE 754's binary16, into single precision, exactly.

/// The number that 16 bits stand for: sign, five bits of exponent, ten of fraction.
pub fn half_to_single(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10 & 0x1F);
    let fraction = u32::from(bits & 0x3FF);
    match exponent {
        // Zero and numbers below 2⁻¹⁴, multiples of 2⁻²⁴.
        0 => f32::from_bits(sign | (fraction as f32 / 16_777_216.0).to_bits()),
        31 => f32::from_bits(sign | 0x7F80_0000 | fraction << 13),
        // The exponent counts from −15, in single precision from −127.
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_halves_become_what_they_are() {
        for (bits, value) in [
            (0x0000, 0.0f32),
            (0x8000, -0.0),
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x7C00, f32::INFINITY),
        ] {
            assert_eq!(half_to_single(bits).to_bits(), value.to_bits(), "{bits:x}");
        }
        assert!(half_to_single(0x7E00).is_nan());
    }
}
