//! Turns glauber's errors into Python's exceptions, message by message.

use glauber::engine::EngineError;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::import_exception;
use pyo3::prelude::*;

// Python defines them, so that they are documented, typed and pickled as any other of its exceptions.
import_exception!(glauber, ModelError);
import_exception!(glauber, InputError);
import_exception!(glauber, RunError);

/// A mistake in a model.
pub fn model_error(error: impl std::fmt::Display) -> PyErr {
    ModelError::new_err(error.to_string())
}

/// Something given that does not fit.
pub fn input_error(error: impl std::fmt::Display) -> PyErr {
    InputError::new_err(error.to_string())
}

/// A run that failed.
pub fn run_error(error: impl std::fmt::Display) -> PyErr {
    RunError::new_err(error.to_string())
}

/// The engine's errors: of the rule while it runs, of what was given, or an interruption.
pub fn engine_error(error: EngineError) -> PyErr {
    match error {
        EngineError::Interrupted => PyKeyboardInterrupt::new_err(()),
        EngineError::MissingField { model, name } => input_error(format!(
            "model `{model}` reads field `{name}`, which was not given: pass fields={{\"{name}\": array}}"
        )),
        EngineError::NoStart { model } => input_error(format!(
            "model `{model}` does not say how a lattice starts: pass start={{layer: array}}, or build it with start="
        )),
        e @ (EngineError::OutOfRange { .. }
        | EngineError::NotProbability { .. }
        | EngineError::Argument { .. }
        | EngineError::Broken(_)
        | EngineError::Memory { .. }
        | EngineError::Threads(_)) => run_error(e),
        other => input_error(other),
    }
}
