//! Sets up fits to observed transitions.

use super::watch::{self, Watch};
use super::{Attempts, Made};
use crate::error::JobError;
use crate::problem::{LIKELIHOOD, Problem};
use glauber_optimize::descent::Descent;
use glauber_optimize::method::Method;
use glauber_optimize::objective::Objective;
use glauber_optimize::optimizers::Choice;
use glauber_optimize::stopping::Tolerance;
use glauber_program::Estimator;
use glauber_program::estimators::Differences;
use glauber_tasks::losses::transition::{TRANSITION_LOSSES, TransitionLoss};
use glauber_tasks::tasks::likelihood::Likelihood;
use glauber_tasks::tasks::transition::{Pairs, Transition};
use glauber_tasks::tasks::unknowns::Fitted;

/// What a search finds that compares draws site by site.
const SEARCH_BY_PIXELS: &str = "a search finds where the squared error of single draws is least, which is not at the right \
                                probabilities but at 0 or 1: take the loss `likelihood`, where there is one, or `count`, or \
                                an optimizer by gradients";

/// The same in the first line.
const FIRST_OF_PIXELS: &str = "not at the right probabilities: a search by single draws ends near 0 or 1";

/// In the first line of a fit to single draws by estimators that soften them.
const OF_SOFTENED: &str = "biased: by softened draws a fit to single draws comes to rest beside the right probabilities, at times far \
                           off: take straight-through, or the loss `likelihood`, where there is one";

/// How many pairs a minibatch has where nobody says.
const USUAL_BATCH: u64 = 128;

/// What all fits share.
pub(super) struct Setup<'a> {
    problem: &'a Problem,
    pairs: &'a Pairs,
    loss: &'a TransitionLoss,
}

impl<'a> Setup<'a> {
    pub(super) fn new(problem: &'a Problem, pairs: &'a Pairs, loss: &'a TransitionLoss) -> Setup<'a> {
        Setup { problem, pairs, loss }
    }

    fn fitted(&self) -> Result<&Fitted, JobError> {
        super::parameters(self.problem)
    }

    /// What tells which of several starts is best, where the fits' own loss is no likelihood.
    pub(super) fn judge(&self, by_likelihood: bool) -> Option<Box<dyn Objective>> {
        if self.problem.starts.len() < 2 || by_likelihood {
            return None;
        }
        let (fitted, pairs) = (self.problem.fitted.clone()?, self.pairs.one_step_apart());
        let likelihood = Likelihood::new(&self.problem.model, fitted, pairs, self.problem.options).ok()?;
        Some(Box::new(likelihood))
    }

    /// What else could have been asked for.
    pub(super) fn note(&self, by_likelihood: bool) -> Option<String> {
        let exact = !by_likelihood && glauber_likelihood::log_likelihood(&self.problem.model.step).is_ok();
        let one = self.pairs.one_step_apart().before.len();
        let of_them = match one == self.pairs.before.len() {
            true => String::new(),
            false => format!(" of the {one} pairs that are one step apart"),
        };
        (exact && one > 0).then(|| {
            format!(
                "this model has an exact likelihood{of_them}, which gives errors: `loss.name = \"likelihood\"`"
            )
        })
    }

    /// The objective by an estimator, with so many pairs in a batch.
    fn objective(&self, estimator: &dyn Estimator, batch: u64) -> Result<Transition, JobError> {
        let Problem { file, model, options, .. } = self.problem;
        let (fitted, pairs) = (self.fitted()?.clone(), self.pairs.clone());
        let (loss, batch, seed) = (self.loss, batch as usize, file.run.seed);
        Ok(Transition::new(model, fitted, pairs, loss, estimator, batch, seed, *options)?)
    }

    fn likelihood(&self, start: &[f64], comparison: bool) -> Result<Made, JobError> {
        let Problem { file, model, options, .. } = self.problem;
        let fitted = self.fitted()?;
        let objective = Likelihood::new(model, fitted.clone(), self.pairs.clone(), *options);
        let objective = objective.map_err(|e| file.wrong("loss.name", e.to_string()))?;
        let mut method = self.problem.method(&fitted.unknowns, None)?;
        // An exact, smooth objective: whatever the fit file says for noisy ones does not suit a comparison.
        if comparison {
            let mut descent = Descent::new(Choice::new("rprop"), 0.1, 200);
            descent.stopping.tolerance = Some(Tolerance { change: 1e-6, patience: 2 });
            descent.seed = file.run.seed;
            method = Method::Descent(descent);
        }
        Ok(Made { objective: Box::new(objective), method, start: start.to_vec(), caveat: None, first: None })
    }
}

impl Attempts for Setup<'_> {
    fn made_by(&self, name: &str, start: &[f64], comparison: bool) -> Result<Made, JobError> {
        if name == LIKELIHOOD {
            return self.likelihood(start, comparison);
        }
        let loss = self.loss;
        let estimator = self.problem.estimator_named(name, comparison)?;
        let batch = self.problem.file.optimizer.batch.unwrap_or(USUAL_BATCH);
        let objective = self.objective(&*estimator, batch)?;
        let method = self.problem.method(&self.fitted()?.unknowns, None)?;
        let silent = name == self.problem.usual_estimator || !method.is_by_gradient();
        let told = (!silent).then(|| estimator.bias().to_string());
        let told: Vec<String> = told.into_iter().chain(objective.notes().iter().cloned()).collect();
        let mut caveat = (!told.is_empty()).then(|| told.join("; "));
        let mut first = watch::words_of_cones(&*estimator, objective.notes());
        let by_pixels = loss.name == TRANSITION_LOSSES[0].name;
        if method.is_by_gradient() && by_pixels && estimator.name().contains("gumbel") {
            first = Some(first.map_or(OF_SOFTENED.into(), |first| format!("{OF_SOFTENED}; {first}")));
        }
        if !method.is_by_gradient() && by_pixels {
            caveat = Some(SEARCH_BY_PIXELS.to_string());
            first = Some(FIRST_OF_PIXELS.to_string());
        }
        Ok(Made { objective: Box::new(objective), method, start: start.to_vec(), caveat, first })
    }

    fn watch(&self, name: &str, comparison: bool) -> Result<Option<Watch>, JobError> {
        let by_gradient = self.problem.file.optimizer.learning_rate.is_some();
        if name == LIKELIHOOD || !watch::is_watched(name) || !by_gradient {
            return Ok(None);
        }
        let few = self.problem.file.optimizer.batch.unwrap_or(USUAL_BATCH).min(watch::ROLLOUTS);
        let estimator = self.problem.estimator_named(name, comparison)?;
        let (own, reference) = (self.objective(&*estimator, few)?, self.objective(&Differences, few)?);
        let steps = self.pairs.most_steps() as usize;
        Ok(Some(Watch::new((Box::new(own), name), Box::new(reference), steps)))
    }
}
