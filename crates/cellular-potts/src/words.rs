//! Draws the words of many events at once, with the widest vectors the machine has: all unsafe code of this crate.
//!
//! The words are those of `Key::word`, one by one; only which instructions compute them differs.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use glauber_numbers::noise::Key;

/// A set of vector instructions.
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
            if std::arch::is_x86_feature_detected!("avx2") {
                sets.push(Simd::Avx2);
            }
            if ["avx512f", "avx512bw", "avx512dq", "avx512vl"].iter().all(|f| has(f)) {
                sets.push(Simd::Avx512);
            }
        }
        sets
    }

    /// The widest set, found once.
    pub(crate) fn widest() -> Simd {
        static WIDEST: OnceLock<Simd> = OnceLock::new();
        *WIDEST.get_or_init(|| Simd::available().pop().unwrap_or(Simd::Plain))
    }
}

#[cfg(target_arch = "x86_64")]
fn has(feature: &str) -> bool {
    match feature {
        "avx512f" => std::arch::is_x86_feature_detected!("avx512f"),
        "avx512bw" => std::arch::is_x86_feature_detected!("avx512bw"),
        "avx512dq" => std::arch::is_x86_feature_detected!("avx512dq"),
        "avx512vl" => std::arch::is_x86_feature_detected!("avx512vl"),
        _ => false,
    }
}

/// Writes the words of sites `first`, `first + stride`, …
#[inline]
pub(crate) fn fill(simd: Simd, key: &Key, first: u32, stride: u32, words: &mut [u32]) {
    match simd {
        // SAFETY: a set is only had from `available`, which saw that the machine has it.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512 => unsafe { fill_avx512(key, first, stride, words) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2 => unsafe { fill_avx2(key, first, stride, words) },
        Simd::Plain => fill_plain(key, first, stride, words),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2")]
fn fill_avx512(key: &Key, first: u32, stride: u32, words: &mut [u32]) {
    fill_plain(key, first, stride, words);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2(key: &Key, first: u32, stride: u32, words: &mut [u32]) {
    fill_plain(key, first, stride, words);
}

#[inline(always)]
fn fill_plain(key: &Key, first: u32, stride: u32, words: &mut [u32]) {
    for (i, word) in words.iter_mut().enumerate() {
        *word = key.word(first.wrapping_add(stride.wrapping_mul(i as u32)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_instructions_gives_the_same_words() {
        let key = Key::new(5, 1, 7, 0, 1);
        for simd in Simd::available() {
            for (first, stride, count) in [(0, 1, 256), (17, 2, 125), (u32::MAX - 40, 3, 33), (9, 1, 1)] {
                let mut words = vec![0; count];
                fill(simd, &key, first, stride, &mut words);
                let at = |i: usize| first.wrapping_add(stride * i as u32);
                assert!(words.iter().enumerate().all(|(i, &word)| word == key.word(at(i))), "{simd:?}");
            }
        }
    }
}
