//! Runs Malevanets–Kapral forwards and backwards (straight-through, excitation of slope 1) in two fused loops a step.
//!
//! The derivative by a diffusion coefficient is Σ n̄ · (weighted neighbours of the excited plane), a single sum per
//! species; that of the reactions is written out by channel.

use glauber::numbers::noise::{Key, uniform};

use super::torus::{Torus, add_to_lanes};

/// D_A, D_B, k1, k2, k3.
pub type Parameters = [f64; 5];

/// The directions in the catalogue's order: stay, sides, diagonals.
const DIRECTIONS: [(isize, isize); 9] =
    [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)];
const SIDE: f64 = (std::f64::consts::SQRT_2 - 1.0) * std::f64::consts::SQRT_2 / 4.0;
const DIAGONAL: f64 = (std::f64::consts::SQRT_2 - 1.0) / 4.0;

/// Occupancies of the two species.
#[derive(Clone, Debug)]
pub struct State {
    /// Particles of A.
    pub a: Torus<u8>,
    /// Particles of B.
    pub b: Torus<u8>,
}

/// Memory that every step uses anew.
pub struct Room {
    excited: [Torus<u8>; 2],
    bars: [Torus<f32>; 2],
}

impl Room {
    /// For lattices of this shape.
    pub fn new(height: usize, width: usize) -> Room {
        Room {
            excited: [Torus::new(height, width), Torus::new(height, width)],
            bars: [Torus::new(height, width), Torus::new(height, width)],
        }
    }
}

/// What a step draws and multiplies with.
#[derive(Clone, Copy)]
pub struct Step {
    seed: u64,
    number: u32,
    capacity: f32,
    /// Where each species' excited plane moves.
    moves: [(isize, isize); 2],
    k: [f32; 3],
}

impl Step {
    /// Step `number` of a run.
    pub fn new(theta: &Parameters, capacity: f64, seed: u64, number: u32) -> Step {
        let direction = |d: f64, draw: u32| {
            let u: f64 = uniform(Key::new(seed, 0, number, draw, 0).word(0));
            let chances =
                [1.0 - d, d * SIDE, d * SIDE, d * SIDE, d * SIDE, d * DIAGONAL, d * DIAGONAL, d * DIAGONAL];
            let mut below = 0.0;
            let passed = chances.iter().filter(|p| {
                below += **p;
                u >= below
            });
            DIRECTIONS[passed.count()]
        };
        let scale = 0.005 / 6.0;
        let k1 = theta[2] * (scale / ((capacity - 1.0) * (capacity - 2.0)));
        Step {
            seed,
            number,
            capacity: capacity as f32,
            moves: [direction(theta[0], 1), direction(theta[1], 3)],
            k: [k1 as f32, (theta[3] * (scale / capacity)) as f32, (theta[4] * (scale / capacity)) as f32],
        }
    }

    fn key(&self, draw: u32) -> Key {
        Key::new(self.seed, 0, self.number, draw, 0)
    }
}

#[inline(always)]
fn excite(layer: &Torus<u8>, excited: &mut Torus<u8>, capacity: f32, key: Key) {
    let (width, share) = (layer.width, (1.0 / f64::from(capacity)) as f32);
    for y in 0..layer.height {
        let (n, e) = (&layer.row(y, 0, 0)[..width], &mut excited.row_mut(y)[..width]);
        let site = (y * width) as u32;
        for x in 0..width {
            let u: f32 = uniform(key.word(site + x as u32));
            e[x] = u8::from(u < f32::from(n[x]) * share);
        }
    }
    excited.wrap();
}

