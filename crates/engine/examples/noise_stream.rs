//! Writes the noise words to standard output in an order the engine uses them, for external test suites.
//!
//! ```text
//! cargo run --release -p glauber-engine --example noise_stream -- ORDER [SEED] | dieharder -g 200 -a
//! ```
//!
//! Words are 32-bit, little-endian, without end: the reader closes the pipe. ORDER is one of
//!
//! - `sites`: 4096 sites of a key, then the next step
//! - `steps`: one site over 4096 steps, then the next site; then the next replicate
//! - `tiny`: 9 sites of a key, then the next replicate
//! - `lanes`: 4 lanes of a site, then the next site; 4096 sites, then the next step
//! - `draws`: 6 draws of a site, then the next site; 4096 sites, then the next step
//! - `seeds`: one site each of sequential seeds, everything else 0
//! - `lattice`: all 2³² sites of one key, then the next step
//! - `replicates`: one site each of sequential replicates, then the next step

use std::error::Error;
use std::io::{ErrorKind, Write, stdout};

use glauber_engine::noise::Key;

/// Sites of the 64 × 64 lattice that most of the orders walk over.
const SITES: u32 = 4096;

/// Appends the words of block number `block` in one order; false for an unknown order.
fn append(order: &str, seed: u64, block: u32, words: &mut Vec<u32>) -> bool {
    let interleaved = |keys: &[Key], words: &mut Vec<u32>| {
        words.extend((0..SITES).flat_map(|site| keys.iter().map(move |key| key.word(site))));
    };
    match order {
        "sites" => interleaved(&[Key::new(seed, 0, block, 0, 0)], words),
        "lanes" => interleaved(&[0, 1, 2, 3].map(|lane| Key::new(seed, 0, block, 0, lane)), words),
        "draws" => interleaved(&[0, 1, 2, 3, 4, 5].map(|draw| Key::new(seed, 0, block, draw, 0)), words),
        "steps" => {
            let keys: Vec<Key> = (0..4096).map(|step| Key::new(seed, block, step, 0, 0)).collect();
            words.extend((0..SITES).flat_map(|site| keys.iter().map(move |key| key.word(site))));
        }
        "tiny" => {
            let replicates = block * 1024..block * 1024 + 1024;
            let keys = replicates.map(|replicate| Key::new(seed, replicate, 0, 0, 0));
            words.extend(keys.flat_map(|key| (0..9).map(move |site| key.word(site))));
        }
        "seeds" => {
            let first = seed + u64::from(block) * 4096;
            words.extend((first..first + 4096).map(|seed| Key::new(seed, 0, 0, 0, 0).word(0)));
        }
        "replicates" => {
            let keys = (0..4096).map(|replicate| Key::new(seed, replicate, block, 0, 0));
            words.extend(keys.map(|key| key.word(0)));
        }
        "lattice" => {
            let (step, part) = (block >> 16, block & 0xffff);
            let key = Key::new(seed, 0, step, 0, 0);
            words.extend((part << 16..=part << 16 | 0xffff).map(|site| key.word(site)));
        }
        _ => return false,
    }
    true
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let order = arguments.next().unwrap_or_else(|| "sites".to_owned());
    let seed = arguments.next().map_or(Ok(0), |seed| seed.parse())?;
    let mut output = stdout().lock();
    let (mut words, mut bytes) = (Vec::new(), Vec::new());
    for block in 0..=u32::MAX {
        words.clear();
        if !append(&order, seed, block, &mut words) {
            return Err(format!("unknown order `{order}`; the first lines of the source list them").into());
        }
        bytes.clear();
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        match output.write_all(&bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
    Ok(())
}
