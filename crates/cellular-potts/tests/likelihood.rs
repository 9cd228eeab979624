//! Holds the likelihood against total energies, difference quotients, and the frequencies of whole steps.
#![allow(clippy::unwrap_used)]

mod support;

use glauber_cellular_potts::{
    Acceptance, Cells, Coefficient, Elastic, Energy, LogLikelihood, Movie, Order, Simulation, Unknown,
};
use glauber_lattice::Lattice;
use glauber_numbers::noise::Key;
use glauber_statistics::tolerance::{chi_square, chi_square_below};
use std::collections::BTreeMap;
use support::{Plain, energy};

/// Everything that an energy may have, by type.
fn whole(connected: bool) -> Energy {
    let pairs = [((0, 1), 0.31), ((0, 2), 0.17), ((1, 1), 0.23), ((1, 2), 0.4), ((2, 2), -0.11)];
    Energy {
        volume: Some(vec![Elastic { strength: 0.03, target: 7.0 }, Elastic { strength: 0.021, target: 9.5 }]),
        perimeter: Some(vec![
            Elastic { strength: 0.0011, target: 40.0 },
            Elastic { strength: 0.0007, target: 51.5 },
        ]),
        connected,
        ..energy(2, &pairs, 0.0, 0.0)
    }
}

/// Patches of labels 0 to 6 that are drawn once and for all.
fn patches(lattice: &Lattice, seed: u64) -> (Vec<u32>, Vec<u8>) {
    let key = Key::new(seed, 0, 0, 0, 0);
    let labels: Vec<u32> = (0..lattice.sites() as u32).map(|site| key.word(site / 3) % 7).collect();
    (labels, vec![0, 1, 2, 1, 2, 1, 2])
}

fn lattices() -> Vec<Lattice> {
    vec![
        Lattice::square(8),
        Lattice::new(&[7, 5]).unwrap().fixed(0.0),
        Lattice::new(&[6, 5]).unwrap().along(1, glauber_lattice::Boundary::Fixed(0.0)),
        Lattice::new(&[4, 4, 4]).unwrap(),
        Lattice::new(&[3, 4, 5]).unwrap().fixed(0.0),
    ]
}

#[test]
fn the_likelihood_is_the_product_of_chances_by_total_energies() {
    let mut changes = 0;
    for (place, lattice) in lattices().into_iter().enumerate() {
        for acceptance in [Acceptance::Metropolis, Acceptance::HeatBath] {
            for connected in [false, true] {
                let (labels, types) = patches(&lattice, place as u64);
                let energy = whole(connected);
                let mut plain = Plain::new(lattice.clone(), labels, types.clone(), &energy, acceptance, 5);
                let mut right = 0.0;
                let mut film = vec![plain.labels.clone()];
                for _ in 0..3 {
                    let before = plain.clone();
                    plain.sweep();
                    let (log, sums) = before.log_chance(&plain.labels);
                    assert!((sums[0] - 1.0).abs() < 1e-12 && (sums[1] - 1.0).abs() < 1e-12, "{sums:?}");
                    right += log;
                    film.push(plain.labels.clone());
                }
                let movie = Movie::new(lattice.clone(), types, film).unwrap();
                let likelihood = LogLikelihood::new(&[&movie], &energy, acceptance, &[]).unwrap();
                let found = likelihood.value(&[]);
                assert!(right.is_finite() && right < -1.0);
                assert!(
                    (found - right).abs() < 1e-10 * right.abs(),
                    "{lattice} {acceptance:?}: {found} {right}"
                );
                assert_eq!(likelihood.counts().impossible, 0);
                assert_eq!(likelihood.counts().updates, 3 * lattice.sites());
                changes += likelihood.counts().changes;
            }
        }
    }
    assert!(changes > 300, "{changes}");
}

