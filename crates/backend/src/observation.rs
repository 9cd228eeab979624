//! Says what is taken from a state: numbers by a traced program, or by a summary's own code.

use std::sync::Arc;

use glauber_program::Program;

/// A summary that is no program: numbers of a state, and how their derivatives fall back on it.
pub trait Summary: Send + Sync {
    /// The names of its numbers.
    fn outputs(&self) -> Vec<String>;
    /// The numbers of a state: one dense field per layer.
    fn values(&self, layers: &[Vec<f64>]) -> Vec<f64>;
    /// For each layer the derivative per site, given the derivative by each number.
    fn pull_back(&self, layers: &[Vec<f64>], bars: &[f64]) -> Vec<Vec<f64>>;
}

/// Numbers taken from a state.
#[derive(Clone)]
pub enum Observation {
    /// By a traced program.
    Program(Program),
    /// By code of its own.
    Summary(Arc<dyn Summary>),
}

impl Observation {
    /// The program, where it is one.
    pub fn program(&self) -> Option<&Program> {
        match self {
            Observation::Program(program) => Some(program),
            Observation::Summary(_) => None,
        }
    }

    /// The names of its numbers.
    pub fn outputs(&self) -> Vec<String> {
        match self {
            Observation::Program(program) => program.declarations().outputs.clone(),
            Observation::Summary(summary) => summary.outputs(),
        }
    }
}

impl std::fmt::Debug for Observation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Observation{:?}", self.outputs())
    }
}

impl From<Program> for Observation {
    fn from(program: Program) -> Observation {
        Observation::Program(program)
    }
}
