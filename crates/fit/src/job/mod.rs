//! Makes the fits of a [`Problem`]: objectives, methods, starts; and runs them all.
//!
//! A [`Job`] is a list of [`Attempt`]s: one for each start, and one for each estimator that is to be compared. Whoever
//! runs it (the command line, Python, the reproduction) calls [`Job::run`] and shows the [`Outcome`].

mod best;
mod curves;
mod errors;
mod observation;
mod pieces;
mod session;
mod shards;
mod slopes;
mod stability;
mod state;
mod trajectory;
mod transition;
mod watch;

pub use crate::fit_file::{Piece, Pieces};
pub use session::RunError;
pub use shards::{Part, Parts, Shard, ShardError};
pub use state::StateFit;

use std::sync::atomic::AtomicBool;

use glauber_engine::EngineError;
use glauber_inference::density::Density;
use glauber_optimize::checkpoint::{CheckpointPolicy, Identity};
use glauber_optimize::descent::{Control, FitError};
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::method::Method;
use glauber_optimize::objective::Objective;
use glauber_optimize::observer::Observer;
use glauber_program::Estimator;
use glauber_program::estimators::Differences;

pub use crate::error::JobError;
use crate::fit_file::FitFile;
use crate::inference::Inference;
use crate::outcome::file_name;
pub use crate::outcome::{Best, Curves, Fit, FormationTests, Outcome, Sink, StartMap, Unkept};
use crate::problem::{Observations, Problem};
use glauber_tasks::tasks::unknowns::Fitted;
use watch::Watch;

/// Fits that are ready to run.
pub struct Job {
    /// What they solve.
    pub problem: Problem,
    /// The fits: those of the fit file first, one per start, then comparisons.
    pub attempts: Vec<Attempt>,
    /// What a person should know before they run.
    pub notes: Vec<String>,
    /// Those of the notes, of the data's too, that say what gradients lack.
    pub slopeless: Vec<String>,
    /// What a fit of an initial state needs afterwards; nothing for other tasks.
    pub state: Option<StateFit>,
    /// What tells better than the fits' own loss which of several starts is best: the exact likelihood, where there is one.
    judge: Option<Box<dyn Objective>>,
    /// What draws follow, where they are asked for.
    posterior: Option<(Inference, Density)>,
}

/// One fit of a job.
pub struct Attempt {
    /// What it is called: the estimator or loss, and the start where there are several.
    pub name: String,
    /// Whether it is only for comparison.
    pub comparison: bool,
    /// What its estimates are known to be off by.
    pub caveat: Option<String>,
    /// What its first line says of its gradients.
    first: Option<String>,
    /// What is minimised.
    pub objective: Box<dyn Objective>,
    /// How.
    pub method: Method,
    /// Where θ starts.
    pub start: Vec<f64>,
    identity: Identity,
    /// What its gradient is compared with.
    watch: Option<Watch>,
}

impl Attempt {
    /// Runs the fit.
    ///
    /// # Errors
    /// [`FitError`] as in [`Method::run`].
    pub fn run<'a>(
        &mut self,
        observer: Option<&'a mut dyn Observer>,
        interrupt: Option<&'a AtomicBool>,
        checkpoint: Option<CheckpointPolicy>,
    ) -> Result<FitResult, FitError> {
        let control = Control { observer, interrupt, checkpoint, identity: self.identity.clone() };
        self.method.run(&mut *self.objective, &self.start, control)
    }

    /// Its name as part of a file's name.
    pub fn file_name(&self) -> String {
        file_name(&self.name)
    }
}

/// Sets a fit file's fits up: reads or simulates the data, compiles the model.
///
/// # Errors
/// [`JobError`] with the place in the fit file or data where something is wrong, or where the file says what these fits
/// do not use.
pub fn prepare(file: &FitFile) -> Result<Job, JobError> {
    let problem = Problem::resolve(file)?;
    let notes = problem.data_notes.clone();
    let job = Job::new(problem).and_then(|job| file.refuse_unused().map(|()| job).map_err(JobError::from));
    job.map_err(|error| error.after(notes))
}

/// What makes the fits of one task.
pub(crate) trait Attempts {
    /// Objective, method and start of a fit by this estimator (or loss); what its estimates are known to be off by.
    /// `start` is the problem's, nothing where a task has its own.
    fn made_by(&self, estimator: &str, start: &[f64], comparison: bool) -> Result<Made, JobError>;

    /// What its gradient is compared with on the way, where it may be wrong.
    fn watch(&self, _estimator: &str, _comparison: bool) -> Result<Option<Watch>, JobError> {
        Ok(None)
    }
}

/// A fit without its name.
pub(crate) struct Made {
    pub objective: Box<dyn Objective>,
    pub method: Method,
    pub start: Vec<f64>,
    pub caveat: Option<String>,
    /// What the result's first line says of its gradients.
    pub first: Option<String>,
}

