//! Draws random words, each a pure function of (seed, replicate, step, draw, lane, site).
//!
//! Nothing is stored and nothing is consumed in order: any number can be computed again, by any thread,
//! in any sequence, forwards or backwards in time. That is what makes runs reproducible and lets the
//! backward pass re-generate its noise.
//!
//! ```text
//! key  = Philox4x32-10(counter = (replicate, step, draw, lane), key = seed)      128 bits, once a block
//! word = four rounds of (xor a key word, xor-shift, multiply) on the site, plus the third round's state
//! ```
//!
//! Two levels, because a site must cost a fraction of a nanosecond, which Philox does not: a block of sites
//! shares one key, and the rounds of [`Key::word`] are 32-bit operations that every vector unit has.
//! Different addresses have different keys for certain (Philox is a bijection of the counter). Within
//! a block the words are those of a random function, repeated values included, not of a permutation.
//!
//! The layout is frozen: the same address gives the same word in every later version. The measurements
//! behind the choice are in `docs/decisions/0001-noise.md`; `examples/noise_stream.rs` writes the words for
//! external test suites and `examples/noise_quality.rs` runs tests of its own.
//!
//! Philox: Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC11. The
//! multipliers and shifts of the rounds are those of `triple32` and `lowbias32`, found by Wellons's search
//! for integer hashes of low avalanche bias (nullprogram.com/blog/2018/07/31). Adding an earlier state at
//! the end makes a function of a permutation, as Davies and Meyer do for block ciphers.

use crate::real::Real;

pub use crate::purpose::Purpose;

/// The random function every key comes from; checked by the known answers of Random123.
#[inline(always)]
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    let mut round = 0;
    while round < 10 {
        let first = u64::from(c0) * 0xd251_1f53;
        let second = u64::from(c2) * 0xcd9e_8d57;
        c0 = (second >> 32) as u32 ^ c1 ^ k0;
        c1 = second as u32;
        c2 = (first >> 32) as u32 ^ c3 ^ k1;
        c3 = first as u32;
        k0 = k0.wrapping_add(0x9e37_79b9);
        k1 = k1.wrapping_add(0xbb67_ae85);
        round += 1;
    }
    [c0, c1, c2, c3]
}

/// What all sites of one draw share: 128 bits made of (seed, replicate, step, draw, lane).
///
/// ```
/// use glauber_numbers::noise::{Key, uniform};
/// let key = Key::new(1, 0, 7, 0, 0);
/// let field: Vec<f32> = (0..4).map(|site| uniform(key.word(site))).collect();
/// assert_eq!(field, (0..4).map(|site| uniform(Key::new(1, 0, 7, 0, 0).word(site))).collect::<Vec<f32>>());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Key([u32; 4]);

impl Key {
    /// The key of one draw: `draw` numbers the draws of a step, `lane` the numbers one draw needs for a site.
    ///
    /// Costs about 10 ns; in a loop over replicates it vectorises, to about 2 ns with one word each. `lane` must be below `u32::MAX`, which
    /// [`derive_seed`] keeps for itself.
    #[inline(always)]
    pub fn new(seed: u64, replicate: u32, step: u32, draw: u32, lane: u32) -> Key {
        Key(philox4x32_10([replicate, step, draw, lane], [seed as u32, (seed >> 32) as u32]))
    }

    /// The random word of one site, uniform on all 2³² values.
    #[inline(always)]
    pub fn word(&self, site: u32) -> u32 {
        let [k0, k1, k2, k3] = self.0;
        let mut x = site ^ k0;
        x ^= x >> 16;
        x = x.wrapping_mul(0x7feb_352d) ^ k1;
        x ^= x >> 17;
        x = x.wrapping_mul(0xed5a_d4bb) ^ k2;
        x ^= x >> 11;
        let third = x;
        x = x.wrapping_mul(0xac4c_1b51) ^ k3;
        x ^= x >> 15;
        x = x.wrapping_mul(0x3184_8bab);
        x ^= x >> 14;
        x.wrapping_add(third)
    }

