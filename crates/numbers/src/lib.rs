//! Says what a number is: one contract for everything that computes.
//!
//! The same functions fold constants, run in kernels and in the interpreter that checks them, so the same formula gives
//! the same bits wherever it is evaluated.

// The number types of the kernels …
pub mod real;
// … the functions that give the same bits on every machine …
pub mod elementary;
// … and noise: every number a function of (seed, replicate, step, draw, lane, site).
pub mod noise;
// Numbers that count are drawn from several words of it.
pub mod counts;
// One seed has many uses, listed once.
pub mod purpose;
