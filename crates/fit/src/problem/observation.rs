//! Takes what was seen from `[observation]` and `[[experiment]]`: data, steps, noise, starts and conditions of every experiment.

use std::path::Path;
use std::sync::Arc;

use glauber_data::arrays::{Array, ReadLimits, read_arrays};
use glauber_data::{FileKind, NAMES_OF_COLUMNS};
use glauber_engine::FieldData;
use glauber_inference::route::Route;
use glauber_program::{FieldKind, Model};
use glauber_tasks::covariates::{Covariates, field};
use glauber_tasks::observation::{Design, Experiment, Noise, Observed, Quantity, What, in_order};
use glauber_tasks::states::{States, another_update, is_about_states};

use super::identity::Digests;
use super::model::Own;
use super::words::pairs;
use super::{Observations, Resolved};
use crate::error::JobError;
use crate::fit_file::{ArgumentChoice, CovariateChoice, ExperimentChoice, FitFile, ObservationChoice};

/// What was seen, and by which route its likelihood is computed.
pub(super) fn observe(file: &FitFile, own: &Own) -> Result<Resolved, JobError> {
    if file.experiments.is_empty() {
        let message = "the task `observation` needs [observation]: what is seen (`what`), its `data`, and with which `noise`";
        return Err(file.wrong("task", message).into());
    }
    if !file.estimator.compare.is_empty() {
        let message = "the task `observation` has one likelihood, whatever the estimator: leave `estimator.compare` out, and choose by `route`";
        return Err(file.wrong("estimator.compare", message).into());
    }
    if file.run.formation_test.is_some() {
        let message = "a formation test is of fits to patterns: leave it out of the task `observation`";
        return Err(file.wrong("run.formation-test", message).into());
    }
    let mut notes = Vec::new();
    let mut experiments = Vec::new();
    for choice in &file.experiments {
        experiments.push(experiment(file, own, choice, &mut notes)?);
    }
    let wrong = |e: glauber_tasks::observation::ObservationError| {
        JobError::from(file.wrong("observation", e.to_string()))
    };
    let design = Design::new(&own.model, experiments, &pairs(&file.fixed)).map_err(wrong)?;
    let (route, why) =
        Route::of(&design, file.route.as_deref()).map_err(|e| file.wrong("route", e.to_string()))?;
    let mut words =
        vec![format!("the likelihood is by the route `{}`: {why}; `route` chooses another", route.name())];
    let several = design.experiments.len() > 1;
    for one in &design.experiments {
        let name = if several { format!("experiment `{}`: ", one.name) } else { String::new() };
        words.extend(one.observed.iter().map(|o| format!("{name}{}", o.described())));
        if !one.fixed.is_empty() {
            let own: Vec<String> = one.fixed.iter().map(|(n, x)| format!("{n} = {x}")).collect();
            words.push(format!("{name}there {}", own.join(", ")));
        }
    }
    let mut read = Digests::of_model(file, own);
    for (e, one) in design.experiments.iter().enumerate() {
        for (k, observed) in one.observed.iter().enumerate() {
            let name = format!("observation {k} of experiment {e}");
            read = read.with_numbers(&format!("the data of {name}"), &observed.values);
            read = read.with_observed(&name, observed);
            if let Some(map) = file.experiments[e].observations[k].regions.as_ref() {
                let map = arrays_of(file, map).unwrap_or_default();
                let map = map.iter().flat_map(|(_, own)| own.to_f64()).collect::<Vec<f64>>();
                read = read.with_numbers(&format!("the regions of {name}"), &map);
            }
        }
        read = read.with_words(
            &format!("the conditions of experiment {e}"),
            format!("{:?}, each of {} runs", one.fixed, one.mean_of),
        );
        for (name, field) in &one.covariates {
            let numbers: Vec<f64> = (0..field.numbers().len()).map(|i| field.numbers().at(i)).collect();
            read = read.with_numbers(&format!("the covariate {name} of experiment {e}"), &numbers);
        }
        if let Some(states) = &one.start {
            read = read.with_states(&format!("the start of experiment {e}"), states);
        }
    }
    Ok(Resolved { data: Observations::Seen { design, route }, notes: words, data_notes: notes, read })
}

