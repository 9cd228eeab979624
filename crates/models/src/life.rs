//! Plays Conway's Game of Life with chance: its rule is followed only with some probability.
//!
//! All sites at once, n living Moore neighbours: the rule gives life to a dead site with probability b where n is one
//! of the birth counts (3), and keeps a living one with probability s where n is one of the survival counts (2, 3);
//! then the outcome is reversed with probability ε: P(alive) = ε + (1 − 2ε) r, with r the probability by the rule.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `alive` | whether the site is | 0 or 1 |
//! | `birth` (b) | probability that a birth by the rule takes place | [0, 1] |
//! | `survival` (s) | probability that a survival by the rule takes place | [0, 1] |
//! | `noise` (ε) | probability of the opposite of what would be | [0, 0.5] |
//!
//! Options: `shape` (default [64, 64]), `boundary`, `births` (counts, default [3]), `survivals` (counts, default
//! [2, 3]), `density` (at the start, default 0.3).
//!
//! Reference: Gardner 1970, Sci. Am. 223(4), 120; with noise Schulman & Seiden 1978, J. Stat. Phys. 19, 293.
//!
//! Exact: with b = s = 1 and ε = 0 it is Life: a glider moves by one site along the diagonal in four steps.

use glauber_lattice::{Moore, Values};
use glauber_program::{Expr, Interval, Model, Scope};

use crate::options::{CatalogueError, OptionReader};

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice(&[64, 64])?;
    let births = options.counts("births", &[3], 26)?;
    let survivals = options.counts("survivals", &[2, 3], 26)?;
    let density = options.number("density", 0.3, 0.0, 1.0)?;
    let model = Model::build("game-of-life", lattice)
        .layer("alive", Values::binary())
        .parameter_or("birth", Interval::unit(), 1.0)
        .parameter_or("survival", Interval::unit(), 1.0)
        .parameter_or("noise", Interval::new(0.0, 0.5), 0.0)
        .start(|s| s.next("alive").bernoulli(density))
        .step(|s| {
            let alive = s.layer("alive");
            let around = alive.neighbours(Moore).sum();
            let (born, kept) = (one_of(s, around, &births), one_of(s, around, &survivals));
            let rule =
                alive * (kept * s.parameter("survival")) + (1.0 - alive) * (born * s.parameter("birth"));
            let noise = s.parameter("noise");
            s.next("alive").bernoulli(noise + (1.0 - 2.0 * noise) * rule);
        })?;
    Ok(model)
}

/// 1 where a count is one of several.
fn one_of(s: &Scope, count: Expr, wanted: &[i32]) -> Expr {
    wanted.iter().fold(s.number(0.0), |any, n| any + count.equals(f64::from(*n)))
}
