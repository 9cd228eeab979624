//! Times Malevanets–Kapral gradient steps: some steps forwards and backwards from a pattern, on one thread.
//! Argument: how many steps (500). Every line of the standard input is a number of gradients to take.
//!
//! Prints for each line the loss and the milliseconds that one gradient took; `bench/python_overhead.py` takes turns with
//! it, so that both faces are measured warm and at the same time.
#![allow(clippy::print_stdout)] // A measurement for a terminal.

use std::io::{BufRead, Write};
use std::time::Instant;

use glauber::models::{ModelOptions, named};
use glauber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let steps: usize = std::env::args().nth(1).map_or(Ok(500), |n| n.parse())?;
    let model = named("malevanets-kapral", &ModelOptions::none())?;
    let parameters = [0.1, 0.4, 0.98, 0.1, 0.2];
    let distance = model.observe(|s| {
        let off = |layer: &str| s.layer(layer) - s.data(&format!("{layer} before"));
        s.output("distance", (off("A") * off("A") + off("B") * off("B")).sum());
    })?;
    let options = Options { threads: 1, ..Options::default() };
    let plan = Plan::new(&model, &[distance.into()], Some(&StraightThrough), options)?;
    let site = |modulus: usize| (0..64 * 64).map(|i| (20 + i % modulus) as f64).collect::<Vec<f64>>();
    let pattern: Vec<FieldData> = [site(11), site(7)].into_iter().map(FieldData::shared).collect();
    for line in std::io::stdin().lock().lines() {
        let repetitions: usize = line?.trim().parse()?;
        let begin = Instant::now();
        let mut value = f64::NAN;
        for _ in 0..repetitions {
            let mut run = Run::new(&parameters, steps).seed(1).start(pattern.clone()).observe(steps, 0);
            run.fields =
                ["A before", "B before"].map(String::from).into_iter().zip(pattern.clone()).collect();
            value = plan.gradient(&run, &|m| LossValue { value: m[0].ln(), slopes: vec![1.0 / m[0]] })?.value;
        }
        println!("{value:?} {:.6}", 1e3 * begin.elapsed().as_secs_f64() / repetitions.max(1) as f64);
        std::io::stdout().flush()?;
    }
    Ok(())
}
