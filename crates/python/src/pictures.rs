//! Draws a lattice as a PNG for notebooks.

use glauber::report::frames::{Colouring, Picture};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrays::doubles;
use crate::errors::input_error;
use crate::typing::{As, Floats};

/// A plane of numbers as a PNG; `states` is how many named states they are (2 for binary layers, 0 for numbers).
#[pyfunction]
pub fn picture<'py>(
    py: Python<'py>,
    numbers: As<'py, Floats>,
    height: usize,
    width: usize,
    states: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let numbers = &doubles(&numbers)?[..];
    let lowest = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let colours = match states {
        2 => Ok(Colouring::binary()),
        0 | 1 => Colouring::sequential(lowest, if lowest < highest { highest } else { lowest + 1.0 }),
        n => Colouring::categories(n),
    };
    let drawn = colours.and_then(|c| Picture::of(numbers, height, width, &c));
    let png = drawn.and_then(|p| p.enlarged_for_eyes()).and_then(|p| p.to_png()).map_err(input_error)?;
    Ok(PyBytes::new(py, &png))
}
