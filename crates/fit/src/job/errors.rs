//! Makes errors by fits to data drawn at the estimate, where the fit file asks for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glauber_inference::apart::Elsewhere;
use glauber_inference::bootstrap::{BootstrapError, DATA_SETS, Resampling, bootstrap};
use glauber_inference::likelihood::Stop;
use glauber_inference::route::Settings;
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::stopping::Stopped;
use glauber_optimize::verdict::{Known, significant};
use glauber_tasks::tasks::trajectory::Uncertainty;

use super::trajectory;
use crate::error::JobError;
use crate::fit_file::FitFile;
use crate::fit_file::{Piece, Pieces};
use crate::problem::{Observations, ObservedCurve, Problem};

/// The ways to errors that a fit file may ask for.
const WAYS: [&str; 3] = ["curvature", "bootstrap", "sandwich"];
/// Simulations behind a sandwich: at least so many, and so many for each run of the data.
const SIMULATIONS: (usize, usize) = (1000, 25);
/// Walkers behind one.
const WALKERS: u64 = 1 << 17;
/// So many errors away a fit is at rest.
const NEAR: f64 = 0.5;

/// Refuses a way to errors that there is not, or not for this task.
///
/// # Errors
/// [`JobError`] at the key.
pub(super) fn check(file: &FitFile, data: &Observations) -> Result<(), JobError> {
    let Some(way) = &file.errors else { return Ok(()) };
    if !WAYS.contains(&way.as_str()) {
        let message =
            format!("there are no errors by `{way}`: give \"curvature\", \"bootstrap\" or \"sandwich\"");
        return Err(file.wrong("errors", message).into());
    }
    if way == "bootstrap" && !matches!(data, Observations::Seen { .. }) {
        let message = "errors by \"bootstrap\" draw data as they were seen, so they are for the task `observation`, which says \
                       how that was: say what is compared there, or leave `errors` out";
        return Err(file.wrong("errors", message).into());
    }
    if way == "sandwich" {
        let Observations::Trajectory { observed, .. } = data else {
            let message = "errors by \"sandwich\" are for the task `trajectory`: leave `errors` out";
            return Err(file.wrong("errors", message).into());
        };
        if observed.runs.is_none_or(|runs| runs < 2) && covariance(observed).is_none() {
            let message = "errors by \"sandwich\" need to know how the data's values vary together: give tracks, two or more, of \
                           which a curve is made, or states or `data.simulate`, of two or more runs";
            return Err(file.wrong("errors", message).into());
        }
    }
    Ok(())
}

/// The covariance of a curve's values, where their errors and correlations are known, as of tracks.
fn covariance(observed: &ObservedCurve) -> Option<Vec<f64>> {
    let (errors, correlations) = (observed.target.errors.as_ref()?, observed.correlations.as_ref()?);
    let n = errors.len();
    Some(correlations.iter().enumerate().map(|(k, r)| r * errors[k / n] * errors[k % n]).collect())
}

/// Puts the errors that the data's own uncertainty makes beside estimates by a loss, where they are asked for.
///
/// # Errors
/// [`JobError`] where a simulation fails.
pub(super) fn sandwich(problem: &Problem, result: &mut FitResult) -> Result<(), JobError> {
    let Observations::Trajectory { observed, loss } = &problem.data else { return Ok(()) };
    let arrived =
        matches!(result.stopped, Stopped::Steps | Stopped::Tolerance { .. } | Stopped::Plateau { .. });
    if problem.file.errors.as_deref() != Some("sandwich") || !arrived {
        return Ok(());
    }
    let known = covariance(observed);
    let (data, words) = match (&known, observed.runs) {
        (Some(known), _) => {
            (Uncertainty::Known(known), "whose errors and correlations are those of tracks".into())
        }
        (None, Some(runs)) => (Uncertainty::Runs(runs), format!("that are a mean of {runs} runs")),
        (None, None) => return Ok(()),
    };
    if problem.walkers.is_some() && known.is_none() {
        result.notes.push("no errors by the sandwich: walkers of one lattice are no runs".into());
        return Ok(());
    }
    let setup = trajectory::Setup { problem, observed, loss };
    let count = if problem.walkers.is_some() { WALKERS } else { trajectory::USUAL_REPLICATES };
    let (objective, _) = setup.objective(trajectory::USUAL_ESTIMATOR, false, count)?;
    let simulations = match problem.walkers.is_some() {
        true => setup.model(count, false)?.1,
        false => SIMULATIONS.0.max(SIMULATIONS.1 * observed.runs.unwrap_or(0)),
    };
    let found = objective.sandwich(&result.theta, data, simulations, problem.file.run.seed)?;
    let Some(found) = found else {
        result
            .notes
            .push("no errors by the sandwich: the data do not determine all parameters by this loss".into());
        return Ok(());
    };
    let near = found.distance <= NEAR;
    for (estimate, error) in result.estimates.iter_mut().zip(&found.errors) {
        if matches!(estimate.known, Known::AtEnd(_) | Known::NotReached) {
            continue;
        }
        (estimate.known, estimate.standard_error) =
            if near { (Known::Error(*error), Some(*error)) } else { (Known::NotAtOptimum, None) };
    }
    result.at_optimum = Some(near);
    if near {
        let simulated = if problem.walkers.is_some() { "walkers" } else { "simulations" };
        let simulations = if problem.walkers.is_some() { WALKERS } else { simulations as u64 };
        result.verdict =
            format!("at its optimum; errors by the sandwich of {simulations} {simulated}, of data {words}");
        // What was said of its way alone, before this was known.
        for note in &mut result.notes {
            if let Some(moved) = note.strip_prefix("not at its optimum: ") {
                *note = format!("its end is within {NEAR} errors of where the loss is least, though {moved}");
            }
        }
    } else {
        let there = result.estimates.iter().zip(&found.step);
        let there: Vec<String> =
            there.map(|(e, step)| format!("{} = {}", e.name, significant(e.value + step, 3))).collect();
        result.verdict = format!(
            "not at its optimum, so it has no errors: by simulated slopes the loss is least about {} errors away, near {}",
            significant(found.distance, 2),
            there.join(", ")
        );
        result.notes.insert(0, result.verdict.clone());
    }
    Ok(())
}

