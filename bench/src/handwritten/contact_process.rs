//! The contact process in random sequential order, as one would write it: a table of chances, a generator, a loop.

/// Runs `steps` steps of one event a site on a torus of `side` × `side` sites (a power of two), all occupied at first; the
/// share of sites occupied in the end. An event is a time `delta` of a site's dying and breeding.
pub fn run(side: usize, steps: usize, lambda: f64, delta: f64, seed: u64) -> f64 {
    let mut sites = vec![1_u8; side * side];
    let born: Vec<f32> =
        (0..5).map(|n| (1.0 - (-lambda * delta * f64::from(n) / 4.0).exp()) as f32).collect();
    let stays = (-delta).exp() as f32;
    let mut random = Xorshift(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let wrap = side - 1;
    for _ in 0..steps * side * side {
        let site = (((random.next() >> 32) * (side * side) as u64) >> 32) as usize;
        let (y, x) = (site / side, site & wrap);
        let around = sites[y * side + ((x + 1) & wrap)]
            + sites[y * side + ((x + wrap) & wrap)]
            + sites[((y + 1) & wrap) * side + x]
            + sites[((y + wrap) & wrap) * side + x];
        let u = (random.next() >> 40) as f32 / 16_777_216.0;
        let chance = if sites[site] == 1 { stays } else { born[around as usize] };
        sites[site] = u8::from(u < chance);
    }
    sites.iter().map(|x| f64::from(*x)).sum::<f64>() / (side * side) as f64
}

/// Marsaglia's generator (2003): two or three cycles a number.
pub(super) struct Xorshift(pub(super) u64);

impl Xorshift {
    #[inline(always)]
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
