//! Measures how far a pattern has moved from itself.
//!
//! With m = mean over replicates of Σ over sites Σ over layers (x − x_ref)², and M the number of sites times layers:
//!
//! | name | formula | usual rate | note |
//! |---|---|---|---|
//! | `log-sum-squares` | ln m | 0.05 | relative, so one rate suits every lattice and every distance |
//! | `mean-squares` | m / M | 0.05 | the pixel-wise squared error |
//!
//! x is the lattice τ steps after x_ref. Distances below 10⁻¹² count as 10⁻¹², so that a pattern that did not move at
//! all has a finite logarithm; its slope is then 0, since every difference is.
//!
//! Reference: Schering, Keemink & Textor 2023, whose text says mean squares and whose rate goes with the logarithm of
//! the sum.

use glauber_engine::LossValue;
use glauber_program::{Model, ModelError, Program, nearest_name};

/// Below this a distance counts as this.
const LEAST: f64 = 1e-12;

/// One loss of the list.
#[derive(Clone, Copy, Debug)]
pub struct StabilityLoss {
    /// Its name, as in a fit file.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// A learning rate that suits plain gradient descent on it.
    pub usual_rate: f64,
    of: fn(f64, f64) -> LossValue,
}

/// Every loss, the usual one first. To add one: a function below, and a line here.
pub const STABILITY_LOSSES: &[StabilityLoss] = &[
    StabilityLoss {
        name: "log-sum-squares",
        summary: "logarithm of the summed squared differences",
        usual_rate: 0.05,
        of: log_sum_squares,
    },
    StabilityLoss {
        name: "mean-squares",
        summary: "squared difference per site and layer",
        usual_rate: 0.05,
        of: mean_squares,
    },
];

/// The name under which a layer's reference is given.
pub fn reference(layer: &str) -> String {
    format!("reference {layer}")
}

/// The observation whose only output is the distance of one replicate: Σ over sites Σ over layers (x − x_ref)².
///
/// # Errors
/// [`ModelError`] as in [`Model::observe`].
pub fn distance(model: &Model) -> Result<Program, ModelError> {
    model.observe(|s| {
        let mut total = s.number(0.0);
        for layer in &model.declarations().layers {
            let moved = s.layer(&layer.name) - s.data(&reference(&layer.name));
            total = total + (moved * moved).sum();
        }
        s.output("distance", total);
    })
}

impl StabilityLoss {
    /// The loss of this name, or the name most like it.
    ///
    /// # Errors
    /// The nearest right name, where one is like it.
    pub fn named(name: &str) -> Result<StabilityLoss, Option<String>> {
        let found = STABILITY_LOSSES.iter().find(|l| l.name == name);
        found.copied().ok_or_else(|| nearest_name(name, STABILITY_LOSSES.iter().map(|l| l.name)))
    }

    /// The loss and its slope at a mean distance over `members` = sites · layers.
    pub fn at(&self, distance: f64, members: usize) -> LossValue {
        (self.of)(distance, members as f64)
    }
}

fn log_sum_squares(distance: f64, _members: f64) -> LossValue {
    let distance = distance.max(LEAST);
    LossValue { value: distance.ln(), slopes: vec![1.0 / distance] }
}

fn mean_squares(distance: f64, members: f64) -> LossValue {
    LossValue { value: distance / members, slopes: vec![1.0 / members] }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn slopes_are_the_derivatives() {
        for loss in STABILITY_LOSSES {
            let (at, step) = (137.0, 1e-4);
            let slope = (loss.at(at + step, 32).value - loss.at(at - step, 32).value) / (2.0 * step);
            let claimed = loss.at(at, 32).slopes[0];
            assert!(
                (slope - claimed).abs() <= 1e-8 * claimed.abs().max(1.0),
                "{}: {slope} {claimed}",
                loss.name
            );
        }
    }

    #[test]
    fn a_pattern_that_did_not_move_has_a_finite_loss() {
        for loss in STABILITY_LOSSES {
            let LossValue { value, slopes } = loss.at(0.0, 32);
            assert!(value.is_finite() && slopes[0].is_finite(), "{}", loss.name);
        }
    }

    #[test]
    fn names_are_found_or_guessed() {
        assert_eq!(StabilityLoss::named("mean-squares").unwrap().name, "mean-squares");
        assert_eq!(StabilityLoss::named("mean-square").unwrap_err().as_deref(), Some("mean-squares"));
    }
}
