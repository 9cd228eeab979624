//! Looks up tabulated values by whole-numbered keys.

use crate::block::BLOCK;
use crate::kernels::operands::{Operand, Readable};
use crate::kernels::store::not_as_required;
use crate::kernels::{Entries, Lane};
use glauber_program::Requirement;
use glauber_program::passes::MOST_ENTRIES;

/// A key of a table: its register, its lowest value, and how far apart in the table neighbouring values lie.
pub(super) type LookupKey = (u32, i32, i32);

impl<F: Lane> Entries<F> {
    /// Sets the entries.
    pub(crate) fn fill(&mut self, values: &[F]) {
        self.values[..self.count].copy_from_slice(&values[..self.count]);
        let operand = Operand::Many(&self.values[..self.count]);
        self.probabilities = not_as_required(Requirement::Probability, &operand, self.count).is_none();
    }
}

/// The entry of every site. Keys are whole numbers; where they are not (beyond the last site) any entry may come out.
#[inline(always)]
pub(super) fn entries<'b, F: Lane>(
    keys: &[LookupKey],
    n: usize,
    registers: &Readable<'_, F>,
    room: &'b mut [i32; BLOCK],
) -> &'b [i32] {
    let key = |place: usize| registers.get(keys[place].0, n);
    let stride = |place: usize| F::from_i32(keys[place].2);
    // Whole numbers of this size are exact in both precisions.
    let start = keys.iter().fold(F::ZERO, |sum, (_, lowest, stride)| sum - F::from_i32(lowest * stride));
    let index = &mut room[..n];
    match keys.len() {
        1 => {
            for (i, a) in index.iter_mut().zip(key(0)) {
                *i = (*a + start).nearest_i32();
            }
        }
        2 => {
            let second = stride(1);
            for ((i, a), b) in index.iter_mut().zip(key(0)).zip(key(1)) {
                *i = (*a + *b * second + start).nearest_i32();
            }
        }
        _ => {
            let (second, third) = (stride(1), stride(2));
            for (((i, a), b), c) in index.iter_mut().zip(key(0)).zip(key(1)).zip(key(2)) {
                *i = (*a + *b * second + *c * third + start).nearest_i32();
            }
        }
    }
    index
}

/// d = the number of each site's label. Beyond the last site a label may be anything, and so may the number.
#[inline(always)]
pub(super) fn of_labels<F: Lane>(d: &mut [F], numbers: &[F], labels: Operand<'_, F>) {
    let last = numbers.len() - 1;
    let of = |label: F| numbers[(label.nearest_i32().max(0) as usize).min(last)];
    match labels {
        Operand::Many(labels) => {
            for (d, label) in d.iter_mut().zip(labels) {
                *d = of(*label);
            }
        }
        Operand::One(label) => d.fill(of(label)),
    }
}

/// d = table[entry], one by one.
#[inline(always)]
pub(super) fn gather<F: Lane>(d: &mut [F], table: &[F; MOST_ENTRIES], index: &[i32]) {
    for (d, i) in d.iter_mut().zip(index) {
        *d = table[*i as usize & (MOST_ENTRIES - 1)];
    }
}
