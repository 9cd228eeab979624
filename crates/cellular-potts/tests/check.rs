//! Checks fits by simulation: movies of the model pass, movies of something else do not; and fits of frames apart.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use glauber_cellular_potts::{
    Acceptance, CellsFit, CheckOptions, Coefficient, Movie, Unknown, check_by_simulation, fit,
};
use support::{Plain, block, sorting};

fn unknowns() -> Vec<Unknown> {
    let pairs = [(0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];
    let mut unknowns: Vec<Unknown> = pairs.iter().map(|(a, b)| Unknown::adhesion(*a, *b)).collect();
    unknowns.push(Unknown::shared("volume_strength", 2, Coefficient::VolumeStrength));
    unknowns
}

fn film(frames: usize, stride: usize, seed: u64) -> Movie {
    let (lattice, labels, types) = block(48, 5, 8);
    Plain::new(lattice, labels, types, &sorting(64.0), Acceptance::Metropolis, seed).film(frames, stride)
}

fn fitted(movie: &Movie) -> CellsFit {
    fit(&[movie], &sorting(64.0), Acceptance::Metropolis, &unknowns()).unwrap()
}

#[test]
fn a_movie_of_the_model_is_as_simulated() {
    let movie = film(25, 1, 4);
    let fit = fitted(&movie);
    let check = check_by_simulation(&movie, &fit, CheckOptions::default()).unwrap();
    eprintln!("{fit}\n{check}");
    // Quantities hang together, so that no binomial bound holds; none may be far off.
    assert!(check.within_errors && check.quantities.iter().filter(|q| q.departs()).count() <= 2, "{check}");
    let twice = check_by_simulation(&movie, &fit, CheckOptions::default()).unwrap();
    assert_eq!(check, twice);
}

#[test]
fn what_an_energy_without_its_volumes_gives_is_told() {
    let movie = film(25, 1, 4);
    let mut energy = sorting(64.0);
    energy.volume = None;
    let fit = fit(&[&movie], &energy, Acceptance::Metropolis, &unknowns()[..5]).unwrap();
    let check = check_by_simulation(&movie, &fit, CheckOptions::default()).unwrap();
    eprintln!("{fit}\n{check}");
    assert!(check.quantities.iter().filter(|q| q.departs()).count() >= 3, "{check}");
    assert!(check.words().contains("not as simulated"));
}

#[test]
fn frames_apart_are_told() {
    for stride in [2, 5] {
        let movie = film(25, stride, 8);
        let fit = fitted(&movie);
        eprintln!("every {stride}: {fit}");
        assert!(fit.effective && fit.warns, "{fit}");
        assert!(fit.counts.impossible > 0);
        assert!(fit.words.contains("further apart than one step"), "{}", fit.words);
    }
}
