//! Holds one step of each order against its law, found by enumeration on lattices of six and nine sites.

use std::collections::BTreeMap;

use glauber_lattice::{Boundary, Lattice, Moore, Neighbours};
use glauber_statistics::tolerance::{chi_square, chi_square_below};

use crate::sequential::at_boundaries;
use crate::{Acceptance, Cells, Elastic, Energy, Order, Simulation};

type Labels = Vec<u32>;
type Law = BTreeMap<Labels, f64>;

fn energy() -> Energy {
    let elastic = |strength, target| Elastic { strength, target };
    Energy {
        volume: Some(vec![elastic(0.21, 3.0), elastic(0.17, 2.5)]),
        perimeter: Some(vec![elastic(0.02, 11.0), elastic(0.03, 12.0)]),
        ..Energy::of_adhesion(2, vec![0.0, 0.7, 0.4, 0.7, 0.3, 0.2, 0.4, 0.2, 0.6])
    }
}

fn cells(lattice: &Lattice, labels: &[u32]) -> Cells {
    Cells::new(lattice.clone(), labels.to_vec(), vec![0, 1, 2]).unwrap()
}

/// What an attempt at a site makes of its label: labels and their probabilities.
fn outcomes(
    lattice: &Lattice,
    energy: &Energy,
    acceptance: Acceptance,
    labels: &Labels,
    site: usize,
) -> BTreeMap<u32, f64> {
    let width = lattice.shape()[1];
    let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
    let before = cells(lattice, labels).cost(energy);
    let mut outcomes = BTreeMap::from([(labels[site], 0.0)]);
    for [_, dy, dx] in Moore.on(2).offsets() {
        let y = boundaries[1].source((site / width) as i64 + i64::from(*dy), extent[1]);
        let x = boundaries[2].source((site % width) as i64 + i64::from(*dx), extent[2]);
        let source = y.zip(x).map(|(y, x)| labels[y * width + x]).filter(|source| *source != labels[site]);
        let mut accepted = 0.0;
        if let Some(source) = source {
            let mut after = labels.clone();
            after[site] = source;
            accepted = acceptance.probability(cells(lattice, &after).cost(energy) - before);
            *outcomes.entry(source).or_insert(0.0) += accepted / 8.0;
        }
        *outcomes.entry(labels[site]).or_insert(0.0) += (1.0 - accepted) / 8.0;
    }
    outcomes
}

/// The law after one step from certain labels.
fn law(lattice: &Lattice, energy: &Energy, acceptance: Acceptance, order: Order, start: &Labels) -> Law {
    let sites = lattice.sites();
    let mut law = Law::from([(start.clone(), 1.0)]);
    // What is done one after another: sets of sites, all from one state; or any site.
    let rounds: Vec<Option<Vec<usize>>> = match order {
        Order::RandomSequential => vec![None; sites],
        Order::Sublattices => {
            let width = lattice.shape()[1];
            let colour = |site: usize| (site / width % 2, site % width % 2);
            let of = |c| Some((0..sites).filter(|&site| colour(site) == c).collect());
            [(0, 0), (0, 1), (1, 0), (1, 1)].map(of).to_vec()
        }
    };
    for round in rounds {
        let mut next = Law::new();
        for (labels, p) in &law {
            match &round {
                None => {
                    for site in 0..sites {
                        for (label, q) in outcomes(lattice, energy, acceptance, labels, site) {
                            let mut after = labels.clone();
                            after[site] = label;
                            *next.entry(after).or_insert(0.0) += p * q / sites as f64;
                        }
                    }
                }
                Some(colour) => {
                    let mut all = vec![(labels.clone(), *p)];
                    for &site in colour {
                        let outcomes = outcomes(lattice, energy, acceptance, labels, site);
                        let with = |(after, p): (Labels, f64)| {
                            outcomes.clone().into_iter().map(move |(label, q)| {
                                let mut after = after.clone();
                                after[site] = label;
                                (after, p * q)
                            })
                        };
                        all = all.into_iter().flat_map(with).collect();
                    }
                    for (after, p) in all {
                        *next.entry(after).or_insert(0.0) += p;
                    }
                }
            }
        }
        law = next;
    }
    law
}

/// χ² of one step over many replicates, states expected less than ten times taken together; and its bound at one false
/// alarm in 10⁵.
fn compare(lattice: &Lattice, acceptance: Acceptance, order: Order, start: &Labels, sparse: &[bool]) {
    const REPLICATES: u32 = 30_000;
    let energy = energy();
    let law = law(lattice, &energy, acceptance, order, start);
    assert!((law.values().sum::<f64>() - 1.0).abs() < 1e-9);
    for &sparse in sparse {
        let mut seen: BTreeMap<Labels, u64> = BTreeMap::new();
        for replicate in 0..REPLICATES {
            let made = Simulation::new(cells(lattice, start), &energy, acceptance, order, 3, replicate);
            let mut simulation = made.unwrap();
            if sparse {
                let state = &simulation.state;
                simulation.boundary = Some(at_boundaries::Boundary::new(&state.places, &state.sites));
            }
            simulation.run(1);
            *seen.entry(simulation.cells().labels().to_vec()).or_insert(0) += 1;
        }
        assert!(seen.keys().all(|labels| law.contains_key(labels)), "an impossible state");
        let (mut observed, mut expected, mut rest) = (Vec::new(), Vec::new(), (0, 0.0));
        for (labels, p) in &law {
            let (count, mean) = (seen.get(labels).copied().unwrap_or(0), p * f64::from(REPLICATES));
            if mean >= 10.0 {
                observed.push(count);
                expected.push(mean);
            } else {
                rest = (rest.0 + count, rest.1 + mean);
            }
        }
        observed.push(rest.0);
        expected.push(rest.1);
        assert!(observed.len() > 50, "{} states", observed.len());
        let (found, limit) = (chi_square(&observed, &expected), chi_square_below(observed.len() - 1, 1e-5));
        assert!(found < limit, "{acceptance:?}, {order:?}, {sparse}: {found} above {limit}");
    }
}

#[test]
fn a_random_sequential_step_has_its_law() {
    let lattice = Lattice::new(&[2, 3]).unwrap().along(0, Boundary::Fixed(0.0));
    for acceptance in [Acceptance::Metropolis, Acceptance::HeatBath] {
        compare(&lattice, acceptance, Order::RandomSequential, &vec![1, 0, 2, 1, 2, 0], &[false, true]);
    }
}

#[test]
fn a_step_by_sublattices_has_its_law() {
    let lattice = Lattice::square(3).fixed(0.0);
    for acceptance in [Acceptance::Metropolis, Acceptance::HeatBath] {
        compare(&lattice, acceptance, Order::Sublattices, &vec![1, 1, 0, 1, 2, 2, 0, 0, 2], &[false]);
    }
}
