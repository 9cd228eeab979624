//! Makes posteriors and profiles of fit files: which likelihood a problem has, and the draws or curves that come of it.

mod folder;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use glauber_inference::apart::Elsewhere;
use glauber_inference::density::{Density, DensityError};
use glauber_inference::exact::Transitions;
use glauber_inference::likelihood::Likelihood;
use glauber_inference::posterior::{Posterior, PosteriorError, Settings, Walked, of_chains, sample};
use glauber_inference::prior::{Prior, PriorError};
use glauber_inference::profile::{OneProfile, ProfileError, Profiles, profile_with};
use glauber_inference::route::{self, Route};
use glauber_tasks::observation::Design;
use glauber_tasks::tasks::likelihood::Likelihood as OfTransitions;

use crate::error::JobError;
use crate::fit_file::FitFile;
use crate::problem::{LIKELIHOOD, Observations, Problem};

pub use folder::{POSTERIOR_OUTPUTS, PROFILE_OUTPUTS};

/// What a fit file says of its parameters: a likelihood with priors.
pub struct Inference {
    /// How probable the data are.
    pub likelihood: Box<dyn Likelihood>,
    /// The priors that are given.
    pub priors: Vec<(String, Prior)>,
    /// How draws are made.
    pub settings: Settings,
    /// What a person should know of the data and of how it was set up.
    pub notes: Vec<String>,
    /// The model's name.
    pub model: String,
    file: FitFile,
}

/// The likelihood of a problem's data by its parameters, which start where its first fit does.
///
/// # Errors
/// [`JobError`] where the task has none.
pub fn likelihood_of(problem: &Problem) -> Result<Box<dyn Likelihood>, JobError> {
    let Problem { file, model, options, .. } = problem;
    let start = problem.starts.first().cloned().unwrap_or_default();
    let (pairs, fitted) = match (&problem.data, &problem.fitted) {
        (Observations::Seen { design, route }, _) => return seen(problem, design, *route, &start),
        (Observations::Transitions { pairs, .. }, Some(fitted)) => (pairs, fitted),
        _ => {
            let why = match problem.data {
                Observations::State { .. } => "a field of unknown sites, too many for draws of them",
                _ => "a loss, which is no probability of the data",
            };
            let name = file.task.name();
            let message = format!(
                "the task `{name}` has {why}: there is a likelihood, and with it posteriors and profiles, for the tasks \
                 `transition` and `observation`"
            );
            return Err(file.wrong("task", message).into());
        }
    };
    let likelihood = OfTransitions::new(model, fitted.clone(), pairs.clone(), *options);
    let likelihood = likelihood.map_err(|error| file.wrong("task", error.to_string()))?;
    Ok(Box::new(Transitions::new(likelihood, &start)))
}

/// The likelihood of what a problem has seen, by a route, θ starting at `start`.
///
/// # Errors
/// [`JobError`] where its route has none for this model and these data.
pub fn seen(
    problem: &Problem,
    design: &Design,
    route: Route,
    start: &[f64],
) -> Result<Box<dyn Likelihood>, JobError> {
    let Problem { file, options, .. } = problem;
    let simulations = file.optimizer.replicates.map(|n| n as usize);
    let settings = route::Settings { simulations, seed: file.run.seed, options: *options };
    let likelihood = route.likelihood(design.clone(), start, settings);
    likelihood.map_err(|e| file.wrong("route", e.to_string()).into())
}

