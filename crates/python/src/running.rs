//! Runs work without the interpreter's lock, on threads of its own, and stops it on Ctrl-C.
//!
//! Signals reach Python only in the thread that called, so that thread waits, and every 50 ms lets Python look for
//! them. A process that was forked (`multiprocessing` on Linux) has none of its parent's threads: it starts new ones, and
//! as such a process is one of many, one thread unless more are asked for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use glauber::engine::useful_threads;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::run_error;

const LOOK: Duration = Duration::from_millis(50);

/// The threads that have nothing to do, by how many they are.
static IDLE: Mutex<Vec<(usize, ThreadPool)>> = Mutex::new(Vec::new());
/// So many groups of them are kept.
const MOST_IDLE: usize = 16;
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
    let lost = std::mem::take(&mut *IDLE.lock().unwrap_or_else(PoisonError::into_inner));
    // Dropping them would wait for threads that do not exist here.
    lost.into_iter().for_each(|(_, pool)| std::mem::forget(pool));
}

/// Threads that do one piece of work and nothing else meanwhile: work that waits for other work, as a fit does for what it
/// has shared out, must not have its threads waited for by that.
struct Threads {
    count: usize,
    pool: Option<ThreadPool>,
}

impl Threads {
    /// For `asked`, 0 for all cores.
    fn take(asked: usize) -> PyResult<Threads> {
        let count = if asked == 0 && ONE_OF_MANY.load(Ordering::Relaxed) { 1 } else { useful_threads(asked) };
        let known = {
            let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
            let place = idle.iter().position(|(n, _)| *n == count);
            place.map(|place| idle.swap_remove(place).1)
        };
        let pool = match known {
            Some(pool) => pool,
            None => {
                let made = ThreadPoolBuilder::new().num_threads(count).build();
                made.map_err(|_| run_error(format!("could not start {count} threads: ask for fewer")))?
            }
        };
        Ok(Threads { count, pool: Some(pool) })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.extend(self.pool.take().map(|pool| (self.count, pool)));
        }
    }
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
    let threads = Threads::take(threads)?;
    let Some(pool) = &threads.pool else { return Err(run_error("there are no threads: please report this")) };
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
