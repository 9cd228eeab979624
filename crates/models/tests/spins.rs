//! Checks Ising and Potts models against enumeration of small tori and Onsager's and Yang's infinite lattice.
#![allow(clippy::unwrap_used)]

mod support;

use glauber_engine::Run;
use glauber_lattice::VonNeumann;
use glauber_program::{Model, Scope};
use glauber_statistics::tolerance::shared;
use support::{ALARM, assert_mean, model, number, outputs, shape, word};

/// Energy per site without field: each pair counted once.
fn ising_energy(s: &Scope) {
    let spin = s.layer("up") * 2.0 - 1.0;
    s.output("energy", (spin * spin.neighbours(VonNeumann).sum()).mean() * -0.5);
}

/// For each replicate the time average of an observed number and of its squared distance from `centre`.
fn averages(
    model: &Model,
    run: Run<'_>,
    from: usize,
    every: usize,
    centre: f64,
    trace: impl FnOnce(&Scope),
) -> Vec<[f64; 2]> {
    let times: Vec<usize> = (from..=run.steps).step_by(every).collect();
    let seen = outputs(model, run, &times, trace);
    let n = seen.width as f64;
    let row = |row: &[f64]| {
        [row.iter().sum::<f64>() / n, row.iter().map(|e| (e - centre) * (e - centre)).sum::<f64>() / n]
    };
    seen.values.chunks_exact(seen.width).map(row).collect()
}

/// ⟨E⟩/N and its derivative by β on a periodic 2-D lattice, over all states.
fn enumerate(
    rows: usize,
    columns: usize,
    states: usize,
    beta: f64,
    pair: impl Fn(usize, usize) -> f64,
) -> [f64; 2] {
    let sites = rows * columns;
    let (mut weight, mut first, mut second) = (0.0, 0.0, 0.0);
    let mut state = vec![0usize; sites];
    for mut number in 0..states.pow(sites as u32) {
        for site in &mut state {
            *site = number % states;
            number /= states;
        }
        let mut energy = 0.0;
        for (i, own) in state.iter().enumerate() {
            let (y, x) = (i / columns, i % columns);
            energy += pair(*own, state[y * columns + (x + 1) % columns])
                + pair(*own, state[(y + 1) % rows * columns + x]);
        }
        let w = (-beta * energy).exp();
        weight += w;
        first += w * energy;
        second += w * energy * energy;
    }
    let (mean, n) = (first / weight, sites as f64);
    [mean / n, -(second / weight - mean * mean) / n]
}

/// Energy and, as fluctuation, its derivative on the 4 × 4 torus, for both dynamics. Replicates are independent; within
/// one the states of every fourth sweep after 40 are averaged.
#[test]
fn the_ising_energy_of_a_small_torus_and_its_derivative_are_exact() {
    let beta = 0.3;
    let [energy, slope] = enumerate(4, 4, 2, beta, |a, b| if a == b { -1.0 } else { 1.0 });
    assert!(
        (energy - -0.844_054_073_6).abs() < 1e-9 && (slope - -4.899_918_373_1).abs() < 1e-8,
        "{energy} {slope}"
    );
    for dynamics in ["glauber", "metropolis"] {
        let ising = model("ising", &[shape(&[4, 4]), word("dynamics", dynamics)]);
        let theta = [beta, 0.0];
        let run = Run::new(&theta, 200).replicates(1500).seed(12);
        let seen = averages(&ising, run, 40, 4, energy, ising_energy);
        let column = |k: usize, scale: f64| -> Vec<f64> { seen.iter().map(|r| r[k] * scale).collect() };
        assert_mean(&format!("{dynamics}: energy"), &column(0, 1.0), energy, ALARM);
        assert_mean(&format!("{dynamics}: derivative"), &column(1, -16.0), slope, ALARM);
    }
}

