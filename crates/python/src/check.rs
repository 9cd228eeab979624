//! Compares the gradient estimators with the true gradient, for Python.

use glauber::tasks::check::{CheckError, CheckSettings, Measured};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::GivenField;
use crate::errors::{engine_error, model_error};
use crate::model::Model;
use crate::running::run_whole;
use crate::typing::{As, Table};
use crate::workers::Crew;

/// What every estimator says of the gradient of the layers' means after some steps, and what it is.
#[pyfunction]
#[pyo3(signature = (model, fields, parameters, steps, replicates, seed, threads, crew = None))]
pub fn check<'py>(
    py: Python<'py>,
    model: &Bound<'py, Model>,
    fields: Vec<(String, GivenField)>,
    parameters: Vec<f64>,
    steps: usize,
    replicates: usize,
    seed: u64,
    threads: usize,
    crew: Option<Bound<'py, Crew>>,
) -> PyResult<As<'py, Table>> {
    let crew = crew.as_ref().map(Bound::get);
    let backend = crew.map(Crew::backend);
    let settings = CheckSettings { steps, replicates, seed, backend, ..CheckSettings::default() };
    let covariates = model.get().fields_of_run(fields)?;
    let model = &model.get().model;
    let check = |stop: &_| {
        Crew::until(crew, stop, || {
            glauber::tasks::check::check_until(model, &covariates, &parameters, settings, Some(stop))
        })
    };
    let found = run_whole(py, threads, check)?;
    let found = found.map_err(|e| match e {
        CheckError::Model(e) => model_error(e),
        CheckError::Engine(e) => engine_error(e),
    })?;
    let pairs = |numbers: &[Measured]| numbers.iter().map(|m| (m.mean, m.standard_error)).collect::<Vec<_>>();
    let out = PyDict::new(py);
    out.set_item("parameters", &found.parameters)?;
    out.set_item("kind", found.kind)?;
    out.set_item("reference", pairs(&found.reference))?;
    let list = PyList::empty(py);
    for e in &found.estimators {
        let verdicts: Vec<&str> = e.verdicts.iter().map(|v| v.words()).collect();
        let more = (verdicts, pairs(&e.off), &e.deviation, &e.outweighs);
        list.append((e.name, pairs(&e.gradient), e.verdict().words(), &e.bias, more))?;
    }
    out.set_item("estimators", list)?;
    out.set_item("notes", &found.notes)?;
    Ok(As::of(out.into_any()))
}
