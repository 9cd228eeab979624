//! Takes the sums of layers, or the numbers of their sites in states.
//!
//! Σᵢ aᵢ, with aᵢ the layer's value at site i, or 1 where it is in the state and 0 elsewhere.
//!
//! Example: `count(aware=1)`, `count(A)`, `count(state=infected, state=recovered)`.

use glauber_engine::Observation;
use glauber_program::Model;

use super::{Arguments, SummaryError};

pub(super) fn observation(model: &Model, arguments: &Arguments) -> Result<Observation, SummaryError> {
    let selections = arguments.each(model, "count")?;
    let program = model.observe(|s| {
        for (name, selection) in &selections {
            s.output(name, selection.trace(s, selection.values(model)).sum());
        }
    })?;
    Ok(program.into())
}
