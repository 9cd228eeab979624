//! Draws the random numbers of starts and walks, each a pure function of what it is for.

use glauber_numbers::noise::{Key, Purpose, derive_seed, open_uniform};

/// Numbers of one place: `index` within a use of the seed.
pub(crate) struct Draws {
    radii: Key,
    angles: Key,
}

impl Draws {
    pub(crate) fn new(seed: u64, purpose: Purpose, chain: usize, index: u64) -> Draws {
        let seed = derive_seed(derive_seed(seed, purpose, chain as u64), purpose, index);
        Draws { radii: Key::new(seed, 0, 0, 0, 0), angles: Key::new(seed, 0, 0, 0, 1) }
    }

    /// Uniform in (0, 1); other numbers than the normal ones of the same place.
    pub(crate) fn uniform(&self, place: u32) -> f64 {
        open_uniform(self.radii.word((1 << 31) | place))
    }

    /// Standard normal (Box & Muller 1958).
    pub(crate) fn normal(&self, place: u32) -> f64 {
        let (u, v): (f64, f64) =
            (open_uniform(self.radii.word(place)), open_uniform(self.angles.word(place)));
        (-2.0 * libm::log(u)).sqrt() * libm::cos(2.0 * std::f64::consts::PI * v)
    }
}
