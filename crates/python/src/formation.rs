//! Runs the pattern-formation tests of a fit, as the command line does, and hands what they found to Python.

use std::sync::atomic::{AtomicBool, Ordering};

use glauber::fit::fit_file::FitFile;
use glauber::fit::job::{Job, JobError, formation_test};
use glauber::optimize::fit_result::FitResult;
use glauber::optimize::observer::{Observer, Plan};
use glauber::optimize::trace::Record;
use glauber::tasks::formation::{Formation, FormationTest};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::reals;
use crate::typing::{As, Table};

/// The tests that a fit file asks for.
pub struct Tests {
    test: FormationTest,
    every: u64,
    layers: Vec<String>,
}

impl Tests {
    /// None where the fit file asks for none.
    ///
    /// # Errors
    /// Where the model does not say how a lattice starts.
    pub fn of(file: &FitFile, job: &Job) -> Result<Option<Tests>, JobError> {
        let every = file.run.formation_test.map_or(1, |t| t.every);
        let layers = job.model.declarations().layers.iter().map(|l| l.name.clone()).collect();
        Ok(formation_test(file)?.map(|test| Tests { test, every, layers }))
    }

    /// What the tests of one fit found.
    pub fn numbers<'py>(&self, py: Python<'py>, found: &[Formation]) -> PyResult<As<'py, Table>> {
        let all = PyDict::new(py);
        all.set_item("claim", self.test.claim(found))?;
        all.set_item("verdict", found.last().map(|t| t.verdict.word()))?;
        all.set_item("steps", self.test.steps)?;
        all.set_item("rollouts", self.test.rollouts)?;
        all.set_item("layers", &self.layers)?;
        all.set_item("shape", self.test.shape())?;
        let tests = PyList::empty(py);
        for one in found {
            let own = PyDict::new(py);
            own.set_item("step", one.step)?;
            own.set_item("variance", one.score.variance)?;
            // Of a uniform lattice there is neither.
            let known = |x: f64| Some(x).filter(|x| !x.is_nan());
            own.set_item("correlation", known(one.score.correlation))?;
            own.set_item("mean_wave_number", known(one.score.mean_wave_number))?;
            own.set_item("verdict", one.verdict.word())?;
            own.set_item("patterns", one.patterns)?;
            let layers: Vec<_> = one.layers.iter().map(|layer| reals(py, layer.clone())).collect();
            own.set_item("layers", layers)?;
            tests.append(own)?;
        }
        all.set_item("tests", tests)?;
        Ok(As::of(all.into_any()))
    }
}

/// An observer that tests at the start, every so many steps, and at the end; around another.
pub struct Tested<'a, O: Observer> {
    inner: O,
    tests: Option<&'a Tests>,
    stop: &'a AtomicBool,
    last: u64,
    /// What the tests found.
    pub found: Vec<Formation>,
    /// What went wrong with one, if anything did.
    pub failure: Option<String>,
}

impl<'a, O: Observer> Tested<'a, O> {
    /// Tests where there are any to make.
    pub fn new(inner: O, tests: Option<&'a Tests>, stop: &'a AtomicBool) -> Self {
        Tested { inner, tests, stop, last: 0, found: Vec::new(), failure: None }
    }

    fn run(&mut self, step: u64, theta: &[f64]) {
        let Some(tests) = self.tests else { return };
        let stopped = || self.stop.load(Ordering::Relaxed);
        if stopped() || self.failure.is_some() || self.found.last().is_some_and(|t| t.step >= step) {
            return;
        }
        match tests.test.run(theta, step, Some(self.stop)) {
            Ok(found) => self.found.push(found),
            Err(_) if stopped() => {}
            Err(error) => self.failure = Some(format!("formation test at step {step}: {error}")),
        }
    }
}

impl<O: Observer> Observer for Tested<'_, O> {
    fn begin(&mut self, plan: &Plan<'_>) {
        self.last = plan.steps;
        self.inner.begin(plan);
    }

    fn step(&mut self, record: &Record, theta: &[f64]) {
        self.inner.step(record, theta);
        let due = self.tests.is_some_and(|t| record.step.is_multiple_of(t.every) || record.step == self.last);
        if due {
            self.run(record.step, theta);
        }
    }

    fn end(&mut self, result: &FitResult) {
        self.run(result.steps, &result.theta);
        self.inner.end(result);
    }
}
