//! Steps by the mean of past gradients over the root of their mean square.
//!
//! m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  x ← x − r · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
//!
//! x: free coordinates; g: gradient at x; m, v: running means of g and g², 0 at first; t: steps taken, this one
//! included; the divisions by 1 − βᵗ take away the bias of starting at 0; r: learning rate, about the length of a
//! step in each coordinate whatever the loss's scale; ε: `epsilon`, which bounds the step where gradients vanish.
//!
//! Kingma & Ba (2015), *Adam: a method for stochastic optimization*, algorithm 1. No departure; βᵗ is kept as a
//! running product.

use super::{Memory, Optimizer, OptimizerEntry, OptionSpec};

const BETA_1: OptionSpec = OptionSpec {
    name: "beta1",
    default: 0.9,
    accepts: |b| (0.0..1.0).contains(&b),
    range: "at least 0 and below 1",
    meaning: "memory of the mean gradient",
};
const BETA_2: OptionSpec =
    OptionSpec { name: "beta2", default: 0.999, meaning: "memory of the mean squared gradient", ..BETA_1 };
const EPSILON: OptionSpec = OptionSpec {
    name: "epsilon",
    default: 1e-8,
    accepts: |e| e > 0.0 && e.is_finite(),
    range: "above 0",
    meaning: "added to the root mean square, against division by 0",
};

pub(super) const ENTRY: OptimizerEntry = OptimizerEntry {
    name: "adam",
    summary: "steps by the mean of past gradients over the root of their mean square",
    options: &[BETA_1, BETA_2, EPSILON],
    usual_rate: Some(0.01),
    by_sign: false,
    build: |options| {
        Box::new(Adam {
            beta_1: options.get(BETA_1.name),
            beta_2: options.get(BETA_2.name),
            epsilon: options.get(EPSILON.name),
        })
    },
};

/// Adaptive moment estimation.
#[derive(Clone, Copy, Debug)]
struct Adam {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Optimizer for Adam {
    fn begin(&self, length: usize) -> Memory {
        // Of the powers: β₁ᵗ and β₂ᵗ.
        Memory::with([
            ("mean", vec![0.0; length]),
            ("mean-square", vec![0.0; length]),
            ("powers", vec![1.0, 1.0]),
        ])
    }

    fn step(&self, memory: &mut Memory, point: &mut [f64], gradient: &[f64], rate: f64) {
        let [mean, square, powers] = memory.lists();
        let mut corrections = [1.0; 2];
        for ((power, beta), correction) in
            powers.iter_mut().zip([self.beta_1, self.beta_2]).zip(&mut corrections)
        {
            *power *= beta;
            *correction = 1.0 / (1.0 - *power);
        }
        let [of_mean, of_square] = corrections;
        for (((x, &g), m), v) in point.iter_mut().zip(gradient).zip(mean).zip(square) {
            *m = self.beta_1 * *m + (1.0 - self.beta_1) * g;
            *v = self.beta_2 * *v + (1.0 - self.beta_2) * g * g;
            *x -= rate * (*m * of_mean) / ((*v * of_square).sqrt() + self.epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_rate_whatever_the_gradient() {
        let adam = Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
        for g in [1e-3, 1.0, -1e6] {
            let (mut point, mut memory) = (vec![0.0], adam.begin(1));
            adam.step(&mut memory, &mut point, &[g], 0.01);
            // ε / |g| of the step is lost, and rounding.
            assert!(
                (point[0] + 0.01 * g.signum()).abs() <= 0.01 * (1e-8 / g.abs() + 1e-15),
                "{g}: {}",
                point[0]
            );
        }
    }

    #[test]
    fn two_steps_by_hand() {
        let adam = Adam { beta_1: 0.5, beta_2: 0.75, epsilon: 1e-300 };
        let (mut point, mut memory) = (vec![0.0], adam.begin(1));
        adam.step(&mut memory, &mut point, &[1.0], 1.0);
        adam.step(&mut memory, &mut point, &[3.0], 1.0);
        // m = .5·.5 + .5·3 = 1.75, over 1 − .25; v = .75·.25 + .25·9 = 2.4375, over 1 − .5625.
        let expected = -1.0 - (1.75 / 0.75) / (2.4375f64 / 0.4375).sqrt();
        assert!((point[0] - expected).abs() < 1e-14);
    }
}
