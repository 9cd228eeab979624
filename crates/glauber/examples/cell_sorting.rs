//! Sorts cells of two types by adhesion: the Cellular Potts model as a rule, by each update that it can have.
//!
//! Argument: how many steps (20).
#![allow(clippy::print_stdout)] // For a terminal.

use glauber::lattice::Neighbours;
use glauber::prelude::*;
use glauber::program::{Pick, Update};

/// Adhesion of types a and b in place 3 a + b.
const ADHESION: [f64; 9] = [0.0, 16.0, 16.0, 16.0, 14.0, 11.0, 16.0, 11.0, 2.0];

fn sorting(update: Update) -> Result<Model, Box<dyn std::error::Error>> {
    let types: Vec<f64> =
        (0..50).map(|k| if k == 0 { 0.0 } else { 1.0 + f64::from(k * 7 % 10 / 5) }).collect();
    let around: Vec<[i32; 3]> = Moore.on(2).offsets().to_vec();
    let model = Model::build("cell-sorting", Lattice::square(56))
        .layer("cell", Values::labels(49))
        .parameter_or("T", Interval::new(1.0, 100.0), 10.0)
        .update(update)
        .start(|s| {
            let [y, x] = [0, 1].map(|axis| (s.coordinate(axis) / 8.0).floor());
            s.next("cell").set(1.0 + 7.0 * y + x);
        })
        .step(|s| {
            let (cell, volume) = (s.layer("cell"), s.cell_sum(1.0, "cell"));
            let new = cell.at(s.neighbour(Moore));
            let cost = |label: Expr| {
                let excess = 2.0 * label.greater(0.0) * (s.of_cell(volume, label) - 50.0);
                around.iter().fold(excess, |sum, offset| {
                    let other = cell.shift(*offset);
                    let pair = 3.0 * s.of_cell(&types, label) + s.of_cell(&types, other);
                    sum + (1.0 - other.equals(label)) * s.look_up(&ADHESION, pair)
                })
            };
            let rise = cost(new) - cost(cell) + new.greater(0.0) + cell.greater(0.0);
            let accepted = s.bernoulli((-rise.max(0.0) / s.parameter("T")).exp());
            s.next("cell").set(accepted.select(new, cell));
        })?;
    Ok(model)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let steps: usize = std::env::args().nth(1).map_or(Ok(20), |n| n.parse())?;
    for update in [Update::sequential(Pick::AnySite), Update::Sublattices] {
        let plan = Plan::new(&sorting(update.clone())?, &[], None, Options::default())?;
        let begun = std::time::Instant::now();
        let labels = plan.simulate(&Run::new(&[10.0], steps).seed(1))?.last.remove(0).remove(0);
        let took = begun.elapsed().as_secs_f64();
        let unlike =
            (0..labels.len()).filter(|i| labels[*i].to_bits() != labels[(i + 1) % labels.len()].to_bits());
        println!(
            "{update}: {} unlike pairs in rows after {steps} steps; {:.2} million attempts a second",
            unlike.count(),
            (steps * labels.len()) as f64 / took / 1e6
        );
    }
    Ok(())
}
