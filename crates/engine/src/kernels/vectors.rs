//! Enters code compiled for the vector instructions a machine has: all unsafe code of the engine is here.
//!
//! Two kinds: calls of functions that were compiled for certain instructions, made only where the machine was seen to
//! have them; and vectors taken as arrays of the same numbers, which any bits are.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;
#[cfg(target_arch = "x86_64")]
use core::mem::transmute;

use crate::block::{Block, Column};
use crate::kernel::Kernel;
#[cfg(target_arch = "x86_64")]
use crate::kernels::lane::Avx512;
use crate::kernels::{Corner, Entries, Lane, Memory, Output, Violation, Window, Worth, corners, draws, run};
use glauber_backend::Simd;
use glauber_lattice::Axes;
use glauber_numbers::noise::Key;

/// What the vectors that code runs with can do beyond what a compiler makes of loops.
pub(super) trait Vectors: Copy {
    /// d = table[index], where vectors can hold the table; whether they could.
    fn look_up<F: Lane>(self, d: &mut [F], table: &Entries<F>, index: &[i32]) -> bool;
}

/// Nothing.
#[derive(Clone, Copy)]
struct Plain;

impl Vectors for Plain {
    #[inline(always)]
    fn look_up<F: Lane>(self, _: &mut [F], _: &Entries<F>, _: &[i32]) -> bool {
        false
    }
}

#[cfg(target_arch = "x86_64")]
impl Vectors for Avx512 {
    #[inline(always)]
    fn look_up<F: Lane>(self, d: &mut [F], table: &Entries<F>, index: &[i32]) -> bool {
        F::permute(self, d, table, index)
    }
}

