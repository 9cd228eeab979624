//! Compares what estimators take the derivative by a diffusion coefficient to be with the slope of the mean loss.
//!
//! The loss is ln Σ (x − x_ref)² between a Malevanets–Kapral pattern and what 500 steps make of it, at D_B = 0.85 and the
//! pattern's reaction rates, on 64 × 64. In the model one draw moves a whole plane, so its derivative is the mean of as
//! many sites; `docs/stability.md` has the numbers. Argument: how many rollouts for each mean (24; some minutes).
#![allow(clippy::print_stdout)] // A measurement for a terminal.

use glauber::models::{ModelOptions, named};
use glauber::prelude::*;
use glauber::program::estimators::{self, EstimatorOptions};

const COEFFICIENTS: [f64; 6] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4];
const ESTIMATORS: [(&str, f64); 8] = [
    ("straight-through", 1.0),
    ("gumbel-softmax", 1.0),
    ("gumbel-softmax", 0.8),
    ("gumbel-softmax", 0.5),
    ("straight-through + gumbel-softmax", 1.0),
    ("straight-through + gumbel-softmax", 0.75),
    ("straight-through + gumbel-softmax", 0.5),
    ("straight-through + reinmax", 1.0),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rollouts: usize = std::env::args().nth(1).map_or(Ok(24), |n| n.parse())?;
    let model = named("malevanets-kapral", &ModelOptions::none().with("excitation", "mean"))?;
    let simulator = Plan::new(&model, &[], None, Options::default())?;
    let made = simulator.simulate(&Run::new(&[0.1, 0.4, 0.98, 0.1, 0.2], 50_000).seed(1))?.last;
    let pattern: Vec<FieldData> = made.concat().into_iter().map(FieldData::shared).collect();
    let mut losses = Vec::new();
    for (name, temperature) in ESTIMATORS {
        let estimator =
            estimators::named(name, EstimatorOptions { temperature, ..EstimatorOptions::default() })?;
        let plan = plan(&model, &*estimator)?;
        println!("{name}, temperature {temperature}");
        losses.clear();
        for d in COEFFICIENTS {
            let found = derivatives(&plan, d, &pattern, rollouts)?;
            let (slope, error) = mean(found.iter().map(|f| f.1));
            println!("  D_A = {d:.2}: {slope:+.3} ± {error:.3}");
            losses.push(found.iter().map(|f| f.0).collect::<Vec<f64>>());
        }
    }
    println!("the slope of the mean loss, between two of these");
    for (pair, d) in losses.windows(2).zip(COEFFICIENTS.windows(2)) {
        let (slope, error) = mean(pair[1].iter().zip(&pair[0]).map(|(b, a)| (b - a) / (d[1] - d[0])));
        println!("  D_A = {:.3}: {slope:+.3} ± {error:.3}", 0.5 * (d[0] + d[1]));
    }
    Ok(())
}

fn plan(model: &Model, estimator: &dyn Estimator) -> Result<Plan, Box<dyn std::error::Error>> {
    let distance = model.observe(|s| {
        let off = |layer: &str| s.layer(layer) - s.data(&format!("{layer} before"));
        s.output("distance", (off("A") * off("A") + off("B") * off("B")).sum());
    })?;
    Ok(Plan::new(model, &[distance.into()], Some(estimator), Options::default())?)
}

/// The loss and its derivative by D_A, for each rollout; the rollouts' seeds are the same for every estimator.
fn derivatives(
    plan: &Plan,
    d: f64,
    pattern: &[FieldData],
    rollouts: usize,
) -> Result<Vec<(f64, f64)>, Box<dyn std::error::Error>> {
    let one = |rollout: usize| {
        let parameters = [d, 0.85, 0.98, 0.1, 0.2];
        let mut run =
            Run::new(&parameters, 500).seed(1000 + rollout as u64).start(pattern.to_vec()).observe(500, 0);
        run.fields = ["A before", "B before"].map(String::from).into_iter().zip(pattern.to_vec()).collect();
        let found = plan.gradient(&run, &|m| LossValue { value: m[0].ln(), slopes: vec![1.0 / m[0]] })?;
        Ok((found.value, found.parameters[0]))
    };
    (0..rollouts).map(one).collect()
}

/// Mean and standard error.
fn mean(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let numbers: Vec<f64> = numbers.collect();
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / (n * (n - 1.0))).sqrt())
}
