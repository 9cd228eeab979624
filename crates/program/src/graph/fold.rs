//! Folds constants with the functions that run, so that a constant and a parameter of the same value give the same bits.

use glauber_numbers::elementary;
use glauber_numbers::real::Real;

use crate::op::{Binary, Comparison};

pub(crate) fn binary(function: Binary, x: f64, y: f64) -> f64 {
    match function {
        Binary::Add => x + y,
        Binary::Subtract => x - y,
        Binary::Multiply => x * y,
        Binary::Divide => x / y,
        Binary::Power => elementary::pow(x, y),
        Binary::Minimum => Real::min(x, y),
        Binary::Maximum => Real::max(x, y),
    }
}

#[allow(clippy::float_cmp)] // The instruction means exact equality.
pub(crate) fn holds(comparison: Comparison, x: f64, y: f64) -> bool {
    match comparison {
        Comparison::Equal => x == y,
        Comparison::Less => x < y,
        Comparison::LessOrEqual => x <= y,
    }
}
