//! Takes the sum of a layer, or the number of its sites in a state, in each block of a lattice that is cut along its axes.
//!
//! Σ aᵢ over the sites i of a block, aᵢ as in `count`. Along an axis of length L that is cut into k parts, site x lies in
//! part ⌊k x / L⌋. Blocks are counted in site order, the last axis fastest, and named after their parts.
//!
//! Example: `blocks(state=infected, 3, 3)`: counts of nine districts; `blocks(cell, 1, 8)`: a profile along the last axis.

use glauber_engine::Observation;
use glauber_program::Model;

use super::{Arguments, Selection, SummaryError, wrong};

/// More blocks than these make a program that is too long to run well.
const MOST: usize = 256;

pub(super) fn observation(model: &Model, arguments: &Arguments) -> Result<Observation, SummaryError> {
    let Some((layer, parts)) = arguments.0.split_first() else {
        return Err(wrong("it needs a layer"));
    };
    let selection = Selection::parse(model, layer)?;
    let shape = model.declarations().lattice.shape().to_vec();
    if parts.len() != shape.len() {
        let (axes, found) = (shape.len(), parts.len());
        return Err(wrong(format!(
            "it takes a number of parts for each of the lattice's {axes} axes, but has {found}"
        )));
    }
    let count = |(text, length): (&String, &usize)| {
        let parts = text.parse::<usize>().ok().filter(|k| (1..=*length).contains(k));
        parts.ok_or_else(|| wrong(format!("`{text}` is no number of parts: give one from 1 to {length}")))
    };
    let parts: Vec<usize> = parts.iter().zip(&shape).map(count).collect::<Result<_, _>>()?;
    let blocks = parts.iter().try_fold(1usize, |all, k| all.checked_mul(*k).filter(|all| *all <= MOST));
    let blocks = blocks.ok_or_else(|| wrong(format!("there are more than {MOST} blocks")))?;
    let program = model.observe(|s| {
        let a = selection.trace(s, selection.values(model));
        for block in 0..blocks {
            let mut rest = block;
            let (mut inside, mut names) = (a, Vec::new());
            for axis in (0..shape.len()).rev() {
                let (part, parts, length) = (rest % parts[axis], parts[axis], shape[axis]);
                rest /= parts;
                names.push(part.to_string());
                // The first site of a part.
                let first = |part: usize| (part * length).div_ceil(parts);
                if part > 0 {
                    inside = inside * s.coordinate(axis).at_least(first(part) as f64);
                }
                if part + 1 < parts {
                    inside = inside * s.coordinate(axis).less(first(part + 1) as f64);
                }
            }
            names.reverse();
            s.output(&format!("block {}", names.join(" ")), inside.sum());
        }
    })?;
    Ok(program.into())
}
