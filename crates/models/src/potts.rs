//! Turns sites to one of q states, preferring those of their neighbours: the Potts model in checkerboard or random order.
//!
//! Energy E = −Σ [s = s′] over nearest pairs. A step updates all white sites, then all black ones (`update` =
//! `sublattices`), or as many sites as there are, one after another, each drawn from all (`random-sequential`); with nₖ
//! neighbours in state k: Glauber (heat bath): P(k) = exp(βnₖ)/Σⱼ exp(βnⱼ); Metropolis: another state k is proposed with
//! probability 1/(q − 1) and taken with probability min(1, exp(β(nₖ − nₛ))), s the present state.
//! Both keep exp(−βE) unchanged.
//!
//! Fits to Metropolis' transitions: a proposal that costs nothing is always taken, and at β = 0 all are, so there the
//! likelihood has a kink, and where the data show one that was not taken it is 0. Elsewhere it is smooth; with Glauber's
//! dynamics it is smooth everywhere.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `state` | one of q | 0 … q − 1 |
//! | `beta` (β) | inverse temperature, in units of the coupling | [0, 10] |
//!
//! Options: `states` (q, default 3, 2 to 16), `dynamics` (`glauber` or `metropolis`), `update` (`sublattices` or
//! `random-sequential`), `shape` (default [64, 64]), `boundary` (`periodic` or `free`), `start` (`random` or `ordered`: all in state 0).
//!
//! Reference: Potts 1952, Proc. Camb. Phil. Soc. 48, 106; Wu 1982, Rev. Mod. Phys. 54, 235.
//!
//! Exact: with q = 2 it is the Ising model at half the β; critical on the square lattice at β = ln(1 + √q). Energies of
//! small tori by enumeration.

use glauber_lattice::Values;
use glauber_program::{Expr, Interval, Model, Operand, Scope};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::Checkerboard;

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let board = Checkerboard::read(options, &[64, 64])?;
    let states = options.whole("states", 3, 2, 16)?;
    let metropolis = options.choice("dynamics", &["glauber", "metropolis"])? == "metropolis";
    let ordered = options.choice("start", &["random", "ordered"])? == "ordered";
    let names: Vec<String> = (0..states).map(|k| format!("state {k}")).collect();
    let model = Model::build("potts", board.lattice.clone())
        .layer("state", Values::Categories(names))
        .parameter_or("beta", Interval::new(0.0, 10.0), 0.9)
        .update(board.update.clone())
        .start(|s| match ordered {
            true => s.next("state").set(0.0),
            false => {
                s.next("state").categorical(&vec![Operand::from(1.0 / f64::from(states)); states as usize])
            }
        })
        .step(|s| {
            let next = drawn(s, s.layer("state"), states as u32, &board, metropolis);
            s.next("state").set(next);
        })?;
    Ok(model)
}

/// The new value of a site, given the values of its neighbours.
fn drawn(s: &Scope, state: Expr, states: u32, board: &Checkerboard, metropolis: bool) -> Expr {
    let is = |k: u32| match (states, k) {
        (2, 1) => state,
        (2, _) => 1.0 - state,
        _ => state.is(k),
    };
    let beta = s.parameter("beta");
    let pull: Vec<Expr> =
        (0..states).map(|k| beta * is(k).beyond(0.0).neighbours(board.neighbours.clone()).sum()).collect();
    let probabilities: Vec<Operand> = if metropolis {
        (0..states).map(|k| taken(s, &pull, k as usize, &is).into()).collect()
    } else {
        let weights: Vec<Expr> = pull.iter().map(|p| p.exp()).collect();
        let sum = weights.iter().fold(s.number(0.0), |sum, w| sum + *w);
        weights.iter().map(|w| (*w / sum).into()).collect()
    };
    if states == 2 {
        return s.bernoulli(probabilities[1]);
    }
    s.categorical(&probabilities)
}

/// Metropolis' probability that the next state is `k`.
fn taken(s: &Scope, pull: &[Expr], k: usize, is: &impl Fn(u32) -> Expr) -> Expr {
    let proposal = 1.0 / (pull.len() as f64 - 1.0);
    let moves = |from: usize, to: usize| (pull[to] - pull[from]).exp().min(1.0) * proposal;
    let others = || (0..pull.len()).filter(|j| *j != k);
    let leaves = others().fold(s.number(0.0), |sum, j| sum + moves(k, j));
    let comes = others().fold(s.number(0.0), |sum, j| sum + is(j as u32) * moves(j, k));
    is(k as u32) * (1.0 - leaves) + comes
}