/// With field and free edges: magnetisation of a 2 × 3 lattice over all states.
#[test]
fn the_field_turns_spins_of_an_open_lattice() {
    let (beta, field) = (0.4, 0.3);
    let pairs = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)];
    let (mut weight, mut up) = (0.0, 0.0);
    for state in 0..64 {
        let spin = |i: usize| if state >> i & 1 == 1 { 1.0 } else { -1.0 };
        let total: f64 = (0..6).map(spin).sum();
        let energy = -pairs.iter().map(|(i, j)| spin(*i) * spin(*j)).sum::<f64>() - field * total;
        let w = (-beta * energy).exp();
        weight += w;
        up += w * (total + 6.0) / 12.0;
    }
    for dynamics in ["glauber", "metropolis"] {
        let ising = model("ising", &[shape(&[2, 3]), word("dynamics", dynamics), word("boundary", "free")]);
        let theta = [beta, field];
        let run = Run::new(&theta, 150).replicates(1000).seed(13);
        let seen = averages(&ising, run, 30, 4, 0.0, |s| s.output("up", s.layer("up").mean()));
        let means: Vec<f64> = seen.iter().map(|r| r[0]).collect();
        assert_mean(dynamics, &means, up / weight, ALARM);
    }
}

#[test]
fn the_potts_energy_of_a_small_torus_is_exact() {
    let beta = 0.8;
    for states in [2usize, 3] {
        let [energy, slope] = enumerate(2, 4, states, beta, |a, b| if a == b { -1.0 } else { 0.0 });
        for dynamics in ["glauber", "metropolis"] {
            let potts = model(
                "potts",
                &[shape(&[2, 4]), word("dynamics", dynamics), number("states", states as f64)],
            );
            let theta = [beta];
            let run = Run::new(&theta, 200).replicates(1000).seed(14);
            let seen = averages(&potts, run, 40, 4, energy, |s| {
                let state = s.layer("state");
                let same = (0..states as u32)
                    .fold(s.number(0.0), |sum, k| sum + state.is(k) * state.neighbours(VonNeumann).count(k));
                s.output("energy", same.mean() * -0.5);
            });
            let column = |k: usize, scale: f64| -> Vec<f64> { seen.iter().map(|r| r[k] * scale).collect() };
            let what = format!("{states} states, {dynamics}");
            assert_mean(&what, &column(0, 1.0), energy, ALARM);
            assert_mean(&what, &column(1, -8.0), slope, ALARM);
        }
    }
}

/// The complete elliptic integral of the first kind, by the arithmetic-geometric mean.
fn elliptic(k: f64) -> f64 {
    let (mut a, mut b) = (1.0, (1.0 - k * k).sqrt());
    for _ in 0..40 {
        (a, b) = ((a + b) / 2.0, (a * b).sqrt());
    }
    std::f64::consts::FRAC_PI_2 / a
}

/// Onsager's energy per site of the infinite square lattice.
fn onsager(temperature: f64) -> f64 {
    let x = 2.0 / temperature;
    let k = 2.0 * x.sinh() / (x.cosh() * x.cosh());
    let bend = 2.0 * x.tanh() * x.tanh() - 1.0;
    -(1.0 / x.tanh()) * (1.0 + std::f64::consts::FRAC_2_PI * bend * elliptic(k))
}

/// Energies at three temperatures and Yang's magnetisation on 64 × 64. The correlation length is below 7 sites at all
/// of them, so the lattice's size moves the means by less than e⁻⁹; 12 replicates' time averages are independent;
/// together one false alarm in 10,000 seeds.
#[test]
fn large_lattices_have_onsagers_energy_and_yangs_magnetisation() {
    assert!((onsager(2.5) - -1.106_079_20).abs() < 1e-8);
    for temperature in [2.0, 2.5, 3.0] {
        let start = if temperature < 2.2 { "up" } else { "random" };
        let ising = model("ising", &[word("start", start)]);
        let theta = [1.0 / temperature, 0.0];
        let run = Run::new(&theta, 900).replicates(12).seed(15);
        let seen = averages(&ising, run.clone(), 300, 10, 0.0, ising_energy);
        let energies: Vec<f64> = seen.iter().map(|r| r[0]).collect();
        assert_mean(&format!("energy at {temperature}"), &energies, onsager(temperature), shared(1e-4, 4));
        if temperature < 2.2 {
            let seen =
                averages(&ising, run, 300, 10, 0.0, |s| s.output("m", s.layer("up").mean() * 2.0 - 1.0));
            let magnetisation: Vec<f64> = seen.iter().map(|r| r[0]).collect();
            let yang = (1.0 - (2.0 / temperature).sinh().powi(-4)).powf(0.125);
            assert!((yang - 0.911_319_38).abs() < 1e-8);
            assert_mean("magnetisation", &magnetisation, yang, shared(1e-4, 4));
        }
    }
}
