//! Makes tracks of points in any order: sorts, checks, finds the interval, counts gaps and drops what is too short.

use super::face::Face;
use super::interval::{self, Step};
use super::options::TrackOptions;
use super::points::{Point, Points};
use super::track::{Track, Tracks, Units};
use super::unit;
use crate::no_data::no_data_sign;
use crate::{DataError, DataErrorKind};
use glauber_files::error::quoted;
use glauber_files::rounded;
use std::collections::HashMap;
use std::path::Path;

impl Points {
    /// Makes tracks.
    ///
    /// # Errors
    /// If a track has two positions at one time, times have no common interval, or no track has two positions; after what
    /// was noted by then.
    pub(super) fn assemble(mut self, path: &Path, options: &TrackOptions) -> Result<Tracks, DataError> {
        self.tracks(path, options).map_err(|error| error.after(self.notes))
    }

    fn tracks(&mut self, path: &Path, options: &TrackOptions) -> Result<Tracks, DataError> {
        self.leave_out_minus_one();
        self.check_no_data(path)?;
        self.keep_apart(options.face);
        self.sort_by_track();
        self.check_duplicates(path, options.face)?;
        self.note_one_point();
        self.note_copies();
        self.check_units(path, options)?;
        let interval = self.find_interval(path, options)?;
        let mut tracks = Vec::new();
        let mut one_point = 0usize;
        for points in self.points.chunk_by(|a, b| a.track == b.track) {
            if points.len() < 2 {
                one_point += 1;
                continue;
            }
            tracks.push(track_of(&self.ids[points[0].track], points, interval.length, interval.scale, path)?);
        }
        if tracks.is_empty() {
            let found = match one_point {
                0 => "holds no tracks".to_owned(),
                n => format!("holds no track of two positions ({n} of one)"),
            };
            return Err(DataError::new(
                DataErrorKind::Value,
                path,
                found,
                "export linked tracks, not single spots",
            ));
        }
        if one_point > 0 {
            self.notes.push(format!("{one_point} tracks of one position only were left out"));
        }
        self.note_gaps(&tracks);
        let dimensions = self.flatten(&mut tracks);
        // Frames that an interval is given for are in its unit, which nobody names.
        let own = std::mem::take(&mut self.units);
        let own_time = own.time.filter(|unit| !(unit::is_frame(unit) && options.interval.is_some()));
        let units = Units {
            length: options.length_unit.clone().or(own.length),
            time: options.time_unit.clone().or(own_time),
        };
        if !self.unread.is_empty() {
            let names: Vec<String> = self.unread.iter().map(|name| quoted(name)).collect();
            self.notes.push(format!("not read, though called like times or positions: {}", names.join(", ")));
        }
        let notes = self.notes.clone();
        let tracks = Tracks::new(tracks, interval.length, dimensions, units, notes).map_err(|e| {
            DataError::new(DataErrorKind::Value, path, e.to_string(), "check how the tracks were exported")
        })?;
        Ok(tracks.with_columns(std::mem::take(&mut self.columns)))
    }

    /// Refuses positions that stand for no data, and notes those that may.
    fn check_no_data(&mut self, path: &Path) -> Result<(), DataError> {
        for (axis, name) in ["x", "y", "z"].into_iter().enumerate().take(self.dimensions.max(2)) {
            /// Whose square is no number.
            const NOWHERE: f64 = 1e150;
            let values: Vec<f64> = self.points.iter().map(|point| point.position[axis]).collect();
            if let Some(at) = values.iter().position(|value| value.abs() >= NOWHERE) {
                let found = format!("{name} is {}, which is no place", glauber_files::rounded(values[at]));
                let remedy = format!(
                    "leave such {}s out: frames without a position are gaps, and gaps are handled",
                    self.line_word
                );
                let place = format!("{} {}", self.line_word, self.points[at].line);
                return Err(DataError::new(DataErrorKind::Value, path, found, remedy).at(place));
            }
            let Some(sign) = no_data_sign(&values) else { continue };
            let words = format!("{name} is {}", sign.in_words("positions"));
            if !sign.apart {
                self.notes.insert(0, format!("{words}; it was taken as a number"));
                continue;
            }
            let found = format!("{words} and lies far from all others");
            let remedy = format!(
                "leave these {}s out: frames without a position are gaps, and gaps are handled",
                self.line_word
            );
            let place = format!("{} {}", self.line_word, self.points[sign.first].line);
            return Err(DataError::new(DataErrorKind::Value, path, found, remedy).at(place));
        }
        Ok(())
    }

