//! Turns glauber's errors into Python's exceptions, message by message.

use glauber::engine::EngineError;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::import_exception;
use pyo3::prelude::*;

// Python defines them, so that they are documented, typed and pickled as any other of its exceptions.
import_exception!(glauber, ModelError);
import_exception!(glauber, InputError);
import_exception!(glauber, RunError);

/// What messages say in the words of other faces, and how Python writes it.
const WORDS: [(&str, &str); 15] = [
    (", from Rust rates_below)", ")"),
    (" rates([", " s.rates(["),
    ("; declare a higher one", "; give a higher one, s.rates([…], most=…)"),
    ("(move_to, swap_with)", "(s.move_to, s.swap_with)"),
    ("(set_at, move_to, swap_with)", "(s.next(layer).set_at, s.move_to, s.swap_with)"),
    ("update = \"", "update=\""),
    ("(task = trajectory)", "(glauber.Trajectory)"),
    ("give --torus", "give torus=True"),
    ("(--array NAME)", "(array=)"),
    ("give --depth 1", "give depth=1"),
    ("--channel", "channel="),
    ("--depth", "depth="),
    ("--replicates", "replicates="),
    ("`cells fit`", "glauber.cells.fit"),
    ("by a search (nelder-mead, cma-es)", "by a search (optimizer=\"nelder-mead\" or \"cma-es\")"),
];

/// A message in Python's words.
pub fn in_python(error: impl std::fmt::Display) -> String {
    WORDS.iter().fold(error.to_string(), |text, (other, own)| text.replace(other, own))
}

/// A mistake in a model.
pub fn model_error(error: impl std::fmt::Display) -> PyErr {
    ModelError::new_err(in_python(error))
}

/// Something given that does not fit.
pub fn input_error(error: impl std::fmt::Display) -> PyErr {
    InputError::new_err(in_python(error))
}

/// A run that failed.
pub fn run_error(error: impl std::fmt::Display) -> PyErr {
    RunError::new_err(in_python(error))
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
        e if e.step().is_some() => {
            // So that what was run before that step is not lost.
            let (step, error) = (e.step(), run_error(e));
            match Python::attach(|py| error.value(py).setattr("step", step)) {
                Ok(()) => error,
                Err(other) => other,
            }
        }
        e @ (EngineError::Broken(_)
        | EngineError::Workers(_)
        | EngineError::Memory { .. }
        | EngineError::Threads(_)) => run_error(e),
        other => input_error(other),
    }
}
