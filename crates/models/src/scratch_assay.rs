//! Lets cells wander and divide into free neighbouring sites, at most one cell per site: a scratch assay.
//!
//! A step draws as many cells as there are when it begins, one after another, with replacement. A cell that is drawn divides
//! with probability Pp: its daughter takes a neighbouring site, drawn from all, if it is free. Then it moves with
//! probability Pm to a neighbouring site, drawn anew, if that is free.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `cell` | whether a cell is there | 0 or 1 |
//! | `motility` (Pm) | probability that a drawn cell tries to move | [0, 1] |
//! | `proliferation` (Pp) | probability that a drawn cell tries to divide | [0, 1] |
//!
//! Options: `shape` (default [80, 120]), `density` (of cells at the start, default 0.5), `gap` (the share of the last axis,
//! in its middle, that is scratched free of cells, default 0.4). Nothing passes the edges of the last axis; the others are
//! periodic.
//!
//! Reference: Baker & Simpson 2010, Phys. Rev. E 82, 041905; Johnston, Simpson & McElwain 2014, J. R. Soc. Interface 11,
//! 20140325. Departure: a drawn cell divides and moves in one event, where they draw all cells once to move and once more
//! to divide.
//!
//! Exact: without proliferation the number of cells is kept, and the mean occupancy obeys (I + (Pm/2dM) Δ)^k after k
//! events, M the number of cells and d of axes. In mean field the density obeys ∂C/∂t = D ∇²C + λ C (1 − C) with
//! D = Pm/2d and λ = Pp per step.

use glauber_lattice::{Boundary, Lattice, Neighbours, Values, VonNeumann};
use glauber_program::{Interval, Model, Pick, Update};

use crate::options::{CatalogueError, OptionReader};

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let shape = options.shape()?.unwrap_or_else(|| vec![80, 120]);
    let density = options.number("density", 0.5, 0.0, 1.0)?;
    let gap = options.number("gap", 0.4, 0.0, 1.0)?;
    let across = shape.len().saturating_sub(1);
    let length = shape.last().copied().unwrap_or(1) as f64;
    // Beyond the closed edges every site counts as taken.
    let lattice = Lattice::new(&shape)?.along(across, Boundary::Fixed(1.0));
    let neighbours = VonNeumann.on(lattice.dimensions());
    let cells = Pick::Among { layer: "cell".into(), state: 1 };
    let model = Model::build("scratch-assay", lattice)
        .layer("cell", Values::binary())
        .parameter_or("motility", Interval::unit(), 0.5)
        .unit("per cell and step")
        .parameter_or("proliferation", Interval::unit(), 0.01)
        .unit("per cell and step")
        .update(Update::sequential(cells))
        .start(|s| {
            let from_middle = (s.coordinate(across) - (length - 1.0) / 2.0).abs();
            let scratched = from_middle.less(gap * length / 2.0);
            s.next("cell").bernoulli((1.0 - scratched) * density)
        })
        .step(|s| {
            let cell = s.layer("cell");
            let directions = neighbours.offsets();
            let equally = vec![(1.0 / directions.len() as f64).into(); directions.len()];
            let (aside, ahead) = (s.categorical(&equally), s.categorical(&equally));
            let daughters = s.neighbour_towards(aside, directions);
            let new = s.neighbour_towards(ahead, directions);
            let divides = s.bernoulli(s.parameter("proliferation")) * (1.0 - cell.at(daughters));
            let taken_now = divides * aside.equals(ahead);
            let moves = s.bernoulli(s.parameter("motility")) * (1.0 - cell.at(new)) * (1.0 - taken_now);
            s.next("cell").set(1.0 - moves);
            s.next("cell").set_at(daughters, cell.at(daughters) + divides);
            // At most one of the three: a cell was there, the daughter has just come, this one comes.
            s.next("cell").set_at(new, cell.at(new) + taken_now + moves);
        })?;
    Ok(model)
}