crate::with_widest_vectors! {
    /// One step.
    pub fn step(state: &State, next: &mut State, room: &mut Room, step: &Step) {
        let capacity = step.capacity;
        let [ea, eb] = &mut room.excited;
        excite(&state.a, ea, capacity, step.key(0));
        excite(&state.b, eb, capacity, step.key(2));
        let (key, width) = (step.key(4), state.a.width);
        let [k1, k2, k3] = step.k;
        let [move_a, move_b] = step.moves;
        for y in 0..state.a.height {
            let (n, e, i) = (state.a.row(y, 0, 0), ea.row(y, 0, 0), ea.row(y, -move_a.0, -move_a.1));
            let (m, f, j) = (state.b.row(y, 0, 0), eb.row(y, 0, 0), eb.row(y, -move_b.0, -move_b.1));
            let (n, e, i, m, f, j) = (&n[..width], &e[..width], &i[..width], &m[..width], &f[..width], &j[..width]);
            let (new_a, new_b) = (&mut next.a.row_mut(y)[..width], &mut next.b.row_mut(y)[..width]);
            let site = (y * width) as u32;
            for x in 0..width {
                let a = f32::from(n[x].wrapping_sub(e[x]).wrapping_add(i[x]));
                let b = f32::from(m[x].wrapping_sub(f[x]).wrapping_add(j[x]));
                let (free_a, free_b) = (capacity - a, capacity - b);
                let crowding = k1 * (a * free_a);
                let more_a = crowding * (a - 1.0) + k2 * (b * free_a);
                let less_a = crowding * (free_a - 1.0) + k2 * (a * free_b);
                let more_b = k3 * (free_a * free_b);
                let less_b = k3 * (a * b);
                let u: f32 = uniform(key.word(site + x as u32));
                let first = more_a;
                let second = less_a + first;
                let third = more_b + second;
                let fourth = less_b + third;
                let up_a = u < first;
                let down_a = (u >= first) & (u < second);
                let up_b = (u >= second) & (u < third);
                let down_b = (u >= third) & (u < fourth);
                new_a[x] = (a as i32 + i32::from(up_a) - i32::from(down_a)) as u8;
                new_b[x] = (b as i32 + i32::from(up_b) - i32::from(down_b)) as u8;
            }
        }
    }
}

