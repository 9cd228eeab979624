//! Fits labels of real cells, a zebrafish neuromast, whose frames are many steps apart, and tells what that is worth.
//!
//! `data/real/zebrafish-neuromast-labels` in `shared` beside the checkout, or under `GLAUBER_DATA`; skipped, and said, where
//! it is not.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use glauber_cellular_potts::{
    Acceptance, CheckOptions, Coefficient, Elastic, Energy, Movie, TypesOf, Unknown, check_by_simulation, fit,
};
use glauber_data::arrays::{NpzReader, ReadLimits};
use glauber_lattice::Lattice;
use std::path::{Path, PathBuf};

fn labels() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("GLAUBER_DATA").map_or_else(beside, PathBuf::from);
    let path = root.join("real/zebrafish-neuromast-labels/labels_quarter.npz");
    path.exists().then_some(path)
}

#[test]
fn frames_of_real_cells_are_fitted_with_the_warning_they_deserve() {
    let Some(path) = labels() else {
        eprintln!(
            "SKIPPED: no real labels; set GLAUBER_DATA to a folder that holds real/zebrafish-neuromast-labels"
        );
        return;
    };
    let array = NpzReader::open(path, ReadLimits::default()).unwrap().read("labels").unwrap();
    assert_eq!(array.shape(), [5, 110, 354]);
    let lattice = Lattice::new(&[110, 354]).unwrap().fixed(0.0);
    let movie = Movie::read(lattice, &array.integers().unwrap(), &TypesOf::One).unwrap();
    assert_eq!((movie.types().len(), movie.frames().len()), (49, 5));
    eprintln!("{:?}", movie.notes());
    // Cells stay about as large as they are; the mean is what they are held at.
    let target = movie.frames()[0].iter().filter(|label| **label > 0).count() as f64 / 48.0;
    let energy = Energy {
        volume: Some(vec![Elastic { strength: 0.01, target }]),
        ..Energy::of_adhesion(1, vec![0.0, 1.0, 1.0, 1.0])
    };
    let unknowns = [
        Unknown::adhesion(0, 1),
        Unknown::adhesion(1, 1),
        Unknown::shared("volume_strength", 1, Coefficient::VolumeStrength),
    ];
    let options = CheckOptions { from: 2, ..CheckOptions::default() };
    // With a target that nobody gives: under Metropolis the strength is not told from 0, and the target, a ratio by it, comes out as
    // anything: no number is printed for it.
    let free: Vec<Unknown> = ["J01", "J11", "volume_strength", "volume_target"]
        .iter()
        .map(|name| Unknown::named(name, 1).unwrap())
        .collect();
    let open = fit(&[&movie.part(0..3).unwrap()], &energy, Acceptance::Metropolis, &free).unwrap();
    eprintln!("with a free target: {open}");
    assert!(open.estimate(3).is_none() && open.said(3).starts_with("no estimate: "), "{open}");
    assert!(open.words.contains("do not determine `volume_target`"), "{open}");
    assert!(open.estimate(0).is_some() && open.estimate(1).is_some(), "{open}");
    let mut shares = Vec::new();
    for by in [1, 4] {
        let movie = movie.coarsened(by).unwrap();
        let mut energy = energy.clone();
        energy.volume = Some(vec![Elastic { strength: 0.01, target: target / (by * by) as f64 }]);
        let first = movie.part(0..3).unwrap();
        let fit = fit(&[&first], &energy, Acceptance::HeatBath, &unknowns).unwrap();
        eprintln!("blocks of {by}: {fit}");
        assert!(fit.effective && fit.warns && fit.words.contains("further apart than one step"), "{fit}");
        shares.push(fit.counts.impossible as f64 / fit.counts.at_boundaries as f64);
        let check = check_by_simulation(&movie, &fit, options).unwrap();
        eprintln!("{check}");
        assert_eq!(check.frames, [3, 4]);
        // Cells went many sites a frame, which no single step does.
        let displacement = check.quantities.iter().find(|q| q.name.contains("displacement")).unwrap();
        assert!(displacement.departs() && displacement.observed[0] > displacement.band[0][1], "{check}");
        let departing = check.quantities.iter().filter(|q| q.departs()).count();
        assert!(if by == 1 { departing >= 4 } else { departing <= 3 }, "{check}");
    }
    assert!(shares[0] > 0.05 && shares[1] < 0.01, "{shares:?}");
}
