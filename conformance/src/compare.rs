//! Compares results to the last bit, with one NaN as good as another.

use glauber_engine::{EngineError, Gradient, Simulation};
use proptest::test_runner::TestCaseError;

/// Whether two lists hold the same numbers.
pub fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

/// Whether two numbers are the same up to a tolerance; not-a-numbers and infinities only equal themselves.
pub fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * (1.0 + b.abs())
}

/// The first difference between two simulations, or between their errors.
///
/// # Errors
/// What differs.
pub fn same_simulation(
    a: &Result<Simulation, EngineError>,
    b: &Result<Simulation, EngineError>,
    what: &str,
) -> Result<(), TestCaseError> {
    let fail = |why: String| Err(TestCaseError::fail(format!("{what}: {why}")));
    match (a, b) {
        (Ok(a), Ok(b)) => {
            if !same(&a.outputs.values, &b.outputs.values) {
                return fail(format!("outputs {:?} and {:?}", a.outputs, b.outputs));
            }
            let layers = a.last.iter().flatten().zip(b.last.iter().flatten());
            match layers.into_iter().find(|(a, b)| !same(a, b)) {
                Some((a, b)) => fail(format!("states {a:?} and {b:?}")),
                None => Ok(()),
            }
        }
        (Err(a), Err(b)) if format!("{a}") == format!("{b}") => Ok(()),
        (a, b) => fail(format!("{:?} and {:?}", a.as_ref().err(), b.as_ref().err())),
    }
}

/// The first difference between two gradients.
///
/// # Errors
/// What differs.
pub fn same_gradient(a: &Gradient, b: &Gradient) -> Result<(), String> {
    if !same(&[a.value], &[b.value]) || !same(&a.outputs.values, &b.outputs.values) {
        return Err(format!("values {} and {}", a.value, b.value));
    }
    if !same(&a.parameters, &b.parameters) {
        return Err(format!("parameters {:?} and {:?}", a.parameters, b.parameters));
    }
    let fields = a.fields.len() == b.fields.len()
        && a.fields.iter().zip(&b.fields).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1));
    if !fields {
        return Err(format!("fields {:?} and {:?}", a.fields, b.fields));
    }
    let (first, second) = (a.start.iter().flatten(), b.start.iter().flatten());
    if a.start.len() != b.start.len() || !first.zip(second).all(|(a, b)| same(a, b)) {
        return Err("starts".into());
    }
    Ok(())
}
