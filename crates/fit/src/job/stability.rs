//! Sets up fits that keep a pattern as it is.
//!
//! The reference pattern is simulated by the model (`data.simulate`), or read (`data.pattern`, `data.states`): an NPZ with
//! one array per layer, an NPY with one lattice per layer, or images whose grey values are the layers' values, one
//! plane or file per layer in the model's order. Of a series of states the last is taken, or `data.frames.last`.
//!
//! All fitted parameters are clamped to their intervals, as in the paper, where the fit file does not say otherwise.

use std::path::Path;

use glauber_engine::Plan;
use glauber_program::Model;

use super::estimators::{estimator_of, own_estimator};
use super::identity::{Digests, identity_of};
use super::names::{compared, own_name};
use super::pictures::picture_of_each_layer;
use super::times::timed;
use super::transition::{Seen, wrong};
use super::{Attempt, Job, JobError, engine_options, name_of_data, own_model, pairs};
use crate::fit_file::{DataSource, FitFile, MapChoice, ModelSource, OptionValue, Simulation};
use glauber_data::FileKind;
use glauber_data::arrays::{Array, ReadLimits, read_arrays};
use glauber_optimize::maps::Map;
use glauber_optimize::method::Method;
use glauber_tasks::formation::FormationTest;
use glauber_tasks::losses::stability::{STABILITY_LOSSES, StabilityLoss};
use glauber_tasks::pattern::{Criterion, PatternScore};
use glauber_tasks::states::{States, times_name};
use glauber_tasks::tasks::stability::{Rollouts, Stability, StabilityError};
use glauber_tasks::tasks::unknowns::Fitted;

/// τ where nobody says.
const USUAL_STEPS: u64 = 500;
/// R where nobody says.
const USUAL_REPLICATES: u64 = 1;
const USUAL_ESTIMATOR: &str = "straight-through";

pub(crate) fn prepare(file: &FitFile) -> Result<Job, JobError> {
    let own_of_file = own_model(file)?;
    let model = &own_of_file.model;
    let fitted = own_of_file.fitted(&pairs(&file.fixed)).map_err(|e| wrong(file, "fixed", &e))?;
    let starts: Result<Vec<Vec<f64>>, _> =
        file.starts().iter().map(|s| fitted.start(model, &pairs(s))).collect();
    let starts = starts.map_err(|e| wrong(file, "start", &e))?;
    let loss = loss_of(file)?;
    let rollouts = rollouts_of(file);
    check_budget(file, model, rollouts)?;
    let (Seen { states: patterns, notes: of_pattern }, truth) = patterns_of(file, model)?;
    let data_notes = [own_of_file.notes.clone(), of_pattern].concat();
    let mut notes = vec![course_note(file, &loss, rollouts), reference_note(model, &patterns)];
    notes.extend(formation_note(file));
    let read = Digests::of_model(file, &own_of_file).with_states("the pattern", &patterns);
    let setting = Setting { file, model, fitted: &fitted, patterns: &patterns, loss, rollouts, read };
    let own = own_estimator(file, USUAL_ESTIMATOR).to_string();
    let called = own_name(file, &own);
    let (compare, again) = compared(file, &own, &[])?;
    notes.extend(again);
    let mut attempts = Vec::new();
    for (number, start) in starts.iter().enumerate() {
        let name = if starts.len() == 1 { called.clone() } else { format!("{called}, start {}", number + 1) };
        attempts.push(setting.attempt(&own, name, start.clone(), false)?);
    }
    for other in &compare {
        attempts.push(setting.attempt(other, other.clone(), starts[0].clone(), true)?);
    }
    notes.extend(attempts.iter().filter_map(|a| a.caveat.as_ref().map(|c| format!("{}: {c}", a.name))));
    Ok(Job {
        task: file.task,
        attempts,
        truth,
        notes,
        data_notes,
        model: own_of_file.model,
        state: None,
        judge: None,
    })
}

fn rollouts_of(file: &FitFile) -> Rollouts {
    Rollouts {
        steps: file.data.steps.unwrap_or(USUAL_STEPS) as usize,
        replicates: file.optimizer.replicates.unwrap_or(USUAL_REPLICATES) as usize,
        seed: file.run.seed,
    }
}