#[test]
fn scores_are_the_slopes_of_the_likelihood() {
    let (labels, types) = patches(&Lattice::square(8), 3);
    let pairs = [((0, 1), 0.31), ((0, 2), 0.17), ((1, 1), 0.23), ((1, 2), 0.27), ((2, 2), 0.27)];
    let truth = Energy {
        volume: Some(vec![
            Elastic { strength: 0.0213, target: 7.3 },
            Elastic { strength: 0.0213, target: 9.5 },
        ]),
        perimeter: Some(vec![
            Elastic { strength: 0.0011, target: 43.1 },
            Elastic { strength: 0.00071, target: 43.1 },
        ]),
        ..energy(2, &pairs, 0.0, 0.0)
    };
    let unknowns = vec![
        Unknown::adhesion(0, 1),
        Unknown {
            name: "J2".into(),
            coefficients: vec![Coefficient::Adhesion(2, 1), Coefficient::Adhesion(2, 2)],
        },
        Unknown::shared("volume_strength", 2, Coefficient::VolumeStrength),
        Unknown::of_type("volume_target", 1, Coefficient::VolumeTarget),
        Unknown::of_type("perimeter_strength", 2, Coefficient::PerimeterStrength),
        Unknown::shared("perimeter_target", 2, Coefficient::PerimeterTarget),
    ];
    let theta = [0.31, 0.27, 0.0213, 7.3, 0.00071, 43.1];
    for acceptance in [Acceptance::Metropolis, Acceptance::HeatBath] {
        let mut plain = Plain::new(Lattice::square(8), labels.clone(), types.clone(), &truth, acceptance, 9);
        let movie = plain.film(6, 1);
        let likelihood = LogLikelihood::new(&[&movie], &truth, acceptance, &unknowns).unwrap();
        let (_, score) = likelihood.value_and_score(&theta);
        for place in 0..theta.len() {
            // Small enough that no ΔH changes its sign.
            let step = 1e-6 * theta[place];
            let at = |by: f64| {
                let mut moved = theta;
                moved[place] += by;
                likelihood.value(&moved)
            };
            let slope = (at(step) - at(-step)) / (2.0 * step);
            assert!(
                (slope - score[place]).abs() < 1e-5 * score[place].abs().max(1.0),
                "{acceptance:?} {}: {slope} {}",
                unknowns[place].name,
                score[place]
            );
        }
    }
}

/// A step from one state of 4 × 4 sites, many times: by the plain sweep and by the crate's own.
#[test]
fn whole_steps_come_as_often_as_the_likelihood_says() {
    const STEPS: usize = 40_000;
    const ALARM: f64 = 0.001 / 4.0;
    let lattice = Lattice::square(4);
    let labels = vec![0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 2, 2, 0, 0, 2, 2];
    let types = vec![0, 1, 2];
    let pairs = [((0, 1), 0.9), ((0, 2), 0.6), ((1, 1), 0.5), ((1, 2), 0.4), ((2, 2), 0.2)];
    let energy = energy(2, &pairs, 0.4, 4.0);
    for acceptance in [Acceptance::Metropolis, Acceptance::HeatBath] {
        for own in [true, false] {
            let mut seen: BTreeMap<Vec<u32>, u64> = BTreeMap::new();
            for seed in 0..STEPS as u64 {
                let after = if own {
                    let cells = Cells::new(lattice.clone(), labels.clone(), types.clone()).unwrap();
                    let order = Order::Sublattices;
                    let mut simulation = Simulation::new(cells, &energy, acceptance, order, seed, 0).unwrap();
                    simulation.run(1);
                    simulation.cells().labels().to_vec()
                } else {
                    let (labels, types) = (labels.clone(), types.clone());
                    let mut plain = Plain::new(lattice.clone(), labels, types, &energy, acceptance, seed);
                    plain.sweep();
                    plain.labels
                };
                *seen.entry(after).or_default() += 1;
            }
            let (mut counts, mut expected) = (Vec::new(), Vec::new());
            for (after, count) in &seen {
                let frames = vec![labels.clone(), after.clone()];
                let movie = Movie::new(lattice.clone(), types.clone(), frames).unwrap();
                let likelihood = LogLikelihood::new(&[&movie], &energy, acceptance, &[]).unwrap();
                let chance = likelihood.value(&[]).exp();
                assert_eq!(likelihood.counts().impossible, 0);
                if chance * STEPS as f64 >= 10.0 {
                    counts.push(*count);
                    expected.push(chance * STEPS as f64);
                }
            }
            // All other outcomes together.
            counts.push(STEPS as u64 - counts.iter().sum::<u64>());
            expected.push(STEPS as f64 - expected.iter().sum::<f64>());
            assert!(expected.len() > 30, "{}", expected.len());
            let (found, bound) = (chi_square(&counts, &expected), chi_square_below(counts.len() - 1, ALARM));
            assert!(found < bound, "{acceptance:?} {own}: {found} {bound} of {} outcomes", counts.len());
        }
    }
}
