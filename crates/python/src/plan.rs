//! Gives compiled models to Python: simulations, rollouts with outputs, gradients of losses.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use glauber::engine::{Gradient, LossValue, Numbers, Options, Precision, Run, Start};
use glauber::lattice::Values;
use glauber::numbers::noise::{Purpose, derive_seed};
use glauber::program::Estimator;
use glauber::program::estimators::{EstimatorOptions, named};
use glauber::tasks::states::{States, StatesError};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arrays::{GivenField, doubles, field, of_layer, reals};
use crate::errors::{engine_error, input_error};
use crate::model::{Model, Observation, UsualField, warn_of_no_data};
use crate::running::run_whole;
use crate::typing::{self as kind, Anything, As, Floats};
use crate::workers::Crew;

/// States of more bytes than this are not kept in memory.
const MOST_BYTES: usize = 1 << 32;

/// The engine's options as Python gives them.
pub fn options(precision: &str, memory: usize) -> PyResult<Options> {
    let precision = match precision {
        "f32" => Precision::Single,
        "f64" => Precision::Double,
        other => return Err(input_error(format!("the precision is \"{other}\": give \"f32\" or \"f64\""))),
    };
    Ok(Options { precision, memory, ..Options::default() })
}

/// The estimator as Python gives it.
pub fn estimator(
    name: &str,
    temperature: f64,
    samples: u32,
    radius: Option<u32>,
) -> PyResult<Box<dyn Estimator>> {
    named(name, EstimatorOptions { temperature, samples, radius }).map_err(input_error)
}

/// Refuses an estimator that there is not, or options that it does not take.
#[pyfunction]
#[pyo3(signature = (name, temperature, samples, radius))]
pub fn check_estimator(name: &str, temperature: f64, samples: u32, radius: Option<u32>) -> PyResult<()> {
    estimator(name, temperature, samples, radius).map(drop)
}

/// A model compiled with its observations; with an estimator, for gradients too.
#[pyclass(frozen, module = "glauber._glauber")]
pub struct Plan {
    plan: glauber::engine::Plan,
    fields: Vec<UsualField>,
}

/// What a run's seed is used for.
#[derive(Clone, Copy)]
enum Use {
    /// States, as `glauber simulate` gives them.
    Simulation,
    /// Numbers of states, and gradients.
    Rollout,
}

/// What a simulation gives: for each layer the states kept, and the last ones.
type StatesTuple<'py> = (Vec<As<'py, kind::Numbers>>, Vec<As<'py, kind::Numbers>>);

/// A run as Python describes it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Request {
    parameters: Vec<f64>,
    steps: usize,
    replicates: usize,
    first_replicate: u32,
    /// The steps that the start has behind it, where that is known.
    first_step: Option<u32>,
    seed: u64,
    start: Option<Vec<GivenField>>,
    fields: Vec<(String, GivenField)>,
    events: Vec<(usize, usize)>,
    threads: usize,
}

impl Plan {
    /// The run of a request. One that is no simulation of states has noise of its own under the same seed.
    fn run<'a>(&self, parameters: &'a [f64], request: Request, use_of_seed: Use) -> PyResult<Run<'a>> {
        let seed = match use_of_seed {
            Use::Simulation => request.seed,
            Use::Rollout => derive_seed(request.seed, Purpose::Rollout, 0),
        };
        // States of nobody knows which step may be the last of a run with this seed, whose noise would be repeated.
        let seed = match (&request.start, request.first_step) {
            (Some(_), None) => derive_seed(seed, Purpose::GivenStart, 0),
            _ => seed,
        };
        let mut run = Run::new(parameters, request.steps).replicates(request.replicates).seed(seed);
        run = run.first_step(request.first_step.unwrap_or(0));
        run.first_replicate = request.first_replicate;
        if let Some(layers) = request.start {
            run.start = Start::States(layers.into_iter().map(field).collect());
        }
        warn_of_no_data(&request.fields)?;
        run.fields = request.fields.into_iter().map(|(name, data)| (name, field(data))).collect();
        for (name, usual) in &self.fields {
            if !run.fields.iter().any(|(n, _)| n == name) {
                run.fields.push((name.clone(), usual.clone().map_err(input_error)?));
            }
        }
        run.events = request.events;
        run.events.sort_by_key(|e| e.0);
        Ok(run)
    }

    /// Refuses a run whose states, at so many times, no memory holds.
    fn check_size(&self, request: &Request, times: usize, instead: &str) -> PyResult<()> {
        let declarations = self.plan.declarations();
        let of_layer = |l: &glauber::program::Layer| {
            let (lowest, highest) = l.values.range();
            if times > 1 && l.values.is_integer() && lowest >= 0.0 && highest <= 255.0 { 1 } else { 8 }
        };
        let bytes: usize = declarations.layers.iter().map(of_layer).sum();
        let numbers = [times, request.replicates, bytes, declarations.lattice.sites()];
        if numbers.iter().try_fold(1usize, |n, m| n.checked_mul(*m)).is_none_or(|n| n > MOST_BYTES) {
            return Err(input_error(format!(
                "the states would not fit into memory: {instead}run fewer replicates=, or take outputs with glauber.rollout \
                 in place of states, some replicates at a time with their own seed="
            )));
        }
        Ok(())
    }

    fn layers(&self) -> Vec<Values> {
        self.plan.declarations().layers.iter().map(|l| l.values.clone()).collect()
    }
}

