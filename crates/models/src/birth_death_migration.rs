//! Lets particles breed, die, arrive and wander: a lattice gas of independent particles.
//!
//! One step at a site of n particles: n ← n + B(n, b) − B(n, d) + Poisson(ν), births and deaths independent; then every
//! particle moves with probability m to a neighbour at random.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `particles` (n) | at the site | 0 … capacity |
//! | `birth` (b) | probability that a particle has one offspring in a step | [0, 1] |
//! | `death` (d) | probability that a particle dies in a step | [0, 1] |
//! | `immigration` (ν) | mean number that arrive at a site in a step | [0, 100] |
//! | `migration` (m) | probability that a particle moves in a step | [0, 1] |
//!
//! Options: `shape` (default [64, 64]), `boundary` (`reflecting` keeps particles in, `fixed` lets them go),
//! `neighbourhood` (`von-neumann`, `moore`, `hexagonal`), `capacity` (default 10000; more is an error of the run),
//! `density` (mean number at the start, Poisson; default 5).
//!
//! Reference: Kendall 1948, Ann. Math. Stat. 19, 1 (birth, death and immigration, in continuous time).
//!
//! Exact: with a = 1 + b − d the mean number per site goes as a μ + ν from step to step, and on a closed lattice the
//! variance V of the total number N as a² V + (b(1 − b) + d(1 − d)) E N + ν per site.

use glauber_lattice::Values;
use glauber_program::{Interval, Model};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::hopped;

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice(&[64, 64])?;
    let neighbourhood = options.neighbourhood(&["von-neumann", "moore", "hexagonal"], &lattice)?;
    let capacity = options.whole("capacity", 10_000, 1, 1 << 24)?;
    let density = options.number("density", 5.0, 0.0, 1e6)?;
    let model = Model::build("birth-death-migration", lattice.clone())
        .layer("particles", Values::up_to(capacity))
        .parameter_or("birth", Interval::unit(), 0.05)
        .unit("per particle and step")
        .parameter_or("death", Interval::unit(), 0.1)
        .unit("per particle and step")
        .parameter_or("immigration", Interval::new(0.0, 100.0), 0.25)
        .unit("particles per site and step")
        .parameter_or("migration", Interval::unit(), 0.2)
        .unit("per particle and step")
        .start(|s| s.next("particles").set(s.poisson(density)))
        .step(|s| {
            let n = s.layer("particles");
            let births = s.binomial(n, s.parameter("birth"));
            let deaths = s.binomial(n, s.parameter("death"));
            let arrivals = s.poisson(s.parameter("immigration"));
            let here = n + births - deaths + arrivals;
            s.next("particles").set(hopped(s, here, s.parameter("migration"), &neighbourhood, &lattice));
        })?;
    Ok(model)
}
