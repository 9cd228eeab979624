//! Says which values depend on which, and which are needed: the two questions that every transform of a program asks.

use crate::instruction::Instruction;
use crate::op::{Op, ValueId};

/// For every value, whether it depends on one that `is_source` accepts (or is one itself), other than through one that
/// `ends` accepts.
///
/// ```
/// # use glauber_lattice::{Lattice, Values};
/// # use glauber_program::{Interval, Model, Op, dataflow};
/// let coins = Model::build("coins", Lattice::line(10))
///     .layer("heads", Values::binary())
///     .parameter("p", Interval::unit())
///     .step(|s| s.next("heads").bernoulli(s.parameter("p")))?;
/// let by_p = dataflow::dependent(
///     coins.step.instructions(),
///     |_, op| matches!(op, Op::Parameter(_)),
///     |_, op| matches!(op, Op::Bernoulli { .. }),
/// );
/// assert_eq!(by_p.iter().filter(|depends| **depends).count(), 1); // p itself; the draw ends it
/// # Ok::<(), glauber_program::ModelError>(())
/// ```
pub fn dependent(
    instructions: &[Instruction],
    is_source: impl Fn(ValueId, &Op) -> bool,
    ends: impl Fn(ValueId, &Op) -> bool,
) -> Vec<bool> {
    let ends = |v: ValueId| ends(v, &instructions[v.index()].op);
    reached(
        instructions.len(),
        |v| is_source(v, &instructions[v.index()].op) && !ends(v),
        |v| if ends(v) { Vec::new() } else { instructions[v.index()].op.operands() },
    )
}

/// For every one of `count` values, whether it is a source or is computed from one, where `operands` says what a value is
/// computed from: values before it.
pub fn reached(
    count: usize,
    is_source: impl Fn(ValueId) -> bool,
    operands: impl Fn(ValueId) -> Vec<ValueId>,
) -> Vec<bool> {
    let mut reached = vec![false; count];
    for index in 0..count {
        let value = ValueId(index as u32);
        reached[index] = is_source(value) || operands(value).into_iter().any(|v| reached[v.index()]);
    }
    reached
}

/// For every one of `count` values, whether one of `wanted` is computed from it (or is it), where `operands` says what a
/// value is computed from: values before it.
pub fn needed(
    count: usize,
    wanted: impl IntoIterator<Item = ValueId>,
    operands: impl Fn(ValueId) -> Vec<ValueId>,
) -> Vec<bool> {
    let mut needed = vec![false; count];
    for value in wanted {
        needed[value.index()] = true;
    }
    for index in (0..count).rev() {
        if needed[index] {
            operands(ValueId(index as u32)).into_iter().for_each(|v| needed[v.index()] = true);
        }
    }
    needed
}
