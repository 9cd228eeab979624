//! Times one Malevanets–Kapral gradient step: 500 steps forwards and backwards from a pattern, on one thread.
//! Arguments: how often (20), and how many steps (500).
//!
//! Prints the loss and the time of every repetition in milliseconds; `bench/python_overhead.py` compares it with the same
//! step from Python.
#![allow(clippy::print_stdout)] // A measurement for a terminal.

use std::time::Instant;

use glauber::models::{ModelOptions, named};
use glauber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = |place: usize, usual: usize| std::env::args().nth(place).map_or(Ok(usual), |n| n.parse());
    let (repetitions, steps): (usize, usize) = (argument(1, 20)?, argument(2, 500)?);
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
    for repetition in 0..=repetitions {
        let begin = Instant::now();
        let mut run = Run::new(&parameters, steps).seed(1).start(pattern.clone()).observe(steps, 0);
        run.fields = ["A before", "B before"].map(String::from).into_iter().zip(pattern.clone()).collect();
        let gradient = plan.gradient(&run, &|m| LossValue { value: m[0].ln(), slopes: vec![1.0 / m[0]] })?;
        if repetition > 0 {
            println!("{:?} {:.4}", gradient.value, 1e3 * begin.elapsed().as_secs_f64());
        }
    }
    Ok(())
}
