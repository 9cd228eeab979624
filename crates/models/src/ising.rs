//! Flips spins on a lattice: the Ising model with Glauber's or Metropolis' dynamics, in checkerboard or random order.
//!
//! Spins σ = ±1 of energy E = −Σ σσ′ over nearest pairs − h Σ σ. A step updates all white sites, then all black ones
//! (`update` = `sublattices`), or as many sites as there are, one after another, each drawn from all (`random-sequential`):
//! Glauber (heat bath): P(σ = +1) = 1/(1 + exp(−2β(m + h))), with m the sum of the neighbours' spins;
//! Metropolis: P(flip) = min(1, exp(−2β σ(m + h))).
//! Both keep exp(−βE) unchanged.
//!
//! Fits to Metropolis' transitions: a flip that costs nothing always happens, so observed spins that kept still make the
//! likelihood 0 wherever the parameters say that they had to flip. On the square lattice this holds `field` between the same
//! two even numbers as the truth (start it there), and `beta` above 0. At an even field itself, 0 among them, the likelihood
//! has a kink: its slope jumps, the estimate comes to lie on the kink, and a normal error does not exist. The fit says so and
//! prints none; with Glauber's dynamics the likelihood is smooth everywhere.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `up` | (1 + σ)/2 | 0 or 1 |
//! | `beta` (β) | inverse temperature, in units of the coupling | [0, 5] |
//! | `field` (h) | external field, in units of the coupling | [−5, 5] |
//!
//! Options: `dynamics` (`glauber` or `metropolis`), `update` (`sublattices` or `random-sequential`), `shape` (default [64, 64]), `boundary` (`periodic` or `free`),
//! `start` (`random` or `up`), `density` (of spins up at a random start, default 0.5).
//!
//! Reference: Glauber 1963, J. Math. Phys. 4, 294; Metropolis et al. 1953, J. Chem. Phys. 21, 1087. Departure from
//! Glauber: discrete time; by sublattices half the lattice at once.
//!
//! Exact: by enumeration on the 4 × 4 torus, β = 0.3, h = 0: ⟨E⟩/N = −0.8440540736, its derivative by β −4.8999183731;
//! on the infinite square lattice (Onsager 1944, Yang 1952): energy −1.10607920 at T = 2.5, magnetisation 0.91131938 at
//! T = 2, critical at T = 2.269185314213.

use glauber_lattice::Values;
use glauber_program::{Expr, Interval, Model, Scope};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::Checkerboard;

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let board = Checkerboard::read(options, &[64, 64])?;
    let metropolis = options.choice("dynamics", &["glauber", "metropolis"])? == "metropolis";
    let up = options.choice("start", &["random", "up"])? == "up";
    let density = options.number("density", 0.5, 0.0, 1.0)?;
    let model = Model::build("ising", board.lattice.clone())
        .layer("up", Values::binary())
        .parameter_or("beta", Interval::new(0.0, 5.0), 0.4)
        .parameter_or("field", Interval::new(-5.0, 5.0), 0.0)
        .update(board.update.clone())
        .start(|s| s.next("up").bernoulli(if up { 1.0 } else { density }))
        .step(|s| s.next("up").set(drawn(s, s.layer("up"), &board, metropolis)))?;
    Ok(model)
}

/// The new value of a site, given the values of its neighbours.
fn drawn(s: &Scope, up: Expr, board: &Checkerboard, metropolis: bool) -> Expr {
    // Beyond a free edge the spin is 0, so spins are summed, not ups.
    let around = (up * 2.0 - 1.0).beyond(0.0).neighbours(board.neighbours.clone()).sum();
    let pull = s.parameter("beta") * (around + s.parameter("field")) * 2.0;
    if !metropolis {
        return s.bernoulli(pull.sigmoid());
    }
    let (leaves, joins) = ((-pull).exp().min(1.0), pull.exp().min(1.0));
    s.bernoulli(up * (1.0 - leaves) + (1.0 - up) * joins)
}
