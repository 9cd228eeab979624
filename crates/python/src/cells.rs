//! Simulates cells of the Cellular Potts model for Python, and fits it to labels.

use std::path::Path;
use std::sync::atomic::Ordering;

use glauber::cellular_potts::{Acceptance, Order};
use glauber::data::CellTypes;
use glauber::data::images::Pick;
use glauber::fit::cells::{
    CellsError, CellsRequest, CellsSimulation, LabelStack, Labels, LabelsFile, SimulateRequest, Start, Types,
    likelihood as likelihood_of_cells, run as fit_cells, simulate,
};
use glauber::fit::inference::About;
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::density::{LogDensity, density_of};
use crate::errors::{in_python, input_error};
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
    let order = match order {
        "sublattices" => Order::Sublattices,
        "random-sequential" => Order::RandomSequential,
        other => {
            return Err(input_error(format!(
                "the order is \"{other}\": give \"sublattices\" or \"random-sequential\""
            )));
        }
    };
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
            Ok(Labels::Stack(LabelStack { labels, shape, notes: Vec::new() }))
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
        (Some((rows, names)), _) => Types::Table(CellTypes { rows, names, notes: Vec::new() }),
        (None, Some(path)) => Types::File(path.into()),
        (None, None) => Types::One,
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
    out.set_item(
        "picture",
        done.picture(done.times.len() - 1).and_then(|p| p.to_png()).ok().map(|png| PyBytes::new(py, &png)),
    )?;
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