/// What all attempts share.
struct Setting<'a> {
    file: &'a FitFile,
    model: &'a Model,
    fitted: &'a Fitted,
    patterns: &'a States,
    loss: StabilityLoss,
    rollouts: Rollouts,
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
        let file = self.file;
        let key = if comparison { "estimator.compare" } else { "estimator.name" };
        let estimator = estimator_of(file, what, key)?;
        let (fitted, patterns) = (self.fitted.clone(), self.patterns.clone());
        let options = engine_options(file);
        let objective =
            Stability::new(self.model, fitted, patterns, self.loss, &*estimator, self.rollouts, options);
        let objective = objective.map_err(|error| match error {
            StabilityError::Model(error) => JobError::from(error),
            StabilityError::Engine(error) => error.into(),
            StabilityError::Nothing { .. } => file.wrong("data.steps", error.to_string()).into(),
            StabilityError::Shape { .. } => file.wrong("data", error.to_string()).into(),
        })?;
        let caveat = (estimator.name() != USUAL_ESTIMATOR).then(|| estimator.bias().to_string());
        let (method, identity) = (self.method()?, identity_of(file, &name, &self.read));
        let caveat = caveat.filter(|_| matches!(method, Method::Descent(_)));
        Ok(Attempt { name, comparison, caveat, objective: Box::new(objective), method, start, identity })
    }

    /// As the fit file says, with clamp for every parameter whose map nobody chose.
    fn method(&self) -> Result<Method, JobError> {
        let mut method = self.file.method(&self.fitted.unknowns)?;
        if !matches!(self.file.optimizer.map, Some(MapChoice::All(_))) {
            let maps = match &mut method {
                Method::Descent(descent) => &mut descent.maps,
                Method::Search(search) => &mut search.maps,
            };
            for unknown in &self.fitted.unknowns {
                maps.entry(unknown.name.clone()).or_insert(Map::Clamp);
            }
        }
        Ok(method)
    }
}

fn loss_of(file: &FitFile) -> Result<StabilityLoss, JobError> {
    let name = file.loss.name.as_deref().unwrap_or(STABILITY_LOSSES[0].name);
    StabilityLoss::named(name).map_err(|nearest| {
        let known: Vec<&str> = STABILITY_LOSSES.iter().map(|l| l.name).collect();
        let hint = match nearest {
            Some(n) => format!(": did you mean `{n}`?"),
            None => format!("; there are {}", known.join(", ")),
        };
        file.wrong("loss.name", format!("the task `stability` has no loss called `{name}`{hint}")).into()
    })
}

/// Refuses a memory budget in which no checkpointing fits, before anything is simulated.
fn check_budget(file: &FitFile, model: &Model, rollouts: Rollouts) -> Result<(), JobError> {
    let plan = Plan::new(model, &[], None, engine_options(file))?;
    let (steps, replicates) = (rollouts.steps as u128, rollouts.replicates as u128);
    let states = 2 * (steps as f64).sqrt().ceil() as u128 * replicates;
    let least = states * plan.bytes_per_state() as u128;
    if least > u128::from(file.run.memory.0) {
        let message = format!(
            "{steps} steps of {replicates} replicates need about {} KiB of history even with checkpoints, but `run.memory` \
             is {}: raise it, or lower `data.steps` or `optimizer.replicates`",
            least.div_ceil(1024),
            file.run.memory
        );
        return Err(file.wrong("run.memory", message).into());
    }
    Ok(())
}

fn course_note(file: &FitFile, loss: &StabilityLoss, rollouts: Rollouts) -> String {
    let Rollouts { steps, replicates, .. } = rollouts;
    let each = if replicates == 1 {
        "one rollout".to_string()
    } else {
        format!("the mean of {replicates} rollouts")
    };
    let mut note = format!(
        "loss `{}` ({}) after {steps} steps from the pattern, {each} per gradient",
        loss.name, loss.summary
    );
    let is_malevanets_kapral =
        matches!(&file.model, ModelSource::Catalogue(name) if name == "malevanets-kapral");
    if is_malevanets_kapral {
        note += match file.model_options.get("excitation") {
            Some(OptionValue::Text(slope)) if slope == "mean" => {
                "; excitation with the slope of its mean, 1/N"
            }
            Some(OptionValue::Text(slope)) if slope == "paper" => {
                "; excitation with the paper's slope, 1 where a site is neither empty nor full"
            }
            _ => "; excitation with slope 1 at every site",
        };
    }
    note
}

