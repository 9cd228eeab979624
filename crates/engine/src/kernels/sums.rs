//! Sums over the sites of a block, in double precision and a fixed order.

use crate::block::{BLOCK, Block, LANES};
use crate::kernel::Source;
use crate::kernels::Lane;
use crate::kernels::Memory;
use crate::kernels::neighbours::{InBlock, load, plane_of, rows_at};
use crate::kernels::operands::Operand;
use glauber_backend::plane::each_storage;

/// Running sums, one per lane: site i is added to lane i modulo [`LANES`].
type Lanes = [f64; LANES];

/// The sum of the lanes, by a tree. Not inlined: the compiler would make its pairs those of the loop before it, and
/// that loop four times slower.
#[inline(never)]
fn total(lanes: &mut Lanes) -> f64 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn lane_sum1<F: Lane>(a: &[F], f: impl Fn(F) -> F) -> f64 {
    let mut lanes = [0.0; LANES];
    let (groups, rest) = a.as_chunks::<LANES>();
    for a in groups {
        for lane in 0..LANES {
            lanes[lane] += f(a[lane]).to_f64();
        }
    }
    for (lane, a) in lanes.iter_mut().zip(rest) {
        *lane += f(*a).to_f64();
    }
    total(&mut lanes)
}

/// Σ a over `n` sites.
#[inline(always)]
pub(super) fn sum<F: Lane>(n: usize, a: Operand<'_, F>) -> f64 {
    match a {
        Operand::Many(a) => lane_sum1(&a[..n], |a| a),
        Operand::One(a) => a.to_f64() * n as f64,
    }
}

/// Σ a b over `n` sites, the products rounded to the block's precision.
#[inline(always)]
pub(super) fn dot<F: Lane>(n: usize, a: Operand<'_, F>, b: Operand<'_, F>) -> f64 {
    match (a, b) {
        (Operand::Many(a), Operand::Many(b)) => {
            let mut lanes = [0.0; LANES];
            add_products(&mut lanes, &a[..n], &b[..n]);
            total(&mut lanes)
        }
        (Operand::Many(a), Operand::One(b)) | (Operand::One(b), Operand::Many(a)) => {
            lane_sum1(&a[..n], |a| a * b)
        }
        (Operand::One(a), Operand::One(b)) => (a * b).to_f64() * n as f64,
    }
}

/// Adds products to the lanes, from lane 0 on.
#[inline(always)]
fn add_products<F: Lane>(lanes: &mut Lanes, a: &[F], b: &[F]) {
    let ((groups_a, rest_a), (groups_b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in groups_a.iter().zip(groups_b) {
        for lane in 0..LANES {
            lanes[lane] += (a[lane] * b[lane]).to_f64();
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(rest_a).zip(rest_b) {
        *lane += (*a * *b).to_f64();
    }
}

/// Σ a x over a block, with x a field at a constant distance in memory.
#[inline(always)]
pub(super) fn dot_field<F: Lane>(
    memory: &Memory<'_, F>,
    block: &Block,
    a: &[F],
    source: Source,
    distance: isize,
) -> f64 {
    let a = &a[..block.len()];
    if block.width % LANES != 0 {
        // Rows do not begin at lane 0: bring the field into one piece first.
        let mut room = [F::ZERO; BLOCK];
        load(memory, block, &mut room, source, distance);
        return dot(a.len(), Operand::Many(a), Operand::Many(&room));
    }
    let mut lanes = [0.0; LANES];
    each_storage!(plane_of(source, memory), plane => {
        for (a, start) in a.chunks_exact(block.width).zip(rows_at(block, distance)) {
            let row = &plane[start..start + block.width];
            for (a, b) in a.as_chunks::<LANES>().0.iter().zip(row.as_chunks::<LANES>().0) {
                for lane in 0..LANES {
                    lanes[lane] += (a[lane] * b[lane].widen()).to_f64();
                }
            }
        }
    });
    total(&mut lanes)
}
