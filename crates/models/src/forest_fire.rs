//! Burns a forest: fire spreads to trees near by, more readily where fuel is, uphill and with the wind.
//!
//! All sites at once, one step: P(tree → burning) = 1 − exp(−Σ λ), the sum over burning Moore neighbours; a neighbour at
//! distance r (1 or √2), from which the fire comes along the unit vector e, adds the hazard
//! λ = (spread/r) exp(a f + s (h − h′)/r + w·e),
//! with f the fuel and h the elevation of the tree, h′ that of the neighbour. P(burning → burnt) = burnout.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `state` | tree (0), burning (1) or burnt (2) | |
//! | `spread` | hazard from one burning side neighbour, no fuel, flat, calm | [0, 10] |
//! | `fuel_effect` (a) | change of ln λ per unit of fuel | [−10, 10] |
//! | `slope_effect` (s) | change of ln λ per unit of ascent per site | [−10, 10] |
//! | `wind_y`, `wind_x` (w) | change of ln λ along each axis | [−10, 10] |
//! | `burnout` | probability to burn out in one step | [0, 1] |
//! | `fuel`, `elevation` (f, h) | covariates: maps of the lattice's shape; 0 everywhere where none is given | |
//!
//! Options: `shape` (two lengths, default [64, 64]), `boundary` (`fixed`: nothing burns beyond the edge; `periodic`,
//! `reflecting`), `start` (`centre`: one burning site, or `random`), `density` (of burning sites at a random start,
//! default 0.01).
//!
//! Reference: hazards that multiply with wind and slope as in Alexandridis et al. 2008, Appl. Math. Comput. 204, 191.
//! Departure: their probabilities per neighbour are hazards here, so that they never exceed 1 and ln λ is linear in all
//! that is fitted.
//!
//! Exact: on a flat calm map without fuel the mean number burning or burnt after one step from the centre is
//! 1 + 4(1 − exp(−spread)) + 4(1 − exp(−spread/√2)).

use glauber_lattice::{Moore, Neighbours, Values};
use glauber_program::{Colour, Expr, Interval, Model, Scope};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::Seeds;
use crate::rules::{Transition, next_state};

const STATES: [&str; 3] = ["tree", "burning", "burnt"];
/// Green, the red of fire, charcoal; apart in lightness too, for who does not tell red from green.
const COLOURS: [Option<Colour>; 3] =
    [Some(Colour::hex(0x9ccb86)), Some(Colour::hex(0xe0401a)), Some(Colour::hex(0x37322e))];

/// The covariates with what they are where nobody gives maps.
pub(crate) const COVARIATES: &[(&str, f64)] = &[("fuel", 0.0), ("elevation", 0.0)];

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice_within(&[64, 64], &["fixed", "periodic", "reflecting"])?;
    if lattice.dimensions() != 2 {
        return Err(options.refuse("shape", "two lengths, such as [64, 64]"));
    }
    let seeds = Seeds::read(options, &["centre", "random"], 0.01)?;
    let effect = Interval::new(-10.0, 10.0);
    let mut model = Model::build("forest-fire", lattice.clone())
        .layer("state", Values::categories(&STATES))
        .colours(&COLOURS)
        .parameter_or("spread", Interval::new(0.0, 10.0), 0.2)
        .parameter_or("fuel_effect", effect, 1.0)
        .parameter_or("slope_effect", effect, 0.5)
        .parameter_or("wind_y", effect, 0.0)
        .parameter_or("wind_x", effect, 0.5)
        .parameter_or("burnout", Interval::unit(), 0.25)
        .unit("per step");
    for (name, _) in COVARIATES {
        model = model.covariate(name);
    }
    let model = model.start(|s| s.next("state").set(seeds.sites(s, lattice.shape()))).step(|s| {
        let caught = 1.0 - (-hazard(s)).exp();
        let transitions = [
            Transition { from: 0, to: 1, p: caught },
            Transition { from: 1, to: 2, p: s.parameter("burnout") },
        ];
        next_state(s, "state", &STATES, &transitions);
    })?;
    Ok(model)
}

/// Σ λ over the burning neighbours.
fn hazard(s: &Scope) -> Expr {
    let burning = s.layer("state").is(1);
    let (fuel, elevation) = (s.field("fuel"), s.field("elevation"));
    let mut sum = s.number(0.0);
    for offset in Moore.on(2).offsets() {
        let distance = f64::from(offset[1] * offset[1] + offset[2] * offset[2]).sqrt();
        // The fire comes from the neighbour, against the offset.
        let along = |axis: usize| -f64::from(offset[axis]) / distance;
        let wind = s.parameter("wind_y") * along(1) + s.parameter("wind_x") * along(2);
        let ascent = (elevation - elevation.shift(*offset)) * (1.0 / distance);
        let factor = (wind + s.parameter("slope_effect") * ascent).exp();
        sum = sum + burning.shift(*offset) * factor * (1.0 / distance);
    }
    s.parameter("spread") * (s.parameter("fuel_effect") * fuel).exp() * sum
}
