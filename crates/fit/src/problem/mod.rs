//! Resolves a fit file once: the model and its covariates, what is unknown, the data, the loss, the estimator, the method.
//!
//! A [`FitFile`] is what was written down; a [`Problem`] is what it means. Nothing is read again after this: what becomes
//! of the files later changes no fit. Errors have the places of the keys they are about.

mod copies;
mod curve;
mod estimators;
mod frames;
mod identity;
mod model;
mod names;
mod observation;
mod pattern;
mod pictures;
mod shown;
mod states;
mod stationary;
mod times;
mod tracks;
mod truth;
mod words;

use std::collections::BTreeMap;

use glauber_engine::Options;
use glauber_inference::route::Route;
use glauber_optimize::checkpoint::Identity;
use glauber_optimize::maps::Map;
use glauber_optimize::method::Method;
use glauber_optimize::objective::Unknown;
use glauber_optimize::optimizers::Choice;
use glauber_program::{Estimator, Model};
use glauber_tasks::covariates::Covariates;
use glauber_tasks::formation::FormationTest;
use glauber_tasks::losses::curve::CurveLoss;
use glauber_tasks::losses::stability::StabilityLoss;
use glauber_tasks::losses::transition::{TRANSITION_LOSSES, TransitionLoss};
use glauber_tasks::observation::Design;
use glauber_tasks::states::States;
use glauber_tasks::tasks::initial_state::{ObservedFrame, StateLoss};
use glauber_tasks::tasks::stability::Rollouts;
use glauber_tasks::tasks::transition::Pairs;
use glauber_tasks::tasks::unknowns::Fitted;

pub use curve::{ObservedCurve, Scale};
pub use shown::Shown;

use crate::error::JobError;
use crate::fit_file::{FitFile, MapChoice, OptionChoice, Task};
use frames::{ObservedFrames, Of};
use identity::Digests;
use model::Own;
use truth::Simulated;
use words::{pairs, wrong};

/// The name of the exact likelihood among losses and comparisons.
pub(crate) const LIKELIHOOD: &str = "likelihood";

/// What a fit file means, with everything that it names read.
pub struct Problem {
    /// What was written down: settings of the run, and the places of keys for errors.
    pub file: FitFile,
    /// What is fitted to what.
    pub task: Task,
    /// The model. Where its sites are independent walkers that are counted, it has one.
    pub model: Model,
    /// What its rules read per site.
    pub covariates: Covariates,
    /// Which parameters are fitted, and what the others are; nothing where the start is fitted (the task `state`).
    pub fitted: Option<Fitted>,
    /// θ at every start; none where the start is fitted.
    pub starts: Vec<Vec<f64>>,
    /// What it is fitted to, and by which loss.
    pub data: Observations,
    /// The true parameters, where the data were simulated.
    pub truth: BTreeMap<String, f64>,
    /// What the fit's gradients are by: an estimator's name, or `likelihood`.
    pub estimator: String,
    /// What they are by where nobody says.
    pub usual_estimator: &'static str,
    /// What it is compared with, each once.
    pub compared: Vec<String>,
    /// How the engine runs.
    pub options: Options,
    /// The model's option that counts its walkers, where they are left to be counted.
    pub walkers: Option<&'static str>,
    /// What a person should know of how it was resolved.
    pub notes: Vec<String>,
    /// What the readers of the data guessed, cut or left out: part of every result.
    pub data_notes: Vec<String>,
    read: Digests,
}

/// What a model is fitted to, and by which loss; one for each task.
pub enum Observations {
    /// Pairs of successive states.
    Transitions {
        /// The pairs.
        pairs: Pairs,
        /// What compares a step with the state that followed, where that is not the likelihood.
        loss: TransitionLoss,
    },
    /// A summary over time, or of a stationary state.
    Trajectory {
        /// The summary.
        observed: ObservedCurve,
        /// What compares it with simulations.
        loss: CurveLoss,
    },
    /// Frames of one run, of which the start is unknown.
    State {
        /// The frames.
        frames: Vec<ObservedFrame>,
        /// Per layer: the sites that truly started on, where that is known.
        truth: Option<Vec<Vec<usize>>>,
        /// All the model's parameters.
        parameters: Vec<f64>,
        /// What compares frames with simulations.
        loss: StateLoss,
    },
    /// What was seen of a process, with noise.
    Seen {
        /// What, when, where, under which conditions.
        design: Design,
        /// How its likelihood is computed.
        route: Route,
    },
    /// A pattern that should stay.
    Stability {
        /// One state for each run.
        patterns: States,
        /// What compares it with where rollouts from it end.
        loss: StabilityLoss,
        /// These rollouts.
        rollouts: Rollouts,
    },
}

