//! Finds in a program where it chooses between the sites of a colour and the rest.

use crate::{Op, Program, ValueId};
use glauber_lattice::Colouring;

/// A colour of a colouring.
pub type Colour = (Colouring, u32);

/// The choice that a value is between what a rule makes of the sites of a colour and something else.
pub fn choice(program: &Program, value: ValueId) -> Option<(Colour, ValueId, ValueId)> {
    let Op::Select(condition, yes, no) = program.instruction(value).op else { return None };
    match program.instruction(condition).op {
        Op::OfColour { colouring, colour } => Some(((colouring, colour), yes, no)),
        _ => None,
    }
}
