//! Leaves out of a program what only a likelihood reads.

use crate::graph::Graph;
use crate::op::Op;
use crate::program::Program;

impl Program {
    /// The program as it is simulated: what a likelihood would read of the observed next state is left out.
    pub fn simulated(&self) -> Program {
        if !self.instructions().iter().any(|i| matches!(i.op, Op::Revealed { .. })) {
            return self.clone();
        }
        let mut graph = Graph::new(self.declarations.clone());
        let renamed = graph.import(self, |_, _, op| match op {
            Op::Revealed { value, .. } => Some(*value),
            _ => None,
        });
        for (sink, value) in self.results() {
            graph.result(*sink, renamed[value.index()]);
        }
        graph.finish()
    }
}
