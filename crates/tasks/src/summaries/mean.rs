//! Takes the mean of a layer, or the share of its sites in a state.
//!
//! (1/N) Σᵢ aᵢ, with aᵢ the layer's value at site i, or 1 where it is in the state and 0 elsewhere; N sites.
//!
//! Example: `mean(aware)`, `mean(forest=burning)`.

use glauber_engine::Observation;
use glauber_program::Model;

use super::{Arguments, SummaryError};

pub(super) fn observation(model: &Model, arguments: &Arguments) -> Result<Observation, SummaryError> {
    let selection = arguments.only(model)?;
    let program = model.observe(|s| s.output("mean", selection.trace(s, selection.values(model)).mean()))?;
    Ok(program.into())
}
