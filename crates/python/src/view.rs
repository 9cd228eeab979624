//! Serves the page that shows a model as it runs, from this process, for notebooks.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use glauber::models::{ModelOptions, OptionValue};
use glauber::view::{Aside, Server, Source, ViewError, ViewOptions};
use pyo3::prelude::*;

use crate::errors::{input_error, run_error};
use crate::model::{Model, option};
use crate::typing::{Anything, As};

/// A page that is served until this is closed or collected.
#[pyclass(frozen, module = "glauber._glauber")]
pub struct Page {
    address: String,
    aside: Arc<Mutex<Option<Aside>>>,
}

#[pymethods]
impl Page {
    /// Where it is.
    #[getter]
    fn address(&self) -> &str {
        &self.address
    }
    /// Whether it is served.
    #[getter]
    fn is_open(&self) -> bool {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
    /// Ends it: pages that are open are told, and their engines end.
    fn close(&self, py: Python<'_>) {
        // The lock of the interpreter is let go first: the server's threads are waited for.
        py.detach(|| drop(self.aside.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }
}

/// Serves a page with a model (a traced one, or one by name or path with options), or that of a fit, or both.
#[pyfunction]
#[pyo3(signature = (model, name, options, parameters, fit, data, rule, seed, port, threads))]
#[expect(clippy::too_many_arguments, reason = "what the page begins with, one by one")]
pub fn serve(
    py: Python<'_>,
    model: Option<PyRef<'_, Model>>,
    name: Option<String>,
    options: Vec<(String, As<'_, Anything>)>,
    parameters: Vec<(String, f64)>,
    fit: Option<String>,
    data: Option<String>,
    rule: String,
    seed: u64,
    port: u16,
    threads: usize,
) -> PyResult<Page> {
    let own = match (model, name) {
        (_, Some(name)) => {
            let mut read = ModelOptions::none();
            for (key, value) in &options {
                let value: OptionValue = option(key, value)?;
                read.set(key, value);
            }
            Some(Source::new(&name, read))
        }
        (Some(model), None) => Some(Source::of_model(model.model.clone(), model.fields_of_run(Vec::new())?)),
        (None, None) => None,
    };
    let aside = py.detach(|| {
        let mut source = match (fit, own) {
            (Some(path), own) => Source::of_fit(Path::new(&path), own).map_err(ViewError::Model)?,
            (None, Some(own)) => own,
            (None, None) => {
                return Err(ViewError::Model("there is nothing to show: give a model or a fit".into()));
            }
        };
        if let Some(data) = &data {
            source = source.beside(Path::new(data)).map_err(ViewError::Model)?;
        }
        source.rule = rule;
        source.seed = seed;
        source.parameters.extend(parameters);
        Server::open(source, ViewOptions { port, threads })?.run_aside()
    });
    let aside = aside.map_err(|error| match error {
        ViewError::Model(_) | ViewError::Port { .. } => input_error(error),
        other => run_error(other),
    })?;
    Ok(Page { address: aside.address().to_string(), aside: Arc::new(Mutex::new(Some(aside))) })
}
