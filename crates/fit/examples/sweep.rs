//! Recovers β of susceptible–infected for ten targets from two bad starts each, by straight-through on the pixel loss.
//!
//! Run with `cargo run --release -p glauber-fit --example sweep`.
#![allow(clippy::print_stdout)] // An example that shows its result.

use std::time::Instant;

use glauber_engine::Options;
use glauber_models::{ModelOptions, named};
use glauber_optimize::descent::{Control, Descent};
use glauber_optimize::maps::Map;
use glauber_optimize::optimizers::Choice;
use glauber_program::estimators::StraightThrough;
use glauber_tasks::losses::transition::TRANSITION_LOSSES;
use glauber_tasks::states::States;
use glauber_tasks::tasks::transition::{Pairs, Transition};
use glauber_tasks::tasks::unknowns::Fitted;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let begin = Instant::now();
    let model = named("susceptible-infected", &ModelOptions::none())?;
    let fitted = Fitted::new(&model, &[])?;
    let loss = TRANSITION_LOSSES[0];
    let mut worst: f64 = 0.0;
    for target in [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] {
        // At a high β most of a run is over after a few steps: less to learn from a pair, so more steps of the fit.
        let (steps, runs, descents) = if target > 0.5 { (30, 200, 800) } else { (50, 100, 200) };
        let states = States::simulate(&model, &[target], steps, runs, 7)?;
        let pairs = Pairs::new(&model, &fitted, states, Options::default())?;
        for start in [0.01, 0.9] {
            let mut objective = Transition::new(
                &model,
                fitted.clone(),
                pairs.clone(),
                &loss,
                &StraightThrough,
                128,
                1,
                Options::default(),
            )?;
            let mut descent = Descent::new(Choice::new("sgd"), loss.usual_rate, descents);
            descent.average = 0.5;
            descent.maps.insert("beta".into(), Map::Clamp);
            let result = descent.run(&mut objective, &[start], Control::default())?;
            let estimate = &result.estimates[0];
            let error = (estimate.value - target).abs();
            worst = worst.max(error);
            println!(
                "true {target:4} from {start:4}: {:.5}, error {error:.5}, standard error {:.5}",
                estimate.value,
                estimate.standard_error.unwrap_or(f64::NAN)
            );
        }
    }
    println!("largest error {worst:.5}; {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}
