//! What costs and counts are kept while cells move is what they are when taken from the labels anew.
#![allow(clippy::unwrap_used)]

use glauber_cellular_potts::{Acceptance, Act, Cells, Elastic, Energy, Order, Simulation};
use glauber_lattice::{Boundary, Lattice, Moore, Neighbours};
use glauber_numbers::noise::Key;

/// Random labels of `cells` cells in patches, and types 1, 2, 1, 2, …
fn patches(lattice: Lattice, cells: u32, seed: u64) -> Cells {
    let key = Key::new(seed, 0, 0, 0, 0);
    let labels = (0..lattice.sites() as u32).map(|site| key.word(site) % (cells + 1)).collect();
    let types = (0..=cells).map(|cell| if cell == 0 { 0 } else { 2 - (cell % 2) as u8 }).collect();
    Cells::new(lattice, labels, types).unwrap()
}

/// An energy of all terms with no two coefficients alike.
fn energy(perimeter: bool) -> Energy {
    let elastic = |strength, target| Elastic { strength, target };
    Energy {
        volume: Some(vec![elastic(0.11, 9.0), elastic(0.07, 12.5)]),
        perimeter: perimeter.then(|| vec![elastic(0.013, 31.0), elastic(0.021, 40.5)]),
        ..Energy::of_adhesion(2, vec![5.0, 1.6, 1.3, 1.6, 1.43, 1.1, 1.3, 1.1, 0.27])
    }
}

/// H by the definition: pairs found by walking the lattice, every pair from both ends.
fn cost(cells: &Cells, energy: &Energy) -> f64 {
    let lattice = cells.lattice();
    let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
    let at = |z: i64, y: i64, x: i64| {
        let place = [z, y, x];
        let mut site = 0;
        for axis in 0..3 {
            match boundaries[axis].source(place[axis], extent[axis]) {
                Some(x) => site = site * extent[axis] + x,
                None => return 0,
            }
        }
        cells.labels()[site]
    };
    let offsets = Moore.on(lattice.dimensions()).offsets().to_vec();
    let mut total = 0.0;
    let mut volumes = vec![0.0; cells.types().len()];
    let mut perimeters = vec![0.0; cells.types().len()];
    // The sites beyond fixed edges are gone through, too, so that every pair is seen twice.
    let beyond = boundaries.map(|b| if b == Boundary::Periodic { 0 } else { 1 });
    let range = |axis: usize| -beyond[axis]..extent[axis] as i64 + beyond[axis];
    for z in range(0) {
        for y in range(1) {
            for x in range(2) {
                let own = at(z, y, x);
                volumes[own as usize] += 1.0;
                for [dz, dy, dx] in offsets.iter().map(|o| o.map(i64::from)) {
                    let other = at(z + dz, y + dy, x + dx);
                    if other != own {
                        total += energy.adhesion_of(cells.type_of(own), cells.type_of(other)) / 2.0;
                        perimeters[own as usize] += 1.0;
                    }
                }
            }
        }
    }
    for cell in 1..=cells.count() {
        let kind = usize::from(cells.types()[cell]) - 1;
        for (term, found) in [(&energy.volume, volumes[cell]), (&energy.perimeter, perimeters[cell])] {
            if let Some(elastic) = term {
                total += elastic[kind].strength * (found - elastic[kind].target).powi(2);
            }
        }
    }
    total
}

fn lattices() -> Vec<Lattice> {
    let of = |shape: &[usize]| Lattice::new(shape).unwrap();
    vec![
        of(&[6, 8]),
        of(&[6, 5]).fixed(0.0),
        of(&[4, 7]).along(1, Boundary::Fixed(0.0)),
        of(&[3, 3]),
        of(&[4, 4, 6]),
        of(&[3, 4, 5]).fixed(0.0),
        of(&[5, 4, 4]).along(0, Boundary::Fixed(0.0)),
    ]
}

