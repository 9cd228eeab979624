//! Simulates cells of the Cellular Potts model for Python, and fits it to labels and to tracks.

use std::path::Path;
use std::sync::atomic::Ordering;

use glauber::cellular_potts::{Acceptance, Order};
use glauber::data::CellTypes;
use glauber::data::images::Pick;
use glauber::data::tracks::{TableColumn, TrackOptions, tracks_of_table};
use glauber::fit::inference::About;
use glauber::tissue::{
    CellsError, CellsRequest, CellsSimulation, LabelStack, Labels, LabelsFile, SimulateRequest, Start,
    TrackSetting, TrackSource, TracksRequest, Types, likelihood as likelihood_of_cells, picture_of,
    run as fit_cells, run_tracks, simulate, simulate_tracks,
};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::density::{LogDensity, density_of};
use crate::errors::{in_python, input_error};
use crate::fit_request::{GivenColumn, column as track_column};
use crate::running::run_whole;
use crate::typing::{As, Numbers, Table};

/// Labels: a file with its array, channel and depth; or flat whole numbers and the shape of a frame.
type GivenFile = (String, Option<String>, Option<usize>, Option<usize>);
/// Types: rows of label and type, and what each type is called.
type GivenTypes = (Vec<(i64, u8)>, Vec<String>);

/// Simulates cells that start as blocks (`blocks`), grown (`volume`) or as labels.
#[pyfunction]
#[pyo3(signature = (shape, begin, blocks, sides, counts, volume, labels, file, frame, types, types_file, parameters, torus, order, acceptance, connected, steps, every, seed, replicate, threads))]
pub fn cells_simulate<'py>(
    py: Python<'py>,
    shape: Vec<usize>,
    begin: Option<Vec<usize>>,
    blocks: Option<Vec<usize>>,
    sides: Vec<usize>,
    counts: Option<Vec<usize>>,
    volume: Option<usize>,
    labels: Option<As<'py, Numbers>>,
    file: Option<GivenFile>,
    frame: usize,
    types: Option<GivenTypes>,
    types_file: Option<String>,
    parameters: Vec<(String, f64)>,
    torus: bool,
    order: &str,
    acceptance: &str,
    connected: bool,
    steps: u64,
    every: u64,
    seed: u64,
    replicate: u32,
    threads: usize,
) -> PyResult<As<'py, Table>> {
    let start = match (blocks, volume) {
        (Some(blocks), _) => Start::Blocks { shape, begin, blocks, sides, counts },
        (None, Some(volume)) => Start::Grown { shape, volume, counts: counts.unwrap_or_default() },
        (None, None) => {
            let (labels, types) = (labels_of(labels, shape, file)?, types_of(types, types_file));
            Start::Labels { labels, types, frame }
        }
    };
    let order = order_of(order)?;
    let request = SimulateRequest {
        torus,
        acceptance: acceptance_of(acceptance)?,
        order,
        connected,
        steps,
        every,
        seed,
        replicate,
        ..SimulateRequest::new(start, parameters)
    };
    let done = run_whole(py, threads, |stop| simulate(&request, &|| stop.load(Ordering::Relaxed)))?;
    dictionary(py, done.map_err(cells_error)?)
}

/// A state of cells as a PNG: its labels, the shape, and the types of labels. None where it cannot be drawn.
#[pyfunction]
#[pyo3(signature = (labels, shape, types))]
pub fn cells_picture<'py>(
    py: Python<'py>,
    labels: As<'py, Numbers>,
    shape: Vec<usize>,
    types: Vec<(u32, u8)>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let labels = labels.extract::<PyReadonlyArray1<'_, u32>>()?.as_slice()?.to_vec();
    if labels.len() != shape.iter().product::<usize>() {
        return Err(input_error("the labels are not of this shape"));
    }
    let most = types.iter().map(|(_, kind)| *kind).max().unwrap_or(1);
    let names = (1..=most).map(|kind| kind.to_string()).collect();
    let drawn = picture_of(&shape, labels, types, names).and_then(|picture| picture.to_png());
    Ok(drawn.ok().map(|png| PyBytes::new(py, &png)))
}

/// Fits the Cellular Potts model to labels over time; what was found as JSON, and in words.
#[pyfunction]
#[pyo3(signature = (labels, shape, file, types, types_file, torus, coarsen, frames, every, acceptance, connected, unknown, fixed, replicates, seed, threads))]
pub fn cells_fit<'py>(
    py: Python<'py>,
    labels: Option<As<'py, Numbers>>,
    shape: Vec<usize>,
    file: Option<GivenFile>,
    types: Option<GivenTypes>,
    types_file: Option<String>,
    torus: bool,
    coarsen: usize,
    frames: Option<(usize, usize)>,
    every: usize,
    acceptance: &str,
    connected: bool,
    unknown: Vec<String>,
    fixed: Vec<(String, f64)>,
    replicates: u32,
    seed: u64,
    threads: usize,
) -> PyResult<(String, String)> {
    let request = CellsRequest {
        types: types_of(types, types_file),
        torus,
        coarsen,
        frames: frames.map(|(first, end)| first..end),
        every,
        acceptance: acceptance_of(acceptance)?,
        connected,
        unknown,
        fixed,
        replicates,
        seed,
        ..CellsRequest::new(labels_of(labels, shape, file)?)
    };
    let found = run_whole(py, threads, |_| fit_cells(&request))?.map_err(cells_error)?;
    let here = Path::new("");
    Ok((in_python(found.object(here)), in_python(found.text(here))))
}

