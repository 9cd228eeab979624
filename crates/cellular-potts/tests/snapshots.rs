//! Fits to snapshots of tissue at rest: known coefficients come back, within their errors.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use glauber_cellular_potts::{
    Acceptance, Cells, Elastic, Energy, Order, Simulation, SnapshotFitError, Unknown, fit_snapshots,
    shuffled_types,
};
use glauber_lattice::Lattice;
use glauber_statistics::tolerance::mean_within;

const SIDE: usize = 40;
/// J11, J12, J22, λ.
const TRUTH: [f64; 4] = [0.9, 1.1, 0.5, 0.08];

fn energy(theta: &[f64]) -> Energy {
    let [j11, j12, j22, strength] = [theta[0], theta[1], theta[2], theta[3]];
    Energy {
        volume: Some(vec![Elastic { strength, target: 64.0 }; 2]),
        ..Energy::of_adhesion(2, vec![0.0, 0.0, 0.0, 0.0, j11, j12, 0.0, j12, j22])
    }
}

/// Packed tissue, so many steps after cells of two types were mixed.
fn snapshot(replicate: u32, steps: u64) -> Cells {
    let kinds = shuffled_types(&[13, 12], u64::from(replicate));
    let mut next = kinds.into_iter();
    let cells =
        Cells::blocks(Lattice::square(SIDE), &[0, 0], &[5, 5], &[8, 8], |_| next.next().unwrap()).unwrap();
    let made =
        Simulation::new(cells, &energy(&TRUTH), Acceptance::Metropolis, Order::Sublattices, 9, replicate);
    let mut simulation = made.unwrap();
    simulation.run(steps);
    simulation.cells()
}

fn unknowns() -> Vec<(Unknown, [f64; 2])> {
    let ranges =
        [("J11", [0.2, 3.0]), ("J12", [0.2, 3.0]), ("J22", [0.1, 3.0]), ("volume_strength", [0.01, 0.5])];
    ranges.map(|(name, range)| (Unknown::named(name, 2).unwrap(), range)).to_vec()
}

#[test]
fn coefficients_are_those_under_which_tissue_does_not_drift() {
    let snapshots: Vec<Cells> = (0..24).map(|replicate| snapshot(replicate, 600)).collect();
    let clock = std::time::Instant::now();
    let start = energy(&[0.0, 0.0, 0.0, 0.02]);
    let fit =
        fit_snapshots(&snapshots, &start, &unknowns(), Acceptance::Metropolis, Order::Sublattices, 10, 1)
            .unwrap();
    eprintln!("{:?} ± {:?}, noise {:?}, {:?}", fit.estimates, fit.errors, fit.noise, clock.elapsed());
    assert!(fit.at_rest);
    for ((estimate, error), right) in fit.estimates.iter().zip(&fit.errors).zip(TRUTH) {
        let error = error.clone().unwrap();
        assert!((estimate - right).abs() < mean_within(error, 1e-4 / 4.0), "{estimate} ± {error}, {right}");
        assert!(error < 0.3 * right, "{error}");
    }
}

#[test]
fn what_snapshots_cannot_tell_is_refused() {
    let snapshots: Vec<Cells> = (0..8).map(|replicate| snapshot(replicate, 1)).collect();
    let start = energy(&[0.0, 0.0, 0.0, 0.02]);
    let fit = |snapshots: &[Cells], unknown: &[(Unknown, [f64; 2])]| {
        fit_snapshots(snapshots, &start, unknown, Acceptance::Metropolis, Order::Sublattices, 10, 1)
            .unwrap_err()
    };
    assert_eq!(fit(&snapshots[..7], &unknowns()), SnapshotFitError::Few(7));
    assert_eq!(fit(&snapshots, &[]), SnapshotFitError::NoUnknown);
    let one = |name: &str, range| vec![(Unknown::named(name, 2).unwrap(), range)];
    assert!(matches!(fit(&snapshots, &one("volume_target", [1.0, 2.0])), SnapshotFitError::Target(_)));
    assert!(matches!(fit(&snapshots, &one("J11", [2.0, 1.0])), SnapshotFitError::Range { .. }));
    // No medium anywhere.
    assert!(matches!(fit(&snapshots, &one("J01", [0.1, 1.0])), SnapshotFitError::NoEffect(_)));
}
