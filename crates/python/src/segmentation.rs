//! Segments an image for Python by the two-class Potts energy.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use glauber::fit::segmentation::{GreyImage, Mask, Preset, Scores, Segmentation};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::input_error;
use crate::running::run_whole;

/// Segments an image of grey values in [0, 1], flat and row by row; a truth gives scores.
#[pyfunction]
#[pyo3(signature = (image, height, width, preset, steps, rate, truth, threads))]
pub fn segment<'py>(
    py: Python<'py>,
    image: PyReadonlyArray1<'py, f64>,
    height: usize,
    width: usize,
    preset: &str,
    steps: Option<u64>,
    rate: Option<f64>,
    truth: Option<PyReadonlyArray1<'py, bool>>,
    threads: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let image = GreyImage::new(height, width, image.as_slice()?.to_vec()).map_err(input_error)?;
    let truth = truth.map(|t| t.as_slice().map(<[bool]>::to_vec)).transpose()?;
    let truth = truth.map(|inside| Mask::new(height, width, inside).map_err(input_error)).transpose()?;
    let mut settings = preset.parse::<Preset>().map_err(input_error)?.settings();
    settings.descent.steps = steps.unwrap_or(settings.descent.steps);
    settings.descent.rate = rate.unwrap_or(settings.descent.rate);
    let found = run_whole(py, threads, |stop| {
        glauber::fit::segmentation::segment(&image, &settings, truth.as_ref(), &mut |_| {
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    })?;
    found.map_err(input_error).and_then(|s| dictionary(py, s))
}

fn dictionary(py: Python<'_>, found: Segmentation) -> PyResult<Bound<'_, PyDict>> {
    let pair = |s: Option<Scores>| s.map(|s| (s.dice(), s.jaccard()));
    let out = PyDict::new(py);
    out.set_item("mask", found.mask.inside().to_vec().into_pyarray(py))?;
    out.set_item("field", found.field.into_pyarray(py))?;
    out.set_item("steps", found.steps)?;
    out.set_item("bright_objects", found.bright_objects)?;
    out.set_item("scores", pair(found.scores))?;
    out.set_item("otsu_threshold", found.otsu_threshold)?;
    out.set_item("otsu_mask", found.otsu_mask.inside().to_vec().into_pyarray(py))?;
    out.set_item("otsu_scores", pair(found.otsu_scores))?;
    Ok(out)
}
