//! Gives log densities of posteriors to Python: values, gradients, draws and profiles.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use glauber::fit::inference::{About, Inference, draw, drawn, profiled as profiles_of};
use glauber::fit::job::prepare;
use glauber::inference::apart::{read, written};
use glauber::inference::autologistic::Autologistic;
use glauber::inference::density::Density;
use glauber::inference::likelihood::{Kind, Likelihood, Stop};
use glauber::inference::persistent_walk::{PersistentWalk, Track};
use glauber::inference::posterior::{PosteriorError, Sampler, Settings, one_chain};
use glauber::inference::prior::Prior;
use glauber::inference::profile::{OneProfile, ProfileError};
use numpy::IntoPyArray;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrays::{doubles, reals};
use crate::errors::{in_python, input_error, run_error};
use crate::fit_request::FitRequest;
use crate::running::{run, run_whole};
use crate::typing::{Anything, As, Floats, Table};
use crate::workers::carried;

/// The log density of a posterior.
#[pyclass(frozen, module = "glauber._glauber")]
pub struct LogDensity {
    density: Density,
    about: About,
    /// Densities that no call holds.
    idle: Mutex<Vec<Density>>,
    threads: usize,
}

/// The log density of a fit file's parameters.
#[pyfunction]
pub fn log_density_of_file(py: Python<'_>, request: FitRequest<'_>) -> PyResult<LogDensity> {
    let words = request.words();
    let (file, threads) = request.read()?;
    let inference = run_whole(py, threads, |_| Inference::of(&prepare(&file)?.problem))?
        .map_err(|e| words.job_error(e))?;
    let density = inference.density().map_err(|e| words.job_error(e))?;
    Ok(LogDensity::new(density, inference.about(), threads))
}

/// The log density of snapshots under the autologistic model, by transfer matrices.
#[pyfunction]
pub fn autologistic_log_density(
    fields: As<'_, Floats>,
    height: usize,
    width: usize,
    directions: bool,
    priors: Vec<(String, String)>,
    threads: usize,
) -> PyResult<LogDensity> {
    let fields = doubles(&fields)?;
    let likelihood = Autologistic::new(&fields, height, width, directions).map_err(input_error)?;
    let density = density_of(Box::new(likelihood), priors)?;
    Ok(LogDensity::new(density, About { notes: Vec::new(), model: "autologistic".into() }, threads))
}

/// The log density of tracks of persistent walkers: for each its times, and its position along each axis.
#[pyfunction]
pub fn persistent_walk_log_density(
    py: Python<'_>,
    tracks: Vec<(As<'_, Floats>, Vec<As<'_, Floats>>)>,
    priors: Vec<(String, String)>,
    threads: usize,
) -> PyResult<LogDensity> {
    let track = |(times, axes): &(As<'_, Floats>, Vec<As<'_, Floats>>)| -> PyResult<Track> {
        let axes = axes.iter().map(|axis| doubles(axis)).collect::<PyResult<_>>()?;
        Ok(Track { times: doubles(times)?, axes })
    };
    let tracks = tracks.iter().map(track).collect::<PyResult<Vec<_>>>()?;
    let likelihood = PersistentWalk::new(tracks).map_err(input_error)?;
    let density = run_whole(py, threads, |_| density_of(Box::new(likelihood), priors))??;
    Ok(LogDensity::new(density, About { notes: Vec::new(), model: "persistent-walk".into() }, threads))
}

/// A likelihood with priors as they are written.
pub fn density_of(likelihood: Box<dyn Likelihood>, priors: Vec<(String, String)>) -> PyResult<Density> {
    let prior = |(name, text): (String, String)| Prior::parse(&text).map(|prior| (name, prior));
    let priors = priors.into_iter().map(prior).collect::<Result<Vec<_>, _>>().map_err(input_error)?;
    Density::new(likelihood, &priors).map_err(input_error)
}