/// The same run, which ends when the flag is raised.
fn stopped_by<'r>(run: &Run<'r>, stop: &'r AtomicBool) -> Run<'r> {
    Run { interrupt: Some(stop), ..run.clone() }
}

/// A loss written in Python: mean outputs → (value, slopes). What it raises stops the run and is raised from it.
struct Loss {
    function: Py<PyAny>,
    raised: Mutex<Option<PyErr>>,
}

impl Loss {
    fn at(&self, means: &[f64], stop: &AtomicBool) -> LossValue {
        let called = Python::attach(|py| -> PyResult<LossValue> {
            let given = means.to_vec().into_pyarray(py);
            let returned = self.function.bind(py).call1((given,))?;
            let (value, slopes): (f64, PyReadonlyArray1<'_, f64>) = returned.extract()?;
            Ok(LossValue { value, slopes: slopes.as_slice()?.to_vec() })
        });
        called
            .and_then(|loss| {
                if loss.slopes.len() == means.len() {
                    return Ok(loss);
                }
                let (found, wanted) = (loss.slopes.len(), means.len());
                Err(PyTypeError::new_err(format!(
                    "the loss gave {found} slopes for {wanted} outputs: give one for each"
                )))
            })
            .unwrap_or_else(|error| {
                self.raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                stop.store(true, Ordering::Relaxed);
                LossValue { value: f64::NAN, slopes: vec![0.0; means.len()] }
            })
    }
}

/// What Python gets of a gradient: value, by parameters, by fields, by the start (per layer), outputs.
type GradientTuple<'py> =
    (f64, As<'py, Floats>, Vec<(String, As<'py, Floats>)>, Option<Vec<As<'py, Floats>>>, As<'py, Floats>);

#[pymethods]
impl Plan {
    #[new]
    #[pyo3(signature = (model, observations, estimator, temperature, samples, radius, precision, memory, crew = None))]
    fn new(
        model: &Bound<'_, Model>,
        observations: Vec<Bound<'_, Observation>>,
        estimator: Option<&str>,
        temperature: f64,
        samples: u32,
        radius: Option<u32>,
        precision: &str,
        memory: usize,
        crew: Option<Bound<'_, Crew>>,
    ) -> PyResult<Plan> {
        let model = model.get();
        let observations: Vec<_> = observations.iter().map(|o| o.get().observation.clone()).collect();
        let estimator =
            estimator.map(|name| self::estimator(name, temperature, samples, radius)).transpose()?;
        let backend = crew.map(|crew| crew.get().backend());
        let options = Options { backend, ..options(precision, memory)? };
        let plan = glauber::engine::Plan::new(&model.model, &observations, estimator.as_deref(), options);
        Ok(Plan { plan: plan.map_err(engine_error)?, fields: model.covariates.clone() })
    }

