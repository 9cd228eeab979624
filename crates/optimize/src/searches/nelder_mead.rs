//! Moves a simplex of n + 1 points downhill by reflecting, stretching and shrinking it.
//!
//! With the points sorted by loss, x₀ best and x_n worst, and c the centre of all but the worst:
//! reflection r = c + α (c − x_n); better than x₀: try expansion c + β (r − c); no better than the second worst:
//! try contraction c + γ (r − c), or c − γ (r − c) where r is no better than x_n; no help: shrink all towards x₀ by δ.
//!
//! n: number of unknowns; α = 1, β = 1 + 2/n, γ = ¾ − 1/(2n), δ = 1 − 1/n (n ≥ 2; for n = 1: 2, ½, ½).
//!
//! Nelder & Mead (1965), *A simplex method for function minimization*, with the coefficients of Gao & Han (2012),
//! *Implementing the Nelder–Mead simplex algorithm with adaptive parameters*, which keep it going for larger n.
//! It compares losses of different rounds, so all rounds have the same noise: it finds the minimum of the loss *at
//! that noise*, which needs replicates enough.

use super::{SPREAD, Search, SearchEntry, badness};
use crate::optimizers::Memory;

pub(super) const ENTRY: SearchEntry = SearchEntry {
    name: "nelder-mead",
    summary: "moves a simplex downhill; for few unknowns and losses without noise",
    options: &[SPREAD],
    build: |options| Box::new(NelderMead { spread: options.get("spread") }),
};

/// The simplex method.
#[derive(Clone, Copy, Debug)]
struct NelderMead {
    spread: f64,
}

/// What the points asked for are; stored as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Simplex = 0,
    Reflection = 1,
    Expansion = 2,
    Outside = 3,
    Inside = 4,
    Shrink = 5,
}

impl Stage {
    const ALL: [Stage; 6] =
        [Stage::Simplex, Stage::Reflection, Stage::Expansion, Stage::Outside, Stage::Inside, Stage::Shrink];

    fn of(memory: &[f64]) -> Stage {
        let number = memory.first().map_or(0.0, |x| *x) as usize;
        Stage::ALL.get(number).copied().unwrap_or(Stage::Simplex)
    }
}

struct Coefficients {
    expansion: f64,
    contraction: f64,
    shrink: f64,
}

fn coefficients(n: usize) -> Coefficients {
    let n = n as f64;
    if n < 1.5 {
        return Coefficients { expansion: 2.0, contraction: 0.5, shrink: 0.5 };
    }
    Coefficients { expansion: 1.0 + 2.0 / n, contraction: 0.75 - 0.5 / n, shrink: 1.0 - 1.0 / n }
}

/// centre + by (towards − centre).
fn along(centre: &[f64], towards: &[f64], by: f64) -> Vec<f64> {
    centre.iter().zip(towards).map(|(c, t)| c + by * (t - c)).collect()
}

/// The centre of all but the worst (last) point.
fn centre(simplex: &[f64], n: usize) -> Vec<f64> {
    (0..n).map(|i| (0..n).map(|k| simplex[k * n + i]).sum::<f64>() / n as f64).collect()
}

impl Search for NelderMead {
    fn begin(&self, start: &[f64]) -> Memory {
        let n = start.len();
        let mut simplex = start.repeat(n + 1);
        (0..n).for_each(|i| simplex[(i + 1) * n + i] += self.spread);
        Memory::with([
            ("simplex", simplex),
            ("losses", vec![f64::INFINITY; n + 1]),
            ("stage", vec![0.0]),
            // The reflection and its loss, while its rivals are tried.
            ("reflection", vec![0.0; n]),
            ("loss-of-reflection", vec![f64::INFINITY]),
        ])
    }

