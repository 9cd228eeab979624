//! Checks that a fit of a noisy loss is called at rest where it has arrived, and nowhere else.
#![allow(clippy::unwrap_used)]

use glauber_optimize::descent::{Control, Descent};
use glauber_optimize::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};
use glauber_optimize::optimizers::Choice;

/// Uniform in (−1, 1), from two numbers.
fn noise(seed: u64, k: u64) -> f64 {
    let mut x = (seed << 32 ^ k).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x = (x ^ (x >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((x ^ (x >> 32)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// A valley: ½ stiff (a + b − 0.8)² + ½ soft (a − b)², with noise in its slopes.
struct Valley {
    unknowns: Vec<Unknown>,
    stiff: f64,
    soft: f64,
    noise: f64,
    seed: u64,
}

impl Objective for Valley {
    fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }
    fn evaluate(&mut self, t: &[f64], k: u64) -> Result<Evaluation, ObjectiveError> {
        let sum = t[0] + t[1] - 0.8 + self.noise * noise(self.seed, 2 * k);
        let difference = t[0] - t[1] + self.noise * noise(self.seed, 2 * k + 1);
        let (along, across) = (self.stiff * sum, self.soft * difference);
        let value = 0.5 * (along * sum + across * difference);
        Ok(Evaluation { value, gradient: vec![along + across, along - across] })
    }
}

/// What twenty fits of one kind were said to be.
#[derive(Debug, Default)]
struct Said {
    at_rest: usize,
    /// At rest, but farther from the optimum than eight times the simulation's noise and 1 % of the way of 0.2.
    wrongly: usize,
    not: usize,
}

fn said(optimizer: &str, rate: f64, steps: u64, soft: f64, noise: f64) -> Said {
    let mut said = Said::default();
    for seed in 0..20 {
        let unknowns = ["a", "b"].map(|name| Unknown::scalar(name, Interval::unit())).to_vec();
        let mut valley = Valley { unknowns, stiff: 1.0, soft, noise, seed };
        let descent = Descent { average: 0.4, ..Descent::new(Choice::new(optimizer), rate, steps) };
        let result = descent.run(&mut valley, &[0.6, 0.3], Control::default()).unwrap();
        let off = (result.theta[0] - 0.4).abs().max((result.theta[1] - 0.4).abs());
        let of_noise = result.estimates.iter().filter_map(|e| e.simulation_noise).fold(0.0, f64::max);
        match result.at_optimum {
            Some(true) => {
                said.at_rest += 1;
                said.wrongly += usize::from(off > (8.0 * of_noise).max(2e-3));
            }
            Some(false) => said.not += 1,
            None => {}
        }
    }
    said
}

#[test]
fn what_is_called_at_rest_has_arrived() {
    let (mut at_rest, mut wrongly) = (0, 0);
    for (optimizer, rates) in
        [("adam", &[0.01, 0.1][..]), ("sgd", &[0.5][..]), ("nesterov", &[0.1][..]), ("rprop", &[0.01][..])]
    {
        for (rate, steps) in rates.iter().flat_map(|r| [30, 60, 100, 300, 1000, 3000].map(|n| (*r, n))) {
            for (soft, noise) in [1.0, 0.03].into_iter().flat_map(|s| [0.0, 0.01, 0.1, 0.5].map(|n| (s, n))) {
                let own = said(optimizer, rate, steps, soft, noise);
                at_rest += own.at_rest;
                wrongly += own.wrongly;
            }
        }
    }
    assert!(at_rest > 800 && wrongly * 50 <= at_rest, "{wrongly} of {at_rest}");
}

#[test]
fn what_has_arrived_long_ago_is_called_at_rest() {
    for (optimizer, rate, noise) in [
        ("adam", 0.03, 0.1),
        ("adam", 0.1, 0.1),
        ("adam", 0.03, 0.0),
        ("sgd", 0.5, 0.1),
        ("nesterov", 0.1, 0.1),
    ] {
        let own = said(optimizer, rate, 3000, 1.0, noise);
        assert!(own.at_rest >= 15 && own.wrongly == 0 && own.not == 0, "{optimizer} {rate} {noise}: {own:?}");
    }
}
