//! Says what the law of a step is, as programs: its exact likelihood, what it leaves to chance, its mean-field filter.

mod chance;
mod exact;
mod filter;

pub use chance::chance;
pub use exact::{LOG_LIKELIHOOD, log_likelihood};
pub use filter::{Filter, mean_field_filter};
