//! Sets up fits to observed transitions.

use std::path::Path;

use glauber_engine::{Options, Plan};
use glauber_program::{Model, Op};

use super::estimators::{estimator_of, own_estimator};
use super::identity::{Digests, identity_of};
use super::names::{compared, own_name};
use super::pictures::pictures;
use super::times::{chosen, one_step_a_frame, timed};
use super::{Attempt, Job, JobError, Own, engine_options, name_of_data, own_model, pairs};
use crate::fit_file::{DataSource, FitFile, Simulation};
use glauber_data::FileKind;
use glauber_data::arrays::{ReadLimits, read_arrays};
use glauber_optimize::descent::Descent;
use glauber_optimize::method::Method;
use glauber_optimize::objective::Objective;
use glauber_optimize::optimizers::Choice;
use glauber_optimize::stopping::Tolerance;
use glauber_tasks::losses::transition::{TRANSITION_LOSSES, TransitionLoss};
use glauber_tasks::states::States;
use glauber_tasks::tasks::likelihood::Likelihood;
use glauber_tasks::tasks::transition::{Pairs, Transition};
use glauber_tasks::tasks::unknowns::{Fitted, UnknownsError};

/// The name of the exact likelihood among losses and comparisons.
const LIKELIHOOD: &str = "likelihood";

/// What a search finds that compares draws site by site.
const SEARCH_BY_PIXELS: &str = "a search finds where the squared error of single draws is least, which is not at the right \
                                probabilities but at 0 or 1: take the loss `likelihood`, where there is one, or `count`, or \
                                an optimizer by gradients";

/// How many pairs a minibatch has where nobody says.
const USUAL_BATCH: u64 = 128;

pub(crate) fn prepare(file: &FitFile) -> Result<Job, JobError> {
    let own = own_model(file)?;
    let model = &own.model;
    let options = engine_options(file);
    let fitted = own.fitted(&pairs(&file.fixed)).map_err(|e| wrong(file, "fixed", &e))?;
    let Seen { states, notes: of_states } = states_of(file, &own)?;
    let data_notes = [own.notes.clone(), of_states].concat();
    let (runs, times, spacing) = (states.runs, states.times, states.spacing());
    let read = Digests::of_model(file, &own).with_states("the observed states", &states);
    let pairs_of_states = Pairs::new(model, &fitted, states, options)?;
    let mut told = format!(
        "{} pairs of states, {spacing} apart, from {runs} runs of {times} times",
        pairs_of_states.before.len()
    );
    if !pairs_of_states.dropped.is_empty() {
        told += &format!(
            "; {} more left nothing to chance, whatever the parameters, and were dropped",
            pairs_of_states.dropped.len()
        );
    }
    let further = pairs_of_states.before.len() - pairs_of_states.one_step_apart().before.len();
    if made_by(file) == LIKELIHOOD && further > 0 {
        told += &format!("; {further} of them, further apart than one step, are not in the likelihood");
    }
    let mut notes = vec![told];
    notes.extend(clock_note(file, model, &pairs_of_states));
    let setting = Setting { file, model, fitted: &fitted, pairs: &pairs_of_states, options, read };
    let mut attempts = Vec::new();
    let starts = file.starts();
    let by = made_by(file);
    let name_of_own = if by == LIKELIHOOD { by.clone() } else { own_name(file, &by) };
    let (compare, again) = compared(file, &by, &[LIKELIHOOD])?;
    for (number, start) in starts.iter().enumerate() {
        let start = fitted.start(model, &pairs(start)).map_err(|e| wrong(file, "start", &e))?;
        let name = if starts.len() == 1 {
            name_of_own.clone()
        } else {
            format!("{name_of_own}, start {}", number + 1)
        };
        attempts.push(setting.attempt(&by, name, start, false)?);
    }
    for other in &compare {
        let start = attempts[0].start.clone();
        attempts.push(setting.attempt(other, other.clone(), start, true)?);
    }
    notes.extend(again);
    let by_likelihood = attempts.iter().any(|a| a.objective.likelihood().is_some());
    if !by_likelihood && glauber_program::log_likelihood(&model.step).is_ok() {
        notes.push(
            "this model has an exact likelihood, which gives errors: `loss.name = \"likelihood\"`".into(),
        );
    }
    notes.extend(attempts.iter().filter_map(|a| a.caveat.as_ref().map(|c| format!("{}: {c}", a.name))));
    let truth = match file.source()? {
        DataSource::Simulate(simulation) => simulation.parameters.clone(),
        _ => Default::default(),
    };
    let judged = starts.len() > 1 && !by_likelihood;
    let judge = judged.then(|| {
        let pairs = pairs_of_states.one_step_apart();
        Likelihood::new(model, fitted.clone(), pairs, options).ok().map(|l| Box::new(l) as Box<dyn Objective>)
    });
    let judge = judge.flatten();
    Ok(Job { task: file.task, attempts, truth, notes, data_notes, model: own.model, state: None, judge })
}

/// From which step on a rule that reads the step's number is fitted.
fn clock_note(file: &FitFile, model: &Model, pairs: &Pairs) -> Option<String> {
    let reads = model.step.instructions.iter().any(|i| matches!(i.op, Op::StepIndex));
    let first = pairs.states.steps.first().filter(|_| reads)?;
    let said = pairs.states.timed || file.data.first_step.is_some();
    let by = if said { "" } else { ", as nobody said otherwise (`data.first-step`)" };
    Some(format!(
        "the rule reads the step's number: the first state is taken for the one after step {first}{by}"
    ))
}

pub(crate) fn wrong(file: &FitFile, table: &str, error: &UnknownsError) -> JobError {
    let key = match error {
        UnknownsError::Name { name, .. } | UnknownsError::Value { name, .. } => format!("{table}.{name}"),
        _ => table.to_string(),
    };
    file.wrong(&key, error.to_string()).into()
}

