//! Holds the events that are run at a time: which they are, where their sites stand, what they may write.

use super::instruction::From;
use super::rule::Rule;

/// Random numbers are drawn for this many events at a time.
pub(super) const RUN: usize = 512;

/// At most this many events are run at a time.
pub(super) const MOST: usize = 64;

/// The events at hand.
#[derive(Default)]
pub(super) struct Batch {
    /// How many they are.
    pub(super) count: usize,
    /// The number of the first of them within the step, and its place among the random numbers at hand.
    pub(super) first: u32,
    pub(super) index: usize,
    /// Where their sites stand, then the sites that they pick, [`MOST`] for each.
    pub(super) places: Vec<usize>,
    /// Whether those lie beyond a fixed edge.
    pub(super) outside: Vec<bool>,
    /// Values that may not be: the event, the check and the value.
    pub(super) refused: Vec<(usize, u32, f64)>,
    /// Which places of a plane the events gathered may write: 1 there, while they are gathered. In bytes, so that caches
    /// hold it.
    pub(super) written: Vec<u8>,
}

impl Batch {
    pub(super) fn new(rule: &Rule) -> Batch {
        let picks = rule.picks + 1;
        Batch {
            count: 0,
            first: 0,
            index: 0,
            places: vec![0; MOST * picks],
            outside: vec![false; MOST * picks],
            refused: Vec::new(),
            written: vec![0; if rule.may_gather() { rule.layout.padded_len() } else { 0 }],
        }
    }

    /// Begins anew at an event.
    pub(super) fn begin(&mut self, first: u32, index: usize) {
        (self.count, self.first, self.index) = (0, first, index);
    }

    /// A place at a distance from one of an event's.
    #[inline(always)]
    pub(super) fn moved(&self, from: From, event: usize, distance: i32) -> usize {
        self.places[from as usize * MOST + event].wrapping_add_signed(distance as isize)
    }
}