/// What a task's data come to.
struct Resolved {
    data: Observations,
    notes: Vec<String>,
    data_notes: Vec<String>,
    read: Digests,
}

impl Problem {
    /// Resolves a fit file: reads or simulates everything that it names.
    ///
    /// # Errors
    /// [`JobError`] with the place in the fit file or data where something is wrong.
    pub fn resolve(file: &FitFile) -> Result<Problem, JobError> {
        let mut heard = Vec::new();
        Problem::resolved(file, &mut heard).map_err(|error| error.after(heard))
    }

    /// The same; what readers said until then is `heard`.
    fn resolved(file: &FitFile, heard: &mut Vec<String>) -> Result<Problem, JobError> {
        let own = Own::read(file)?;
        heard.extend(own.notes.iter().cloned());
        // What is compared over time says most of what is wrong with a fit file for another model: it comes first.
        let summary = match file.task {
            Task::Trajectory => Some(over_time(file, &own, curve::observe)?),
            Task::Stationary => Some(over_time(file, &own, stationary::observe)?),
            Task::Observation => Some(observation::observe(file, &own)?),
            Task::Transition | Task::State | Task::Stability => None,
        };
        let fitted = match file.task {
            Task::State => {
                refuse_parameters(file)?;
                None
            }
            Task::Observation => None,
            _ => Some(own.fitted(&pairs(&file.fixed)).map_err(|e| wrong(file, "fixed", &e))?),
        };
        let start = |fitted: &Fitted| {
            let starts = file.starts();
            let starts = starts.iter().map(|start| fitted.start(&own.model, &pairs(start)));
            starts.collect::<Result<Vec<_>, _>>().map_err(|e| wrong(file, "start", &e))
        };
        let starts = match &summary {
            Some(Resolved { data: Observations::Seen { design, .. }, .. }) => {
                let starts = file.starts();
                let starts = starts.iter().map(|start| design.start(&pairs(start)));
                starts.collect::<Result<Vec<_>, _>>().map_err(|e| file.wrong("start", e.to_string()))?
            }
            _ => fitted.as_ref().map(start).transpose()?.unwrap_or_default(),
        };
        let unknowns = fitted.as_ref().map_or(0, |fitted| fitted.unknowns.iter().map(Unknown::len).sum());
        let seen = summary.as_ref().map(|found| &found.data);
        let mut usual_estimator = estimators::usual_estimator(file, &own.model, seen, unknowns);
        let named = |usual| match (file.task, file.loss.name.unmarked().as_deref()) {
            (Task::Transition, Some(LIKELIHOOD)) | (Task::Observation, _) => LIKELIHOOD.to_string(),
            _ => estimators::own_estimator(file, usual).to_string(),
        };
        let mut estimator = named(usual_estimator);
        let options = model::engine_options(file);
        let Resolved { data, mut notes, data_notes, read } = match (summary, file.task, &fitted) {
            (Some(summary), ..) => summary,
            (None, Task::Transition, Some(fitted)) => {
                transition(file, &own, fitted, options, &estimator, heard)?
            }
            (None, Task::Stability, _) => stability(file, &own)?,
            (None, ..) => state(file, &own)?,
        };
        if file.task == Task::Transition {
            usual_estimator = estimators::usual_estimator(file, &own.model, Some(&data), unknowns);
            estimator = named(usual_estimator);
        }
        heard.truncate(own.notes.len());
        heard.extend(data_notes.iter().cloned());
        let others: &[&str] = if file.task == Task::Transition { &[LIKELIHOOD] } else { &[] };
        let (compared, again) = names::compared(file, &estimator, others)?;
        notes.extend(again);
        let Simulated { truth, notes: of_truth } = truth::of(file, &own)?;
        let file = with_usual_search(file, &data)?;
        Ok(Problem {
            task: file.task,
            walkers: model::counted_walkers(&file),
            covariates: own.covariates,
            data_notes: [own.notes, of_truth, data_notes].concat(),
            model: own.model,
            file,
            fitted,
            starts,
            data,
            truth,
            estimator,
            usual_estimator,
            compared,
            options,
            notes,
            read,
        })
    }

    /// The descent or search of the fit for these unknowns; those whose map nobody chose have the `usual` one.
    ///
    /// # Errors
    /// [`JobError`] where a map is given for something that is not among them.
    pub fn method(&self, unknowns: &[Unknown], usual: Option<Map>) -> Result<Method, JobError> {
        let mut method = self.file.method(unknowns)?;
        let all = matches!(self.file.optimizer.map, Some(MapChoice::All(_)));
        if let (Some(usual), false) = (usual, all) {
            for unknown in unknowns {
                method.maps().entry(unknown.name.clone()).or_insert(usual);
            }
        }
        Ok(method)
    }