fn arrived(result: &FitResult) -> bool {
    matches!(result.stopped, Stopped::Steps | Stopped::Tolerance { .. } | Stopped::Plateau { .. })
}

/// Whether a fit's errors are made by a bootstrap.
pub(super) fn is_resampled(problem: &Problem, result: &FitResult) -> bool {
    let wanted = resampling(problem, &result.theta).is_some();
    wanted && arrived(result) && result.at_optimum != Some(false)
}

/// The bootstrap about an estimate, where the fit file asks for one.
pub(super) fn resampling<'a>(problem: &'a Problem, theta: &'a [f64]) -> Option<Resampling<'a>> {
    let Observations::Seen { design, route } = &problem.data else { return None };
    let file = &problem.file;
    (file.errors.as_deref() == Some("bootstrap")).then_some(())?;
    let settings = Settings {
        simulations: file.optimizer.replicates.map(|n| n as usize),
        seed: file.run.seed,
        options: problem.options,
    };
    Some(Resampling { design, route: *route, theta, settings })
}

/// Puts errors by the bootstrap in place of those by the curvature, where they are asked for.
///
/// # Errors
/// [`JobError`] where data cannot be drawn or fitted.
pub(super) fn resample(
    problem: &Problem,
    result: &mut FitResult,
    interrupt: &AtomicBool,
) -> Result<(), JobError> {
    let file = &problem.file;
    if resampling(problem, &result.theta).is_none() || !arrived(result) {
        return Ok(());
    }
    if result.at_optimum == Some(false) {
        result.notes.push("no errors by the bootstrap: the fit did not come to its optimum".into());
        return Ok(());
    }
    let Some(resampling) = resampling(problem, &result.theta) else { return Ok(()) };
    let stop = || interrupt.load(Ordering::Relaxed);
    let elsewhere = data_sets(file.given.pieces.as_ref(), &resampling, interrupt);
    let elsewhere = elsewhere.as_ref().map(|own| own as &Elsewhere<'_, usize>);
    let found = match bootstrap(&resampling, DATA_SETS, &stop, elsewhere) {
        Err(BootstrapError::Stop(Stop::Interrupted)) => {
            result.notes.push("the bootstrap was interrupted: errors are those by the curvature".into());
            return Ok(());
        }
        other => other.map_err(|e| file.wrong("errors", e.to_string()))?,
    };
    if found.fits.len() < 10 {
        result.notes.push(format!(
            "no errors by the bootstrap: {} of {DATA_SETS} data sets drawn at the estimate could not be fitted",
            found.failed
        ));
        return Ok(());
    }
    for ((estimate, error), bias) in result.estimates.iter_mut().zip(&found.errors).zip(&found.bias) {
        if error.is_finite() && *error > 0.0 && !matches!(estimate.known, Known::AtEnd(_)) {
            estimate.known = Known::Error(*error);
            estimate.standard_error = Some(*error);
        }
        // Three errors of a mean of so many fits.
        if bias.abs() > 3.0 * error / (found.fits.len() as f64).sqrt() {
            result.notes.push(format!(
                "fits to data drawn at the estimate find `{}` off by {} on average: the route is biased there, and the estimate \
                 is not corrected",
                estimate.name,
                significant(*bias, 2)
            ));
        }
    }
    let lost =
        if found.failed > 0 { format!(", {} more could not be fitted", found.failed) } else { String::new() };
    result.notes.push(format!("errors by the parametric bootstrap of {} data sets{lost}", found.fits.len()));
    Ok(())
}

/// What came of the fits of a bootstrap elsewhere.
fn data_sets<'a>(
    elsewhere: Option<&'a Arc<dyn Pieces>>,
    resampling: &Resampling<'_>,
    interrupt: &'a AtomicBool,
) -> Option<impl Fn(&[usize]) -> Vec<Option<Vec<u8>>> + 'a> {
    let elsewhere = elsewhere?;
    let theta = resampling.theta.to_vec();
    Some(move |numbers: &[usize]| {
        let piece = |number: &usize| Piece::DataSet { theta: theta.clone(), number: *number };
        elsewhere.done(&numbers.iter().map(piece).collect::<Vec<_>>(), interrupt)
    })
}
