//! Evaluates instructions that have one value for a whole replicate: parameters, draws all sites share, what follows from sums.

use glauber_program::{Binary, Comparison, Op, ValueId};

use glauber_backend::inputs::Inputs;
use glauber_numbers::elementary;
use glauber_numbers::real::Real;

/// The value of an instruction below site rank; `values` holds those of the instructions before it.
pub(crate) fn evaluate<F>(op: &Op, values: &[f64], inputs: &Inputs<'_, F>) -> f64 {
    let v = |value: &ValueId| values[value.index()];
    let address = inputs.address;
    match op {
        Op::Constant(number) => number.get(),
        Op::StepIndex => f64::from(address.step),
        Op::OutputAdjoint(i) => inputs.output_adjoints.get(*i as usize).copied().unwrap_or(0.0),
        Op::Advantage => inputs.advantage,
        Op::Unary(function, a) => function.value(v(a)),
        Op::Binary(function, a, b) => scalar_binary(*function, v(a), v(b)),
        Op::Compare(comparison, a, b) => f64::from(u8::from(holds(*comparison, v(a), v(b)))),
        Op::Select(c, yes, no) => {
            if v(c) != 0.0 {
                v(yes)
            } else {
                v(no)
            }
        }
        Op::Round(a, _) => v(a).round_ties_even(),
        Op::Uniform { draw, lane, .. } => address.key(*draw, *lane).uniform(0),
        Op::Centred { draw, lane, .. } => address.key(*draw, *lane).centred(0),
        Op::Bernoulli { p, u, .. } => f64::from(u8::from(v(u) < v(p))),
        Op::Normal(a, b) => crate::kernels::box_muller(v(a), v(b)),
        Op::Count { law, arguments, draw, .. } => {
            let mut numbers = [0.0; 2];
            numbers.iter_mut().zip(arguments).for_each(|(number, argument)| *number = v(argument));
            law.draw(&address.key(*draw, 0), 0, numbers)
        }
        // Parameters are set by `prepare`; what reads fields is no scalar.
        _ => f64::NAN,
    }
}

fn holds(comparison: Comparison, a: f64, b: f64) -> bool {
    #[allow(clippy::float_cmp)] // The instruction means exact equality.
    match comparison {
        Comparison::Equal => a == b,
        Comparison::Less => a < b,
        Comparison::LessOrEqual => a <= b,
    }
}

fn scalar_binary(function: Binary, a: f64, b: f64) -> f64 {
    match function {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Power => elementary::pow(a, b),
        Binary::Minimum => Real::min(a, b),
        Binary::Maximum => Real::max(a, b),
    }
}
