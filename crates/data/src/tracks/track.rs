//! Holds tracks: positions at whole numbers of frames, with their interval and units.

use glauber_files::error::quoted;
use std::fmt;

/// One track: positions in space at increasing frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    id: String,
    start: f64,
    frames: Vec<u32>,
    positions: Vec<[f64; 3]>,
}

/// Why positions do not make a track, or tracks a set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TrackError {
    /// As many frames as positions are needed, and at least two.
    #[error(
        "track `{id}` has {frames} frames and {positions} positions; give as many of both, and at least two"
    )]
    Length {
        /// The track.
        id: String,
        /// Its frames.
        frames: usize,
        /// Its positions.
        positions: usize,
    },
    /// Frames must increase.
    #[error(
        "track `{id}`: frame {frame} does not come after the one before it; sort the track, and keep one position a frame"
    )]
    Order {
        /// The track.
        id: String,
        /// The frame that does not come after the one before it.
        frame: u32,
    },
    /// Positions and times must be finite.
    #[error("track `{id}` holds a value that is not finite; remove that frame: gaps are handled")]
    NotFinite {
        /// The track.
        id: String,
    },
    /// The interval must be positive, dimensions 2 or 3.
    #[error("{0}")]
    Setting(String),
}

impl Track {
    /// A track of positions `[x, y, z]` (z is 0 in 2-D) at `frames`, counted from its own first at time `start`.
    ///
    /// # Errors
    /// If there are fewer than two positions, not as many frames, frames that do not increase, or a value that is
    /// not finite.
    pub fn new(
        id: impl Into<String>,
        start: f64,
        frames: Vec<u32>,
        positions: Vec<[f64; 3]>,
    ) -> Result<Self, TrackError> {
        let id = id.into();
        if frames.len() != positions.len() || frames.len() < 2 {
            return Err(TrackError::Length { id, frames: frames.len(), positions: positions.len() });
        }
        if let Some(pair) = frames.windows(2).find(|w| w[1] <= w[0]) {
            return Err(TrackError::Order { id, frame: pair[1] });
        }
        if !start.is_finite() || positions.iter().flatten().any(|v| !v.is_finite()) {
            return Err(TrackError::NotFinite { id });
        }
        let first = frames[0];
        let frames = frames.into_iter().map(|f| f - first).collect();
        Ok(Self { id, start, frames, positions })
    }

    /// The name of the track in its file.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The time of the first position, in the file's units.
    pub fn start(&self) -> f64 {
        self.start
    }

    /// The frames of the positions, counted from the track's first (which is 0); increasing, with gaps.
    pub fn frames(&self) -> &[u32] {
        &self.frames
    }

    /// The positions `[x, y, z]`; z is 0 in 2-D.
    pub fn positions(&self) -> &[[f64; 3]] {
        &self.positions
    }

    /// How many positions there are; at least two.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// The number of intervals from the first position to the last.
    pub fn span(&self) -> u32 {
        self.frames.last().copied().unwrap_or(0)
    }

    /// Sets z to 0 everywhere.
    pub(super) fn drop_z(&mut self) {
        self.positions.iter_mut().for_each(|p| p[2] = 0.0);
    }

    /// How many frames between the first and the last have no position.
    pub fn missing_frames(&self) -> u32 {
        self.span() + 1 - self.len() as u32
    }
}

/// The units of lengths and times, as the file or the user named them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// E.g. `µm`; none if nobody said.
    pub length: Option<String>,
    /// E.g. `s`; none if nobody said.
    pub time: Option<String>,
}

/// A set of tracks with one interval and one number of dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracks {
    tracks: Vec<Track>,
    interval: f64,
    dimensions: usize,
    units: Units,
    notes: Vec<String>,
    columns: Vec<(&'static str, String)>,
}

impl Tracks {
    /// Tracks whose frames are `interval` (in units of time) apart, in 2 or 3 dimensions.
    ///
    /// # Errors
    /// If there are no tracks, the interval is not positive and finite, or the dimensions are neither 2 nor 3.
    pub fn new(
        tracks: Vec<Track>,
        interval: f64,
        dimensions: usize,
        units: Units,
        notes: Vec<String>,
    ) -> Result<Self, TrackError> {
        if tracks.is_empty() {
            return Err(TrackError::Setting(
                "there are no tracks; give at least one of two positions".into(),
            ));
        }
        if !(interval.is_finite() && interval > 0.0) {
            return Err(TrackError::Setting(format!("the interval {interval} is not a positive number")));
        }
        if !(2..=3).contains(&dimensions) {
            return Err(TrackError::Setting(format!("tracks have 2 or 3 dimensions, not {dimensions}")));
        }
        Ok(Self { tracks, interval, dimensions, units, notes, columns: Vec::new() })
    }

    /// The same tracks with what was read from which column.
    #[must_use]
    pub fn with_columns(mut self, columns: Vec<(&'static str, String)>) -> Self {
        self.columns = columns;
        self
    }

    /// The tracks, in the order of the file.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// How many tracks there are; at least one.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.tracks.len()
    }

    /// The time from one frame to the next, in [`Units::time`].
    pub fn interval(&self) -> f64 {
        self.interval
    }

