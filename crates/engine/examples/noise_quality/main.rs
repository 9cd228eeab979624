//! Tests the noise words in the orders the engine uses them, beside a control and weaker generators.
//!
//! ```text
//! cargo run --release -p glauber-engine --example noise_quality -- [GENERATOR] [LOG2_WORDS]
//! ```
//!
//! Prints a line a group of tests and a verdict: random words fail with probability 10⁻³ (half of it for the
//! smallest p-value, Bonferroni's correction; half for the p-values' own uniformity). Exit code 1 on failure.

#![allow(clippy::print_stdout)] // A program: what it prints is its result.

mod address;
mod laws;
mod orders;
mod sequence;

use std::process::ExitCode;

use laws::{Finding, uniformity};
use orders::{GENERATORS, Generator, ORDERS};

/// The probability with which random words fail.
const FALSE_ALARM: f64 = 1e-3;

/// At least `count` words of one order, cut to that number.
fn words(generator: &Generator, order: &str, count: usize) -> Vec<u32> {
    let mut words = Vec::new();
    for block in 0.. {
        if words.len() >= count || !orders::append(generator, order, 1, block, &mut words) {
            break;
        }
    }
    words.truncate(count);
    words
}

fn report(group: &str, findings: Vec<Finding>, all: &mut Vec<Finding>) {
    let smallest = findings.iter().min_by(|a, b| a.p.total_cmp(&b.p));
    if let Some(smallest) = smallest {
        println!("{group:28} {:4} tests, smallest p {:8.2e} ({})", findings.len(), smallest.p, smallest.test);
    }
    all.extend(findings);
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_else(|| "noise".to_owned());
    let size = arguments.next().and_then(|size| size.parse().ok()).unwrap_or(24_u32).clamp(18, 28);
    let Some(generator) = GENERATORS.iter().find(|generator| generator.name == wanted) else {
        let known =
            GENERATORS.map(|generator| format!("  {}: {}", generator.name, generator.about)).join("\n");
        println!("unknown generator `{wanted}`; choose one of\n{known}");
        return ExitCode::from(2);
    };
    println!("{}: {}; 2^{size} words a sequence", generator.name, generator.about);
    let mut all = Vec::new();
    for (order, _) in ORDERS {
        let mut words = words(generator, order, 1 << size);
        report(order, sequence::test(&words), &mut all);
        words.iter_mut().for_each(|word| *word = word.reverse_bits());
        report(&format!("{order}, bits reversed"), sequence::test_upper_bits(&words), &mut all);
    }
    report("addresses", address::test(generator, 1 << size), &mut all);
    let smallest = all.iter().fold(1.0_f64, |smallest, finding| smallest.min(finding.p));
    let uniform = uniformity(&all);
    let corrected = (smallest * all.len() as f64).min(1.0);
    println!("{} tests: smallest p, corrected {corrected:.2e}; uniformity of all p {uniform:.2e}", all.len());
    let passed = corrected > FALSE_ALARM / 2.0 && uniform > FALSE_ALARM / 2.0;
    println!("{}: {}", generator.name, if passed { "passed" } else { "FAILED" });
    if passed { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
