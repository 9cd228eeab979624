//! Cuts tracks that divide or merge into segments without branches.
//!
//! A link between two spots is kept if the earlier has no other later link and the later no other earlier one. What
//! hangs together by kept links is a segment: a mother up to her division, each daughter from its own first spot on.
//! So every displacement is that of one cell, and none is counted twice.

use std::collections::HashMap;

/// Segments of one track: lists of spots in the order of time, and how often the track branched.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Segments {
    pub(super) segments: Vec<Vec<u64>>,
    pub(super) divisions: usize,
    pub(super) merges: usize,
}

/// A link that cannot be: between spots of one frame.
#[derive(Debug, PartialEq)]
pub(super) struct SameFrame(pub(super) u64, pub(super) u64);

/// Cuts a track given by its links in either direction; `frame_of` gives a spot's frame.
pub(super) fn cut(links: &[(u64, u64)], frame_of: impl Fn(u64) -> f64) -> Result<Segments, SameFrame> {
    let mut later: HashMap<u64, Vec<u64>> = HashMap::new();
    let mut earlier: HashMap<u64, Vec<u64>> = HashMap::new();
    for &(a, b) in links {
        let (first, second) = match frame_of(a).total_cmp(&frame_of(b)) {
            std::cmp::Ordering::Less => (a, b),
            std::cmp::Ordering::Greater => (b, a),
            std::cmp::Ordering::Equal => return Err(SameFrame(a, b)),
        };
        let followers = later.entry(first).or_default();
        if !followers.contains(&second) {
            followers.push(second);
            earlier.entry(second).or_default().push(first);
        }
    }
    let mut spots: Vec<u64> = later.keys().chain(earlier.keys()).copied().collect();
    spots.sort_by(|a, b| frame_of(*a).total_cmp(&frame_of(*b)).then(a.cmp(b)));
    spots.dedup();

    // The one spot a segment goes on with, if the link is kept.
    let next = |spot: u64| match later.get(&spot).map(Vec::as_slice) {
        Some(&[only]) if earlier.get(&only).is_some_and(|e| e.len() == 1) => Some(only),
        _ => None,
    };
    let continues = |spot: u64| matches!(earlier.get(&spot).map(Vec::as_slice), Some(&[before]) if next(before) == Some(spot));
    let mut cut = Segments {
        divisions: later.values().filter(|l| l.len() > 1).count(),
        merges: earlier.values().filter(|e| e.len() > 1).count(),
        ..Segments::default()
    };
    for &start in spots.iter().filter(|&&s| !continues(s)) {
        let mut segment = vec![start];
        let mut spot = start;
        while let Some(following) = next(spot) {
            segment.push(following);
            spot = following;
        }
        cut.segments.push(segment);
    }
    Ok(cut)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Spots are numbered frame × 10 + something.
    fn frame(spot: u64) -> f64 {
        (spot / 10) as f64
    }

    #[test]
    fn a_straight_track_is_one_segment_whatever_the_direction_of_its_links() {
        let cut = cut(&[(20, 10), (30, 20), (10, 0), (10, 0)], frame).unwrap();
        assert_eq!(cut, Segments { segments: vec![vec![0, 10, 20, 30]], divisions: 0, merges: 0 });
    }

    #[test]
    fn a_division_ends_the_mother() {
        let cut = cut(&[(0, 10), (10, 20), (10, 21), (20, 30), (21, 31)], frame).unwrap();
        assert_eq!(cut.segments, [vec![0, 10], vec![20, 30], vec![21, 31]]);
        assert_eq!((cut.divisions, cut.merges), (1, 0));
    }

    #[test]
    fn a_merge_ends_both() {
        let cut = cut(&[(0, 10), (1, 11), (10, 20), (11, 20), (20, 30)], frame).unwrap();
        assert_eq!(cut.segments, [vec![0, 10], vec![1, 11], vec![20, 30]]);
        assert_eq!((cut.divisions, cut.merges), (0, 1));
    }

    #[test]
    fn links_within_a_frame_are_refused() {
        assert_eq!(cut(&[(1, 2)], frame), Err(SameFrame(1, 2)));
        assert_eq!(cut(&[(1, 1)], frame), Err(SameFrame(1, 1)));
    }

    #[test]
    fn every_spot_is_in_one_segment() {
        // A tangle: two mothers share two daughters.
        let cut = cut(&[(0, 10), (0, 11), (1, 10), (1, 11), (10, 20)], frame).unwrap();
        let mut all: Vec<_> = cut.segments.concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 10, 11, 20]);
    }
}
