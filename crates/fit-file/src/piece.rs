//! Names the pieces of a job that can be done apart, and whoever does them elsewhere or has them.

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

/// A piece of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Piece {
    /// The fit of this number.
    Attempt(usize),
    /// A fit of a bootstrap about an estimate.
    DataSet {
        /// The estimate.
        theta: Vec<f64>,
        /// Which data set.
        number: usize,
    },
}

/// Who does pieces of a job elsewhere, or has them.
pub trait Pieces: Send + Sync + std::fmt::Debug {
    /// Whether the only fit of a job is a piece too.
    fn has_single_fits(&self) -> bool {
        false
    }

    /// What came of each; none where it is to be done here. Once the flag is raised, what is there by then.
    fn done(&self, pieces: &[Piece], interrupt: &AtomicBool) -> Vec<Option<Vec<u8>>>;
}
