//! Picks the other site of a step, where the file does.

use glauber_lattice::{Boundary, Lattice, Neighbourhood, Overlap};
use glauber_program::{Expr, Operand, Scope, Update};

use super::error::{Checked, problem};
use super::sheet::{Sheet, Towards};
use super::syntax::Node;
use super::there::Picked;
use super::translate::Translator;

/// Picks the other site of a step, where the file does.
pub(crate) fn pick(sheet: &Sheet, scope: &Scope, lattice: &Lattice) -> Checked<Option<Picked>> {
    let (neighbourhood, direction, span) = match &sheet.applied.there {
        None => return Ok(None),
        Some(_) if sheet.applied.update == Update::Synchronous => return Ok(None),
        Some(Towards::Anywhere) => {
            let (there, exists) = (scope.anywhere(), scope.number(1.0));
            return Ok(Some(Picked { there, exists, may_be_itself: true }));
        }
        Some(Towards::Neighbour { neighbourhood, direction, span }) => (neighbourhood, direction, span),
    };
    if let Some(Overlap::Itself(offset)) = neighbourhood.overlap(lattice) {
        let own = &offset[3 - lattice.dimensions()..];
        let message = format!(
            "on a lattice of {lattice} the neighbour at offset {own:?} is the site itself: choose another neighbourhood"
        );
        return problem(span, message);
    }
    let direction = match direction {
        Some(node) => {
            let used: [&Node; 1] = [node];
            Translator::new(sheet, scope, false, &used)?.expression(node)?
        }
        // There is nothing to draw.
        None if neighbourhood.offsets().len() == 1 => scope.number(0.0),
        None => {
            let total: f64 = neighbourhood.weights().iter().sum();
            let probabilities: Vec<Operand> =
                neighbourhood.weights().iter().map(|w| Operand::Number(w / total)).collect();
            scope.categorical(&probabilities)
        }
    };
    let there = scope.neighbour_towards(direction, neighbourhood.offsets());
    let walls = lattice.boundaries().contains(&Boundary::Reflecting);
    let exists = there.exists();
    let exists = if walls { exists * within(scope, lattice, neighbourhood, direction) } else { exists };
    Ok(Some(Picked { there, exists, may_be_itself: walls }))
}

/// 1 where no reflecting edge lies between the site and its neighbour in a direction.
fn within(scope: &Scope, lattice: &Lattice, neighbourhood: &Neighbourhood, direction: Expr) -> Expr {
    let mut inside = scope.number(0.0);
    for (place, offset) in neighbourhood.offsets().iter().enumerate() {
        let stays = glauber_models::rules::within(scope, lattice, *offset).unwrap_or(scope.number(1.0));
        inside = inside + direction.is(place as u32) * stays;
    }
    inside
}
