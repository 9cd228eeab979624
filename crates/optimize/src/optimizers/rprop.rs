//! Steps by the gradient's sign alone, longer while it stays and shorter when it turns; for losses without noise.
//!
//! Per coordinate, with s = g · g_last:  s > 0: d ← min(1.2 d, 50);  s < 0: d ← max(d / 2, 1e-12), g ← 0;
//! then x ← x − r d sign(g),  g_last ← g
//!
//! x: free coordinates; g: gradient at x; d: step length in units of the learning rate r, 1 at first.
//!
//! Riedmiller & Braun (1993), *A direct adaptive method for faster backpropagation learning: the RPROP algorithm*;
//! the variant iRprop⁻ of Igel & Hüsken (2003), *Empirical evaluation of the improved Rprop learning algorithms*.
//! It needs no tuning and converges fast on an exact likelihood. With noisy gradients it is not for use: it follows
//! the sign of most draws, not their mean.

use super::{Memory, Optimizer, OptimizerEntry};

const LONGER: f64 = 1.2;
const SHORTER: f64 = 0.5;
const LONGEST: f64 = 50.0;
const SHORTEST: f64 = 1e-12;

pub(super) const ENTRY: OptimizerEntry = OptimizerEntry {
    name: "rprop",
    summary: "steps by the gradient's sign, for losses without noise",
    options: &[],
    usual_rate: Some(0.1),
    by_sign: true,
    build: |_| Box::new(Rprop),
};

/// Resilient propagation.
#[derive(Clone, Copy, Debug)]
struct Rprop;

impl Optimizer for Rprop {
    fn begin(&self, length: usize) -> Memory {
        Memory::with([("length", vec![1.0; length]), ("last-gradient", vec![0.0; length])])
    }

    fn step(&self, memory: &mut Memory, point: &mut [f64], gradient: &[f64], rate: f64) {
        let [length, last] = memory.lists();
        for (((x, &g), d), g_last) in point.iter_mut().zip(gradient).zip(length).zip(last) {
            let mut g = g;
            if (g > 0.0 && *g_last > 0.0) || (g < 0.0 && *g_last < 0.0) {
                *d = (LONGER * *d).min(LONGEST);
            } else if (g > 0.0 && *g_last < 0.0) || (g < 0.0 && *g_last > 0.0) {
                *d = (SHORTER * *d).max(SHORTEST);
                g = 0.0;
            }
            if g > 0.0 {
                *x -= rate * *d;
            } else if g < 0.0 {
                *x += rate * *d;
            }
            *g_last = g;
        }
    }
}
