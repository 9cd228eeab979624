//! Finds the columns of a table of points: by name, by number, or by what programs call them.

use std::fmt;
use std::str::FromStr;

/// A column of a table, as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By its name in the header.
    Name(String),
    /// By its number, counted from 1.
    Number(usize),
}

impl FromStr for Column {
    type Err = std::convert::Infallible;

    /// Digits are a number, anything else is a name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.parse() {
            Ok(number) if text.bytes().all(|b| b.is_ascii_digit()) => Self::Number(number),
            _ => Self::Name(text.to_owned()),
        })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Number(number) => write!(f, "number {number}"),
        }
    }
}

/// Which columns hold what; those that are none are found by their names, else by the order id, t, x, y \[, z\].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Which track a point belongs to.
    pub id: Option<Column>,
    /// The time or the frame.
    pub time: Option<Column>,
    /// The position.
    pub x: Option<Column>,
    /// The position.
    pub y: Option<Column>,
    /// The position; there need be none.
    pub z: Option<Column>,
}

/// Where the columns are, counted from 0, and what the header says of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Places {
    pub(super) id: usize,
    pub(super) time: usize,
    pub(super) axes: Vec<usize>,
    /// Whether the time column counts frames.
    pub(super) frames: bool,
    pub(super) length_unit: Option<String>,
    pub(super) time_unit: Option<String>,
}

/// What programs call the columns, without case; earlier names win (TrackMate's tables have ID, the spot's, too).
const ID: &[&str] =
    &["track_id", "trackid", "track", "particle", "trajectory", "cell_id", "cellid", "cell", "id"];
const TIME: &[&str] =
    &["position_t", "t", "time", "timepoint", "time_point", "t_s", "frame", "slice", "position_frame"];
const X: &[&str] = &["position_x", "x", "pos_x", "x_position", "centroid_x", "x_um", "x_µm"];
const Y: &[&str] = &["position_y", "y", "pos_y", "y_position", "centroid_y", "y_um", "y_µm"];
const Z: &[&str] = &["position_z", "z", "pos_z", "z_position", "centroid_z", "z_um", "z_µm"];

/// Names of time columns that count frames.
const FRAMES: &[&str] = &["frame", "slice", "timepoint", "time_point", "position_frame"];

/// Finds the columns in a header. The error is what was found and what to do.
pub(super) fn find(header: &[String], wanted: &Columns) -> Result<Places, (String, String)> {
    let plain: Vec<_> = header.iter().map(|name| plain_name(name)).collect();
    let find_one = |what: &str, key: &str, wanted: &Option<Column>, known: &[&str]| match wanted {
        Some(Column::Number(0)) => {
            Err((format!("was to be read with column 0 for {what}"), "columns are counted from 1".to_owned()))
        }
        Some(Column::Number(n)) if *n <= header.len() => Ok(n - 1),
        Some(Column::Name(name)) if header.contains(name) => {
            Ok(header.iter().position(|h| h == name).unwrap_or_default())
        }
        Some(Column::Name(name)) if plain.iter().any(|(p, _)| *p == plain_name(name).0) => {
            Ok(plain.iter().position(|(p, _)| *p == plain_name(name).0).unwrap_or_default())
        }
        Some(missing) => Err((format!("has no column {missing} for {what}"), listed(header))),
        None => known.iter().find_map(|k| plain.iter().position(|(p, _)| p == k)).ok_or_else(|| {
            (format!("has no column for {what}"), format!("{}; or name it by columns.{key}", listed(header)))
        }),
    };
    let id = find_one("the track's id", "id", &wanted.id, ID)?;
    let time = find_one("the time", "time", &wanted.time, TIME)?;
    let x = find_one("the x position", "x", &wanted.x, X)?;
    let y = find_one("the y position", "y", &wanted.y, Y)?;
    let z = match find_one("the z position", "z", &wanted.z, Z) {
        Ok(z) => Some(z),
        Err(_) if wanted.z.is_none() => None,
        Err(e) => return Err(e),
    };
    let axes: Vec<_> = [x, y].into_iter().chain(z).collect();
    let mut all = [&[id, time][..], &axes[..]].concat();
    all.sort_unstable();
    if let Some(twice) = all.windows(2).find(|w| w[0] == w[1]) {
        let found = format!("was to be read with column {} for two things", twice[0] + 1);
        return Err((found, listed(header)));
    }
    Ok(Places {
        id,
        time,
        frames: FRAMES.contains(&plain[time].0.as_str()),
        length_unit: plain[x].1.clone(),
        time_unit: plain[time].1.clone(),
        axes,
    })
}

