//! Forms Turing patterns from two species of particles that diffuse and react on a lattice of bounded occupancy.
//!
//! Layers n (A) and m (B) hold 0..N particles per site. One step is diffusion, then reaction.
//!
//! Diffusion, per species of coefficient D: every site excites one particle with probability n/N, giving a binary plane
//! E; the whole plane moves by one direction drawn per replicate and step: stay 1 − D, each side D(√2 − 1)√2/4, each
//! diagonal D(√2 − 1)/4 (together 1); n ← n − E + moved E. Occupancy never leaves 0..N.
//!
//! Reaction: one of six channels, each with probability γ r/6, γ = 0.005:
//! r₁ = k₁ n(n−1)(N−n)/((N−1)(N−2)) → n+1; r₂ = k₁ n(N−n)(N−1−n)/((N−1)(N−2)) → n−1; r₃ = k₂ (N−n) m/N → n+1;
//! r₄ = k₂ n (N−m)/N → n−1; r₅ = k₃ (N−n)(N−m)/N → m+1; r₆ = k₃ n m/N → m−1.
//!
//! | symbol | meaning | range |
//! |---|---|---|
//! | `A`, `B` | particles per site | 0..N |
//! | `D_A`, `D_B` | diffusion coefficients: probability that a plane moves | [0, 1] |
//! | `k1`, `k2`, `k3` | rate constants | [0, 1] |
//!
//! Options: `shape` (default [64, 64]), `boundary`, `capacity` (N, default 50, at least 3), `start`: `perturbed` (all sites
//! N/2, six middle rows of A at 0.8 N, as in the formation test) or `uniform`. Two say what gradients are, not what happens:
//!
//! - `excitation`, the slope of a site's excitation by its occupancy: `unit`, 1 everywhere (default); `paper`, 1 where
//!   0 < n < N and 0 at empty and full sites; `mean`, that of the mean n/N, 1/N.
//! - `channel`: `averaged`, one draw among the six products γ r/6 (default); `picked`, a channel picked uniformly which then
//!   fires with probability γ r, so that only its own rate has a slope (default with `excitation = "paper"`; N at most 200).
//!
//! The paper's gradient is `excitation = "paper"` with the estimator `straight-through + gumbel-softmax` at temperature 1: the
//! softmax for the drawn directions, straight-through for the rest.
//!
//! Reference: Malevanets & Kapral 1997, Phys. Rev. E 55, 5657; Schering, Keemink & Textor 2023. The two channels have the
//! same law, but other random numbers and other gradients: with λ the loss's slope by a site's next value, `averaged` takes
//! the mean of λ ∂r over all outcomes, `picked` for each channel over the outcomes of that channel alone. For a squared
//! distance the one is the slope of (Σ δ/6)², δ a channel's mean change, the other that of Σ δ²/6, which keeps the
//! spread between channels: in one step from a pattern k1's slope differs by a factor above 30, and k2's in sign.

use glauber_lattice::{Offset, Values};
use glauber_program::{Expr, Interval, Model, Operand, Scope};

use crate::options::{CatalogueError, OptionReader, Slopes};

/// γ: the time step of the reaction.
const REACTION_STEP: f64 = 0.005;

/// Stay, four sides, four diagonals.
const DIRECTIONS: [Offset; 9] =
    [[0, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1], [0, 1, 1], [0, 1, -1], [0, -1, 1], [0, -1, -1]];

pub(crate) fn build(options: &mut OptionReader<'_>) -> Result<Model, CatalogueError> {
    let lattice = options.lattice(&[64, 64])?;
    let capacity = options.whole("capacity", 50, 3, 255)?;
    let slope = Slope::read(options)?;
    let picked = picked(options, capacity, slope)?;
    let perturbed = options.choice("start", &["perturbed", "uniform"])? == "perturbed";
    let rows = lattice.shape()[0];
    let n = f64::from(capacity);
    let model = Model::build("malevanets-kapral", lattice)
        .layer("A", Values::up_to(capacity))
        .layer("B", Values::up_to(capacity))
        .parameter_or("D_A", Interval::unit(), 0.1)
        .parameter_or("D_B", Interval::unit(), 0.4)
        .parameter_or("k1", Interval::unit(), 0.98)
        .parameter_or("k2", Interval::unit(), 0.1)
        .parameter_or("k3", Interval::unit(), 0.2)
        .start(|s| {
            let half = (n / 2.0).floor();
            s.next("B").set(half);
            if perturbed {
                // Rows 29..34 of 64, as in the paper's formation test.
                let (first, last) = ((rows * 29 / 64) as f64, (rows * 29 / 64 + 5) as f64);
                let y = s.coordinate(0);
                let band = y.at_least(first) * y.at_most(last);
                s.next("A").set(band.select((0.8 * n).round(), half));
            } else {
                s.next("A").set(half);
            }
        })
        .step(|s| {
            let a = diffused(s, "A", "D_A", n, slope);
            let b = diffused(s, "B", "D_B", n, slope);
            let (next_a, next_b) = if picked { fired(s, a, b, n) } else { reacted(s, a, b, n) };
            s.next("A").set(next_a);
            s.next("B").set(next_b);
        })?;
    Ok(model)
}

