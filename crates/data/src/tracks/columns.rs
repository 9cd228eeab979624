//! Finds the columns of a table of points: by name, by number, or by what programs call them.

use super::face::Face;
use super::unit;
use crate::tables::named_twice;
use glauber_files::error::quoted;
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

/// Which columns hold what; those that are none are found by their names.
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
    /// What tells tracks of one id apart, such as the experiment; there need be none.
    pub group: Option<Column>,
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
    /// What a person named to tell tracks of one id apart.
    pub(super) group: Option<usize>,
    /// A column that says the unit of lengths in every line.
    pub(super) unit_column: Option<usize>,
    /// An axis whose unit the header names, with that unit, and one of which it says none.
    pub(super) half_named: Option<(String, String, String)>,
}

/// What programs call the columns, without case; earlier names win (TrackMate's tables have ID, the spot's, too).
const ID: &[&str] = &[
    "track_id",
    "trackid",
    "track",
    "tid",
    "particle",
    "particle_id",
    "trajectory",
    "trajectory_id",
    "cell_id",
    "cellid",
    "cell",
    "object_id",
    "agent_id",
    "pedestrian",
    "person",
    "id",
];
const TIME: &[&str] = &[
    "position_t",
    "t",
    "time",
    "timepoint",
    "time_point",
    "t_s",
    "frame",
    "slice",
    "position_frame",
    "frame_id",
    "time_index",
    "time_step",
    "timestep",
];
const X: &[&str] = &["position_x", "x", "pos_x", "x_position", "centroid_x", "x_coord", "location_center_x"];
const Y: &[&str] = &["position_y", "y", "pos_y", "y_position", "centroid_y", "y_coord", "location_center_y"];
const Z: &[&str] = &["position_z", "z", "pos_z", "z_position", "centroid_z", "z_coord", "location_center_z"];

/// Words in the names of columns that may be a third axis, which nobody reads unless asked to.
const LIKE_Z: &[&str] = &[
    "slice",
    "plane",
    "layer",
    "depth",
    "axial",
    "height",
    "altitude",
    "elevation",
    "pos",
    "position",
    "coord",
    "coordinate",
    "index",
    "level",
    "stack",
];

/// How many of these words are a third axis without a z before them.
const LIKE_Z_ALONE: usize = 8;

/// Names of time columns that count frames.
const FRAMES: &[&str] = &[
    "frame",
    "slice",
    "timepoint",
    "time_point",
    "position_frame",
    "frame_id",
    "time_index",
    "time_step",
    "timestep",
];

/// Units that names of columns end in, as `x_um`, and that lines of units hold.
const UNITS: &[&str] = &[
    "um",
    "µm",
    "μm",
    "micron",
    "microns",
    "micrometer",
    "micrometers",
    "nm",
    "mm",
    "cm",
    "m",
    "px",
    "pix",
    "pixel",
    "pixels",
    "s",
    "sec",
    "secs",
    "second",
    "seconds",
    "ms",
    "min",
    "mins",
    "minute",
    "minutes",
    "h",
    "hr",
    "hrs",
    "hour",
    "hours",
    "d",
    "day",
    "days",
    "frame",
    "frames",
];

/// Whether a text is a unit of length or time.
pub(super) fn is_unit(text: &str) -> bool {
    UNITS.contains(&text.trim().to_lowercase().as_str())
}