    /// The estimator of this name with the fit file's options.
    ///
    /// # Errors
    /// [`JobError`] where there is none, or an option is out of its range.
    pub fn estimator_named(&self, name: &str, comparison: bool) -> Result<Box<dyn Estimator>, JobError> {
        let key = if comparison { "estimator.compare" } else { "estimator.name" };
        estimators::estimator_of(&self.file, name, key)
    }

    /// The formation test that `[run]` asks for, if it does.
    ///
    /// # Errors
    /// [`JobError`] where the model does not say how a lattice starts.
    pub fn formation_test(&self) -> Result<Option<FormationTest>, JobError> {
        match &self.fitted {
            Some(fitted) => test_of(&self.file, &self.model, fitted.clone()),
            None => Ok(None),
        }
    }

    /// The model with so many walkers, where they are left to be counted.
    pub(crate) fn with_walkers(&self, walkers: u64) -> Result<Model, JobError> {
        match self.walkers {
            Some(option) => model::model_with(&self.file, option, &OptionChoice::Whole(walkers as i64)),
            None => Ok(self.model.clone()),
        }
    }

    /// What the fit of these gradients is called: the search where it uses none.
    pub(crate) fn own_name(&self) -> String {
        match self.estimator.as_str() {
            LIKELIHOOD => LIKELIHOOD.to_string(),
            by => names::own_name(&self.file, by),
        }
    }

    /// Everything that a fit's course depends on besides its method.
    pub(crate) fn identity(&self, name: &str) -> Identity {
        identity::identity_of(&self.file, name, &self.read)
    }
}

/// The formation test that a fit file's `[run]` asks for, without its data: only the model is read.
///
/// # Errors
/// [`JobError`] where the model or `[fixed]` is wrong, or the model does not say how a lattice starts.
pub fn formation_test(file: &FitFile) -> Result<Option<FormationTest>, JobError> {
    let own = Own::read(file)?;
    let fitted = own.fitted(&pairs(&file.fixed)).map_err(|e| wrong(file, "fixed", &e))?;
    test_of(file, &own.model, fitted)
}

fn test_of(file: &FitFile, model: &Model, fitted: Fitted) -> Result<Option<FormationTest>, JobError> {
    let Some(wanted) = file.run.formation_test else { return Ok(None) };
    let size = (wanted.rollouts as usize, wanted.steps as usize);
    let test = FormationTest::new(model, fitted, size, file.run.seed, model::engine_options(file));
    test.map(Some).map_err(|error| file.wrong("run.formation-test", error.to_string()).into())
}

/// The file, with the search that suits a likelihood where nobody chose one: noisy values are no matter for an optimizer by
/// gradients.
///
/// # Errors
/// [`JobError`] where the file has keys of an optimizer by gradients, which that search has not.
fn with_usual_search(file: &FitFile, data: &Observations) -> Result<FitFile, JobError> {
    let mut file = file.clone();
    let Observations::Seen { route, design } = data else { return Ok(file) };
    if !file.says("optimizer.name") && !file.says("optimizer.learning-rate") {
        let noisy = matches!(route, Route::ParticleFilter | Route::Synthetic);
        let name = if noisy { "cma-es" } else { "nelder-mead" };
        if let Some(key) = file.key_of_gradients() {
            let message = format!(
                "`{key}` has no effect in this fit: where nobody names an optimizer it takes the search `{name}`, which uses no \
                 gradients. Take it out, or name an optimizer by `optimizer.name`"
            );
            return Err(file.wrong(&key, message).into());
        }
        file.optimizer.choice = Choice::new(name);
        file.optimizer.learning_rate = None;
        if !file.says("optimizer.steps") {
            file.optimizer.steps = if noisy { 40 } else { 200 + 100 * design.unknowns.len() as u64 };
        }
        if !noisy && file.optimizer.tolerance.is_none() {
            file.optimizer.tolerance = Some(1e-6);
        }
    }
    Ok(file)
}

/// Nothing of the task `state` is about parameters that are fitted.
fn refuse_parameters(file: &FitFile) -> Result<(), JobError> {
    if let Some(name) = file.start.keys().next() {
        let message = "the task `state` fits no parameter: put what is known about it in [fixed]";
        return Err(file.wrong(&format!("start.{name}"), message).into());
    }
    if file.run.formation_test.is_some() {
        let message = "a formation test is about parameters that are being fitted, and the task `state` fits none: leave it out";
        return Err(file.wrong("run.formation-test", message).into());
    }
    Ok(())
}

