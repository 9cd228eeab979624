//! Draws a lattice as a PNG for notebooks.

use glauber::program::Colour;
use glauber::report::colour::Rgb;
use glauber::report::frames::{Colouring, Picture};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrays::doubles;
use crate::errors::input_error;
use crate::typing::{As, Floats};

/// A colour from its text.
fn read(text: &str) -> PyResult<Rgb> {
    text.parse().map(|Colour(red, green, blue)| Rgb(red, green, blue)).map_err(input_error)
}

/// A plane of numbers as a PNG: of states in their colours, by number, or of numbers along a scale where none are given.
#[pyfunction]
pub fn picture<'py>(
    py: Python<'py>,
    numbers: As<'py, Floats>,
    height: usize,
    width: usize,
    colours: Vec<String>,
) -> PyResult<Bound<'py, PyBytes>> {
    let numbers = &doubles(&numbers)?[..];
    let lowest = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let colouring = match colours.is_empty() {
        true => Colouring::sequential(lowest, if lowest < highest { highest } else { lowest + 1.0 }),
        false => Colouring::categories_in(&colours.iter().map(|c| read(c)).collect::<PyResult<Vec<_>>>()?),
    };
    let drawn = colouring.and_then(|c| Picture::of(numbers, height, width, &c));
    let png = drawn.and_then(|p| p.enlarged_for_eyes()).and_then(|p| p.to_png()).map_err(input_error)?;
    Ok(PyBytes::new(py, &png))
}
