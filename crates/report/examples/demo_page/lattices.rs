//! Makes lattices to show: a rumour that spreads, spins, an epidemic, a 1-D automaton, an image of cells.

use crate::curves::noise;

/// A number in 0..1.
fn chance(index: usize, stream: u64) -> f64 {
    0.5 + 0.5 * noise(index, stream)
}

/// The sites around `site` on a periodic square of side `side`.
fn around(site: usize, side: usize) -> [usize; 8] {
    let (row, column) = (site / side, site % side);
    let at = |dy: usize, dx: usize| (row + side + dy - 1) % side * side + (column + side + dx - 1) % side;
    [at(0, 0), at(0, 1), at(0, 2), at(1, 0), at(1, 2), at(2, 0), at(2, 1), at(2, 2)]
}

/// Susceptible (0), infected (1) and recovered (2) sites, step by step.
pub fn epidemic(side: usize, steps: usize) -> Vec<Vec<u8>> {
    let mut now = vec![0u8; side * side];
    now[side * side / 2 + side / 2] = 1;
    let mut all = vec![now.clone()];
    for step in 1..steps {
        let next = (0..now.len()).map(|site| {
            let infected = around(site, side).iter().filter(|other| now[**other] == 1).count();
            let chance = chance(site, step as u64);
            match now[site] {
                0 if chance < 1.0 - 0.88f64.powi(infected as i32) => 1,
                1 if chance < 0.08 => 2,
                state => state,
            }
        });
        now = next.collect();
        all.push(now.clone());
    }
    all
}

/// Two integer layers' worth of smooth domains: 0..=50 particles a site.
pub fn domains(side: usize, coarse: f64) -> Vec<f64> {
    let wave = |row: f64, column: f64, stream: u64| {
        let turn = std::f64::consts::TAU / side as f64;
        (1..7)
            .map(|k| {
                let (ky, kx) = ((noise(k, stream) * coarse).round(), (noise(k, stream + 1) * coarse).round());
                (turn * (ky * row + kx * column) + 9.0 * noise(k, stream + 2)).sin()
            })
            .sum::<f64>()
    };
    let values = (0..side * side).map(|site| {
        let (row, column) = ((site / side) as f64, (site % side) as f64);
        25.0 + 25.0 * (1.6 * wave(row, column, 3)).tanh() + 2.0 * noise(site, 9)
    });
    values.map(|value| value.clamp(0.0, 50.0).round()).collect()
}

/// A row of Domany and Kinzel's automaton after another.
pub fn automaton(width: usize, steps: usize) -> Vec<Vec<u8>> {
    let mut row: Vec<u8> = (0..width).map(|site| u8::from(chance(site, 77) < 0.5)).collect();
    let mut rows = vec![row.clone()];
    for step in 1..steps {
        let next = (0..width).map(|site| {
            let parents = row[site] + row[(site + 1) % width];
            let probability = [0.0, 0.64, 0.88][usize::from(parents)];
            u8::from(chance(site, 1000 + step as u64) < probability)
        });
        row = next.collect();
        rows.push(row.clone());
    }
    rows
}

/// An image of bright discs on an uneven ground with noise, and the mask of the discs.
pub fn cells(side: usize) -> (Vec<f64>, Vec<bool>) {
    let discs: Vec<(f64, f64, f64)> = (0..14)
        .map(|k| {
            let at = |stream| chance(k, stream) * side as f64;
            (at(1), at(2), (0.045 + 0.035 * chance(k, 3)) * side as f64)
        })
        .collect();
    let depth = |site: usize| {
        let (row, column) = ((site / side) as f64, (site % side) as f64);
        discs.iter().map(|(y, x, r)| r - (row - y).hypot(column - x)).fold(f64::NEG_INFINITY, f64::max)
    };
    let grey = |site: usize| {
        let bright = 0.55 / (1.0 + (-depth(site)).exp());
        (0.15 + 0.15 * (site % side) as f64 / side as f64 + bright + 0.05 * noise(site, 5)).clamp(0.0, 1.0)
    };
    ((0..side * side).map(grey).collect(), (0..side * side).map(|site| depth(site) > 0.0).collect())
}