/// What the first layer of the first reference looks like.
fn reference_note(model: &Model, patterns: &States) -> String {
    let declarations = model.declarations();
    let (layer, shape) = (&declarations.layers[0], declarations.lattice.shape());
    let values: Vec<f64> = (0..patterns.sites).map(|site| patterns.layers[0].at(site)).collect();
    let Some(score) = PatternScore::of(&values, shape) else { return String::new() };
    match Criterion::of_layer(layer, &declarations.lattice) {
        Ok(criterion) => format!("the reference, in layer `{}`: {}", layer.name, criterion.words(&score)),
        Err(why) => format!("whether the reference is a pattern is not judged: {why}"),
    }
}

/// What the tests during the fit cost.
fn formation_note(file: &FitFile) -> Option<String> {
    let test = file.run.formation_test?;
    let tests = file.optimizer.steps / test.every + 1;
    let share = tests as f64 * test.steps as f64 * test.rollouts as f64;
    let of_fit = share
        / (file.optimizer.steps as f64
            * rollouts_of(file).steps as f64
            * rollouts_of(file).replicates as f64);
    Some(format!(
        "formation test every {} steps, {tests} in all: {} steps from the model's own start, {}; together {share:.3e} steps forwards, \
         {of_fit:.2} times as many as the fit takes forwards and backwards",
        test.every,
        test.steps,
        if test.rollouts == 1 { "once".to_string() } else { format!("{} times", test.rollouts) }
    ))
}

fn patterns_of(
    file: &FitFile,
    model: &Model,
) -> Result<(Seen, std::collections::BTreeMap<String, f64>), JobError> {
    match file.source()? {
        DataSource::Simulate(simulation) => {
            let seen = Seen { states: simulated(file, simulation)?, notes: Vec::new() };
            Ok((seen, simulation.parameters.clone()))
        }
        DataSource::Pattern(path) => Ok((read(file, model, path, "data.pattern")?, Default::default())),
        DataSource::States(path) => Ok((read(file, model, path, "data.states")?, Default::default())),
        _ => Err(file
            .wrong("data", "the task `stability` needs `data.pattern`, `data.states` or `data.simulate`")
            .into()),
    }
}

/// The last states of runs at known parameters.
fn simulated(file: &FitFile, simulation: &Simulation) -> Result<States, JobError> {
    let mut source = file.clone();
    if let Some(initial) = &*simulation.initial {
        if file.given.model.is_some() {
            let message = "a model that is handed over in memory has one start: leave `initial` out, and load the model with \
                           its option `start`";
            return Err(file.wrong("data.simulate.initial", message).into());
        }
        source.model_options.insert("start".into(), OptionValue::Text(initial.clone()));
        // Another start is another model than the one that was read for the fit.
        source.resolved = Default::default();
    }
    let own = own_model(&source)?;
    let model = &own.model;
    let everything = own.fitted(&[]).map_err(|e| wrong(file, "data.simulate.parameters", &e))?;
    let truth = everything
        .start(model, &pairs(&simulation.parameters))
        .map_err(|e| wrong(file, "data.simulate.parameters", &e))?;
    let (steps, runs) = (simulation.steps as usize, simulation.runs as usize);
    if 2usize.saturating_mul(runs).saturating_mul(model.declarations().lattice.sites()) > 1 << 30 {
        return Err(file
            .wrong("data.simulate.runs", "the simulated patterns would take more than 1 GiB: ask for fewer")
            .into());
    }
    let plan = Plan::new(model, &[], None, engine_options(file))?;
    let run = own.run(&truth, steps).replicates(runs).seed(simulation.seed);
    Ok(States::record_every(&plan, &run, steps)?.every(1, 1, 1))
}

