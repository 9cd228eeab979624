//! Holds what one step says: a straight list of instructions and the results it leaves.

use serde::{Deserialize, Serialize};

use crate::dataflow::needed;
use crate::declarations::Declarations;
use crate::instruction::Instruction;
use crate::op::ValueId;

/// What a result of a program is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Sink {
    /// A layer's value after the step.
    NextLayer(u32),
    /// A named number per replicate.
    Output(u32),
    /// The derivative of the objective by a layer's value before the step (added to what is there); numbered as
    /// [`crate::Signature::adjoint_place`] says.
    LayerAdjoint(u32),
    /// The derivative of the objective by a parameter (added).
    ParameterAdjoint(u32),
    /// The derivative of the objective by a field (added).
    FieldAdjoint(u32),
    /// A layer's value at another site, which an event writes: the value is an [`crate::Op::Put`]. Written after the site's
    /// own, in the order of the results.
    Elsewhere(u32),
    /// In continuous time: the sum of the rates at a site.
    TotalRate,
    /// In continuous time: what the rule says is the highest sum of rates at a site.
    Fastest,
    /// A value that must be what the declarations' check of this number requires.
    Check(u32),
}

/// A straight list of instructions, each reading only earlier ones, and the results they leave.
///
/// It prints readably; see `Display`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Program {
    pub(crate) declarations: Declarations,
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) results: Vec<(Sink, ValueId)>,
}

impl Program {
    /// What the instructions refer to by number.
    pub fn declarations(&self) -> &Declarations {
        &self.declarations
    }

    /// The instructions, in an order in which they can run.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// What the program leaves, in order.
    pub fn results(&self) -> &[(Sink, ValueId)] {
        &self.results
    }

    /// Whether it speaks of what another speaks of: the same lattice, layers and parameters. An observation does of the
    /// step of its model.
    pub fn speaks_as(&self, other: &Program) -> bool {
        self.declarations.agrees_with(&other.declarations)
    }

    /// The instruction that makes a value.
    pub fn instruction(&self, value: ValueId) -> &Instruction {
        &self.instructions[value.index()]
    }

    /// The value of a result, where the program has it.
    pub fn result(&self, sink: Sink) -> Option<ValueId> {
        self.results.iter().find(|(s, _)| *s == sink).map(|(_, v)| *v)
    }

    /// The same program with only those results that `wanted` accepts, and what they need.
    pub(crate) fn keeping(&self, wanted: impl Fn(Sink) -> bool) -> Program {
        let mut kept = self.clone();
        kept.results.retain(|(sink, _)| wanted(*sink));
        kept.without_dead_code()
    }

    /// The same program without instructions whose value nobody reads.
    pub(crate) fn without_dead_code(&self) -> Program {
        let results = self.results.iter().map(|(_, value)| *value);
        let live = needed(self.instructions.len(), results, |v| self.instruction(v).op.operands());
        let mut renamed = vec![ValueId(u32::MAX); self.instructions.len()];
        let mut instructions = Vec::new();
        for (index, instruction) in self.instructions.iter().enumerate().filter(|(i, _)| live[*i]) {
            let mut kept = instruction.clone();
            kept.op.visit_mut(|v| *v = renamed[v.index()]);
            renamed[index] = ValueId(instructions.len() as u32);
            instructions.push(kept);
        }
        let results = self.results.iter().map(|(sink, v)| (*sink, renamed[v.index()])).collect();
        Program { declarations: self.declarations.clone(), instructions, results }
    }
}
