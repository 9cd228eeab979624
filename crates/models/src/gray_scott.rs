//! Feeds and kills two species by mass action: a bistable pair that forms spots, stripes and waves (Gray–Scott).
//!
//! Reactions U + 2V → 3V, ∅ → U, U → ∅, V → ∅ on a lattice, with u and v particles per site and Ω the number that
//! counts as concentration 1. One step: every particle moves to a neighbour with probability d_U or d_V; then at most
//! one reaction takes place at a site, with probabilities
//! Δ k u v(v − 1)/Ω², Δ F Ω, Δ F u, Δ (F + K) v.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `U`, `V` | particles per site | 0 … capacity |
//! | `conversion` (k) | rate of U + 2V → 3V | [0, 5] |
//! | `feed` (F) | rate of supply and outflow | [0, 0.5] |
//! | `kill` (K) | rate at which V decays besides | [0, 0.5] |
//! | `hop_U`, `hop_V` (d) | probabilities to move in one step, only with `hops` | [0, 1] |
//!
//! Options: `shape` (default [64, 64]), `boundary`, `scale` (Ω, default 30), `capacity` (default 120; a reaction whose
//! products do not fit does not happen), `time-step` (Δ, default 0.02), `hops` (default true), `start` (`spot`: U at Ω,
//! and in the middle U at Ω/2 and V at Ω/4; `poisson`: Poisson numbers of these middle means everywhere; or `empty`: U at
//! Ω, no V).
//!
//! Reference: Gray & Scott 1983, Chem. Eng. Sci. 38, 29; patterns: Pearson 1993, Science 261, 189. Departure: particles
//! of bounded number, at most one reaction per site and step.
//!
//! Exact: for large Ω a site follows u̇ = −k u v² + F(1 − u), v̇ = k u v² − (F + K) v in concentrations; with k = 1 it is
//! bistable for F > 4(F + K)²: v = 0, and v = (1 + √(1 − 4(F + K)²/F)) F/(2(F + K)). With F = K = 0 the sum of all
//! particles is constant.

use glauber_lattice::{Lattice, Neighbourhood, Neighbours, Values, VonNeumann};
use glauber_program::{Expr, Interval, Model, Operand, Scope};

use crate::options::{CatalogueError, OptionReader};
use crate::rules::hopped;

struct GrayScott {
    lattice: Lattice,
    neighbours: Neighbourhood,
    scale: f64,
    capacity: f64,
    time_step: f64,
    hops: bool,
}

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice(&[64, 64])?;
    let own = GrayScott {
        neighbours: VonNeumann.on(lattice.dimensions()),
        scale: options.number("scale", 30.0, 4.0, 10_000.0)?,
        capacity: f64::from(options.whole("capacity", 120, 4, 30_000)?),
        time_step: options.number("time-step", 0.02, 1e-9, 1.0)?,
        hops: options.flag("hops", true)?,
        lattice: lattice.clone(),
    };
    let start = options.choice("start", &["spot", "poisson", "empty"])?;
    let mut model = Model::build("gray-scott", lattice)
        .layer("U", Values::up_to(own.capacity as i32))
        .layer("V", Values::up_to(own.capacity as i32))
        .parameter_or("conversion", Interval::new(0.0, 5.0), 1.0)
        .unit("per unit of time")
        .parameter_or("feed", Interval::new(0.0, 0.5), 0.03)
        .unit("per unit of time")
        .parameter_or("kill", Interval::new(0.0, 0.5), 0.055)
        .unit("per unit of time");
    if own.hops {
        model =
            model.parameter_or("hop_U", Interval::unit(), 0.02).parameter_or("hop_V", Interval::unit(), 0.01);
    }
    Ok(model.start(|s| own.start(s, start)).step(|s| own.step(s))?)
}

impl GrayScott {
    fn start(&self, s: &Scope, kind: &str) {
        let (half, quarter) = ((self.scale / 2.0).floor(), (self.scale / 4.0).floor());
        let full = self.scale.floor().min(self.capacity);
        let (u, v): (Expr, Expr) = match kind {
            "empty" => (s.number(full), s.number(0.0)),
            "poisson" => (s.poisson(half).min(self.capacity), s.poisson(quarter).min(self.capacity)),
            _ => {
                let middle = self.middle(s);
                (middle.select(half, full), middle.select(quarter, 0.0))
            }
        };
        s.next("U").set(u);
        s.next("V").set(v);
    }

    /// 1 in the middle fifth along every axis.
    fn middle(&self, s: &Scope) -> Expr {
        let along = self.lattice.shape().iter().enumerate().map(|(axis, length)| {
            let (x, n) = (s.coordinate(axis), *length as f64);
            x.at_least((0.4 * n).floor()) * x.less((0.6 * n).ceil())
        });
        along.fold(s.number(1.0), |all, one| all * one)
    }

    fn step(&self, s: &Scope) {
        let (mut u, mut v) = (s.layer("U"), s.layer("V"));
        if self.hops {
            u = hopped(s, u, s.parameter("hop_U"), &self.neighbours, &self.lattice);
            v = hopped(s, v, s.parameter("hop_V"), &self.neighbours, &self.lattice);
        }
        let (dt, feed) = (self.time_step, s.parameter("feed"));
        let fits = |n: Expr| n.at_most(self.capacity - 1.0);
        let convert = s.parameter("conversion")
            * (dt / (self.scale * self.scale))
            * u
            * v
            * (v - 1.0).max(0.0)
            * fits(v);
        let supply = feed * (dt * self.scale) * fits(u);
        let (outflow, decay) = (feed * dt * u, (feed + s.parameter("kill")) * dt * v);
        let chances = [convert, supply, outflow, decay];
        let names = ["U + 2 V -> 3 V", "0 -> U", "U -> 0", "V -> 0"];
        chances.iter().zip(names).for_each(|(p, name)| s.check_probability(name, *p));
        let sum = convert + supply + outflow + decay;
        s.check_probability("all reactions together (choose a shorter time-step)", sum);
        let mut probabilities: Vec<Operand> = chances.iter().map(|p| Operand::from(*p)).collect();
        probabilities.push((1.0 - sum).into());
        let channel = s.categorical(&probabilities);
        s.next("U").set(u - channel.is(0) + channel.is(1) - channel.is(2));
        s.next("V").set(v + channel.is(0) - channel.is(3));
    }
}