/// Profiles the likelihood of a fit file's parameters: what was found as JSON, and in words.
#[pyfunction]
pub fn profile_of_file(
    py: Python<'_>,
    request: FitRequest<'_>,
    names: Vec<String>,
    level: f64,
) -> PyResult<(String, String)> {
    let words = request.words();
    let (file, threads) = request.read()?;
    let inference = run_whole(py, threads, |_| Inference::of(&prepare(&file)?.problem))?
        .map_err(|e| words.job_error(e))?;
    profiled(py, &*inference.likelihood, inference.about(), threads, &names, level, None)
}

fn profiled(
    py: Python<'_>,
    likelihood: &dyn Likelihood,
    about: About,
    threads: usize,
    names: &[String],
    level: f64,
    elsewhere: Option<Py<PyAny>>,
) -> PyResult<(String, String)> {
    let raised = Mutex::new(None);
    let ask = |function: &Py<PyAny>, profiles: &[OneProfile], stop: &AtomicBool| {
        let asked = Python::attach(|py| {
            let each: Vec<_> = profiles.iter().map(|one| PyBytes::new(py, &written(one))).collect();
            function.call1(py, (each,))
        });
        asked.and_then(|batch| carried(&batch, &|| stop.load(Ordering::Relaxed))).unwrap_or_else(|error| {
            raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            Vec::new()
        })
    };
    let found = run_whole(py, threads, |stop| match &elsewhere {
        None => profiles_of(likelihood, names, level, about, None),
        Some(function) => profiles_of(
            likelihood,
            names,
            level,
            about,
            Some(&|profiles: &[OneProfile]| ask(function, profiles, stop)),
        ),
    })?;
    if let Some(error) = raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let found = found.map_err(profile_error)?;
    Ok((in_python(found.object()), in_python(found.text())))
}

fn profile_error(error: ProfileError) -> PyErr {
    match error {
        ProfileError::Likelihood(error) => stopped(error),
        other => input_error(in_python(other)),
    }
}

fn posterior_error(error: PosteriorError) -> PyErr {
    match error {
        PosteriorError::Interrupted => PyKeyboardInterrupt::new_err(()),
        PosteriorError::Setting(_) | PosteriorError::Nowhere { .. } => input_error(in_python(error)),
        other => run_error(other),
    }
}

fn settings_of(
    (chains, draws, warm_up): (usize, usize, usize),
    sampler: Option<&str>,
    seed: u64,
) -> PyResult<Settings> {
    let sampler = match sampler {
        None => None,
        Some(name) => Some(Sampler::ALL.into_iter().find(|own| own.name() == name).ok_or_else(|| {
            input_error(format!(
                "the sampler is \"{name}\": give \"nuts\" or \"random-walk\", or leave it out"
            ))
        })?),
    };
    Ok(Settings { chains, draws, warm_up, seed, sampler })
}

/// What a value is wanted of.
#[derive(Clone, Copy)]
enum Wanted {
    Density,
    FreeDensity,
    Likelihood,
}

impl LogDensity {
    /// Of a density, and what is told of it.
    pub fn new(density: Density, about: About, threads: usize) -> LogDensity {
        LogDensity { density, about, idle: Mutex::default(), threads }
    }

    fn width(&self) -> usize {
        self.density.coordinates().len()
    }

    fn numbers(&self, given: &As<'_, Floats>) -> PyResult<Vec<f64>> {
        let numbers = doubles(given)?;
        match numbers.len() == self.width() {
            true => Ok(numbers),
            false => {
                Err(input_error(format!("θ has {} numbers, but {} are fitted", numbers.len(), self.width())))
            }
        }
    }

