//! Percolates along time on a line: a site's next value depends on how many of two sites before it are active.
//!
//! P(active at t + 1) = 0, p₁ or p₂ where none, one or both of the sites i and i + 1 are active at t.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `active` | whether the site is | 0 or 1 |
//! | `p1` | probability after one active site | [0, 1] |
//! | `p2` | probability after two | [0, 1] |
//!
//! Options: `shape` (one length, default [256]), `boundary`, `start` (`full`, `centre` or `random`), `density` (of a
//! random start, default 0.5).
//!
//! Reference: Domany & Kinzel 1984, Phys. Rev. Lett. 53, 311. Their lattice is that of space-time with every other site
//! left out; here it is sheared, so that all sites are used: site i at t is their site at 2i + t.
//!
//! Exact: from one active site the mean number active after one step is 2p₁. Compact directed percolation (p₂ = 1)
//! survives from one site with probability (2p₁ − 1)/p₁² for p₁ > ½, never below (Essam 1989, J. Phys. A 22, 4927).
//! Critical points (Hinrichsen 2000, Adv. Phys. 49, 815): sites (p₁ = p₂) 0.70548, bonds (p₂ = p₁(2 − p₁)) 0.64470.

use glauber_lattice::{Neighbourhood, Values};
use glauber_program::{Interval, Model};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::Seeds;

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.line(256)?;
    let full = !options.has("start") || options.is("start", "full");
    let seeds = Seeds::read(options, &["full", "centre", "random"], 0.5)?;
    let parents = Neighbourhood::of(&[[0, 0, 0], [0, 0, 1]]);
    let model = Model::build("domany-kinzel", lattice.clone())
        .layer("active", Values::binary())
        .parameter_or("p1", Interval::unit(), 0.7)
        .parameter_or("p2", Interval::unit(), 0.8)
        .start(|s| match full {
            true => s.next("active").set(1.0),
            false => s.next("active").set(seeds.sites(s, lattice.shape())),
        })
        .step(|s| {
            // One of two: n(2 − n); both: n(n − 1)/2. As polynomials, so that derivatives pass through.
            let n = s.layer("active").neighbours(parents.clone()).sum();
            let (one, both) = (n * (2.0 - n), n * (n - 1.0) * 0.5);
            s.next("active").bernoulli(one * s.parameter("p1") + both * s.parameter("p2"));
        })?;
    Ok(model)
}