/// How cells live that are simulated for their tracks: shape, cells of a lattice by type, sites at the start, steps before the first
/// record, steps from record to record.
type GivenSetting = (Vec<usize>, Vec<usize>, Option<usize>, u64, u64);

fn setting_of(
    given: GivenSetting,
    order: &str,
    acceptance: &str,
    connected: bool,
    seed: u64,
) -> PyResult<TrackSetting> {
    let (shape, counts, grown, burn_in, steps_per_frame) = given;
    let (order, acceptance) = (order_of(order)?, acceptance_of(acceptance)?);
    Ok(TrackSetting { shape, counts, grown, burn_in, steps_per_frame, acceptance, order, connected, seed })
}

/// Simulates tracks of cells: id, record, and z, y, x in sites; and notes.
#[pyfunction]
#[pyo3(signature = (parameters, setting, tracks, records, order, acceptance, connected, seed, threads))]
pub fn cells_tracks<'py>(
    py: Python<'py>,
    parameters: Vec<(String, f64)>,
    setting: GivenSetting,
    tracks: usize,
    records: u32,
    order: &str,
    acceptance: &str,
    connected: bool,
    seed: u64,
    threads: usize,
) -> PyResult<As<'py, Table>> {
    let setting = setting_of(setting, order, acceptance, connected, seed)?;
    let (found, notes) = run_whole(py, threads, |stop| {
        simulate_tracks(&parameters, &setting, tracks, records, &|| stop.load(Ordering::Relaxed))
    })?
    .map_err(cells_error)?;
    let out = PyDict::new(py);
    let ids = (1_u32..).zip(&found).flat_map(|(id, track)| std::iter::repeat_n(id, track.records.len()));
    out.set_item("id", ids.collect::<Vec<_>>().into_pyarray(py))?;
    let records: Vec<u32> = found.iter().flat_map(|track| track.records.iter().copied()).collect();
    out.set_item("record", records.into_pyarray(py))?;
    for (axis, name) in ["z", "y", "x"].into_iter().enumerate() {
        let along: Vec<f64> =
            found.iter().flat_map(|track| track.positions.iter().map(|at| at[axis])).collect();
        out.set_item(name, along.into_pyarray(py))?;
    }
    out.set_item("notes", notes)?;
    Ok(As::of(out.into_any()))
}

/// Fits the Cellular Potts model to tracks; what was found as JSON, and in words.
#[pyfunction]
#[pyo3(signature = (table, file, site, torus, setting, unknown, ranges, fixed, order, acceptance, connected, seed, threads))]
pub fn cells_fit_tracks<'py>(
    py: Python<'py>,
    table: Option<Vec<GivenColumn<'py>>>,
    file: Option<String>,
    site: Option<f64>,
    torus: bool,
    setting: GivenSetting,
    unknown: Vec<String>,
    ranges: Vec<(String, (f64, f64))>,
    fixed: Vec<(String, f64)>,
    order: &str,
    acceptance: &str,
    connected: bool,
    seed: u64,
    threads: usize,
) -> PyResult<(String, String)> {
    let source = match (table, file) {
        (Some(table), _) => {
            let columns = table.into_iter().map(track_column).collect::<PyResult<Vec<TableColumn>>>()?;
            let tracks =
                tracks_of_table(&columns, "the tracks", &TrackOptions::default()).map_err(input_error)?;
            TrackSource::Tracks(Box::new(tracks))
        }
        (None, Some(path)) => TrackSource::File(path.into(), Box::default()),
        (None, None) => return Err(input_error("give tracks, or the path of a file of them")),
    };
    let request = TracksRequest {
        source,
        site,
        torus,
        setting: setting_of(setting, order, acceptance, connected, seed)?,
        unknown,
        ranges: ranges.into_iter().map(|(name, (low, high))| (name, [low, high])).collect(),
        fixed,
    };
    let found = run_whole(py, threads, |stop| run_tracks(&request, &|| stop.load(Ordering::Relaxed)))?
        .map_err(cells_error)?;
    let here = Path::new("");
    Ok((in_python(found.object(here)), in_python(found.text(here))))
}

