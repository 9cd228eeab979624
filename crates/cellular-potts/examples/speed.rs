//! Times both orders on packed cells of two types: `cargo run --release -p glauber-cellular-potts --example speed [side] [steps] [order]`,
//! order 0 or 1 for one of them.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use glauber_cellular_potts::{Acceptance, Cells, Elastic, Energy, Order, Simulation};
use glauber_lattice::Lattice;

/// How often each is timed.
const RUNS: usize = 11;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = |place: usize| std::env::args().nth(place).and_then(|word| word.parse::<usize>().ok());
    let side = argument(1).unwrap_or(252);
    let steps = argument(2).unwrap_or(1000) as u64;
    // Cells of 7 × 7 side by side, types in turns.
    let across = side.div_ceil(7);
    let label = |y: usize, x: usize| 1 + (y / 7 * across + x / 7) as u32;
    let labels = (0..side * side).map(|site| label(site / side, site % side)).collect();
    let types = (0..=across * across).map(|cell| if cell == 0 { 0 } else { 1 + (cell % 2) as u8 }).collect();
    let cells = Cells::new(Lattice::square(side), labels, types)?;
    let energy = Energy {
        volume: Some(vec![Elastic { strength: 0.1, target: 49.0 }; 2]),
        ..Energy::of_adhesion(2, vec![0.0, 1.6, 1.6, 1.6, 1.4, 1.1, 1.6, 1.1, 0.2])
    };
    let start = Instant::now();
    for order in [Order::RandomSequential, Order::Sublattices] {
        if argument(3).is_some_and(|only| only != order as usize) {
            continue;
        }
        let mut simulation = Simulation::new(cells.clone(), &energy, Acceptance::Metropolis, order, 1, 0)?;
        simulation.run(steps / 10);
        let mut rates: Vec<f64> = Vec::new();
        for _ in 0..RUNS {
            let clock = seconds(&start);
            simulation.run(steps);
            rates.push((steps * (side * side) as u64) as f64 / (seconds(&start) - clock) / 1e6);
        }
        rates.sort_by(f64::total_cmp);
        println!(
            "{side}², {order:?}: {:.1} million attempts/s (median of {RUNS} runs, {:.1}–{:.1})",
            rates[RUNS / 2],
            rates[0],
            rates[RUNS - 1]
        );
    }
    Ok(())
}

/// The time that this thread had a processor to itself, where the system says so (Linux, by ticks of some milliseconds: let a run take
/// a quarter of a second); else the time that passed. For one thread: set `RAYON_NUM_THREADS=1`.
fn seconds(start: &Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    ran.map_or_else(|| start.elapsed().as_secs_f64(), |nanoseconds| nanoseconds * 1e-9)
}
