//! Leaves out of an adjoint what nobody wants at a rollout's first step: the derivatives by the state.

use crate::program::{Program, Sink};

/// The same adjoint without its derivatives by the layers, and without what only they need.
///
/// It is what the last step of a way back runs, where the start has no gradient: cheaper, with the same bits for
/// parameters and fields.
pub fn without_state_adjoints(adjoint: &Program) -> Program {
    adjoint.keeping(|sink| !matches!(sink, Sink::LayerAdjoint(_)))
}
