//! Holds the problems that are timed, and the same written by hand, as the limit to compare the engine with.
//!
//! The handwritten versions draw the same noise as the engine, so their states agree bit for bit and their gradients
//! to rounding: the tests here check that what is compared is the same work. `cargo xtask bench` runs the timings.

pub mod handwritten;
pub mod problems;
