//! Writes tables of tracks in every dialect and checks that what is read is what was written, or refused in words.
//!
//! The generator is a function of its seed. By default it makes 4,000 tables; `GLAUBER_FUZZ=25` makes 100,000, from
//! the same seeds on.
// What is read must be exactly what was written.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use glauber_data::tracks::{
    Bootstrap, Column, Columns, TrackOptions, mean_squared_displacement, read_tracks,
};
use std::fmt::Write as _;
use std::fs;

/// Numbers from a seed (SplitMix64).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// What was written: tracks as (id, frame, position), with the time of a frame.
#[derive(Debug)]
struct Truth {
    points: Vec<(String, u32, [f64; 3])>,
    interval: f64,
    axes: usize,
}

/// How a table is written.
#[derive(Debug)]
struct Dialect {
    separator: &'static str,
    comma: bool,
    quoted: bool,
    header: bool,
    titles: usize,
    separator_line: bool,
    units: bool,
    /// A column of row numbers in front: without a name, with an empty one.
    index: Option<bool>,
    extra: bool,
    trailing: bool,
    commented_header: bool,
    end: &'static str,
    encoding: usize,
    order: Vec<usize>,
    frames: bool,
    /// 0 rectangular; else one line is damaged.
    damage: usize,
}

/// Names of id, time, x, y, z as programs write them; those that count frames are in the second list.
const NAMES: [[&str; 5]; 6] = [
    ["id", "t", "x", "y", "z"],
    ["track_id", "time", "x", "y", "z"],
    ["TrackID", "Time", "Position X", "Position Y", "Position Z"],
    ["particle", "t [s]", "x (µm)", "y (µm)", "z (µm)"],
    ["cell_id", "time_s", "x_um", "y_um", "z_um"],
    ["Trajectory", "Time (s)", "X", "Y", "Z"],
];
const FRAME_NAMES: [[&str; 5]; 4] = [
    ["particle", "frame", "x", "y", "z"],
    ["TRACK_ID", "FRAME", "POSITION_X", "POSITION_Y", "POSITION_Z"],
    ["Track n°", "Slice n°", "X", "Y", "Z"],
    ["TID", "t [frame]", "x [pixel]", "y [pixel]", "z [pixel]"],
];

fn truth(draws: &mut Draws) -> Truth {
    let axes = 2 + draws.below(2);
    let interval = draws.of(&[1.0, 24.0, 0.5, 30.0, 0.1]);
    let mut points = Vec::new();
    for track in 0..1 + draws.below(4) {
        let id = match draws.below(3) {
            0 => format!("{track}"),
            1 => format!("cell {track}"),
            _ => format!("A{track}"),
        };
        let mut frame = draws.below(5) as u32;
        for _ in 0..2 + draws.below(6) {
            let mut position = [0.0; 3];
            for value in position.iter_mut().take(axes) {
                let size = draws.of(&[1e-6, 1.0, 1.0, 1.0, 1000.0]);
                *value = ((draws.next() % 200_001) as f64 - 100_000.0) / 1000.0 * size;
            }
            points.push((id.clone(), frame, position));
            frame += 1 + draws.below(8) as u32 / 6;
        }
    }
    Truth { points, interval, axes }
}

fn dialect(draws: &mut Draws, axes: usize) -> Dialect {
    let separator = draws.of(&[",", ",", ";", "\t", " ", "   ", "|"]);
    let quoted = draws.one_in(3);
    let mut order: Vec<usize> = (0..2 + axes).collect();
    for at in (1..order.len()).rev() {
        if draws.one_in(2) {
            order.swap(at, draws.below(at + 1));
        }
    }
    Dialect {
        separator,
        comma: draws.one_in(3) && (separator != "," || quoted),
        quoted,
        header: !draws.one_in(8),
        titles: if draws.one_in(5) { draws.below(4) } else { 0 },
        separator_line: draws.one_in(10) && separator.len() == 1,
        units: draws.one_in(6),
        index: draws.one_in(4).then(|| draws.one_in(2)),
        extra: draws.one_in(4),
        trailing: draws.one_in(6) && !separator.starts_with(' '),
        commented_header: draws.one_in(8),
        end: draws.of(&["\n", "\n", "\r\n", "\r"]),
        encoding: draws.below(6),
        order,
        frames: draws.one_in(2),
        damage: if draws.one_in(4) { 1 + draws.below(6) } else { 0 },
    }
}

