//! Holds the points of a file on their way to tracks, with what the file says about them.

use super::options::TrackOptions;
use super::track::Units;
use crate::{DataError, DataErrorKind};
use std::collections::HashMap;
use std::path::Path;

/// One position as a reader found it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// Index of the track.
    pub(super) track: usize,
    pub(super) time: f64,
    pub(super) position: [f64; 3],
    /// Line of a text, row of an array.
    pub(super) line: u64,
}

/// All points of a file, with what the file says about them.
#[derive(Debug, Default)]
pub(super) struct Points {
    pub(super) ids: Vec<String>,
    pub(super) points: Vec<Point>,
    pub(super) by_id: HashMap<String, usize>,
    /// Whether times count frames; `interval` is then the time of a frame, if the file says.
    pub(super) frames: bool,
    pub(super) interval: Option<f64>,
    /// Whether the file has a place for the time of a frame, and does not say it there.
    pub(super) interval_missing: bool,
    pub(super) units: Units,
    /// An axis whose unit the header names, with that unit, and one of which nothing says any.
    pub(super) half_named: Option<(String, String, String)>,
    pub(super) dimensions: usize,
    pub(super) notes: Vec<String>,
    /// What was read from which column of a table.
    pub(super) columns: Vec<(&'static str, String)>,
    /// Columns that are called like times and positions too, but were not read.
    pub(super) unread: Vec<String>,
    /// Columns that may keep tracks apart, and one that tells two positions at one time apart but was not read.
    pub(super) groups: Groups,
    pub(super) telling: Option<String>,
    /// What `line` counts: "line" or "row".
    pub(super) line_word: &'static str,
}

impl Points {
    /// The index of a track by its id, a new one if it is new.
    pub(super) fn track(&mut self, id: &str) -> usize {
        if let Some(&index) = self.by_id.get(id) {
            return index;
        }
        self.by_id.insert(id.to_owned(), self.ids.len());
        self.ids.push(id.to_owned());
        self.ids.len() - 1
    }

    /// Adds a point, within the limit.
    pub(super) fn push(
        &mut self,
        point: Point,
        path: &Path,
        options: &TrackOptions,
    ) -> Result<(), DataError> {
        if self.points.len() >= options.limits.points {
            let found = format!("holds more than {} points", options.limits.points);
            let remedy = "read a part of it, or raise the limit";
            return Err(DataError::new(DataErrorKind::TooLarge, path, found, remedy));
        }
        self.points.push(point);
        Ok(())
    }
}

/// A column that is not read as track, time or position, as numbers of its values.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) at: usize,
    pub(super) known: bool,
    pub(super) values: Vec<String>,
    pub(super) numbers: HashMap<String, u32>,
    /// Of every point.
    pub(super) of_point: Vec<u32>,
}

/// The columns that may keep tracks apart.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Whether a person named the only one.
    pub(super) asked: bool,
    pub(super) all: Vec<Group>,
}

impl Groups {
    /// Takes the values of a point that was added.
    pub(super) fn take(&mut self, value: impl Fn(usize) -> String) {
        for group in &mut self.all {
            let value = value(group.at);
            let new = group.values.len() as u32;
            let number = *group.numbers.entry(value).or_insert_with_key(|value| {
                group.values.push(value.clone());
                new
            });
            group.of_point.push(number);
        }
        // A measurement has nearly as many values as there are points.
        let asked = self.asked;
        self.all.retain(|g| asked || g.of_point.len() < 200 || g.values.len() <= g.of_point.len() / 2);
    }

    /// Leaves out points that are left out.
    pub(super) fn retain(&mut self, kept: &[bool]) {
        for group in &mut self.all {
            let mut kept = kept.iter();
            group.of_point.retain(|_| kept.next().copied().unwrap_or(true));
        }
    }
}
