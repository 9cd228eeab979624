//! Holds the events that are run at a time: which they are, where their sites stand, what they may write.

use super::instruction::From;
use super::rule::Rule;

/// Random numbers are drawn for this many events at a time.
pub(super) const RUN: usize = 512;

/// At most this many events are run at a time.
pub(super) const MOST: usize = 64;

/// What may be written is marked in a table of so many bytes, which the nearest cache holds.
const MARKS: usize = 1 << 14;

/// The events at hand.
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
    /// Which places of a plane the events gathered may write: the stamp of the batch there. Places far apart share a mark: an event
    /// that meets another's begins a new batch where it need not, and nothing else.
    marks: Vec<u8>,
    stamp: u8,
    /// Whether an event's site may be one that a margin shows, or write to one.
    pub(super) near_edge: [bool; MOST],
}

/// The sites of a run of events.
#[derive(Clone, Debug)]
pub(super) struct Sites {
    /// Where they stand in a padded plane.
    pub(super) places: Vec<u32>,
    /// Whether a margin may show them, or what is written beside them.
    pub(super) near_edge: Vec<bool>,
}

impl Sites {
    pub(super) fn new() -> Sites {
        Sites { places: vec![0; RUN], near_edge: vec![true; RUN] }
    }
}

impl Default for Batch {
    fn default() -> Batch {
        Batch {
            count: 0,
            first: 0,
            index: 0,
            places: Vec::new(),
            outside: Vec::new(),
            refused: Vec::new(),
            marks: Vec::new(),
            stamp: 0,
            near_edge: [true; MOST],
        }
    }
}

impl Batch {
    pub(super) fn new(rule: &Rule) -> Batch {
        let picks = rule.picks + 1;
        Batch {
            places: vec![0; MOST * picks],
            outside: vec![false; MOST * picks],
            marks: vec![0; if rule.may_gather() { MARKS } else { 0 }],
            ..Batch::default()
        }
    }

    /// Begins anew at an event.
    pub(super) fn begin(&mut self, first: u32, index: usize) {
        (self.count, self.first, self.index) = (0, first, index);
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.marks.fill(0);
            self.stamp = 1;
        }
    }

    /// Whether an event of the batch may write to one of the places at these distances.
    #[inline(always)]
    pub(super) fn meets(&self, here: usize, distances: &[i32]) -> bool {
        let Ok(marks) = <&[u8; MARKS]>::try_from(&self.marks[..]) else { return true };
        let at = |distance: &i32| marks[here.wrapping_add_signed(*distance as isize) % MARKS];
        distances.iter().fold(false, |met, distance| met | (at(distance) == self.stamp))
    }

    /// Notes that an event of the batch may write to a place.
    #[inline(always)]
    pub(super) fn mark(&mut self, place: usize) {
        if let Some(mark) = self.marks.get_mut(place % MARKS) {
            *mark = self.stamp;
        }
    }

    /// The places of the events' sites, or of those that they picked.
    #[inline(always)]
    pub(super) fn of(&self, from: From) -> &[usize] {
        &self.places[from as usize * MOST..][..MOST]
    }

    /// A place at a distance from one of an event's.
    #[inline(always)]
    pub(super) fn moved(&self, from: From, event: usize, distance: i32) -> usize {
        moved(self.places[from as usize * MOST + event], distance)
    }
}

/// The place at a distance from another.
#[inline(always)]
pub(super) fn moved(place: usize, distance: i32) -> usize {
    place.wrapping_add_signed(distance as isize)
}
