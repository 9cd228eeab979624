//! Says at which parameters data were simulated, and what a fit takes otherwise.

use std::collections::BTreeMap;

use super::frames::{Of, parameters_of};
use super::model::Own;
use crate::error::JobError;
use crate::fit_file::{DataSource, FitFile, Task};

/// What simulated data were made with.
pub(super) struct Simulated {
    /// The true value of every parameter; none where data are not simulated, or no parameter is fitted.
    pub(super) truth: BTreeMap<String, f64>,
    /// What nobody wrote down, or what the fit has at other values.
    pub(super) notes: Vec<String>,
}

/// The truth of a fit file's data.
pub(super) fn of(file: &FitFile, own: &Own) -> Result<Simulated, JobError> {
    let Some(DataSource::Simulate(simulation)) = &file.data.source else {
        return Ok(Simulated { truth: BTreeMap::new(), notes: Vec::new() });
    };
    let starts_are_fitted = file.task == Task::State;
    let (data, fit) = if starts_are_fitted {
        let fit = parameters_of(file, &own.model, Of::Fit)?;
        (parameters_of(file, &own.model, Of::Data)?, fit.into_iter().map(Some).collect())
    } else {
        let fixed = |p: &glauber_program::Parameter| file.fixed.get(&p.name).copied();
        let fit: Vec<Option<f64>> = own.model.declarations().parameters.iter().map(fixed).collect();
        (own.truth(file, simulation)?, fit)
    };
    let mut notes = Vec::new();
    let declared = &own.model.declarations().parameters;
    for ((parameter, true_value), taken) in declared.iter().zip(&data).zip(fit) {
        let name = &parameter.name;
        let is_said =
            simulation.parameters.contains_key(name) || (starts_are_fitted && file.fixed.contains_key(name));
        let is_default = !is_said;
        let whose = if is_default { ", its default, since nothing else was said" } else { "" };
        match taken {
            Some(taken) if taken.to_bits() != true_value.to_bits() => notes.push(format!(
                "the data are simulated at `{name}` = {true_value}{whose}, and fitted with {taken}"
            )),
            _ if is_default => {
                notes.push(format!("the data are simulated at `{name}` = {true_value}{whose}"))
            }
            _ => {}
        }
    }
    let truth = if starts_are_fitted { Vec::new() } else { data };
    let truth = declared.iter().map(|p| p.name.clone()).zip(truth).collect();
    Ok(Simulated { truth, notes })
}
