//! Defines the one seam of a fit: what is unknown, and the loss and its gradient at a point.
//!
//! A task builds an [`Objective`] from a model and data; optimizers see only its gradients, searches only its values.
//! θ is one flat list of numbers in natural units: the unknowns one after the other, a field's sites in C order.
//!
//! ```
//! use glauber_optimize::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};
//!
//! /// (beta − 0.3)², without noise.
//! struct Parabola([Unknown; 1]);
//!
//! impl Objective for Parabola {
//!     fn unknowns(&self) -> &[Unknown] {
//!         &self.0
//!     }
//!     fn evaluate(&mut self, theta: &[f64], _iteration: u64) -> Result<Evaluation, ObjectiveError> {
//!         let error = theta[0] - 0.3;
//!         Ok(Evaluation { value: error * error, gradient: vec![2.0 * error] })
//!     }
//! }
//!
//! let mut parabola = Parabola([Unknown::scalar("beta", Interval::unit())]);
//! assert_eq!(parabola.value(&[0.3], 0).unwrap(), 0.0);
//! ```

pub use crate::unknown::{Extent, Interval, Unknown, length_of};

use crate::verdict::Verdict;

/// The loss and its gradient at one θ.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The loss; smaller is better.
    pub value: f64,
    /// ∂ loss / ∂θ in natural units (no interval map applied), as long as θ.
    pub gradient: Vec<f64>,
}

/// What makes a loss an exact likelihood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLikelihood {
    /// By which route it is computed, as in a fit's JSON: `exact`.
    pub route: &'static str,
    /// −ln L of all the data is the loss times this: how many data the loss is a mean over.
    pub data: f64,
}

/// What is known around an estimate where only the objective itself can tell.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The estimate, moved to where it belongs.
    pub theta: Vec<f64>,
    /// How far the simulation's noise may move it, by number of θ.
    pub simulation_noise: Vec<f64>,
    /// What is known of it.
    pub verdict: Verdict,
    /// The loss there, its noise smoothed.
    pub loss: f64,
}

/// Why an objective gave no number.
#[derive(Debug, thiserror::Error)]
pub enum ObjectiveError {
    /// The run behind it was told to stop; the fit stops as interrupted, before this step.
    #[error("the evaluation was interrupted")]
    Interrupted,
    /// It failed, in its own words.
    #[error("{0}")]
    Failed(String),
    /// What it is made of failed.
    #[error(transparent)]
    Source(#[from] Box<dyn std::error::Error + Send + Sync>),
}

/// θ → loss and gradient. The only thing a fit knows of models and data. It may be handed to another thread.
pub trait Objective: Send {
    /// What is to be found, in the order of θ. The same list every time.
    fn unknowns(&self) -> &[Unknown];

    /// The loss and its gradient at θ. `iteration` picks the noise: the same θ and iteration give the same bits,
    /// whatever was evaluated before.
    ///
    /// A loss or gradient that is not finite is not an error: the fit stops as diverged, and says where.
    ///
    /// # Errors
    /// [`ObjectiveError`] where no loss can be computed at all.
    fn evaluate(&mut self, theta: &[f64], iteration: u64) -> Result<Evaluation, ObjectiveError>;

    /// The loss alone. Worth writing where it is cheaper than the gradient; must be the same number, bit for bit.
    ///
    /// # Errors
    /// As [`evaluate`](Objective::evaluate).
    fn value(&mut self, theta: &[f64], iteration: u64) -> Result<f64, ObjectiveError> {
        Ok(self.evaluate(theta, iteration)?.value)
    }

    /// What makes the loss an exact likelihood, without noise; `None` where it is none. Standard errors exist only
    /// where it is.
    ///
    /// Where the likelihood is 0 at some θ, its loss there is +∞ and no error: a fit steps back, a search goes elsewhere.
    fn likelihood(&self) -> Option<LogLikelihood> {
        None
    }

    /// How many numbers were observed, where that is known: the sites of all states that are compared, say.
    fn observations(&self) -> Option<usize> {
        None
    }

    /// What is known around θ, where a fit has come to its end: of a likelihood with noise, whose slopes say nothing. `None`
    /// of all others.
    fn surroundings(
        &mut self,
        theta: &[f64],
        stop: &dyn Fn() -> bool,
    ) -> Option<Result<Surroundings, ObjectiveError>> {
        let _ = (theta, stop);
        None
    }

    /// Whether the loss is lowest, on average, where its gradient is 0. It need not be: the error of one simulated state
    /// grows with that state's own chance, which no gradient of a mean sees. What such a loss was before tells nothing.
    fn is_lowest_at_rest(&self) -> bool {
        true
    }

    /// Whether [`Objective::evaluate`] gives a gradient; where it has none, its numbers are NaN.
    fn has_gradient(&self) -> bool {
        true
    }

    /// Why the loss is +∞ at θ, where that can be said.
    fn why_infinite(&mut self, theta: &[f64]) -> Option<String> {
        let _ = theta;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_knows_its_length() {
        assert_eq!(Unknown::scalar("beta", Interval::unit()).len(), 1);
        let image = Unknown::field("image", Interval::unit(), &[4000, 4000]);
        assert_eq!(image.len(), 16_000_000);
        assert!(!image.is_scalar());
        assert_eq!(length_of(&[Unknown::scalar("a", Interval::any()), image]), 16_000_001);
        let absurd = Unknown::field("x", Interval::any(), &[usize::MAX, 3]);
        assert_eq!(absurd.len(), usize::MAX);
        assert!(Unknown::field("x", Interval::any(), &[0, 3]).is_empty());
    }

    #[test]
    fn nan_lies_in_no_interval() {
        assert!(!Interval::any().contains(f64::NAN));
        assert!(Interval::unit().contains(0.0) && Interval::unit().contains(1.0));
        assert!(!Interval::unit().contains(1.0 + f64::EPSILON));
    }
}
