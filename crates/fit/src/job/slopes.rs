//! Says where a fit's gradients lack what its parameters do through step functions, or refuses it where they lack all.
//!
//! What is missing of a parameter stands before all other notes; what states do to later steps, which every gradient by
//! rollouts lacks that a rule of comparisons has, among the last.

use glauber_program::{Op, Slopeless};
use glauber_tasks::summaries::observation;

use super::{Attempt, Job, JobError};
use crate::problem::{LIKELIHOOD, Observations, Problem};

/// So many places are told one by one.
const TOLD: usize = 3;

/// Puts what is missing among the notes.
///
/// # Errors
/// [`JobError`] where a fitted parameter acts through nothing, or through step functions alone: no gradient would ever move it.
pub(super) fn tell(job: &mut Job) -> Result<(), JobError> {
    // Likelihoods of what was seen have their own slopes, or none.
    if matches!(job.problem.data, Observations::Seen { .. }) {
        return Ok(());
    }
    let by_gradient = job.attempts.iter().find(|a| a.method.is_by_gradient());
    let Some(own) = by_gradient.or(job.attempts.first()) else {
        return Ok(());
    };
    let by = if own.comparison { &own.name } else { &job.problem.estimator };
    let seen = read_by_summary(&job.problem);
    let idle = job.problem.model.idle(true).into_iter();
    let idle: Vec<String> = idle.filter(|name| is_fitted(own, name) && !seen.contains(name)).collect();
    if !idle.is_empty() && by != LIKELIHOOD {
        let message = format!(
            "nothing that the model does depends on {}, so it cannot be fitted: fix it (`fixed`), or write it into the rule",
            quoted(&idle)
        );
        return Err(job.problem.file.wrong("model", message).into());
    }
    if by_gradient.is_none() {
        return Ok(());
    }
    let scored = ["score-function", "light-cone"].contains(&by.as_str());
    let several = match &job.problem.data {
        Observations::Transitions { pairs, .. } => by != LIKELIHOOD && pairs.are_several_steps_apart(),
        _ => true,
    };
    let fitted = |of: &[String]| of.iter().filter(|n| is_fitted(own, n)).cloned().collect();
    let found = job.problem.model.slopeless(several, scored).into_iter().map(|one| Slopeless {
        parameters: fitted(&one.parameters),
        only: fitted(&one.only),
        ..one
    });
    let found: Vec<Slopeless> = found.filter(|one| one.of_states || !one.parameters.is_empty()).collect();
    if let Some(alone) = found.iter().find(|one| !one.only.is_empty()) {
        let alone = Slopeless { parameters: alone.only.clone(), ..alone.clone() };
        return Err(job.problem.file.wrong("model", alone.words()).into());
    }
    let (of_states, of_parameters): (Vec<Slopeless>, Vec<Slopeless>) =
        found.into_iter().partition(|one| one.of_states);
    let (of_parameters, of_states) = (told(&of_parameters), told(&of_states));
    job.slopeless = of_parameters.iter().chain(&of_states).cloned().collect();
    job.problem.data_notes.splice(0..0, of_parameters);
    job.notes.extend(of_states);
    Ok(())
}

/// The parameters that what is compared reads itself, as squared displacements the error of localisation.
fn read_by_summary(problem: &Problem) -> Vec<String> {
    let Observations::Trajectory { observed, .. } = &problem.data else { return Vec::new() };
    let Ok(summary) = observation(&observed.choice, &problem.model) else { return Vec::new() };
    let instructions = summary.program().map_or(&[][..], |program| program.instructions());
    let parameters = &problem.model.declarations().parameters;
    let read = instructions.iter().filter_map(|instruction| match instruction.op {
        Op::Parameter(place) => Some(parameters[place as usize].name.clone()),
        _ => None,
    });
    read.collect()
}

/// Whether a parameter or field is one of what an attempt fits.
fn is_fitted(attempt: &Attempt, name: &str) -> bool {
    attempt.objective.unknowns().iter().any(|unknown| unknown.name == name)
}

/// Names in words.
fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The first places in words, and how many more there are.
fn told(found: &[Slopeless]) -> Vec<String> {
    let mut words: Vec<String> = found.iter().take(TOLD).map(Slopeless::words).collect();
    if found.len() > TOLD {
        let more = found.len() - TOLD;
        words.push(format!("{more} more places of this rule have no derivative: see `glauber show`"));
    }
    words
}
