//! A checkerboard sweep of the Ising model, as one would write it: a table of chances, one colour after the other.

use super::contact_process::Xorshift;

/// Runs `sweeps` sweeps of Glauber's dynamics on a torus of `side` × `side` sites (a power of two); the share of spins up.
pub fn run(side: usize, sweeps: usize, beta: f64, seed: u64) -> f64 {
    let mut random = Xorshift(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut up: Vec<u8> = (0..side * side).map(|_| (random.next() >> 63) as u8).collect();
    // Four neighbours of which n are up: the sum of spins is 2n − 4.
    let chance: Vec<f32> =
        (0..5).map(|n| (1.0 / (1.0 + (-2.0 * beta * (2.0 * f64::from(n) - 4.0)).exp())) as f32).collect();
    let wrap = side - 1;
    for sweep in 0..2 * sweeps {
        for y in 0..side {
            let (row, above, below) = (y * side, ((y + wrap) & wrap) * side, ((y + 1) & wrap) * side);
            for x in ((y + sweep) & 1..side).step_by(2) {
                let around = up[row + ((x + 1) & wrap)]
                    + up[row + ((x + wrap) & wrap)]
                    + up[above + x]
                    + up[below + x];
                let u = (random.next() >> 40) as f32 / 16_777_216.0;
                up[row + x] = u8::from(u < chance[around as usize]);
            }
        }
    }
    up.iter().map(|x| f64::from(*x)).sum::<f64>() / (side * side) as f64
}
