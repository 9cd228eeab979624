//! Does pieces of fits as a worker.

use std::sync::{Mutex, PoisonError};

use glauber::fit::job::{Job, Piece, prepare};
use glauber::inference::apart::read;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::run_error;
use crate::fit_request::{FitRequest, Words};
use crate::fits::failed;
use crate::running::run_whole;

/// The fits of a request, of which pieces are wanted.
#[pyclass(frozen, module = "glauber._glauber")]
pub struct FitPieces {
    job: Mutex<Job>,
    threads: usize,
    words: Words,
}

#[pymethods]
impl FitPieces {
    #[new]
    fn new(py: Python<'_>, request: FitRequest<'_>) -> PyResult<FitPieces> {
        let words = request.words();
        let (file, threads) = request.read()?;
        let job = run_whole(py, threads, |_| prepare(&file))?.map_err(|e| words.job_error(e))?;
        Ok(FitPieces { job: Mutex::new(job), threads, words })
    }

    /// Does a piece: the bytes of what came of it.
    fn piece<'py>(&self, py: Python<'py>, piece: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let piece: Piece = read(piece).ok_or_else(|| run_error("these bytes are no piece of a fit"))?;
        let done = run_whole(py, self.threads, |stop| {
            self.job.lock().unwrap_or_else(PoisonError::into_inner).piece(&piece, stop)
        })?;
        Ok(PyBytes::new(py, &done.map_err(|e| failed(e, self.words))?))
    }
}
