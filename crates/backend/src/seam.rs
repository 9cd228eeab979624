//! States how a plan runs, and what a backend does for it: it is given a model's programs, and runs them.
//!
//! The seam between what a model means and how it is computed. A backend gets a [`Bundle`] of programs and answers runs
//! that were checked before; noise, order of sums and elementary functions are those of `glauber-numbers`, so that states
//! and observations are the same bits on all of them. The backend of this crate compiles for vectors and threads; the tests have a second one,
//! an interpreter.

use glauber_program::Bundle;

use crate::blocks::Blocks;
use crate::error::EngineError;
use crate::observation::Observation;
use crate::outcome::{Gradient, LossValue, Outputs, Recorder, Simulation};
use crate::run::Run;
use crate::simd::Simd;

/// In which precision sites are computed. Sums over sites and parameter gradients are always double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floating point.
    Single,
    /// 64-bit floating point.
    Double,
}

/// How a plan runs. None of it changes a result but the precision (and another backend may add up derivatives in another
/// order).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The precision of the sites.
    pub precision: Precision,
    /// The vector instructions.
    pub simd: Simd,
    /// How many threads; 0 for all cores.
    pub threads: usize,
    /// How many bytes of states a gradient may keep before it turns to checkpoints.
    pub memory: usize,
    /// Tables and fusion of kernels.
    pub compile: CompileOptions,
    /// What runs the programs: this engine where none is named. States and observations are the same bits on any.
    pub backend: Option<BackendName>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            precision: Precision::Single,
            simd: Simd::widest(),
            threads: 0,
            memory: 1 << 30,
            compile: CompileOptions::default(),
            backend: None,
        }
    }
}

/// How a program is prepared for running.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompileOptions {
    /// Whether expressions of few values are evaluated once per value.
    pub tables: bool,
    /// Whether kernels are fused.
    pub fuse: bool,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions { tables: true, fuse: true }
    }
}

impl CompileOptions {
    /// Every instruction at every site, one kernel each: what the fast paths are compared with.
    pub fn plain() -> CompileOptions {
        CompileOptions { tables: false, fuse: false }
    }
}

/// What makes a model's programs ready to run.
pub trait Backend: Send + Sync {
    /// Its name, in lower case: two backends of one name are the same.
    fn name(&self) -> &'static str;

    /// Prepares the programs of a model; `observations` are those that the bundle was made for.
    ///
    /// # Errors
    /// What stands in the way, in the user's words.
    fn prepare(
        &self,
        bundle: Bundle,
        observations: &[Observation],
        options: &Options,
    ) -> Result<Box<dyn Prepared>, EngineError>;
}

/// A model's programs, ready to run. Runs come checked: lengths, ranges, intervals and events fit the model.
pub trait Prepared: Send + Sync {
    /// Runs forwards, showing states to a recorder.
    ///
    /// # Errors
    /// Where a rule leaves a layer's range or the arguments of a draw, or the run is stopped.
    fn simulate(&self, run: &Run<'_>, recorder: Option<&dyn Recorder>) -> Result<Simulation, EngineError>;

    /// Runs forwards and backwards: the gradient of a loss of the mean outputs. Asked only where the bundle has adjoints.
    ///
    /// # Errors
    /// As [`Prepared::simulate`]; [`EngineError::Memory`] where the history does not fit the memory allowed.
    fn gradient(
        &self,
        run: &Run<'_>,
        loss: &(dyn Fn(&[f64]) -> LossValue + Sync),
    ) -> Result<Gradient, EngineError>;

    /// Bytes that one state of one replicate takes in a history.
    fn bytes_per_state(&self) -> usize;

    /// Replicates that stay where they are run, where it can keep them.
    fn ensemble(&self) -> Option<Box<dyn Ensemble + '_>> {
        None
    }

    /// Its blocks of replicates one by one, where it has them: what lets a run be shared among machines.
    fn blocks(&self) -> Option<&dyn Blocks> {
        None
    }
}

/// Replicates whose states stay where they are run, from one stretch of a process to the next.
pub trait Ensemble: Send + Sync {
    /// Runs a stretch and keeps its last states: from the run's own start where nobody says `picks`, else replicate r from
    /// where replicate `picks[r]` stands. What comes after a start has its parameters, fields and number of replicates. After
    /// an error only a start is possible.
    ///
    /// # Errors
    /// As [`Prepared::simulate`].
    fn advance(&mut self, run: &Run<'_>, picks: Option<&[u32]>) -> Result<Outputs, EngineError>;

    /// A layer of a replicate, where it stands.
    fn layer(&self, replicate: usize, layer: usize) -> Vec<f64>;
}

/// A backend among the options: two are equal where their names are.
#[derive(Clone, Copy)]
pub struct BackendName(pub &'static dyn Backend);

impl PartialEq for BackendName {
    fn eq(&self, other: &BackendName) -> bool {
        self.0.name() == other.0.name()
    }
}

impl std::fmt::Debug for BackendName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}
