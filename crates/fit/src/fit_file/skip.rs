//! Tells the TOML writer what need not be written.

use std::collections::BTreeMap;

use serde::ser::{SerializeMap, Serializer};

use super::data::Frames;
use glauber_optimize::schedule::Schedule;

pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

pub(super) fn is_nothing(share: &f64) -> bool {
    *share <= 0.0
}

pub(super) fn is_constant(schedule: &Schedule) -> bool {
    *schedule == Schedule::Constant
}

pub(super) fn no_frames(frames: &Frames) -> bool {
    *frames == Frames::default()
}

/// One value as a number, several as a list.
pub(super) fn one_or_list<S: Serializer>(
    values: &BTreeMap<String, Vec<f64>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(values.len()))?;
    for (name, list) in values {
        match list[..] {
            [one] => map.serialize_entry(name, &one)?,
            _ => map.serialize_entry(name, list)?,
        }
    }
    map.end()
}
