//! Does pieces of fits as a worker, and has pieces done by the workers of an executor.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use glauber::fit::job::{Job, Piece, Pieces, prepare};
use glauber::inference::apart::{read, written};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::run_error;
use crate::fit_request::{FitRequest, Words};
use crate::fits::failed;
use crate::running::run_whole;
use crate::workers::carried;

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

/// Has pieces done by workers: `begin` begins a list of them, and gives what can be waited for.
#[derive(Debug)]
pub struct PiecesOf {
    begin: Py<PyAny>,
    raised: Mutex<Option<PyErr>>,
}

impl PiecesOf {
    /// What was raised while workers were asked.
    pub fn raised(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// By a function of a list of bytes.
    pub fn new(begin: Py<PyAny>) -> PiecesOf {
        PiecesOf { begin, raised: Mutex::default() }
    }
}

impl Pieces for PiecesOf {
    fn done(&self, pieces: &[Piece], interrupt: &AtomicBool) -> Vec<Option<Vec<u8>>> {
        let begun = Python::attach(|py| {
            let each: Vec<_> = pieces.iter().map(|piece| PyBytes::new(py, &written(piece))).collect();
            self.begin.call1(py, (each,))
        });
        let done = begun.and_then(|batch| carried(&batch, &|| interrupt.load(Ordering::Relaxed)));
        done.unwrap_or_else(|error| {
            self.raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            // There is no use in going on without the workers.
            interrupt.store(true, Ordering::Relaxed);
            pieces.iter().map(|_| None).collect()
        })
    }
}
