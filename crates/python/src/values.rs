//! Takes the tables of a fit as Python has made them plain: dictionaries, lists, numbers and texts.

use glauber::fit::fit_file::{Table, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

/// A plain value of Python as one of a fit file.
///
/// # Errors
/// For anything that is not plain, and for whole numbers beyond ±2¹²⁷.
pub fn value(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(flag) = given.cast::<PyBool>() {
        return Ok(Value::Boolean(flag.is_true()));
    }
    if given.is_instance_of::<PyInt>() {
        let number = given.extract::<i128>();
        // A whole number that no key takes is refused by its key, as a number.
        return Ok(
            number.map_or_else(|_| Value::Float(given.extract().unwrap_or(f64::INFINITY)), Value::Integer)
        );
    }
    if given.is_instance_of::<PyFloat>() {
        return Ok(Value::Float(given.extract()?));
    }
    if given.is_instance_of::<PyString>() {
        return Ok(Value::Text(given.extract()?));
    }
    if let Ok(list) = given.cast::<PyList>() {
        return Ok(Value::list(list.iter().map(|one| value(&one)).collect::<PyResult<Vec<_>>>()?));
    }
    Ok(Value::table(entries(given)?))
}

/// A dictionary as the tables of a fit file.
///
/// # Errors
/// As [`value`].
pub fn tables(given: &Bound<'_, PyAny>) -> PyResult<Table> {
    match Value::table(entries(given)?) {
        Value::Table(table) => Ok(table),
        _ => Ok(Table::new()),
    }
}

fn entries(given: &Bound<'_, PyAny>) -> PyResult<Vec<(String, Value)>> {
    let dictionary = given.cast::<PyDict>().map_err(|_| {
        PyTypeError::new_err("a fit is made of numbers, texts, lists and dictionaries of these")
    })?;
    dictionary.iter().map(|(key, own)| Ok((key.extract()?, value(&own)?))).collect()
}
