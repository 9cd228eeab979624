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

/// Writes into every number what `draw` makes of its site's word, whose size `size` says; says whether any is below [`FINE`].
///
/// Sites are counted on rather than multiplied out: the loop is the same for all steps, and as short as for one.
#[inline(always)]
fn each_word<D>(
    numbers: impl Iterator<Item = D>,
    key: Key,
    first: u32,
    step: u32,
    size: impl Fn(u32) -> u32,
    draw: impl Fn(D, u32),
) -> bool {
    let (mut site, mut least) = (first, u32::MAX);
    for number in numbers {
        let word = key.word(site);
        site = site.wrapping_add(step);
        least = least.min(size(word));
        draw(number, word);
    }
    least < FINE
}

#[inline(always)]
pub(super) fn uniforms<F: Lane>(d: &mut [F], key: Key, site: u32, step: u32) {
    // One number in 2¹⁵ is refined by a second word: the loop stays a vector's work, and such blocks are gone over again.
    if each_word(d.iter_mut(), key, site, step, |word| word, |d, word| *d = uniform(word)) {
        again(d, site, step, |_, d| d < finest(), |_, site| key.uniform(site));
    }
}

/// Numbers in [−½, ½) that are fine near 0 on both sides; see [`Key::centred`].
#[inline(always)]
pub(super) fn centred_numbers<F: Lane>(d: &mut [F], key: Key, site: u32, step: u32) {
    if each_word(d.iter_mut(), key, site, step, size_of_centred, |d, word| *d = centred(word)) {
        again(d, site, step, |_, d| d.abs() < finest(), |_, site| key.centred(site));
    }
}

#[inline(always)]
pub(super) fn bernoulli<F: Lane>(d: &mut [F], p: Operand<'_, F>, key: Key, site: u32, step: u32) {
    let outcome = |u: F, p: F| if u < p { F::ONE } else { F::ZERO };
    // A refined number is below any larger probability, as the plain one is, and neither is below 0.
    let is_small = |p: F| p > F::ZERO && p < finest();
    match p {
        Operand::Many(p) => {
            let draw = |(d, p): (&mut F, &F), word| *d = outcome(uniform(word), *p);
            if each_word(d.iter_mut().zip(p), key, site, step, |word| word, draw) {
                again(d, site, step, |i, _| is_small(p[i]), |i, site| outcome(key.uniform(site), p[i]));
            }
        }
        Operand::One(p) => {
            let draw = |d: &mut F, word| *d = outcome(uniform(word), p);
            if each_word(d.iter_mut(), key, site, step, |word| word, draw) && is_small(p) {
                again(d, site, step, |_, _| true, |_, site| outcome(key.uniform(site), p));
            }
        }
    }
}

/// Below this a number is refined by a second word: where its word is below [`FINE`].
#[inline(always)]
fn finest<F: Lane>() -> F {
    F::from_f64(1.0 / 32_768.0)
}

/// Draws some numbers again: `which` says by a number and its place whether it is one.
#[cold]
#[inline(never)]
fn again<F: Lane>(
    d: &mut [F],
    first: u32,
    step: u32,
    which: impl Fn(usize, F) -> bool,
    draw: impl Fn(usize, u32) -> F,
) {
    for (i, d) in d.iter_mut().enumerate() {
        if which(i, *d) {
            *d = draw(i, first.wrapping_add((i as u32).wrapping_mul(step)));
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