fn experiment(
    file: &FitFile,
    own: &Own,
    choice: &ExperimentChoice,
    notes: &mut Vec<String>,
) -> Result<Experiment, JobError> {
    let wrong = |message: String| {
        JobError::from(file.wrong("experiment", format!("experiment `{}`: {message}", choice.name)))
    };
    let mut observed = Vec::new();
    for one in &choice.observations {
        observed.push(observation(file, &own.model, one, notes).map_err(wrong)?);
    }
    let mut start = None;
    if let Some(path) = &choice.start {
        let arrays = arrays_of(file, path).map_err(&wrong)?;
        let declarations = own.model.declarations();
        let arrays: Vec<(String, Array)> =
            arrays.into_iter().map(|(name, array)| (name, as_runs(&declarations.lattice, array))).collect();
        let states =
            States::from_arrays(declarations, &arrays).map_err(|e| wrong(format!("its start: {e}")))?;
        if states.times != 1 {
            return Err(wrong(format!("its start has {} times: give one state for each run", states.times)));
        }
        let first = choice.first_step.unwrap_or_else(|| u64::from(states.steps[0]));
        start = Some(States { steps: vec![first.min(u64::from(u32::MAX)) as u32], ..states });
    } else if choice.first_step.is_some() {
        return Err(wrong("the first step is that of `start`, and no start is given".into()));
    }
    let covariates = covariates(file, own, choice, notes).map_err(wrong)?;
    Ok(Experiment {
        name: choice.name.clone(),
        observed,
        start,
        covariates,
        fixed: pairs(&choice.fixed),
        mean_of: choice.mean_of.unwrap_or(1).min(u64::from(u32::MAX)) as u32,
    })
}

/// The lattices of a start are of runs, one after another: an axis before the lattice's counts runs, not times.
fn as_runs(lattice: &glauber_lattice::Lattice, array: Array) -> Array {
    let shape = array.shape().to_vec();
    if shape.len() == lattice.dimensions() + 1 && shape.ends_with(lattice.shape()) {
        let mut own = vec![shape[0], 1];
        own.extend(lattice.shape());
        let values = array.to_f64();
        return Array::new(own, values).unwrap_or(array);
    }
    array
}

fn observation(
    file: &FitFile,
    model: &Model,
    choice: &ObservationChoice,
    notes: &mut Vec<String>,
) -> Result<Observed, String> {
    let text = choice
        .what
        .as_deref()
        .ok_or("say what is seen, as `what`: a layer, or a summary such as count(LAYER=STATE)")?;
    let map = match &choice.regions {
        None => None,
        Some(path) => {
            let arrays = arrays_of(file, path)?;
            let [(_, array)] = &arrays[..] else {
                return Err(format!("the map of regions holds {} arrays: give one", arrays.len()));
            };
            Some(array.to_f64())
        }
    };
    let given = file.given.programs.iter().find(|(name, _)| name == text);
    let what = match given {
        Some((_, observation)) => What::Numbers(observation.clone()),
        None => What::named(text, map.as_deref(), model).map_err(|e| e.to_string())?,
    };
    if map.is_some() && !text.trim_start().starts_with("regions") {
        return Err(format!("a map of regions is given, but `{text}` has none: write regions({text})"));
    }
    let words = file.given.said.get(text).map_or(text, String::as_str).to_string();
    let noise = match &choice.noise {
        None => Noise::exact(),
        Some(noise) => {
            let quantity = |own: &ArgumentChoice| match own {
                ArgumentChoice::Number(x) => Quantity::Known(*x),
                ArgumentChoice::Parameter(name) => Quantity::Named(name.clone()),
            };
            let arguments: Vec<(String, Quantity)> =
                noise.arguments.iter().map(|(n, a)| (n.clone(), quantity(a))).collect();
            Noise::named(&noise.name, &arguments).map_err(|e| e.to_string())?
        }
    };
    let path = choice
        .data
        .as_ref()
        .ok_or_else(|| format!("`{words}` has no data: say where they are, as `data`"))?;
    let mut arrays = arrays_of(file, path)?;
    notes.extend(another_update(model.declarations(), &arrays, model.update()));
    arrays.retain(|(name, _)| !is_about_states(model.declarations(), name));
    let times = arrays
        .iter()
        .position(|(name, _)| name == "times")
        .filter(|_| arrays.len() > 1)
        .map(|place| arrays.remove(place).1);
    let columns = arrays.iter().position(|(name, _)| name == NAMES_OF_COLUMNS);
    let columns = columns.filter(|_| arrays.len() > 1).map(|place| arrays.remove(place).1);
    let [(_, array)] = &arrays[..] else {
        let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
        return Err(format!(
            "the data of `{words}` hold the arrays {}: give one, and `times` beside it",
            names.join(", ")
        ));
    };
    let (runs, count) = shape_of(&what, model, array.shape(), &words)?;
    let mut values = array.to_f64();
    if let (Some(columns), What::Numbers(own), true) = (columns, &what, what.width(model) > 1) {
        let text: Vec<u8> = columns.to_f64().into_iter().map(|byte| byte as u8).collect();
        let names: Vec<String> = String::from_utf8_lossy(&text).lines().map(str::to_string).collect();
        let (order, said) = in_order(&names, &own.outputs(), &words).map_err(|e| e.to_string())?;
        notes.extend(said);
        let sorted = |row: &[f64]| order.iter().map(|place| row[*place]).collect::<Vec<_>>();
        values = values.chunks_exact(order.len()).flat_map(sorted).collect();
    }
    let steps = match (&choice.steps, times) {
        (Some(steps), _) => steps.clone(),
        (None, Some(times)) => {
            let steps = times.to_f64();
            if let Some(bad) = steps.iter().find(|x| !(**x >= 0.0 && x.fract().abs() <= 0.0 && **x < 4e9)) {
                return Err(format!("`times` holds {bad}, which is no step"));
            }
            steps.into_iter().map(|x| x as u64).collect()
        }
        (None, None) => {
            notes.push(format!(
                "nobody said when `{words}` was seen: its {count} times are taken for steps 0, 1, 2 …"
            ));
            (0..count as u64).collect()
        }
    };
    if steps.len() != count {
        return Err(format!("`{words}` has {count} times, but {} steps", steps.len()));
    }
    if let Some(late) = steps.iter().find(|step| **step > 1_000_000) {
        return Err(format!("`{words}` was seen after step {late}: the longest run has 1,000,000 steps"));
    }
    let steps = steps.into_iter().map(|step| step as u32).collect();
    Observed::new(&words, what, noise, steps, runs, values, model).map_err(|e| e.to_string())
}

