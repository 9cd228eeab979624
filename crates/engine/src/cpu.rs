//! Runs programs on this machine's cores and vectors: the backend that is taken where none is named.

use std::sync::Mutex;

use glauber_program::Bundle;

use crate::codes::Codes;
use crate::kernels::Lane;
use crate::worker::Worker;
use glauber_backend::EngineError;
use glauber_backend::Observation;
use glauber_backend::Simd;
use glauber_backend::{Backend, Options, Precision, Prepared};

/// This machine's cores and vectors: the backend that is taken where none is named.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

/// A model compiled for this machine.
pub(crate) struct Compiled {
    pub(crate) codes: Codes,
    pub(crate) options: Options,
    pub(crate) threads: Option<rayon::ThreadPool>,
    pub(crate) single: Pool<f32>,
    pub(crate) double: Pool<f64>,
}

/// Workers waiting for work, so that memory is allocated once.
pub(crate) struct Pool<F: Lane>(pub(crate) Mutex<Vec<Worker<F>>>);

/// How many threads are started where `asked` are asked for: no more than the machine has cores, or 16 where it has fewer.
///
/// More would only wait for each other, for seconds where there are hundreds; results do not depend on their number.
pub fn useful_threads(asked: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    asked.min(cores.max(16))
}

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn prepare(
        &self,
        bundle: Bundle,
        observations: &[Observation],
        options: &Options,
    ) -> Result<Box<dyn Prepared>, EngineError> {
        Simd::check()?;
        let codes = Codes::new(&bundle, observations, options.compile)?;
        let threads = match options.threads {
            0 => None,
            n => {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(useful_threads(n)).build();
                Some(pool.map_err(|_| EngineError::Threads(n))?)
            }
        };
        Ok(Box::new(Compiled {
            codes,
            options: *options,
            threads,
            single: Pool(Mutex::new(Vec::new())),
            double: Pool(Mutex::new(Vec::new())),
        }))
    }
}

impl Compiled {
    /// Bytes that one state of one replicate takes in the history.
    pub(crate) fn bytes_per_state(&self) -> usize {
        self.codes.bytes_per_state(if self.options.precision == Precision::Double { 8 } else { 4 })
    }

    pub(crate) fn install<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        match &self.threads {
            Some(pool) => pool.install(f),
            None => f(),
        }
    }
}
