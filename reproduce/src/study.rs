//! Says what an experiment is: a list of parts, and what becomes of their results.

use crate::error::ReproduceError;
use crate::findings::Findings;
use crate::part::Part;
use crate::store::Store;

/// An experiment: what is to be done, and what becomes of the results.
pub(crate) trait Study {
    /// The parts, in an order in which each needs only those before it.
    fn parts(&self) -> Vec<Part>;

    /// Claims, figures and numbers, once every part is finished.
    fn findings(&self, store: &Store) -> Result<Findings, ReproduceError>;
}
