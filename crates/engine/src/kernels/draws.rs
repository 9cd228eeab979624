//! Draws uniform, Bernoulli, normal numbers, and numbers that count, over a block: for sites numbered from one on, each
//! `step` from the one before.

use glauber_program::CountLaw;

use crate::block::Block;
use crate::kernel::Arg;
use crate::kernels::operands::{Operand, Readable};
use crate::kernels::{Lane, Memory};
use glauber_numbers::elementary;
use glauber_numbers::noise::{FINE, Key, centred, size_of_centred, uniform};

/// The words of numbers that follow one another.
#[inline(always)]
pub(super) fn words(d: &mut [u32], key: Key, first: u32) {
    for (i, d) in d.iter_mut().enumerate() {
        *d = key.word(first.wrapping_add(i as u32));
    }
}

#[inline(always)]
pub(super) fn uniforms<F: Lane>(d: &mut [F], key: Key, site: u32, step: u32) {
    // One number in 2¹⁵ is refined by a second word: the loop stays a vector's work, and such blocks are gone over again.
    let mut least = u32::MAX;
    for (i, d) in d.iter_mut().enumerate() {
        let word = key.word(site.wrapping_add((i as u32).wrapping_mul(step)));
        least = least.min(word);
        *d = uniform(word);
    }
    if least < FINE {
        refine(d, key, site, step, |word| word, |key, site, _| key.uniform(site));
    }
}

/// Numbers in [−½, ½) that are fine near 0 on both sides; see [`Key::centred`].
#[inline(always)]
pub(super) fn centred_numbers<F: Lane>(d: &mut [F], key: Key, site: u32, step: u32) {
    let mut least = u32::MAX;
    for (i, d) in d.iter_mut().enumerate() {
        let word = key.word(site.wrapping_add((i as u32).wrapping_mul(step)));
        least = least.min(size_of_centred(word));
        *d = centred(word);
    }
    if least < FINE {
        refine(d, key, site, step, size_of_centred, |key, site, _| key.centred(site));
    }
}

#[inline(always)]
pub(super) fn bernoulli<F: Lane>(d: &mut [F], p: Operand<'_, F>, key: Key, site: u32, step: u32) {
    let mut least = u32::MAX;
    match p {
        Operand::Many(p) => {
            for (i, (d, p)) in d.iter_mut().zip(p).enumerate() {
                let word = key.word(site.wrapping_add((i as u32).wrapping_mul(step)));
                least = least.min(word);
                let u: F = uniform(word);
                *d = if u < *p { F::ONE } else { F::ZERO };
            }
        }
        Operand::One(p) => {
            for (i, d) in d.iter_mut().enumerate() {
                let word = key.word(site.wrapping_add((i as u32).wrapping_mul(step)));
                least = least.min(word);
                let u: F = uniform(word);
                *d = if u < p { F::ONE } else { F::ZERO };
            }
        }
    }
    if least < FINE {
        refine(
            d,
            key,
            site,
            step,
            |word| word,
            |key, site, i| {
                let p = match p {
                    Operand::Many(p) => p[i],
                    Operand::One(p) => p,
                };
                if key.uniform::<F>(site) < p { F::ONE } else { F::ZERO }
            },
        );
    }
}

/// Draws again where the size of a word is below [`FINE`].
#[cold]
#[inline(never)]
fn refine<F: Lane>(
    d: &mut [F],
    key: Key,
    site: u32,
    step: u32,
    size: impl Fn(u32) -> u32,
    draw: impl Fn(&Key, u32, usize) -> F,
) {
    for (i, d) in d.iter_mut().enumerate() {
        let site = site.wrapping_add((i as u32).wrapping_mul(step));
        if size(key.word(site)) < FINE {
            *d = draw(&key, site, i);
        }
    }
}

/// A standard normal number from two uniforms (Box & Muller 1958).
#[inline(always)]
pub(crate) fn box_muller<F: Lane>(u: F, v: F) -> F {
    let two = F::ONE + F::ONE;
    // 0 comes out once in 2⁶⁴ times; the least number above it keeps the logarithm finite.
    let least = F::from_f64(1.0 / 18_446_744_073_709_551_616.0);
    let radius = (-(two * elementary::ln(u.max(least)))).sqrt();
    let (_, cosine) = elementary::sin_cos_turns(v);
    radius * cosine
}

#[inline(always)]
pub(super) fn normals<F: Lane>(d: &mut [F], u: &[F], v: &[F]) {
    for ((d, u), v) in d.iter_mut().zip(u).zip(v) {
        *d = box_muller(*u, *v);
    }
}

/// The sites of a block; what lies beyond stays.
pub(super) fn counts<F: Lane>(
    law: CountLaw,
    d: &mut [F],
    block: &Block,
    arguments: &[Arg],
    r: &Readable<'_, F>,
    memory: &Memory<'_, F>,
    key: Key,
) {
    let mut operands = [Operand::One(F::ZERO); 2];
    operands.iter_mut().zip(arguments).for_each(|(operand, a)| *operand = r.operand(*a, d.len(), memory));
    for (i, d) in d[..block.len()].iter_mut().enumerate() {
        let numbers = operands.each_ref().map(|operand| number_at(operand, i));
        *d = F::from_f64(law.draw(&key, block.site_of(i) as u32, numbers));
    }
}

fn number_at<F: Lane>(a: &Operand<'_, F>, i: usize) -> f64 {
    match a {
        Operand::Many(a) => a[i].to_f64(),
        Operand::One(a) => a.to_f64(),
    }
}
