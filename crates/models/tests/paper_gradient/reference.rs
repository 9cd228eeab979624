//! Runs the Malevanets–Kapral model and its gradient as the paper says, in plain loops of f64 that share nothing with glauber.
//!
//! A second account of the model, written from its description: occupancies as floats, one site after another, noise of
//! its own (SplitMix64), every random choice kept for the way back.

/// γ: the time step of the reaction.
const GAMMA: f64 = 0.005;

/// Stay, four sides, four diagonals, as (rows, columns).
const MOVES: [(usize, usize); 9] = {
    const BACK: usize = usize::MAX;
    [(0, 0), (0, 1), (0, BACK), (1, 0), (BACK, 0), (1, 1), (1, BACK), (BACK, 1), (BACK, BACK)]
};

/// What of the paper's gradient is left out, to see what it makes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Departures {
    /// Slope 1 of the excitation at empty and full sites too.
    pub slope_everywhere: bool,
    /// The mean over the six channels, whichever was picked.
    pub averaged: bool,
    /// Straight-through for the drawn directions.
    pub straight_directions: bool,
}

/// The paper's gradient itself.
pub const NONE: Departures =
    Departures { slope_everywhere: false, averaged: false, straight_directions: false };

/// A lattice of two species at some parameters D_A, D_B, k1, k2, k3.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    pub side: usize,
    pub capacity: f64,
    pub theta: [f64; 5],
}

/// SplitMix64 (Steele, Lea & Flood 2014).
pub struct Noise(pub u64);

impl Noise {
    /// Uniform in [0, 1).
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The occupancies of both species.
pub type State = [Vec<f64>; 2];

/// All that one step drew.
struct Step {
    before: State,
    excited: [Vec<bool>; 2],
    direction: [usize; 2],
    /// The softmax of (ln p + Gumbel noise) whose largest class was taken.
    soft: [[f64; 9]; 2],
    between: State,
    channel: Vec<usize>,
}

/// A channel's rate over its constant, and its derivatives by n and m; which constant; what it changes by how much.
struct Channel {
    rate: f64,
    by: [f64; 2],
    constant: usize,
    species: usize,
    change: f64,
}

fn channel(number: usize, n: f64, m: f64, full: f64) -> Channel {
    let crowd = (full - 1.0) * (full - 2.0);
    let make = |rate, by, constant, species, change| Channel { rate, by, constant, species, change };
    match number {
        0 => {
            let by_n = ((2.0 * n - 1.0) * (full - n) - n * (n - 1.0)) / crowd;
            make(n * (n - 1.0) * (full - n) / crowd, [by_n, 0.0], 0, 0, 1.0)
        }
        1 => {
            let by_n = ((full - 2.0 * n) * (full - 1.0 - n) - n * (full - n)) / crowd;
            make(n * (full - n) * (full - 1.0 - n) / crowd, [by_n, 0.0], 0, 0, -1.0)
        }
        2 => make((full - n) * m / full, [-m / full, (full - n) / full], 1, 0, 1.0),
        3 => make(n * (full - m) / full, [(full - m) / full, -n / full], 1, 0, -1.0),
        4 => make((full - n) * (full - m) / full, [-(full - m) / full, -(full - n) / full], 2, 1, 1.0),
        _ => make(n * m / full, [m / full, n / full], 2, 1, -1.0),
    }
}

/// By how much the probability of each direction grows with D.
pub fn growths() -> [f64; 9] {
    let root = 2f64.sqrt();
    let (side, diagonal) = ((root - 1.0) * root / 4.0, (root - 1.0) / 4.0);
    [-1.0, side, side, side, side, diagonal, diagonal, diagonal, diagonal]
}

impl Program {
    fn sites(&self) -> usize {
        self.side * self.side
    }

    /// The site that lies one move away, on a torus.
    fn moved(&self, site: usize, by: usize) -> usize {
        let (rows, columns) = MOVES[by];
        let along = |x: usize, d: usize| (x + self.side).wrapping_add(d) % self.side;
        along(site / self.side, rows) * self.side + along(site % self.side, columns)
    }

    fn probability(&self, species: usize, direction: usize) -> f64 {
        let d = self.theta[species];
        if direction == 0 { 1.0 - d } else { d * growths()[direction] }
    }

