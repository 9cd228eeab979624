//! Says what a site at the edge of a lattice sees beyond it.

use serde::{Deserialize, Serialize};

/// What lies beyond the edge of a lattice along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Boundary {
    /// The lattice closes on itself: a torus.
    Periodic,
    /// The lattice is mirrored at its edge; the edge site itself is repeated (… 1 0 | 0 1 2 …).
    Reflecting,
    /// Every site beyond the edge has this value.
    Fixed(f64),
}

impl Boundary {
    /// Where coordinate `x` of an axis of `length` sites is read from; `None` where the fixed value stands.
    ///
    /// ```
    /// use glauber_lattice::Boundary;
    /// assert_eq!(Boundary::Periodic.source(-1, 5), Some(4));
    /// assert_eq!(Boundary::Reflecting.source(-1, 5), Some(0));
    /// assert_eq!(Boundary::Fixed(0.0).source(5, 5), None);
    /// ```
    pub fn source(self, x: i64, length: usize) -> Option<usize> {
        let n = length as i64;
        match self {
            Boundary::Periodic => Some(x.rem_euclid(n) as usize),
            Boundary::Reflecting => {
                let folded = x.rem_euclid(2 * n);
                Some(if folded < n { folded } else { 2 * n - 1 - folded } as usize)
            }
            Boundary::Fixed(_) => (0..n).contains(&x).then_some(x as usize),
        }
    }
}

impl std::fmt::Display for Boundary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Boundary::Periodic => write!(f, "periodic"),
            Boundary::Reflecting => write!(f, "reflecting"),
            Boundary::Fixed(value) => write!(f, "fixed at {value}"),
        }
    }
}