/// A name in lower case with underscores, and the unit in brackets after it.
fn plain_name(name: &str) -> (String, Option<String>) {
    let name = name.trim().trim_matches('"').trim();
    let (name, unit) = match name.find(['(', '[']) {
        Some(at) if at > 0 => (&name[..at], unit_in_brackets(&name[at..])),
        _ => (name, None),
    };
    (name.trim().to_lowercase().replace([' ', '-', '.'], "_"), unit)
}

/// The unit in `(micron)` or `[s]`.
pub(super) fn unit_in_brackets(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix(['(', '['])?.strip_suffix([')', ']'])?.trim();
    (!inner.is_empty()).then(|| inner.to_owned())
}

/// The remedy for a missing column.
fn listed(header: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut names: Vec<_> = header.iter().take(SHOWN).map(|n| glauber_files::error::quoted(n)).collect();
    if header.len() > SHOWN {
        names.push(format!("and {} more", header.len() - SHOWN));
    }
    format!("the columns are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn header(names: &str) -> Vec<String> {
        names.split(',').map(str::to_owned).collect()
    }

    fn places(names: &str) -> (usize, usize, Vec<usize>, bool) {
        let p = find(&header(names), &Columns::default()).unwrap();
        (p.id, p.time, p.axes, p.frames)
    }

    #[test]
    fn programs_names_are_known() {
        assert_eq!(places("id,t,x,y"), (0, 1, vec![2, 3], false));
        assert_eq!(places(",id,t,x,y,z"), (1, 2, vec![3, 4, 5], false));
        // TrackMate, trackpy, Imaris.
        let trackmate = "LABEL,ID,TRACK_ID,QUALITY,POSITION_X,POSITION_Y,POSITION_Z,POSITION_T,FRAME";
        assert_eq!(places(trackmate), (2, 7, vec![4, 5, 6], false));
        assert_eq!(places("y,x,mass,frame,particle"), (4, 3, vec![1, 0], true));
        assert_eq!(places("Position X,Position Y,Position Z,Time,TrackID,ID"), (4, 3, vec![0, 1, 2], false));
    }

    #[test]
    fn units_are_taken_from_the_names() {
        let p = find(&header("id,Time [min],x (µm),y (µm)"), &Columns::default()).unwrap();
        assert_eq!((p.length_unit.as_deref(), p.time_unit.as_deref()), (Some("µm"), Some("min")));
    }

    #[test]
    fn columns_can_be_named_and_numbered() {
        let wanted = Columns {
            id: Some("3".parse().unwrap()),
            x: Some("East".parse().unwrap()),
            ..Columns::default()
        };
        let p = find(&header("t,east,who,y"), &wanted).unwrap();
        assert_eq!((p.id, p.time, p.axes), (2, 0, vec![1, 3]));
        let error = |c: Columns| find(&header("t,x,y,id"), &c).unwrap_err().0;
        assert!(
            error(Columns { id: Some(Column::Number(9)), ..Columns::default() })
                .contains("no column number 9")
        );
        assert!(error(Columns { id: Some(Column::Number(0)), ..Columns::default() }).contains("column 0"));
        assert!(
            error(Columns { z: Some(Column::Name("h".into())), ..Columns::default() })
                .contains("no column `h`")
        );
        assert!(error(Columns { z: Some(Column::Number(1)), ..Columns::default() }).contains("two things"));
    }

    #[test]
    fn missing_columns_are_named_with_what_there_is() {
        let (found, remedy) = find(&header("id,t,x"), &Columns::default()).unwrap_err();
        assert_eq!(found, "has no column for the y position");
        assert_eq!(remedy, "the columns are `id`, `t`, `x`; or name it by columns.y");
    }
}