    /// Sorts points by track (in order of appearance) and time.
    fn sort_by_track(&mut self) {
        let sorted = |a: &Point, b: &Point| {
            a.track.cmp(&b.track).then(a.time.total_cmp(&b.time)).then(a.line.cmp(&b.line))
        };
        let backwards = {
            let mut last = vec![f64::NEG_INFINITY; self.ids.len()];
            let mut tracks = vec![false; self.ids.len()];
            for p in &self.points {
                tracks[p.track] |= p.time < last[p.track];
                last[p.track] = p.time;
            }
            tracks.iter().filter(|&&b| b).count()
        };
        if backwards > 0 {
            self.notes.push(format!(
                "positions of {backwards} tracks were not in the order of time; they were sorted"
            ));
        }
        self.points.sort_by(sorted);
    }

    /// Refuses a unit that is not the file's, and a unit of time for frames whose time nobody says.
    fn check_units(&self, path: &Path, options: &TrackOptions) -> Result<(), DataError> {
        let face = options.face;
        // Frames that an interval is given for are times in the unit that is given with it.
        let frames = |unit: &str| unit::is_frame(unit) && options.interval.is_some();
        let own_time = self.units.time.as_deref().filter(|unit| !frames(unit));
        let length = unit::contradiction(
            self.units.length.as_deref(),
            options.length_unit.as_deref(),
            "length-unit",
            face,
        );
        let time = || unit::contradiction(own_time, options.time_unit.as_deref(), "time-unit", face);
        let of_frames = || {
            let own = self.units.time.as_deref().filter(|_| self.interval_missing);
            let given = options.time_unit.as_deref().or(own);
            let given = given.filter(|unit| !unit.trim().is_empty() && !unit::is_frame(unit))?;
            let unknown = self.frames && self.interval.is_none() && options.interval.is_none();
            unknown.then(|| {
                let interval = face.option("interval");
                let found = format!("counts frames, not {}, and no time of a frame is known", quoted(given));
                let mut remedy = format!("say the time of a frame in that unit by {interval}");
                if options.time_unit.is_some() {
                    remedy += &format!(", or leave {} out", face.option("time-unit"));
                }
                (found, remedy)
            })
        };
        let other_interval = || {
            let (own, given) = (self.interval.filter(|_| self.frames)?, options.interval?);
            // Programs write 1 for what they do not know.
            let differs = (own / given - 1.0).abs() > 1e-3 && own > 0.0 && own_time.is_some();
            differs.then(|| {
                let (unit, interval) = (own_time.unwrap_or_default(), face.option("interval"));
                let found = format!(
                    "says that a frame takes {} {unit}, but {interval} is {}",
                    rounded(own),
                    rounded(given)
                );
                (found, format!("leave {interval} out, or correct the time of a frame in the file"))
            })
        };
        let half_named = || {
            let (axis, unit, other) = self.half_named.as_ref()?;
            let is_said = options.length_unit.as_deref().is_some_and(|given| unit::is_same(given, unit));
            (!is_said).then(|| {
                let found = format!(
                    "gives {} in {} and {} without a unit: lengths of several units cannot be added up",
                    quoted(axis),
                    quoted(unit),
                    quoted(other)
                );
                let option = face.option("length-unit");
                (found, format!("name other columns, or, if all are in that unit, say so by {option}"))
            })
        };
        match length.or_else(half_named).or_else(of_frames).or_else(time).or_else(other_interval) {
            Some((found, remedy)) => Err(DataError::new(DataErrorKind::Value, path, found, remedy)),
            None => Ok(()),
        }
    }

    /// Notes places where many tracks are at once: programs write one for cells that they lost.
    fn note_one_point(&mut self) {
        const MANY: usize = 3;
        let mut at: HashMap<[u64; 4], (usize, Point, bool)> = HashMap::new();
        // −0 is 0.
        let bits = |value: f64| (value + 0.0).to_bits();
        let mut last = None;
        for point in &self.points {
            let [x, y, z] = point.position.map(bits);
            let crowd = at.entry([bits(point.time), x, y, z]).or_insert((0, *point, false));
            crowd.0 += 1;
            crowd.2 |= last == Some(point.track);
            last = Some(point.track);
        }
        // Where all tracks begin, as those that were moved to one start do, nothing was lost.
        let crowds = at.into_values().filter(|(count, _, later)| *count >= MANY && *later);
        let mut crowds: Vec<(usize, Point)> = crowds.map(|(count, point, _)| (count, point)).collect();
        crowds
            .sort_by(|a, b| b.0.cmp(&a.0).then(a.1.time.total_cmp(&b.1.time)).then(a.1.line.cmp(&b.1.line)));
        let Some(&(count, most)) = crowds.first() else { return };
        let place: Vec<String> =
            most.position.iter().take(self.dimensions.max(2)).map(|v| rounded(*v).to_string()).collect();
        let word = if self.frames { "frame" } else { "time" };
        let more = match crowds.len() - 1 {
            0 => String::new(),
            n => format!(", and so at {n} more times or places"),
        };
        let note = format!(
            "{count} tracks are at the same point ({}) at {word} {}{more}: if it stands for lost cells, leave these \
             lines out",
            place.join(", "),
            rounded(most.time)
        );
        self.notes.insert(0, note);
    }

