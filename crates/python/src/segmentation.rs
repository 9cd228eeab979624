//! Segments an image for Python by the two-class Potts energy.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use glauber::segment::{GreyImage, Mask, Polarity, Preset, Scores, Segmentation};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::doubles;
use crate::errors::input_error;
use crate::running::run_whole;
use crate::typing::{As, Floats, Table, Truths};

/// Segments an image of grey values in [0, 1], flat and row by row; a truth gives scores.
#[pyfunction]
#[pyo3(signature = (image, height, width, preset, steps, rate, threshold, objects, flatten, truth, threads))]
pub fn segment<'py>(
    py: Python<'py>,
    image: As<'py, Floats>,
    height: usize,
    width: usize,
    preset: &str,
    steps: Option<u64>,
    rate: Option<f64>,
    threshold: Option<f64>,
    objects: Option<&str>,
    flatten: Option<u8>,
    truth: Option<As<'py, Truths>>,
    threads: usize,
) -> PyResult<As<'py, Table>> {
    let image = GreyImage::new(height, width, doubles(&image)?).map_err(input_error)?;
    let truth = truth.map(|t| truths(&t)).transpose()?;
    let truth = truth.map(|inside| Mask::new(height, width, inside).map_err(input_error)).transpose()?;
    let mut settings = preset.parse::<Preset>().map_err(input_error)?.settings();
    settings.descent.steps = steps.unwrap_or(settings.descent.steps);
    settings.descent.rate = rate.unwrap_or(settings.descent.rate);
    settings.descent.threshold = threshold.unwrap_or(settings.descent.threshold);
    settings.preparation.polarity = match objects {
        None => settings.preparation.polarity,
        Some("bright") => Polarity::BrightObjects,
        Some("dark") => Polarity::DarkObjects,
        Some("detect") => Polarity::Detect,
        Some(other) => {
            return Err(input_error(format!(
                "the objects are \"{other}\": give \"bright\", \"dark\" or \"detect\""
            )));
        }
    };
    if let Some(degree) = flatten {
        settings.preparation.flatten = (degree > 0).then_some(degree);
    }
    settings.descent.check().map_err(input_error)?;
    let found = run_whole(py, threads, |stop| {
        glauber::segment::segment(&image, &settings, truth.as_ref(), &mut |_| {
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    })?;
    found.map_err(input_error).and_then(|s| dictionary(py, s))
}

fn truths(given: &Bound<'_, PyAny>) -> PyResult<Vec<bool>> {
    Ok(given.extract::<PyReadonlyArray1<'_, bool>>()?.as_slice()?.to_vec())
}

fn dictionary(py: Python<'_>, found: Segmentation) -> PyResult<As<'_, Table>> {
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
    Ok(As::of(out.into_any()))
}
