//! Counts how often the site where news started is found from one look at the lattice eight steps later.
//!
//! Run with `cargo run --release -p glauber-fit --example where_did_it_start`.
#![allow(clippy::print_stdout)] // An example that shows its result.

use glauber_engine::{FieldData, Options, Plan, Run};
use glauber_fit::outcome::StartMap;
use glauber_models::{ModelOptions, named};
use glauber_optimize::descent::{Control, Descent};
use glauber_optimize::maps::Map;
use glauber_optimize::optimizers::Choice;
use glauber_program::estimators::StraightThrough;
use glauber_tasks::tasks::initial_state::{
    InitialState, InitialStateSettings, ObservedFrame, RefinementSettings, StateLoss, refine, start_field,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = named("susceptible-infected", &ModelOptions::none().with("shape", vec![32.0, 32.0]))?;
    let plan = Plan::new(&model, &[], None, Options::default())?;
    let (mut by_gradient, mut refined) = (0, 0);
    for case in 0..20u64 {
        let site = (case * 397 + 211) as usize % 1024;
        let mut start = vec![0u8; 1024];
        start[site] = 1;
        let truth = Run::new(&[0.3], 8).seed(100 + case).start(vec![FieldData::shared(start)]);
        let frame = ObservedFrame { step: 8, layers: plan.simulate(&truth)?.last[0].clone() };
        let settings = InitialStateSettings {
            replicates: 32,
            start_sites: Some(1),
            loss: StateLoss::CrossEntropy,
            sparsity: 0.0,
            seed: case,
            options: Options::default(),
        };
        let mut objective =
            InitialState::new(&model, (&[0.3], &[]), vec![frame], &StraightThrough, settings)?;
        let mut descent = Descent::new(Choice::new("adam"), 0.1, 60);
        descent.maps.insert(start_field("aware"), Map::Log);
        let start = objective.usual_start();
        let theta = descent.run(&mut objective, &start, Control::default())?.theta;
        let found = refine(&objective, &theta, RefinementSettings { seed: case, ..Default::default() })?;
        let before = StartMap::rank(&objective.probabilities(&theta), site);
        let (after, p) = (StartMap::rank(&found.map[0], site), found.map[0][site]);
        by_gradient += usize::from(before < 10);
        refined += usize::from(after < 10);
        println!(
            "case {case:2}: place {:3} by the gradient, {:2} refined, probability {p:.2}",
            before + 1,
            after + 1
        );
    }
    println!("among the top 1 % of 1024 sites in {by_gradient} of 20 cases, refined in {refined}");
    Ok(())
}
