//! Writes registers into planes, and finds values that may not be.

use crate::block::Block;
use crate::kernels::Lane;
use crate::kernels::operands::Operand;
use crate::kernels::{Output, Part};
use crate::plane::Stored;
use glauber_program::Requirement;

/// Up to here [`Real::nearest_i32`] is exact for whole numbers in both precisions.
const NEAR: i32 = 1 << 22;

/// The first of `n` sites, and its number, that is no whole number in the range.
#[inline(always)]
pub(super) fn out_of_range<F: Lane>(a: &Operand<'_, F>, n: usize, range: (i32, i32)) -> Option<(usize, f64)> {
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
        Operand::One(a) => test.fails(*a).then(|| (0, a.to_f64())),
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
