//! Finds observed numbers among the columns of a table, as files are read.

use glauber::tasks::observation::in_order;
use pyo3::prelude::*;

use crate::errors::input_error;

/// Where each number of `outputs` stands among columns of these names, and what is to be said where they were taken by their place.
#[pyfunction]
pub fn columns_in_order(
    names: Vec<String>,
    outputs: Vec<String>,
    what: &str,
) -> PyResult<(Vec<usize>, Option<String>)> {
    in_order(&names, &outputs, what).map_err(input_error)
}
