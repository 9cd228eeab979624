//! Gives the objective of a fit to Python: θ → loss and gradient, for SciPy and any other optimizer.

use std::sync::{Mutex, PoisonError};

use glauber::fit::job::prepare;
use glauber::optimize::objective::{ObjectiveError, length_of};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

use crate::arrays::{doubles, reals};
use crate::errors::{input_error, run_error};
use crate::fits::{FitRequest, job_error};
use crate::running::run_whole;
use crate::typing::{As, Floats};

/// An objective of a fit.
#[pyclass(frozen, module = "glauber._glauber")]
pub struct Objective {
    objective: Mutex<Box<dyn glauber::optimize::objective::Objective>>,
    unknowns: Vec<glauber::optimize::objective::Unknown>,
    start: Vec<f64>,
    threads: usize,
}

/// The objective of a fit file's first fit.
#[pyfunction]
pub fn objective_of_file(py: Python<'_>, request: FitRequest<'_>) -> PyResult<Objective> {
    let (file, threads) = request.read()?;
    let job = run_whole(py, threads, |_| prepare(&file))?.map_err(|e| job_error(e, true))?;
    let first = job.attempts.into_iter().next().ok_or_else(|| input_error("there is nothing to fit"))?;
    let unknowns = first.objective.unknowns().to_vec();
    Ok(Objective { objective: Mutex::new(first.objective), unknowns, start: first.start, threads })
}

#[pymethods]
impl Objective {
    /// For each unknown its name, interval, and shape (nothing for one number).
    #[getter]
    fn unknowns(&self) -> Vec<(String, f64, f64, Option<Vec<usize>>)> {
        use glauber::optimize::objective::Extent;
        let shape = |extent: &Extent| match extent {
            Extent::Scalar => None,
            Extent::Field(shape) => Some(shape.clone()),
        };
        self.unknowns
            .iter()
            .map(|u| (u.name.clone(), u.interval.lowest, u.interval.highest, shape(&u.extent)))
            .collect()
    }
    /// θ where the fit starts.
    #[getter]
    fn start<'py>(&self, py: Python<'py>) -> As<'py, Floats> {
        reals(py, self.start.clone())
    }
    /// The loss and its gradient; the gradient is left out where it is not wanted.
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        theta: As<'py, Floats>,
        iteration: u64,
        wants_gradient: bool,
    ) -> PyResult<(f64, Option<As<'py, Floats>>)> {
        let theta = doubles(&theta)?;
        let wanted = length_of(&self.unknowns);
        if theta.len() != wanted {
            return Err(input_error(format!("θ has {} numbers, but {wanted} are fitted", theta.len())));
        }
        let found = run_whole(py, self.threads, |_| {
            let mut own = self.objective.lock().unwrap_or_else(PoisonError::into_inner);
            match wants_gradient {
                true => own.evaluate(&theta, iteration).map(|e| (e.value, Some(e.gradient))),
                false => own.value(&theta, iteration).map(|v| (v, None)),
            }
        })?;
        let (value, gradient) = found.map_err(|e| match e {
            ObjectiveError::Interrupted => PyKeyboardInterrupt::new_err(()),
            other => run_error(other),
        })?;
        Ok((value, gradient.map(|g| reals(py, g))))
    }
}
