//! Reads what Python gives as a number for every cell: a sum over its sites, or a list.

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;

use crate::traced::CellSum;
use crate::typing::{As, PerCell};

/// A number for every cell, held.
pub enum Numbers {
    Sum(glauber::program::CellSum),
    Given(Vec<f64>),
}

impl<'a> From<&'a Numbers> for glauber::program::PerCell<'a> {
    fn from(numbers: &'a Numbers) -> Self {
        match numbers {
            Numbers::Sum(sum) => (*sum).into(),
            Numbers::Given(list) => list.into(),
        }
    }
}

/// The numbers that were given.
///
/// # Errors
/// Where they are none.
pub fn per_cell(given: &As<'_, PerCell>) -> PyResult<Numbers> {
    if let Ok(sum) = given.cast::<CellSum>() {
        return Ok(Numbers::Sum(sum.get().sum));
    }
    given.extract::<Vec<f64>>().map(Numbers::Given).map_err(|_| {
        let kind = given.get_type().name().map_or_else(|_| "object".to_string(), |n| n.to_string());
        PyTypeError::new_err(format!(
            "numbers of cells are wanted, but this is a {kind}: give a sum, s.cell_sum(1, \"cell\"), or a list of numbers, the \
             medium's first"
        ))
    })
}

#[pymethods]
impl CellSum {
    fn __getattr__(&self, name: &str) -> PyResult<Py<PyAny>> {
        Err(PyAttributeError::new_err(format!(
            "a sum over cells has no attribute `{name}`: it is a number for every cell, of which s.of_cell(sum, label) is one"
        )))
    }
    fn __repr__(&self) -> String {
        "<a sum over the sites of each cell>".into()
    }
}