/// What the option `excitation` says of the gradient, for who fits the model.
pub(crate) const SLOPES: Slopes = (
    "excitation",
    &[
        ("unit", "excitation with slope 1 at every site"),
        ("mean", "excitation with the slope of its mean, 1/N"),
        ("paper", "excitation with the paper's slope, 1 where a site is neither empty nor full"),
    ],
);

/// The slope of a site's excitation by its occupancy.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slope {
    /// 1.
    Unit,
    /// 1 where the site is neither empty nor full, else 0.
    Inside,
    /// 1/N.
    Mean,
}

impl Slope {
    fn read(options: &mut OptionReader<'_>) -> Result<Slope, CatalogueError> {
        Ok(match options.choice("excitation", &["unit", "paper", "mean"])? {
            "paper" => Slope::Inside,
            "mean" => Slope::Mean,
            _ => Slope::Unit,
        })
    }
}

/// Whether a channel is picked before it fires.
fn picked(options: &mut OptionReader<'_>, capacity: i32, slope: Slope) -> Result<bool, CatalogueError> {
    let names = if slope == Slope::Inside { ["picked", "averaged"] } else { ["averaged", "picked"] };
    let picked = options.choice("channel", &names)? == "picked";
    if picked && f64::from(capacity) * REACTION_STEP > 1.0 {
        return Err(options
            .refuse("capacity", "at most 200 where a channel is picked: one would fire with more than 1"));
    }
    Ok(picked)
}

fn diffused(s: &Scope, layer: &str, coefficient: &str, capacity: f64, slope: Slope) -> Expr {
    let occupancy = s.layer(layer);
    let drawn = s.bernoulli(occupancy * (1.0 / capacity));
    let excited = match slope {
        Slope::Mean => drawn,
        Slope::Unit => drawn.with_gradient_of(occupancy),
        Slope::Inside => {
            let between = (occupancy.greater(0.0) * occupancy.less(capacity)).hold();
            drawn.with_gradient_of(occupancy * between)
        }
    };
    let d = s.parameter(coefficient);
    let root = std::f64::consts::SQRT_2;
    let (side, diagonal) = (d * ((root - 1.0) * root / 4.0), d * ((root - 1.0) / 4.0));
    let mut probabilities: Vec<Operand> = vec![(1.0 - d).into()];
    probabilities.extend([Operand::from(side); 4]);
    probabilities.extend([Operand::from(diagonal); 4]);
    let direction = s.replicate_categorical(&probabilities);
    occupancy - excited + s.translate(excited.beyond(0.0), direction, &DIRECTIONS)
}

fn reacted(s: &Scope, a: Expr, b: Expr, n: f64) -> (Expr, Expr) {
    let scale = REACTION_STEP / 6.0;
    let k1 = s.parameter("k1") * (scale / ((n - 1.0) * (n - 2.0)));
    let k2 = s.parameter("k2") * (scale / n);
    let k3 = s.parameter("k3") * (scale / n);
    let (free_a, free_b) = (n - a, n - b);
    let crowding = k1 * (a * free_a);
    let more_a = crowding * (a - 1.0) + k2 * (free_a * b);
    let less_a = crowding * (free_a - 1.0) + k2 * (a * free_b);
    let more_b = k3 * (free_a * free_b);
    let less_b = k3 * (a * b);
    let nothing = 1.0 - (more_a + less_a + more_b + less_b);
    let channel =
        s.categorical(&[more_a.into(), less_a.into(), more_b.into(), less_b.into(), nothing.into()]);
    (a + channel.is(0) - channel.is(1), b + channel.is(2) - channel.is(3))
}

/// A channel is picked, all six alike; then it fires or not.
fn fired(s: &Scope, a: Expr, b: Expr, n: f64) -> (Expr, Expr) {
    let channel = s.categorical(&[Operand::from(1.0 / 6.0); 6]);
    let k1 = s.parameter("k1") * (REACTION_STEP / ((n - 1.0) * (n - 2.0)));
    let k2 = s.parameter("k2") * (REACTION_STEP / n);
    let k3 = s.parameter("k3") * (REACTION_STEP / n);
    let (free_a, free_b) = (n - a, n - b);
    let crowding = k1 * (a * free_a);
    let rates = [
        crowding * (a - 1.0),
        crowding * (free_a - 1.0),
        k2 * (free_a * b),
        k2 * (a * free_b),
        k3 * (free_a * free_b),
        k3 * (a * b),
    ];
    let mut own = s.number(0.0);
    for (number, rate) in rates.into_iter().enumerate() {
        own = own + channel.is(number as u32) * rate;
    }
    let fires = s.bernoulli(own);
    let grows_a = channel.is(0) + channel.is(2) - channel.is(1) - channel.is(3);
    let grows_b = channel.is(4) - channel.is(5);
    (a + fires * grows_a, b + fires * grows_b)
}
