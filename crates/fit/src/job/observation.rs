//! Sets up fits to what was seen of a process, by a likelihood.

use super::{Attempts, Made};
use crate::error::JobError;
use crate::problem::Problem;
use glauber_inference::likelihood::Likelihood;
use glauber_inference::objective::OfLikelihood;
use glauber_inference::route::{Route, Settings};
use glauber_tasks::observation::Design;

/// What all fits share.
pub(super) struct Setup<'a> {
    pub(super) problem: &'a Problem,
    pub(super) design: &'a Design,
    pub(super) route: Route,
}

/// The likelihood of what a problem has seen, θ starting at `start`.
///
/// # Errors
/// [`JobError`] where its route has none for this model and these data.
pub fn likelihood_of(
    problem: &Problem,
    design: &Design,
    route: Route,
    start: &[f64],
) -> Result<Box<dyn Likelihood>, JobError> {
    let Problem { file, options, .. } = problem;
    let simulations = file.optimizer.replicates.map(|n| n as usize);
    let settings = Settings { simulations, seed: file.run.seed, options: *options };
    let likelihood = route.likelihood(design.clone(), start, settings);
    likelihood.map_err(|e| file.wrong("route", e.to_string()).into())
}

impl Attempts for Setup<'_> {
    fn made_by(&self, _name: &str, start: &[f64], _comparison: bool) -> Result<Made, JobError> {
        let file = &self.problem.file;
        let likelihood = likelihood_of(self.problem, self.design, self.route, start)?;
        let objective = OfLikelihood::new(likelihood, file.run.seed);
        let method = self.problem.method(&self.design.unknowns, None)?;
        if method.is_by_gradient() && self.route != Route::Exact && self.route != Route::MeanFieldFilter {
            let message = format!(
                "`{}` follows gradients, and the route `{}` has none: take `cma-es`, which is what it takes where nobody says",
                file.optimizer.choice.name,
                self.route.name()
            );
            return Err(file.wrong("optimizer.name", message).into());
        }
        let caveat = self.route.caveat().map(str::to_string);
        Ok(Made { objective: Box::new(objective), method, start: start.to_vec(), caveat, first: None })
    }
}