/// Finds the columns in a header. The error is what was found and what to do, in the words of a face.
pub(super) fn find(header: &[String], wanted: &Columns, face: Face) -> Result<Places, (String, String)> {
    let plain: Vec<_> = header.iter().map(|name| PlainName::of(name)).collect();
    let find_one = |what: &str, key: &str, wanted: &Option<Column>, known: &[&str]| match wanted {
        Some(Column::Number(0)) => {
            Err((format!("was to be read with column 0 for {what}"), "columns are counted from 1".to_owned()))
        }
        Some(Column::Number(n)) if *n <= header.len() => Ok(n - 1),
        Some(Column::Name(name)) if header.contains(name) => {
            Ok(header.iter().position(|h| h == name).unwrap_or_default())
        }
        Some(Column::Name(name)) if plain.iter().any(|p| p.name == PlainName::of(name).name) => {
            Ok(plain.iter().position(|p| p.name == PlainName::of(name).name).unwrap_or_default())
        }
        Some(missing) => Err((format!("has no column {missing} for {what}"), listed(header))),
        None => place_of(&plain, known, key != "id").ok_or_else(|| {
            let remedy = format!("{}; or name it by {}", listed(header), face.column(key));
            (format!("has no column for {what}"), remedy)
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
    let group = match &wanted.group {
        Some(_) => Some(find_one("what tells tracks apart", "group", &wanted.group, &[])?),
        None => None,
    };
    // A z nobody asked for is none where its column was asked for as something else.
    let z = z.filter(|z| wanted.z.is_some() || ![id, time, x, y].contains(z));
    let axes: Vec<_> = [x, y].into_iter().chain(z).collect();
    let mut all = [&[id, time][..], &axes[..]].concat();
    let by_number = [&wanted.id, &wanted.time, &wanted.x, &wanted.y, &wanted.z];
    for ((at, wanted), key) in all.iter().zip(by_number).zip(["id", "time", "x", "y", "z"]) {
        let given = matches!(wanted, Some(Column::Number(_)));
        if let Some(second) = named_twice(header, *at).filter(|_| !given) {
            let found = format!(
                "has two columns called {}, the {} and the {} of its columns",
                quoted(&header[*at]),
                at + 1,
                second + 1
            );
            return Err((
                found,
                format!(
                    "rename one of them, or say by its number which is meant, as {}",
                    face.numbered_column(key, at + 1)
                ),
            ));
        }
    }
    all.extend(group);
    all.sort_unstable();
    if let Some(twice) = all.windows(2).find(|w| w[0] == w[1]) {
        let found = format!("was to be read with column {} for two things", twice[0] + 1);
        return Err((found, listed(header)));
    }
    let units: Vec<&String> = axes.iter().filter_map(|axis| plain[*axis].unit.as_ref()).collect();
    if let Some(other) = units.iter().find(|unit| !unit::is_same(unit, units[0])) {
        let found = format!("has positions in `{}` and in `{other}`, which cannot be added up", units[0]);
        return Err((found, "give every axis in one unit, or name other columns".to_owned()));
    }
    let own_unit = |axis: &usize| plain[*axis].unit.clone().filter(|unit| is_unit(unit));
    let named = axes.iter().find_map(|axis| Some((header[*axis].clone(), own_unit(axis)?)));
    let unnamed = axes.iter().find(|axis| plain[**axis].unit.is_none()).map(|axis| header[*axis].clone());
    let unit_of_time = plain[time].unit.clone();
    let counts_frames = unit_of_time.as_deref().is_some_and(|u| u.to_lowercase().starts_with("frame"));
    Ok(Places {
        id,
        time,
        frames: counts_frames || (unit_of_time.is_none() && FRAMES.contains(&plain[time].base.as_str())),
        length_unit: plain[x].unit.clone(),
        half_named: named.zip(unnamed).map(|((axis, unit), other)| (axis, unit, other)),
        time_unit: unit_of_time.filter(|_| !counts_frames),
        group,
        unit_column: plain.iter().position(|p| p.name == "unit"),
        axes,
    })
}

impl Places {
    /// What was read from which column.
    pub(super) fn said(&self, names: &[String]) -> Vec<(&'static str, String)> {
        let places = [("track", self.id), ("time", self.time)].into_iter();
        let places = places.chain(["x", "y", "z"].into_iter().zip(self.axes.iter().copied()));
        places.map(|(what, at)| (what, names.get(at).cloned().unwrap_or_default())).collect()
    }

    fn reads(&self, at: usize) -> bool {
        [self.id, self.time].contains(&at) || self.axes.contains(&at)
    }

    /// Columns that are called like times and positions too, but were not read.
    pub(super) fn unread(&self, names: &[String]) -> Vec<String> {
        let unread =
            |at: &usize| !self.reads(*at) && (is_place_or_time(&names[*at]) || is_like_z(&names[*at]));
        (0..names.len()).filter(unread).map(|at| names[at].clone()).collect()
    }

    /// Whether a column may tell tracks of one id apart.
    pub(super) fn may_group(&self, names: &[String], at: usize) -> bool {
        !self.reads(at)
            && self.unit_column != Some(at)
            && !names[at].is_empty()
            && !is_place_or_time(&names[at])
    }
}

/// Whether a column is called like a time or position.
fn is_place_or_time(name: &str) -> bool {
    let known = |name: &str| [TIME, X, Y, Z].iter().any(|list| list.contains(&name));
    let plain = PlainName::of(name);
    known(&plain.name) || known(&plain.base)
}

/// Whether a column is called like a third axis in some way of one's own, as `z_slice` or `Depth`.
fn is_like_z(name: &str) -> bool {
    // `z_slice`, `Depth`, `zpos`, `ZM`.
    let alone = |word: &str| LIKE_Z[..LIKE_Z_ALONE].contains(&word);
    let behind_z = |rest: &str| rest.is_empty() || UNITS.contains(&rest) || LIKE_Z.contains(&rest);
    PlainName::of(name)
        .name
        .split('_')
        .any(|word| alone(word) || word.strip_prefix('z').is_some_and(behind_z))
}

/// The first of the known names that a column has, before those it has but for `n°` or a unit at its end.
fn place_of(plain: &[PlainName], known: &[&str], units: bool) -> Option<usize> {
    let whole = known.iter().find_map(|k| plain.iter().position(|p| p.name == *k));
    let ends = |p: &PlainName, k: &str| p.base == k && (units || p.unit.is_none());
    whole.or_else(|| known.iter().find_map(|k| plain.iter().position(|p| ends(p, k))))
}

/// A column's name without what programs add to it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PlainName {
    /// In lower case, with underscores, without a unit in brackets.
    name: String,
    /// The same without `_um` and the like, and without `n°`.
    base: String,
    /// The unit in brackets, or at the end of the name.
    unit: Option<String>,
}

impl PlainName {
    fn of(name: &str) -> Self {
        let name = name.trim().trim_matches('"').trim();
        let (name, bracketed) = match name.find(['(', '[', '/']) {
            Some(at) if at > 0 && name[at..].starts_with('/') => {
                // x/um
                let unit = name[at + 1..].trim();
                if is_unit(unit) { (&name[..at], Some(unit.to_owned())) } else { (name, None) }
            }
            Some(at) if at > 0 => (&name[..at], unit_in_brackets(&name[at..])),
            // `minutes` are minutes.
            _ => (name, Some(name.to_owned()).filter(|name| is_unit(name) && name.len() > 1)),
        };
        let name = name.trim().to_lowercase().replace([' ', '-', '.'], "_");
        // ImageJ's Manual Tracking writes `Track n°`.
        let bare = name.trim_end_matches(['°', 'º', '#', '\u{FFFD}', '_']);
        let numbered = ["_n", "_nr", "_no", "_number"].iter().find_map(|end| bare.strip_suffix(end));
        let bare = numbered.unwrap_or(bare);
        match bare.rsplit_once('_').filter(|(_, end)| UNITS.contains(end)) {
            Some((base, unit)) if bracketed.is_none() => {
                Self { base: base.to_owned(), unit: Some(unit.to_owned()), name }
            }
            _ => Self { base: bare.to_owned(), unit: bracketed, name },
        }
    }
}

/// The unit in `(micron)` or `[s]`.
pub(super) fn unit_in_brackets(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix(['(', '['])?.strip_suffix([')', ']'])?.trim();
    (!inner.is_empty()).then(|| inner.to_owned())
}

/// The remedy for a missing column.
fn listed(header: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut names: Vec<_> = header.iter().take(SHOWN).map(|n| quoted(n)).collect();
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
        let p = find(&header(names), &Columns::default(), Face::FitFile).unwrap();
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
        let p = find(&header("id,Time [min],x (µm),y (µm)"), &Columns::default(), Face::FitFile).unwrap();
        assert_eq!((p.length_unit.as_deref(), p.time_unit.as_deref()), (Some("µm"), Some("min")));
    }

    #[test]
    fn columns_can_be_named_and_numbered() {
        let wanted = Columns {
            id: Some("3".parse().unwrap()),
            x: Some("East".parse().unwrap()),
            ..Columns::default()
        };
        let p = find(&header("t,east,who,y"), &wanted, Face::FitFile).unwrap();
        assert_eq!((p.id, p.time, p.axes), (2, 0, vec![1, 3]));
        let error = |c: Columns| find(&header("t,x,y,id"), &c, Face::FitFile).unwrap_err().0;
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
        let (found, remedy) = find(&header("id,t,x"), &Columns::default(), Face::FitFile).unwrap_err();
        assert_eq!(found, "has no column for the y position");
        assert_eq!(remedy, "the columns are `id`, `t`, `x`; or name it by `data.columns.y`");
    }
    #[test]
    fn units_at_the_end_of_names_are_units() {
        let p = find(&header("cell_id,time_min,x_um,y_um"), &Columns::default(), Face::FitFile).unwrap();
        assert_eq!((p.length_unit.as_deref(), p.time_unit.as_deref()), (Some("um"), Some("min")));
        assert!(!p.frames);
        // ImageJ's Manual Tracking and MTrackJ.
        assert_eq!(places(",Track n°,Slice n°,X,Y,Distance"), (1, 2, vec![3, 4], true));
        assert_eq!(places("Nr,TID,PID,x [pixel],y [pixel],t [frame]"), (1, 5, vec![3, 4], true));
    }

    #[test]
    fn what_was_read_is_said_with_what_was_not() {
        let names = header("track_id,frame,x,y,x_um,y_um,time_min,intensity");
        let p = find(&names, &Columns::default(), Face::FitFile).unwrap();
        let said: Vec<_> = p.said(&names).into_iter().map(|(_, name)| name).collect();
        assert_eq!(said, ["track_id", "frame", "x", "y"]);
        assert_eq!(p.unread(&names), ["x_um", "y_um", "time_min"]);
    }
}