crate::with_widest_vectors! {
    /// One step backwards: replaces the derivatives by the next occupancies by those by `state`, and adds those by the
    /// parameters.
    pub fn step_backwards(state: &State, bars: &mut [Torus<f32>; 2], room: &mut Room, step: &Step, slopes: &mut Parameters) {
        let capacity = step.capacity;
        let Room { excited: [ea, eb], bars: [bar_a, bar_b] } = room;
        excite(&state.a, ea, capacity, step.key(0));
        excite(&state.b, eb, capacity, step.key(2));
        let width = state.a.width;
        let [k1, k2, k3] = step.k;
        let [move_a, move_b] = step.moves;
        let scale = 0.005 / 6.0;
        let n = f64::from(capacity);
        let mut by_k = [[0.0f64; 16]; 3];
        let mut products = [(); 3].map(|()| vec![0.0f32; width]);
        let mut by_d = [[[0.0f64; 16]; 3]; 2];
        for y in 0..state.a.height {
            let (n, e, i) = (state.a.row(y, 0, 0), ea.row(y, 0, 0), ea.row(y, -move_a.0, -move_a.1));
            let (m, f, j) = (state.b.row(y, 0, 0), eb.row(y, 0, 0), eb.row(y, -move_b.0, -move_b.1));
            let (n, e, i, m, f, j) = (&n[..width], &e[..width], &i[..width], &m[..width], &f[..width], &j[..width]);
            let (bar_next_a, bar_next_b) = (&bars[0].row(y, 0, 0)[..width], &bars[1].row(y, 0, 0)[..width]);
            let (bar_a, bar_b) = (&mut bar_a.row_mut(y)[..width], &mut bar_b.row_mut(y)[..width]);
            let [by_k1, by_k2, by_k3] = &mut products;
            let (by_k1, by_k2, by_k3) = (&mut by_k1[..width], &mut by_k2[..width], &mut by_k3[..width]);
            for x in 0..width {
                let a = f32::from(n[x].wrapping_sub(e[x]).wrapping_add(i[x]));
                let b = f32::from(m[x].wrapping_sub(f[x]).wrapping_add(j[x]));
                let (free_a, free_b) = (capacity - a, capacity - b);
                let (za, zb) = (bar_next_a[x], bar_next_b[x]);
                // The channels' probabilities: d(more A − less A), d(more B − less B).
                let crowd = a * free_a;
                let lean = a - free_a;
                let pull = capacity * (b - a);
                let turn = free_a * free_b - a * b;
                by_k1[x] = za * (crowd * lean);
                by_k2[x] = za * pull;
                by_k3[x] = zb * turn;
                // d/da of crowd·lean is lean·lean' with crowd' = −lean, lean' = 2.
                bar_a[x] = za + za * (k1 * (2.0 * crowd - lean * lean) - k2 * capacity) - zb * (k3 * capacity);
                bar_b[x] = zb + za * (k2 * capacity) - zb * (k3 * capacity);
            }
            for (lanes, row) in by_k.iter_mut().zip(&products) {
                add_to_lanes(lanes, row);
            }
        }
        bar_a.wrap();
        bar_b.wrap();
        for (species, (excited, bar)) in [(&*ea, &*bar_a), (&*eb, &*bar_b)].into_iter().enumerate() {
            let (dy, dx) = step.moves[species];
            for y in 0..bar.height {
                let row = |dy, dx| &excited.row(y, dy, dx)[..width];
                let (stay, up, down, left, right) = (row(0, 0), row(-1, 0), row(1, 0), row(0, -1), row(0, 1));
                let (nw, ne, sw, se) = (row(-1, -1), row(-1, 1), row(1, -1), row(1, 1));
                let (here, there) = (&bar.row(y, 0, 0)[..width], &bar.row(y, dy, dx)[..width]);
                // n ← n − E + moved E, with dE/dn = 1: all of n moves.
                bars[species].row_mut(y).copy_from_slice(there);
                let [by_stay, by_side, by_diagonal] = &mut products;
                let (by_stay, by_side, by_diagonal) =
                    (&mut by_stay[..width], &mut by_side[..width], &mut by_diagonal[..width]);
                for x in 0..width {
                    let side = up[x] + down[x] + left[x] + right[x];
                    let diagonal = nw[x] + ne[x] + sw[x] + se[x];
                    by_stay[x] = here[x] * f32::from(stay[x]);
                    by_side[x] = here[x] * f32::from(side);
                    by_diagonal[x] = here[x] * f32::from(diagonal);
                }
                for (lanes, row) in by_d[species].iter_mut().zip(&products) {
                    add_to_lanes(lanes, row);
                }
            }
        }
        let total = |lanes: &[f64; 16]| lanes.iter().sum::<f64>();
        for species in 0..2 {
            let [stays, sides, diagonals] = &by_d[species];
            slopes[species] += SIDE * total(sides) + DIAGONAL * total(diagonals) - total(stays);
        }
        slopes[2] += total(&by_k[0]) * (scale / ((n - 1.0) * (n - 2.0)));
        slopes[3] += total(&by_k[1]) * (scale / n);
        slopes[4] += total(&by_k[2]) * (scale / n);
    }
}

/// The summed squared distance of a pattern to itself `steps` steps later, and its derivatives by the parameters.
pub fn gradient(
    pattern: &State,
    theta: &Parameters,
    capacity: f64,
    steps: u32,
    seed: u64,
) -> (f64, Parameters) {
    let (height, width) = (pattern.a.height, pattern.a.width);
    let mut room = Room::new(height, width);
    let mut states = vec![pattern.clone()];
    for t in 1..=steps {
        let mut next = State { a: Torus::new(height, width), b: Torus::new(height, width) };
        step(&states[t as usize - 1], &mut next, &mut room, &Step::new(theta, capacity, seed, t));
        states.push(next);
    }
    let mut loss = 0.0;
    let mut bar = |last: &Torus<u8>, first: &Torus<u8>| {
        let moved = |(a, b): (u8, u8)| f32::from(a) - f32::from(b);
        let differences: Vec<f32> = last.sites().into_iter().zip(first.sites()).map(moved).collect();
        loss += differences.iter().map(|d| f64::from(d * d)).sum::<f64>();
        Torus::from_sites(height, width, &differences.iter().map(|d| 2.0 * d).collect::<Vec<_>>())
    };
    let last = &states[steps as usize];
    let mut bars = [bar(&last.a, &pattern.a), bar(&last.b, &pattern.b)];
    let mut slopes = [0.0; 5];
    for t in (0..steps).rev() {
        let number = Step::new(theta, capacity, seed, t + 1);
        step_backwards(&states[t as usize], &mut bars, &mut room, &number, &mut slopes);
    }
    (loss, slopes)
}
