//! Takes the pattern that should stay from a fit file's data, and says what is compared with it.
//!
//! The reference pattern is simulated by the model (`data.simulate`), or read (`data.pattern`, `data.states`): an NPZ with
//! one array per layer, an NPY with one lattice per layer, or images whose grey values are the layers' values, one
//! plane or file per layer in the model's order. Of a series of states the last is taken, or `data.frames.last`.

use std::path::Path;

use glauber_engine::Plan;
use glauber_models::MODELS;
use glauber_program::Model;

use super::model::{Own, engine_options};
use super::pictures::picture_of_each_layer;
use super::states::{Seen, of_another_update};
use super::times::timed;
use super::words::{name_of_data, notes_about};
use crate::error::JobError;
use crate::fit_file::{DataSource, FitFile, ModelSource, OptionChoice, Simulation};
use glauber_data::FileKind;
use glauber_data::arrays::{Array, ReadLimits, read_arrays};
use glauber_tasks::losses::stability::{STABILITY_LOSSES, StabilityLoss};
use glauber_tasks::pattern::{Criterion, PatternScore};
use glauber_tasks::states::{States, is_about_states, times_name, unread_arrays};
use glauber_tasks::tasks::stability::Rollouts;

/// τ where nobody says.
const USUAL_STEPS: u64 = 500;
/// R where nobody says.
const USUAL_REPLICATES: u64 = 1;

/// What a person should know of the comparison.
pub(crate) fn notes(
    file: &FitFile,
    model: &Model,
    patterns: &States,
    loss: &StabilityLoss,
    rollouts: Rollouts,
) -> Vec<String> {
    let first = [course_note(file, loss, rollouts), reference_note(model, patterns)];
    first.into_iter().chain(formation_note(file, rollouts)).collect()
}

/// The rollouts that are compared with the pattern.
pub(crate) fn rollouts_of(file: &FitFile) -> Rollouts {
    Rollouts {
        steps: file.data.steps.unwrap_or(USUAL_STEPS) as usize,
        replicates: file.optimizer.replicates.unwrap_or(USUAL_REPLICATES) as usize,
        seed: file.run.seed,
    }
}

/// The loss by its name.
pub(crate) fn loss_of(file: &FitFile) -> Result<StabilityLoss, JobError> {
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
pub(crate) fn check_budget(file: &FitFile, model: &Model, rollouts: Rollouts) -> Result<(), JobError> {
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

/// What is compared, after how many steps, and with which slopes.
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
    if let Some(slopes) = slopes_of(file) {
        note += &format!("; {slopes}");
    }
    note
}

/// What an option of a catalogue model says of its slopes, in words.
fn slopes_of(file: &FitFile) -> Option<&'static str> {
    let ModelSource::Catalogue(name) = &file.model else { return None };
    let (option, choices) = MODELS.iter().find(|entry| entry.name == *name)?.slopes?;
    let chosen = match file.model_options.get(option) {
        Some(OptionChoice::Text(text)) => choices.iter().find(|(value, _)| value == text),
        _ => None,
    };
    chosen.or(choices.first()).map(|(_, words)| *words)
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
fn formation_note(file: &FitFile, rollouts: Rollouts) -> Option<String> {
    let test = file.run.formation_test?;
    let tests = file.optimizer.steps / test.every + 1;
    let share = tests as f64 * test.steps as f64 * test.rollouts as f64;
    let of_fit = share / (file.optimizer.steps as f64 * rollouts.steps as f64 * rollouts.replicates as f64);
    Some(format!(
        "formation test every {} steps, {tests} in all: {} steps from the model's own start, {}; together {share:.3e} steps forwards, \
         {of_fit:.2} times as many as the fit takes forwards and backwards",
        test.every,
        test.steps,
        if test.rollouts == 1 { "once".to_string() } else { format!("{} times", test.rollouts) }
    ))
}

/// The patterns that should stay.
pub(crate) fn patterns_of(file: &FitFile, own: &Own) -> Result<Seen, JobError> {
    let model = &own.model;
    match file.source()? {
        DataSource::Simulate(simulation) => {
            Ok(Seen { states: simulated(file, own, simulation)?, notes: Vec::new() })
        }
        DataSource::Pattern(path) => read(file, model, path, "data.pattern"),
        DataSource::States(path) => read(file, model, path, "data.states"),
        _ => Err(file
            .wrong("data", "the task `stability` needs `data.pattern`, `data.states` or `data.simulate`")
            .into()),
    }
}

/// The last states of runs at known parameters.
fn simulated(file: &FitFile, own: &Own, simulation: &Simulation) -> Result<States, JobError> {
    let own = own.starting(file, simulation.initial.as_ref())?;
    let model = &own.model;
    let truth = own.truth(file, simulation)?;
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
    if is_array && (layers.len() == 1 || arrays.len() > 1) {
        let unread = unread_arrays(model.declarations(), &arrays);
        notes.extend(notes_about(Path::new(&name_of_data(file, path)), &unread));
    }
    let named = match &arrays[..] {
        _ if !is_array => arrays,
        [(_, only)] if layers.len() > 1 || only.shape() == lattice => {
            one_per_layer(only, &layers, lattice).map_err(fail)?
        }
        _ => {
            let times = times_name(model.declarations());
            let of_time = |name: String, array| {
                let is_beside = name == times || is_about_states(model.declarations(), &name);
                if is_beside { (name, array) } else { (name, with_time(array, lattice)) }
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
    notes.extend(of_another_update(&states, model));
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
