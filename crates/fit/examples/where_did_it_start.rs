//! Finds where news started from one look at the lattice eight steps later.
//!
//! Run with `cargo run --release -p glauber-fit --example where_did_it_start`.
#![allow(clippy::print_stdout)] // An example that shows its result.

use glauber_engine::{FieldData, Options, Plan, Run};
use glauber_fit::descent::{Control, Descent};
use glauber_fit::optimizers::Choice;
use glauber_fit::tasks::initial_state::{InitialState, InitialStateSettings, ObservedFrame};
use glauber_models::{ModelOptions, named};
use glauber_program::estimators::StraightThrough;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<f64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let get = |i: usize, default: f64| arguments.get(i).copied().unwrap_or(default);
    let (rate, steps, replicates, sparsity, begin) =
        (get(0, 0.3), get(1, 150.0) as u64, get(2, 16.0) as usize, get(3, 1.0), get(4, 0.02));
    let model = named("susceptible-infected", &ModelOptions::none().with("shape", vec![32.0, 32.0]))?;
    let mut found = 0;
    for case in 0..20u64 {
        let site = (case * 397 + 211) as usize % 1024;
        let mut start = vec![0u8; 1024];
        start[site] = 1;
        let plan = Plan::new(&model, &[], None, Options::default())?;
        let truth = Run::new(&[0.3], 8).seed(100 + case).start(vec![FieldData::shared(start)]);
        let last = plan.simulate(&truth)?.last;
        let frame = ObservedFrame { step: 8, layers: last[0].clone() };
        let settings = InitialStateSettings { replicates, sparsity, seed: case, options: Options::default() };
        let mut objective = InitialState::new(&model, &[0.3], vec![frame], &StraightThrough, settings)?;
        let mut descent = Descent::new(Choice::new("adam"), rate, steps);
        descent.maps.insert("start of aware".into(), glauber_fit::maps::Map::Logit);
        let result = descent.run(&mut objective, &[begin; 1024], Control::default())?;
        let p = &result.theta;
        let rank = p.iter().filter(|x| **x > p[site]).count();
        found += usize::from(rank < 10);
        println!(
            "case {case}: site {site} has rank {rank} of 1024, p = {:.3}, sum {:.2}",
            p[site],
            p.iter().sum::<f64>()
        );
    }
    println!("among the top 1 % in {found} of 20 cases");
    Ok(())
}
