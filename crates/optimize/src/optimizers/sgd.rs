//! Steps down the gradient, with momentum on request.
//!
//! m ← μ m + g,  x ← x − r m
//!
//! x: free coordinates; g: gradient at x; m: velocity, 0 at first; μ: `momentum` in \[0, 1); r: learning rate.
//!
//! Polyak (1964), *Some methods of speeding up the convergence of iteration methods*, in the form where the
//! gradient is not scaled by 1 − μ: with momentum μ the long-run step is r / (1 − μ).
//! With μ = 0 it is plain gradient descent and remembers nothing.

use super::{Memory, Optimizer, OptimizerEntry, OptionSpec};

pub(super) const MOMENTUM: OptionSpec = OptionSpec {
    name: "momentum",
    default: 0.0,
    accepts: |m| (0.0..1.0).contains(&m),
    range: "at least 0 and below 1",
    meaning: "share of the last step that is kept",
};

pub(super) const ENTRY: OptimizerEntry = OptimizerEntry {
    name: "sgd",
    summary: "steps down the gradient, with momentum on request",
    options: &[MOMENTUM],
    usual_rate: None,
    by_sign: false,
    build: |options| Box::new(Sgd { momentum: options.get("momentum") }),
};

/// Gradient descent.
#[derive(Clone, Copy, Debug)]
struct Sgd {
    momentum: f64,
}

impl Optimizer for Sgd {
    fn begin(&self, length: usize) -> Memory {
        if self.momentum > 0.0 { Memory::with([("velocity", vec![0.0; length])]) } else { Memory::default() }
    }

    fn step(&self, memory: &mut Memory, point: &mut [f64], gradient: &[f64], rate: f64) {
        if self.momentum > 0.0 {
            let [velocity] = memory.lists();
            for ((x, &g), m) in point.iter_mut().zip(gradient).zip(velocity) {
                *m = self.momentum * *m + g;
                *x -= rate * *m;
            }
        } else {
            for (x, &g) in point.iter_mut().zip(gradient) {
                *x -= rate * g;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp)] // powers of two: exact
    fn momentum_adds_up() {
        let heavy = Sgd { momentum: 0.5 };
        let (mut point, mut memory) = (vec![0.0], heavy.begin(1));
        for _ in 0..3 {
            heavy.step(&mut memory, &mut point, &[1.0], 1.0);
        }
        assert_eq!(point, [-(1.0 + 1.5 + 1.75)]);
        assert!(Sgd { momentum: 0.0 }.begin(7).slots.is_empty());
    }
}