/// A pattern from arrays or images.
fn read(file: &FitFile, model: &Model, path: &Path, key: &str) -> Result<Seen, JobError> {
    let fail =
        |message: String| JobError::from(file.wrong(key, format!("{}: {message}", name_of_data(file, path))));
    let given = file.given.arrays.is_some();
    let is_array = given || FileKind::of(path)?.holds_arrays();
    let layers: Vec<&str> = model.declarations().layers.iter().map(|l| l.name.as_str()).collect();
    let lattice = model.declarations().lattice.shape();
    let mut notes = Vec::new();
    let arrays = if let Some(arrays) = &file.given.arrays {
        arrays.to_vec()
    } else if is_array {
        read_arrays(path, ReadLimits::default())?
    } else {
        let (arrays, of_pictures) = picture_of_each_layer(file, model, path)?;
        notes = of_pictures;
        arrays
    };
    let named = match &arrays[..] {
        _ if !is_array => arrays,
        [(_, only)] if layers.len() > 1 || only.shape() == lattice => {
            one_per_layer(only, &layers, lattice).map_err(fail)?
        }
        _ => {
            let times = times_name(model.declarations());
            let of_time = |name: String, array| {
                if name == times { (name, array) } else { (name, with_time(array, lattice)) }
            };
            arrays.into_iter().map(|(name, array)| of_time(name, array)).collect()
        }
    };
    if let Some((name, array)) =
        named.iter().find(|(n, a)| layers.contains(&n.as_str()) && !a.shape().ends_with(lattice))
    {
        return Err(fail(unlike(name, array.shape(), lattice)));
    }
    let states =
        States::from_arrays(model.declarations(), &named).map_err(|error| fail(error.to_string()))?;
    let states = timed(file, states, None)?;
    let last = file.data.frames.last.map_or(states.times - 1, |l| l as usize);
    if last >= states.times {
        let message = format!(
            "`data.frames` asks for frame {last}, but {} has {}",
            name_of_data(file, path),
            states.times
        );
        return Err(file.wrong("data.frames", message).into());
    }
    Ok(Seen { states: states.every(last, last, 1), notes })
}

fn unlike(what: &str, found: &[usize], lattice: &[usize]) -> String {
    format!(
        "`{what}` has shape {found:?}, but the model's lattice is {lattice:?}: give a pattern of that shape, or set `model-options.shape`"
    )
}

/// A lattice with one time.
fn with_time(array: Array, lattice: &[usize]) -> Array {
    if array.shape() != lattice {
        return array;
    }
    let shape: Vec<usize> = std::iter::once(1).chain(lattice.iter().copied()).collect();
    array.clone().reshaped(shape).unwrap_or(array)
}

/// One lattice for each layer, from an array [layers, …lattice], or [..lattice] where there is one layer.
fn one_per_layer(array: &Array, layers: &[&str], lattice: &[usize]) -> Result<Vec<(String, Array)>, String> {
    if layers.len() == 1 && array.shape() == lattice {
        return Ok(vec![(layers[0].to_string(), with_time(array.clone(), lattice))]);
    }
    let list = layers.join("`, `");
    if !array.shape().ends_with(lattice) || array.shape().len() != lattice.len() + 1 {
        return Err(unlike("pattern", array.shape(), lattice));
    }
    if array.shape()[0] != layers.len() {
        return Err(format!(
            "it holds {} lattices, but the model has {} layers, `{list}`: give one for each, in this order \
             (an NPZ with these names, an NPY, or a folder of images)",
            array.shape()[0],
            layers.len()
        ));
    }
    let planes = layers.iter().enumerate().filter_map(|(place, name)| {
        array.outer(&[place]).map(|plane| (name.to_string(), with_time(plane, lattice)))
    });
    Ok(planes.collect())
}

/// The formation test that `[run]` asks for, if it does.
///
/// # Errors
/// [`JobError`] where the model does not say how a lattice starts.
pub fn formation_test(file: &FitFile) -> Result<Option<FormationTest>, JobError> {
    let Some(wanted) = file.run.formation_test else { return Ok(None) };
    let own = own_model(file)?;
    let fitted = own.fitted(&pairs(&file.fixed)).map_err(|e| wrong(file, "fixed", &e))?;
    let size = (wanted.rollouts as usize, wanted.steps as usize);
    let test = FormationTest::new(&own.model, fitted, size, file.run.seed, engine_options(file));
    test.map(Some).map_err(|error| file.wrong("run.formation-test", error.to_string()).into())
}
