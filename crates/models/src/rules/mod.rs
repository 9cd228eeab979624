//! Holds what several models share, for any model: sweeps in checkerboard order, hops, starts, transitions.

mod checkerboard;
mod hops;
mod starts;
mod transitions;

pub use checkerboard::Checkerboard;
pub use hops::{hopped, within};
pub use starts::{Seeds, centre};
pub use transitions::{Transition, is_state, next_state};
