//! Names the random numbers of a step: which draw is what for.

use glauber_numbers::noise::Key;

/// Which site (two lanes), which direction, whether accepted (a second lane where one word leaves it open), and how
/// many events pass at sites where nothing can change (two lanes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Draw {
    Site = 0,
    Direction = 1,
    Acceptance = 2,
    Gap = 3,
}

/// Where the noise of a simulation comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    pub(crate) seed: u64,
    pub(crate) replicate: u32,
}

impl Noise {
    /// The key of a draw in a step. Steps beyond 2³² use lanes of their own, so that no number comes twice.
    #[inline(always)]
    pub(crate) fn key(&self, step: u64, draw: Draw, lane: u32) -> Key {
        let epoch = (step >> 32) as u32;
        Key::new(self.seed, self.replicate, step as u32, draw as u32, lane + 2 * epoch)
    }
}

/// A number below `count` from a word: ⌊word · count / 2³²⌋.
#[inline(always)]
pub(crate) fn below(word: u32, count: usize) -> usize {
    ((u64::from(word) * count as u64) >> 32) as usize
}

/// A number below `count` from two words, uniform to 2⁻³² of its probability at worst.
#[inline(always)]
pub(crate) fn below_by_two(words: [u32; 2], count: usize) -> usize {
    let word = u64::from(words[0]) << 32 | u64::from(words[1]);
    ((u128::from(word) * count as u128) >> 64) as usize
}
