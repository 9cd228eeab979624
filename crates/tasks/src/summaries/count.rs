//! Takes the sum of a layer, or the number of its sites in a state.
//!
//! Σᵢ aᵢ, with aᵢ the layer's value at site i, or 1 where it is in the state and 0 elsewhere.
//!
//! Example: `count(aware=1)`, `count(A)`.

use glauber_engine::Observation;
use glauber_program::Model;

use super::{Arguments, SummaryError};

pub(super) fn observation(model: &Model, arguments: &Arguments) -> Result<Observation, SummaryError> {
    let selection = arguments.only(model)?;
    let program = model.observe(|s| s.output("count", selection.trace(s, selection.values(model)).sum()))?;
    Ok(program.into())
}
