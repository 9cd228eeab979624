//! Fuses kernels, drops those nobody reads, and gives the values of a pass as few registers as possible.

use std::collections::HashMap;

use glauber_program::Binary;

use crate::kernel::{Arg, Kernel, Register, Source, product};

/// How often each register is read.
fn uses(kernels: &mut [Kernel]) -> HashMap<Register, usize> {
    let mut uses = HashMap::new();
    for kernel in kernels {
        kernel.reads(|r| *uses.entry(*r).or_insert(0) += 1);
    }
    uses
}

/// Takes products that are read once into the sum or difference that reads them. Registers are written once here.
pub(crate) fn fuse(kernels: &mut Vec<Kernel>) {
    let uses = uses(kernels);
    let mut products: HashMap<Register, (Arg, Arg)> = HashMap::new();
    for kernel in kernels.iter_mut() {
        if let (Some(factors), Some(dst)) = (product(kernel), kernel.writes().copied()) {
            if uses.get(&dst) == Some(&1) {
                products.insert(dst, factors);
            }
        }
        let taken = |arg: &Arg| match arg {
            Arg::Register(r) => products.get(r).copied(),
            Arg::Scalar(_) => None,
        };
        let fused = match kernel {
            Kernel::Binary { function: Binary::Add, dst, a, b } => match (taken(a), taken(b)) {
                (Some((x, y)), _) => Some(Kernel::MultiplyAdd { dst: *dst, a: x, b: y, c: *b }),
                (None, Some((x, y))) => Some(Kernel::MultiplyAdd { dst: *dst, a: x, b: y, c: *a }),
                _ => None,
            },
            Kernel::Binary { function: Binary::Subtract, dst, a, b } => match (taken(a), taken(b)) {
                (Some((x, y)), _) => Some(Kernel::MultiplySubtract { dst: *dst, a: x, b: y, c: *b }),
                (None, Some((x, y))) => Some(Kernel::SubtractMultiply { dst: *dst, a: x, b: y, c: *a }),
                _ => None,
            },
            Kernel::Sum { slot, a } => taken(a).map(|(x, y)| Kernel::Dot { slot: *slot, a: x, b: y }),
            _ => None,
        };
        if let Some(fused) = fused {
            *kernel = fused;
        }
    }
    // Products that were taken in are read no more.
    drop_dead(kernels);
    take_loads_into_dots(kernels);
}

/// Takes fields that are read once, for a sum of products, into that sum.
fn take_loads_into_dots(kernels: &mut [Kernel]) {
    let uses = uses(kernels);
    let mut loads: HashMap<Register, (Source, isize)> = HashMap::new();
    for kernel in kernels.iter_mut() {
        match *kernel {
            Kernel::Load { dst, source, distance } if uses.get(&dst) == Some(&1) => {
                loads.insert(dst, (source, distance));
            }
            Kernel::Dot { slot, a: Arg::Register(a), b: Arg::Register(b) } if a != b => {
                let taken = loads.get(&b).map(|l| (a, *l)).or(loads.get(&a).map(|l| (b, *l)));
                if let Some((a, (source, distance))) = taken {
                    *kernel = Kernel::DotLoad { slot, a, source, distance };
                }
            }
            _ => {}
        }
    }
}

/// Drops kernels whose register nobody reads.
pub(crate) fn drop_dead(kernels: &mut Vec<Kernel>) {
    let mut read = std::collections::HashSet::new();
    let mut kept = Vec::with_capacity(kernels.len());
    for mut kernel in kernels.drain(..).rev() {
        let needed = kernel.writes().is_none_or(|dst| read.contains(dst));
        if needed {
            kernel.reads(|r| {
                read.insert(*r);
            });
            kept.push(kernel);
        }
    }
    kept.reverse();
    *kernels = kept;
}

/// Renames registers so that few are needed; returns how many. A kernel never writes a register that it reads.
pub(crate) fn allocate(kernels: &mut [Kernel]) -> usize {
    let mut last_read: HashMap<Register, usize> = HashMap::new();
    for (place, kernel) in kernels.iter_mut().enumerate() {
        kernel.reads(|r| {
            last_read.insert(*r, place);
        });
    }
    let mut free: Vec<Register> = Vec::new();
    let mut count: Register = 0;
    let mut renamed: HashMap<Register, Register> = HashMap::new();
    for (place, kernel) in kernels.iter_mut().enumerate() {
        let mut ending = Vec::new();
        kernel.reads(|r| {
            let old = *r;
            *r = renamed.get(&old).copied().unwrap_or(0);
            if last_read.get(&old) == Some(&place) && !ending.contains(r) {
                ending.push(*r);
            }
        });
        if let Some(dst) = kernel.writes() {
            let register = free.pop().unwrap_or_else(|| {
                count += 1;
                count - 1
            });
            renamed.insert(*dst, register);
            *dst = register;
        }
        free.extend(ending);
    }
    count as usize
}