    fn ask(&self, memory: &Memory, _round: u64, _seed: u64) -> Vec<Vec<f64>> {
        let [simplex, losses, stage, reflection, _] = memory.values();
        let n = losses.len() - 1;
        let point = |k: usize| &simplex[k * n..(k + 1) * n];
        let Coefficients { expansion, contraction, shrink } = coefficients(n);
        match Stage::of(stage) {
            Stage::Simplex => (0..=n).map(|k| point(k).to_vec()).collect(),
            Stage::Reflection => vec![along(&centre(simplex, n), point(n), -1.0)],
            Stage::Expansion => vec![along(&centre(simplex, n), reflection, expansion)],
            Stage::Outside => vec![along(&centre(simplex, n), reflection, contraction)],
            Stage::Inside => vec![along(&centre(simplex, n), reflection, -contraction)],
            Stage::Shrink => (1..=n).map(|k| along(point(0), point(k), shrink)).collect(),
        }
    }

    fn tell(&self, memory: &mut Memory, points: &[Vec<f64>], found: &[f64]) {
        let [simplex, losses, stage, reflection, loss_of_reflection] = memory.lists();
        let n = losses.len() - 1;
        let loss = badness(found.first().map_or(f64::INFINITY, |x| *x));
        let next = match Stage::of(stage) {
            whole @ (Stage::Simplex | Stage::Shrink) => {
                let first = usize::from(whole == Stage::Shrink);
                for (k, (point, loss)) in points.iter().zip(found).enumerate() {
                    simplex[(first + k) * n..(first + k + 1) * n].copy_from_slice(point);
                    losses[first + k] = badness(*loss);
                }
                sort(simplex, losses);
                Stage::Reflection
            }
            Stage::Reflection => {
                reflection.copy_from_slice(&points[0]);
                loss_of_reflection[0] = loss;
                if loss < losses[0] {
                    Stage::Expansion
                } else if loss < losses[n.saturating_sub(1)] {
                    accept(simplex, losses, &points[0], loss)
                } else if loss < losses[n] {
                    Stage::Outside
                } else {
                    Stage::Inside
                }
            }
            Stage::Expansion if loss < loss_of_reflection[0] => accept(simplex, losses, &points[0], loss),
            Stage::Expansion => accept(simplex, losses, reflection, loss_of_reflection[0]),
            Stage::Outside if loss <= loss_of_reflection[0] => accept(simplex, losses, &points[0], loss),
            Stage::Inside if loss < losses[n] => accept(simplex, losses, &points[0], loss),
            Stage::Outside | Stage::Inside => Stage::Shrink,
        };
        stage[0] = f64::from(next as u8);
    }

    fn favourite(&self, memory: &Memory) -> Vec<f64> {
        let [simplex, losses] = memory.values();
        simplex[..losses.len() - 1].to_vec()
    }

    fn spread(&self, memory: &Memory) -> f64 {
        let [simplex, losses] = memory.values();
        let n = losses.len() - 1;
        let distances = (0..=n).flat_map(|k| (0..n).map(move |i| (simplex[k * n + i] - simplex[i]).abs()));
        distances.fold(0.0, f64::max)
    }

    fn takes_fresh_noise(&self) -> bool {
        false
    }
}

/// Puts a point in the worst one's place.
fn accept(simplex: &mut [f64], losses: &mut [f64], point: &[f64], loss: f64) -> Stage {
    let n = point.len();
    simplex[n * n..].copy_from_slice(point);
    losses[n] = loss;
    sort(simplex, losses);
    Stage::Reflection
}

/// Sorts the points by loss, equal ones as they were.
fn sort(simplex: &mut [f64], losses: &mut [f64]) {
    let n = losses.len() - 1;
    let mut order: Vec<usize> = (0..=n).collect();
    order.sort_by(|&a, &b| losses[a].total_cmp(&losses[b]));
    let sorted: Vec<f64> = order.iter().flat_map(|&k| simplex[k * n..(k + 1) * n].to_vec()).collect();
    let sorted_losses: Vec<f64> = order.iter().map(|&k| losses[k]).collect();
    simplex.copy_from_slice(&sorted);
    losses.copy_from_slice(&sorted_losses);
}
