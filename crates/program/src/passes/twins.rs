//! Finds what two programs compute alike: values that an adjoint would make again though its step has made them.

use std::collections::HashMap;

use crate::op::{Op, ValueId};
use crate::program::Program;

/// For values of `one` the values of `other` that are computed in the same way from the same layers and draws.
pub fn twins(one: &Program, other: &Program) -> HashMap<ValueId, ValueId> {
    let (d, e) = (&one.declarations, &other.declarations);
    // Instructions speak of these by number.
    if d.lists != e.lists
        || d.layers != e.layers
        || d.fields != e.fields
        || !e.neighbourhoods.starts_with(&d.neighbourhoods)
    {
        return HashMap::new();
    }
    let mut numbers: HashMap<Op, usize> = HashMap::new();
    let mut numbered = |program: &Program| -> Vec<usize> {
        let mut own: Vec<usize> = Vec::new();
        for instruction in program.instructions() {
            let mut op = instruction.op.clone();
            op.visit_mut(|operand| *operand = ValueId(own[operand.index()] as u32));
            let next = numbers.len();
            own.push(*numbers.entry(op).or_insert(next));
        }
        own
    };
    let (ones, others) = (numbered(one), numbered(other));
    let place: HashMap<usize, u32> = others.iter().enumerate().map(|(i, n)| (*n, i as u32)).collect();
    let pairs = ones.iter().enumerate();
    pairs.filter_map(|(i, n)| Some((ValueId(i as u32), ValueId(*place.get(n)?)))).collect()
}
