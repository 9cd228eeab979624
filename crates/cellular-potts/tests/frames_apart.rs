//! Measures what is estimated of movies that are not one step of sublattices from frame to frame: the table of docs/cellular-potts.md.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use glauber_cellular_potts::{
    Acceptance, Cells, CellsFit, Coefficient, Elastic, Energy, Movie, Order, Simulation, Unknown, fit,
};
use support::{block, sorting};

const TRUTH: [f64; 5] = [1.6, 1.6, 1.4, 1.1, 0.2];

fn unknowns() -> Vec<Unknown> {
    let pairs = [(0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];
    let mut unknowns: Vec<Unknown> = pairs.iter().map(|(a, b)| Unknown::adhesion(*a, *b)).collect();
    unknowns.push(Unknown::shared("volume_strength", 2, Coefficient::VolumeStrength));
    unknowns
}

/// 41 frames of 49 cells of `cell` × `cell` sites amidst `side` × `side`.
fn film(side: usize, cell: usize, energy: &Energy, order: Order, steps: u64, seed: u64) -> Movie {
    let (lattice, labels, types) = block(side, 7, cell);
    let cells = Cells::new(lattice.clone(), labels.clone(), types.clone()).unwrap();
    let mut simulation = Simulation::new(cells, energy, Acceptance::Metropolis, order, seed, 0).unwrap();
    let mut frames = vec![labels];
    for _ in 0..40 {
        simulation.run(steps);
        frames.push(simulation.cells().labels().to_vec());
    }
    Movie::new(lattice, types, frames).unwrap()
}

/// Ratios of estimates to the truth, the share of impossible moves at boundaries, and how many fits were doubted.
fn row(name: &str, strength: f64, fits: &[CellsFit]) -> ([f64; 6], f64, usize) {
    let count = fits.len() as f64;
    let mean = |of: &dyn Fn(&CellsFit) -> f64| fits.iter().map(of).sum::<f64>() / count;
    let truth = |i: usize| TRUTH.get(i).copied().unwrap_or(strength);
    let ratios: [f64; 6] = std::array::from_fn(|i| mean(&|fit: &CellsFit| fit.estimates[i] / truth(i)));
    let impossible = mean(&|fit| fit.counts.impossible as f64 / fit.counts.at_boundaries as f64);
    let doubted = fits.iter().filter(|fit| fit.effective).count();
    let calibrated = mean(&|fit| fit.calibration.chi_square / fit.calibration.bound);
    let told: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    eprintln!(
        "| {name} | {} | {:.2} % | {doubted} of {} | {calibrated:.1} |",
        told.join(" | "),
        100.0 * impossible,
        fits.len()
    );
    (ratios, impossible, doubted)
}

fn measured(order: Order, steps: u64, movies: u64) -> Vec<CellsFit> {
    let of = |seed: u64| {
        let movie = film(64, 8, &sorting(64.0), order, steps, 500 + seed);
        fit(&[&movie], &sorting(64.0), Acceptance::Metropolis, &unknowns()).unwrap()
    };
    (0..movies).map(of).collect()
}

#[test]
fn movies_of_other_steps_are_doubted_every_time() {
    for (order, steps) in [(Order::Sublattices, 2), (Order::Sublattices, 5), (Order::RandomSequential, 1)] {
        let (_, _, doubted) = row(&format!("{order:?}, {steps}"), 0.1, &measured(order, steps, 2));
        assert_eq!(doubted, 2);
    }
}

#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn what_is_estimated_of_frames_apart() {
    let all = 20;
    for steps in [1, 2, 3, 5, 10] {
        let (ratios, impossible, doubted) =
            row(&format!("sublattices, {steps}"), 0.1, &measured(Order::Sublattices, steps, all));
        match steps {
            1 => assert!(impossible == 0.0 && doubted <= 1, "{impossible} {doubted}"),
            _ => assert!(impossible > 0.0 && doubted == all as usize, "{impossible} {doubted}"),
        }
        if steps == 2 {
            assert!(ratios.iter().all(|ratio| (0.4..0.9).contains(ratio)), "{ratios:?}");
        }
    }
    for steps in [1, 2] {
        row(&format!("random-sequential, {steps}"), 0.1, &measured(Order::RandomSequential, steps, all));
    }
    // Cells of 16 × 16 sites, and the same binned to 8 × 8.
    let large =
        Energy { volume: Some(vec![Elastic { strength: 0.025, target: 256.0 }; 2]), ..sorting(256.0) };
    for steps in [1, 5] {
        let (mut fine, mut coarse) = (Vec::new(), Vec::new());
        for seed in 0..5 {
            let movie = film(128, 16, &large, Order::Sublattices, steps, 900 + seed);
            fine.push(fit(&[&movie], &large, Acceptance::Metropolis, &unknowns()).unwrap());
            let binned = movie.coarsened(2).unwrap();
            coarse.push(fit(&[&binned], &sorting(64.0), Acceptance::Metropolis, &unknowns()).unwrap());
        }
        row(&format!("16 × 16, {steps}"), 0.025, &fine);
        // Four sites as one: λ (4 v − V)² = 16 λ (v − V/4)².
        row(&format!("16 × 16 binned by 2, {steps}"), 0.4, &coarse);
    }
}
