//! Lays the words of a generator out in the orders the engine uses them.

use glauber_numbers::noise::{Key, philox4x32_10};

/// What the sites of one block share.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// The run's seed.
    pub seed: u64,
    /// The realisation.
    pub replicate: u32,
    /// The Monte Carlo step.
    pub step: u32,
    /// The number of the draw within the step.
    pub draw: u32,
    /// The number of the random number within the draw.
    pub lane: u32,
}

/// A way to turn addresses into words: the engine's, or one to compare it with.
pub struct Generator {
    /// What the command line calls it.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Writes the words of consecutive sites, from the first one given.
    pub fill: fn(Draw, u32, &mut [u32]),
}

/// The engine's words first, then a control that should pass and three that should not.
pub const GENERATORS: [Generator; 5] = [
    Generator { name: "noise", about: "the engine's words", fill: engine },
    Generator { name: "philox", about: "Philox4x32-10, one call a word (control)", fill: philox },
    Generator { name: "three-rounds", about: "three keyed rounds, nothing added", fill: three_rounds },
    Generator { name: "two-rounds", about: "two keyed rounds", fill: two_rounds },
    Generator { name: "one-key", about: "two rounds, one 32-bit key word", fill: one_key },
];

fn engine(of: Draw, first: u32, words: &mut [u32]) {
    let key = Key::new(of.seed, of.replicate, of.step, of.draw, of.lane);
    for (word, site) in words.iter_mut().zip(first..) {
        *word = key.word(site);
    }
}

fn philox(of: Draw, first: u32, words: &mut [u32]) {
    let key = [of.seed as u32, (of.seed >> 32) as u32];
    for (word, site) in words.iter_mut().zip(first..) {
        *word = philox4x32_10([of.replicate, of.step, of.draw ^ of.lane.rotate_left(16), site], key)[0];
    }
}

fn key_words(of: Draw) -> [u32; 4] {
    philox4x32_10([of.replicate, of.step, of.draw, of.lane], [of.seed as u32, (of.seed >> 32) as u32])
}

fn three_rounds(of: Draw, first: u32, words: &mut [u32]) {
    let [k0, k1, k2, k3] = key_words(of);
    for (word, site) in words.iter_mut().zip(first..) {
        let mut x = site ^ k0;
        x = (x ^ x >> 17).wrapping_mul(0xed5a_d4bb) ^ k1;
        x = (x ^ x >> 11).wrapping_mul(0xac4c_1b51) ^ k2;
        x = (x ^ x >> 15).wrapping_mul(0x3184_8bab) ^ k3;
        *word = x ^ x >> 14;
    }
}

fn two_rounds(of: Draw, first: u32, words: &mut [u32]) {
    let [k0, k1, k2, k3] = key_words(of);
    for (word, site) in words.iter_mut().zip(first..) {
        let mut x = site ^ k0;
        x = (x ^ x >> 16).wrapping_mul(0x7feb_352d) ^ k1;
        x = (x ^ x >> 15).wrapping_mul(0x846c_a68b) ^ k2;
        *word = (x ^ x >> 16) ^ k3;
    }
}

fn one_key(of: Draw, first: u32, words: &mut [u32]) {
    let [k0, ..] = key_words(of);
    for (word, site) in words.iter_mut().zip(first..) {
        let mut x = site ^ k0;
        x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
        x = (x ^ x >> 15).wrapping_mul(0x846c_a68b);
        *word = x ^ x >> 16;
    }
}

/// The orders and what they are.
pub const ORDERS: [(&str, &str); 8] = [
    ("sites", "4096 sites of a key, then the next step"),
    ("steps", "one site over 4096 steps, then the next site; after 4096 sites the next replicate"),
    ("tiny", "9 sites of a key, then the next replicate"),
    ("lanes", "4 lanes of a site, then the next site; after 4096 sites the next step"),
    ("draws", "6 draws of a site, then the next site; after 4096 sites the next step"),
    ("seeds", "site 0 of sequential seeds, everything else 0"),
    ("replicates", "site 0 of 4096 sequential replicates, then the next step"),
    ("lattice", "all 2³² sites of one key, then the next step"),
];

/// Sites of the 64 × 64 lattice that most orders walk over.
const SITES: usize = 4096;

/// Appends block number `block` of an order (some thousands of words); false for an unknown order.
pub fn append(generator: &Generator, order: &str, seed: u64, block: u32, words: &mut Vec<u32>) -> bool {
    let origin = Draw { seed, replicate: 0, step: 0, draw: 0, lane: 0 };
    let at_step = Draw { step: block, ..origin };
    // Several draws side by side: all of them for a site, then the next site.
    let side_by_side =
        |draws: &mut dyn Iterator<Item = Draw>, first: u32, sites: usize, words: &mut Vec<u32>| {
            let draws: Vec<Draw> = draws.collect();
            let mut fields = vec![0; draws.len() * sites];
            for (&draw, field) in draws.iter().zip(fields.chunks_exact_mut(sites)) {
                (generator.fill)(draw, first, field);
            }
            words.extend((0..sites).flat_map(|site| fields[site..].iter().step_by(sites)));
        };
    match order {
        "sites" => side_by_side(&mut [at_step].into_iter(), 0, SITES, words),
        "lanes" => side_by_side(&mut (0..4).map(|lane| Draw { lane, ..at_step }), 0, SITES, words),
        "draws" => side_by_side(&mut (0..6).map(|draw| Draw { draw, ..at_step }), 0, SITES, words),
        "steps" => {
            let (replicate, first) = (block / 256, block % 256 * 16);
            side_by_side(&mut (0..4096).map(|step| Draw { replicate, step, ..origin }), first, 16, words);
        }
        "seeds" => {
            let first = seed.wrapping_add(u64::from(block) * 4096);
            let seeds = (0..4096).map(|offset| Draw { seed: first.wrapping_add(offset), ..origin });
            side_by_side(&mut { seeds }, 0, 1, words);
        }
        "replicates" => {
            side_by_side(&mut (0..4096).map(|replicate| Draw { replicate, ..at_step }), 0, 1, words);
        }
        "tiny" => {
            for replicate in (0..1024).map(|offset| block.wrapping_mul(1024).wrapping_add(offset)) {
                side_by_side(&mut [Draw { replicate, ..origin }].into_iter(), 0, 9, words);
            }
        }
        "lattice" => {
            let (step, part) = (block >> 16, block & 0xffff);
            side_by_side(&mut [Draw { step, ..origin }].into_iter(), part << 16, 1 << 16, words);
        }
        _ => return false,
    }
    true
}
