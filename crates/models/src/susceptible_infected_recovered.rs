//! Spreads an infection that ends: the susceptible catch it from infected neighbours, the infected recover for good.
//!
//! All sites at once, one step: P(susceptible → infected) = 1 − (1 − β)ᴺ, with N the number of infected neighbours;
//! P(infected → recovered) = γ.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `state` | susceptible (0), infected (1) or recovered (2) | |
//! | `infection` (β) | probability to catch it from one infected neighbour in one step | [0, 1] |
//! | `recovery` (γ) | probability to recover in one step | [0, 1] |
//!
//! Options: `shape` (default [64, 64]), `boundary`, `neighbourhood` (`moore`, `von-neumann`, `hexagonal`, or `all`: every
//! infected site of the lattice, the well-mixed case), `start` (`centre`: one infected site, or `random`), `density` (of
//! infected sites at a random start, default 0.01).
//!
//! Reference: Kermack & McKendrick 1927, Proc. R. Soc. A 115, 700; on lattices Grassberger 1983, Math. Biosci. 63, 157.
//! In discrete time with `all` and γ = 1 it is Reed & Frost's chain-binomial model.
//!
//! Exact: the mean number ever infected after one step from the centre is 1 + zβ with z neighbours. Well-mixed and
//! large, the share s that escapes an epidemic from shares s₀, 1 − s₀ solves s = s₀ exp(−R₀ (1 − s)), where
//! R₀ = −n ln(1 − β)/γ on n sites.

use glauber_lattice::{Lattice, Values};
use glauber_program::{Colour, Expr, Interval, Model};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::Seeds;
use crate::rules::{Transition, next_state};

const STATES: [&str; 3] = ["susceptible", "infected", "recovered"];
/// Pale, red, blue.
const COLOURS: [Option<Colour>; 3] =
    [Some(Colour::hex(0xefece3)), Some(Colour::hex(0xc8281e)), Some(Colour::hex(0x5b8fc7))];

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice(&[64, 64])?;
    let contacts = Contacts::read(options, &lattice)?;
    let seeds = Seeds::read(options, &["centre", "random"], 0.01)?;
    let model = Model::build("susceptible-infected-recovered", lattice.clone())
        .layer("state", Values::categories(&STATES))
        .colours(&COLOURS)
        .parameter_or("infection", Interval::unit(), 0.1)
        .unit("per infected neighbour and step")
        .parameter_or("recovery", Interval::unit(), 0.2)
        .unit("per step")
        .start(|s| s.next("state").set(seeds.sites(s, lattice.shape())))
        .step(|s| {
            let exposure = contacts.exposure(s.layer("state").is(1));
            let caught = 1.0 - (1.0 - s.parameter("infection")).pow(exposure);
            let transitions = [
                Transition { from: 0, to: 1, p: caught },
                Transition { from: 1, to: 2, p: s.parameter("recovery") },
            ];
            next_state(s, "state", &STATES, &transitions);
        })?;
    Ok(model)
}

/// Whom a site may catch an infection from.
pub(crate) enum Contacts {
    Neighbours(glauber_lattice::Neighbourhood),
    All,
}

impl Contacts {
    pub(crate) fn read(
        options: &mut OptionReader<'_>,
        lattice: &Lattice,
    ) -> Result<Contacts, CatalogueError> {
        let names = ["moore", "von-neumann", "hexagonal", "all"];
        if options.is("neighbourhood", "all") {
            options.choice("neighbourhood", &names)?;
            return Ok(Contacts::All);
        }
        Ok(Contacts::Neighbours(options.neighbourhood(&names, lattice)?))
    }

    /// How many contacts are infected; `infected` is 1 at infected sites.
    pub(crate) fn exposure(&self, infected: Expr) -> Expr {
        match self {
            Contacts::Neighbours(n) => infected.neighbours(n.clone()).sum(),
            Contacts::All => infected.sum(),
        }
    }
}