/// The log density of the coefficients of the Cellular Potts model, of labels over time.
#[pyfunction]
#[pyo3(signature = (labels, shape, file, types, types_file, torus, coarsen, frames, every, acceptance, connected, unknown, fixed, priors, threads))]
pub fn cells_log_density(
    py: Python<'_>,
    labels: Option<As<'_, Numbers>>,
    shape: Vec<usize>,
    file: Option<GivenFile>,
    types: Option<GivenTypes>,
    types_file: Option<String>,
    torus: bool,
    coarsen: usize,
    frames: Option<(usize, usize)>,
    every: usize,
    acceptance: &str,
    connected: bool,
    unknown: Vec<String>,
    fixed: Vec<(String, f64)>,
    priors: Vec<(String, String)>,
    threads: usize,
) -> PyResult<LogDensity> {
    let request = CellsRequest {
        types: types_of(types, types_file),
        torus,
        coarsen,
        frames: frames.map(|(first, end)| first..end),
        every,
        acceptance: acceptance_of(acceptance)?,
        connected,
        unknown,
        fixed,
        ..CellsRequest::new(labels_of(labels, shape, file)?)
    };
    let (likelihood, notes) =
        run_whole(py, threads, |_| likelihood_of_cells(&request))?.map_err(cells_error)?;
    let density = density_of(Box::new(likelihood), priors)?;
    Ok(LogDensity::new(density, About { notes, model: "cellular-potts".into() }, threads))
}

fn labels_of(
    labels: Option<As<'_, Numbers>>,
    shape: Vec<usize>,
    file: Option<GivenFile>,
) -> PyResult<Labels> {
    match (labels, file) {
        (Some(labels), _) => {
            let labels = labels.extract::<PyReadonlyArray1<'_, i64>>()?.as_slice()?.to_vec();
            Ok(Labels::Stack(LabelStack { labels, shape, notes: Vec::new(), types: None }))
        }
        (None, Some((path, array, channel, depth))) => {
            let channel = channel.map(Pick::Number);
            Ok(Labels::File(LabelsFile { path: path.into(), array, channel, depth }))
        }
        (None, None) => Err(input_error("say how the cells start: blocks=, grown= or start=")),
    }
}

fn types_of(types: Option<GivenTypes>, file: Option<String>) -> Types {
    match (types, file) {
        (Some((rows, names)), _) => {
            // Numbers name themselves.
            let told: Vec<String> =
                names.iter().zip(1..).map(|(name, kind): (_, usize)| format!("{kind} is `{name}`")).collect();
            let named = names.iter().any(|name| name.parse::<u8>().is_err());
            let notes = named
                .then(|| format!("types are numbered in the order of the alphabet: {}", told.join(", ")));
            Types::Table(CellTypes { rows, names, notes: notes.into_iter().collect() })
        }
        (None, Some(path)) => Types::File(path.into()),
        (None, None) => Types::One,
    }
}

fn order_of(name: &str) -> PyResult<Order> {
    match name {
        "sublattices" => Ok(Order::Sublattices),
        "random-sequential" => Ok(Order::RandomSequential),
        other => Err(input_error(format!(
            "the order is \"{other}\": give \"sublattices\" or \"random-sequential\""
        ))),
    }
}

fn acceptance_of(name: &str) -> PyResult<Acceptance> {
    match name {
        "metropolis" => Ok(Acceptance::Metropolis),
        "heat-bath" => Ok(Acceptance::HeatBath),
        other => {
            Err(input_error(format!("the acceptance is \"{other}\": give \"metropolis\" or \"heat-bath\"")))
        }
    }
}

fn cells_error(error: CellsError) -> PyErr {
    match error {
        CellsError::Stopped => PyKeyboardInterrupt::new_err(()),
        other => input_error(other),
    }
}

fn dictionary(py: Python<'_>, done: CellsSimulation) -> PyResult<As<'_, Table>> {
    let out = PyDict::new(py);
    out.set_item("object", in_python(done.object()))?;
    out.set_item("shape", done.shape.clone())?;
    out.set_item("times", done.times.clone().into_pyarray(py))?;
    out.set_item("types", done.types.clone())?;
    let rows = &done.rows;
    out.set_item("step", rows.iter().map(|row| row.step).collect::<Vec<_>>().into_pyarray(py))?;
    out.set_item("id", rows.iter().map(|row| row.id).collect::<Vec<_>>().into_pyarray(py))?;
    out.set_item("type", rows.iter().map(|row| row.kind).collect::<Vec<_>>().into_pyarray(py))?;
    out.set_item("volume", rows.iter().map(|row| row.volume).collect::<Vec<_>>().into_pyarray(py))?;
    out.set_item("perimeter", rows.iter().map(|row| row.perimeter).collect::<Vec<_>>().into_pyarray(py))?;
    for (axis, name) in ["z", "y", "x"].into_iter().enumerate().skip(3 - done.shape.len()) {
        let along: Vec<f64> = rows.iter().map(|row| row.centroid[axis]).collect();
        out.set_item(name, along.into_pyarray(py))?;
    }
    out.set_item("labels", done.labels.into_pyarray(py))?;
    Ok(As::of(out.into_any()))
}
