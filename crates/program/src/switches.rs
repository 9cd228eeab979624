//! Finds the values of 0 or 1 that a comparison depends on: by each of them it is linear, and so has a derivative.
//!
//! (a + b > 0) with a of 0 or 1 is a · (1 + b > 0) + (1 − a) · (0 + b > 0): its derivative by a is the difference of what it
//! is at 1 and at 0. A comparison of real numbers has none by these.

use crate::instruction::Instruction;
use crate::op::{Op, ValueId};

/// A comparison of more values is not followed: it is computed anew twice for each.
const MOST_SWITCHES: usize = 6;
const MOST_COMPUTED: usize = 48;

/// What a comparison is computed from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    /// Values that are 0 or 1.
    pub(crate) switches: Vec<ValueId>,
    /// Other values, but for numbers, that it has no derivative by.
    pub(crate) others: Vec<ValueId>,
    /// The values in between, in order.
    pub(crate) between: Vec<ValueId>,
}

/// Whether a value is always 0 or 1.
pub(crate) fn is_switch(instruction: &Instruction) -> bool {
    let domain = instruction.domain;
    domain.integer && !domain.nan && domain.within(0.0, 1.0)
}

/// What the comparison `value` is computed from.
pub(crate) fn switches(instructions: &[Instruction], value: ValueId) -> Switches {
    let mut found = Switches::default();
    let mut open = instructions[value.index()].op.operands();
    let mut seen = vec![value];
    while let Some(own) = open.pop() {
        if seen.contains(&own) {
            continue;
        }
        seen.push(own);
        if found.switches.len() > MOST_SWITCHES || found.between.len() > MOST_COMPUTED {
            return Switches { others: instructions[value.index()].op.operands(), ..Switches::default() };
        }
        let instruction = &instructions[own.index()];
        match &instruction.op {
            Op::Constant(_) => {}
            _ if is_switch(instruction) => found.switches.push(own),
            Op::Unary(..) | Op::Binary(..) | Op::Select(..) | Op::Round(..) | Op::Spread(_) => {
                found.between.push(own);
                open.extend(instruction.op.operands());
            }
            _ => found.others.push(own),
        }
    }
    found.switches.sort_unstable();
    found.between.sort_unstable();
    found
}
