//! Draws uniform, Bernoulli, normal, binomial and Poisson numbers over a block.

use crate::counts;
use crate::kernels::Lane;
use crate::kernels::operands::Operand;
use glauber_numbers::elementary;
use glauber_numbers::noise::{Key, uniform};

#[inline(always)]
pub(super) fn uniforms<F: Lane>(d: &mut [F], key: Key, site: u32) {
    for (i, d) in d.iter_mut().enumerate() {
        *d = uniform(key.word(site.wrapping_add(i as u32)));
    }
}

#[inline(always)]
pub(super) fn bernoulli<F: Lane>(d: &mut [F], p: Operand<'_, F>, key: Key, site: u32) {
    match p {
        Operand::Many(p) => {
            for (i, (d, p)) in d.iter_mut().zip(p).enumerate() {
                let u: F = uniform(key.word(site.wrapping_add(i as u32)));
                *d = if u < *p { F::ONE } else { F::ZERO };
            }
        }
        Operand::One(p) => {
            for (i, d) in d.iter_mut().enumerate() {
                let u: F = uniform(key.word(site.wrapping_add(i as u32)));
                *d = if u < p { F::ONE } else { F::ZERO };
            }
        }
    }
}

/// A standard normal number from two uniforms (Box & Muller 1958).
#[inline(always)]
pub(crate) fn box_muller<F: Lane>(u: F, v: F) -> F {
    let two = F::ONE + F::ONE;
    // Noise lies on a grid that includes 0; half a grid step up keeps the logarithm finite.
    let least = F::from_f64(1.0 / 4_294_967_296.0);
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

/// `n` sites; what lies beyond stays.
pub(super) fn binomials<F: Lane>(
    d: &mut [F],
    n: usize,
    trials: &Operand<'_, F>,
    p: &Operand<'_, F>,
    key: Key,
    site: u32,
) {
    for (i, d) in d[..n].iter_mut().enumerate() {
        let number =
            counts::binomial(&key, site.wrapping_add(i as u32), number_at(trials, i), number_at(p, i));
        *d = F::from_f64(number);
    }
}

/// `n` sites; what lies beyond stays.
pub(super) fn poissons<F: Lane>(d: &mut [F], n: usize, rate: &Operand<'_, F>, key: Key, site: u32) {
    for (i, d) in d[..n].iter_mut().enumerate() {
        *d = F::from_f64(counts::poisson(&key, site.wrapping_add(i as u32), number_at(rate, i)));
    }
}

fn number_at<F: Lane>(a: &Operand<'_, F>, i: usize) -> f64 {
    match a {
        Operand::Many(a) => a[i].to_f64(),
        Operand::One(a) => a.to_f64(),
    }
}
