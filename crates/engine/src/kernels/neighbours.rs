//! Reads fields into registers: at the site itself, at a distance, and summed over neighbours.

use glauber_lattice::Layout;

use crate::block::{BLOCK, Block};
use crate::kernel::Source;
use crate::kernels::Lane;
use crate::kernels::Memory;
use crate::plane::{Plane, each_storage};

#[inline(always)]
pub(super) fn plane_of<'a, F>(source: Source, memory: &Memory<'a, F>) -> &'a Plane<F> {
    match source {
        Source::Layer(i) => &memory.layers[i as usize],
        Source::NextAdjoint(i) => &memory.next_adjoints[i as usize],
        Source::LocalAdvantage => &memory.local_advantage[0],
        Source::Field(i) => &memory.fields[i as usize],
        Source::Target(i) => &memory.targets[i as usize],
        Source::Temporary(i) => &memory.temporaries[i as usize],
    }
}

/// A number of a plane in the precision of the block.
pub(super) trait InBlock<F>: Copy {
    fn widen(self) -> F;
}

impl<F: Lane> InBlock<F> for u8 {
    #[inline(always)]
    fn widen(self) -> F {
        F::from_i32(i32::from(self))
    }
}
impl<F: Lane> InBlock<F> for i16 {
    #[inline(always)]
    fn widen(self) -> F {
        F::from_i32(i32::from(self))
    }
}
impl<F: Lane> InBlock<F> for i32 {
    #[inline(always)]
    fn widen(self) -> F {
        F::from_i32(self)
    }
}
impl<F: Lane> InBlock<F> for F {
    #[inline(always)]
    fn widen(self) -> F {
        self
    }
}

/// Calls `f` with the part of the register and the part of the plane that make up each row of a block.
#[inline(always)]
pub(super) fn rows<F, T>(
    block: &Block,
    dst: &mut [F],
    plane: &[T],
    distance: isize,
    mut f: impl FnMut(&mut [F], &[T]),
) {
    let width = block.width;
    for (d, start) in dst[..block.len()].chunks_exact_mut(width).zip(rows_at(block, distance)) {
        f(d, &plane[start..start + width]);
    }
}

/// Where the rows of a block start in a plane, seen from a distance.
#[inline(always)]
pub(super) fn rows_at(block: &Block, distance: isize) -> impl Iterator<Item = usize> + use<> {
    block.starts().map(move |start| start.wrapping_add_signed(distance))
}

#[inline(always)]
pub(super) fn load<F: Lane>(
    memory: &Memory<'_, F>,
    block: &Block,
    dst: &mut [F],
    source: Source,
    distance: isize,
) {
    each_storage!(plane_of(source, memory), plane => {
        rows(block, dst, plane, distance, |d, p| {
            for (d, p) in d.iter_mut().zip(p) {
                *d = p.widen();
            }
        });
    });
}

/// Σ weight · x over the distances, in their order; weights are 1 where there are none.
#[inline(always)]
pub(super) fn neighbour_sum<F: Lane>(
    memory: &Memory<'_, F>,
    block: &Block,
    dst: &mut [F],
    source: Source,
    distances: &[isize],
    weights: &[f64],
) {
    dst.fill(F::ZERO);
    each_storage!(plane_of(source, memory), plane => {
        for (row, d) in block.starts().zip(dst[..block.len()].chunks_exact_mut(block.width)) {
            let at = |distance: isize| row.wrapping_add_signed(distance);
            if weights.is_empty() {
                // Four at a time, so that the sum is not written and read again for each.
                let (groups, rest) = distances.as_chunks::<4>();
                for group in groups {
                    add_four(d, group.map(|distance| &plane[at(distance)..at(distance) + d.len()]));
                }
                for distance in rest {
                    add_weighted(d, &plane[at(*distance)..], |x| x);
                }
            } else {
                for (distance, weight) in distances.iter().zip(weights) {
                    let weight = F::from_f64(*weight);
                    add_weighted(d, &plane[at(*distance)..], |x: F| weight * x);
                }
            }
        }
    });
}