    fn check_duplicates(&self, path: &Path, face: Face) -> Result<(), DataError> {
        let twice = self.points.windows(2).find(|w| w[0].track == w[1].track && w[1].time <= w[0].time);
        let Some(&[a, b]) = twice.and_then(|w| <&[Point; 2]>::try_from(w).ok()) else { return Ok(()) };
        let found = format!(
            "track {} has two positions at time {} ({} {} and {})",
            quoted(&self.ids[a.track]),
            rounded(a.time),
            self.line_word,
            a.line,
            b.line
        );
        let divides = "if the cell divides, export TrackMate XML, which is cut at divisions, or give the daughters \
                       ids of their own";
        let remedy = match &self.telling {
            Some(name) => format!(
                "if {} tells tracks apart, give {}; {divides}",
                quoted(name),
                face.named_column("group", name)
            ),
            None => format!("keep one of them; {divides}"),
        };
        Err(DataError::new(DataErrorKind::Value, path, found, remedy)
            .at(format!("{} {}", self.line_word, b.line)))
    }

    fn find_interval(
        &mut self,
        path: &Path,
        options: &TrackOptions,
    ) -> Result<interval::Interval, DataError> {
        let steps: Vec<Step> = self
            .points
            .windows(2)
            .filter(|w| w[0].track == w[1].track)
            .map(|w| Step { track: w[1].track, line: w[1].line, length: w[1].time - w[0].time })
            .collect();
        let (found, notes) =
            interval::find(&steps, self.frames, self.interval, options.interval).map_err(|e| {
                let (found, remedy, step) = e.in_words(&self.ids, self.line_word, options.face);
                let error = DataError::new(DataErrorKind::Value, path, found, remedy);
                match step {
                    Some(line) => error.at(format!("{} {line}", self.line_word)),
                    None => error,
                }
            })?;
        self.notes.extend(notes);
        if self.frames && self.interval.is_none() && options.interval.is_none() && self.units.time.is_none() {
            self.units.time = Some("frame".to_owned());
        }
        Ok(found)
    }

    fn note_gaps(&mut self, tracks: &[Track]) {
        let with_gaps = tracks.iter().filter(|t| t.missing_frames() > 0).count();
        if with_gaps == 0 {
            return;
        }
        let missing: u64 = tracks.iter().map(|t| u64::from(t.missing_frames())).sum();
        self.notes.push(format!(
            "{with_gaps} of {} tracks have gaps, {missing} frames in all; sub-tracks across a gap count at the time \
             they span",
            tracks.len()
        ));
        // A track whose every step is the same several intervals was filmed at another rate.
        let slower = |t: &&Track| {
            let step = t.frames()[1] - t.frames()[0];
            t.len() >= 4 && step > 1 && t.frames().windows(2).all(|w| w[1] - w[0] == step)
        };
        let slow = tracks.iter().filter(slower).count();
        if slow > 0 {
            self.notes.push(format!(
                "{slow} tracks have a longer interval throughout, as if filmed at a slower rate: they count only at \
                 multiples of it"
            ));
        }
    }

    /// 2 if z never changes, else 3; a constant z is set to 0.
    fn flatten(&mut self, tracks: &mut [Track]) -> usize {
        if self.dimensions < 3 {
            return 2;
        }
        let first = tracks[0].positions()[0][2];
        let constant = tracks
            .iter()
            .flat_map(Track::positions)
            .all(|p| p[2].total_cmp(&first) == std::cmp::Ordering::Equal);
        if !constant {
            return 3;
        }
        self.notes.push("z is the same everywhere: the tracks were read as 2-D".to_owned());
        for track in tracks {
            track.drop_z();
        }
        2
    }
}

/// A track of points sorted by time; frames are counted step by step, so that small errors do not add up.
fn track_of(id: &str, points: &[Point], interval: f64, scale: f64, path: &Path) -> Result<Track, DataError> {
    let mut frames = Vec::with_capacity(points.len());
    let mut frame = 0.0f64;
    frames.push(0);
    for pair in points.windows(2) {
        frame += ((pair[1].time - pair[0].time) * scale / interval).round().max(1.0);
        if frame > f64::from(u32::MAX / 2) {
            let found = format!("track {} spans more than {} intervals", quoted(id), u32::MAX / 2);
            return Err(DataError::new(
                DataErrorKind::Value,
                path,
                found,
                "check the times and the interval",
            ));
        }
        frames.push(frame as u32);
    }
    let positions = points.iter().map(|p| p.position).collect();
    Track::new(id, points[0].time * scale, frames, positions).map_err(|e| {
        DataError::new(DataErrorKind::Value, path, e.to_string(), "check how the tracks were exported")
    })
}
