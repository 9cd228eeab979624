//! Shares the blocks of one replicate, and the planes they fill, among threads.

use glauber_lattice::Layout;

use crate::block::Block;
use crate::kernels::{Output, Part};
use glauber_backend::plane::Plane;

/// All of a plane.
pub(crate) fn whole<F>(plane: &mut Plane<F>) -> Part<'_, F> {
    match plane {
        Plane::U8(v) => Part::U8(v),
        Plane::I16(v) => Part::I16(v),
        Plane::I32(v) => Part::I32(v),
        Plane::Real(v) => Part::Real(v),
    }
}

/// What one of several threads does: consecutive blocks, and the parts of the outputs that they fill.
pub(crate) struct Share<'a, F> {
    pub(crate) blocks: &'a [Block],
    pub(crate) outputs: Vec<Output<'a, F>>,
    pub(crate) sums: &'a mut [f64],
}

/// The shares of a crew: `sums` holds `slots` numbers for each block.
pub(crate) fn share<'a, F>(
    blocks: &'a [Block],
    crew: usize,
    layout: &Layout,
    outputs: Vec<(Part<'a, F>, bool)>,
    mut sums: &'a mut [f64],
    slots: usize,
) -> Vec<Share<'a, F>> {
    let mut rest: Vec<(Part<'a, F>, bool)> = outputs;
    let mut base = 0;
    let mut shares = Vec::new();
    let each = blocks.len().div_ceil(crew);
    for (number, own) in blocks.chunks(each).enumerate() {
        let next = blocks.get((number + 1) * each);
        let end = next.map_or(layout.padded_len(), |b| layout.row(b.first_row) + b.x);
        let mut parts = Vec::new();
        let mut remaining = Vec::new();
        for (part, add) in rest {
            let (head, tail) = split(part, end - base);
            parts.push(Output { part: head, base, add });
            remaining.push((tail, add));
        }
        rest = remaining;
        base = end;
        let (own_sums, other_sums) = sums.split_at_mut(own.len() * slots);
        sums = other_sums;
        shares.push(Share { blocks: own, outputs: parts, sums: own_sums });
    }
    shares
}

fn split<F>(part: Part<'_, F>, at: usize) -> (Part<'_, F>, Part<'_, F>) {
    match part {
        Part::U8(v) => {
            let (a, b) = v.split_at_mut(at);
            (Part::U8(a), Part::U8(b))
        }
        Part::I16(v) => {
            let (a, b) = v.split_at_mut(at);
            (Part::I16(a), Part::I16(b))
        }
        Part::I32(v) => {
            let (a, b) = v.split_at_mut(at);
            (Part::I32(a), Part::I32(b))
        }
        Part::Real(v) => {
            let (a, b) = v.split_at_mut(at);
            (Part::Real(a), Part::Real(b))
        }
    }
}
