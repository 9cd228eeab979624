//! Reads Python values as operands of a traced expression.

use glauber::program::Operand;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyComplex, PyString};

use crate::errors::model_error;
use crate::traced::Expression;

/// A traced value or a number; none where it is neither.
///
/// # Errors
/// For an array (a rule reads arrays as covariates), for a complex number and for NaN.
pub fn operand(value: &Bound<'_, PyAny>) -> PyResult<Option<Operand>> {
    if let Ok(expression) = value.cast::<Expression>() {
        return Ok(Some(expression.get().expr.into()));
    }
    if value.is_instance_of::<PyString>() {
        return Ok(None);
    }
    if let Ok(axes) = value.getattr("ndim").and_then(|n| n.extract::<usize>()) {
        if axes > 0 {
            return Err(PyTypeError::new_err(
                "an array cannot stand in a rule, which is traced once for all sites: declare it with \
                 covariates=[\"name\"], read it as s.field(\"name\"), and pass fields={\"name\": array} when running",
            ));
        }
    }
    refuse_complex(value)?;
    let Ok(number) = value.extract::<f64>() else { return Ok(None) };
    if number.is_nan() {
        return Err(model_error("NaN stands in a rule: every constant must be a number"));
    }
    Ok(Some(Operand::Number(number)))
}

/// Refuses a complex number, of which NumPy would keep the real part alone.
///
/// # Errors
/// Where it is one.
pub fn refuse_complex(value: &Bound<'_, PyAny>) -> PyResult<()> {
    let of_numpy = || value.getattr("dtype")?.getattr("kind")?.extract::<String>();
    if value.is_instance_of::<PyComplex>() || of_numpy().is_ok_and(|kind| kind == "c") {
        return Err(PyTypeError::new_err(
            "a complex number stands in a rule, which is made of real ones: write its real and imaginary part apart",
        ));
    }
    Ok(())
}

/// As [`operand`], where nothing else will do.
///
/// # Errors
/// As [`operand`], and for what is no number.
pub fn needed(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Operand> {
    operand(value)?.ok_or_else(|| {
        let kind = value.get_type().name().map_or_else(|_| "object".to_string(), |n| n.to_string());
        PyTypeError::new_err(format!("{what} is a {kind}: give a number or a traced value"))
    })
}
