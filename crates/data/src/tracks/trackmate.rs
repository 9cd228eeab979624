//! Reads TrackMate's XML in both dialects: the full model that *Save* writes and the simple tracks of *Export*.
//!
//! Full model: `<AllSpots>` holds spots with ID, FRAME, POSITION_X … POSITION_T; `<AllTracks>` holds tracks as links
//! (`<Edge>`) between spots; `<FilteredTracks>` names those that are shown, and only they are read. Tracks that divide
//! or merge are cut into segments without branches (see `links`). The time of a frame is the slope of POSITION_T
//! over FRAME, else the image's `timeinterval`.
//!
//! Simple tracks: `<Tracks frameInterval=… spaceUnits=… timeUnits=…>` holds `<particle>`s of
//! `<detection t= x= y= z=/>`, where t counts frames.
//!
//! Reference: Tinevez et al., TrackMate, Methods 115 (2017), and files of TrackMate 7.
//! A document type declaration is refused: it could define entities that expand without bound or read other files.

use super::links::{SameFrame, cut};
use super::options::{TrackFormat, TrackOptions};
use super::points::{Point, Points};
use super::track::Tracks;
use crate::tables::read_text;
use crate::{DataError, DataErrorKind};
use glauber_files::error::quoted;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;

/// A spot of the full model.
#[derive(Clone, Copy, Debug)]
struct Spot {
    frame: f64,
    time: Option<f64>,
    position: [f64; 3],
    line: u64,
}

/// A track of the full model: links between spots.
#[derive(Debug, Default)]
struct Linked {
    name: String,
    id: String,
    links: Vec<(u64, u64)>,
    line: u64,
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Document {
    root: Option<String>,
    points: Points,
    // The full model.
    spots: HashMap<u64, Spot>,
    tracks: Vec<Linked>,
    shown: Option<HashSet<String>>,
    time_interval: Option<f64>,
    // Simple tracks.
    particles: usize,
    particle: Option<usize>,
}

/// XML, in UTF-16 too.
pub(super) const TRACKMATE: TrackFormat = TrackFormat {
    name: "trackmate",
    begins: Some(|start| match start {
        [0xFF, 0xFE, b'<', ..] | [0xFE, 0xFF, 0, b'<', ..] => true,
        _ => start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start().starts_with(b"<"),
    }),
    table: false,
    read,
};

/// Reads TrackMate XML.
fn read(file: File, length: u64, path: &Path, options: &TrackOptions) -> Result<Tracks, DataError> {
    let (text, note) = read_text(file, length.min(options.limits.bytes), path, "save it as XML in UTF-8")?;
    let text = text.as_str();
    let mut source = Source { path, options, text, reader: Reader::from_str(text), counted: (0, 1) };
    let mut document = Document::default();
    document.points.line_word = "line";
    document.points.notes.extend(note);
    let tracks = source.read(&mut document).and_then(|()| match document.root.take().as_deref() {
        Some("TrackMate") => source.full_model(&mut document),
        Some("Tracks") => source.simple_tracks(&mut document),
        Some(other) => {
            let found = format!("is XML of {}, not of TrackMate", quoted(other));
            let remedy = "export the tracks by TrackMate, or as CSV";
            Err(DataError::new(DataErrorKind::Format, path, found, remedy))
        }
        None => {
            let remedy = "export the tracks again";
            Err(DataError::new(DataErrorKind::Format, path, "has no XML element", remedy))
        }
    });
    tracks.map_err(|error| error.after(document.points.notes))
}

/// The text with the reader on it.
struct Source<'a> {
    path: &'a Path,
    options: &'a TrackOptions,
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Bytes of the text whose line feeds are counted, and the line they end in.
    counted: (usize, u64),
}