fn number(value: f64, comma: bool) -> String {
    let text = if value != 0.0 && value.abs() < 1e-3 { format!("{value:e}") } else { value.to_string() };
    if comma { text.replace('.', ",") } else { text }
}

/// A field, in quotes where it must or may be.
fn field(text: &str, d: &Dialect) -> String {
    let must = text.contains(d.separator.trim()) && !d.separator.trim().is_empty()
        || (d.separator.starts_with(' ') && (text.contains(' ') || text.is_empty()))
        || (d.separator == "," && text.contains(','));
    if d.quoted || must { format!("\"{text}\"") } else { text.to_owned() }
}

fn write(truth: &Truth, d: &Dialect, draws: &mut Draws) -> String {
    let names = if d.frames { draws.of(&FRAME_NAMES) } else { draws.of(&NAMES) };
    let join = |fields: Vec<String>| {
        let fields: Vec<String> = fields.iter().map(|f| field(f, d)).collect();
        fields.join(d.separator) + if d.trailing { d.separator } else { "" }
    };
    let mut lines = Vec::new();
    if d.separator_line {
        lines.push(format!("sep={}", d.separator));
    }
    for title in 0..d.titles {
        lines.push(["", "Position", " ==== "][title % 3].to_owned());
    }
    if d.header {
        let mut fields: Vec<String> = d.order.iter().map(|&i| names[i].to_owned()).collect();
        if d.index == Some(true) {
            fields.insert(0, String::new());
        }
        if d.extra {
            fields.push("intensity".to_owned());
        }
        lines.push(if d.commented_header { format!("# {}", join(fields)) } else { join(fields) });
        if d.units && !d.commented_header && d.index != Some(false) {
            let mut fields: Vec<String> =
                d.order.iter().map(|&i| ["-", "s", "µm", "µm", "µm"][i].to_owned()).collect();
            if d.index == Some(true) {
                fields.insert(0, String::new());
            }
            if d.extra {
                fields.push("a.u.".to_owned());
            }
            lines.push(join(fields));
        }
    }
    let damaged = draws.below(truth.points.len());
    for (row, (id, frame, position)) in truth.points.iter().enumerate() {
        let time = if d.frames { f64::from(*frame) } else { f64::from(*frame) * truth.interval };
        let values = [
            id.clone(),
            number(time, d.comma),
            number(position[0], d.comma),
            number(position[1], d.comma),
            number(position[2], d.comma),
        ];
        let mut fields: Vec<String> = d.order.iter().map(|&i| values[i].clone()).collect();
        if d.index.is_some() {
            fields.insert(0, (row + 1).to_string());
        }
        if d.extra {
            fields.push((row * 7).to_string());
        }
        if d.damage > 0 && row == damaged {
            let at = draws.below(fields.len());
            match d.damage {
                1 => fields.insert(at, "1".to_owned()),
                2 => drop(fields.remove(at)),
                3 => fields[at] = "NaN".to_owned(),
                4 => fields[at] = String::new(),
                5 => fields[at] = "far".to_owned(),
                _ => fields[at] = "1,234.5".to_owned(),
            }
        }
        lines.push(join(fields));
    }
    lines.join(d.end) + d.end
}

