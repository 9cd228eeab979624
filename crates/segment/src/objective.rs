//! Offers the Potts energy as an objective whose unknown is a whole image, for every optimizer.
//!
//! The unknown is the field `X`, one number in [0, 1] per pixel. Clipping descent at rate 0.01 (optimizer
//! `sgd`, the interval map that projects) is the paper's method; any other optimizer, schedule, checkpoint
//! and trace of this crate works on it too. It costs several times a step of [`segment`](super::segment),
//! which fuses gradient, update and clipping and needs 12 bytes per pixel instead of some 60.
//!
//! The votes of class statistics are held fixed: give them as they are at the start, or leave their weight at 0.
//!
//! ```
//! use glauber_optimize::objective::Objective;
//! use glauber_segment::{DataTerm, GreyImage, PottsObjective, Preparation, prepare};
//!
//! let image = GreyImage::new(1, 4, vec![0.1, 0.2, 0.9, 0.8])?;
//! let reference = prepare(&image, &Preparation::default())?;
//! let weights = "0.6,0.05,0.15,0.5".parse()?;
//! let mut energy = PottsObjective::new(1, 4, weights, DataTerm::Squared, reference.values)?;
//! assert_eq!(energy.evaluate(&[0.0, 0.0, 1.0, 1.0], 0)?.gradient.len(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::SegmentationError;
use super::potts::{DataTerm, PottsEnergy, PottsWeights};
use glauber_optimize::objective::{Evaluation, Interval, Objective, ObjectiveError, Unknown};

/// The Potts energy of one image, in double precision.
#[derive(Clone, Debug)]
pub struct PottsObjective {
    height: usize,
    width: usize,
    weights: PottsWeights,
    data: DataTerm,
    reference: Vec<f64>,
    votes: Vec<f64>,
    unknowns: [Unknown; 1],
}

impl PottsObjective {
    /// The energy with the reference `z`, row by row. Fails as [`PottsEnergy::new`].
    pub fn new(
        height: usize,
        width: usize,
        weights: PottsWeights,
        data: DataTerm,
        reference: Vec<f64>,
    ) -> Result<PottsObjective, SegmentationError> {
        PottsEnergy::new(height, width, weights, data, &reference)?;
        let unknowns = [Unknown::field("X", Interval::unit(), &[height, width])];
        Ok(PottsObjective { height, width, weights, data, reference, votes: Vec::new(), unknowns })
    }

    /// The same energy with fixed votes, one per pixel, for its classes term.
    pub fn with_votes(self, votes: Vec<f64>) -> Result<PottsObjective, SegmentationError> {
        self.energy()?.with_votes(&votes)?;
        Ok(PottsObjective { votes, ..self })
    }

    fn energy(&self) -> Result<PottsEnergy<'_, f64>, SegmentationError> {
        let energy = PottsEnergy::new(self.height, self.width, self.weights, self.data, &self.reference)?;
        if self.votes.is_empty() { Ok(energy) } else { energy.with_votes(&self.votes) }
    }
}

impl Objective for PottsObjective {
    fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], _iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let energy = self.energy().map_err(failed)?;
        let value = energy.terms(theta).map_err(failed)?.total();
        Ok(Evaluation { value, gradient: energy.gradient(theta).map_err(failed)? })
    }

    fn value(&mut self, theta: &[f64], _iteration: u64) -> Result<f64, ObjectiveError> {
        Ok(self.energy().map_err(failed)?.terms(theta).map_err(failed)?.total())
    }
}

fn failed(error: SegmentationError) -> ObjectiveError {
    ObjectiveError::Source(Box::new(error))
}
