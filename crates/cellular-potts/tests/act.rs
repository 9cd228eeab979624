//! The Act model: speed and persistence of single cells against published data.
//!
//! Wortel, Niculescu, Kolijn, Gov, de Boer, Textor (2021), "Local actin dynamics couple speed and persistence in a cellular Potts
//! model of cell migration", Biophysical Journal 120, 2609; the data are public.
#![allow(clippy::unwrap_used)]

use glauber_cellular_potts::{Acceptance, Act, Cells, Elastic, Energy, Order, Simulation, displacement};
use glauber_lattice::Lattice;

const SIDE: usize = 150;
/// Steps between records.
const BETWEEN: u64 = 5;

/// (max_act, λ_act, speed in sites per step, half-life in steps)
const POINTS: [(u32, f64, f64, f64); 10] = [
    (30, 50.0, 0.0361, 11.2),
    (30, 200.0, 0.0879, 66.2),
    (30, 1000.0, 0.2264, 167.0),
    (40, 100.0, 0.0638, 71.4),
    (40, 300.0, 0.1584, 580.0),
    (50, 100.0, 0.0772, 130.0),
    (50, 200.0, 0.1384, 1289.0),
    (60, 100.0, 0.0937, 398.0),
    (80, 50.0, 0.0625, 188.0),
    (100, 50.0, 0.0731, 1007.0),
];

fn energy(most: u32, strength: f64) -> Energy {
    const T: f64 = 20.0;
    Energy {
        volume: Some(vec![Elastic { strength: 30.0 / T, target: 500.0 }]),
        perimeter: Some(vec![Elastic { strength: 2.0 / T, target: 260.0 }]),
        act: Some(vec![Act { strength: strength / T, most }]),
        ..Energy::of_adhesion(1, vec![0.0, 20.0 / T, 20.0 / T, 100.0 / T])
    }
}

/// A square cell of 22² sites.
fn start() -> Cells {
    let mut labels = vec![0; SIDE * SIDE];
    for y in 64..86 {
        labels[SIDE * y + 64..SIDE * y + 86].fill(1);
    }
    Cells::new(Lattice::square(SIDE), labels, vec![0, 1]).unwrap()
}

/// The displacements between records of one cell, after 500 steps.
fn displacements(most: u32, strength: f64, cell: u32, steps: u64) -> Vec<[f64; 2]> {
    let made = Simulation::new(
        start(),
        &energy(most, strength),
        Acceptance::Metropolis,
        Order::RandomSequential,
        5,
        cell,
    );
    let mut simulation = made.unwrap();
    simulation.run(500);
    let mut last = simulation.cells().centroids()[1].unwrap();
    let lattice = Lattice::square(SIDE);
    (0..steps / BETWEEN)
        .map(|_| {
            simulation.run(BETWEEN);
            let now = simulation.cells().centroids()[1].unwrap();
            let [_, y, x] = displacement(&lattice, last, now);
            last = now;
            [y, x]
        })
        .collect()
}

/// Mean displacement per step.
fn speed(tracks: &[Vec<[f64; 2]>]) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for [y, x] in tracks.iter().flatten() {
        sum += y.hypot(*x);
        count += 1;
    }
    sum / f64::from(count) / BETWEEN as f64
}

