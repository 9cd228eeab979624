//! Sets up fits to what was seen of a process, by a likelihood.

use super::{Attempts, Made};
use crate::error::JobError;
use crate::inference::seen;
use crate::problem::Problem;
use glauber_inference::objective::OfLikelihood;
use glauber_inference::route::Route;
use glauber_tasks::observation::Design;

/// What all fits share.
pub(super) struct Setup<'a> {
    pub(super) problem: &'a Problem,
    pub(super) design: &'a Design,
    pub(super) route: Route,
}

impl Attempts for Setup<'_> {
    fn made_by(&self, _name: &str, start: &[f64], _comparison: bool) -> Result<Made, JobError> {
        let file = &self.problem.file;
        let likelihood = seen(self.problem, self.design, self.route, start)?;
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