impl Source<'_> {
    /// The line the reader is at.
    fn line(&mut self) -> u64 {
        let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX).min(self.text.len());
        let (from, line) = self.counted;
        let new = &self.text.as_bytes()[from.min(at)..at];
        self.counted = (at.max(from), line + new.iter().filter(|&&b| b == b'\n').count() as u64);
        self.counted.1
    }

    fn error(&mut self, kind: DataErrorKind, found: impl Into<String>, remedy: &str) -> DataError {
        let line = self.line();
        DataError::new(kind, self.path, found, remedy).at(format!("line {line}"))
    }

    fn read(&mut self, document: &mut Document) -> Result<(), DataError> {
        let mut depth = 0usize;
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(e) => {
                    let found = format!("is not well-formed XML: {e}");
                    return Err(self.error(DataErrorKind::Format, found, "export the tracks again"));
                }
            };
            match event {
                Event::Start(element) => {
                    depth += 1;
                    self.element(&element, document)?;
                }
                Event::Empty(element) => self.element(&element, document)?,
                Event::End(element) => {
                    depth = depth.saturating_sub(1);
                    if element.name().as_ref() == "particle" {
                        document.particle = None;
                    }
                }
                Event::DocType(_) => {
                    let found = "declares a document type (DOCTYPE), which could define entities that expand \
                                 without bound or read other files";
                    return Err(self.error(DataErrorKind::Unsupported, found, "remove the declaration"));
                }
                Event::Eof if depth > 0 => {
                    let found = format!("ends with {depth} elements open");
                    let remedy = "it is cut short: fetch or export it again";
                    return Err(self.error(DataErrorKind::Truncated, found, remedy));
                }
                Event::Eof => return Ok(()),
                // Logs and outlines of cells; references in them are not resolved.
                Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::GeneralRef(_) => {}
            }
        }
    }

    fn element(&mut self, element: &BytesStart<'_>, document: &mut Document) -> Result<(), DataError> {
        let name = element.name();
        let name = name.as_ref();
        if document.root.is_none() {
            document.root = Some(name.to_owned());
        }
        match name {
            "Model" => {
                document.points.units.length = self.text_of(element, "spatialunits")?;
                document.points.units.time = self.text_of(element, "timeunits")?;
            }
            "ImageData" => document.time_interval = self.optional(element, "timeinterval")?,
            "Spot" => {
                let id = self.whole(element, "ID")?;
                let spot = Spot {
                    frame: self.number(element, "FRAME")?,
                    time: self.optional(element, "POSITION_T")?,
                    position: self.position(element, ["POSITION_X", "POSITION_Y", "POSITION_Z"])?,
                    line: self.line(),
                };
                if document.spots.insert(id, spot).is_some() {
                    let found = format!("has two spots of ID {id}");
                    return Err(self.error(DataErrorKind::Value, found, "export the tracks again"));
                }
                self.check_count(document.spots.len())?;
            }
            "Track" => {
                let id = self.text_of(element, "TRACK_ID")?.unwrap_or_default();
                let name = self.text_of(element, "name")?.unwrap_or_else(|| id.clone());
                document.tracks.push(Linked { name, id, links: Vec::new(), line: self.line() });
            }
            "Edge" => {
                let link = (self.whole(element, "SPOT_SOURCE_ID")?, self.whole(element, "SPOT_TARGET_ID")?);
                match document.tracks.last_mut() {
                    Some(track) => track.links.push(link),
                    None => {
                        let found = "has a link outside of any track";
                        return Err(self.error(DataErrorKind::Format, found, "export the tracks again"));
                    }
                }
            }
            "FilteredTracks" => document.shown = Some(HashSet::new()),
            "TrackID" => {
                if let (Some(shown), Some(id)) = (&mut document.shown, self.text_of(element, "TRACK_ID")?) {
                    shown.insert(id);
                }
            }
            "Tracks" => {
                document.points.units.length = self.text_of(element, "spaceUnits")?;
                document.points.units.time = self.text_of(element, "timeUnits")?;
                document.points.interval = self.optional(element, "frameInterval")?;
            }
            "particle" => {
                document.particle = Some(document.points.track(&document.particles.to_string()));
                document.particles += 1;
            }
            "detection" => self.detection(element, document)?,
            _ => {}
        }
        Ok(())
    }

    fn detection(&mut self, element: &BytesStart<'_>, document: &mut Document) -> Result<(), DataError> {
        let Some(track) = document.particle else {
            let found = "has a detection outside of any particle";
            return Err(self.error(DataErrorKind::Format, found, "export the tracks again"));
        };
        let time = self.number(element, "t")?;
        let position = self.position(element, ["x", "y", "z"])?;
        let point = Point { track, time, position, line: self.line() };
        document.points.push(point, self.path, self.options)
    }

    fn check_count(&mut self, count: usize) -> Result<(), DataError> {
        let most = self.options.limits.points;
        if count <= most {
            return Ok(());
        }
        let found = format!("holds more than {most} spots");
        Err(self.error(DataErrorKind::TooLarge, found, "read a part of it, or raise the limit"))
    }

    /// An attribute as text; none if it is not there.
    fn text_of(&mut self, element: &BytesStart<'_>, name: &str) -> Result<Option<String>, DataError> {
        let value = match element.try_get_attribute(name) {
            Ok(None) => return Ok(None),
            Ok(Some(attribute)) => {
                attribute.normalized_value(XmlVersion::Implicit1_0).map(|v| v.into_owned())
            }
            Err(e) => Err(e.into()),
        };
        value.map(Some).map_err(|e| {
            let found = format!("the attribute {name} cannot be read: {e}");
            self.error(DataErrorKind::Format, found, "export the tracks again")
        })
    }

    /// An attribute as a finite number; none if it is not there or says NaN.
    fn optional(&mut self, element: &BytesStart<'_>, name: &str) -> Result<Option<f64>, DataError> {
        let Some(text) = self.text_of(element, name)? else { return Ok(None) };
        match text.trim().parse::<f64>() {
            Ok(value) => Ok(value.is_finite().then_some(value)),
            Err(_) => {
                let found = format!(
                    "the attribute {name} of <{}> is {}, not a number",
                    element_name(element),
                    quoted(&text)
                );
                Err(self.error(DataErrorKind::Value, found, "export the tracks again"))
            }
        }
    }

    fn number(&mut self, element: &BytesStart<'_>, name: &str) -> Result<f64, DataError> {
        match self.optional(element, name)? {
            Some(value) => Ok(value),
            None => {
                let found = format!("<{}> has no finite {name}", element_name(element));
                Err(self.error(DataErrorKind::Value, found, "export the tracks again, or remove that spot"))
            }
        }
    }

    fn whole(&mut self, element: &BytesStart<'_>, name: &str) -> Result<u64, DataError> {
        match self.text_of(element, name)?.map(|t| t.trim().parse::<u64>()) {
            Some(Ok(id)) => Ok(id),
            _ => {
                let found = format!("<{}> has no whole number {name}", element_name(element));
                Err(self.error(DataErrorKind::Value, found, "export the tracks again"))
            }
        }
    }

    /// A position; z may be missing.
    fn position(&mut self, element: &BytesStart<'_>, names: [&str; 3]) -> Result<[f64; 3], DataError> {
        Ok([
            self.number(element, names[0])?,
            self.number(element, names[1])?,
            self.optional(element, names[2])?.unwrap_or(0.0),
        ])
    }

    fn simple_tracks(self, document: &mut Document) -> Result<Tracks, DataError> {
        let points = &mut document.points;
        points.dimensions = 3;
        points.frames = points.points.iter().all(|p| p.time.fract().abs() <= 0.0);
        if !points.frames {
            points.interval = None;
            points
                .notes
                .push("t is not a whole number everywhere: it was taken for time, not for frames".into());
        }
        points.interval_missing = points.frames && points.interval.is_none();
        std::mem::take(&mut document.points).assemble(self.path, self.options)
    }

    fn full_model(self, document: &mut Document) -> Result<Tracks, DataError> {
        let points = &mut document.points;
        points.dimensions = 3;
        points.frames = true;
        points.interval = time_of_a_frame(&document.spots).or(document.time_interval.filter(|&i| i > 0.0));
        points.interval_missing = points.interval.is_none();
        let all = document.tracks.len();
        if let Some(shown) = &document.shown {
            document.tracks.retain(|t| shown.contains(&t.id));
            let hidden = all - document.tracks.len();
            if hidden > 0 {
                points.notes.push(format!("{hidden} tracks that TrackMate's filters hide were left out"));
            }
        }
        let mut names = HashSet::new();
        let (mut divisions, mut merges, mut cut_tracks, mut pieces, mut linked) = (0, 0, 0, 0, 0);
        for track in &document.tracks {
            let segments = self.segments(track, &document.spots)?;
            divisions += segments.divisions;
            merges += segments.merges;
            let many = segments.segments.len() > 1;
            // Names need not differ in the file.
            let mut name = track.name.clone();
            while !names.insert(name.clone()) {
                name.push('\'');
            }
            if many {
                cut_tracks += 1;
                pieces += segments.segments.len();
            }
            for (number, segment) in (1..).zip(&segments.segments) {
                linked += segment.len();
                let name = if many { format!("{name}/{number}") } else { name.clone() };
                let index = points.track(&name);
                for spot in segment.iter().filter_map(|id| document.spots.get(id)) {
                    let point =
                        Point { track: index, time: spot.frame, position: spot.position, line: spot.line };
                    points.push(point, self.path, self.options)?;
                }
            }
        }
        if cut_tracks > 0 {
            points.notes.push(format!(
                "{cut_tracks} tracks with {divisions} divisions and {merges} merges were cut into {pieces} segments \
                 without branches; a daughter begins with its own first spot"
            ));
        }
        let loose = document.spots.len().saturating_sub(linked);
        if loose > 0 {
            points.notes.push(format!("{loose} spots belong to no track that was read"));
        }
        std::mem::take(&mut document.points).assemble(self.path, self.options)
    }

    fn segments(
        &self,
        track: &Linked,
        spots: &HashMap<u64, Spot>,
    ) -> Result<super::links::Segments, DataError> {
        let place = format!("line {}, track {}", track.line, quoted(&track.name));
        let refused = |found: String| {
            DataError::new(DataErrorKind::Value, self.path, found, "export the tracks again")
                .at(place.clone())
        };
        if let Some(missing) =
            track.links.iter().flat_map(|&(a, b)| [a, b]).find(|id| !spots.contains_key(id))
        {
            return Err(refused(format!("links spot {missing}, which is not among the spots")));
        }
        let frame_of = |id: u64| spots.get(&id).map_or(0.0, |s| s.frame);
        cut(&track.links, frame_of)
            .map_err(|SameFrame(a, b)| refused(format!("links spots {a} and {b} of one frame")))
    }
}

fn element_name(element: &BytesStart<'_>) -> String {
    element.name().as_ref().to_owned()
}

/// The slope of POSITION_T over FRAME between the first and the last frame that have both.
fn time_of_a_frame(spots: &HashMap<u64, Spot>) -> Option<f64> {
    let timed = || spots.values().filter_map(|s| Some((s.frame, s.time?)));
    let order = |a: &(f64, f64), b: &(f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
    let (first, last) = (timed().min_by(order)?, timed().max_by(order)?);
    let slope = (last.1 - first.1) / (last.0 - first.0);
    (slope.is_finite() && slope > 0.0).then_some(slope)
}
