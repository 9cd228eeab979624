//! Gradients by differences of few rollouts are right in the mean: the step is not chosen by a difference that happens to be none.
#![allow(clippy::unwrap_used)]

use glauber_engine::{FieldData, LossValue, Options, Plan, Run};
use glauber_lattice::{Lattice, Values};
use glauber_program::estimators::Differences;
use glauber_program::{Interval, Model};
use glauber_statistics::tolerance::{mean_within, shared};

/// The mean of independent sites that are 1 with probability p: its slope is 1. What happens between two probabilities is
/// independent from place to place, so five points h apart give it over S sites with variance (2 · 49 + 2)/(144 h S).
#[test]
fn differences_of_few_rollouts_have_the_slope_as_their_mean() {
    const SEEDS: u64 = 800;
    let model = Model::build("independent", Lattice::square(4))
        .layer("a", Values::binary())
        .parameter("p", Interval::unit())
        .step(|s| s.next("a").bernoulli(s.parameter("p")))
        .unwrap();
    let mean = model.observe(|s| s.output("mean", s.layer("a").mean())).unwrap();
    let plan = Plan::new(&model, &[mean.into()], Some(&Differences), Options::default()).unwrap();
    let few = [1, 2, 5, 20];
    for replicates in few {
        let mut sum = 0.0;
        for seed in 0..SEEDS {
            let run = Run::new(&[0.1], 1)
                .replicates(replicates)
                .seed(seed)
                .start(vec![FieldData::shared(vec![0.0; 16])])
                .observe(1, 0);
            let loss = |m: &[f64]| LossValue { value: m[0], slopes: vec![1.0] };
            sum += plan.gradient(&run, &loss).unwrap().parameters[0];
        }
        // The step is 8 % of p.
        let error = (100.0 / 144.0 / (0.008 * 16.0 * replicates as f64) / SEEDS as f64).sqrt();
        let found = sum / SEEDS as f64;
        let bound = mean_within(error, shared(1e-4, few.len()));
        assert!((found - 1.0).abs() < bound, "{replicates} replicates: {found} ± {error}");
    }
}
