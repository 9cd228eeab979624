//! Enters code compiled for the vector instructions a machine has: all unsafe code of this crate.
//!
//! The code is the same for every set of instructions, and made of operations that give the same bits with each; only how
//! many numbers it takes at a time differs. `GLAUBER_SIMD=plain|avx2|avx512` chooses, as elsewhere.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use glauber_numbers::noise::Key;

/// A set of vector instructions; one is only had from [`Simd::available`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simd {
    /// What every machine has.
    Plain,
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Simd {
    /// All sets that this machine has, the widest last.
    pub(crate) fn available() -> Vec<Simd> {
        #[allow(unused_mut)]
        let mut sets = vec![Simd::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("popcnt") {
                sets.push(Simd::Avx2);
                if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                    sets.push(Simd::Avx512);
                }
            }
        }
        sets
    }

    /// The set that `GLAUBER_SIMD` names, or the widest; found once. A name that is not known here gives the widest: the
    /// engine, which reads the same variable, says what is wrong with it.
    pub(crate) fn widest() -> Simd {
        static WIDEST: OnceLock<Simd> = OnceLock::new();
        *WIDEST.get_or_init(|| {
            let asked = std::env::var("GLAUBER_SIMD").unwrap_or_default();
            let sets = Simd::available();
            let named = sets.iter().copied().find(|set| set.name() == asked);
            named.or(sets.last().copied()).unwrap_or(Simd::Plain)
        })
    }

    fn name(self) -> &'static str {
        match self {
            Simd::Plain => "plain",
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => "avx512",
        }
    }
}

/// What vectors can do beyond what a compiler makes of loops.
pub(crate) trait Vectors: Copy {
    /// Writes the places of the marks that are all ones (the others are 0), in order; answers how many. What stands beyond them are
    /// places, too.
    fn keep(self, marks: &Numbers, places: &mut [u8; PLACES]) -> usize;

    /// A bit for each of eight numbers less another one that is greater than a bound, and for each that is smaller than
    /// its opposite.
    fn beyond(self, numbers: &[f32; 8], others: &[f64; 8], bound: f64) -> [u8; 2];
}

/// Numbers that are looked through in one go.
pub(crate) const BLOCK: usize = 64;
/// Room for their places: eight are written at a time.
pub(crate) const PLACES: usize = BLOCK + 8;

/// A column to look through.
pub(crate) type Numbers = [u32; BLOCK];

/// What every machine has.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl Vectors for Plain {
    #[inline(always)]
    fn keep(self, marks: &Numbers, places: &mut [u8; PLACES]) -> usize {
        let mut found = 0;
        for (place, mark) in marks.iter().enumerate() {
            places[found % PLACES] = place as u8;
            found += (mark & 1) as usize;
        }
        found
    }

    #[inline(always)]
    fn beyond(self, numbers: &[f32; 8], others: &[f64; 8], bound: f64) -> [u8; 2] {
        let mut bits = [0; 2];
        for (place, (number, other)) in numbers.iter().zip(others).enumerate() {
            let apart = f64::from(*number) - other;
            bits[0] |= u8::from(apart > bound) << place;
            bits[1] |= u8::from(apart < -bound) << place;
        }
        bits
    }
}

/// Proof that the code around was compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// For every set of eight, the places of its members, in order.
#[cfg(target_arch = "x86_64")]
static MEMBERS: [[u8; 8]; 256] = {
    let mut members = [[0; 8]; 256];
    let mut set = 0;
    while set < 256 {
        let (mut place, mut found) = (0, 0);
        while place < 8 {
            if set >> place & 1 == 1 {
                members[set][found] = place as u8;
                found += 1;
            }
            place += 1;
        }
        set += 1;
    }
    members
};

#[cfg(target_arch = "x86_64")]
impl Vectors for Avx2 {
    #[inline(always)]
    fn keep(self, marks: &Numbers, places: &mut [u8; PLACES]) -> usize {
        // SAFETY: the proof was made in code that was compiled for AVX2.
        unsafe { keep_avx2(marks, places) }
    }

