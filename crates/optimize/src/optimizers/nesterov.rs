//! Steps down the gradient with Nesterov's momentum, which looks ahead along the velocity.
//!
//! m ← μ m + g,  x ← x − r (g + μ m)
//!
//! x: free coordinates; g: gradient at x; m: velocity, 0 at first; μ: `momentum` in \[0, 1); r: learning rate.
//!
//! Nesterov (1983), *A method of solving a convex programming problem with convergence rate O(1/k²)*; in the form of
//! Sutskever, Martens, Dahl & Hinton (2013) with the change of variables that keeps x at the point where the
//! gradient is taken (Bengio, Boulanger-Lewandowski & Pascanu 2013, eq. 7). Departure: μ is constant.

use super::{Memory, Optimizer, OptimizerEntry, OptionSpec, sgd};

pub(super) const ENTRY: OptimizerEntry = OptimizerEntry {
    name: "nesterov",
    summary: "steps down the gradient with a momentum that looks ahead",
    options: &[OptionSpec { default: 0.9, ..sgd::MOMENTUM }],
    usual_rate: None,
    by_sign: false,
    build: |options| Box::new(Nesterov { momentum: options.get("momentum") }),
};

/// Gradient descent with Nesterov's momentum.
#[derive(Clone, Copy, Debug)]
struct Nesterov {
    momentum: f64,
}

impl Optimizer for Nesterov {
    fn begin(&self, length: usize) -> Memory {
        Memory::with([("velocity", vec![0.0; length])])
    }

    fn step(&self, memory: &mut Memory, point: &mut [f64], gradient: &[f64], rate: f64) {
        let [velocity] = memory.lists();
        for ((x, &g), m) in point.iter_mut().zip(gradient).zip(velocity) {
            *m = self.momentum * *m + g;
            *x -= rate * (g + self.momentum * *m);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp)] // powers of two: exact
    fn two_steps_by_hand() {
        let rule = Nesterov { momentum: 0.5 };
        let (mut point, mut memory) = (vec![0.0], rule.begin(1));
        rule.step(&mut memory, &mut point, &[1.0], 1.0);
        assert_eq!(point, [-1.5]);
        rule.step(&mut memory, &mut point, &[1.0], 1.0);
        assert_eq!(point, [-1.5 - 1.75]);
    }
}
