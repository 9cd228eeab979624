//! Handles on another site that a rule picks: what is read there.

use crate::error::ModelError;
use crate::op::{Op, Place, Rank, ValueId};
use crate::trace::{Expr, Operand, Trace, with_trace};

/// Another site, as a rule picks it for each site that it is applied to; see [`crate::Scope::neighbour`] and
/// [`crate::Scope::anywhere`].
///
/// ```
/// # use glauber_lattice::{Lattice, Values, VonNeumann};
/// # use glauber_program::{Model, Pick, Update};
/// let walkers = Model::build("walkers", Lattice::square(16))
///     .layer("walker", Values::binary())
///     .update(Update::sequential(Pick::Among { layer: "walker".into(), state: 1 }))
///     .step(|s| {
///         let there = s.neighbour(VonNeumann);
///         s.move_to(there, "walker", 0.0, 1.0 - s.layer("walker").at(there))
///     })?;
/// # Ok::<(), glauber_program::ModelError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct There {
    pub(crate) trace: u32,
    /// None where it could not be picked; the tracing has the mistake.
    pub(crate) place: Option<Place>,
}

impl There {
    /// 1 where there is such a site, 0 where it lies beyond a fixed edge.
    pub fn exists(self) -> Expr {
        let value = with_trace(self.trace, |t| match self.place {
            Some(place @ Place::Neighbour { .. }) if t.graph.has_fixed_edge() => {
                t.graph.push(Op::Inside(place))
            }
            _ => t.graph.constant(1.0),
        });
        Expr { trace: self.trace, value: value.unwrap_or(ValueId(u32::MAX)) }
    }

    /// Its place, where it belongs to this tracing.
    pub(crate) fn place_in(self, t: &mut Trace) -> Option<Place> {
        if self.trace != t.id() {
            let model = t.model();
            t.fail(ModelError::ForeignValue { model });
        }
        self.place.filter(|_| self.trace == t.id())
    }
}

impl Expr {
    /// The value at the site that is picked. It may be made of layers, fields and numbers, not of draws.
    pub fn at(self, there: There) -> Expr {
        let value = with_trace(self.trace, |t| {
            let x = t.resolve(self.into());
            let Some(place) = there.place_in(t) else { return t.graph.constant(f64::NAN) };
            if t.graph.rank(x) != Rank::Site {
                return x;
            }
            t.graph.push(Op::There { x, place })
        });
        Expr { trace: self.trace, value: value.unwrap_or(ValueId(u32::MAX)) }
    }

    /// The sum with an operand.
    pub(crate) fn plus(self, other: Operand) -> Expr {
        match other {
            Operand::Expr(other) => self + other,
            Operand::Number(other) => self + other,
        }
    }
}