impl Job {
    /// Sets up the fits of a problem.
    ///
    /// # Errors
    /// [`JobError`] where they cannot be compiled.
    pub fn new(problem: Problem) -> Result<Job, JobError> {
        errors::check(&problem.file, &problem.data)?;
        if let (Some(_), false) = (&problem.file.route, matches!(problem.data, Observations::Seen { .. })) {
            let message =
                "a route to a likelihood is chosen for the task `observation` alone: leave `route` out";
            return Err(problem.file.wrong("route", message).into());
        }
        let (mut state, mut judge, mut notes) = (None, None, problem.notes.clone());
        let attempts = match &problem.data {
            Observations::Transitions { pairs, loss } => {
                let task = transition::Setup::new(&problem, pairs, loss);
                let attempts = attempts(&problem, &task)?;
                let by_likelihood = attempts.iter().any(|a| a.objective.likelihood().is_some());
                judge = task.judge(by_likelihood);
                notes.extend(task.note(by_likelihood));
                attempts
            }
            Observations::Trajectory { observed, loss } => {
                let task = trajectory::Setup { problem: &problem, observed, loss };
                let attempts = attempts(&problem, &task)?;
                notes.extend(task.notes()?);
                attempts
            }
            Observations::State { frames, parameters, loss, truth } => {
                let task = state::Setup { problem: &problem, frames, parameters, loss: *loss };
                state = Some(task.fit(truth.clone())?);
                attempts(&problem, &task)?
            }
            Observations::Seen { design, route } => {
                let task = observation::Setup { problem: &problem, design, route: *route };
                attempts(&problem, &task)?
            }
            Observations::Stability { patterns, loss, rollouts } => {
                let task = stability::Setup { problem: &problem, patterns, loss, rollouts: *rollouts };
                attempts(&problem, &task)?
            }
        };
        notes.extend(attempts.iter().filter_map(|a| a.caveat.as_ref().map(|c| format!("{}: {c}", a.name))));
        notes.extend(problem.model.update_note());
        let posterior = posterior_of(&problem, &mut notes)?;
        let mut job = Job { problem, attempts, notes, slopeless: Vec::new(), state, judge, posterior };
        slopes::tell(&mut job)?;
        Ok(job)
    }

    /// All that a person must know of a result: of the fit itself, of the data, of how it was set up.
    pub fn notes_of(&self, result: &FitResult) -> Vec<String> {
        result.notes.iter().chain(&self.problem.data_notes).chain(&self.notes).cloned().collect()
    }
}

/// The posterior that a fit file asks for, of a task that has a likelihood; elsewhere its keys are refused as unused.
fn posterior_of(
    problem: &Problem,
    notes: &mut Vec<String>,
) -> Result<Option<(Inference, Density)>, JobError> {
    let has_likelihood = matches!(problem.data, Observations::Transitions { .. } | Observations::Seen { .. });
    if !problem.file.asks_for_posterior() || !has_likelihood {
        return Ok(None);
    }
    let inference = Inference::of(problem)?;
    let density = inference.density()?;
    problem.file.uses_posterior();
    let settings = inference.settings;
    let by = settings.sampler.map_or(String::new(), |sampler| format!(" by {}", sampler.name()));
    let priors = match inference.priors.len() {
        0 => String::new(),
        _ => {
            let each = inference.priors.iter().map(|(name, prior)| format!("`{name}` {prior}"));
            format!(", priors {}", each.collect::<Vec<_>>().join(", "))
        }
    };
    notes.push(format!(
        "after the fit, draws from the posterior{by}: {} chains of {} after {}{priors}",
        settings.chains, settings.draws, settings.warm_up
    ));
    Ok(Some((inference, density)))
}

/// The parameters that are fitted.
pub(crate) fn parameters(problem: &Problem) -> Result<&Fitted, JobError> {
    let missing = || problem.file.wrong("task", "it fits no parameter");
    Ok(problem.fitted.as_ref().ok_or_else(missing)?)
}

/// One fit from every start, and one by everything that is compared.
fn attempts(problem: &Problem, task: &dyn Attempts) -> Result<Vec<Attempt>, JobError> {
    let mut attempts = Vec::new();
    let own = problem.own_name();
    let several = problem.starts.len() > 1;
    let none = [Vec::new()];
    let starts = if problem.starts.is_empty() { &none[..] } else { &problem.starts };
    let attempt = |made: Made, name: String, comparison: bool, watch: Option<Watch>| {
        let Made { objective, method, start, caveat, first } = made;
        // Of a fit by another estimator than its search's name says, the identity has the estimator's.
        let called = if problem.starts.is_empty() && !comparison { &problem.estimator } else { &name };
        let identity = problem.identity(called);
        let watch = watch.filter(|_| method.is_by_gradient());
        Attempt { name, comparison, caveat, first, objective, method, start, identity, watch }
    };
    let one_by_one = problem.model.update().is_by_events();
    let refused =
        |made: Made, by: &str| match made.method.is_by_gradient() && one_by_one && by != Differences.name() {
            true => Err(JobError::from(EngineError::no_way_back(&problem.model))),
            false => Ok(made),
        };
    for (number, start) in starts.iter().enumerate() {
        let name = if several { format!("{own}, start {}", number + 1) } else { own.clone() };
        let made = refused(task.made_by(&problem.estimator, start, false)?, &problem.estimator)?;
        attempts.push(attempt(made, name, false, task.watch(&problem.estimator, false)?));
    }
    for other in &problem.compared {
        let made = refused(task.made_by(other, &starts[0], true)?, other)?;
        attempts.push(attempt(made, other.clone(), true, task.watch(other, true)?));
    }
    Ok(attempts)
}