    #[inline(always)]
    fn beyond(self, numbers: &[f32; 8], others: &[f64; 8], bound: f64) -> [u8; 2] {
        // SAFETY: as above.
        unsafe { beyond_avx2(numbers, others, bound) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
#[inline]
fn beyond_avx2(numbers: &[f32; 8], others: &[f64; 8], bound: f64) -> [u8; 2] {
    use core::arch::x86_64::{
        __m128, __m256d, _CMP_GT_OQ, _CMP_LT_OQ, _mm256_cmp_pd, _mm256_cvtps_pd, _mm256_movemask_pd,
        _mm256_set1_pd, _mm256_sub_pd,
    };
    use core::mem::transmute;
    let (above, below) = (_mm256_set1_pd(bound), _mm256_set1_pd(-bound));
    let mut bits = [0; 2];
    for (half, (numbers, others)) in
        numbers.as_chunks::<4>().0.iter().zip(others.as_chunks::<4>().0).enumerate()
    {
        // SAFETY: four numbers of 32 and of 64 bits are one vector each, any bits are numbers.
        let (numbers, others) =
            unsafe { (transmute::<[f32; 4], __m128>(*numbers), transmute::<[f64; 4], __m256d>(*others)) };
        let apart = _mm256_sub_pd(_mm256_cvtps_pd(numbers), others);
        bits[0] |= (_mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(apart, above)) as u8) << (4 * half);
        bits[1] |= (_mm256_movemask_pd(_mm256_cmp_pd::<_CMP_LT_OQ>(apart, below)) as u8) << (4 * half);
    }
    bits
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
#[inline]
fn keep_avx2(marks: &Numbers, places: &mut [u8; PLACES]) -> usize {
    use core::arch::x86_64::{__m256i, _mm256_castsi256_ps, _mm256_movemask_ps};
    use core::mem::transmute;
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut found = 0;
    for (eight, marks) in marks.as_chunks::<8>().0.iter().enumerate() {
        // SAFETY: eight numbers of 32 bits are one vector, any bits are numbers.
        let marks = unsafe { transmute::<[u32; 8], __m256i>(*marks) };
        let set = _mm256_movemask_ps(_mm256_castsi256_ps(marks)) as usize & 255;
        // No sum of two bytes is more than one.
        let eight = u64::from_le_bytes(MEMBERS[set]) + EACH * (8 * eight as u64);
        places[found..found + 8].copy_from_slice(&eight.to_le_bytes());
        found += set.count_ones() as usize;
    }
    found
}

/// Something to be done with vectors. `run` and all it calls in loops should be `#[inline(always)]`, so that it is compiled
/// for each set of instructions.
pub(crate) trait Work {
    /// Does it.
    fn run(self, vectors: impl Vectors);
}

/// Does it with these instructions.
#[inline]
pub(crate) fn with_vectors(simd: Simd, work: impl Work) {
    match simd {
        // SAFETY: a set is only had from `available`, which saw that the machine has it.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512 => unsafe { with_avx512(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2 => unsafe { with_avx2(work) },
        Simd::Plain => work.run(Plain),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,popcnt")]
fn with_avx512(work: impl Work) {
    work.run(Avx2(()));
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn with_avx2(work: impl Work) {
    work.run(Avx2(()));
}

/// Writes the words of sites `first`, `first + stride`, …
#[inline(always)]
pub(crate) fn fill(key: &Key, first: u32, stride: u32, words: &mut [u32]) {
    for (i, word) in words.iter_mut().enumerate() {
        *word = key.word(first.wrapping_add(stride.wrapping_mul(i as u32)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Filling<'a>(Key, u32, u32, &'a mut [u32]);

    impl Work for Filling<'_> {
        #[inline(always)]
        fn run(self, _: impl Vectors) {
            fill(&self.0, self.1, self.2, self.3);
        }
    }

    #[test]
    fn every_set_of_instructions_gives_the_same_words() {
        let key = Key::new(5, 1, 7, 0, 1);
        for simd in Simd::available() {
            for (first, stride, count) in [(0, 1, 256), (17, 2, 125), (u32::MAX - 40, 3, 33), (9, 1, 1)] {
                let mut words = vec![0; count];
                with_vectors(simd, Filling(key, first, stride, &mut words));
                let at = |i: usize| first.wrapping_add(stride * i as u32);
                assert!(words.iter().enumerate().all(|(i, &word)| word == key.word(at(i))), "{simd:?}");
            }
        }
    }

    struct Comparing<'a>(&'a [f32; 8], &'a [f64; 8], f64, &'a mut [u8; 2]);

    impl Work for Comparing<'_> {
        #[inline(always)]
        fn run(self, vectors: impl Vectors) {
            *self.3 = vectors.beyond(self.0, self.1, self.2);
        }
    }

    #[test]
    fn every_set_of_instructions_compares_alike() {
        let numbers = [1.0, -1.0, f32::NAN, 0.5, 2.0, 0.0, f32::INFINITY, -3.0];
        let others = [0.0, 0.0, 0.0, 0.5, 1.5, f64::NAN, 7.0, -3.5];
        for simd in Simd::available() {
            let mut bits = [0; 2];
            with_vectors(simd, Comparing(&numbers, &others, 0.5, &mut bits));
            assert_eq!(bits, [0b0100_0001, 0b0000_0010], "{simd:?}");
        }
    }

    struct Keeping<'a>(&'a Numbers, &'a mut [u8; PLACES], &'a mut usize);

    impl Work for Keeping<'_> {
        #[inline(always)]
        fn run(self, vectors: impl Vectors) {
            *self.2 = vectors.keep(self.0, self.1);
        }
    }

    #[test]
    fn every_set_of_instructions_keeps_the_same_places() {
        for share in 0..=8 {
            let marks: Numbers = core::array::from_fn(|i| {
                let kept = Key::new(share, 0, 0, 1, 0).word(i as u32) >> 29 < share as u32;
                if kept { u32::MAX } else { 0 }
            });
            let wanted: Vec<u8> = (0..BLOCK as u8).filter(|i| marks[usize::from(*i)] != 0).collect();
            for simd in Simd::available() {
                let (mut places, mut count) = ([7; PLACES], 0);
                with_vectors(simd, Keeping(&marks, &mut places, &mut count));
                assert_eq!(places[..count], wanted, "{simd:?}, {share}");
                assert!(places.iter().all(|place| usize::from(*place) < BLOCK));
            }
        }
    }
}
