//! Takes the two-point correlation of a layer along the axes of its lattice.
//!
//! C(r) = (1/d) Σₐ (1/N) Σᵢ (aᵢ − ā)(aᵢ₊ᵣₑ − ā), e the unit vector of axis a
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | r | distance, a whole number | sites |
//! | d, N | number of axes, of sites | 1 |
//! | aᵢ | the layer at site i, as in `mean`; beyond the edge what the boundary says | the layer's |
//! | ā | mean of a over the sites | the layer's |
//!
//! C(0) is the variance. Without a distance, r = 1.
//!
//! Example: `correlation(A, 1, 2, 4, 8)`.

use glauber_engine::Observation;
use glauber_program::Model;

use super::{Arguments, Selection, SummaryError, wrong};

pub(super) fn observation(model: &Model, arguments: &Arguments) -> Result<Observation, SummaryError> {
    let Some((layer, distances)) = arguments.0.split_first() else {
        return Err(wrong("it needs a layer"));
    };
    let selection = Selection::parse(model, layer)?;
    let shape = model.declarations().lattice.shape();
    let shortest = shape.iter().copied().min().unwrap_or(1);
    let distance = |text: &String| {
        let r = text.parse::<usize>().ok().filter(|r| *r < shortest);
        r.ok_or_else(|| {
            wrong(format!(
                "`{text}` is no distance: give a whole number below {shortest}, the lattice's shortest side"
            ))
        })
    };
    let mut distances: Vec<usize> = distances.iter().map(distance).collect::<Result<_, _>>()?;
    if distances.is_empty() {
        distances.push(1);
    }
    if (1..distances.len()).any(|i| distances[..i].contains(&distances[i])) {
        return Err(wrong("a distance stands there twice"));
    }
    let axes = shape.len();
    let program = model.observe(|s| {
        let a = selection.trace(s, selection.values(model));
        let off = a - a.mean();
        for r in &distances {
            let mut sum = s.number(0.0);
            for axis in 3 - axes..3 {
                let mut offset = [0i32; 3];
                offset[axis] = *r as i32;
                // Only what lies on the lattice is shifted: beyond a fixed edge stands the layer's value, not its rest.
                let there = a.shift(offset) - a.mean();
                sum = sum + (off * there).mean();
            }
            s.output(&format!("distance {r}"), sum / axes as f64);
        }
    })?;
    Ok(program.into())
}
