//! Holds what one step says: a straight list of instructions and the results it leaves.

use serde::{Deserialize, Serialize};

use crate::declarations::Declarations;
use crate::domain::Domain;
use crate::graph::Graph;
use crate::op::{Op, Rank, ValueId};

/// What a result of a program is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Sink {
    /// A layer's value after the step.
    NextLayer(u32),
    /// A named number per replicate.
    Output(u32),
    /// The derivative of the objective by a layer's value before the step (added to what is there); numbered as
    /// [`Declarations::adjoint_place`] says.
    LayerAdjoint(u32),
    /// The derivative of the objective by a parameter (added).
    ParameterAdjoint(u32),
    /// The derivative of the objective by a field (added).
    FieldAdjoint(u32),
    /// A value that must be what the declarations' check of this number requires.
    Check(u32),
}

/// One instruction with what is known of its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// How many numbers it makes.
    pub rank: Rank,
    /// Where they lie.
    pub domain: Domain,
}

/// A straight list of instructions, each reading only earlier ones, and the results they leave.
///
/// It prints readably; see `Display`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// What the instructions refer to by number.
    pub declarations: Declarations,
    /// The instructions, in an order in which they can run.
    pub instructions: Vec<Instruction>,
    /// What the program leaves, in order.
    pub results: Vec<(Sink, ValueId)>,
}

impl Program {
    /// The instruction that makes a value.
    pub fn instruction(&self, value: ValueId) -> &Instruction {
        &self.instructions[value.index()]
    }

    /// The value of a result, where the program has it.
    pub fn result(&self, sink: Sink) -> Option<ValueId> {
        self.results.iter().find(|(s, _)| *s == sink).map(|(_, v)| *v)
    }

    /// The program as it is simulated: what a likelihood would read of the observed next state is left out.
    pub fn simulated(&self) -> Program {
        if !self.instructions.iter().any(|i| matches!(i.op, Op::Revealed { .. })) {
            return self.clone();
        }
        let mut graph = Graph::new(self.declarations.clone());
        let renamed = graph.import(self, |_, _, op| match op {
            Op::Revealed { value, .. } => Some(*value),
            _ => None,
        });
        for (sink, value) in &self.results {
            graph.result(*sink, renamed[value.index()]);
        }
        graph.finish()
    }

    /// The same program without instructions whose value nobody reads.
    pub(crate) fn without_dead_code(&self) -> Program {
        let mut live = vec![false; self.instructions.len()];
        for (_, value) in &self.results {
            live[value.index()] = true;
        }
        for index in (0..self.instructions.len()).rev() {
            if live[index] {
                self.instructions[index].op.visit(|v| live[v.index()] = true);
            }
        }
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

    /// For every value, whether it depends on an instruction that `is_source` accepts, other than through one that
    /// `ends` accepts.
    pub(crate) fn depends_on(
        &self,
        is_source: impl Fn(&Op) -> bool,
        ends: impl Fn(&Op) -> bool,
    ) -> Vec<bool> {
        let mut depends = vec![false; self.instructions.len()];
        for (index, instruction) in self.instructions.iter().enumerate() {
            let mut any = is_source(&instruction.op);
            instruction.op.visit(|v| any |= depends[v.index()]);
            depends[index] = any && !ends(&instruction.op);
        }
        depends
    }
}

/// The same program without instructions that its results do not need: for a program some of whose results were removed.
pub fn simplified(program: &Program) -> Program {
    program.without_dead_code()
}
