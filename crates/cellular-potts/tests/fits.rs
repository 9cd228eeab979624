//! Fits any subset of coefficients, names what movies do not determine, and refuses what does not fit together.
#![allow(clippy::unwrap_used)]

mod support;

use glauber_cellular_potts::{
    Acceptance, Act, Cells, Coefficient, Elastic, Energy, Movie, Order, Simulation, Unknown, fit,
};
use glauber_lattice::Lattice;
use glauber_optimize::verdict::Known;
use glauber_statistics::tolerance::{mean_within, shared};
use support::{block, sorting};

fn film(energy: &Energy, acceptance: Acceptance, frames: usize, seed: u64) -> Movie {
    let (lattice, labels, types) = block(48, 5, 8);
    let cells = Cells::new(lattice.clone(), labels.clone(), types.clone()).unwrap();
    let mut simulation = Simulation::new(cells, energy, acceptance, Order::Sublattices, seed, 0).unwrap();
    let mut film = vec![labels];
    for _ in 1..frames {
        simulation.run(1);
        film.push(simulation.cells().labels().to_vec());
    }
    Movie::new(lattice, types, film).unwrap()
}

fn adhesions() -> Vec<Unknown> {
    let pairs = [(0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];
    pairs.iter().map(|(a, b)| Unknown::adhesion(*a, *b)).collect()
}

/// By type: strengths and targets of volumes, strengths of perimeters.
fn rich() -> Energy {
    Energy {
        volume: Some(vec![Elastic { strength: 0.1, target: 60.0 }, Elastic { strength: 0.06, target: 68.0 }]),
        perimeter: Some(vec![
            Elastic { strength: 0.002, target: 100.0 },
            Elastic { strength: 0.003, target: 90.0 },
        ]),
        ..sorting(64.0)
    }
}

/// Every estimate within the normal law's bound of its own error, one false alarm in a thousand for all of them.
#[test]
fn targets_and_strengths_by_type_are_found_in_two_movies_together() {
    use Coefficient::{PerimeterStrength, VolumeStrength, VolumeTarget};
    let truth = rich();
    let unknowns = vec![
        Unknown::adhesion(1, 2),
        Unknown::of_type("volume_strength", 1, VolumeStrength),
        Unknown::of_type("volume_strength", 2, VolumeStrength),
        Unknown::of_type("volume_target", 1, VolumeTarget),
        Unknown::of_type("volume_target", 2, VolumeTarget),
        Unknown::of_type("perimeter_strength", 1, PerimeterStrength),
        Unknown::of_type("perimeter_strength", 2, PerimeterStrength),
    ];
    let right = [1.1, 0.1, 0.06, 60.0, 68.0, 0.002, 0.003];
    for acceptance in [Acceptance::Metropolis, Acceptance::HeatBath] {
        let movies = [1, 2].map(|seed| film(&truth, acceptance, 31, seed));
        let mut start = truth.clone();
        start.volume = Some(vec![Elastic { strength: 0.02, target: 50.0 }; 2]);
        start.perimeter.as_mut().unwrap().iter_mut().for_each(|term| term.strength = 0.0);
        let both = fit(&[&movies[0], &movies[1]], &start, acceptance, &unknowns).unwrap();
        assert!(both.at_optimum && !both.effective, "{both}");
        for place in 0..right.len() {
            let error = both.error(place).unwrap();
            let bound = mean_within(error, shared(0.001, 2 * right.len()));
            assert!(
                (both.estimates[place] - right[place]).abs() < bound,
                "{acceptance:?} {}: {both}",
                unknowns[place].name
            );
            assert!(error < 0.5 * right[place], "{both}");
        }
        let one = fit(&[&movies[0]], &start, acceptance, &unknowns).unwrap();
        assert!(one.error(0).unwrap() > 1.2 * both.error(0).unwrap());
        assert_eq!(both.observations(), 2 * one.observations());
        assert_eq!(both.energy.volume.as_ref().unwrap()[1].target.to_bits(), both.estimates[4].to_bits());
    }
}

/// A perimeter's target pulls as adhesion does: J01 and J11 shift with it by 1 and 2.
#[test]
fn combinations_that_are_not_determined_are_named() {
    let mut truth = Energy::of_adhesion(1, vec![0.0, 1.2, 1.2, 1.0]);
    truth.volume = Some(vec![Elastic { strength: 0.1, target: 64.0 }]);
    truth.perimeter = Some(vec![Elastic { strength: 0.002, target: 100.0 }]);
    let (lattice, labels, _) = block(48, 5, 8);
    let types: Vec<u8> = (0..26).map(|label| u8::from(label > 0)).collect();
    let cells = Cells::new(lattice.clone(), labels.clone(), types.clone()).unwrap();
    let acceptance = Acceptance::HeatBath;
    let mut simulation = Simulation::new(cells, &truth, acceptance, Order::Sublattices, 3, 0).unwrap();
    let mut film = vec![labels];
    for _ in 0..20 {
        simulation.run(1);
        film.push(simulation.cells().labels().to_vec());
    }
    let movie = Movie::new(lattice, types, film).unwrap();
    let unknowns = [
        Unknown::adhesion(0, 1),
        Unknown::adhesion(1, 1),
        Unknown::shared("perimeter_target", 1, Coefficient::PerimeterTarget),
        Unknown::shared("volume_strength", 1, Coefficient::VolumeStrength),
    ];
    let fit = fit(&[&movie], &truth, acceptance, &unknowns).unwrap();
    for place in 0..3 {
        assert!(matches!(fit.known[place], Known::NotDetermined(Some(_))), "{fit}");
        assert!(fit.interval(place).is_none() && fit.estimate(place).is_none());
        // No number stands where one of many would be as likely.
        assert!(
            fit.said(place).starts_with("no estimate: the data determine only 2 combinations"),
            "{}",
            fit.said(place)
        );
    }
    assert!(fit.to_string().contains(&format!("volume_strength  {}", fit.said(3))), "{fit}");
    assert!(fit.error(3).is_some() && fit.warns && fit.covariance.is_none(), "{fit}");
    assert!(
        fit.words.contains("the data determine only 2 combinations of `J01`, `J11` and `perimeter_target`"),
        "{fit}"
    );
}

#[test]
fn what_no_site_feels_is_not_determined() {
    // Cells of type 1 alone: nothing is said of type 2.
    let (lattice, labels, types) = block(48, 5, 8);
    let types: Vec<u8> = types.into_iter().map(|kind| kind.min(1)).collect();
    let cells = Cells::new(lattice.clone(), labels.clone(), types.clone()).unwrap();
    let energy = sorting(64.0);
    let mut simulation =
        Simulation::new(cells, &energy, Acceptance::Metropolis, Order::Sublattices, 1, 0).unwrap();
    simulation.run(1);
    let second = simulation.cells().labels().to_vec();
    let movie = Movie::new(lattice, types, vec![labels, second]).unwrap();
    let fit = fit(&[&movie], &energy, Acceptance::Metropolis, &adhesions()).unwrap();
    for (place, determined) in [true, false, true, false, false].into_iter().enumerate() {
        assert_eq!(fit.error(place).is_some(), determined, "{fit}");
        assert_eq!(fit.known[place] == Known::NotDetermined(None), !determined, "{fit}");
    }
    assert!(fit.words.contains("the data do not determine `J02`, `J12` and `J22`"), "{fit}");
}

#[test]
fn estimates_do_not_depend_on_threads_or_the_start() {
    let movie = film(&sorting(64.0), Acceptance::Metropolis, 21, 5);
    let with = |threads: usize, start: &Energy| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&[&movie], start, Acceptance::Metropolis, &adhesions()).unwrap())
    };
    let (one, three) = (with(1, &sorting(64.0)), with(3, &sorting(64.0)));
    assert_eq!(
        one.estimates.iter().map(|x| x.to_bits()).collect::<Vec<u64>>(),
        three.estimates.iter().map(|x| x.to_bits()).collect::<Vec<u64>>()
    );
    let mut far = sorting(64.0);
    far.adhesion.iter_mut().for_each(|j| *j = 0.0);
    let other = with(1, &far);
    for place in 0..5 {
        let apart = (one.estimates[place] - other.estimates[place]).abs();
        assert!(apart < 0.02 * one.error(place).unwrap(), "{one}\n{other}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let movie = film(&sorting(64.0), Acceptance::Metropolis, 3, 5);
    let said = |energy: &Energy, unknowns: &[Unknown]| {
        fit(&[&movie], energy, Acceptance::Metropolis, unknowns).unwrap_err().to_string()
    };
    let whole = sorting(64.0);
    assert!(said(&whole, &[]).contains("nothing is unknown"));
    assert!(said(&whole, &[Unknown::adhesion(0, 3)]).contains("`J03` is no number of this energy"));
    assert!(said(&whole, &[Unknown::adhesion(0, 0)]).contains("`J00` is no number of this energy"));
    let perimeter = Unknown::shared("p", 2, Coefficient::PerimeterStrength);
    assert!(said(&whole, &[perimeter]).contains("no perimeter term"));
    let twice = [Unknown::adhesion(1, 2), Unknown { name: "again".into(), ..Unknown::adhesion(2, 1) }];
    assert!(said(&whole, &twice).contains("belongs to both `J12` and `again`"));
    assert!(
        said(&whole, &[Unknown { name: "x".into(), coefficients: vec![] }]).contains("names no coefficient")
    );
    let small = Energy::of_adhesion(1, vec![0.0, 1.0, 1.0, 1.0]);
    assert!(said(&small, &[Unknown::adhesion(0, 1)]).contains("a cell of type 2"));
    let act = Energy { act: Some(vec![Act { strength: 1.0, most: 5 }; 2]), ..whole.clone() };
    assert!(said(&act, &adhesions()).contains("Act term has no likelihood"));
    let broken = Energy { adhesion: vec![1.0; 4], ..whole.clone() };
    assert!(said(&broken, &adhesions()).contains("adhesion"));
    assert!(
        fit(&[], &whole, Acceptance::Metropolis, &adhesions()).unwrap_err().to_string().contains("no movie")
    );
    // An odd torus, and a movie in which nothing can happen.
    let odd = Movie::new(Lattice::square(7), vec![0, 1], vec![vec![1; 49]; 2]).unwrap();
    let words = fit(&[&odd], &whole, Acceptance::Metropolis, &adhesions()).unwrap_err().to_string();
    assert!(words.contains("axis 0 is periodic and 7 sites long, which 2 does not divide"), "{words}");
    let full = Movie::new(Lattice::square(8), vec![0, 1], vec![vec![1; 64]; 2]).unwrap();
    let words = fit(&[&full], &whole, Acceptance::Metropolis, &adhesions()).unwrap_err().to_string();
    assert!(words.contains("nothing can be learnt"), "{words}");
}

/// A cell that is new, and cuts where they are refused, are named first, and frames are not blamed for them.
#[test]
fn new_cells_and_cuts_are_named_first() {
    let movie = film(&sorting(64.0), Acceptance::Metropolis, 13, 5);
    let names = |movie: &Movie, energy: &Energy| {
        fit(&[movie], energy, Acceptance::Metropolis, &adhesions()).unwrap().words
    };
    let connected = names(&movie, &Energy { connected: true, ..sorting(64.0) });
    assert!(connected.contains("cut a cell, which `connected` forbids"), "{connected}");
    assert!(!connected.contains("frames look further apart"), "{connected}");
    // The upper half of a cell is another one from frame 6 on.
    let mut frames = movie.frames().to_vec();
    let middle = |frame: &[u32]| {
        let rows: Vec<usize> =
            (0..frame.len()).filter(|site| frame[*site] == 5).map(|site| site / 48).collect();
        rows.iter().sum::<usize>() / rows.len()
    };
    let row = middle(&frames[6]);
    for frame in &mut frames[6..] {
        (0..frame.len()).filter(|site| site / 48 > row).for_each(|site| {
            frame[site] = if frame[site] == 5 { 26 } else { frame[site] };
        });
    }
    let types = [movie.types(), &movie.types()[5..6]].concat();
    let divided = Movie::new(movie.lattice().clone(), types, frames).unwrap();
    let words = names(&divided, &sorting(64.0));
    assert!(words.starts_with("cell 26 is new in frame 6, and no step of the model makes a cell"), "{words}");
}
