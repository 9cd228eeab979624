//! Moves particles: each on its own goes to a neighbour with some probability, and none gets lost on the way.
//!
//! The numbers that go to the neighbours 1, 2 … of a site are multinomial, drawn one after another: k₁ ~ B(n, p₁),
//! k₂ ~ B(n − k₁, p₂/(1 − p₁)) and so on, with pᵢ = p wᵢ/Σw. A particle that would leave over a reflecting edge stays;
//! one that leaves over a fixed edge is gone, and none comes in.

use glauber_lattice::{Boundary, Lattice, Neighbourhood};
use glauber_program::{Expr, Scope};

/// The occupancy after every particle has moved with probability `p` to one of the neighbours, by their weights.
pub fn hopped(s: &Scope, occupancy: Expr, p: Expr, neighbourhood: &Neighbourhood, lattice: &Lattice) -> Expr {
    // Particles that hop to where they are, on too small a lattice, are refused as neighbours would be.
    let _ = occupancy.neighbours(neighbourhood.clone());
    let total: f64 = neighbourhood.weights().iter().sum();
    let (mut left, mut next, mut spent) = (occupancy, occupancy, 0.0);
    for (offset, weight) in neighbourhood.offsets().iter().zip(neighbourhood.weights()) {
        let own = p * (weight / total);
        // With the last neighbour and p = 1, rounding must not carry the quotient above 1.
        let chance = if spent > 0.0 { (own / (1.0 - p * (spent / total)).max(1e-12)).min(1.0) } else { own };
        let going = s.binomial(left, chance);
        left = left - going;
        spent += weight;
        let back = offset.map(|d| -d);
        let departing = within(s, lattice, *offset).map_or(going, |stays| going * stays);
        let arriving = departing.beyond(0.0).shift(back);
        let arriving = within(s, lattice, back).map_or(arriving, |from| arriving * from);
        next = next - departing + arriving;
    }
    next
}

/// 1 where the site at `offset` does not lie beyond a reflecting edge; nothing where none can.
pub fn within(s: &Scope, lattice: &Lattice, offset: [i32; 3]) -> Option<Expr> {
    let mut all: Option<Expr> = None;
    let first = 3 - lattice.dimensions();
    for (axis, length) in lattice.shape().iter().enumerate() {
        let distance = f64::from(offset[first + axis]);
        if lattice.boundaries()[first + axis] != Boundary::Reflecting || distance.abs() < 0.5 {
            continue;
        }
        let here = s.coordinate(axis);
        let holds = match distance > 0.0 {
            true => here.less(*length as f64 - distance),
            false => here.at_least(-distance),
        };
        all = Some(all.map_or(holds, |other| other * holds));
    }
    all
}
