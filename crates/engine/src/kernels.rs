//! Runs the kernels of a pass over blocks of sites, compiled once for each set of vector instructions.
//!
//! The loops are written so that the compiler vectorises them; every operation is a single IEEE 754 operation and the
//! order of sums is fixed, so the results are the same bits with any instruction set.

mod arithmetic;
mod corners;
mod draws;
mod lane;
mod lookup;
mod memory;
mod neighbours;
mod operands;
mod store;
mod sums;
mod vectors;

use crate::block::{BLOCK, Block, Column};
use crate::kernel::{Kernel, Range};
use glauber_backend::plane::Plane;
use glauber_program::Requirement;

pub(crate) use corners::{Corner, Window, Worth};
pub(crate) use draws::box_muller;
pub(crate) use lane::Lane;
pub(crate) use memory::{Entries, Memory, Output, Part, Violation};
use operands::{Readable, map1, map3};
use vectors::Vectors;
pub(crate) use vectors::{Drawn, add_corners, add_terms, draw, leads, pick, run_blocks, worth, worth_inside};

/// What kernels use anew each time; kept so that it need not be cleared.
struct Scratch {
    bytes: [u8; neighbours::BYTES],
    index: [i32; BLOCK],
}

#[inline(always)]
fn run<F: Lane>(
    vectors: impl Vectors,
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Column<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    let mut violation = None;
    let mut scratch = Scratch { bytes: [0; neighbours::BYTES], index: [0; BLOCK] };
    let slots = if blocks.is_empty() { 0 } else { sums.len() / blocks.len() };
    for (number, block) in blocks.iter().enumerate() {
        let sums = &mut sums[number * slots..(number + 1) * slots];
        for kernel in kernels {
            run_kernel(
                vectors,
                kernel,
                block,
                memory,
                outputs,
                registers,
                sums,
                &mut scratch,
                &mut violation,
            );
        }
    }
    violation
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn run_kernel<F: Lane>(
    vectors: impl Vectors,
    kernel: &Kernel,
    block: &Block,
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Column<F>],
    sums: &mut [f64],
    scratch: &mut Scratch,
    violation: &mut Option<Violation>,
) {
    let n = block.lanes();
    let step = block.step as u32;
    /// Runs the body with the register that is written; the others can be read meanwhile.
    macro_rules! write {
        ($dst:expr, $into:ident, $others:ident => $body:expr) => {{
            let (before, rest) = registers.split_at_mut(*$dst as usize);
            if let Some((written, after)) = rest.split_first_mut() {
                let $others = Readable { before, after };
                let _ = &$others;
                let $into = &mut written.0[..n];
                $body
            }
        }};
    }
    macro_rules! all {
        () => {
            Readable { before: registers, after: &[] }
        };
    }
    match kernel {
        Kernel::Load { dst, source, distance } => {
            write!(dst, d, r => neighbours::load(memory, block, d, *source, *distance))
        }
        Kernel::LoadMoved { dst, source, direction, distances } => {
            let chosen = memory.scalars[*direction as usize].to_i32().max(0) as usize;
            let distance = distances[chosen.min(distances.len() - 1)];
            write!(dst, d, r => neighbours::load(memory, block, d, *source, distance))
        }
        Kernel::NeighbourCount { dst, source, distances, in_bytes } => {
            write!(dst, d, r => match neighbours::plane_of(*source, memory) {
                Plane::U8(plane) if *in_bytes => {
                    neighbours::neighbour_count_bytes(block, d, plane, distances, &mut scratch.bytes);
                }
                _ => neighbours::neighbour_sum(memory, block, d, *source, distances, &[]),
            })
        }
        Kernel::NeighbourSum { dst, source, distances, weights } => {
            write!(dst, d, r => neighbours::neighbour_sum(memory, block, d, *source, distances, weights))
        }
        Kernel::Coordinate { dst, axis } => {
            write!(dst, d, r => neighbours::coordinates(memory.layout, block, d, *axis))
        }
        Kernel::OfColour { dst, colouring, colour } => {
            write!(dst, d, r => neighbours::of_colour(memory.layout, block, d, colouring, *colour))
        }
        Kernel::Spread { dst, a } => write!(dst, d, r => d.fill(memory.scalars[*a as usize])),
        Kernel::Unary { function, dst, a } => {
            write!(dst, d, r => arithmetic::unary(*function, d, r.get(*a, n)))
        }
        Kernel::Binary { function, dst, a, b } => {
            write!(dst, d, r => arithmetic::binary(*function, d, r.operand(*a, n, memory), r.operand(*b, n, memory)))
        }
        Kernel::Compare { comparison, dst, a, b } => {
            write!(dst, d, r => arithmetic::compare(*comparison, d, r.operand(*a, n, memory), r.operand(*b, n, memory)))
        }
        Kernel::Select { dst, condition, yes, no } => {
            write!(dst, d, r => arithmetic::select(d, r.get(*condition, n), r.operand(*yes, n, memory), r.operand(*no, n, memory)))
        }
        Kernel::Threshold { dst, w, below, above, negated, passes } => write!(dst, d, r => {
            let (below, above) = (r.operand(*below, n, memory), r.operand(*above, n, memory));
            arithmetic::threshold(d, r.get(*w, n), below, above, *negated, *passes);
        }),
        Kernel::SelectAll { dst, condition, yes, no } => write!(dst, d, r => {
            let holds = memory.scalars[*condition as usize] != F::ZERO;
            arithmetic::copy(d, if holds { r.operand(*yes, n, memory) } else { r.operand(*no, n, memory) });
        }),
        Kernel::Round { dst, a } => write!(dst, d, r => map1(d, r.get(*a, n), |a| a.round_ties_even())),
        Kernel::MultiplyAdd { dst, a, b, c } => {
            write!(dst, d, r => map3(d, r.operand(*a, n, memory), r.operand(*b, n, memory), r.operand(*c, n, memory), |a, b, c| a * b + c))
        }
        Kernel::MultiplySubtract { dst, a, b, c } => {
            write!(dst, d, r => map3(d, r.operand(*a, n, memory), r.operand(*b, n, memory), r.operand(*c, n, memory), |a, b, c| a * b - c))
        }
        Kernel::SubtractMultiply { dst, a, b, c } => {
            write!(dst, d, r => map3(d, r.operand(*a, n, memory), r.operand(*b, n, memory), r.operand(*c, n, memory), |a, b, c| c - a * b))
        }
        Kernel::Uniform { dst, key } => {
            write!(dst, d, r => for strip in &block.strips {
                draws::uniforms(&mut d[strip.lanes()], memory.keys[*key as usize], strip.site as u32, step);
            })
        }
        Kernel::Centred { dst, key } => {
            write!(dst, d, r => for strip in &block.strips {
                draws::centred_numbers(&mut d[strip.lanes()], memory.keys[*key as usize], strip.site as u32, step);
            })
        }
        Kernel::Bernoulli { dst, key, p } => {
            write!(dst, d, r => for strip in &block.strips {
                let p = r.operand(*p, n, memory).within(strip.lanes());
                draws::bernoulli(&mut d[strip.lanes()], p, memory.keys[*key as usize], strip.site as u32, step);
            })
        }
        Kernel::Normal { dst, a, b } => write!(dst, d, r => draws::normals(d, r.get(*a, n), r.get(*b, n))),
        Kernel::Count { law, dst, key, arguments } => {
            let key = memory.keys[*key as usize];
            write!(dst, d, r => draws::counts(*law, d, block, arguments, &r, memory, key))
        }
        Kernel::Lookup { dst, table, keys } => write!(dst, d, r => {
            look_up(vectors, d, &memory.tables[*table as usize], keys, &r, &mut scratch.index);
        }),
        Kernel::Gather { dst, tally, a } => {
            write!(dst, d, r => lookup::of_labels(d, &memory.tallies[*tally as usize], r.operand(*a, n, memory)))
        }
        Kernel::Sum { slot, a } => {
            let r = all!();
            sums[*slot as usize] = sums::sum(block.len(), r.operand(*a, n, memory));
        }
        Kernel::Dot { slot, a, b } => {
            let r = all!();
            sums[*slot as usize] = sums::dot(block.len(), r.operand(*a, n, memory), r.operand(*b, n, memory));
        }
        Kernel::DotLoad { slot, a, source, distance } => {
            let r = all!();
            let a = r.get(*a, n);
            sums[*slot as usize] = sums::dot_field(memory, block, a, *source, *distance);
        }
        Kernel::Store { output, a, range, over } => {
            let r = all!();
            let a = r.operand(*a, n, memory);
            let output = &mut outputs[*output as usize];
            if let Some(over) = over {
                store::copy(block, output, neighbours::plane_of(*over, memory));
            }
            if let Some(Range { layer, lowest, highest }) = range {
                let bad = store::store_in_range(block, output, &a, (*lowest, *highest));
                if let (Some((at, value)), None) = (bad, &violation) {
                    let site = block.site_of(at);
                    *violation = Some(Violation::OutOfRange { layer: *layer, site, value });
                }
            } else {
                store::store(block, output, &a);
            }
        }
        Kernel::Copy { output, source } => {
            store::copy(block, &mut outputs[*output as usize], neighbours::plane_of(*source, memory));
        }
        Kernel::Check { required: Requirement::Probability, table: Some(table), .. }
            if memory.tables[*table as usize].probabilities => {}
        Kernel::Check { check, required, a, .. } => {
            let r = all!();
            let bad = store::not_as_required(*required, &r.operand(*a, n, memory), block.len());
            // An argument that may not be tells more than the value outside a layer's range that it led to.
            if let (Some((at, value)), None | Some(Violation::OutOfRange { .. })) = (bad, &violation) {
                let site = block.site_of(at);
                *violation = Some(Violation::Refused { check: *check, site, value });
            }
        }
    }
}

#[inline(always)]
fn look_up<F: Lane>(
    vectors: impl Vectors,
    d: &mut [F],
    table: &Entries<F>,
    keys: &[lookup::LookupKey],
    registers: &Readable<'_, F>,
    room: &mut [i32; BLOCK],
) {
    let index = lookup::entries(keys, d.len(), registers, room);
    if !vectors.look_up(d, table, index) {
        lookup::gather(d, &table.values, index);
    }
}
