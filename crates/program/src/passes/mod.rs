//! Rewrites programs without changing what they mean, and finds what of their meaning a backend may use.
//!
//! Every backend starts from the same programs: these passes say what a categorical draw is in comparisons, which
//! expressions are functions of few values, which values of an adjoint its step has made already, how far a program
//! reads, and what is left of it where it is only simulated.

mod colour;
mod last;
mod lower;
mod reach;
mod simulated;
pub mod sublattices;
mod tables;
mod tabulate;
mod twins;

pub use colour::{Colour, choice};
pub use last::without_state_adjoints;
pub use lower::lowered;
pub use reach::reach;
pub use sublattices::sublattices;
pub use tables::{MOST_ENTRIES, Table, TableKey, table_keys, table_keys_given};
pub use tabulate::Tables;
pub use twins::twins;
