//! Takes lattices from a fit file's data: read from files, handed over, or simulated by the model itself.

use std::path::Path;

use glauber_engine::{Options, Plan};
use glauber_program::{Model, Op};

use super::copies::copies;
use super::model::Own;
use super::pictures::pictures;
use super::times::{chosen, one_step_a_frame, timed};
use super::words::{name_of_data, notes_about};
use crate::error::JobError;
use crate::fit_file::{DataSource, FitFile, Simulation, Task};
use glauber_data::arrays::{Array, ReadLimits, read_arrays_of_numbers};
use glauber_data::{FileKind, no_data_sign};
use glauber_lattice::Values;
use glauber_tasks::states::{
    States, is_about_states, mask_array, of_another_name, times_name, unread_arrays,
};

/// Observed states, and what their reader has to say.
pub(crate) struct Seen {
    pub(crate) states: States,
    pub(crate) notes: Vec<String>,
}

/// The states between which transitions were observed.
pub(crate) fn states_of(file: &FitFile, own: &Own) -> Result<Seen, JobError> {
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
    let truth = own.truth(file, simulation)?;
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

/// Notes on layers of real and whole numbers that hold a number which often stands for no data; others refuse it.
fn signs_of_no_data(model: &Model, arrays: &[(String, Array)]) -> Vec<String> {
    let layers = &model.declarations().layers;
    let numbers = |values: &Values| matches!(values, Values::Real | Values::Integers { .. });
    let one = |(name, array): &(String, Array)| {
        let layer =
            layers.iter().find(|layer| layer.name == *name).or((arrays.len() == 1).then(|| &layers[0]))?;
        let sign =
            Some(layer).filter(|layer| numbers(&layer.values)).and_then(|_| no_data_sign(&array.to_f64()))?;
        Some(format!(
            "the layer `{}` holds {}; it was taken as a number",
            layer.name,
            sign.in_words("places")
        ))
    };
    arrays.iter().filter_map(one).collect()
}

/// That states were simulated under another update than the model that is fitted, where they were.
pub(crate) fn of_another_update(states: &States, model: &Model) -> Option<String> {
    let told = states.of_another_update(model.update())?;
    Some(format!("{told}, so the estimates need not be what the states were simulated with"))
}

/// Observed lattices from an NPZ or NPY file, an image stack or a folder of images.
pub(crate) fn observed(file: &FitFile, model: &Model, path: &Path) -> Result<Seen, JobError> {
    let mut notes = Vec::new();
    let states = observed_with(file, model, path, &mut notes);
    match states {
        Ok(states) => Ok(Seen { states, notes }),
        Err(error) => Err(error.after(notes)),
    }
}

fn observed_with(
    file: &FitFile,
    model: &Model,
    path: &Path,
    notes: &mut Vec<String>,
) -> Result<States, JobError> {
    let mut positions = None;
    let declarations = model.declarations();
    let arrays = if let Some(arrays) = &file.given.arrays {
        arrays.to_vec()
    } else if FileKind::of(path)?.holds_arrays() {
        let needed = |name: &str| {
            name == times_name(declarations)
                || is_about_states(declarations, name)
                || declarations.layers.iter().any(|layer| layer.name == name)
        };
        let (arrays, others) = read_arrays_of_numbers(path, ReadLimits::default(), &needed)?;
        let others = others.iter().map(|name| format!("the array `{name}` holds no numbers and is not read"));
        notes.extend(notes_about(path, &others.collect::<Vec<_>>()));
        arrays
    } else {
        let pictures = pictures(file, model, path)?;
        (*notes, positions) = (pictures.notes, pictures.positions);
        vec![pictures.array]
    };
    if let Some(mask) = mask_array(declarations, &arrays) {
        let message = format!(
            "{}: the array `{mask}` may say which sites were seen, and lattices with sites that nobody saw cannot be given: \
             crop the states to where all were seen, or leave the array out if it says nothing",
            name_of_data(file, path)
        );
        return Err(file.wrong("data.states", message).into());
    }
    let mut about = signs_of_no_data(model, &arrays);
    about.extend(unread_arrays(declarations, &arrays));
    if file.given.arrays.is_none() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npz")) {
        about.extend(of_another_name(declarations, &arrays));
    }
    notes.extend(notes_about(Path::new(&name_of_data(file, path)), &about));
    let states = States::from_arrays(model.declarations(), &arrays)
        .map_err(|e| file.wrong("data.states", format!("{}: {e}", name_of_data(file, path))))?;
    let states = chosen(file, timed(file, states, positions.as_deref())?, &name_of_data(file, path))?;
    let name = name_of_data(file, path);
    notes.splice(0..0, notes_about(Path::new(&name), &copies(&states, model)));
    notes.extend(guessed_clock(file, model, &states));
    notes.extend(of_another_update(&states, model));
    Ok(states)
}

/// Whether a model's rule reads the number of the step.
pub(crate) fn reads_the_step(model: &Model) -> bool {
    model.step.instructions().iter().any(|i| matches!(i.op, Op::StepIndex))
}

/// Which step the first state is taken for, where the rule reads the step's number and nobody said it.
fn guessed_clock(file: &FitFile, model: &Model, states: &States) -> Option<String> {
    let said = states.timed || file.data.first_step.unmarked().is_some();
    let matters = matches!(file.task, Task::Transition | Task::Trajectory);
    (matters && !said && reads_the_step(model)).then(|| {
        let first = states.steps.first().copied().unwrap_or(0);
        format!(
            "the rule reads the step's number: the first state is taken for the one after step {first}, as nobody \
             said otherwise: say it by `data.first-step`, or by times with the states"
        )
    })
}
