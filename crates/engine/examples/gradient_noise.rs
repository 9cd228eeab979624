//! Measures how noisy each gradient estimator is through some steps, and what it costs beside a forward run.
//!
//! On a torus of 64 × 64 sites, the derivative of the mean of a layer after T steps, from one drawn start that is held
//! fixed: the contact process by its birth probability, and the spread of news by its contact probability.
//! `docs/gradients.md` has the numbers. Arguments: gradients for each standard deviation (200), rollouts for each
//! gradient (100). Times are the processor's own where the system tells them (Linux), so that other work beside this one does not
//! count; else the clock's.
#![allow(clippy::print_stdout, clippy::disallowed_methods)] // A measurement for a terminal, with a clock.

use std::time::Instant;

use glauber_engine::{FieldData, LossValue, Options, Plan, Run};
use glauber_lattice::{Lattice, Moore, Values};
use glauber_program::estimators::{EstimatorOptions, named};
use glauber_program::{Interval, Model, ModelError};

fn contact() -> Result<Model, ModelError> {
    Model::build("contact", Lattice::square(64))
        .layer("on", Values::binary())
        .parameter("b", Interval::unit())
        .parameter("g", Interval::unit())
        .parameter("first", Interval::unit())
        .start(|s| s.next("on").bernoulli(s.parameter("first")))
        .step(|s| {
            let on = s.layer("on");
            let born = 1.0 - (1.0 - s.parameter("b")).pow(on.neighbours(Moore).sum());
            s.next("on").bernoulli(on * (1.0 - s.parameter("g")) + (1.0 - on) * born);
        })
}

struct Case {
    name: &'static str,
    theta: [f64; 3],
    steps: &'static [usize],
}

const CASES: [Case; 2] = [
    Case { name: "contact process", theta: [0.08, 0.2, 0.3], steps: &[1, 5, 10, 20, 50] },
    Case { name: "susceptible-infected", theta: [0.05, 0.0, 0.005], steps: &[10] },
];

/// Seconds so far: of the processor, of all threads, or else of a clock that began at `begun`.
fn seconds(begun: Instant) -> f64 {
    // Threads that have ended count too. A tick is a hundredth of a second.
    let ticks = || -> Option<f64> {
        let text = std::fs::read_to_string("/proc/self/stat").ok()?;
        let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
        Some(fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?)
    };
    ticks().map_or_else(|| begun.elapsed().as_secs_f64(), |ticks| 0.01 * ticks)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |k: usize, usual: usize| std::env::args().nth(k).map_or(Ok(usual), |n| n.parse());
    let (gradients, rollouts) = (number(1, 200)?, number(2, 100)?);
    let model = contact()?;
    let mean = model.observe(|s| s.output("mean", s.layer("on").mean()))?;
    let options = Options { threads: 1, ..Options::default() };
    let forwards = Plan::new(&model, &[mean.clone().into()], None, options)?;
    let clock = Instant::now();
    for case in &CASES {
        let start = forwards.simulate(&Run::new(&case.theta, 0).seed(5))?.last;
        let start: Vec<FieldData> = start.concat().into_iter().map(FieldData::shared).collect();
        for &steps in case.steps {
            println!("{}, {steps} steps", case.name);
            let run = |seed: usize, rollouts: usize| {
                let run = Run::new(&case.theta, steps).replicates(rollouts).seed(seed as u64);
                run.start(start.clone()).observe(steps, 0).without_last()
            };
            let begun = seconds(clock);
            for seed in 0..gradients {
                forwards.simulate(&run(seed, rollouts))?;
            }
            let forward = seconds(clock) - begun;
            println!("  forward run: {:.1} µs a step", 1e6 * forward / (gradients * rollouts * steps) as f64);
            let estimators = [
                ("score-function", None, 1),
                ("light-cone", None, 1),
                ("light-cone", Some(4), 1),
                ("straight-through", None, 1),
                ("reinmax", None, 1),
                ("differences", None, 2),
            ];
            for (name, radius, runs) in estimators {
                let Ok(estimator) = named(name, EstimatorOptions { radius, ..EstimatorOptions::default() })
                else {
                    continue;
                };
                let plan = Plan::new(&model, &[mean.clone().into()], Some(&*estimator), options)?;
                let loss = |m: &[f64]| LossValue { value: m[0], slopes: vec![1.0] };
                let begun = seconds(clock);
                let found: Result<Vec<f64>, _> = (0..gradients)
                    .map(|k| plan.gradient(&run(k, rollouts / runs), &loss).map(|g| g.parameters[0]))
                    .collect();
                let (found, n) = (found?, gradients as f64);
                let cost = (seconds(clock) - begun) / forward;
                let mean = found.iter().sum::<f64>() / n;
                let sd = (found.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
                let name = format!("{name}{}", radius.map_or(String::new(), |r| format!(", radius {r}")));
                println!("  {name:22} {mean:8.4} ± {:.4}, sd {sd:.4}, cost {cost:.2}", sd / n.sqrt());
            }
        }
    }
    Ok(())
}
