//! Gives the objective of a fit to Python: θ → loss and gradient, for SciPy and any other optimizer.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use glauber::fit::job::prepare;
use glauber::optimize::objective::{ObjectiveError, length_of};
use glauber::tasks::tasks::outside_its_domain;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

use crate::arrays::{doubles, reals};
use crate::errors::{input_error, run_error};
use crate::fit_request::{FitRequest, Words};
use crate::running::run_whole;
use crate::typing::{As, Floats};
use crate::workers::Crew;

/// An objective of a fit.
#[pyclass(frozen, module = "glauber._glauber")]
pub struct Objective {
    /// Here, or with the call that is evaluating it.
    objective: Mutex<Option<Box<dyn glauber::optimize::objective::Objective>>>,
    returned: Condvar,
    unknowns: Vec<glauber::optimize::objective::Unknown>,
    start: Vec<f64>,
    threads: usize,
    notes: Vec<String>,
    slopeless: Vec<String>,
    words: Words,
    observations: Option<usize>,
    crew: Option<Py<Crew>>,
    /// The route of a likelihood that has no gradient.
    without_gradient: Option<&'static str>,
}

/// The objective of a fit file's first fit.
#[pyfunction]
pub fn objective_of_file(py: Python<'_>, request: FitRequest<'_>) -> PyResult<Objective> {
    let words = request.words();
    let crew = request.crew.clone().map(Bound::unbind);
    let (file, threads) = request.read()?;
    let shared = crew.as_ref().map(Py::get);
    let prepared = run_whole(py, threads, |stop| Crew::until(shared, stop, || prepare(&file)))?;
    let job = prepared.map_err(|e| words.job_error(e))?;
    let notes = job.problem.data_notes.iter().chain(&job.notes).map(|note| words.say(note)).collect();
    let slopeless = job.slopeless.iter().map(|note| words.say(note)).collect();
    let first = job.attempts.into_iter().next().ok_or_else(|| input_error("there is nothing to fit"))?;
    let unknowns = first.objective.unknowns().to_vec();
    let observations = first.objective.observations();
    let route = || first.objective.likelihood().map_or("of this fit", |likelihood| likelihood.route);
    let without_gradient = (!first.objective.has_gradient()).then(route);
    let objective = Mutex::new(Some(first.objective));
    let returned = Condvar::new();
    Ok(Objective {
        objective,
        returned,
        unknowns,
        start: first.start,
        threads,
        notes,
        slopeless,
        words,
        observations,
        crew,
        without_gradient,
    })
}

/// The objective in the hands of one call, which gives it back however it ends.
struct Taken<'o> {
    objective: Option<Box<dyn glauber::optimize::objective::Objective>>,
    home: &'o Objective,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.home.objective.lock().unwrap_or_else(PoisonError::into_inner) = self.objective.take();
        self.home.returned.notify_one();
    }
}

impl Objective {
    /// Takes the objective, waiting for other threads' calls before the work goes to the engine's threads: one of these
    /// that waited there might be one that the other call waits for.
    fn take(&self, py: Python<'_>) -> PyResult<Taken<'_>> {
        // Within a loss, on such a thread, waiting might never end.
        let may_wait = rayon::current_thread_index().is_none();
        loop {
            let taken = py.detach(|| {
                let mut own = self.objective.lock().unwrap_or_else(PoisonError::into_inner);
                if own.is_none() && may_wait {
                    let waited = self.returned.wait_timeout(own, Duration::from_millis(50));
                    own = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                own.take()
            });
            match taken {
                Some(objective) => return Ok(Taken { objective: Some(objective), home: self }),
                None if may_wait => py.check_signals()?,
                None => {
                    return Err(run_error(
                        "this objective is being evaluated already: a loss may evaluate another objective, not its own",
                    ));
                }
            }
        }
    }
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
    /// What a person should know of the data and of how the objective was set up.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
    /// How many numbers were observed, where that is known.
    #[getter]
    fn observations(&self) -> Option<usize> {
        self.observations
    }
    /// Those of the notes that say what gradients lack.
    #[getter]
    fn slopeless(&self) -> Vec<String> {
        self.slopeless.clone()
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
        if let Some(route) = self.without_gradient.filter(|_| wants_gradient) {
            return Err(input_error(format!(
                "the route `{route}` has no gradient: call f.value(θ) for the loss alone, as \
                 scipy.optimize.minimize(f.value, f.x0, jac=False, bounds=f.bounds) does"
            )));
        }
        let theta = doubles(&theta)?;
        let wanted = length_of(&self.unknowns);
        if theta.len() != wanted {
            return Err(input_error(format!("θ has {} numbers, but {wanted} are fitted", theta.len())));
        }
        // Beyond its intervals, and where a rule has no value, it is infinite: searches go elsewhere.
        let nowhere = |py| (f64::INFINITY, wants_gradient.then(|| reals(py, vec![f64::NAN; wanted])));
        let ends = self.unknowns.iter().flat_map(|u| std::iter::repeat_n(u.interval, u.len()));
        if !ends.zip(&theta).all(|(interval, x)| interval.contains(*x)) {
            return Ok(nowhere(py));
        }
        let mut taken = self.take(py)?;
        let crew = self.crew.as_ref().map(Py::get);
        let evaluated = || {
            let Some(own) = &mut taken.objective else {
                return Err(ObjectiveError::Source("the objective is lost: please report this".into()));
            };
            match wants_gradient {
                true => own.evaluate(&theta, iteration).map(|e| (e.value, Some(e.gradient))),
                false => own.value(&theta, iteration).map(|v| (v, None)),
            }
        };
        let found = run_whole(py, self.threads, |stop| Crew::until(crew, stop, evaluated));
        drop(taken);
        match found? {
            Ok((value, gradient)) => Ok((value, gradient.map(|g| reals(py, g)))),
            Err(ObjectiveError::Interrupted) => Err(PyKeyboardInterrupt::new_err(())),
            Err(error) if outside_its_domain(&error) => Ok(nowhere(py)),
            Err(other) => Err(run_error(self.words.say(&other.to_string()))),
        }
    }
}