    fn asked(
        &self,
        py: Python<'_>,
        theta: &[f64],
        wanted: Wanted,
        noise: u64,
        gradient: Option<&mut Vec<f64>>,
    ) -> PyResult<f64> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut own = idle.unwrap_or_else(|| self.density.another());
        let found = run_whole(py, self.threads, |_| match (wanted, gradient) {
            (Wanted::Density, None) => own.value(theta, noise),
            (Wanted::Density, Some(gradient)) => own.value_and_gradient(theta, gradient),
            (Wanted::FreeDensity, None) => own.free_value(theta, noise),
            (Wanted::FreeDensity, Some(gradient)) => own.free_value_and_gradient(theta, gradient),
            (Wanted::Likelihood, _) => own.likelihood_mut().log_likelihood(theta, noise),
        });
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(own);
        found?.map_err(stopped)
    }
}

fn stopped(error: Stop) -> PyErr {
    match error {
        Stop::Interrupted => PyKeyboardInterrupt::new_err(()),
        other => run_error(other),
    }
}

#[pymethods]
impl LogDensity {
    /// For each parameter its name, where it may be, where chains begin, and its prior.
    #[getter]
    fn parameters(&self) -> Vec<(String, f64, f64, f64, String)> {
        let row = |c: &glauber::inference::density::Coordinate| {
            (c.name.clone(), c.support.lowest, c.support.highest, c.start, c.prior.to_string())
        };
        self.density.coordinates().iter().map(row).collect()
    }
    /// What a person should know of the data.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.about.notes.iter().map(in_python).collect()
    }
    /// The route of the likelihood, what kind of number it is, whether it has gradients, and how many observations it has.
    #[getter]
    fn likelihood(&self) -> (String, &'static str, bool, usize) {
        let own = self.density.likelihood();
        let kind = match own.kind() {
            Kind::Exact => "exact",
            Kind::Approximate => "approximate",
            Kind::Noisy => "noisy",
        };
        (own.route().to_string(), kind, own.has_gradient(), own.observations())
    }
    /// ln L + ln prior; by free coordinates with their Jacobian.
    fn value(&self, py: Python<'_>, theta: As<'_, Floats>, free: bool, noise: u64) -> PyResult<f64> {
        let theta = self.numbers(&theta)?;
        self.asked(py, &theta, if free { Wanted::FreeDensity } else { Wanted::Density }, noise, None)
    }
    /// The same with its gradient.
    fn value_and_grad<'py>(
        &self,
        py: Python<'py>,
        theta: As<'py, Floats>,
        free: bool,
    ) -> PyResult<(f64, As<'py, Floats>)> {
        let theta = self.numbers(&theta)?;
        let mut gradient = vec![0.0; theta.len()];
        let wanted = if free { Wanted::FreeDensity } else { Wanted::Density };
        let value = self.asked(py, &theta, wanted, 0, Some(&mut gradient))?;
        Ok((value, reals(py, gradient)))
    }
    /// ln L alone.
    fn log_likelihood(&self, py: Python<'_>, theta: As<'_, Floats>, noise: u64) -> PyResult<f64> {
        let theta = self.numbers(&theta)?;
        self.asked(py, &theta, Wanted::Likelihood, noise, None)
    }
    /// ln prior alone.
    fn log_prior(&self, theta: As<'_, Floats>) -> PyResult<f64> {
        Ok(self.density.log_prior(&self.numbers(&theta)?))
    }
    /// Why the likelihood is 0 there, where that can be said.
    fn why_impossible(&self, theta: As<'_, Floats>) -> PyResult<Option<String>> {
        let theta = self.numbers(&theta)?;
        Ok(self.density.another().likelihood_mut().why_impossible(&theta))
    }
    /// Parameters → free coordinates.
    fn to_free<'py>(&self, py: Python<'py>, theta: As<'py, Floats>) -> PyResult<As<'py, Floats>> {
        Ok(reals(py, self.density.to_free(&self.numbers(&theta)?)))
    }
    /// Free coordinates → parameters, and ln |dθ/du|.
    fn to_natural<'py>(&self, py: Python<'py>, free: As<'py, Floats>) -> PyResult<(As<'py, Floats>, f64)> {
        let free = self.numbers(&free)?;
        let density = &self.density;
        Ok((reals(py, density.to_natural(&free)), density.log_jacobian(&free)))
    }
    /// Walks one chain of a posterior: what it drew, for `sample`.
    #[pyo3(signature = (chain, chains, draws, warm_up, sampler, seed))]
    fn chain<'py>(
        &self,
        py: Python<'py>,
        chain: usize,
        chains: usize,
        draws: usize,
        warm_up: usize,
        sampler: Option<&str>,
        seed: u64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let settings = settings_of((chains, draws, warm_up), sampler, seed)?;
        let found = run_whole(py, self.threads, |stop| {
            let stop = || stop.load(Ordering::Relaxed);
            one_chain(&self.density, settings, chain, &stop, &|_| {})
        })?;
        Ok(PyBytes::new(py, &written(&found.map_err(posterior_error)?)))
    }
    /// Walks one profile, as `profile` asks for it of whoever does it elsewhere.
    fn walk_profile<'py>(&self, py: Python<'py>, one: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let one: OneProfile = read(one).ok_or_else(|| run_error("these bytes are no profile"))?;
        let found = run_whole(py, self.threads, |_| one.walk(self.density.likelihood()))?;
        Ok(PyBytes::new(py, &written(&found.map_err(profile_error)?)))
    }
    /// Draws from the posterior; `walked` has what its chains drew, where they were walked elsewhere.
    #[pyo3(signature = (chains, draws, warm_up, sampler, seed, progress, walked = None))]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        chains: usize,
        draws: usize,
        warm_up: usize,
        sampler: Option<&str>,
        seed: u64,
        progress: Option<As<'py, Anything>>,
        walked: Option<Vec<Bound<'py, PyBytes>>>,
    ) -> PyResult<As<'py, Table>> {
        let settings = settings_of((chains, draws, warm_up), sampler, seed)?;
        let walked = walked.map(|all| all.iter().map(|own| read(own.as_bytes())).collect::<Option<Vec<_>>>());
        let done = AtomicUsize::new(0);
        let progress = progress.map(|p| p.clone().unbind());
        let work = |stop: &AtomicBool| {
            if let Some(walked) = walked {
                return drawn(&self.density, settings, self.about.clone(), walked.unwrap_or_default());
            }
            draw(&self.density, settings, self.about.clone(), stop, &|_, _| {
                done.fetch_add(1, Ordering::Relaxed);
            })
        };
        let all = chains.saturating_mul(draws.saturating_add(warm_up));
        let found = run(py, self.threads, work, |py| {
            if let Some(progress) = &progress {
                progress.call1(py, (done.load(Ordering::Relaxed), all))?;
            }
            Ok(())
        })?;
        if let Some(raised) = found.raised {
            return Err(raised);
        }
        let drawn = found.result.map_err(posterior_error)?;
        let out = PyDict::new(py);
        out.set_item("object", in_python(drawn.object()))?;
        out.set_item("text", in_python(drawn.text()))?;
        let posterior = drawn.posterior;
        for (coordinate, chains) in posterior.coordinates.iter().zip(posterior.draws) {
            out.set_item(format!("draws {}", coordinate.name), chains.concat().into_pyarray(py))?;
        }
        out.set_item("log_density", posterior.log_density.concat().into_pyarray(py))?;
        out.set_item("diverging", posterior.diverging.concat().into_pyarray(py))?;
        Ok(As::of(out.into_any()))
    }
    /// Profiles the likelihood: what was found as JSON, and in words. `elsewhere` has profiles walked by others: a function
    /// of a list of bytes, each for `walk_profile`, to what waits for what that gives.
    #[pyo3(signature = (names, level, elsewhere = None))]
    fn profile(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        level: f64,
        elsewhere: Option<As<'_, Anything>>,
    ) -> PyResult<(String, String)> {
        let elsewhere = elsewhere.map(|function| function.clone().unbind());
        profiled(py, self.density.likelihood(), self.about.clone(), self.threads, &names, level, elsewhere)
    }
}
