//! Makes errors by fitting again to data drawn at the estimate: the parametric bootstrap.
//!
//! B data sets are drawn at θ̂ with the same experiments, runs, times, noise and gaps; each is fitted by the same route from θ̂.
//! The standard deviation of these fits is the error of the estimate, whatever the route; their mean less θ̂ is the route's
//! bias there.
//!
//! Reference: Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, ch. 6.

use glauber_engine::EngineError;
use glauber_numbers::noise::{Purpose, derive_seed};
use glauber_optimize::gradient_free::GradientFree;
use glauber_optimize::optimizers::Choice;
use glauber_optimize::stopping::Tolerance;
use glauber_tasks::observation::{Design, Watch};
use glauber_tasks::tasks::transition::failed;

use crate::apart::{Elsewhere, asked};
use crate::likelihood::{Kind, Stop};
use crate::objective::OfLikelihood;
use crate::route::{Route, RouteError, Settings};
use crate::surface;

/// Data sets where nobody says.
pub const DATA_SETS: usize = 50;

/// What fits to drawn data came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Bootstrap {
    /// θ of every data set that could be fitted.
    pub fits: Vec<Vec<f64>>,
    /// How many could not.
    pub failed: usize,
    /// The standard deviation of each parameter.
    pub errors: Vec<f64>,
    /// Their mean less the estimate.
    pub bias: Vec<f64>,
}

/// Why there is no bootstrap.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// There is no likelihood for drawn data.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A fit failed, or was stopped.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// The maximum of a likelihood without noise, from θ.
fn descend(objective: &mut OfLikelihood, theta: &[f64], seed: u64) -> Option<Vec<f64>> {
    let mut search = GradientFree::new(Choice::new("nelder-mead"), 100 + 100 * theta.len() as u64, seed);
    search.stopping.tolerance = Some(Tolerance { change: 1e-4, patience: 2 });
    search.run(objective, theta, Default::default()).ok().map(|found| found.theta)
}

/// A bootstrap to be made.
pub struct Resampling<'a> {
    /// What was seen, and how.
    pub design: &'a Design,
    /// How the likelihood is computed.
    pub route: Route,
    /// The estimate.
    pub theta: &'a [f64],
    /// How data are drawn and fitted.
    pub settings: Settings,
}

impl Resampling<'_> {
    /// θ of the fit to one data set; nothing where it could not be fitted.
    ///
    /// # Errors
    /// [`BootstrapError`] where data cannot be drawn or fitted, or where it is stopped.
    pub fn fit(&self, number: usize, stop: &dyn Fn() -> bool) -> Result<Option<Vec<f64>>, BootstrapError> {
        self.fit_to(&Watch::new(self.design, self.settings.options)?, number, stop)
    }

    fn fit_to(
        &self,
        watch: &Watch,
        number: usize,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<f64>>, BootstrapError> {
        let Resampling { design, route, theta, settings } = *self;
        if stop() {
            return Err(Stop::Interrupted.into());
        }
        let seed = derive_seed(settings.seed, Purpose::Bootstrap, number as u64);
        let drawn = watch.drawn(design, theta, seed).map_err(|e| BootstrapError::Stop(failed(e)))?;
        let drawn = design.with_experiments(drawn);
        let mut likelihood = route.likelihood(drawn, theta, Settings { seed, ..settings })?;
        let found = if likelihood.kind() == Kind::Noisy {
            let found = surface::look(&mut *likelihood, theta, seed, stop)?;
            (found.verdict.at_optimum == Some(true)).then_some(found.theta)
        } else {
            descend(&mut OfLikelihood::new(likelihood, seed), theta, seed)
        };
        Ok(found.filter(|theta| theta.iter().all(|x| x.is_finite())))
    }
}

/// Fits `count` data sets drawn at θ, by their numbers; those that somebody did elsewhere, as [`written`] by
/// [`Resampling::fit`], are not done again.
///
/// [`written`]: crate::apart::written
///
/// # Errors
/// [`BootstrapError`] where data cannot be drawn or fitted, or where it is stopped.
pub fn bootstrap(
    resampling: &Resampling<'_>,
    count: usize,
    stop: &dyn Fn() -> bool,
    elsewhere: Option<&Elsewhere<'_, usize>>,
) -> Result<Bootstrap, BootstrapError> {
    let Resampling { design, theta, settings, .. } = *resampling;
    let numbers: Vec<usize> = (0..count).collect();
    let done: Vec<Option<Option<Vec<f64>>>> = asked(elsewhere, &numbers);
    let watch = Watch::new(design, settings.options)?;
    let (mut fits, mut lost) = (Vec::new(), 0);
    for (number, done) in numbers.into_iter().zip(done) {
        let found = match done {
            Some(found) => found.filter(|found| found.len() == theta.len()),
            None => resampling.fit_to(&watch, number, stop)?,
        };
        match found {
            Some(theta) => fits.push(theta),
            None => lost += 1,
        }
    }
    let n = fits.len() as f64;
    let column = |i: usize| fits.iter().map(move |fit| fit[i]);
    let means: Vec<f64> = (0..theta.len()).map(|i| column(i).sum::<f64>() / n).collect();
    let errors = (0..theta.len())
        .map(|i| (column(i).map(|x| (x - means[i]).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
        .collect();
    let bias = means.iter().zip(theta).map(|(mean, own)| mean - own).collect();
    Ok(Bootstrap { fits, failed: lost, errors, bias })
}
