//! Writes registers into planes, and finds values that may not be.

use crate::block::Block;
use crate::kernels::Lane;
use crate::kernels::operands::Operand;
use crate::kernels::{Output, Part};
use glauber_backend::plane::{Plane, Stored, each_storage};
use glauber_program::Requirement;

/// Up to here [`Real::nearest_i32`] is exact for whole numbers in both precisions.
const NEAR: i32 = 1 << 22;

/// The first of `n` sites, and its number, that is no whole number in the range.
#[inline(always)]
fn out_of_range<F: Lane>(a: &Operand<'_, F>, n: usize, range: (i32, i32)) -> Option<(usize, f64)> {
    let (lowest, highest) = (F::from_i32(range.0), F::from_i32(range.1));
    if range.0 >= -NEAR && range.1 <= NEAR {
        first_bad(a, n, Near(lowest, highest))
    } else {
        first_bad(a, n, Far(lowest, highest))
    }
}

/// The first of `n` sites, and its number, that is not what a check requires.
#[inline(always)]
pub(super) fn not_as_required<F: Lane>(
    required: Requirement,
    a: &Operand<'_, F>,
    n: usize,
) -> Option<(usize, f64)> {
    let (lowest, highest, whole) = required.bounds(F::EPSILON.to_f64());
    let (lowest, highest) = (F::from_f64(lowest), F::from_f64(highest));
    match whole {
        true => first_bad(a, n, Far(lowest, highest)),
        false => first_bad(a, n, Between(lowest, highest)),
    }
}

/// A test of numbers. (A closure used at two places would not be inlined, and so not be vectorised.)
trait Test<F>: Copy {
    fn fails(self, a: F) -> bool;
}

/// Whole numbers between two that are at most [`NEAR`].
#[derive(Clone, Copy)]
struct Near<F>(F, F);

/// Whole numbers between any two.
#[derive(Clone, Copy)]
struct Far<F>(F, F);

#[derive(Clone, Copy)]
struct Between<F>(F, F);

impl<F: Lane> Test<F> for Near<F> {
    #[inline(always)]
    fn fails(self, a: F) -> bool {
        !((a >= self.0) & (a <= self.1) & (a.round_small() == a))
    }
}

impl<F: Lane> Test<F> for Far<F> {
    #[inline(always)]
    fn fails(self, a: F) -> bool {
        !((a >= self.0) & (a <= self.1) & (F::from_i32(a.to_i32()) == a))
    }
}

impl<F: Lane> Test<F> for Between<F> {
    #[inline(always)]
    fn fails(self, a: F) -> bool {
        !((a >= self.0) & (a <= self.1))
    }
}

#[inline(always)]
fn first_bad<F: Lane>(a: &Operand<'_, F>, n: usize, test: impl Test<F>) -> Option<(usize, f64)> {
    match a {
        Operand::One(a) => (n > 0 && test.fails(*a)).then(|| (0, a.to_f64())),
        Operand::Many(a) => {
            let a = &a[..n];
            let mut any = 0u32;
            for a in a {
                any |= u32::from(test.fails(*a));
            }
            if any == 0 { None } else { find_bad(a, test) }
        }
    }
}

#[cold]
#[inline(never)]
fn find_bad<F: Lane>(a: &[F], test: impl Test<F>) -> Option<(usize, f64)> {
    a.iter().position(|a| test.fails(*a)).map(|at| (at, a[at].to_f64()))
}

/// Writes a block of what must be whole numbers in a range; the first site, and its number, that is none.
#[inline(always)]
pub(super) fn store_in_range<F: Lane>(
    block: &Block,
    output: &mut Output<'_, F>,
    a: &Operand<'_, F>,
    range: (i32, i32),
) -> Option<(usize, f64)> {
    if let (Part::U8(part), Operand::Many(a), false) = (&mut output.part, a, block.coloured) {
        // The usual case in one loop: what a byte may hold is near.
        let test = Near(F::from_i32(range.0), F::from_i32(range.1));
        let a = &a[..block.len()];
        let mut any = 0u32;
        for (start, a) in block.starts().zip(a.chunks_exact(block.width)) {
            let start = start - output.base;
            for (to, a) in part[start..start + block.width].iter_mut().zip(a) {
                any |= u32::from(test.fails(*a));
                *to = a.nearest_i32() as u8;
            }
        }
        return if any == 0 { None } else { find_bad(a, test) };
    }
    let bad = out_of_range(a, block.len(), range);
    store(block, output, a);
    bad
}

