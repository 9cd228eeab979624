//! Carries tasks and pieces of fits to the workers of an executor of Python, and answers as one of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use glauber::engine::BackendName;
use glauber::fit::job::{Piece, Pieces};
use glauber::inference::apart::written;
use glauber::workers::{Carrier, Hash, Remote, Station, Task};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// What this process keeps as a worker.
static STATION: LazyLock<Arc<Station>> = LazyLock::new(Arc::default);

/// A content that travels: the two halves of its hash, and its bytes.
type Sent<'py> = ((u64, u64), Bound<'py, PyBytes>);

/// Answers a task, having kept what came with it.
#[pyfunction]
pub fn answer<'py>(py: Python<'py>, body: &[u8], contents: Vec<Sent<'py>>) -> Bound<'py, PyBytes> {
    for ((first, second), bytes) in contents {
        STATION.keep(Hash([first, second]), Arc::new(bytes.as_bytes().to_vec()));
    }
    let answer = py.detach(|| STATION.answer(body));
    PyBytes::new(py, &answer)
}

/// Forgets the threads of the process that this one was forked from.
pub fn forked() {
    STATION.forked();
}

/// The workers behind an executor: what plans and fits are handed, so that they share their runs among these.
#[pyclass(frozen, module = "glauber._glauber")]
pub struct Crew {
    remote: &'static Remote,
    crew: Arc<glauber::workers::Crew>,
}

impl Crew {
    /// Does work that gives up waiting for the workers of a crew, where there is one, once the flag is raised.
    pub fn until<T>(crew: Option<&Crew>, stop: &AtomicBool, work: impl FnOnce() -> T) -> T {
        match crew {
            Some(crew) => crew.crew.until(stop, work),
            None => work(),
        }
    }

    /// The backend that shares runs among them.
    pub fn backend(&self) -> BackendName {
        BackendName(self.remote)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.remote.dismiss();
    }
}

#[pymethods]
impl Crew {
    /// `carrier` carries tasks: it has `submit(tasks)`, `tell(words)`, `count()`, `measures()` and `ping(count)`.
    #[new]
    fn new(carrier: Py<PyAny>, threads: usize) -> Crew {
        let crew = glauber::workers::Crew::new(Box::new(Executor { carrier }), threads, STATION.clone());
        let crew = Arc::new(crew);
        // Backends live as long as the process: this one is two words, and lets go of the executor with the crew.
        Crew { remote: Box::leak(Box::new(Remote::new(crew.clone()))), crew }
    }
}

/// An executor, behind Python's words for it.
struct Executor {
    carrier: Py<PyAny>,
}

impl Executor {
    /// Seconds of a task without work, there and back: the median of some; 0 where everything is to be sent.
    fn measured(&self, stop: &dyn Fn() -> bool) -> PyResult<f64> {
        let (workers, pings, always): (usize, usize, bool) =
            Python::attach(|py| self.carrier.call_method0(py, "measures")?.extract(py))?;
        let ping = |count: usize| {
            let begin = Instant::now();
            let batch = Python::attach(|py| self.carrier.call_method1(py, "ping", (count,)))?;
            carried(&batch, stop)?;
            PyResult::Ok(begin.elapsed().as_secs_f64())
        };
        // All of them are woken first: what a process takes to start is no part of the way.
        ping(workers)?;
        let times = (0..pings).take_while(|_| !stop()).map(|_| ping(1));
        let mut times = times.collect::<PyResult<Vec<f64>>>()?;
        times.sort_by(f64::total_cmp);
        Ok(times.get(times.len() / 2).copied().filter(|_| !always).unwrap_or(0.0))
    }
}

impl Carrier for Executor {
    fn workers(&self) -> usize {
        let asked = Python::attach(|py| self.carrier.call_method0(py, "count")?.extract(py));
        asked.unwrap_or(0)
    }

    fn latency(&self, stop: &dyn Fn() -> bool) -> Option<f64> {
        // What is wrong with workers is said when they are asked for something.
        let measured = self.measured(stop).unwrap_or(0.0);
        (!stop()).then_some(measured)
    }

    fn carry(&self, tasks: Vec<Task>, stop: &dyn Fn() -> bool) -> Result<Vec<Option<Vec<u8>>>, String> {
        let carried = Python::attach(|py| {
            let bytes = |own: &[u8]| PyBytes::new(py, own);
            let task = |task: &Task| {
                let contents = task.contents.iter();
                let contents: Vec<_> = contents.map(|(Hash([a, b]), own)| ((*a, *b), bytes(own))).collect();
                (bytes(&task.body), contents)
            };
            let tasks: Vec<_> = tasks.iter().map(task).collect();
            self.carrier.call_method1(py, "submit", (tasks,))
        });
        carried.and_then(|batch| self::carried(&batch, stop)).map_err(said)
    }

    fn tell(&self, words: &str) {
        // Without a listener it is lost, as any word is.
        let _ = Python::attach(|py| self.carrier.call_method1(py, "tell", (words,)));
    }
}

/// What came of tasks under way: waits for them until they have ended, or are to be given up. None for what was lost, or has
/// not ended by then.
pub fn carried(batch: &Py<PyAny>, stop: &dyn Fn() -> bool) -> PyResult<Vec<Option<Vec<u8>>>> {
    // While Python waits, others have the interpreter.
    while !Python::attach(|py| batch.call_method1(py, "wait", (0.05,))?.extract::<bool>(py))? {
        if stop() {
            Python::attach(|py| batch.call_method0(py, "cancel"))?;
            break;
        }
    }
    Python::attach(|py| {
        let answers: Vec<Option<Bound<'_, PyBytes>>> = batch.call_method0(py, "answers")?.extract(py)?;
        Ok(answers.into_iter().map(|own| own.map(|own| own.as_bytes().to_vec())).collect())
    })
}

fn said(error: PyErr) -> String {
    Python::attach(|py| error.value(py).to_string())
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