    /// Four words more of a site, for draws that need them: those of its `attempt`-th attempt.
    ///
    /// Philox once more, with the whole key and the address in it; about 10 ns.
    #[inline]
    pub fn words(&self, site: u32, attempt: u32) -> [u32; 4] {
        let [k0, k1, k2, k3] = self.0;
        philox4x32_10([site, attempt, k0, k1], [k2, k3])
    }

    /// A site's number in [0, 1): that of its word, with 32 bits more where it is below 2⁻¹⁵.
    ///
    /// So `key.uniform(site) < p` is true with probability p to a relative error of 2⁻¹⁶ at most, however small p is:
    /// from 2⁻¹⁵ on by the spacing of [`uniform`], below it by a spacing of 2⁻²⁴ of the number itself, down to 2⁻⁶⁴.
    /// The same number in `f32` and `f64`.
    ///
    /// ```
    /// use glauber_numbers::noise::{Key, uniform};
    /// let key = Key::new(1, 0, 7, 0, 0);
    /// assert_eq!(key.uniform::<f32>(3), uniform::<f32>(key.word(3)));
    /// ```
    #[inline]
    pub fn uniform<F: Real>(&self, site: u32) -> F {
        let word = self.word(site);
        if word < FINE { refined(word, self.words(site, REFINING)[0]) } else { uniform(word) }
    }

    /// A site's number u in [0, 1), less 1 where it is ½ or more: in [−½, ½), and fine near 0 on both sides, so that
    /// what is decided by 1 − u is as exact for small probabilities as what is decided by u.
    #[inline]
    pub fn centred<F: Real>(&self, site: u32) -> F {
        let word = self.word(site);
        let size = size_of_centred(word);
        if size >= FINE {
            return centred(word);
        }
        let size: F = refined(size, self.words(site, REFINING)[0]);
        if word >> 31 == 1 { -size } else { size }
    }
}

/// The lanes of draw 0 whose words pick the site of an event, by its number within the step; high word first. Draws of
/// a rule use lanes below 4, estimators those from 8 on.
pub const EVENT_LANES: [u32; 2] = [4, 5];

/// The lane of draw 0 that decides how many events a step has.
pub const EVENT_COUNT_LANE: u32 = 6;

/// One of `count` from 64 random bits: ⌊count · bits / 2⁶⁴⌋, each with the same probability to a part in 2⁶⁴ of `count`.
#[inline(always)]
pub fn one_of(bits: u64, count: u64) -> u64 {
    ((u128::from(bits) * u128::from(count)) >> 64) as u64
}

/// A word below this gives a number that is refined by a second word: one in 2¹⁵.
pub const FINE: u32 = 1 << 17;

/// The attempt whose words refine numbers; draws of several attempts never get there.
const REFINING: u32 = u32::MAX;

/// A number in [0, 2⁻¹⁵) from a word below [`FINE`] and one more: 64 bits, of which the 24 highest are kept.
#[inline]
fn refined<F: Real>(word: u32, more: u32) -> F {
    let whole = u64::from(word) << 32 | u64::from(more);
    let excess = (64 - whole.leading_zeros()).saturating_sub(24);
    // Both the number and 2⁻⁶⁴ are exact in either precision.
    F::from_f64((whole >> excess << excess) as f64 / 18_446_744_073_709_551_616.0)
}

/// 2⁻³¹.
const SPACING: f64 = 1.0 / 2_147_483_648.0;

/// A number in [0, 1) from one word: a multiple of 2⁻³¹ below 2⁻⁷, of 2⁻²⁴ above.
///
/// It is the same number in `f32` and `f64`, never rounded: a comparison `uniform(word) < p` decides the
/// same in both precisions for the same p, and is true with probability p rounded up to the next multiple.
/// A p of 10⁻⁶ is met to 0.05 % (24 plain bits would give 6 %); [`Key::uniform`] meets smaller ones too.
#[inline(always)]
pub fn uniform<F: Real>(word: u32) -> F {
    // 31 bits, since no vector unit before AVX-512 converts unsigned integers.
    let fine = (word >> 1) as i32;
    let cut = if fine < 1 << 24 { fine } else { fine & !0x7f };
    F::from_i32(cut) * F::from_f64(SPACING)
}

