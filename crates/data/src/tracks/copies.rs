//! Notes tracks that are copies of each other, and positions that are written twice before the next one.

use super::points::{Point, Points};
use crate::held::{held_in_words, period_of_changes};
use glauber_files::error::quoted;
use std::collections::HashMap;

/// The fewest positions of a track that chance does not repeat.
const FEWEST: usize = 3;

impl Points {
    /// Notes what is counted twice. Points are sorted by track and time.
    pub(super) fn note_copies(&mut self) {
        let held = self.held().map(|(tracks, period)| {
            format!(
                "in {tracks} tracks {}: cells that stand still, or frames that were only held: leave those out",
                held_in_words("position", period)
            )
        });
        let notes: Vec<String> = self.same_tracks().into_iter().chain(held).collect();
        self.notes.splice(0..0, notes);
    }

    /// That tracks have the same positions at the same times.
    fn same_tracks(&self) -> Option<String> {
        let mut first: HashMap<Vec<[u64; 4]>, usize> = HashMap::new();
        let mut copies: Vec<(usize, usize)> = Vec::new();
        for points in self.points.chunk_by(|a, b| a.track == b.track) {
            let moves = points.windows(2).any(|pair| !is_held(pair));
            if points.len() < FEWEST || !moves {
                continue;
            }
            let bits = |p: &Point| {
                let [x, y, z] = p.position.map(|v| (v + 0.0).to_bits());
                [(p.time + 0.0).to_bits(), x, y, z]
            };
            let track = points[0].track;
            match first.entry(points.iter().map(bits).collect()) {
                std::collections::hash_map::Entry::Occupied(earlier) => copies.push((*earlier.get(), track)),
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(track);
                }
            }
        }
        let &(one, other) = copies.first()?;
        let more = match copies.len() - 1 {
            0 => String::new(),
            n => format!(", and {n} more are copies of others"),
        };
        Some(format!(
            "tracks {} and {} are the same{more}: each is counted as data of its own; leave the copies out",
            quoted(&self.ids[one]),
            quoted(&self.ids[other])
        ))
    }

    /// How many tracks hold their positions, and for how long; nothing where it may be the cells that stand still.
    fn held(&self) -> Option<(usize, usize)> {
        let tracks = self.points.chunk_by(|a, b| a.track == b.track);
        let held: Vec<Vec<bool>> = tracks.map(|points| points.windows(2).map(is_held).collect()).collect();
        let moving = held.iter().filter(|held| held.contains(&false)).count();
        let periods: Vec<usize> = held.iter().filter_map(|held| period_of_changes(held)).collect();
        let period = *periods.first()?;
        let alike = periods.iter().filter(|own| **own == period).count();
        (2 * alike > moving).then_some((alike, period))
    }
}

fn is_held(pair: &[Point]) -> bool {
    pair[0].position.iter().zip(&pair[1].position).all(|(a, b)| a.total_cmp(b) == std::cmp::Ordering::Equal)
}
