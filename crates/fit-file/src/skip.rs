//! Tells the TOML writer what need not be written.

use std::collections::BTreeMap;

use serde::ser::{SerializeMap, Serializer};

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

/// A seed as a number; as a text where TOML's whole numbers, which end at 2⁶³ − 1, have no room for it.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
pub(super) fn seed<S: Serializer>(seed: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(*seed) {
        Ok(seed) => serializer.serialize_i64(seed),
        Err(_) => serializer.serialize_str(&seed.to_string()),
    }
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
