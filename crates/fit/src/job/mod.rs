//! Makes the fits of a [`Problem`]: objectives, methods, starts; and runs them all.
//!
//! A [`Job`] is a list of [`Attempt`]s: one for each start, and one for each estimator that is to be compared. Whoever
//! runs it (the command line, Python, the reproduction) calls [`Job::run`] and shows the [`Outcome`].

mod best;
mod curves;
mod errors;
mod observation;
mod session;
mod slopes;
mod stability;
mod state;
mod trajectory;
mod transition;

pub use observation::likelihood_of;
pub use session::RunError;
pub use state::StateFit;

use std::sync::atomic::AtomicBool;

use glauber_engine::EngineError;
use glauber_optimize::checkpoint::{CheckpointPolicy, Identity};
use glauber_optimize::descent::{Control, FitError};
use glauber_optimize::fit_result::FitResult;
use glauber_optimize::method::Method;
use glauber_optimize::objective::Objective;
use glauber_optimize::observer::Observer;

pub use crate::error::JobError;
use crate::fit_file::FitFile;
use crate::outcome::file_name;
pub use crate::outcome::{Best, Curves, Fit, FormationTests, Outcome, Sink, StartMap, Unkept};
use crate::problem::{Observations, Problem};
use glauber_tasks::tasks::unknowns::Fitted;

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
}

/// One fit of a job.
pub struct Attempt {
    /// What it is called: the estimator or loss, and the start where there are several.
    pub name: String,
    /// Whether it is only for comparison.
    pub comparison: bool,
    /// What its estimates are known to be off by.
    pub caveat: Option<String>,
    /// What is minimised.
    pub objective: Box<dyn Objective>,
    /// How.
    pub method: Method,
    /// Where θ starts.
    pub start: Vec<f64>,
    identity: Identity,
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
    let job = Job::new(Problem::resolve(file)?)?;
    file.refuse_unused()?;
    Ok(job)
}

/// What makes the fits of one task.
pub(crate) trait Attempts {
    /// Objective, method and start of a fit by this estimator (or loss); what its estimates are known to be off by.
    /// `start` is the problem's, nothing where a task has its own.
    fn made_by(&self, estimator: &str, start: &[f64], comparison: bool) -> Result<Made, JobError>;
}

/// A fit without its name.
pub(crate) struct Made {
    pub objective: Box<dyn Objective>,
    pub method: Method,
    pub start: Vec<f64>,
    pub caveat: Option<String>,
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
        let mut job = Job { problem, attempts, notes, slopeless: Vec::new(), state, judge };
        slopes::tell(&mut job)?;
        Ok(job)
    }

    /// All that a person must know of a result: of the fit itself, of the data, of how it was set up.
    pub fn notes_of(&self, result: &FitResult) -> Vec<String> {
        result.notes.iter().chain(&self.problem.data_notes).chain(&self.notes).cloned().collect()
    }
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
    let attempt = |made: Made, name: String, comparison: bool| {
        let Made { objective, method, start, caveat } = made;
        // Of a fit by another estimator than its search's name says, the identity has the estimator's.
        let called = if problem.starts.is_empty() && !comparison { &problem.estimator } else { &name };
        let identity = problem.identity(called);
        Attempt { name, comparison, caveat, objective, method, start, identity }
    };
    let refused = |made: Made| match made.method.is_by_gradient() && problem.model.update().is_by_events() {
        true => Err(JobError::from(EngineError::no_way_back(&problem.model))),
        false => Ok(made),
    };
    for (number, start) in starts.iter().enumerate() {
        let name = if several { format!("{own}, start {}", number + 1) } else { own.clone() };
        let made = refused(task.made_by(&problem.estimator, start, false)?)?;
        attempts.push(attempt(made, name, false));
    }
    for other in &problem.compared {
        let made = refused(task.made_by(other, &starts[0], true)?)?;
        attempts.push(attempt(made, other.clone(), true));
    }
    Ok(attempts)
}
