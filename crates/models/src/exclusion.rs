//! Drives particles along a line on which no two share a site: the totally asymmetric exclusion process.
//!
//! All sites at once, one step: a particle with a free site to its right moves there with probability p. On an open
//! line a particle enters the free first site with probability α and leaves the last one with probability β. With
//! `update` = `random-sequential` as many sites as there are are drawn one after another in a step, and what can happen at
//! one happens with these probabilities (a site that is drawn empty takes a particle in only at the start of the line);
//! with `continuous-time` p, α and β are rates, and a step is one unit of time; with `sublattices` every second site.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `occupied` | whether a particle is there | 0 or 1 |
//! | `hop` (p) | probability to move in one step where the way is free (a rate in continuous time) | [0, 1] ([0, ∞)) |
//! | `entry` (α), `exit` (β) | the same at the ends, only with `boundary` = `open` | [0, 1] ([0, ∞)) |
//!
//! Options: `update` (`synchronous`, `random-sequential`, `continuous-time`, `sublattices`), `shape` (one length, default [256]), `boundary` (`periodic` or `open`), `density` (at the start, default 0.5).
//!
//! Reference: Spitzer 1970, Adv. Math. 5, 246; parallel update: Schreckenberg et al. 1995, Phys. Rev. E 51, 2939.
//!
//! Exact: on a ring particles are conserved; the current at density ρ tends for large rings to
//! (1 − √(1 − 4pρ(1 − ρ)))/2 per step, which per unit of p is ρ(1 − ρ) as p → 0 (the continuous-time process). On small
//! rings it follows from the transition matrix. On an open line of L sites in random sequential order the current is
//! Z_(L−1)/Z_L of Derrida, Evans, Hakim & Pasquier 1993, J. Phys. A 26, 1493: 0.2857142857 for L = 10, α = β = p = 1.

use glauber_lattice::{Boundary, Lattice, Values};
use glauber_program::{Expr, Interval, Model, Scope, Update};

use crate::options::{CatalogueError, OptionReader};

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let update = options.update(&["synchronous", "random-sequential", "continuous-time", "sublattices"])?;
    let open = options.is("boundary", "open");
    options.choice("boundary", &["periodic", "open"])?;
    let lattice = Lattice::new(&options.one_length(256)?)?;
    let length = lattice.shape()[0];
    let lattice = if open { lattice.bounded(Boundary::Fixed(0.0)) } else { lattice };
    let density = options.number("density", 0.5, 0.0, 1.0)?;
    let interval = match update {
        Update::ContinuousTime => Interval::positive(),
        _ => Interval::unit(),
    };
    let mut model = Model::build("exclusion", lattice)
        .layer("occupied", Values::binary())
        .parameter_or("hop", interval, 0.5)
        .update(update.clone());
    if open {
        model = model.parameter_or("entry", interval, 0.5).parameter_or("exit", interval, 0.5);
    }
    let model = model.start(|s| s.next("occupied").bernoulli(density)).step(|s| match update {
        Update::Synchronous => at_once(s, length, open),
        _ => one_site(s, length, open, &update),
    })?;
    Ok(model)
}

/// All sites from the state before.
fn at_once(s: &Scope, length: usize, open: bool) {
    let occupied = s.layer("occupied");
    let mut leaves = s.parameter("hop") * (occupied * (1.0 - occupied.shift([0, 0, 1])));
    if open {
        let last = s.coordinate(0).equals(length as f64 - 1.0);
        leaves = last.select(occupied * s.parameter("exit"), leaves);
    }
    let gone = s.bernoulli(leaves);
    // A particle that was there and is not there any more has moved: none can have followed in the same step.
    let seen = gone.revealed_by(occupied * (1.0 - s.observed_next("occupied")));
    let entered = entered(s, occupied, open);
    s.next("occupied").set(occupied - gone + seen.beyond(0.0).shift([0, 0, -1]) + entered);
}

/// One site from the present state: its particle moves on, or one enters.
fn one_site(s: &Scope, length: usize, open: bool, update: &Update) {
    let occupied = s.layer("occupied");
    let right = s.neighbour_towards(s.number(0.0), &[[0, 0, 1]]);
    let mut chance = s.parameter("hop") * (occupied * (1.0 - occupied.at(right)));
    let mut last = s.number(0.0);
    if open {
        last = s.coordinate(0).equals(length as f64 - 1.0);
        let enters = s.coordinate(0).equals(0.0) * ((1.0 - occupied) * s.parameter("entry"));
        chance = last.select(occupied * s.parameter("exit"), chance) + enters;
    }
    let moves = match update {
        Update::ContinuousTime => s.rates(&[chance.into()]).is(0),
        _ => s.bernoulli(chance),
    };
    let hops = moves * occupied * (1.0 - last);
    s.next("occupied").set(occupied + moves * (1.0 - 2.0 * occupied));
    s.next("occupied").set_at(right, occupied.at(right) + hops);
}

/// 1 where a particle enters an open line.
fn entered(s: &Scope, occupied: Expr, open: bool) -> Expr {
    if !open {
        return s.number(0.0);
    }
    let first = s.coordinate(0).equals(0.0);
    s.bernoulli(first * ((1.0 - occupied) * s.parameter("entry")))
}