/// Writes a block.
#[inline(always)]
pub(super) fn store<F: Lane>(block: &Block, output: &mut Output<'_, F>, a: &Operand<'_, F>) {
    let (base, add) = (output.base, output.add);
    match &mut output.part {
        Part::U8(part) => store_rows(block, base, part, a, |_, a| a.nearest_i32() as u8),
        Part::I16(part) => store_rows(block, base, part, a, |_, a| a.nearest_i32() as i16),
        Part::I32(part) => store_rows(block, base, part, a, |_, a| a.to_i32()),
        Part::Real(part) if add => store_rows(block, base, part, a, |old, a| old + a),
        Part::Real(part) => store_rows(block, base, part, a, |_, a| a),
    }
}

#[inline(always)]
fn store_rows<F: Lane, T: Stored>(
    block: &Block,
    base: usize,
    part: &mut [T],
    a: &Operand<'_, F>,
    f: impl Fn(T, F) -> T,
) {
    let width = block.width;
    if block.coloured {
        for strip in &block.strips {
            let start = strip.place - base;
            let to = &mut part[start..start + (strip.count - 1) * block.step + 1];
            match a {
                Operand::Many(a) => store_strip(to, &a[strip.lanes()], block.step, &f),
                Operand::One(a) => to.iter_mut().step_by(block.step).for_each(|to| *to = f(*to, *a)),
            }
        }
        return;
    }
    match a {
        Operand::Many(a) => {
            for (start, a) in block.starts().zip(a[..block.len()].chunks_exact(width)) {
                let start = start - base;
                for (to, a) in part[start..start + width].iter_mut().zip(a) {
                    *to = f(*to, *a);
                }
            }
        }
        Operand::One(a) => {
            for start in block.starts() {
                let start = start - base;
                for to in &mut part[start..start + width] {
                    *to = f(*to, *a);
                }
            }
        }
    }
}

/// Writes every `step`-th place.
#[inline(always)]
fn store_strip<F: Lane, T: Stored>(to: &mut [T], a: &[F], step: usize, f: impl Fn(T, F) -> T) {
    match step {
        1 => to.iter_mut().zip(a).for_each(|(to, a)| *to = f(*to, *a)),
        2 => {
            // What stands between is written too, so that the loop is one of vectors.
            let (pairs, last) = to.as_chunks_mut::<2>();
            let (most, rest) = a.split_at(pairs.len().min(a.len()));
            for (to, a) in pairs.iter_mut().zip(most) {
                *to = [f(to[0], *a), to[1]];
            }
            last.iter_mut().zip(rest).for_each(|(to, a)| *to = f(*to, *a));
        }
        _ => to.iter_mut().step_by(step).zip(a).for_each(|(to, a)| *to = f(*to, *a)),
    }
}

/// Copies a plane at all sites of the block's rows.
#[inline(always)]
pub(super) fn copy<F: Lane>(block: &Block, output: &mut Output<'_, F>, from: &Plane<F>) {
    let base = output.base;
    match (&mut output.part, from) {
        (Part::U8(to), Plane::U8(from)) => copy_rows(block, base, to, from, |x| x),
        (Part::I16(to), Plane::I16(from)) => copy_rows(block, base, to, from, |x| x),
        (Part::I32(to), Plane::I32(from)) => copy_rows(block, base, to, from, |x| x),
        (Part::Real(to), Plane::Real(from)) => copy_rows(block, base, to, from, |x| x),
        (Part::U8(to), from) => copy_any(block, base, to, from),
        (Part::I16(to), from) => copy_any(block, base, to, from),
        (Part::I32(to), from) => copy_any(block, base, to, from),
        (Part::Real(to), from) => copy_any(block, base, to, from),
    }
}

#[inline(always)]
fn copy_rows<T: Copy, S: Copy>(block: &Block, base: usize, to: &mut [T], from: &[S], f: impl Fn(S) -> T) {
    for start in block.starts() {
        let to = &mut to[start - base..][..block.width];
        to.iter_mut().zip(&from[start..][..block.width]).for_each(|(to, from)| *to = f(*from));
    }
}

/// As [`copy_rows`] from a plane that stores otherwise what both can hold.
#[inline(never)]
fn copy_any<F: Lane, T: Stored>(block: &Block, base: usize, to: &mut [T], from: &Plane<F>) {
    each_storage!(from, from => copy_rows(block, base, to, from, |x| T::from_number(x.number())));
}