/// The likelihood where it is the loss, else the estimator.
fn made_by(file: &FitFile) -> String {
    match file.loss.name.as_deref() {
        Some(LIKELIHOOD) => LIKELIHOOD.to_string(),
        _ => own_estimator(file, "straight-through").to_string(),
    }
}

/// What all attempts share.
struct Setting<'a> {
    file: &'a FitFile,
    model: &'a Model,
    fitted: &'a Fitted,
    pairs: &'a Pairs,
    options: Options,
    read: Digests,
}

impl Setting<'_> {
    fn attempt(
        &self,
        what: &str,
        name: String,
        start: Vec<f64>,
        comparison: bool,
    ) -> Result<Attempt, JobError> {
        let (objective, method, caveat) = match what {
            LIKELIHOOD => self.likelihood(comparison)?,
            estimator => self.by_loss(estimator, comparison)?,
        };
        let identity = identity_of(self.file, &name, &self.read);
        Ok(Attempt { name, comparison, caveat, objective, method, start, identity })
    }

    fn likelihood(&self, comparison: bool) -> Result<(Box<dyn Objective>, Method, Option<String>), JobError> {
        let objective = Likelihood::new(self.model, self.fitted.clone(), self.pairs.clone(), self.options);
        let objective = objective.map_err(|e| self.file.wrong("loss.name", e.to_string()))?;
        let mut method = self.file.method(&self.fitted.unknowns)?;
        // An exact, smooth objective: whatever the fit file says for noisy ones does not suit a comparison.
        if comparison {
            let mut descent = Descent::new(Choice::new("rprop"), 0.1, 200);
            descent.stopping.tolerance = Some(Tolerance { change: 1e-6, patience: 2 });
            descent.seed = self.file.run.seed;
            method = Method::Descent(descent);
        }
        Ok((Box::new(objective), method, None))
    }

    fn by_loss(
        &self,
        name: &str,
        comparison: bool,
    ) -> Result<(Box<dyn Objective>, Method, Option<String>), JobError> {
        let file = self.file;
        let key = if comparison { "estimator.compare" } else { "estimator.name" };
        let estimator = estimator_of(file, name, key)?;
        let loss = loss_of(file)?;
        let batch = file.optimizer.batch.unwrap_or(USUAL_BATCH) as usize;
        let (fitted, pairs) = (self.fitted.clone(), self.pairs.clone());
        let objective = Transition::new(
            self.model,
            fitted,
            pairs,
            &loss,
            &*estimator,
            batch,
            file.run.seed,
            self.options,
        )?;
        let method = file.method(&self.fitted.unknowns)?;
        let plain = estimator.name() == "straight-through" || matches!(method, Method::Search(_));
        let mut caveat = (!plain).then(|| estimator.bias().to_string());
        if matches!(method, Method::Search(_)) && loss.name == TRANSITION_LOSSES[0].name {
            caveat = Some(SEARCH_BY_PIXELS.to_string());
        }
        Ok((Box::new(objective), method, caveat))
    }
}

fn loss_of(file: &FitFile) -> Result<TransitionLoss, JobError> {
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

/// Observed states, and what their reader has to say.
pub(crate) struct Seen {
    pub(crate) states: States,
    pub(crate) notes: Vec<String>,
}

fn states_of(file: &FitFile, own: &Own) -> Result<Seen, JobError> {
    match file.source()? {
        DataSource::Simulate(simulation) => {
            Ok(Seen { states: simulated(file, own, simulation)?, notes: Vec::new() })
        }
        DataSource::States(path) => observed(file, &own.model, path),
        _ => Err(file.wrong("data", "the task `transition` needs `data.states` or `data.simulate`").into()),
    }
}

fn simulated(file: &FitFile, own: &Own, simulation: &Simulation) -> Result<States, JobError> {
    let model = &own.model;
    let everything = own.fitted(&[]).map_err(|e| wrong(file, "data.simulate.parameters", &e))?;
    let truth = everything
        .start(model, &pairs(&simulation.parameters))
        .map_err(|e| wrong(file, "data.simulate.parameters", &e))?;
    let (steps, runs) = (simulation.steps as usize, simulation.runs as usize);
    let frames = (steps + 1).saturating_mul(runs).saturating_mul(model.declarations().lattice.sites());
    if frames > 1 << 32 {
        let message = "the simulated data would take more than 4 GiB: ask for fewer runs or steps";
        return Err(file.wrong("data.simulate", message).into());
    }
    one_step_a_frame(file)?;
    let plan = Plan::new(model, &[], None, Options::default())?;
    let run = own.run(&truth, steps).replicates(runs).seed(simulation.seed);
    chosen(file, States::record(&plan, &run)?, "the simulated run")
}

/// Observed lattices from an NPZ or NPY file, an image stack or a folder of images.
pub(crate) fn observed(file: &FitFile, model: &Model, path: &Path) -> Result<Seen, JobError> {
    let (mut notes, mut positions) = (Vec::new(), None);
    let arrays = if let Some(arrays) = &file.given.arrays {
        arrays.to_vec()
    } else if FileKind::of(path)?.holds_arrays() {
        read_arrays(path, ReadLimits::default())?
    } else {
        let pictures = pictures(file, model, path)?;
        (notes, positions) = (pictures.notes, pictures.positions);
        vec![pictures.array]
    };
    let states = States::from_arrays(model.declarations(), &arrays)
        .map_err(|e| file.wrong("data.states", format!("{}: {e}", name_of_data(file, path))))?;
    let states = chosen(file, timed(file, states, positions.as_deref())?, &name_of_data(file, path))?;
    Ok(Seen { states, notes })
}