/// How many runs and times an array holds.
fn shape_of(what: &What, model: &Model, shape: &[usize], words: &str) -> Result<(usize, usize), String> {
    let lattice = model.declarations().lattice.shape();
    let width = what.width(model);
    let own = match what {
        What::Sites(_) => lattice.to_vec(),
        What::Numbers(_) => vec![width],
    };
    let rest = match shape.strip_suffix(&own[..]) {
        // A single number of one run needs no axis of its own.
        _ if width == 1 && matches!(what, What::Numbers(_)) && shape.len() == 1 => shape,
        Some(rest) => rest,
        None => {
            return Err(format!(
                "the data of `{words}` have shape {shape:?}: give [run, time, {own}] or [time, {own}]",
                own = own.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
            ));
        }
    };
    match rest {
        [] => Ok((1, 1)),
        [times] => Ok((1, *times)),
        [runs, times] => Ok((*runs, *times)),
        _ => Err(format!(
            "the data of `{words}` have shape {shape:?}: more axes than run, time and what is seen"
        )),
    }
}

/// The arrays of a file, or those that were handed over under its name.
fn arrays_of(file: &FitFile, path: &Path) -> Result<Vec<(String, Array)>, String> {
    if let (Some(arrays), Some(name)) = (&file.given.arrays, path.file_name().and_then(|n| n.to_str())) {
        let begin = format!("{name}/");
        let own: Vec<(String, Array)> = arrays
            .iter()
            .filter_map(|(n, a)| Some((n.strip_prefix(&begin)?.to_string(), a.clone())))
            .collect();
        if !own.is_empty() {
            return Ok(own);
        }
    }
    let ending = path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
    if matches!(ending.as_deref(), Some("csv" | "tsv")) {
        return glauber_data::read_step_table(path);
    }
    if !FileKind::of(path).map_err(|e| e.to_string())?.holds_arrays() {
        return Err(format!("{} holds no arrays: give NPY, NPZ or CSV", path.display()));
    }
    read_arrays(path, ReadLimits::default()).map_err(|e| e.to_string())
}

/// The covariates of an experiment: its own, else those of all.
fn covariates(
    file: &FitFile,
    own: &Own,
    choice: &ExperimentChoice,
    notes: &mut Vec<String>,
) -> Result<Covariates, String> {
    let declarations = own.model.declarations();
    let mut all = own.covariates.clone();
    for (name, source) in &choice.covariates {
        if !declarations.fields.iter().any(|f| f.name == *name && f.kind == FieldKind::Covariate) {
            return Err(format!("model `{}` reads no covariate called `{name}`", own.model.name()));
        }
        let shape = declarations.lattice.shape();
        let numbers = match source {
            CovariateChoice::Number(x) => vec![*x; declarations.lattice.sites()],
            CovariateChoice::Path(path) => match arrays_of(file, path) {
                Ok(arrays) if file.given.arrays.is_some() => {
                    arrays.first().map(|(_, a)| a.to_f64()).unwrap_or_default()
                }
                _ => {
                    let found = field(path, name, shape, notes)?;
                    if found.shape != shape {
                        return Err(format!(
                            "covariate `{name}` has shape {:?}, but the lattice {shape:?}",
                            found.shape
                        ));
                    }
                    found.numbers
                }
            },
        };
        if numbers.len() != declarations.lattice.sites() {
            return Err(format!(
                "covariate `{name}` has {} numbers, but the lattice {} sites",
                numbers.len(),
                declarations.lattice.sites()
            ));
        }
        all.retain(|(n, _)| n != name);
        all.push((name.clone(), FieldData::from_parts(Arc::new(numbers.into()), None)));
    }
    Ok(all)
}