fn encoded(text: &str, encoding: usize) -> Vec<u8> {
    match encoding {
        0 => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        1 => format!("\u{FEFF}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        2 => format!("\u{FEFF}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect(),
        3 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        _ => text.as_bytes().to_vec(),
    }
}

/// Columns by their numbers, for tables without a header.
fn numbered(d: &Dialect, axes: usize) -> Columns {
    let shift = usize::from(d.index.is_some());
    let at = |what: usize| {
        let place = d.order.iter().position(|&i| i == what).unwrap();
        Some(Column::Number(place + shift + 1))
    };
    Columns {
        id: at(0),
        time: at(1),
        x: at(2),
        y: at(3),
        z: if axes == 3 { at(4) } else { None },
        group: None,
    }
}

#[test]
fn what_was_written_is_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tracks.csv");
    let times: u64 = std::env::var("GLAUBER_FUZZ").ok().and_then(|t| t.parse().ok()).unwrap_or(1);
    let (mut read, mut refused) = (0u64, 0u64);
    for seed in 0..4000 * times {
        let mut draws = Draws(seed);
        let truth = truth(&mut draws);
        let d = dialect(&mut draws, truth.axes);
        let text = write(&truth, &d, &mut draws);
        fs::write(&path, encoded(&text, d.encoding)).unwrap();
        // A table without header, or whose header is a comment without rows' widths, is named by numbers.
        let by_number = !d.header || draws.one_in(5);
        let columns = if by_number { numbered(&d, truth.axes) } else { Columns::default() };
        let options = TrackOptions { columns, ..TrackOptions::default() };
        if !d.header {
            let error = read_tracks(&path, &TrackOptions::default()).unwrap_err();
            assert!(!error.remedy().is_empty(), "{error}");
        }
        match read_tracks(&path, &options) {
            Err(error) => {
                refused += 1;
                assert!(!error.found().is_empty() && error.to_string().len() < 2000, "{error}");
                assert!(d.damage > 0 || may_be_refused(&truth, &d), "seed {seed}: {error}\n{d:?}\n{text}");
            }
            Ok(tracks) => {
                read += 1;
                assert!(
                    d.damage == 0 || harmless(&d),
                    "seed {seed}: a damaged table was read\n{d:?}\n{text}"
                );
                if d.damage == 0 {
                    compare(&truth, &d, &tracks, &format!("seed {seed}\n{d:?}\n{text}"));
                }
                let _ = mean_squared_displacement(&tracks, 2, Bootstrap { replicates: 2, seed: 0 });
            }
        }
    }
    // Most are read, and damage is found.
    assert!(read > 2 * refused && refused > 100 * times, "{read} read, {refused} refused");
}

/// Undamaged tables that are refused by right: times have no interval that all steps agree on.
fn may_be_refused(truth: &Truth, d: &Dialect) -> bool {
    let mut steps: Vec<u32> = Vec::new();
    for pair in truth.points.windows(2).filter(|w| w[0].0 == w[1].0) {
        steps.push(pair[1].1 - pair[0].1);
    }
    let least = steps.iter().min().copied().unwrap_or(1);
    let mixed = !d.frames && steps.iter().any(|s| s % least != 0);
    // Integers beside numbers like 1,234 may be thousands.
    mixed || d.comma
}

/// Damage in a column that is not read, or that leaves a gap or a point without a track.
fn harmless(d: &Dialect) -> bool {
    d.damage >= 3
}

