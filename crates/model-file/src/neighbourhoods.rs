//! Names the neighbourhoods that need no declaration.

use glauber_lattice::{Hexagonal, Moore, Neighbourhood, Neighbours, VonNeumann};

use super::error::unknown;

/// The neighbourhoods that need no declaration.
pub(crate) const BUILTIN: [&str; 3] = ["moore", "von-neumann", "hexagonal"];

/// A neighbourhood that needs no declaration, on a lattice of so many axes; what is wrong where there is none.
pub(crate) fn builtin(name: &str, dimensions: usize) -> Result<Neighbourhood, String> {
    let neighbours: &dyn Neighbours = match name.replace('_', "-").as_str() {
        "moore" => &Moore,
        "von-neumann" => &VonNeumann,
        "hexagonal" => &Hexagonal,
        _ => return Err(unknown("neighbourhood", name, &BUILTIN)),
    };
    match neighbours.refusal(dimensions) {
        Some(why) => Err(format!("{why}; this lattice has {dimensions}")),
        None => Ok(neighbours.on(dimensions)),
    }
}