#[test]
fn the_change_of_every_copy_is_the_difference_of_costs() {
    for (number, lattice) in lattices().into_iter().enumerate() {
        for perimeter in [false, true] {
            let (cells, energy) = (patches(lattice.clone(), 5, number as u64), energy(perimeter));
            let before = cost(&cells, &energy);
            assert!((cells.cost(&energy) - before).abs() < 1e-9, "{lattice}");
            let simulation = Simulation::new(
                cells.clone(),
                &energy,
                Acceptance::Metropolis,
                Order::RandomSequential,
                1,
                0,
            )
            .unwrap();
            let offsets = Moore.on(lattice.dimensions()).offsets().to_vec();
            let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
            let mut attempts = 0;
            for site in 0..lattice.sites() {
                let place = [site / extent[2] / extent[1], site / extent[2] % extent[1], site % extent[2]];
                for (direction, offset) in offsets.iter().enumerate() {
                    let source = (0..3).try_fold(0, |source, axis| {
                        let x = place[axis] as i64 + i64::from(offset[axis]);
                        Some(source * extent[axis] + boundaries[axis].source(x, extent[axis])?)
                    });
                    let found = simulation.change_by_copy(site, direction);
                    let Some(source) = source else {
                        assert_eq!(found, None, "{lattice}: beyond the edge");
                        continue;
                    };
                    let mut labels = cells.labels().to_vec();
                    if labels[source] == labels[site] {
                        assert_eq!(found, None);
                        continue;
                    }
                    labels[site] = labels[source];
                    let after = Cells::new(lattice.clone(), labels, cells.types().to_vec()).unwrap();
                    let wanted = cost(&after, &energy) - before;
                    let found = found.unwrap();
                    assert!((found - wanted).abs() < 1e-9, "{lattice}, site {site}: {found}, not {wanted}");
                    attempts += 1;
                }
            }
            assert!(attempts > 20, "{attempts}");
        }
    }
}

#[test]
fn volumes_and_perimeters_are_kept() {
    for lattice in lattices() {
        for (order, act) in [
            (Order::RandomSequential, false),
            (Order::RandomSequential, true),
            (Order::Sublattices, false),
            (Order::Sublattices, true),
        ] {
            for perimeter in [false, true] {
                let act = act.then(|| vec![Act { strength: 2.0, most: 4 }, Act { strength: 1.0, most: 7 }]);
                let energy = Energy { act, ..energy(perimeter) };
                let cells = patches(lattice.clone(), 5, 3);
                let made = Simulation::new(cells, &energy, Acceptance::HeatBath, order, 7, 0);
                let Ok(mut simulation) = made else {
                    assert_eq!(order, Order::Sublattices);
                    continue;
                };
                for _ in 0..20 {
                    simulation.run(1);
                    let cells = simulation.cells();
                    assert_eq!(simulation.volumes(), cells.volumes(), "{lattice}");
                    if perimeter {
                        assert_eq!(simulation.perimeters().unwrap(), cells.perimeters(), "{lattice}");
                    }
                }
            }
        }
    }
}

/// A simulation that carries on from a checkpoint goes where the one goes that never stopped: labels, activities, all.
#[test]
fn a_checkpoint_carries_on_with_the_same_bits() {
    let crowded = patches(Lattice::square(12), 9, 4);
    // One cell on a large lattice: attempts elsewhere are passed over.
    let lone = Cells::blocks(Lattice::square(36), &[14, 14], &[1, 1], &[5, 5], |_| 1).unwrap();
    let fixed = Cells::blocks(Lattice::square(36).fixed(0.0), &[0, 2], &[1, 2], &[5, 5], |_| 1).unwrap();
    let act = |own: Energy| Energy { act: Some(vec![Act { strength: 4.0, most: 7 }; 2]), ..own };
    // So that a lone cell lives.
    let calm = |own: Energy| Energy {
        volume: Some(vec![Elastic { strength: 0.5, target: 25.0 }; 2]),
        perimeter: own.perimeter.as_ref().map(|_| vec![Elastic { strength: 0.01, target: 60.0 }; 2]),
        adhesion: own.adhesion.iter().map(|j| 0.2 * j).collect(),
        ..own
    };
    for cells in [crowded, lone, fixed] {
        for energy in [energy(false), energy(true), act(energy(true)), act(energy(false))] {
            let energy = calm(energy);
            for order in [Order::RandomSequential, Order::Sublattices] {
                let acceptance = Acceptance::Metropolis;
                let mut whole = Simulation::new(cells.clone(), &energy, acceptance, order, 5, 2).unwrap();
                whole.run(6);
                let kept = whole.checkpoint();
                let mut resumed =
                    Simulation::resumed(cells.clone(), &energy, acceptance, order, 5, 2, &kept).unwrap();
                assert_eq!(resumed.checkpoint(), kept);
                whole.run(9);
                resumed.run(9);
                assert_eq!(resumed.checkpoint(), whole.checkpoint(), "{order:?}");
                assert!(whole.checkpoint().labels != kept.labels, "nothing moved");
                // One of another lattice, or of another energy, is refused.
                let other = patches(Lattice::square(18), 9, 4);
                assert!(Simulation::resumed(other, &energy, acceptance, order, 5, 2, &kept).is_err());
                let plain = Energy { act: None, ..energy.clone() };
                let without = Simulation::resumed(cells.clone(), &plain, acceptance, order, 5, 2, &kept);
                assert_eq!(without.is_err(), energy.act.is_some());
            }
        }
    }
}
