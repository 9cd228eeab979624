//! Spreads an infection with a latent time: who catches it is exposed first, then infectious, then recovered for good.
//!
//! All sites at once, one step: P(susceptible → exposed) = 1 − (1 − β)ᴺ, with N the number of infected neighbours;
//! P(exposed → infected) = σ; P(infected → recovered) = γ.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `state` | susceptible (0), exposed (1), infected (2) or recovered (3) | |
//! | `infection` (β) | probability to catch it from one infected neighbour in one step | [0, 1] |
//! | `onset` (σ) | probability to become infectious in one step | [0, 1] |
//! | `recovery` (γ) | probability to recover in one step | [0, 1] |
//!
//! Options: as of `susceptible-infected-recovered`.
//!
//! Reference: Anderson & May, *Infectious Diseases of Humans*, Oxford 1991, ch. 3 (in continuous time).
//!
//! Exact: from one infected site with z neighbours, after two steps the mean number ever exposed is
//! 1 + z(1 − (1 − β)(γ + (1 − γ)(1 − β))) for σ = 0, since only the first site infects.

use glauber_lattice::Values;
use glauber_program::{Colour, Interval, Model};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::Seeds;
use crate::rules::{Transition, next_state};
use crate::susceptible_infected_recovered::Contacts;

const STATES: [&str; 4] = ["susceptible", "exposed", "infected", "recovered"];
/// Pale, amber, red, blue.
const COLOURS: [Option<Colour>; 4] = [
    Some(Colour::hex(0xefece3)),
    Some(Colour::hex(0xe3a72f)),
    Some(Colour::hex(0xb3201c)),
    Some(Colour::hex(0x5b8fc7)),
];

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice(&[64, 64])?;
    let contacts = Contacts::read(options, &lattice)?;
    let seeds = Seeds::read(options, &["centre", "random"], 0.01)?;
    let model = Model::build("susceptible-exposed-infected-recovered", lattice.clone())
        .layer("state", Values::categories(&STATES))
        .colours(&COLOURS)
        .parameter_or("infection", Interval::unit(), 0.1)
        .unit("per infected neighbour and step")
        .parameter_or("onset", Interval::unit(), 0.3)
        .unit("per step")
        .parameter_or("recovery", Interval::unit(), 0.2)
        .unit("per step")
        .start(|s| s.next("state").set(seeds.sites(s, lattice.shape()) * 2.0))
        .step(|s| {
            let exposure = contacts.exposure(s.layer("state").is(2));
            let caught = 1.0 - (1.0 - s.parameter("infection")).pow(exposure);
            let transitions = [
                Transition { from: 0, to: 1, p: caught },
                Transition { from: 1, to: 2, p: s.parameter("onset") },
                Transition { from: 2, to: 3, p: s.parameter("recovery") },
            ];
            next_state(s, "state", &STATES, &transitions);
        })?;
    Ok(model)
}
