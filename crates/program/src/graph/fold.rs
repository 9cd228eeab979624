//! Folds constants with the functions that run, so that a constant and a parameter of the same value give the same bits.

use glauber_numbers::elementary;
use glauber_numbers::real::Real;

use crate::op::{Binary, Comparison, Unary};

pub(crate) fn unary(function: Unary, x: f64) -> f64 {
    match function {
        Unary::Negate => -x,
        Unary::Absolute => x.abs(),
        Unary::Sign => f64::from(u8::from(x > 0.0)) - f64::from(u8::from(x < 0.0)),
        Unary::SquareRoot => Real::sqrt(x),
        Unary::Exponential => elementary::exp(x),
        Unary::ExponentialMinusOne => elementary::exp_m1(x),
        Unary::Logarithm => elementary::ln(x),
        Unary::LogarithmOnePlus => elementary::ln_1p(x),
        Unary::Sigmoid => elementary::sigmoid(x),
        Unary::HyperbolicTangent => elementary::tanh(x),
        Unary::Sine => elementary::sin(x),
        Unary::Cosine => elementary::cos(x),
        Unary::Floor => Real::floor(x),
    }
}

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