    /// The states of steps 0, every, 2 · every …: for each layer one flat array `[replicate][time][site]`; and those of
    /// the last step, flat `[replicate][site]`.
    fn simulate<'py>(&self, py: Python<'py>, request: Request, every: usize) -> PyResult<StatesTuple<'py>> {
        self.check_size(&request, request.steps / every.max(1) + 2, "keep fewer with every=, ")?;
        let (parameters, threads) = (request.parameters.clone(), request.threads);
        let run = self.run(&parameters, request, Use::Simulation)?;
        let states = run_whole(py, threads, |stop| {
            States::record_with_last(&self.plan, &stopped_by(&run, stop), every)
        })?;
        let (states, last) = states.map_err(|e| match e {
            StatesError::Engine(e) => engine_error(e),
            other => input_error(other),
        })?;
        let flat =
            |(numbers, values): (Arc<Numbers>, &Values)| of_layer(py, Arc::unwrap_or_clone(numbers), values);
        let values = self.layers();
        let arrays = |states: States| states.layers.into_iter().zip(&values).map(flat).collect();
        Ok((arrays(states), arrays(last)))
    }

    /// The outputs, flat `[replicate][number]`, and for each layer the last states, flat `[replicate][site]`.
    fn rollout<'py>(
        &self,
        py: Python<'py>,
        request: Request,
    ) -> PyResult<(As<'py, Floats>, Vec<As<'py, kind::Numbers>>)> {
        self.check_size(&request, 1, "")?;
        let (parameters, threads) = (request.parameters.clone(), request.threads);
        let run = self.run(&parameters, request, Use::Rollout)?;
        let simulation = run_whole(py, threads, |stop| self.plan.simulate(&stopped_by(&run, stop)))?
            .map_err(engine_error)?;
        let layers = self.layers();
        let mut last: Vec<Vec<f64>> = layers.iter().map(|_| Vec::new()).collect();
        for frame in simulation.last {
            last.iter_mut().zip(frame).for_each(|(all, own)| all.extend(own));
        }
        let last = last.into_iter().zip(&layers).map(|(v, values)| of_layer(py, Numbers::Reals(v), values));
        let last = last.collect();
        Ok((reals(py, simulation.outputs.values), last))
    }

    /// The gradient of a loss of the mean outputs: a function of them, or their slopes where the loss is linear.
    #[pyo3(signature = (request, loss, slopes, wants_start))]
    fn gradient<'py>(
        &self,
        py: Python<'py>,
        request: Request,
        loss: Option<As<'py, Anything>>,
        slopes: Option<As<'py, Floats>>,
        wants_start: bool,
    ) -> PyResult<GradientTuple<'py>> {
        if wants_start {
            self.check_size(&request, 1, "do without wrt_start=, ")?;
        }
        let (parameters, threads) = (request.parameters.clone(), request.threads);
        let mut run = self.run(&parameters, request, Use::Rollout)?;
        run.wants_start_gradient = wants_start;
        let slopes: Vec<f64> = slopes.map(|s| doubles(&s)).transpose()?.unwrap_or_default();
        let loss =
            loss.map(|function| Loss { function: function.clone().unbind(), raised: Mutex::new(None) });
        let found = run_whole(py, threads, |stop| {
            self.plan.gradient(&stopped_by(&run, stop), &|means| match &loss {
                Some(loss) => loss.at(means, stop),
                None => linear(means, &slopes),
            })
        })?;
        if let Some(error) = loss.and_then(|l| l.raised.into_inner().unwrap_or_else(PoisonError::into_inner))
        {
            return Err(error);
        }
        let Gradient { value, parameters, fields, start, outputs } = found.map_err(engine_error)?;
        let fields = fields.into_iter().map(|(name, by)| (name, reals(py, by))).collect();
        let mut by_start: Vec<Vec<f64>> = vec![Vec::new(); self.plan.declarations().layers.len()];
        for frame in start {
            by_start.iter_mut().zip(frame).for_each(|(all, own)| all.extend(own));
        }
        let by_start = wants_start.then(|| by_start.into_iter().map(|v| reals(py, v)).collect());
        Ok((value, reals(py, parameters), fields, by_start, reals(py, outputs.values)))
    }

    /// Bytes that one state of one replicate takes in the history.
    #[getter]
    fn bytes_per_state(&self) -> usize {
        self.plan.bytes_per_state()
    }
}

fn linear(means: &[f64], slopes: &[f64]) -> LossValue {
    let value = means.iter().zip(slopes).map(|(m, s)| m * s).sum();
    let mut slopes = slopes.to_vec();
    slopes.resize(means.len(), 0.0);
    LossValue { value, slopes }
}
