//! Reads fields into registers: at the site itself, at a distance, and summed over neighbours.

use glauber_lattice::{Colouring, Layout};

use crate::block::{BLOCK, Block, Strip};
use crate::kernel::Source;
use crate::kernels::Lane;
use crate::kernels::Memory;
use glauber_backend::plane::{Plane, each_storage};

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

/// Calls `f` with every number of a register and the plane's at `step` times its place from the start: the numbers of a
/// strip.
#[inline(always)]
pub(super) fn each_at<F, T: Copy>(d: &mut [F], p: &[T], step: usize, f: impl Fn(&mut F, T)) {
    match step {
        1 => d.iter_mut().zip(p).for_each(|(d, p)| f(d, *p)),
        2 => {
            // A loop that the compiler makes one of vectors; the last may stand at the plane's end.
            let (pairs, last) = p.as_chunks::<2>();
            let (most, rest) = d.split_at_mut(pairs.len().min(d.len()));
            for (d, [p, _]) in most.iter_mut().zip(pairs) {
                f(d, *p);
            }
            rest.iter_mut().zip(last).for_each(|(d, p)| f(d, *p));
        }
        _ => d.iter_mut().zip(p.iter().step_by(step)).for_each(|(d, p)| f(d, *p)),
    }
}

/// The stretch of a plane from the first to the last site of a strip, seen from a distance.
#[inline(always)]
fn stretch<'p, T>(plane: &'p [T], strip: &Strip, step: usize, distance: isize) -> &'p [T] {
    let start = strip.place.wrapping_add_signed(distance);
    &plane[start..start + (strip.count - 1) * step + 1]
}

#[inline(always)]
pub(super) fn load<F: Lane>(
    memory: &Memory<'_, F>,
    block: &Block,
    dst: &mut [F],
    source: Source,
    distance: isize,
) {
    if block.coloured {
        each_storage!(plane_of(source, memory), plane => {
            for strip in &block.strips {
                let p = stretch(plane, strip, block.step, distance);
                each_at(&mut dst[strip.lanes()], p, block.step, |d, p| *d = p.widen());
            }
        });
        return;
    }
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
    if block.coloured {
        each_storage!(plane_of(source, memory), plane => {
            for strip in &block.strips {
                let d = &mut dst[strip.lanes()];
                for (place, distance) in distances.iter().enumerate() {
                    let p = stretch(plane, strip, block.step, *distance);
                    match weights.get(place) {
                        None => each_at(d, p, block.step, |d, p| *d = *d + p.widen()),
                        Some(weight) => {
                            let weight = F::from_f64(*weight);
                            each_at(d, p, block.step, |d, p| *d = *d + weight * p.widen());
                        }
                    }
                }
            }
        });
        return;
    }
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
    if block.coloured {
        for strip in &block.strips {
            // All sites between the first and the last are counted: that takes less than to pick every second byte.
            for (part, d) in dst[strip.lanes()].chunks_mut(BYTES / block.step).enumerate() {
                let skipped = part * (BYTES / block.step) * block.step;
                let counted = &mut room[..(d.len() - 1) * block.step + 1];
                count_bytes(counted, plane, strip.place + skipped, distances);
                each_at(d, counted, block.step, |d, c| *d = F::from_i32(i32::from(c)));
            }
        }
        return;
    }
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
    if block.coloured {
        for strip in &block.strips {
            for (i, d) in d[strip.lanes()].iter_mut().enumerate() {
                let site = [strip.row / height, strip.row % height, strip.x + i * block.step];
                *d = F::from_i32(site[axis as usize] as i32);
            }
        }
        return;
    }
    for row in 0..block.rows {
        let (z, y) = ((block.first_row + row) / height, (block.first_row + row) % height);
        for i in 0..block.width {
            let coordinate = [z, y, block.x + i][axis as usize];
            d[row * block.width + i] = F::from_i32(coordinate as i32);
        }
    }
}

/// 1 at the sites of a colour.
pub(super) fn of_colour<F: Lane>(
    layout: &Layout,
    block: &Block,
    d: &mut [F],
    colouring: &Colouring,
    colour: u32,
) {
    let height = layout.extent()[1];
    if block.coloured {
        for strip in &block.strips {
            for (i, d) in d[strip.lanes()].iter_mut().enumerate() {
                let site = [strip.row / height, strip.row % height, strip.x + i * block.step];
                *d = F::from_i32(i32::from(colouring.colour(site) == colour));
            }
        }
        return;
    }
    let step = colouring.step();
    for (row, d) in d[..block.len()].chunks_exact_mut(block.width).enumerate() {
        let row = block.first_row + row;
        d.fill(F::ZERO);
        if let Some(first) = colouring.first(row / height, row % height, colour) {
            // Where the piece's first site of the colour is.
            let from = (first + step - block.x % step) % step;
            d.iter_mut().skip(from).step_by(step).for_each(|d| *d = F::ONE);
        }
    }
}