#[inline(always)]
fn add_four<F: Lane, T: InBlock<F>>(d: &mut [F], [p, q, r, s]: [&[T]; 4]) {
    for ((((d, p), q), r), s) in d.iter_mut().zip(p).zip(q).zip(r).zip(s) {
        *d = (((*d + p.widen()) + q.widen()) + r.widen()) + s.widen();
    }
}

#[inline(always)]
fn add_weighted<F: Lane, T: InBlock<F>>(d: &mut [F], p: &[T], weighted: impl Fn(F) -> F) {
    for (d, p) in d.iter_mut().zip(p) {
        *d = *d + weighted(p.widen());
    }
}

/// Room for the counts of a block: whole padded rows, margins between them included, so that the loops are long.
pub(super) const BYTES: usize = 4 * BLOCK;

/// Counts in bytes, of which a vector holds four times as many.
#[inline(always)]
pub(super) fn neighbour_count_bytes<F: Lane>(
    block: &Block,
    dst: &mut [F],
    plane: &[u8],
    distances: &[isize],
    room: &mut [u8; BYTES],
) {
    let (first, longest) = (block.starts().next().unwrap_or(0), block.stretch());
    if longest > BYTES {
        // Rows far apart (narrow, with wide margins): one by one.
        for (start, d) in block.starts().zip(dst.chunks_exact_mut(block.width)) {
            count_bytes(&mut room[..block.width], plane, start, distances);
            widen_bytes(d, room);
        }
        return;
    }
    count_bytes(&mut room[..longest], plane, first, distances);
    for (start, d) in block.starts().zip(dst.chunks_exact_mut(block.width)) {
        widen_bytes(d, &room[start - first..]);
    }
}

/// c[i] = Σ plane[start + i + distance], over the distances.
#[inline(always)]
fn count_bytes(c: &mut [u8], plane: &[u8], start: usize, distances: &[isize]) {
    let n = c.len();
    let at = |distance: isize| {
        let from = start.wrapping_add_signed(distance);
        &plane[from..from + n]
    };
    // The first eight (or four) are written, so that nothing need be 0 before.
    let rest = if let Some((eight, rest)) = distances.split_first_chunk::<8>() {
        let [p, q, r, s, t, u, v, w] = eight.map(at);
        for i in 0..n {
            let (first, second) = (p[i].wrapping_add(q[i]), r[i].wrapping_add(s[i]));
            let (third, fourth) = (t[i].wrapping_add(u[i]), v[i].wrapping_add(w[i]));
            c[i] = first.wrapping_add(second).wrapping_add(third.wrapping_add(fourth));
        }
        rest
    } else if let Some((four, rest)) = distances.split_first_chunk::<4>() {
        let [p, q, r, s] = four.map(at);
        for i in 0..n {
            c[i] = p[i].wrapping_add(q[i]).wrapping_add(r[i].wrapping_add(s[i]));
        }
        rest
    } else {
        c.fill(0);
        distances
    };
    for distance in rest {
        for (c, p) in c.iter_mut().zip(at(*distance)) {
            *c = c.wrapping_add(*p);
        }
    }
}

#[inline(always)]
fn widen_bytes<F: Lane>(d: &mut [F], c: &[u8]) {
    for (d, c) in d.iter_mut().zip(c) {
        *d = F::from_i32(i32::from(*c));
    }
}

pub(super) fn coordinates<F: Lane>(layout: &Layout, block: &Block, d: &mut [F], axis: u8) {
    let height = layout.extent()[1];
    for row in 0..block.rows {
        let (z, y) = ((block.first_row + row) / height, (block.first_row + row) % height);
        for i in 0..block.width {
            let coordinate = [z, y, block.x + i][axis as usize];
            d[row * block.width + i] = F::from_i32(coordinate as i32);
        }
    }
}
