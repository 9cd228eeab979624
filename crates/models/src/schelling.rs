//! Moves agents of two kinds to free sites until enough of their neighbours are like them: segregation.
//!
//! A step draws as many sites as there are, one after another, with replacement. An agent drawn counts its neighbours; where
//! fewer than the share `tolerance` of those present are of its kind, it moves to a site drawn from the whole lattice, if that
//! is free. (Without neighbours it stays.)
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `site` | `free`, or an agent of kind `one` or `other` | |
//! | `tolerance` | the least share of like neighbours with which an agent stays | [0, 1] |
//!
//! Options: `shape` (default [64, 64]), `boundary`, `neighbourhood` (`moore`, `von-neumann`, `hexagonal`), `free` (share of
//! free sites at the start, default 0.1; the rest are half and half).
//!
//! The tolerance acts through a comparison: no gradient by it exists, and it is fitted by searches.
//!
//! Reference: Schelling 1971, J. Math. Sociol. 1, 143. Departure: agents move to any free site, not to the nearest that
//! satisfies them.
//!
//! Exact: the numbers of agents of each kind are kept; with tolerance 0 nobody moves.

use glauber_lattice::Values;
use glauber_program::{Interval, Model, Pick, Update};

use crate::options::{CatalogueError, OptionReader};

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice(&[64, 64])?;
    let neighbours = options.neighbourhood(&["moore", "von-neumann", "hexagonal"], &lattice)?;
    let free = options.number("free", 0.1, 0.0, 1.0)?;
    let model = Model::build("schelling", lattice)
        .layer("site", Values::categories(&["free", "one", "other"]))
        .parameter_or("tolerance", Interval::unit(), 0.3)
        .update(Update::sequential(Pick::AnySite))
        .start(|s| {
            let half = (1.0 - free) / 2.0;
            s.next("site").categorical(&[(1.0 - 2.0 * half).into(), half.into(), half.into()])
        })
        .step(|s| {
            let site = s.layer("site");
            let ones = site.neighbours(neighbours.clone()).count(1);
            let others = site.neighbours(neighbours.clone()).count(2);
            let like = site.is(1).select(ones, others);
            let unhappy = like.less(s.parameter("tolerance") * (ones + others));
            let there = s.anywhere();
            let moves = (1.0 - site.is(0)) * unhappy * site.is(0).at(there);
            s.next("site").set(moves.select(0.0, site));
            s.next("site").set_at(there, moves.select(site, site.at(there)));
        })?;
    Ok(model)
}