fn compare(truth: &Truth, d: &Dialect, tracks: &glauber_data::tracks::Tracks, about: &str) {
    let mut ids: Vec<&String> = Vec::new();
    for (id, ..) in &truth.points {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    assert_eq!(tracks.len(), ids.len(), "{about}");
    let unit = if d.frames { 1.0 } else { truth.interval };
    let least = tracks.interval() / unit;
    for (track, id) in tracks.tracks().iter().zip(ids) {
        let points: Vec<_> = truth.points.iter().filter(|(other, ..)| other == id).collect();
        assert_eq!((track.id(), track.len()), (id.as_str(), points.len()), "{about}");
        for (n, (_, frame, position)) in points.iter().enumerate() {
            let steps = f64::from(track.frames()[n]) * least;
            assert!((steps - f64::from(frame - points[0].1)).abs() < 1e-6, "{about}");
            let mut expected = *position;
            if tracks.dimensions() == 2 {
                expected[2] = 0.0;
            }
            assert_eq!(track.positions()[n], expected, "{about}");
        }
    }
}

/// Tracks of several experiments whose ids begin at 0 in each, with one more column that says which.
#[test]
fn ids_that_recur_are_never_joined_in_silence() {
    const TELLING: [&str; 10] = [
        "condition",
        "Experiment",
        "replicate",
        "movie_id",
        "FileName",
        "Position",
        "Metadata_Well",
        "FOV",
        "strain",
        "dose",
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("joined.csv");
    let times: u64 = std::env::var("GLAUBER_FUZZ").ok().and_then(|t| t.parse().ok()).unwrap_or(1);
    let mut seen = [0u64; 3];
    for seed in 0..1000 * times {
        let mut draws = Draws(seed ^ 0x61_0C);
        let (name, experiments, tracks) = (draws.of(&TELLING), 2 + draws.below(2), 1 + draws.below(3));
        // Times follow one another, overlap, or lie between one another.
        let (shift, step) = draws.of(&[(100, 1), (1000, 5), (2, 1), (0, 1), (1, 4)]);
        let by_number = draws.one_in(2);
        let mut rows = Vec::new();
        for experiment in 0..experiments {
            for track in 0..tracks {
                for frame in 0..3 + draws.below(4) {
                    let value = if by_number { experiment.to_string() } else { format!("E{experiment}") };
                    let time = experiment * shift + step * frame;
                    rows.push((time, format!("{track},{time},{},{frame},{value}", 100 * experiment + track)));
                }
            }
        }
        if draws.one_in(2) {
            rows.sort_by_key(|(time, _)| *time);
        }
        if draws.one_in(3) {
            rows.push((0, "-1,0,5,5,E0".to_owned()));
            rows.push((0, "-1,0,6,6,E0".to_owned()));
        }
        let lines: Vec<String> = rows.into_iter().map(|(_, line)| line).collect();
        let text = format!("id,t,x,y,{name}\n{}\n", lines.join("\n"));
        fs::write(&path, &text).unwrap();
        let about = format!("seed {seed}\n{text}");
        match read_tracks(&path, &TrackOptions::default()) {
            Ok(read) if read.len() == tracks * experiments => {
                seen[0] += 1;
                assert!(
                    read.notes()[0].contains(name) && read.notes()[0].contains("kept them apart"),
                    "{about}"
                );
                // Every step of a track is its own: y goes up by one, x stays.
                for track in read.tracks() {
                    assert!(track.positions().windows(2).all(|w| w[1][0] == w[0][0]), "{about}");
                }
            }
            Ok(read) => {
                seen[1] += 1;
                assert_eq!(read.len(), tracks, "{about}");
                assert!(read.notes()[0].contains(name) && read.notes()[0].contains("group"), "{about}");
            }
            Err(error) => {
                seen[2] += 1;
                assert!(error.to_string().contains(name), "{error}\n{about}");
            }
        }
        // At the user's word they are apart.
        let columns = Columns { group: Some(Column::Name(name.to_owned())), ..Columns::default() };
        let read = read_tracks(&path, &TrackOptions { columns, ..TrackOptions::default() }).unwrap();
        assert_eq!(read.len(), tracks * experiments, "{about}");
    }
    assert!(seen.iter().all(|count| *count > 20 * times), "{seen:?}");
}

#[test]
fn lines_of_any_shape_never_panic() {
    const PIECES: [&str; 24] = [
        "id", "t", "x", "y", "frame", "track", ",", ";", "\t", " ", "\n", "\r", "\"", "1", "2.5", "3,5", "-",
        "NaN", "#", "sep=", "=", "µ", "1e999", "0x1",
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pieces.csv");
    let times: u64 = std::env::var("GLAUBER_FUZZ").ok().and_then(|t| t.parse().ok()).unwrap_or(1);
    for seed in 0..2000 * times {
        let mut draws = Draws(seed ^ 0xABCD);
        let mut text = String::new();
        if draws.one_in(2) {
            let _ = writeln!(
                text,
                "{}",
                draws.of(&["id,t,x,y", "id;t;x;y", "id t x y", "lag,msd", "step,value"])
            );
        }
        for _ in 0..draws.below(60) {
            text.push_str(draws.of(&PIECES));
        }
        fs::write(&path, encoded(&text, draws.below(6))).unwrap();
        let one = |n: usize| Some(Column::Number(n));
        let columns = Columns { id: one(1), time: one(2), x: one(3), y: one(4), ..Columns::default() };
        for columns in [Columns::default(), columns] {
            let _ = read_tracks(&path, &TrackOptions { columns, ..TrackOptions::default() });
        }
        let _ = glauber_data::tracks::read_msd_curve(&path);
        let _ = glauber_data::read_time_curve(&path, &["value".to_string()]);
    }
}