impl Inference {
    /// Of a fit file's problem.
    ///
    /// # Errors
    /// [`JobError`] with the place of what is wrong, or where the task has no likelihood.
    pub fn of(problem: &Problem) -> Result<Inference, JobError> {
        let file = &problem.file;
        let likelihood = likelihood_of(problem)?;
        let mut notes = problem.data_notes.clone();
        notes.extend(problem.notes.iter().cloned());
        if let Observations::Seen { route, .. } = &problem.data {
            notes.extend(route.caveat().map(str::to_string));
        }
        if let Some(loss) = file.loss.name.unmarked().as_deref().filter(|loss| *loss != LIKELIHOOD) {
            notes.push(format!("whatever the loss of the fit, `{loss}`, this is by the exact likelihood"));
        }
        if problem.starts.len() > 1 {
            notes.push(format!("of {} starts the first is where this begins", problem.starts.len()));
        }
        Ok(Inference {
            likelihood,
            priors: file.priors.iter().map(|(name, prior)| (name.clone(), prior.0)).collect(),
            file: file.clone(),
            settings: file.posterior.settings(file.run.seed),
            notes,
            model: problem.model.name().to_string(),
        })
    }

    /// The likelihood with its priors.
    ///
    /// # Errors
    /// [`JobError`] with the place of a prior that is improper, of nothing that is fitted, or 0 at the start.
    pub fn density(&self) -> Result<Density, JobError> {
        let density = Density::new(self.likelihood.another(), &self.priors).map_err(|error| {
            let key = match &error {
                DensityError::Start { name, .. } => format!("start.{name}"),
                DensityError::Prior(
                    PriorError::Nowhere { name, .. }
                    | PriorError::NotFitted { name, .. }
                    | PriorError::Improper { name, .. },
                ) => format!("priors.{name}"),
                _ => "priors".to_string(),
            };
            self.file.wrong(&key, error.to_string())
        })?;
        Ok(density)
    }

    /// What comes of it is told of this.
    pub fn about(&self) -> About {
        About { notes: self.notes.clone(), model: self.model.clone() }
    }
}

/// What is told of draws and profiles besides themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// What is to be known of the data.
    pub notes: Vec<String>,
    /// The model's name.
    pub model: String,
}

/// Draws from a posterior.
///
/// # Errors
/// [`PosteriorError`] where chains cannot go on, or were interrupted.
pub fn draw(
    density: &Density,
    settings: Settings,
    about: About,
    interrupt: &AtomicBool,
    seen: &(dyn Fn(usize, usize) + Sync),
) -> Result<Drawn, PosteriorError> {
    let begin = Instant::now();
    let posterior = sample(density, settings, &|| interrupt.load(Ordering::Relaxed), seen)?;
    Ok(Drawn { posterior, about, seconds: begin.elapsed().as_secs_f64() })
}

/// Puts together what chains drew that were walked apart.
///
/// # Errors
/// [`PosteriorError`] where they are not of these settings.
pub fn drawn(
    density: &Density,
    settings: Settings,
    about: About,
    walked: Vec<Walked>,
) -> Result<Drawn, PosteriorError> {
    let begin = Instant::now();
    let posterior = of_chains(density, settings, walked)?;
    Ok(Drawn { posterior, about, seconds: begin.elapsed().as_secs_f64() })
}

/// Profiles the parameters of these names, all where none is named. Priors have no part in it. What somebody has walked
/// `elsewhere` is not walked again.
///
/// # Errors
/// [`ProfileError`] where the likelihood has no profile.
pub fn profiled(
    likelihood: &dyn Likelihood,
    names: &[String],
    level: f64,
    about: About,
    elsewhere: Option<&Elsewhere<'_, OneProfile>>,
) -> Result<Profiled, ProfileError> {
    let begin = Instant::now();
    let profiles = profile_with(likelihood, names, level, elsewhere)?;
    Ok(Profiled { profiles, about, seconds: begin.elapsed().as_secs_f64() })
}

/// Draws of a posterior, with what is to be known of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The draws.
    pub posterior: Posterior,
    /// What is told besides.
    pub about: About,
    /// How long it took.
    pub seconds: f64,
}

/// Profiles, with what is to be known of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiled {
    /// The profiles.
    pub profiles: Profiles,
    /// What is told besides.
    pub about: About,
    /// How long it took.
    pub seconds: f64,
}
