//! Checks the catalogue's models under update schemes against what is exact of them.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // States are whole numbers.

mod support;

use glauber_engine::{FieldData, Run};
use support::{ALARM, assert_mean, last, model, number, outputs, shape, word};

/// The current of an open line of 10 sites (Derrida, Evans, Hakim & Pasquier 1993): entry times the chance that the first
/// site is free. In continuous time rates of 1 are those of the same process, twice as fast at 2.
#[test]
fn the_current_of_an_open_line_is_derridas() {
    for (update, pace) in [("random-sequential", 1.0), ("continuous-time", 1.0), ("continuous-time", 2.0)] {
        for (entry, exit, current) in [(1.0, 1.0, 0.285_714_285_7), (0.3, 0.8, 0.210_169_391_4)] {
            let line = model("exclusion", &[shape(&[10]), word("boundary", "open"), word("update", update)]);
            let theta = [pace, entry * pace, exit * pace];
            let times: Vec<usize> = (100..=500).step_by(5).collect();
            let run = Run::new(&theta, 500).replicates(600).seed(31);
            let seen = outputs(&line, run, &times, |s| {
                s.output("first", (s.layer("occupied") * s.coordinate(0).equals(0.0)).sum());
            });
            let currents: Vec<f64> = seen
                .values
                .chunks(times.len())
                .map(|row| entry * (1.0 - row.iter().sum::<f64>() / row.len() as f64))
                .collect();
            assert_mean(update, &currents, current, ALARM);
        }
    }
}

/// Exchanges keep the magnetisation, and at rest have the energy of the ensemble with as many spins up as down.
#[test]
fn kawasaki_exchanges_keep_the_ensemble() {
    for (dynamics, update) in [("heat-bath", "random-sequential"), ("metropolis", "random-sequential")] {
        let spins = model("kawasaki", &[shape(&[4, 4]), word("dynamics", dynamics), word("update", update)]);
        let theta = [0.3];
        let times: Vec<usize> = (60..=300).step_by(4).collect();
        let run = Run::new(&theta, 300).replicates(1000).seed(32);
        let seen = outputs(&spins, run, &times, |s| {
            let spin = s.layer("up") * 2.0 - 1.0;
            s.output("energy", -(spin * (spin.shift([0, 0, 1]) + spin.shift([0, 1, 0]))).mean());
        });
        let energies: Vec<f64> =
            seen.values.chunks(times.len()).map(|row| row.iter().sum::<f64>() / row.len() as f64).collect();
        assert_mean(dynamics, &energies, -0.304_393_244_9, ALARM);
        let run = Run::new(&theta, 40).replicates(50).seed(33);
        assert!(last(&spins, run).iter().all(|frame| (frame[0].iter().sum::<f64>() - 8.0).abs() < 0.5));
    }
}

/// Without proliferation cells are kept, and nothing passes the closed edges; with it they grow to fill the lattice.
#[test]
fn cells_are_kept_and_multiply() {
    let assay = model("scratch-assay", &[shape(&[20, 30]), number("density", 1.0), number("gap", 0.4)]);
    let kept = last(&assay, Run::new(&[1.0, 0.0], 60).replicates(20).seed(34));
    // Columns 9 to 20 are free at first: |x − 14.5| < 6.
    assert!(kept.iter().all(|frame| (frame[0].iter().sum::<f64>() - 20.0 * 18.0).abs() < 0.5));
    let middle = |frame: &Vec<Vec<f64>>| (0..20).map(|y| frame[0][y * 30 + 14]).sum::<f64>();
    assert!(kept.iter().map(middle).sum::<f64>() > 0.0, "cells wander into the gap");
    let full = last(&assay, Run::new(&[0.5, 0.5], 200).replicates(3).seed(35));
    assert!(full.iter().all(|frame| frame[0].iter().all(|x| *x > 0.5)), "the gap closes");
}

/// Agents of each kind are kept; with tolerance 0 nobody moves; unhappy ones are fewer after some steps.
#[test]
fn agents_sort_themselves_and_are_kept() {
    let town = model("schelling", &[shape(&[32, 32])]);
    let start: Vec<u8> = (0..1024).map(|i| [0, 1, 2, 1, 2, 1, 2, 1, 2, 2][i * 7 % 10]).collect();
    let given = || vec![FieldData::shared(start.clone())];
    let still = last(&town, Run::new(&[0.0], 5).seed(37).start(given()));
    assert_eq!(still[0][0], start.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>());
    let count = |frame: &[f64], kind: f64| frame.iter().filter(|x| **x == kind).count();
    let like = |frame: &[f64]| -> f64 {
        let pairs = (0..1024).map(|i| (frame[i], frame[(i / 32) * 32 + (i + 1) % 32]));
        let agents: Vec<bool> = pairs.filter(|(a, b)| *a > 0.0 && *b > 0.0).map(|(a, b)| a == b).collect();
        agents.iter().filter(|same| **same).count() as f64 / agents.len() as f64
    };
    let moved = last(&town, Run::new(&[0.5], 60).seed(38).start(given()));
    for kind in [0.0, 1.0, 2.0] {
        assert_eq!(count(&moved[0][0], kind), count(&still[0][0], kind));
    }
    assert!(like(&moved[0][0]) > like(&still[0][0]) + 0.15, "{}", like(&moved[0][0]));
}

/// Without noise the mean density of an opinion never changes, whatever the order of updates.
#[test]
fn voters_have_no_drift() {
    for update in ["random-sequential", "sublattices"] {
        let voters = model("voter", &[shape(&[8, 8]), word("update", update), number("density", 0.3)]);
        let theta = [1.0, 0.0];
        let run = Run::new(&theta, 10).replicates(4000).seed(39);
        let seen = outputs(&voters, run, &[10], |s| s.output("opinion", s.layer("opinion").mean()));
        assert_mean(update, &seen.values, 0.3, ALARM);
    }
}
