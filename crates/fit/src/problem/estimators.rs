//! Finds the estimators that a fit file names, with those of its options that they take.

use glauber_program::estimators::{Differences, EstimatorError, EstimatorOptions, MeanField, named};
use glauber_program::{Estimator, Model};

use super::Observations;
use crate::error::JobError;
use crate::fit_file::{FitFile, TaskEntry};

/// Through more steps than these a few parameters' differences are less noisy than light cones (docs/gradients.md).
const MANY_STEPS: usize = 10;
/// So many parameters are few.
const FEW: usize = 3;

/// The estimator where nobody names one, of `unknowns` numbers: the task's own; of summaries over time, and of states several
/// steps apart, by what was measured.
/// Where sites are updated one after another somebody has to say that it is by differences, which take long there.
pub(crate) fn usual_estimator(
    file: &FitFile,
    model: &Model,
    data: Option<&Observations>,
    unknowns: usize,
) -> &'static str {
    let own = file.task.entry().usual_estimator;
    if model.update().is_by_events() {
        return own;
    }
    let (steps, own) = match data {
        // Exact for squared displacements.
        Some(Observations::Trajectory { observed, .. })
            if observed.choice.entry().is_ok_and(|entry| entry.name == "msd") =>
        {
            return "reinmax";
        }
        Some(Observations::Trajectory { observed, .. }) => {
            let begin = observed.starts.as_ref().and_then(|states| states.steps.first());
            let begin = begin.map_or(0, |step| *step as usize);
            (observed.target.steps.last().map_or(0, |last| last.saturating_sub(begin)), own)
        }
        Some(Observations::Transitions { pairs, .. }) if pairs.are_several_steps_apart() => {
            (pairs.most_steps() as usize, "light-cone")
        }
        _ => return own,
    };
    if steps > MANY_STEPS && unknowns <= FEW { Differences.name() } else { own }
}

/// The estimator of the fit itself, and of what key of the file.
///
/// A search uses no gradients: only the estimator that changes what is simulated has an effect there.
pub(crate) fn own_estimator<'f>(file: &'f FitFile, usual: &'static str) -> &'f str {
    let choice = &file.estimator.name;
    let by_gradient = file.optimizer.learning_rate.is_some();
    let TaskEntry { by_estimator, .. } = file.task.entry();
    if by_gradient || (*by_estimator && choice.unmarked().as_deref() == Some(MeanField.name())) {
        return choice.as_deref().unwrap_or(usual);
    }
    usual
}

/// The estimator of this name with the fit file's options.
pub(crate) fn estimator_of(file: &FitFile, name: &str, key: &str) -> Result<Box<dyn Estimator>, JobError> {
    let mut options = EstimatorOptions::default();
    if takes(name, EstimatorOptions { temperature: 2.0 * options.temperature, ..options }) {
        options.temperature = file.estimator.temperature.unwrap_or(options.temperature);
    }
    if takes(name, EstimatorOptions { samples: options.samples + 1, ..options }) {
        let most = u64::from(u32::MAX);
        options.samples = file.estimator.samples.map_or(options.samples, |s| s.min(most) as u32);
    }
    // A search takes no gradients, whatever the usual estimator.
    let by_gradient = file.optimizer.learning_rate.is_some();
    if by_gradient && takes(name, EstimatorOptions { radius: Some(1), ..options }) {
        let most = u64::from(u32::MAX);
        options.radius = file.estimator.radius.map(|r| r.min(most) as u32);
    }
    named(name, options).map_err(|error| {
        let key = match error {
            EstimatorError::Unknown { .. }
            | EstimatorError::MeanFieldInPair
            | EstimatorError::DifferencesInPair => key,
            EstimatorError::Temperature(_) => "estimator.temperature",
            EstimatorError::Samples(_) => "estimator.samples",
            EstimatorError::Radius(_) => "estimator.radius",
        };
        file.wrong(key, error.to_string()).into()
    })
}

/// Whether an estimator is another one with other options. All that it holds is in its description.
fn takes(name: &str, other: EstimatorOptions) -> bool {
    let described = |options| named(name, options).map(|estimator| format!("{estimator:?}")).ok();
    described(EstimatorOptions::default()) != described(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_program::estimators::ESTIMATORS;

    #[test]
    fn options_are_those_of_the_estimators_that_hold_them() {
        let usual = EstimatorOptions::default();
        let warm = EstimatorOptions { temperature: 0.3, ..usual };
        let many = EstimatorOptions { samples: 3, ..usual };
        let with = |other| ESTIMATORS.iter().map(|e| e.name).filter(|n| takes(n, other)).collect::<Vec<_>>();
        assert!(with(warm).starts_with(&["gumbel-softmax", "gumbel-rao"]), "{:?}", with(warm));
        assert_eq!(with(many), ["gumbel-rao"]);
        assert_eq!(with(EstimatorOptions { radius: Some(3), ..usual }), ["light-cone"]);
        assert!(
            takes("straight-through + gumbel-softmax", warm) && !takes("straight-through + reinmax", warm)
        );
        assert!(!takes("nonsense", warm));
    }
}
