//! Tells how far programs read from a site: the margin that their fields need.

use crate::op::{Op, Place};
use crate::program::Program;

/// The farthest that any of the programs reads from a site, along (z, y, x), in sites.
pub fn reach<'p>(programs: impl IntoIterator<Item = &'p Program>) -> [usize; 3] {
    let mut reach = [0; 3];
    let mut widen = |own: [usize; 3]| {
        for axis in 0..3 {
            reach[axis] = reach[axis].max(own[axis]);
        }
    };
    for program in programs {
        for instruction in program.instructions() {
            match &instruction.op {
                Op::Shift { offset, .. } => widen(offset.map(|d| d.unsigned_abs() as usize)),
                Op::NeighbourSum { neighbourhood: n, .. } | Op::Translate { offsets: n, .. } => {
                    widen(program.declarations.neighbourhoods[*n as usize].reach());
                }
                Op::There { place, .. } | Op::Put { place, .. } | Op::Inside(place) => {
                    if let Place::Neighbour { offsets: n, .. } = place {
                        widen(program.declarations.neighbourhoods[*n as usize].reach());
                    }
                }
                _ => {}
            }
        }
    }
    reach
}
