//! Holds the site that a step picks: where it is, whether it is there, whether it is the site itself.

use glauber_lattice::Lattice;
use glauber_program::{Expr, Scope, There};

/// The site that a step picks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picked {
    pub(crate) there: There,
    /// 1 where it lies on the lattice, 0 where it would lie beyond a fixed or a reflecting edge.
    pub(crate) exists: Expr,
    /// Whether it may be the site itself: drawn from anywhere, or its mirror image at a reflecting edge.
    pub(crate) may_be_itself: bool,
}

impl Picked {
    /// 1 where it is the site itself.
    pub(crate) fn itself(self, scope: &Scope, lattice: &Lattice) -> Expr {
        let same = |axis: usize| scope.coordinate(axis).equals(scope.coordinate(axis).at(self.there));
        (0..lattice.dimensions()).map(same).fold(scope.number(1.0), |all, own| all * own)
    }
}