/// When the autocovariance of displacements has fallen to half its greatest value, in steps, found as in the paper's analysis:
/// from its values at 20 lags about as far as twice where it falls to half, smoothed by local parabolas over three quarters of
/// them. There a subtrack of k displacements, its first times its last, counts as k records long, so that the mean square
/// itself stands at one record, not at zero.
fn half_life(tracks: &[Vec<[f64; 2]>]) -> f64 {
    let value = |length: usize| {
        let (mut sum, mut count) = (0.0, 0_u32);
        for track in tracks {
            for (first, last) in track.iter().zip(&track[(length - 1).min(track.len())..]) {
                sum += first[0] * last[0] + first[1] * last[1];
                count += 1;
            }
        }
        sum / f64::from(count)
    };
    let half = value(1) / 2.0;
    let longest = tracks[0].len();
    let between = |from: f64, to: f64, count: usize| -> Vec<usize> {
        let at = |k: usize| (from.ln() + (to.ln() - from.ln()) * k as f64 / (count - 1) as f64).exp();
        (0..count).map(|k| at(k).round() as usize).collect()
    };
    let mut rough = between(1.0, longest as f64, 500);
    rough.dedup();
    let fallen = rough.into_iter().find(|&length| value(length) <= half).unwrap();
    let end = (2 * fallen).min(longest - 1);
    let mut lengths = match end {
        0..20 => (1..=20).collect(),
        20..550 => (1..=10).chain(between(11.0, end as f64, 10)).collect(),
        _ => between(1.0, end as f64, 21),
    };
    lengths.dedup();
    let points: Vec<(f64, f64)> =
        lengths.iter().map(|&length| (length as f64 * BETWEEN as f64, value(length))).collect();
    let smooth: Vec<(f64, f64)> = points.iter().map(|(x, _)| (*x, local_parabola(&points, *x))).collect();
    let greatest = points.iter().map(|(_, y)| *y).fold(f64::MIN, f64::max);
    let after = smooth.iter().position(|(_, y)| *y <= greatest / 2.0).unwrap().max(1);
    let ((x0, y0), (x1, y1)) = (smooth[after - 1], smooth[after]);
    x0 + (x1 - x0) * (y0 - greatest / 2.0) / (y0 - y1)
}

/// A parabola fitted to the nearest three quarters of the points, with weights (1 − (d/d_max)³)³, at x.
fn local_parabola(points: &[(f64, f64)], x: f64) -> f64 {
    let mut apart: Vec<f64> = points.iter().map(|(p, _)| (p - x).abs()).collect();
    apart.sort_by(f64::total_cmp);
    let reach = apart[points.len() * 3 / 4 - 1];
    let mut matrix = [[0.0; 4]; 3];
    for (p, y) in points {
        let d = (p - x) / reach;
        let weight = (1.0 - d.abs().min(1.0).powi(3)).powi(3);
        let powers = [1.0, d, d * d];
        for row in 0..3 {
            for column in 0..3 {
                matrix[row][column] += weight * powers[row] * powers[column];
            }
            matrix[row][3] += weight * powers[row] * y;
        }
    }
    for pivot in 0..3 {
        for row in 0..3 {
            if row != pivot {
                let factor = matrix[row][pivot] / matrix[pivot][pivot];
                for column in pivot..4 {
                    matrix[row][column] -= factor * matrix[pivot][column];
                }
            }
        }
    }
    matrix[0][3] / matrix[0][0]
}

fn compare(points: &[(u32, f64, f64, f64)], cells: u32, steps: u64) -> Vec<(f64, f64)> {
    points
        .iter()
        .map(|&(most, strength, right_speed, right_half_life)| {
            let clock = std::time::Instant::now();
            let tracks: Vec<Vec<[f64; 2]>> = std::thread::scope(|scope| {
                let halves = [0, 1].map(|half| {
                    scope.spawn(move || -> Vec<Vec<[f64; 2]>> {
                        let own = (0..cells).filter(|cell| cell % 2 == half);
                        own.map(|cell| displacements(most, strength, cell, steps)).collect()
                    })
                });
                halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
            });
            let (speed, half_life) = (speed(&tracks), half_life(&tracks));
            #[allow(clippy::print_stderr)]
            {
                eprintln!(
                    "max_act {most}, λ_act {strength}: speed {speed:.4} ({:+.1} %), half-life {half_life:.1} ({:+.1} %), {:.1} s",
                    100.0 * (speed / right_speed - 1.0),
                    100.0 * (half_life / right_half_life - 1.0),
                    clock.elapsed().as_secs_f64()
                );
            }
            (speed / right_speed - 1.0, half_life / right_half_life - 1.0)
        })
        .collect()
}

/// Two points at a tenth of the length.
#[test]
fn cells_move_at_the_published_speed() {
    for (speed, _) in compare(&POINTS[..2], 6, 5_000) {
        assert!(speed.abs() < 0.04, "{speed}");
    }
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn speed_and_persistence_are_those_published() {
    for (speed, half_life) in compare(&POINTS, 30, 50_000) {
        assert!(speed.abs() < 0.02 && half_life.abs() < 0.15, "{speed}, {half_life}");
    }
}
