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

/// Something to be done with vectors. `run` and all it calls in loops should be `#[inline(always)]`, so that it is compiled
/// for each set of instructions.
pub(crate) trait Work {
    /// Does it.
    fn run(self);
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
        Simd::Plain => work.run(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,popcnt")]
fn with_avx512(work: impl Work) {
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn with_avx2(work: impl Work) {
    work.run();
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
        fn run(self) {
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
}
