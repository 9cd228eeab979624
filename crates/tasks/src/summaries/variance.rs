//! Takes the variance of a layer over the sites.
//!
//! (1/N) Σᵢ (aᵢ − ā)², with ā the mean over the N sites of the same state; aᵢ as in `mean`.
//!
//! Example: `variance(A)`: tells a pattern of a reaction from its uniform state.

use glauber_engine::Observation;
use glauber_program::Model;

use super::{Arguments, SummaryError};

pub(super) fn observation(model: &Model, arguments: &Arguments) -> Result<Observation, SummaryError> {
    let selection = arguments.only(model)?;
    let program = model.observe(|s| {
        let a = selection.trace(s, selection.values(model));
        let off = a - a.mean();
        s.output("variance", (off * off).mean());
    })?;
    Ok(program.into())
}
