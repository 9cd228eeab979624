//! Makes the next state of a layer of named states from the probabilities of its transitions.
//!
//! A site in state j becomes k with probability pⱼₖ and stays with what they leave of 1. All transitions of a site are
//! one draw: P(next = k) = Σⱼ [state = j] pⱼₖ, with pⱼⱼ = 1 − Σₖ pⱼₖ. Written so, the derivative by the state before
//! passes through the sum.

use glauber_program::{Expr, Operand, Scope};

/// One transition: from state, to state, with a probability.
#[derive(Clone, Copy, Debug)]
pub struct Transition {
    /// The state that is left.
    pub from: usize,
    /// The state that is taken.
    pub to: usize,
    /// The probability per step.
    pub p: Expr,
}

/// 1 where a layer of `count` states is in `state`. With two states these are the layer itself and its complement, so
/// that derivatives pass through.
pub fn is_state(s: &Scope, layer: &str, count: usize, state: usize) -> Expr {
    let value = s.layer(layer);
    match (count, state) {
        (2, 1) => value,
        (2, _) => 1.0 - value,
        _ => value.is(state as u32),
    }
}

/// Draws the next state of `layer`; each pair of states has at most one transition. Probabilities that their bounds do
/// not prove are checked where they count, under the states' `names`.
pub fn next_state<N: AsRef<str>>(s: &Scope, layer: &str, names: &[N], transitions: &[Transition]) {
    if transitions.is_empty() {
        s.next(layer).set(s.layer(layer));
        return;
    }
    let is = |state: usize| is_state(s, layer, names.len(), state);
    let from = |state: usize| transitions.iter().filter(move |t| t.from == state);
    let leaving = |state: usize| from(state).map(|t| t.p).reduce(|sum, p| sum + p);
    for t in transitions {
        let what = format!("{} -> {}", names[t.from].as_ref(), names[t.to].as_ref());
        s.check_probability(&what, is(t.from) * t.p);
    }
    for (state, name) in names.iter().enumerate() {
        if let Some(sum) = leaving(state).filter(|_| from(state).count() > 1) {
            let what = format!("leaving {} (all its transitions together)", name.as_ref());
            s.check_probability(&what, is(state) * sum);
        }
    }
    let arriving = |to: usize| {
        let stays = match leaving(to) {
            Some(sum) => is(to) * (1.0 - sum),
            None => is(to),
        };
        let others = transitions.iter().filter(|t| t.to == to).map(|t| is(t.from) * t.p);
        others.fold(stays, |sum, term| sum + term)
    };
    if names.len() == 2 {
        s.next(layer).bernoulli(arriving(1));
    } else {
        let probabilities: Vec<Operand> = (0..names.len()).map(|to| arriving(to).into()).collect();
        s.next(layer).categorical(&probabilities);
    }
}
