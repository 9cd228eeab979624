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
    /// Of five columns, keeps the numbers whose mark is all ones (the others are 0), one after another from place `at` on; answers
    /// the place after them. Places up to [`BLOCK`] beyond it may be written to.
    fn keep(self, marks: &Numbers, from: &[Numbers; 5], to: &mut [Kept; 5], at: usize) -> usize;
}

/// Numbers that are looked through in one go.
pub(crate) const BLOCK: usize = 64;
/// Numbers that are kept.
pub(crate) const KEPT: usize = 384;

/// A column to look through.
pub(crate) type Numbers = [u32; BLOCK];
/// A column of what was kept.
pub(crate) type Kept = [u32; KEPT];

/// What every machine has.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl Vectors for Plain {
    #[inline(always)]
    fn keep(self, marks: &Numbers, from: &[Numbers; 5], to: &mut [Kept; 5], at: usize) -> usize {
        let mut next = at;
        for i in 0..BLOCK {
            if marks[i] != 0 {
                for (from, to) in from.iter().zip(to.iter_mut()) {
                    to[next] = from[i];
                }
                next += 1;
            }
        }
        next
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
    fn keep(self, marks: &Numbers, from: &[Numbers; 5], to: &mut [Kept; 5], at: usize) -> usize {
        // SAFETY: the proof was made in code that was compiled for AVX2.
        unsafe { keep_avx2(marks, from, to, at) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
#[inline]
fn keep_avx2(marks: &Numbers, from: &[Numbers; 5], to: &mut [Kept; 5], at: usize) -> usize {
    use core::arch::x86_64::{
        __m256i, _mm_cvtsi64_si128, _mm256_castsi256_ps, _mm256_cvtepu8_epi32, _mm256_movemask_ps,
        _mm256_permutevar8x32_epi32,
    };
    use core::mem::transmute;
    let mut next = at;
    for (eight, marks) in marks.as_chunks::<8>().0.iter().enumerate() {
        // SAFETY: eight numbers of 32 bits are one vector, any bits are numbers; so below.
        let marks = unsafe { transmute::<[u32; 8], __m256i>(*marks) };
        let set = _mm256_movemask_ps(_mm256_castsi256_ps(marks)) as usize & 255;
        let places = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(i64::from_le_bytes(MEMBERS[set])));
        for (from, to) in from.iter().zip(to.iter_mut()) {
            // SAFETY: as above.
            let numbers = unsafe { transmute::<[u32; 8], __m256i>(from.as_chunks::<8>().0[eight]) };
            let kept = _mm256_permutevar8x32_epi32(numbers, places);
            // SAFETY: as above.
            let kept = unsafe { transmute::<__m256i, [u32; 8]>(kept) };
            to[next..next + 8].copy_from_slice(&kept);
        }
        next += set.count_ones() as usize;
    }
    next
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

    struct Keeping<'a>(&'a Numbers, &'a [Numbers; 5], &'a mut [Kept; 5], &'a mut usize);

    impl Work for Keeping<'_> {
        #[inline(always)]
        fn run(self, vectors: impl Vectors) {
            *self.3 = vectors.keep(self.0, self.1, self.2, *self.3);
        }
    }

    #[test]
    fn every_set_of_instructions_keeps_the_same_numbers() {
        let column = |lane| core::array::from_fn(|i| Key::new(3, 0, 0, 0, lane).word(i as u32));
        let from: [Numbers; 5] = core::array::from_fn(|column_| column(column_ as u32));
        for share in 0..=8 {
            let marks: Numbers = core::array::from_fn(|i| {
                let kept = Key::new(share, 0, 0, 1, 0).word(i as u32) >> 29 < share as u32;
                if kept { u32::MAX } else { 0 }
            });
            for at in [0, 13, 255] {
                let count = marks.iter().filter(|mark| **mark != 0).count();
                let wanted = |column: &Numbers| -> Vec<u32> {
                    column.iter().zip(&marks).filter(|(_, mark)| **mark != 0).map(|(n, _)| *n).collect()
                };
                for simd in Simd::available() {
                    let (mut to, mut end) = ([[7; KEPT]; 5], at);
                    with_vectors(simd, Keeping(&marks, &from, &mut to, &mut end));
                    assert_eq!(end, at + count);
                    for (to, from) in to.iter().zip(&from) {
                        assert_eq!(to[at..end], wanted(from), "{simd:?}, {share}");
                        assert!(to[..at].iter().all(|&n| n == 7));
                    }
                }
            }
        }
    }
}
