//! Writes the noise words to standard output in an order the engine uses them, for external test suites.
//!
//! ```text
//! cargo run --release -p glauber-engine --example noise_stream -- ORDER [SEED] | RNG_test stdin32
//! ```
//!
//! Words are 32-bit, little-endian, without end: the reader closes the pipe. Without an ORDER the known ones
//! are listed.

#![allow(dead_code)] // The generators it compares with are the quality program's.

use std::error::Error;
use std::io::{ErrorKind, Write, stdout};

#[path = "noise_quality/orders.rs"]
mod orders;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let order = arguments.next().unwrap_or_default();
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let [generator, ..] = &orders::GENERATORS;
    let mut output = stdout().lock();
    let (mut words, mut bytes) = (Vec::new(), Vec::new());
    for block in 0..=u32::MAX {
        words.clear();
        if !orders::append(generator, &order, seed, block, &mut words) {
            let known = orders::ORDERS.map(|(name, about)| format!("  {name}: {about}")).join("\n");
            return Err(format!("unknown order `{order}`; choose one of\n{known}").into());
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
