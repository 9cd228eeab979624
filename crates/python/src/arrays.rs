//! Carries numbers between NumPy's arrays and the engine's fields.
//!
//! Python hands over flat, contiguous arrays whose shapes it has checked, and gives what comes back its shape.

use glauber::data::arrays::{Array, Values as ArrayValues};
use glauber::engine::{FieldData, Numbers};
use glauber::lattice::Values;
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::typing::{self as kind, As};

/// Numbers of one or several fields, as Python hands them over: whole bytes or doubles, flat.
pub struct Flat(pub Numbers);

impl<'a, 'py> FromPyObject<'a, 'py> for Flat {
    type Error = PyErr;
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = <kind::Numbers as kind::Kind>::HINT;
    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Flat> {
        if let Ok(bytes) = given.extract::<PyReadonlyArray1<'py, u8>>() {
            return Ok(Flat(Numbers::Bytes(bytes.as_slice()?.to_vec())));
        }
        if let Ok(reals) = given.extract::<PyReadonlyArray1<'py, f64>>() {
            return Ok(Flat(Numbers::Reals(reals.as_slice()?.to_vec())));
        }
        Err(PyTypeError::new_err("a flat, contiguous array of uint8 or float64 is needed here"))
    }
}

/// A field of a run: flat numbers, and how many fields follow one another where each replicate has its own.
pub type GivenField = (Flat, Option<u32>);

/// The engine's field.
pub fn field((Flat(numbers), several): GivenField) -> FieldData {
    match several {
        None => FieldData::shared(numbers),
        Some(count) => FieldData::picked(numbers, (0..count).collect()),
    }
}

/// An array of data with its shape, for a task.
pub fn array(shape: Vec<usize>, Flat(numbers): Flat) -> PyResult<Array> {
    let values = match numbers {
        Numbers::Bytes(v) => ArrayValues::U8(v),
        Numbers::Reals(v) => ArrayValues::F64(v),
    };
    Array::new(shape, values).map_err(crate::errors::input_error)
}

/// A layer's numbers as a flat array of the smallest type that its range needs.
pub fn of_layer<'py>(py: Python<'py>, numbers: Numbers, values: &Values) -> As<'py, kind::Numbers> {
    let reals = match numbers {
        Numbers::Bytes(v) => return As::of(v.into_pyarray(py).into_any()),
        Numbers::Reals(v) => v,
    };
    let (lowest, highest) = values.range();
    let fits = |low: f64, high: f64| values.is_integer() && lowest >= low && highest <= high;
    macro_rules! whole {
        ($type:ty) => {
            As::of(reals.into_iter().map(|x| x as $type).collect::<Vec<$type>>().into_pyarray(py).into_any())
        };
    }
    if fits(0.0, 255.0) {
        whole!(u8)
    } else if fits(-128.0, 127.0) {
        whole!(i8)
    } else if fits(0.0, 65_535.0) {
        whole!(u16)
    } else if fits(-32_768.0, 32_767.0) {
        whole!(i16)
    } else if values.is_integer() {
        whole!(i32)
    } else {
        As::of(reals.into_pyarray(py).into_any())
    }
}

/// A flat array of doubles.
pub fn reals(py: Python<'_>, numbers: Vec<f64>) -> As<'_, kind::Floats> {
    As::of(numbers.into_pyarray(py).into_any())
}

/// The doubles of a flat array.
///
/// # Errors
/// Where it is another thing, or not contiguous.
pub fn doubles(given: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    Ok(given.extract::<PyReadonlyArray1<'_, f64>>()?.as_slice()?.to_vec())
}