    /// The squared distance Σ (x − x₀)² after some steps from x₀, and its gradient by the five parameters.
    pub fn gradient(
        &self,
        start: &State,
        steps: usize,
        noise: &mut Noise,
        leave: Departures,
    ) -> (f64, [f64; 5]) {
        let mut state = start.clone();
        let history: Vec<Step> = (0..steps).map(|_| self.step(&mut state, noise)).collect();
        let (mut distance, mut gradient) = (0.0, [0.0; 5]);
        let mut bar = state;
        for species in 0..2 {
            for (x, was) in bar[species].iter_mut().zip(&start[species]) {
                distance += (*x - was) * (*x - was);
                *x = 2.0 * (*x - was);
            }
        }
        for step in history.iter().rev() {
            self.back_through_reaction(step, &mut bar, &mut gradient, leave);
            for species in 0..2 {
                self.back_through_diffusion(step, species, &mut bar[species], &mut gradient, leave);
            }
        }
        (distance, gradient)
    }

    fn step(&self, state: &mut State, noise: &mut Noise) -> Step {
        let before = state.clone();
        let (mut excited, mut direction, mut soft) = ([Vec::new(), Vec::new()], [0; 2], [[0.0; 9]; 2]);
        for species in 0..2 {
            excited[species] = before[species].iter().map(|n| *n > self.capacity * noise.uniform()).collect();
            for (k, x) in soft[species].iter_mut().enumerate() {
                let gumbel = -(-(noise.uniform().max(1e-300)).ln()).ln();
                *x = self.probability(species, k).ln() + gumbel;
            }
            let top = soft[species].iter().copied().fold(f64::NEG_INFINITY, f64::max);
            direction[species] = soft[species].iter().position(|x| *x >= top).unwrap_or(0);
            soft[species] = soft[species].map(|x| (x - top).exp());
            let total: f64 = soft[species].iter().sum();
            soft[species] = soft[species].map(|x| x / total);
            for site in (0..self.sites()).filter(|s| excited[species][*s]) {
                state[species][site] -= 1.0;
                state[species][self.moved(site, direction[species])] += 1.0;
            }
        }
        let between = state.clone();
        let mut picked = Vec::new();
        for site in 0..self.sites() {
            picked.push((6.0 * noise.uniform()) as usize);
            let c = channel(picked[site], between[0][site], between[1][site], self.capacity);
            if noise.uniform() < GAMMA * self.theta[2 + c.constant] * c.rate {
                state[c.species][site] += c.change;
            }
        }
        Step { before, excited, direction, soft, between, channel: picked }
    }

    /// ∂fire/∂(γ r) = 1 for the channel that was picked.
    fn back_through_reaction(
        &self,
        step: &Step,
        bar: &mut State,
        gradient: &mut [f64; 5],
        leave: Departures,
    ) {
        for site in 0..self.sites() {
            let after = [bar[0][site], bar[1][site]];
            for number in 0..6 {
                let share = match (leave.averaged, step.channel[site] == number) {
                    (true, _) => 1.0 / 6.0,
                    (false, true) => 1.0,
                    (false, false) => continue,
                };
                let c = channel(number, step.between[0][site], step.between[1][site], self.capacity);
                let to_probability = share * GAMMA * c.change * after[c.species];
                gradient[2 + c.constant] += to_probability * c.rate;
                for species in 0..2 {
                    bar[species][site] += to_probability * self.theta[2 + c.constant] * c.by[species];
                }
            }
        }
    }

    fn back_through_diffusion(
        &self,
        step: &Step,
        species: usize,
        bar: &mut [f64],
        gradient: &mut [f64; 5],
        leave: Departures,
    ) {
        // What the loss would change by, had the plane gone each way.
        let mut ways = [0.0; 9];
        for site in (0..self.sites()).filter(|s| step.excited[species][*s]) {
            for (k, way) in ways.iter_mut().enumerate() {
                *way += bar[self.moved(site, k)];
            }
        }
        let soft = &step.soft[species];
        let mean: f64 = ways.iter().zip(soft).map(|(way, y)| way * y).sum();
        for k in 0..9 {
            gradient[species] += growths()[k]
                * match leave.straight_directions {
                    true => ways[k],
                    false => soft[k] * (ways[k] - mean) / self.probability(species, k),
                };
        }
        let after = bar.to_vec();
        for site in 0..self.sites() {
            let n = step.before[species][site];
            let inside = n > 0.0 && n < self.capacity;
            if inside || leave.slope_everywhere {
                // Excitation takes a particle here and puts it there.
                bar[site] = after[self.moved(site, step.direction[species])];
            }
        }
    }
}
