//! Runs a model forwards and writes its states: arrays, a film or a picture.

use std::path::Path;
use std::time::Instant;

use glauber::data::Overwrite;
use glauber::data::arrays::{Array, Values as ArrayValues, write_npz};
use glauber::engine::{EngineError, Numbers, Options, Plan, Precision, Run};
use glauber::program::{Layer, Model};
use glauber::report::frames::{Colouring, FilmFile, FilmOptions, Picture, SpaceTime};
use glauber::tasks::states::{States, StatesError, names_of_states, times_name, update_of_states};
use serde_json::json;

use super::carry_on::Earlier;
use super::{covariates_of, model_of, parameters_of};
use crate::arguments::Simulate;
use crate::outcome::{CommandOutcome, Failure};

/// More numbers than this are not kept in memory.
const MOST_NUMBERS: usize = 1 << 31;

/// Runs `glauber simulate`.
pub fn run(arguments: &Simulate) -> Result<CommandOutcome, Failure> {
    let mut notes = Vec::new();
    simulated(arguments, &mut notes).map_err(|failure| failure.after(notes))
}

fn simulated(arguments: &Simulate, notes: &mut Vec<String>) -> Result<CommandOutcome, Failure> {
    let begin = Instant::now();
    let loaded = model_of(&arguments.choice)?;
    let covariates = covariates_of(&loaded, &arguments.choice, notes)?;
    let model = loaded.model;
    notes.extend(model.notes());
    notes.extend(model.update_note());
    let parameters = parameters_of(&model, &arguments.parameters)?;
    let kind = arguments.out.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    if !["npz", "gif", "png"].contains(&kind.as_str()) {
        return Err(Failure::input(format!(
            "--out {}: the name must end in .npz, .gif or .png",
            arguments.out.display()
        )));
    }
    if arguments.out.exists() {
        return Err(Failure::input(format!(
            "{} exists already: choose another --out",
            arguments.out.display()
        )));
    }
    if arguments.steps == 0 || arguments.replicates == 0 || arguments.every == 0 {
        return Err(Failure::input("--steps, --replicates and --every must be at least 1"));
    }
    let layer = match &arguments.layer {
        Some(_) if kind == "npz" => {
            return Err(Failure::input(
                "--layer chooses what a film or picture shows; an .npz holds every layer: leave it out",
            ));
        }
        Some(name) => model.layer(name).map_err(Failure::input)?,
        None => 0,
    };
    let is_plane = model.declarations().lattice.extent()[1] > 1;
    let (every, of_states) = kept(arguments, &kind, is_plane)?;
    notes.extend(of_states);
    let precision = if arguments.precision == "f64" { Precision::Double } else { Precision::Single };
    let options = Options { threads: arguments.threads, precision, ..Options::default() };
    let plan = Plan::new(&model, &[], None, options).map_err(Failure::input)?;
    let earlier = arguments.start.as_deref().map(|path| Earlier::read(path, &model)).transpose()?;
    notes.extend(earlier.as_ref().and_then(|earlier| earlier.of_another_update(&model)));
    notes.extend(earlier.iter().flat_map(|earlier| earlier.unread().iter().cloned()));
    let replicates = match &earlier {
        _ if kind != "npz" => 1,
        Some(earlier) => earlier.replicates(arguments.replicates)?,
        None => arguments.replicates,
    };
    let times = arguments.steps / every + 1;
    let layers = model.declarations().layers.len();
    let numbers = [times, replicates, layers, model.declarations().lattice.sites()];
    if numbers.iter().try_fold(1usize, |n, m| n.checked_mul(*m)).is_none_or(|n| n > MOST_NUMBERS) {
        return Err(Failure::input(
            "the states would not fit into memory: keep fewer with --every, or run fewer --replicates",
        ));
    }
    let mut failed = None;
    let mut run = Run::new(&parameters, arguments.steps).replicates(replicates).seed(arguments.seed);
    run.fields = covariates;
    if let Some(earlier) = &earlier {
        run = earlier.carry_on(run);
    }
    let begun = earlier.as_ref().map_or(0, |earlier| earlier.step() as usize);
    let states = loop {
        match States::record_every(&plan, &run, every.min(run.steps).max(1)) {
            Ok(states) => break states,
            // The same noise gives the same states again, up to the step that could not be; other realisations may have ended earlier.
            Err(StatesError::Engine(error)) => {
                // Where no agent is left the run has come to its end, be it at the start; a mistake of the first step leaves nothing.
                let least = begun + usize::from(!matches!(error, EngineError::Event { .. }));
                let Some(last) =
                    error.step().map(|step| step.saturating_sub(1)).filter(|last| *last >= least)
                else {
                    return Err(Failure::run(error));
                };
                run.steps = last - begun;
                let kept = match run.steps {
                    0 => "the state at the start was written".to_string(),
                    steps => format!("what was run before that step was written, {steps} steps"),
                };
                failed = Some(format!("{error}; {kept}, to {}", arguments.out.display()));
            }
            Err(error) => return Err(Failure::run(error)),
        }
    };
    match kind.as_str() {
        "npz" => write_arrays(&model, states, &arguments.out)?,
        "gif" => write_film(&model, &states, layer, &arguments.out)?,
        _ => write_picture(&model, &states, layer, &arguments.out)?,
    }
    let seconds = begin.elapsed().as_secs_f64();
    let mut object = json!({
        "model": model.name(),
        "update": model.update().name(),
        "shape": model.declarations().lattice.shape(),
        "steps": run.steps,
        "replicates": replicates,
        "seed": arguments.seed,
        "seconds": seconds,
        "notes": notes,
        "out": arguments.out,
    });
    if let Some(failed) = &failed {
        object["error"] = json!(failed);
    }
    let mut text = String::new();
    notes.iter().for_each(|note| text += &format!("note: {note}\n"));
    let after = earlier.map_or_else(String::new, |e| format!(", carried on after step {}", e.step()));
    text += &format!("{} written in {seconds:.1} s{after}", arguments.out.display());
    Ok(CommandOutcome { failed, ..CommandOutcome::done(text, object) })
}