/// What [`Key::centred`] gives where it needs no second word: the number of a word, less 1 from ½ on.
#[inline(always)]
pub fn centred<F: Real>(word: u32) -> F {
    let size: F = uniform(size_of_centred(word));
    if word >> 31 == 1 { -size } else { size }
}

/// The word whose number is the size of a word's centred number.
#[inline(always)]
pub fn size_of_centred(word: u32) -> u32 {
    word ^ ((word as i32 >> 31) as u32)
}

/// A number in (0, 1) from one word, for logarithms: the middle of its cell, from 2⁻³¹ to 1 − 2⁻²⁴.
///
/// The same number in `f32` and `f64`; its mean is ½ exactly.
#[inline(always)]
pub fn open_uniform<F: Real>(word: u32) -> F {
    let fine = (word >> 1) as i32;
    let middle = if fine < 1 << 24 { fine | 1 } else { (fine & !0xff) | 0x80 };
    F::from_i32(middle) * F::from_f64(SPACING)
}

/// An independent seed for one purpose (iterations, minibatches, reference data, …) and an index within it.
///
/// Different (purpose, index) under one seed give different seeds but for the chance of a 64-bit collision.
#[inline(always)]
pub fn derive_seed(seed: u64, purpose: Purpose, index: u64) -> u64 {
    derived(seed, purpose as u32, index)
}

