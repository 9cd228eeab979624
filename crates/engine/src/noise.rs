//! Draws random words, each a pure function of (seed, replicate, step, draw, lane, site).

use crate::real::Real;

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
#[inline(always)]
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    let mut round = 0;
    while round < 10 {
        let first = u64::from(c0) * 0xd251_1f53;
        let second = u64::from(c2) * 0xcd9e_8d57;
        (c0, c1, c2, c3) =
            ((second >> 32) as u32 ^ c1 ^ k0, second as u32, (first >> 32) as u32 ^ c3 ^ k1, first as u32);
        k0 = k0.wrapping_add(0x9e37_79b9);
        k1 = k1.wrapping_add(0xbb67_ae85);
        round += 1;
    }
    [c0, c1, c2, c3]
}

/// What all sites of one draw share: 128 bits made of (seed, replicate, step, draw, lane).
#[derive(Clone, Copy, Debug)]
pub struct Key([u32; 4]);

impl Key {
    /// The key of one draw. `lane` must be below `u32::MAX`, which [`derive_seed`] keeps for itself.
    #[inline(always)]
    pub fn new(seed: u64, replicate: u32, step: u32, draw: u32, lane: u32) -> Key {
        Key(philox4x32_10([replicate, step, draw, lane], [seed as u32, (seed >> 32) as u32]))
    }

    /// The random word of one site.
    #[inline(always)]
    pub fn word(&self, site: u32) -> u32 {
        let [k0, k1, k2, k3] = self.0;
        let mut x = site ^ k0;
        x ^= x >> 17;
        x = x.wrapping_mul(0xed5a_d4bb) ^ k1;
        x ^= x >> 11;
        let middle = x;
        x = x.wrapping_mul(0xac4c_1b51) ^ k2;
        x ^= x >> 15;
        x = x.wrapping_mul(0x3184_8bab) ^ k3;
        x ^= x >> 14;
        x.wrapping_add(middle)
    }
}

/// A number in [0, 1), the same in `f32` and `f64`: a multiple of 2⁻³¹ below 2⁻⁷ and of 2⁻²⁴ above.
#[inline(always)]
pub fn uniform<F: Real>(word: u32) -> F {
    let fine = (word >> 1) as i32;
    let cut = if fine < 1 << 24 { fine } else { fine & !0x7f };
    F::from_i32(cut) * F::from_f64(1.0 / 2_147_483_648.0)
}

/// A number in (0, 1), the same in `f32` and `f64`, symmetric about ½: from 2⁻³¹ to 1 − 2⁻²⁴.
#[inline(always)]
pub fn open_uniform<F: Real>(word: u32) -> F {
    let fine = (word >> 1) as i32;
    let centre = if fine < 1 << 24 { fine | 1 } else { (fine & !0xff) | 0x80 };
    F::from_i32(centre) * F::from_f64(1.0 / 2_147_483_648.0)
}

/// An independent seed for one purpose (a minibatch, reference data, …) and index within it.
#[inline(always)]
pub fn derive_seed(seed: u64, purpose: u32, index: u64) -> u64 {
    let counter = [index as u32, (index >> 32) as u32, purpose, u32::MAX];
    let words = philox4x32_10(counter, [seed as u32, (seed >> 32) as u32]);
    u64::from(words[0]) | u64::from(words[1]) << 32
}