/// Which states are kept, every how many, and what of the options has no effect on that.
fn kept(arguments: &Simulate, kind: &str, is_plane: bool) -> Result<(usize, Vec<String>), Failure> {
    let Simulate { steps, every, replicates, .. } = *arguments;
    let mut notes = Vec::new();
    if kind != "npz" && replicates > 1 {
        notes
            .push(format!("a film or picture shows one realisation: of {replicates} only the first was run"));
    }
    if kind == "png" && is_plane {
        if every > 1 {
            notes
                .push(format!("a picture shows the last state, that of step {steps}: --every has no effect"));
        }
        return Ok((steps, notes));
    }
    if every > steps {
        return Err(Failure::input(format!(
            "--every {every} keeps only the start of {steps} steps: give --every {steps} or less"
        )));
    }
    let last = steps / every * every;
    if last < steps {
        notes.push(format!(
            "the last state kept is that of step {last}; those after it, to step {steps}, are not"
        ));
    }
    Ok((every, notes))
}

fn write_arrays(model: &Model, states: States, out: &Path) -> Result<(), Failure> {
    let mut shape = vec![states.runs, states.times];
    shape.extend(model.declarations().lattice.shape());
    let mut arrays = Vec::new();
    let steps: Vec<i64> = states.steps.iter().map(|step| i64::from(*step)).collect();
    let times = Array::new(vec![steps.len()], ArrayValues::I64(steps)).map_err(Failure::run)?;
    arrays.push((times_name(model.declarations()).to_string(), times));
    for (layer, numbers) in model.declarations().layers.iter().zip(states.layers) {
        let values = match std::sync::Arc::unwrap_or_clone(numbers) {
            Numbers::Bytes(v) => ArrayValues::U8(v),
            Numbers::Reals(v) => ArrayValues::F64(v),
        };
        let array = Array::new(shape.clone(), values).map_err(Failure::run)?;
        let array = if layer.values.is_integer() { array.narrowed() } else { array };
        arrays.push((layer.name.clone(), array));
    }
    arrays.extend(names_of_states(model.declarations()));
    arrays.extend(update_of_states(model.declarations(), model.update()));
    write_npz(out, arrays.iter().map(|(name, array)| (name.as_str(), array)), Overwrite::Refuse)
        .map_err(Failure::input)
}

/// The colours of a layer: its states', or a scale from the least to the greatest of some numbers.
fn colouring(layer: &Layer, numbers: &[f64]) -> Result<Colouring, Failure> {
    let lowest = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let highest = if lowest < highest { highest } else { lowest + 1.0 };
    Colouring::of_layer(layer, lowest, highest).map_err(Failure::run)
}

/// The two lengths a picture has: of a plane, or of the middle plane of a volume.
fn plane(model: &Model) -> (usize, usize, usize) {
    let [depth, height, width] = model.declarations().lattice.extent();
    (depth / 2 * height * width, height, width)
}

fn frame(states: &States, layer: usize, time: usize) -> Vec<f64> {
    let from = time * states.sites;
    (from..from + states.sites).map(|i| states.layers[layer].at(i)).collect()
}

fn write_film(model: &Model, states: &States, layer: usize, out: &Path) -> Result<(), Failure> {
    let (from, height, width) = plane(model);
    if height == 1 {
        return write_space_time(model, states, layer, out);
    }
    let all: Vec<f64> = (0..states.times * states.sites).map(|i| states.layers[layer].at(i)).collect();
    let colours = colouring(&model.declarations().layers[layer], &all)?;
    let options = FilmOptions { legend: true, ..FilmOptions::default() };
    let mut film = FilmFile::create(out, height, width, colours, options).map_err(Failure::input)?;
    for time in 0..states.times {
        film.push(&frame(states, layer, time)[from..from + height * width]).map_err(Failure::run)?;
    }
    film.finish_file().map_err(Failure::input)
}

fn write_space_time(model: &Model, states: &States, layer: usize, out: &Path) -> Result<(), Failure> {
    let all: Vec<f64> = (0..states.times * states.sites).map(|i| states.layers[layer].at(i)).collect();
    let colours = colouring(&model.declarations().layers[layer], &all)?;
    let mut diagram = SpaceTime::new(states.sites, 2000, colours.clone()).map_err(Failure::input)?;
    for time in 0..states.times {
        diagram.push(&frame(states, layer, time)).map_err(Failure::run)?;
    }
    if out.extension().is_some_and(|e| e == "gif") {
        return Err(Failure::input(
            "a lattice of one dimension has no film: give --out NAME.png for time against place",
        ));
    }
    diagram
        .picture()
        .and_then(|p| p.enlarged_for_eyes())
        .and_then(|p| p.with_legend(&colours))
        .and_then(|p| p.write_png(out))
        .map_err(Failure::input)
}

fn write_picture(model: &Model, states: &States, layer: usize, out: &Path) -> Result<(), Failure> {
    let (from, height, width) = plane(model);
    if height == 1 {
        return write_space_time(model, states, layer, out);
    }
    let last = frame(states, layer, states.times - 1);
    let colours = colouring(&model.declarations().layers[layer], &last)?;
    let picture = Picture::of(&last[from..from + height * width], height, width, &colours);
    picture
        .and_then(|p| p.enlarged_for_eyes())
        .and_then(|p| p.with_legend(&colours))
        .and_then(|p| p.write_png(out))
        .map_err(Failure::input)
}
