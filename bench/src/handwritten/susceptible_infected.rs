//! Runs susceptible–infected forwards and backwards (straight-through) in one fused loop per row.

use glauber::numbers::noise::{Key, uniform};

use super::torus::{Torus, add_to_lanes};

/// P(aware) for 0..8 aware neighbours, then for sites that are aware; and its derivative by β.
struct Table {
    chance: [f32; 32],
    by_beta: [f32; 32],
    by_exposure: [f32; 32],
}

impl Table {
    fn new(beta: f64) -> Table {
        let mut table = Table { chance: [1.0; 32], by_beta: [0.0; 32], by_exposure: [0.0; 32] };
        for count in 0..9 {
            let missed = (1.0 - beta as f32).powi(count as i32);
            table.chance[count] = 1.0 - missed;
            table.by_beta[count] = count as f32 * (1.0 - beta as f32).powi((count as i32 - 1).max(0));
            table.by_exposure[count] = -((1.0 - beta).ln() as f32) * missed;
        }
        table
    }
}

#[inline(always)]
fn count_row(state: &Torus<u8>, y: usize, counts: &mut [u8]) {
    let row = |dy, dx| state.row(y, dy, dx);
    let (a, b, c) = (row(-1, -1), row(-1, 0), row(-1, 1));
    let (d, e) = (row(0, -1), row(0, 1));
    let (f, g, h) = (row(1, -1), row(1, 0), row(1, 1));
    for x in 0..counts.len() {
        counts[x] = a[x] + b[x] + c[x] + d[x] + e[x] + f[x] + g[x] + h[x];
    }
}

/// The entry of each count, by choosing among all nine: quicker than nine-entry tables read one by one.
#[inline(always)]
fn look_up(table: &[f32; 32], counts: &[u8], values: &mut [f32]) {
    for (value, count) in values.iter_mut().zip(counts) {
        let count = i32::from(*count);
        let mut found = table[0];
        for k in 1..9 {
            found = if count == k { table[k as usize] } else { found };
        }
        *value = found;
    }
}

crate::with_widest_vectors! {
    /// One step from `state` to `next`.
    pub fn step(state: &Torus<u8>, next: &mut Torus<u8>, beta: f64, key: Key) {
        let table = Table::new(beta);
        let width = state.width;
        let (mut counts, mut chances) = (vec![0u8; width], vec![0.0f32; width]);
        for y in 0..state.height {
            count_row(state, y, &mut counts);
            let (own, new) = (&state.row(y, 0, 0)[..width], &mut next.row_mut(y)[..width]);
            look_up(&table.chance, &counts, &mut chances);
            let site = (y * width) as u32;
            for x in 0..width {
                let u: f32 = uniform(key.word(site + x as u32));
                new[x] = u8::from(u < chances[x]) | own[x];
            }
        }
        next.wrap();
    }
}

crate::with_widest_vectors! {
    /// One step backwards: from the derivative by the next state to that by `state`, adding to that by β.
    pub fn step_backwards(state: &Torus<u8>, from: &Torus<f32>, to: &mut Torus<f32>, by_count: &mut Torus<f32>, beta: f64) -> f64 {
        let table = Table::new(beta);
        let width = state.width;
        let mut counts = vec![0u8; width];
        let [mut chance, mut by_beta, mut by_exposure] = [(); 3].map(|()| vec![0.0f32; width]);
        let mut lanes = [0.0f64; 16];
        for y in 0..state.height {
            count_row(state, y, &mut counts);
            let (own, bar) = (&state.row(y, 0, 0)[..width], &from.row(y, 0, 0)[..width]);
            let (by_own, by_count) = (&mut to.row_mut(y)[..width], &mut by_count.row_mut(y)[..width]);
            look_up(&table.chance, &counts, &mut chance);
            look_up(&table.by_beta, &counts, &mut by_beta);
            look_up(&table.by_exposure, &counts, &mut by_exposure);
            for x in 0..width {
                let weight = bar[x] * (1.0 - f32::from(own[x]));
                by_own[x] = bar[x] * (1.0 - chance[x]);
                by_count[x] = weight * by_exposure[x];
                by_beta[x] *= weight;
            }
            add_to_lanes(&mut lanes, &by_beta);
        }
        by_count.wrap();
        for y in 0..state.height {
            let row = |dy, dx| by_count.row(y, dy, dx);
            let (a, b, c) = (row(-1, -1), row(-1, 0), row(-1, 1));
            let (d, e) = (row(0, -1), row(0, 1));
            let (f, g, h) = (row(1, -1), row(1, 0), row(1, 1));
            let to = &mut to.row_mut(y)[..width];
            for x in 0..width {
                to[x] += ((a[x] + b[x]) + (c[x] + d[x])) + ((e[x] + f[x]) + (g[x] + h[x]));
            }
        }
        lanes.iter().sum()
    }
}

/// The number of differing sites after `steps` steps, and its derivative by β (straight-through).
pub fn gradient(first: &Torus<u8>, target: &[u8], beta: f64, steps: u32, seed: u64) -> (f64, f64) {
    let mut states = vec![first.clone()];
    for t in 1..=steps {
        let mut next = Torus::new(first.height, first.width);
        step(&states[t as usize - 1], &mut next, beta, Key::new(seed, 0, t, 0, 0));
        states.push(next);
    }
    let last = states[steps as usize].sites();
    let differences: Vec<f32> = last.iter().zip(target).map(|(a, b)| f32::from(*a) - f32::from(*b)).collect();
    let loss = differences.iter().map(|d| f64::from(d * d)).sum();
    let bars: Vec<f32> = differences.iter().map(|d| 2.0 * d).collect();
    let mut from = Torus::from_sites(first.height, first.width, &bars);
    let (mut to, mut by_count) = (from.clone(), from.clone());
    let mut slope = 0.0;
    for t in (0..steps as usize).rev() {
        slope += step_backwards(&states[t], &from, &mut to, &mut by_count, beta);
        std::mem::swap(&mut from, &mut to);
    }
    (loss, slope)
}
