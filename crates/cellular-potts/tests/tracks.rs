//! Fits of the Act model to tracks of cells' centroids: known coefficients come back, within their errors.
#![allow(clippy::unwrap_used)]

use glauber_cellular_potts::{
    Acceptance, Act, CellTrack, Elastic, Energy, Experiment, Order, TrackFit, TrackUnknown, fit_tracks,
    simulated_tracks,
};
use glauber_lattice::Lattice;
use glauber_statistics::tolerance::{mean_within, successes_within, variance_ratio_within};

/// Small cells, a fifth of those of the Act model's reference: so that a fit takes a second.
fn energy(theta: &[f64]) -> Energy {
    let elastic = |strength, target| Some(vec![Elastic { strength, target }]);
    Energy {
        volume: elastic(1.5, 100.0),
        perimeter: elastic(0.1, 110.0),
        act: Some(vec![Act { strength: theta[0], most: theta[1] as u32 }]),
        ..Energy::of_adhesion(1, vec![0.0, 1.0, 1.0, 5.0])
    }
}

fn experiment() -> Experiment {
    Experiment {
        lattice: Lattice::square(48),
        types: vec![1],
        volume: 100,
        burn_in: 200,
        between: 5,
        acceptance: Acceptance::Metropolis,
        order: Order::RandomSequential,
    }
}

fn unknowns() -> Vec<TrackUnknown> {
    let unknown = |name: &str, low, high, whole| TrackUnknown { name: name.into(), low, high, whole };
    vec![unknown("act_strength", 1.0, 40.0, false), unknown("max_act", 5.0, 80.0, true)]
}

const TRUTH: [f64; 2] = [8.0, 20.0];

fn data(seed: u64, cells: usize, records: u32) -> Vec<CellTrack> {
    let found = simulated_tracks(&experiment(), &energy(&TRUTH), records, cells, seed, &|| false);
    found.unwrap().into_iter().flatten().collect()
}

fn fitted(tracks: &[CellTrack], seed: u64) -> TrackFit {
    fit_tracks(tracks, &experiment(), &unknowns(), &energy, seed, &|| false).unwrap()
}

#[test]
fn coefficients_of_the_act_model_are_found_from_tracks() {
    let clock = std::time::Instant::now();
    let mut tracks = data(1000, 30, 161);
    // A gap, and a track that ends early.
    tracks[3].records.remove(50);
    tracks[3].positions.remove(50);
    tracks[5].records.truncate(90);
    tracks[5].positions.truncate(90);
    let fit = fitted(&tracks, 7);
    #[allow(clippy::print_stderr)]
    {
        eprintln!("{:?} ± {:?}, noise {:?}: {}", fit.estimates, fit.errors, fit.noise, fit.words());
        eprintln!("{:#?}", fit.rows);
        eprintln!(
            "{:?}, {} tracks, {:e} attempts, {:?}",
            fit.notes,
            fit.tracks,
            fit.attempts,
            clock.elapsed()
        );
    }
    assert!(fit.at_rest, "{}", fit.words());
    for ((estimate, error), right) in fit.estimates.iter().zip(&fit.errors).zip(TRUTH) {
        let error = error.clone().unwrap();
        // One false alarm in 10⁴, both together; no error so wide that it would say nothing.
        assert!((estimate - right).abs() < mean_within(error, 0.5e-4), "{estimate} ± {error}, {right}");
        assert!(error < 0.25 * right, "{error}");
    }
    let again = fitted(&tracks, 7);
    assert_eq!(again.estimates, fit.estimates);
}

/// Intervals over many sets of tracks, each fitted anew.
#[test]
#[ignore = "minutes: cargo xtask test --full runs it"]
fn intervals_cover() {
    const SETS: u64 = 100;
    let (mut held, mut scores, mut settled, mut departs) = ([0_u64; 2], [0.0; 2], 0_u64, 0);
    let mut errors = [0.0; 2];
    for set in 0..SETS {
        let fit = fitted(&data(2000 + set, 30, 161), set);
        departs += u64::from(fit.departs());
        if fit.errors.iter().any(Result::is_err) {
            continue;
        }
        settled += 1;
        for k in 0..2 {
            let [low, high] = fit.intervals[k].unwrap();
            held[k] += u64::from((low..=high).contains(&TRUTH[k]));
            let error = fit.errors[k].clone().unwrap() / fit.estimates[k];
            scores[k] += ((fit.estimates[k].ln() - TRUTH[k].ln()) / error).powi(2);
            errors[k] += error;
        }
        #[allow(clippy::print_stderr)]
        {
            eprintln!(
                "set {set}: held {held:?} of {settled}, departs {departs}, z² {scores:?}, errors {errors:?}"
            );
        }
    }
    #[allow(clippy::print_stderr)]
    {
        let rms = scores.map(|sum| (sum / settled as f64).sqrt());
        let errors = errors.map(|sum| sum / settled as f64);
        eprintln!(
            "held {held:?} of {settled}; rms z {rms:?}; relative errors {errors:?}; departs {departs} of {SETS}"
        );
    }
    assert!(settled >= SETS - 5, "{settled}");
    for k in 0..2 {
        assert!(successes_within(settled, 0.95, 0.5e-2).contains(&held[k]), "{held:?} of {settled}");
        let ratio = scores[k] / settled as f64;
        assert!(variance_ratio_within(settled as usize + 1, 0.5e-2).contains(&ratio), "{ratio}");
    }
    // The verdict is one of 5 %.
    assert!(successes_within(SETS, 0.05, 1e-2).contains(&departs), "{departs}");
}
