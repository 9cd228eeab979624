//! Says everything that a fit's course depends on, as readable pairs, so that a checkpoint of another fit is refused.

use serde::Serialize;

use crate::checkpoint::{self, Identity};
use crate::maps::Maps;
use crate::objective::Unknown;

/// Settings, maps and start as readable pairs. The number of steps is left out where it only says when to stop, so
/// that a finished fit can be carried on.
pub(crate) fn identity_of(
    settings: &impl Serialize,
    may_grow: bool,
    maps: &Maps,
    start: &[f64],
    others: &Identity,
) -> Identity {
    let mut identity = vec![("version".to_string(), env!("CARGO_PKG_VERSION").to_string())];
    identity.extend(others.iter().cloned());
    let mut settings = serde_json::to_value(settings).unwrap_or_default();
    if may_grow {
        settings["stopping"]["steps"] = serde_json::Value::Null;
    }
    checkpoint::flatten("", &settings, &mut identity);
    let mut first = 0;
    for (unknown, map) in maps.unknowns() {
        let Unknown { name, interval, .. } = unknown;
        let values = &start[first..first + unknown.len()];
        first += unknown.len();
        let text = if unknown.is_scalar() { format!("{:?}", values[0]) } else { checkpoint::digest(values) };
        identity.push((format!("start of {name}"), text));
        identity.push((format!("interval of {name}"), interval.to_string()));
        identity.push((format!("map of {name}"), map.name().to_string()));
    }
    identity
}