fn transition(
    file: &FitFile,
    own: &Own,
    fitted: &Fitted,
    options: Options,
    estimator: &str,
    heard: &mut Vec<String>,
) -> Result<Resolved, JobError> {
    let states::Seen { states, notes: data_notes } = states::states_of(file, own)?;
    heard.extend(data_notes.iter().cloned());
    let (runs, times, spacing) = (states.runs, states.times, states.spacing());
    let read = Digests::of_model(file, own).with_states("the observed states", &states);
    let pairs = Pairs::new(&own.model, fitted, states, options)?;
    let mut words =
        format!("{} pairs of states, {spacing} apart, from {runs} runs of {times} times", pairs.before.len());
    if !pairs.dropped.is_empty() {
        words += &format!(
            "; {} more left nothing to chance, whatever the parameters, and were dropped",
            pairs.dropped.len()
        );
    }
    let further = pairs.before.len() - pairs.one_step_apart().before.len();
    if estimator == LIKELIHOOD && further > 0 {
        words += &format!("; {further} of them, further apart than one step, are not in the likelihood");
    }
    let without_effect = (file.data.first_step.is_some() && !states::reads_the_step(&own.model))
        .then(|| "`data.first-step` changes nothing: the rule does not read the step's number".to_string());
    let notes =
        std::iter::once(words).chain(clock_note(file, &own.model, &pairs)).chain(without_effect).collect();
    let data = Observations::Transitions { pairs, loss: transition_loss(file)? };
    Ok(Resolved { data, notes, data_notes, read })
}

/// From which step on a rule that reads the step's number is fitted, where that was said.
fn clock_note(file: &FitFile, model: &Model, pairs: &Pairs) -> Option<String> {
    let said = pairs.states.timed || file.data.first_step.is_some();
    let first = pairs.states.steps.first().filter(|_| said && states::reads_the_step(model))?;
    Some(format!("the rule reads the step's number: the first state is taken for the one after step {first}"))
}

fn transition_loss(file: &FitFile) -> Result<TransitionLoss, JobError> {
    let name = file.loss.name.as_deref().unwrap_or(TRANSITION_LOSSES[0].name);
    let name = if name == LIKELIHOOD { TRANSITION_LOSSES[0].name } else { name };
    TransitionLoss::named(name).map_err(|nearest| {
        let known: Vec<&str> = TRANSITION_LOSSES.iter().map(|l| l.name).chain([LIKELIHOOD]).collect();
        let hint = match nearest {
            Some(n) => format!(": did you mean `{n}`?"),
            None => format!("; there are {}", known.join(", ")),
        };
        file.wrong("loss.name", format!("the task `transition` has no loss called `{name}`{hint}")).into()
    })
}

fn over_time(
    file: &FitFile,
    own: &Own,
    observe: fn(&FitFile, &Own) -> Result<ObservedCurve, JobError>,
) -> Result<Resolved, JobError> {
    let loss = curve::loss_of(file)?;
    let mut observed = observe(file, own)?;
    let mut read = Digests::of_model(file, own).with_target(&observed.target);
    if let Some(starts) = &observed.starts {
        read = read.with_states("the states that rollouts start from", starts);
    }
    let (notes, data_notes) = (std::mem::take(&mut observed.notes), std::mem::take(&mut observed.data_notes));
    Ok(Resolved { data: Observations::Trajectory { observed, loss }, notes, data_notes, read })
}

fn state(file: &FitFile, own: &Own) -> Result<Resolved, JobError> {
    let loss = frames::loss_of(file)?;
    let parameters = frames::parameters_of(file, &own.model, Of::Fit)?;
    let ObservedFrames { frames, truth, mut notes, data_notes } = frames::frames_of(file, own)?;
    let seen: Vec<String> = frames.iter().map(|f| f.step.to_string()).collect();
    notes.insert(0, format!("observed after {} steps", seen.join(", ")));
    notes.push(match *file.data.start_sites {
        Some(1) => "one site is known to have started it".to_string(),
        Some(n) => format!("{n} sites are known to have started it"),
        None => {
            "any number of sites may have started it (`data.start-sites` says how many, where that is known)"
                .to_string()
        }
    });
    let read = Digests::of_model(file, own).with_numbers("the parameters", &parameters).with_frames(&frames);
    Ok(Resolved { data: Observations::State { frames, truth, parameters, loss }, notes, data_notes, read })
}

fn stability(file: &FitFile, own: &Own) -> Result<Resolved, JobError> {
    let (loss, rollouts) = (pattern::loss_of(file)?, pattern::rollouts_of(file));
    pattern::check_budget(file, &own.model, rollouts)?;
    let states::Seen { states: patterns, notes: data_notes } = pattern::patterns_of(file, own)?;
    let notes = pattern::notes(file, &own.model, &patterns, &loss, rollouts);
    let read = Digests::of_model(file, own).with_states("the pattern", &patterns);
    Ok(Resolved { data: Observations::Stability { patterns, loss, rollouts }, notes, data_notes, read })
}
