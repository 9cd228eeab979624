//! Descends the Potts energy from a start, keeps the course, and stops after so many steps or at rest.
//!
//! ```text
//! X ← clip(X − rate · ∂E/∂X, 0, 1);      mask = X > threshold
//! ```
//!
//! Each record of the course is taken *before* the update of its step; the last one is the result. With a
//! truth it holds the scores of that moment, which are never used to steer or stop the descent.
//!
//! *Rest*: the descent stops once no more than `share` of the pixels changed class in each of the last
//! `patience` steps. Stopping is needed for more than time: the paper's energy is best before its minimum, as
//! the paper says.
//!
//! Memory: two planes of X and one each of reference and votes, 16 bytes per pixel in single precision (12 without
//! votes, 4 more with the logarithmic data term), twice that in double precision.

use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::classes::{ClassStatistics, update_votes};
use super::error::check_setting;
use super::number::Number;
use super::potts::{DataTerm, PottsEnergy, PottsTerms, PottsWeights};
use super::{Mask, Scores, SegmentationError};

/// When too few pixels change class for too long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rest {
    /// The share of pixels that may change class in a step at rest, in [0, 1].
    pub share: f64,
    /// Steps of rest in a row, at least 1.
    pub patience: u64,
}

/// How the energy is descended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descent {
    /// Rate of descent, above 0 and at most 100.
    pub rate: f64,
    /// The most steps.
    pub steps: u64,
    /// X above this is foreground, in [0, 1).
    pub threshold: f64,
    /// Stop at rest.
    pub rest: Option<Rest>,
    /// Steps between two records; 0 for the first and the last only.
    pub record_every: u64,
}

impl Default for Descent {
    /// The paper's: rate 0.01, threshold 0, 100 steps, a record every 5.
    fn default() -> Self {
        Descent { rate: 0.01, steps: 100, threshold: 0.0, rest: None, record_every: 5 }
    }
}

impl Descent {
    /// Fails on settings outside their ranges.
    pub fn check(&self) -> Result<(), SegmentationError> {
        check_setting("rate", self.rate, (f64::MIN_POSITIVE, 100.0), "be above 0 and at most 100")?;
        check_setting("threshold", self.threshold, (0.0, 1.0 - f64::EPSILON), "lie in 0 to 1, without 1")?;
        if let Some(rest) = self.rest {
            check_setting("share at rest", rest.share, (0.0, 1.0), "lie in 0 to 1")?;
            check_setting("patience", rest.patience as f64, (1.0, 1e18), "be at least 1 step")?;
        }
        Ok(())
    }
}

/// What is known at one step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Updates made so far.
    pub step: u64,
    /// The energy's terms.
    pub terms: PottsTerms,
    /// E.
    pub loss: f64,
    /// Foreground pixels.
    pub area: u64,
    /// Agreement with the truth, where one was given.
    pub scores: Option<Scores>,
}

/// Why the descent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DescentEnd {
    /// After the most steps.
    Steps,
    /// At rest.
    Rest,
    /// The observer broke off.
    Interrupted,
}

/// The energy to descend; every plane is row by row.
pub(super) struct Landscape<'a, T> {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) weights: PottsWeights,
    pub(super) data: DataTerm,
    pub(super) reference: &'a [T],
    pub(super) classes: ClassStatistics,
}

/// Where the descent went.
pub(super) struct Course<T> {
    pub(super) x: Vec<T>,
    pub(super) history: Vec<Moment>,
    pub(super) steps: u64,
    pub(super) end: DescentEnd,
}

/// Descends from `start`. The observer sees every record and may break off.
pub(super) fn descend<T: Number>(
    landscape: &Landscape<'_, T>,
    start: Vec<T>,
    how: &Descent,
    truth: Option<&Mask>,
    observer: &mut dyn FnMut(&Moment) -> ControlFlow<()>,
) -> Result<Course<T>, SegmentationError> {
    how.check()?;
    landscape.weights.check()?;
    landscape.classes.check()?;
    let threshold = T::from_f64(how.threshold);
    let voting = landscape.weights.classes > 0.0;
    let mut votes = vec![T::from_f64(0.0); if voting { start.len() } else { 0 }];
    let (mut next, mut scratch) = (start.clone(), Vec::new());
    let mut course = Course { x: start, history: Vec::new(), steps: 0, end: DescentEnd::Steps };
    let mut resting = 0;
    loop {
        if voting && course.steps.is_multiple_of(landscape.classes.every) && course.steps < how.steps {
            let planes = (course.x.as_slice(), landscape.reference);
            update_votes(&landscape.classes, planes, landscape.width, threshold, &mut votes);
        }
        let energy = PottsEnergy::of_checked(
            (landscape.height, landscape.width),
            (landscape.weights, landscape.data),
            landscape.reference,
            &votes,
        );
        let rests = how.rest.is_some_and(|rest| resting >= rest.patience);
        let ends = rests || course.steps >= how.steps;
        let due = how.record_every > 0 && course.steps.is_multiple_of(how.record_every);
        if course.steps == 0 || ends || due {
            let moment = measure(&energy, &course.x, course.steps, threshold, truth)?;
            course.history.push(moment);
            if observer(&moment).is_break() && !ends {
                course.end = DescentEnd::Interrupted;
                return Ok(course);
            }
        }
        if ends {
            course.end = if rests { DescentEnd::Rest } else { DescentEnd::Steps };
            return Ok(course);
        }
        energy.step(&course.x, &mut next, how.rate, &mut scratch);
        if let Some(rest) = how.rest {
            let changed = changes(&course.x, &next, threshold) as f64;
            resting = if changed <= rest.share * next.len() as f64 { resting + 1 } else { 0 };
        }
        std::mem::swap(&mut course.x, &mut next);
        course.steps += 1;
    }
}

fn measure<T: Number>(
    energy: &PottsEnergy<'_, T>,
    x: &[T],
    step: u64,
    threshold: T,
    truth: Option<&Mask>,
) -> Result<Moment, SegmentationError> {
    let terms = energy.terms(x)?;
    let area = x.iter().map(|&x| u64::from(x > threshold)).sum();
    let scores = truth.map(|truth| Scores::count(x.iter().map(|&x| x > threshold), truth.inside()));
    Ok(Moment { step, terms, loss: terms.total(), area, scores })
}

/// Pixels on different sides of the threshold.
fn changes<T: Number>(before: &[T], after: &[T], threshold: T) -> usize {
    const CHUNK: usize = 1 << 15;
    let differ = |(a, b): (&T, &T)| usize::from((*a > threshold) != (*b > threshold));
    before
        .par_chunks(CHUNK)
        .zip(after.par_chunks(CHUNK))
        .map(|(a, b)| a.iter().zip(b).map(differ).sum::<usize>())
        .sum()
}
