//! Takes the means of layers, or the shares of their sites in states.
//!
//! (1/N) Σᵢ aᵢ, with aᵢ the layer's value at site i, or 1 where it is in the state and 0 elsewhere; N sites.
//!
//! Example: `mean(aware)`, `mean(forest=burning)`, `mean(prey, predators)`.

use glauber_engine::Observation;
use glauber_program::Model;

use super::{Arguments, SummaryError};

pub(super) fn observation(model: &Model, arguments: &Arguments) -> Result<Observation, SummaryError> {
    let selections = arguments.each(model, "mean")?;
    let program = model.observe(|s| {
        for (name, selection) in &selections {
            s.output(name, selection.trace(s, selection.values(model)).mean());
        }
    })?;
    Ok(program.into())
}
