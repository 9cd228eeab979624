//! Reads what kernels read, a register or one number, and runs loops over either.

use crate::block::{BLOCK, Column};
use crate::kernel::Arg;
use crate::kernels::Lane;
use crate::kernels::Memory;

/// One register or scalar of a kernel, ready to be read.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a, F> {
    Many(&'a [F]),
    One(F),
}

/// The registers a kernel may read: all but the one it writes.
pub(super) struct Readable<'a, F> {
    pub(super) before: &'a [Column<F>],
    pub(super) after: &'a [Column<F>],
}

impl<'a, F: Lane> Readable<'a, F> {
    /// The first `n` numbers of a register.
    #[inline(always)]
    pub(super) fn get(&self, register: u32, n: usize) -> &'a [F] {
        let place = register as usize;
        let found = match self.before.get(place) {
            Some(column) => column,
            None => &self.after[place - self.before.len() - 1],
        };
        &found.0[..n]
    }

    #[inline(always)]
    pub(super) fn operand(&self, arg: Arg, n: usize, memory: &Memory<'_, F>) -> Operand<'a, F> {
        match arg {
            Arg::Register(r) => Operand::Many(self.get(r, n)),
            Arg::Scalar(s) => Operand::One(memory.scalars[s as usize]),
        }
    }
}

impl<'a, F: Lane> Operand<'a, F> {
    /// Some of its lanes.
    #[inline(always)]
    pub(super) fn within(self, lanes: std::ops::Range<usize>) -> Operand<'a, F> {
        match self {
            Operand::Many(a) => Operand::Many(&a[lanes]),
            one => one,
        }
    }

    /// As a register: one number is repeated in `room` first. For loops too long to be made for each kind of operand.
    #[inline(always)]
    pub(super) fn spread<'b>(self, n: usize, room: &'b mut [F; BLOCK]) -> &'b [F]
    where
        'a: 'b,
    {
        match self {
            Operand::Many(a) => &a[..n],
            Operand::One(a) => {
                room[..n].fill(a);
                &room[..n]
            }
        }
    }
}

#[inline(always)]
pub(super) fn map1<F: Lane>(dst: &mut [F], a: &[F], f: impl Fn(F) -> F) {
    for (d, a) in dst.iter_mut().zip(a) {
        *d = f(*a);
    }
}

#[inline(always)]
pub(super) fn map2<F: Lane>(dst: &mut [F], a: Operand<'_, F>, b: Operand<'_, F>, f: impl Fn(F, F) -> F) {
    match (a, b) {
        (Operand::Many(a), Operand::Many(b)) => {
            for ((d, a), b) in dst.iter_mut().zip(a).zip(b) {
                *d = f(*a, *b);
            }
        }
        (Operand::Many(a), Operand::One(b)) => map1(dst, a, |a| f(a, b)),
        (Operand::One(a), Operand::Many(b)) => map1(dst, b, |b| f(a, b)),
        (Operand::One(a), Operand::One(b)) => dst.fill(f(a, b)),
    }
}

#[inline(always)]
pub(super) fn map3<F: Lane>(
    dst: &mut [F],
    a: Operand<'_, F>,
    b: Operand<'_, F>,
    c: Operand<'_, F>,
    f: impl Fn(F, F, F) -> F,
) {
    match (a, b, c) {
        (Operand::Many(a), Operand::Many(b), Operand::Many(c)) => {
            for (((d, a), b), c) in dst.iter_mut().zip(a).zip(b).zip(c) {
                *d = f(*a, *b, *c);
            }
        }
        (Operand::Many(a), Operand::Many(b), Operand::One(c)) => {
            map2(dst, Operand::Many(a), Operand::Many(b), |a, b| f(a, b, c));
        }
        (Operand::Many(a), Operand::One(b), c) => map2(dst, Operand::Many(a), c, |a, c| f(a, b, c)),
        (Operand::One(a), b, c) => map2(dst, b, c, |b, c| f(a, b, c)),
    }
}
