//! Runs work without the interpreter's lock, on threads of its own, and stops it on Ctrl-C.
//!
//! Signals reach Python only in the thread that called, so that thread waits, and every 50 ms lets Python look for
//! them. A process that was forked (`multiprocessing` on Linux) has none of its parent's threads: it starts new ones, and
//! as such a process is one of many, one thread unless more are asked for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use glauber::engine::useful_threads;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::run_error;

const LOOK: Duration = Duration::from_millis(50);

/// The threads that were started, by how many were asked for.
static POOLS: Mutex<Vec<(usize, Arc<ThreadPool>)>> = Mutex::new(Vec::new());
static ONE_OF_MANY: AtomicBool = AtomicBool::new(false);

/// Takes one thread where all cores are asked for: this process is one of many. Workers call it.
#[pyfunction]
pub fn one_of_many() {
    ONE_OF_MANY.store(true, Ordering::Relaxed);
}

/// Forgets the threads of the process this one was forked from. The interpreter calls it in the child.
#[pyfunction]
pub fn forked() {
    ONE_OF_MANY.store(true, Ordering::Relaxed);
    crate::workers::forked();
    let lost = std::mem::take(&mut *POOLS.lock().unwrap_or_else(PoisonError::into_inner));
    // Dropping them would wait for threads that do not exist here.
    lost.into_iter().for_each(|(_, pool)| std::mem::forget(pool));
}

/// The threads for `asked`, 0 for all cores.
fn pool(asked: usize) -> PyResult<Arc<ThreadPool>> {
    let count = if asked == 0 && ONE_OF_MANY.load(Ordering::Relaxed) { 1 } else { useful_threads(asked) };
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = pools.iter().find(|(n, _)| *n == count) {
        return Ok(known.clone());
    }
    let made = ThreadPoolBuilder::new().num_threads(count).build();
    let made =
        Arc::new(made.map_err(|_| run_error(format!("could not start {count} threads: ask for fewer")))?);
    pools.push((count, made.clone()));
    Ok(made)
}

/// What came of some work.
pub struct Done<T> {
    /// Its result.
    pub result: T,
    /// What Python raised meanwhile: the work was told to stop.
    pub raised: Option<PyErr>,
}

/// Runs `work` on `threads` threads (0 for all), calling `look` now and then. `work` gets a flag that says when to stop.
///
/// # Errors
/// Where the threads cannot be started.
pub fn run<T: Send>(
    py: Python<'_>,
    threads: usize,
    work: impl FnOnce(&AtomicBool) -> T + Send,
    mut look: impl FnMut(Python<'_>) -> PyResult<()> + Send,
) -> PyResult<Done<T>> {
    let stop = AtomicBool::new(false);
    // A loss written in Python may itself run glauber: it is on one of our threads already.
    if rayon::current_thread_index().is_some() {
        return Ok(Done { result: py.detach(|| work(&stop)), raised: None });
    }
    let pool = pool(threads)?;
    let (sender, receiver) = channel();
    let mut raised = None;
    let stop = &stop;
    let result = py.detach(|| {
        let receiver = receiver;
        pool.in_place_scope(|scope| {
            scope.spawn(move |_| {
                let _ = sender.send(work(stop));
            });
            loop {
                match receiver.recv_timeout(LOOK) {
                    Ok(result) => break Some(result),
                    Err(RecvTimeoutError::Disconnected) => break None,
                    Err(RecvTimeoutError::Timeout) => {
                        let seen = Python::attach(|py| py.check_signals().and_then(|()| look(py)));
                        if let Err(error) = seen {
                            stop.store(true, Ordering::Relaxed);
                            raised.get_or_insert(error);
                        }
                    }
                }
            }
        })
    });
    match result {
        Some(result) => Ok(Done { result, raised }),
        None => Err(run_error("the engine ended without a result: please report this")),
    }
}

/// As [`run`], where nothing is of use once Python has raised something.
///
/// # Errors
/// What Python raised meanwhile, a Ctrl-C above all.
pub fn run_whole<T: Send>(
    py: Python<'_>,
    threads: usize,
    work: impl FnOnce(&AtomicBool) -> T + Send,
) -> PyResult<T> {
    let done = run(py, threads, work, |_| Ok(()))?;
    done.raised.map_or(Ok(done.result), Err)
}
