//! Tests how words depend on their addresses: avalanche, differences between neighbours, blocks of one key.

use crate::laws::{Finding, binomial_halves, chi_square, even, gamma_upper, normal_upper, poisson};
use crate::orders::{Draw, Generator};
use crate::sequence::repeats;

/// Where a word comes from.
#[derive(Clone, Copy)]
struct Address {
    draw: Draw,
    site: u32,
}

fn word(generator: &Generator, at: Address) -> u32 {
    let mut words = [0];
    (generator.fill)(at.draw, at.site, &mut words);
    words[0]
}

/// Runs every test; `size` is the number of words that the larger ones use.
pub fn test(generator: &Generator, size: u32) -> Vec<Finding> {
    let mut findings: Vec<Finding> = (0..224).flat_map(|bit| avalanche(generator, bit)).collect();
    findings.extend(NEIGHBOURS.iter().flat_map(|neighbour| differences(generator, neighbour, size)));
    findings.extend(block_means(generator, size / 4096));
    findings
}

/// An address with one of its 224 bits flipped, and what that bit is called.
fn flipped(mut at: Address, bit: u32) -> (Address, String) {
    let one = |first: u32| 1_u32 << (bit - first);
    let name = match bit {
        0..64 => {
            at.draw.seed ^= 1 << bit;
            "seed"
        }
        64..96 => {
            at.draw.replicate ^= one(64);
            "replicate"
        }
        96..128 => {
            at.draw.step ^= one(96);
            "step"
        }
        128..160 => {
            at.draw.draw ^= one(128);
            "draw"
        }
        160..192 => {
            at.draw.lane ^= one(160);
            "lane"
        }
        _ => {
            at.site ^= one(192);
            "site"
        }
    };
    (at, format!("{name} bit {}", if bit < 64 { bit } else { bit % 32 }))
}

/// Flipping one bit of the address flips each bit of the word half the time, and 16 ± √8 of them.
fn avalanche(generator: &Generator, bit: u32) -> [Finding; 2] {
    const TRIALS: u32 = 1 << 14;
    let (mut flips, mut weights) = ([0_u32; 32], [0_u64; 33]);
    let mut name = String::new();
    for trial in 0..TRIALS {
        let draw =
            Draw { seed: 1, replicate: trial % 100, step: trial / 8, draw: trial % 6, lane: trial % 3 };
        let at = Address { draw, site: trial * 31 % 4096 };
        let (other, called) = flipped(at, bit);
        let difference = word(generator, at) ^ word(generator, other);
        for (position, count) in flips.iter_mut().enumerate() {
            *count += difference >> position & 1;
        }
        weights[difference.count_ones() as usize] += 1;
        name = called;
    }
    let n = f64::from(TRIALS);
    let statistic: f64 = flips.iter().map(|&count| (2.0 * f64::from(count) - n).powi(2) / n).sum();
    // Weights below 8 and above 24 are rare: one cell each.
    let fold = |cells: &[f64]| -> Vec<f64> {
        let mut folded = vec![cells[..8].iter().sum()];
        folded.extend(&cells[8..=24]);
        folded.push(cells[25..].iter().sum());
        folded
    };
    let counts =
        fold(&weights.map(|count| count as f64)).iter().map(|&count| count as u64).collect::<Vec<u64>>();
    [
        Finding::new(format!("avalanche of {name}"), gamma_upper(16.0, statistic / 2.0)),
        chi_square(format!("avalanche weights of {name}"), &counts, &fold(&binomial_halves(32))),
    ]
}

/// A neighbour's name and address.
type Neighbour = (&'static str, fn(Address) -> Address);

const NEIGHBOURS: [Neighbour; 13] = [
    ("seed + 1", |at| Address { draw: Draw { seed: at.draw.seed + 1, ..at.draw }, ..at }),
    ("replicate + 1", |at| Address { draw: Draw { replicate: at.draw.replicate + 1, ..at.draw }, ..at }),
    ("step + 1", |at| Address { draw: Draw { step: at.draw.step + 1, ..at.draw }, ..at }),
    ("draw + 1", |at| Address { draw: Draw { draw: at.draw.draw + 1, ..at.draw }, ..at }),
    ("lane + 1", |at| Address { draw: Draw { lane: at.draw.lane + 1, ..at.draw }, ..at }),
    ("site + 1", |at| Address { site: at.site + 1, ..at }),
    ("site + 2", |at| Address { site: at.site + 2, ..at }),
    ("site + 4", |at| Address { site: at.site + 4, ..at }),
    ("site + 64", |at| Address { site: at.site + 64, ..at }),
    ("site + 4096", |at| Address { site: at.site + 4096, ..at }),
    ("site + 2¹⁶", |at| Address { site: at.site + (1 << 16), ..at }),
    ("site + 2²⁴", |at| Address { site: at.site + (1 << 24), ..at }),
    ("site + 2³¹", |at| Address { site: at.site + (1 << 31), ..at }),
];

/// Words of neighbouring addresses, over many keys: their differences (xor, and modulo 2³²) repeat as
/// often as chance has it, and their upper bits fill the square evenly.
fn differences(generator: &Generator, (name, neighbour): &Neighbour, size: u32) -> [Finding; 3] {
    let mut counts = vec![0_u64; 65_536];
    let (mut xor, mut less) = (Vec::new(), Vec::new());
    for pair in 0..size {
        // A new key for each pair; even coordinates, so that no word is used twice.
        let draw = Draw { seed: 2, replicate: pair % 64 * 2, step: pair / 64 * 2, draw: 0, lane: 0 };
        let at = Address { draw, site: pair % 2048 * 8 };
        let (here, there) = (word(generator, at), word(generator, neighbour(at)));
        xor.push(here ^ there);
        less.push(here.wrapping_sub(there));
        counts[(here >> 24 << 8 | there >> 24) as usize] += 1;
    }
    let mean = f64::from(size) * f64::from(size - 1) / 2.0 / 4_294_967_296.0;
    [
        poisson(format!("xor with {name}"), repeats(&mut xor), mean),
        poisson(format!("difference from {name}"), repeats(&mut less), mean),
        even(format!("pairs with {name}"), &counts),
    ]
}

/// Sums over the 4096 sites of a key are normal: neither more nor less spread than those of independent words.
fn block_means(generator: &Generator, keys: u32) -> [Finding; 2] {
    let mut cells = vec![0_u64; 64];
    let mut squares = 0.0;
    let mut words = vec![0; 4096];
    for step in 0..keys {
        (generator.fill)(Draw { seed: 3, replicate: 0, step, draw: 0, lane: 0 }, 0, &mut words);
        let mean: f64 =
            words.iter().map(|&word| (f64::from(word) + 0.5) / 4_294_967_296.0).sum::<f64>() / 4096.0;
        let z = (mean - 0.5) * (12.0 * 4096.0_f64).sqrt();
        cells[((normal_upper(z) * 64.0) as usize).min(63)] += 1;
        squares += z * z;
    }
    let spread = gamma_upper(f64::from(keys) / 2.0, squares / 2.0);
    [even("block means", &cells), Finding::new("spread of block means", spread)]
}
