//! Holds how a fit ended, for whoever judges whether it came to rest.

use crate::course::Course;
use crate::maps::IntervalMap;

/// Groups of the last part.
pub(crate) const GROUPS: usize = 16;

/// A course, and where it ended.
pub(crate) struct Ended<'a> {
    pub course: &'a Course,
    /// The share of the steps, at the end, by which rest is told.
    pub share: f64,
    /// By scalar: its map, and its value at the end.
    pub maps: &'a [IntervalMap],
    pub theta: &'a [f64],
    /// The losses that were recorded, in order.
    pub losses: &'a [f64],
    /// Whether they are lowest where the fit is at rest.
    pub lowest_at_rest: bool,
}
