//! Finds where news started from one look at the lattice eight steps later.
//!
//! Run with `cargo run --release -p glauber-fit --example where_did_it_start`.
#![allow(clippy::print_stdout)] // An example that shows its result.

use glauber_engine::{FieldData, Options, Plan, Run};
use glauber_fit::descent::{Control, Descent};
use glauber_fit::maps::Map;
use glauber_fit::optimizers::Choice;
use glauber_fit::tasks::initial_state::{
    InitialState, InitialStateSettings, ObservedFrame, RefinementSettings, StateLoss, refine,
};
use glauber_models::{ModelOptions, named};
use glauber_program::estimators::StraightThrough;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<f64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let get = |i: usize, default: f64| arguments.get(i).copied().unwrap_or(default);
    let (rate, steps, replicates) = (get(0, 0.3), get(1, 150.0) as u64, get(2, 16.0) as usize);
    let known = (get(3, 1.0) > 0.0).then_some(1);
    let loss = if get(4, 0.0) > 0.0 { StateLoss::SquaredError } else { StateLoss::CrossEntropy };
    let (first, last) = (get(5, 0.0) as u64, get(6, 20.0) as u64);
    let average = get(7, 0.0);
    let model = named("susceptible-infected", &ModelOptions::none().with("shape", vec![32.0, 32.0]))?;
    let (mut found, mut better, mut log_score) = (0, 0, 0.0);
    let (mut seconds, mut seconds2) = (0.0, 0.0);
    for case in first..last {
        let site = (case * 397 + 211) as usize % 1024;
        let mut start = vec![0u8; 1024];
        start[site] = 1;
        let plan = Plan::new(&model, &[], None, Options::default())?;
        let truth = Run::new(&[0.3], 8).seed(100 + case).start(vec![FieldData::shared(start)]);
        let last = plan.simulate(&truth)?.last;
        let frame = ObservedFrame { step: 8, layers: last[0].clone() };
        let options = Options { threads: 1, ..Options::default() };
        let settings = InitialStateSettings { replicates, start_sites: known, loss, seed: case, options };
        let mut objective =
            InitialState::new(&model, (&[0.3], &[]), vec![frame], &StraightThrough, settings)?;
        let mut descent = Descent::new(Choice::new(if rate > 2.0 { "sgd" } else { "adam" }), rate, steps);
        descent.average = average;
        let map = if known.is_some() { Map::Log } else { Map::Logit };
        descent.maps.insert("start of aware".into(), map);
        let begin = std::time::Instant::now();
        let start = objective.usual_start();
        let result = descent.run(&mut objective, &start, Control::default())?;
        seconds += begin.elapsed().as_secs_f64();
        let rank = |p: &[f64]| p.iter().filter(|x| **x >= p[site]).count() - 1;
        let p = objective.probabilities(&result.theta);
        if get(8, 0.0) > 0.0 {
            found += usize::from(rank(&p) < 10);
            println!(
                "case {case} rank {} p {:.4} max {:.3} loss {:.4}",
                rank(&p),
                p[site],
                p.iter().copied().fold(0.0, f64::max),
                result.loss
            );
            continue;
        }
        let begin = std::time::Instant::now();
        let refined =
            refine(&objective, &result.theta, RefinementSettings { seed: case, ..Default::default() })?;
        seconds2 += begin.elapsed().as_secs_f64();
        let q = &refined.map[0];
        found += usize::from(rank(&p) < 10);
        better += usize::from(rank(q) < 10);
        log_score += q[site].max(1e-6).ln();
        println!(
            "case {case}: site {site} rank {} p {:.3} sum {:.2} loss {:.4}; refined rank {} p {:.3} T {:.1}",
            rank(&p),
            p[site],
            p.iter().sum::<f64>(),
            result.loss,
            rank(q),
            q[site],
            refined.temperature
        );
    }
    println!(
        "among the top 1 % in {found} of {} cases, refined {better}; log score {log_score:.1}; {seconds:.1} s + {seconds2:.1} s",
        last - first
    );
    Ok(())
}