/// What is drawn for numbers that follow one another, as for the sites of a block.
pub(crate) enum Drawn<'d, F> {
    Words(&'d mut [u32]),
    Uniform(&'d mut [F]),
    Centred(&'d mut [F]),
}

/// Defines functions which enter code that is compiled for each kind of vectors.
macro_rules! entered {
    ($($(#[$doc:meta])* fn $name:ident [$($generic:tt)*] ($($argument:ident: $type:ty),* $(,)?) $body:block)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name<$($generic)*>(simd: Simd, $($argument: $type),*) {
            #[inline(always)]
            fn any<$($generic)*>($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,popcnt")]
            fn avx512<$($generic)*>($($argument: $type),*) {
                any($($argument),*);
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2<$($generic)*>($($argument: $type),*) {
                any($($argument),*);
            }

            match simd {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as in `run_blocks`.
                Simd::Avx512 => unsafe { avx512($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                Simd::Avx2 => unsafe { avx2($($argument),*) },
                _ => any($($argument),*),
            }
        }
    )*};
}

entered! {
    /// Draws the random numbers of a key from `first` on.
    fn draw[F: Lane](drawn: Drawn<'_, F>, key: Key, first: u32) {
        match drawn {
            Drawn::Words(d) => draws::words(d, key, first),
            Drawn::Uniform(d) => draws::uniforms(d, key, first, 1),
            Drawn::Centred(d) => draws::centred_numbers(d, key, first, 1),
        }
    }

    /// Finds the sites that pairs of words pick: their places, and whether they are near an edge.
    fn pick[](axes: &Axes, words: [&[u32]; 2], found: (&mut [u32], &mut [bool])) {
        axes.pick(words, found.0, found.1);
    }

    /// Adds to a row of sums what lies in the window about each place.
    fn add_corners[](all: &[Corner<'_>], window: Window, room: &mut Vec<i64>, sums: &mut [i64]) {
        corners::add(all, window, room, sums);
    }

    /// Rewrites sums as what a draw at each site is worth.
    fn worth[F: Lane](sums: &[i64], each: Worth, to: &mut [F]) {
        corners::worth(sums, each, to);
    }

    /// Writes what a draw at each place of a row is worth, of which the window holds all there is to sum up.
    fn worth_inside[F: Lane](all: &[Corner<'_>], window: Window, room: &mut Vec<i64>, each: Worth, to: &mut [F]) {
        corners::worth_inside(all, window, room, each, to);
    }

    /// Adds terms, in whole units, to sums.
    fn add_terms[F: Lane](terms: &[F], units: f64, sums: &mut [i64]) {
        corners::add_terms(terms, units, sums);
    }

    /// Writes terms, in whole units, as `count` times each less what `sums` has there; without sums as they are.
    fn leads[F: Lane](terms: &[F], units: f64, of: Option<(i64, &[i64])>, to: &mut [i64]) {
        corners::leads(terms, units, of, to);
    }
}

/// Runs a pass over `blocks`. `sums` holds, block after block, one number per slot.
pub(crate) fn run_blocks<F: Lane>(
    simd: Simd,
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Column<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    match simd {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: machines are only made with instructions seen to be there (`Simd::supported`).
        Simd::Avx512 => unsafe { run_avx512(kernels, blocks, memory, outputs, registers, sums) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Simd::Avx2 => unsafe { run_avx2(kernels, blocks, memory, outputs, registers, sums) },
        _ => run_plain(kernels, blocks, memory, outputs, registers, sums),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,popcnt")]
fn run_avx512<F: Lane>(
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Column<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    run(Avx512(()), kernels, blocks, memory, outputs, registers, sums)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_avx2<F: Lane>(
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Column<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    run(Plain, kernels, blocks, memory, outputs, registers, sums)
}

fn run_plain<F: Lane>(
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Column<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    run(Plain, kernels, blocks, memory, outputs, registers, sums)
}

impl Lane for f32 {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn permute(_there: Avx512, d: &mut [f32], table: &Entries<f32>, index: &[i32]) -> bool {
        // SAFETY: the proof was made in code that was compiled for AVX-512.
        unsafe {
            match table.count {
                0..=32 => permute_f32::<1>(d, table.values.as_slice(), index),
                33..=64 => permute_f32::<2>(d, table.values.as_slice(), index),
                65..=128 => permute_f32::<4>(d, table.values.as_slice(), index),
                _ => return false,
            }
        }
        true
    }
}

impl Lane for f64 {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn permute(_there: Avx512, d: &mut [f64], table: &Entries<f64>, index: &[i32]) -> bool {
        // SAFETY: the proof was made in code that was compiled for AVX-512.
        unsafe {
            match table.count {
                0..=16 => permute_f64::<1>(d, table.values.as_slice(), index),
                17..=32 => permute_f64::<2>(d, table.values.as_slice(), index),
                33..=64 => permute_f64::<4>(d, table.values.as_slice(), index),
                _ => return false,
            }
        }
        true
    }
}

/// Tables of at most 32 · `PAIRS` entries; an index beyond gives any of them.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,popcnt")]
#[inline]
fn permute_f32<const PAIRS: usize>(d: &mut [f32], table: &[f32], index: &[i32]) {
    let (parts, _) = table.as_chunks::<16>();
    // SAFETY: 16 numbers of 32 bits are one vector, any bits are numbers.
    let part = |k: usize| unsafe { transmute::<[f32; 16], __m512>(parts[k]) };
    let pairs: [(__m512, __m512); PAIRS] = core::array::from_fn(|k| (part(2 * k), part(2 * k + 1)));
    for (d, i) in d.as_chunks_mut::<16>().0.iter_mut().zip(index.as_chunks::<16>().0) {
        // SAFETY: as above.
        let i = unsafe { transmute::<[i32; 16], __m512i>(*i) };
        let mut found = [_mm512_setzero_ps(); PAIRS];
        for (found, (low, high)) in found.iter_mut().zip(pairs) {
            *found = _mm512_permutex2var_ps(low, i, high);
        }
        let mut half = PAIRS / 2;
        let mut bit = 16 * PAIRS as i32;
        while half > 0 {
            let upper = _mm512_test_epi32_mask(i, _mm512_set1_epi32(bit));
            for k in 0..half {
                found[k] = _mm512_mask_blend_ps(upper, found[k], found[k + half]);
            }
            half /= 2;
            bit /= 2;
        }
        // SAFETY: as above.
        *d = unsafe { transmute::<__m512, [f32; 16]>(found[0]) };
    }
}

/// Tables of at most 16 · `PAIRS` entries; an index beyond gives any of them.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,popcnt")]
#[inline]
fn permute_f64<const PAIRS: usize>(d: &mut [f64], table: &[f64], index: &[i32]) {
    let (parts, _) = table.as_chunks::<8>();
    // SAFETY: 8 numbers of 64 bits are one vector, any bits are numbers.
    let part = |k: usize| unsafe { transmute::<[f64; 8], __m512d>(parts[k]) };
    let pairs: [(__m512d, __m512d); PAIRS] = core::array::from_fn(|k| (part(2 * k), part(2 * k + 1)));
    for (d, i) in d.as_chunks_mut::<8>().0.iter_mut().zip(index.as_chunks::<8>().0) {
        // SAFETY: 8 numbers of 32 bits are one vector of 256 bits.
        let i = _mm512_cvtepi32_epi64(unsafe { transmute::<[i32; 8], __m256i>(*i) });
        let mut found = [_mm512_setzero_pd(); PAIRS];
        for (found, (low, high)) in found.iter_mut().zip(pairs) {
            *found = _mm512_permutex2var_pd(low, i, high);
        }
        let mut half = PAIRS / 2;
        let mut bit = 8 * PAIRS as i64;
        while half > 0 {
            let upper = _mm512_test_epi64_mask(i, _mm512_set1_epi64(bit));
            for k in 0..half {
                found[k] = _mm512_mask_blend_pd(upper, found[k], found[k + half]);
            }
            half /= 2;
            bit /= 2;
        }
        // SAFETY: as above.
        *d = unsafe { transmute::<__m512d, [f64; 8]>(found[0]) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::lookup::gather;
    use glauber_program::passes::MOST_ENTRIES;

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,popcnt")]
    fn permuted<F: Lane>(d: &mut [F], table: &Entries<F>, index: &[i32]) -> bool {
        Avx512(()).look_up(d, table, index)
    }

    #[cfg(target_arch = "x86_64")]
    fn agrees<F: Lane>(most: usize) {
        for count in 1..MOST_ENTRIES {
            let mut table = Entries::new(count);
            for entry in 0..count {
                table.values[entry] = F::from_f64(1.0 / (entry as f64 + 3.0));
            }
            let index: Vec<i32> = (0..512).map(|i| (i * 7 % count) as i32).collect();
            let (mut wanted, mut found) = (vec![F::ZERO; 512], vec![F::ZERO; 512]);
            gather(&mut wanted, &table.values, &index);
            // SAFETY: the caller has seen that the instructions are there.
            let could = unsafe { permuted(&mut found, &table, &index) };
            assert_eq!(could, count <= most);
            assert!(!could || found == wanted, "{count}");
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    #[allow(clippy::print_stderr)] // Says what was not tested.
    fn permuted_tables_give_what_gathered_ones_do() {
        if Simd::available().contains(&Simd::Avx512) {
            agrees::<f32>(128);
            agrees::<f64>(64);
        } else {
            eprintln!("SKIPPED: no AVX-512 here");
        }
    }
}
