//! Sorting of two types of cells: the reference table of two independent programs.
#![allow(clippy::unwrap_used)]

use glauber_cellular_potts::{Acceptance, Cells, Elastic, Energy, Order, Simulation};
use glauber_lattice::Lattice;
use glauber_statistics::tolerance::{SampleMean, mean_within_estimated, shared};

/// 96², a block of 100 cells of 6 × 6, half of each type.
fn start() -> Cells {
    let mut labels = vec![0; 96 * 96];
    let mut types = vec![0];
    for r in 0..10 {
        for q in 0..10 {
            let label = types.len() as u32;
            types.push(if (7 * r + 3 * q) % 10 < 5 { 1 } else { 2 });
            for y in 0..6 {
                let from = (18 + 6 * r + y) * 96 + 18 + 6 * q;
                labels[from..from + 6].fill(label);
            }
        }
    }
    Cells::new(Lattice::square(96), labels, types).unwrap()
}

fn energy() -> Energy {
    Energy {
        volume: Some(vec![Elastic { strength: 0.1, target: 40.0 }; 2]),
        ..Energy::of_adhesion(2, vec![0.0, 1.6, 1.6, 1.6, 1.4, 1.1, 1.6, 1.1, 0.2])
    }
}

/// Pairs 0–1, 0–2, 1–1, 1–2, 2–2, mean volume, standard deviation of volume.
fn row(cells: &Cells) -> [f64; 7] {
    let pairs = cells.pairs_by_types(2);
    let volumes: Vec<f64> = cells.volumes()[1..].iter().map(|&v| f64::from(v)).collect();
    let mean = volumes.iter().sum::<f64>() / 100.0;
    let variance = volumes.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 100.0;
    let pair = |a: usize, b: usize| pairs[3 * a + b] as f64;
    [pair(0, 1), pair(0, 2), pair(1, 1), pair(1, 2), pair(2, 2), mean, variance.sqrt()]
}

/// Mean and standard deviation over 32 seeds after so many steps.
const TABLE: [(u64, [(f64, f64); 7]); 5] = [
    (1, [(363., 6.), (364., 5.), (609., 11.), (1828., 16.), (811., 25.), (36.00, 0.04), (1.74, 0.13)]),
    (10, [(404., 12.), (353., 12.), (646., 22.), (1756., 34.), (1172., 46.), (36.10, 0.15), (2.67, 0.17)]),
    (100, [(488., 16.), (264., 17.), (711., 23.), (1557., 39.), (1438., 57.), (36.83, 0.22), (2.68, 0.18)]),
    (500, [(559., 32.), (156., 31.), (771., 31.), (1360., 56.), (1663., 80.), (36.93, 0.24), (2.66, 0.18)]),
    (1000, [(584., 35.), (122., 35.), (848., 51.), (1190., 90.), (1797., 90.), (36.98, 0.26), (2.58, 0.20)]),
];

fn rows(order: Order, seeds: u32, until: u64) -> Vec<Vec<[f64; 7]>> {
    let times: Vec<u64> = TABLE.iter().map(|(t, _)| *t).filter(|&t| t <= until).collect();
    (0..seeds)
        .map(|replicate| {
            let mut simulation =
                Simulation::new(start(), &energy(), Acceptance::Metropolis, order, 11, replicate).unwrap();
            times
                .iter()
                .map(|&time| {
                    simulation.run(time - simulation.step());
                    row(&simulation.cells())
                })
                .collect()
        })
        .collect()
}

/// Prints the table of an order.
fn tell(order: Order, rows: &[Vec<[f64; 7]>]) {
    for (index, (time, wanted)) in TABLE.iter().enumerate().take(rows[0].len()) {
        let mut line = format!("{order:?} {time:5}");
        for column in 0..7 {
            let sample: Vec<f64> = rows.iter().map(|seed| seed[index][column]).collect();
            let found = SampleMean::of(&sample);
            let apart = (found.mean - wanted[column].0) / (wanted[column].1 * (2.0 / 32_f64).sqrt());
            line += &format!(" | {:.2} ({:.2}) {apart:+.1}", found.mean, found.sd);
        }
        #[allow(clippy::print_stderr)]
        {
            eprintln!("{line}");
        }
    }
}

/// Both tables are means over samples, the reference's over 32 seeds. Their difference is held against Student's law with the
/// error sqrt(sd²/32 + sd'²/seeds). Bound: one false alarm in 1,000 for the whole table, shared among its numbers; half a
/// unit of the last printed digit is granted.
fn agrees(rows: &[Vec<[f64; 7]>]) {
    tell(Order::RandomSequential, rows);
    let seeds = rows.len() as f64;
    let times = rows[0].len();
    for (index, (time, wanted)) in TABLE.iter().enumerate().take(times) {
        for (column, (right, sd)) in wanted.iter().enumerate() {
            let sample: Vec<f64> = rows.iter().map(|seed| seed[index][column]).collect();
            let found = SampleMean::of(&sample);
            let error = (sd * sd / 32.0 + found.sd * found.sd / seeds).sqrt();
            let numbers = 32 + rows.len() - 1;
            let printed = if column < 5 { 0.5 } else { 0.005 };
            let limit =
                mean_within_estimated(numbers, error * (numbers as f64).sqrt(), shared(1e-3, 7 * times))
                    + printed;
            let apart = (found.mean - right).abs();
            assert!(apart <= limit, "{time} steps, column {column}: {} instead of {right}", found.mean);
        }
    }
}

#[test]
fn sorting_begins_as_in_two_other_programs() {
    agrees(&rows(Order::RandomSequential, 8, 100));
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn sorting_is_that_of_two_other_programs() {
    agrees(&rows(Order::RandomSequential, 32, 1000));
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn how_far_sublattices_depart() {
    tell(Order::Sublattices, &rows(Order::Sublattices, 32, 1000));
}