#[inline(always)]
fn derived(seed: u64, purpose: u32, index: u64) -> u64 {
    let counter = [index as u32, (index >> 32) as u32, purpose, u32::MAX];
    let words = philox4x32_10(counter, [seed as u32, (seed >> 32) as u32]);
    u64::from(words[0]) | u64::from(words[1]) << 32
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    /// The known answers published with Random123 (`kat_vectors`, philox4x32 with 10 rounds).
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox4x32_10([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox4x32_10([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        let pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        assert_eq!(
            philox4x32_10(pi, [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    /// Values no later version may change: they fix every simulated state.
    #[test]
    fn words_are_pinned() {
        let origin = Key::new(0, 0, 0, 0, 0);
        let far = Key::new(0x0123_4567_89ab_cdef, 1500, 50_000, 11, 3);
        let sites = [0, 1, 4095, u32::MAX];
        let at_origin = [0x5f95_4626, 0x9547_a18c, 0xeac4_f546, 0xff3a_31e6];
        let far_away = [0x5702_fe60, 0xaf38_1401, 0xbd09_fc26, 0xfbc8_e021];
        assert_eq!(
            (sites.map(|site| origin.word(site)), sites.map(|site| far.word(site))),
            (at_origin, far_away)
        );
        assert_eq!(derived(0, 0, 0), 0xfa3b_fcdd_cc97_cef4);
        assert_eq!(derive_seed(7, Purpose::TransitionOrder, 1 << 40), 0x7ab9_e7a8_1ea9_1581);
    }

    #[test]
    fn uniform_numbers_are_the_same_in_both_precisions_and_in_range() {
        let near_ends = (0..4096).chain((u32::MAX - 4096)..=u32::MAX);
        for word in near_ends.chain((0..=u32::MAX / 65_537).map(|i| i * 65_537)) {
            let (single, double): (f32, f64) = (uniform(word), uniform(word));
            assert_eq!(f64::from(single), double);
            assert!((0.0..1.0).contains(&single), "{word}");
            let exact = f64::from(word) / 4_294_967_296.0;
            let spacing = if exact < 1.0 / 128.0 { 2_f64.powi(-31) } else { 2_f64.powi(-24) };
            assert!(double <= exact && exact - double < spacing, "{word}");
            let (single, double): (f32, f64) = (open_uniform(word), open_uniform(word));
            assert_eq!(f64::from(single), double);
            assert!(single > 0.0 && single < 1.0, "{word}");
            assert!((exact - double).abs() <= spacing, "{word}");
        }
        assert_eq!((uniform::<f32>(0), uniform::<f32>(u32::MAX)), (0.0, 1.0 - 2_f32.powi(-24)));
        assert_eq!(
            (open_uniform::<f64>(0), open_uniform::<f64>(u32::MAX)),
            (2_f64.powi(-31), 1.0 - 2_f64.powi(-24))
        );
    }

    /// A refined number is below p for p of all pairs of words, to 2⁻²³ of p (or 2⁻⁶⁴): the pairs, read as one number of 64 bits,
    /// are counted by bisection, since the numbers ascend with them.
    #[test]
    fn small_probabilities_are_met() {
        fn share<F: Real>(p: f64) -> f64 {
            let p = F::from_f64(p);
            let below = |whole: u64| refined::<F>((whole >> 32) as u32, whole as u32) < p;
            let (mut low, mut high) = (0_u64, u64::from(FINE) << 32);
            while low < high {
                let middle = low + (high - low) / 2;
                if below(middle) { low = middle + 1 } else { high = middle }
            }
            low as f64 * 2_f64.powi(-64)
        }
        for p in [3e-5, 1e-6, 4.7e-8, 1e-9, 3e-10, 1e-12, 7e-15] {
            let single = f64::from(p as f32);
            let near = |share: f64, p: f64| (share - p).abs() <= (p * 2_f64.powi(-23)).max(2_f64.powi(-64));
            assert!(near(share::<f32>(p), single) && near(share::<f64>(p), p), "{p}");
        }
    }

    /// The numbers of sites agree in both precisions, refined or not, and the centred ones are those less 1 from ½ on.
    #[test]
    fn refined_and_centred_numbers_are_those_of_the_word() {
        let key = Key::new(3, 1, 4, 1, 5);
        let (mut fine, mut fine_above) = (0, 0);
        for site in 0..400_000 {
            let word = key.word(site);
            let (plain, single, double): (f64, f32, f64) =
                (uniform(word), key.uniform(site), key.uniform(site));
            assert_eq!(f64::from(single), double);
            assert!(double == plain || (word < FINE && double >= plain && double < plain + 2_f64.powi(-31)));
            let (single, centred): (f32, f64) = (key.centred(site), key.centred(site));
            assert_eq!(f64::from(single), centred);
            let wanted = if word >> 31 == 1 { double - 1.0 } else { double };
            assert!((centred - wanted).abs() < 2_f64.powi(-23), "{centred} {wanted}");
            fine += u32::from(word < FINE);
            fine_above += u32::from(centred < 0.0 && centred > -2_f64.powi(-15));
        }
        // 12 of each are expected; none at all has a chance of 5e-6.
        assert!(fine > 0 && fine_above > 0, "{fine} {fine_above}");
    }

    /// An address: seed, replicate, step, draw, lane, site.
    type Address = (u64, u32, u32, u32, u32, u32);

    fn word_at((seed, replicate, step, draw, lane, site): Address) -> u32 {
        Key::new(seed, replicate, step, draw, lane).word(site)
    }

    /// χ² above this has probability 10⁻⁶ or less (Wilson and Hilferty's cube approximation, 4.753 σ).
    fn chi_square_limit(degrees: f64) -> f64 {
        let variance = 2.0 / (9.0 * degrees);
        degrees * (1.0 - variance + 4.753 * variance.sqrt()).powi(3)
    }

    /// Every bit of the address flips every bit of the word in half of all cases.
    #[test]
    fn every_address_bit_changes_every_word_bit_half_the_time() {
        const TRIALS: u32 = 2048;
        let mut chi_square = 0.0;
        for bit in 0..224_u32 {
            let mut flips = [0_u32; 32];
            for trial in 0..TRIALS {
                let address: Address = (1, trial, trial / 64, trial % 6, trial % 3, trial * 31 % 4096);
                let mut flipped = address;
                match bit {
                    0..64 => flipped.0 ^= 1 << bit,
                    64..96 => flipped.1 ^= 1 << (bit - 64),
                    96..128 => flipped.2 ^= 1 << (bit - 96),
                    128..160 => flipped.3 ^= 1 << (bit - 128),
                    160..192 => flipped.4 ^= 1 << (bit - 160),
                    _ => flipped.5 ^= 1 << (bit - 192),
                }
                let difference = word_at(address) ^ word_at(flipped);
                for (position, count) in flips.iter_mut().enumerate() {
                    *count += difference >> position & 1;
                }
            }
            for (position, &count) in flips.iter().enumerate() {
                let deviation = (2.0 * f64::from(count) - f64::from(TRIALS)) / f64::from(TRIALS).sqrt();
                // 7168 cells, each beyond 6.5 σ with probability 8e-11.
                assert!(deviation.abs() < 6.5, "address bit {bit}, word bit {position}: {deviation} σ");
                chi_square += deviation * deviation;
            }
        }
        assert!(chi_square < chi_square_limit(7168.0), "{chi_square}");
        assert!(chi_square > 7168.0 - 5.0 * (2.0 * 7168.0_f64).sqrt(), "{chi_square} is too even");
    }

    /// Pairs of neighbours (in site, step, draw, lane, replicate, seed) fill the square evenly.
    #[test]
    fn neighbouring_addresses_are_independent() {
        const PAIRS: u32 = 1 << 18;
        type Neighbour = (&'static str, fn(Address) -> Address);
        let neighbours: [Neighbour; 6] = [
            ("seed", |a| (a.0 + 1, a.1, a.2, a.3, a.4, a.5)),
            ("replicate", |a| (a.0, a.1 + 1, a.2, a.3, a.4, a.5)),
            ("step", |a| (a.0, a.1, a.2 + 1, a.3, a.4, a.5)),
            ("draw", |a| (a.0, a.1, a.2, a.3 + 1, a.4, a.5)),
            ("lane", |a| (a.0, a.1, a.2, a.3, a.4 + 1, a.5)),
            ("site", |a| (a.0, a.1, a.2, a.3, a.4, a.5 + 1)),
        ];
        for (name, neighbour) in neighbours {
            let mut counts = vec![0_u32; 4096];
            for pair in 0..PAIRS {
                let address: Address =
                    (2, pair >> 15 << 1, (pair >> 7 & 0xff) << 1, 0, 0, (pair & 0x7f) << 1);
                let (here, there) = (word_at(address), word_at(neighbour(address)));
                counts[(here >> 26 << 6 | there >> 26) as usize] += 1;
            }
            let expected = f64::from(PAIRS) / 4096.0;
            let chi_square: f64 = counts.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
            assert!(chi_square < chi_square_limit(4095.0), "{name}: {chi_square}");
            assert!(
                chi_square > 4095.0 - 5.0 * (2.0 * 4095.0_f64).sqrt(),
                "{name}: {chi_square} is too even"
            );
        }
    }

    /// Within one key words repeat as often as chance has it: a permutation would never repeat one.
    #[test]
    fn words_of_one_key_repeat_like_random_ones() {
        let mut words: Vec<u32> = (0..1 << 20).map(|site| Key::new(3, 0, 0, 0, 0).word(site)).collect();
        words.sort_unstable();
        let repeats = words.windows(2).filter(|pair| pair[0] == pair[1]).count();
        // Poisson with mean 2²⁰ (2²⁰ − 1) / 2³³ = 128: outside 75..=190 with probability below 10⁻⁶.
        assert!((75..=190).contains(&repeats), "{repeats} repeats, 128 expected");
    }
}