    /// 2 or 3.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The units of lengths and times.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// What the reader cut, dropped, sorted or inferred, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What was read from which column of a table: `track`, `time`, `x`, `y`, perhaps `z`, each with the column's name
    /// or number; empty where the file has no columns.
    pub fn columns(&self) -> &[(&'static str, String)] {
        &self.columns
    }

    /// The same in a sentence; nothing where the file has no columns.
    pub fn columns_in_words(&self) -> Option<String> {
        let said = |(what, name): &(&str, String)| format!("{what} from {}", quoted(name));
        let all: Vec<String> = self.columns.iter().map(said).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// The numbers a person wants to see first.
    pub fn summary(&self) -> TracksSummary {
        let mut lengths: Vec<usize> = self.tracks.iter().map(Track::len).collect();
        lengths.sort_unstable();
        let middle = lengths.len() / 2;
        let median = match lengths.len() % 2 {
            0 => (lengths[middle - 1] + lengths[middle]) as f64 / 2.0,
            _ => lengths[middle] as f64,
        };
        TracksSummary {
            tracks: self.tracks.len(),
            positions: lengths.iter().sum(),
            shortest: lengths[0],
            median_length: median,
            longest: lengths[lengths.len() - 1],
            longest_span: self.tracks.iter().map(Track::span).max().unwrap_or(0),
            tracks_with_gaps: self.tracks.iter().filter(|t| t.missing_frames() > 0).count(),
            missing_frames: self.tracks.iter().map(|t| u64::from(t.missing_frames())).sum(),
            dimensions: self.dimensions,
            interval: self.interval,
            units: self.units.clone(),
        }
    }
}

/// How many tracks there are and how long they are. Lengths count positions, spans count intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct TracksSummary {
    /// How many tracks.
    pub tracks: usize,
    /// Positions of all tracks.
    pub positions: usize,
    /// Positions of the shortest track.
    pub shortest: usize,
    /// Median of the positions a track.
    pub median_length: f64,
    /// Positions of the longest track.
    pub longest: usize,
    /// The largest lag any sub-track spans, in intervals.
    pub longest_span: u32,
    /// How many tracks miss a frame.
    pub tracks_with_gaps: usize,
    /// Frames missing in all tracks.
    pub missing_frames: u64,
    /// 2 or 3.
    pub dimensions: usize,
    /// Time from frame to frame.
    pub interval: f64,
    /// The units of lengths and times.
    pub units: Units,
}

impl fmt::Display for TracksSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.units.time.as_deref().unwrap_or("(no unit)");
        let length = self.units.length.as_deref().unwrap_or("(no unit)");
        writeln!(f, "tracks      {} in {}-D, {} positions", self.tracks, self.dimensions, self.positions)?;
        writeln!(
            f,
            "lengths     {} to {} positions, median {}",
            self.shortest, self.longest, self.median_length
        )?;
        writeln!(f, "interval    {} {time}", glauber_files::rounded(self.interval))?;
        writeln!(
            f,
            "gaps        {} frames missing in {} tracks",
            self.missing_frames, self.tracks_with_gaps
        )?;
        write!(f, "unit        {length}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn positions(n: usize) -> Vec<[f64; 3]> {
        (0..n).map(|i| [i as f64, 0.0, 0.0]).collect()
    }

    #[test]
    fn wrong_tracks_are_refused() {
        assert!(matches!(Track::new("a", 0.0, vec![0], positions(1)), Err(TrackError::Length { .. })));
        assert!(matches!(Track::new("a", 0.0, vec![0, 1], positions(3)), Err(TrackError::Length { .. })));
        assert!(matches!(
            Track::new("a", 0.0, vec![0, 2, 2], positions(3)),
            Err(TrackError::Order { frame: 2, .. })
        ));
        let nan = vec![[0.0; 3], [f64::NAN, 0.0, 0.0]];
        assert!(matches!(Track::new("a", 0.0, vec![0, 1], nan), Err(TrackError::NotFinite { .. })));
        assert!(Tracks::new(vec![], 1.0, 2, Units::default(), vec![]).is_err());
        let track = Track::new("a", 0.0, vec![0, 1], positions(2)).unwrap();
        for (interval, dimensions) in [(0.0, 2), (f64::NAN, 2), (1.0, 4)] {
            assert!(
                Tracks::new(vec![track.clone()], interval, dimensions, Units::default(), vec![]).is_err()
            );
        }
    }

    #[test]
    fn summaries_count_gaps() {
        let a = Track::new("a", 0.0, vec![7, 8, 11], positions(3)).unwrap();
        let b = Track::new("b", 0.0, vec![0, 1], positions(2)).unwrap();
        assert_eq!((a.frames(), a.span(), a.missing_frames()), (&[0, 1, 4][..], 4, 2));
        let summary = Tracks::new(vec![a, b], 24.0, 2, Units::default(), vec![]).unwrap().summary();
        assert_eq!((summary.positions, summary.shortest, summary.longest), (5, 2, 3));
        assert_eq!((summary.tracks_with_gaps, summary.missing_frames, summary.longest_span), (1, 2, 4));
        assert!(summary.to_string().contains("2 to 3 positions, median 2.5"), "{summary}");
    }
}
