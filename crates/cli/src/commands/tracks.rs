//! Says what is in a file of cell tracks, and takes and draws their mean squared displacement.

use glauber::data::tracks::{
    Bootstrap, Column, Columns, Face, MsdCurve, MsdPoint, TrackOptions, Tracks, mean_squared_displacement,
    read_tracks, usual_lags,
};
use glauber::files::{number, significant, whole_number};
use glauber::report::plot::{Figure, Panel};
use serde_json::{Value, json};

use super::pairs;
use crate::arguments::TracksFile;
use crate::outcome::{CommandOutcome, Failure};

/// Digits of a mean squared displacement and of its error that are shown; `--out` and `--json` have them all.
const DIGITS: usize = 5;
const ERROR_DIGITS: usize = 3;

/// Runs `glauber tracks`.
pub fn run(arguments: &TracksFile) -> Result<CommandOutcome, Failure> {
    if let Some(out) = &arguments.out {
        if out.extension().is_none_or(|e| e != "svg" && e != "csv") {
            return Err(Failure::input(format!(
                "--out {}: the name must end in .svg or .csv",
                out.display()
            )));
        }
        if out.exists() {
            return Err(Failure::input(format!("{} exists already: choose another --out", out.display())));
        }
    }
    let options = TrackOptions {
        columns: columns(&arguments.columns)?,
        interval: arguments.interval,
        length_unit: arguments.length_unit.clone(),
        time_unit: arguments.time_unit.clone(),
        face: Face::CommandLine,
        ..TrackOptions::default()
    };
    let tracks = read_tracks(&arguments.file, &options).map_err(Failure::data)?;
    let summary = tracks.summary();
    // Short tracks have fewer lags; only who asks for more than there are is told so.
    let lags = arguments.lags.unwrap_or(usual_lags(&tracks));
    if arguments.bootstrap == 0 && arguments.seed.is_some() {
        return Err(Failure::input(
            "--seed is that of the bootstrap, and --bootstrap is 0: leave one of them out",
        ));
    }
    let bootstrap = Bootstrap { replicates: arguments.bootstrap, seed: arguments.seed.unwrap_or(0) };
    let curve = mean_squared_displacement(&tracks, lags, bootstrap).map_err(|e| {
        Failure::input(format!("{}: {e}", arguments.file.display())).after(tracks.notes().to_vec())
    })?;
    if let Some(out) = &arguments.out {
        if out.extension().is_some_and(|e| e == "csv") {
            glauber::files::run_folder::write_whole(out, curve.to_csv()).map_err(Failure::run)?;
        } else {
            figure(&tracks, &curve).write(out).map_err(Failure::run)?;
        }
    }
    let by_lag = ByLag::of(&curve);
    let columns: serde_json::Map<String, Value> =
        tracks.columns().iter().map(|(what, name)| ((*what).to_string(), json!(name))).collect();
    let notes: Vec<&String> = tracks.notes().iter().chain(curve.notes()).collect();
    let object = json!({
        "tracks": summary.tracks,
        "positions": summary.positions,
        "interval": summary.interval,
        "dimensions": summary.dimensions,
        "msd": by_lag.take(|p| json!(p.value)),
        "msd_standard_error": by_lag.take(|p| json!(p.standard_error)),
        "sub_tracks": by_lag.take(|p| json!(p.sub_tracks)),
        "columns": columns,
        "lengths": {"shortest": summary.shortest, "median": summary.median_length, "longest": summary.longest},
        "gaps": {"tracks": summary.tracks_with_gaps, "missing_frames": summary.missing_frames},
        "length_unit": summary.units.length,
        "time_unit": summary.units.time,
        "notes": notes,
        "out": arguments.out,
    });
    Ok(CommandOutcome::done(text(&tracks, &curve, arguments), object))
}

/// The points of a curve by lag, 1, 2 …: none where no sub-track spans it.
struct ByLag<'a>(Vec<Option<&'a MsdPoint>>);

impl<'a> ByLag<'a> {
    fn of(curve: &'a MsdCurve) -> ByLag<'a> {
        let last = curve.points().last().map_or(0, |p| p.lag);
        let at = |lag: u32| curve.points().iter().find(|p| p.lag == lag);
        ByLag((1..=last).map(at).collect())
    }

    /// A number of every lag, null where there is none.
    fn take(&self, number: impl Fn(&MsdPoint) -> Value) -> Vec<Value> {
        self.0.iter().map(|point| point.map_or(Value::Null, &number)).collect()
    }
}

/// `id=NAME`, `time=3` … as the reader's columns.
pub(super) fn columns(given: &[String]) -> Result<Columns, Failure> {
    let mut columns = Columns::default();
    for (which, name) in pairs(given, "--column")? {
        let text = format!("{which}={name}");
        let column = match whole_number(name).map(usize::try_from) {
            Some(Ok(0)) => {
                return Err(Failure::input(format!("--column {text}: columns are counted from 1")));
            }
            Some(Ok(number)) => Column::Number(number),
            _ => Column::Name(name.to_string()),
        };
        let place = match which {
            "id" => &mut columns.id,
            "time" | "t" => &mut columns.time,
            "x" => &mut columns.x,
            "y" => &mut columns.y,
            "z" => &mut columns.z,
            "group" => &mut columns.group,
            _ => {
                return Err(Failure::input(format!("--column {text}: name one of id, time, x, y, z, group")));
            }
        };
        if place.replace(column).is_some() {
            return Err(Failure::input(format!(
                "--column {text}: the time was given before, as t: give it once"
            )));
        }
    }
    Ok(columns)
}

fn text(tracks: &Tracks, curve: &MsdCurve, arguments: &TracksFile) -> String {
    let mut text = format!("{}\n", tracks.summary());
    if let Some(columns) = tracks.columns_in_words() {
        text += &format!("columns     {columns}\n");
    }
    for note in tracks.notes().iter().chain(curve.notes()) {
        text += &format!("note        {note}\n");
    }
    let unit =
        |u: &Option<String>, power: &str| u.as_ref().map_or(String::new(), |u| format!(" ({u}{power})"));
    let (time, area) = (
        format!("time{}", unit(&curve.units().time, "")),
        format!("MSD{}", unit(&curve.units().length, "²")),
    );
    text += &format!("\n{:>4} {time:>12} {area:>14} {:>14} {:>11}\n", "lag", "std. error", "sub-tracks");
    for p in curve.points() {
        let error = p.standard_error.map_or("-".into(), |e| significant(e, ERROR_DIGITS));
        let count = p.sub_tracks.map_or("-".into(), |n| n.to_string());
        let at = short(f64::from(p.lag) * curve.interval());
        let value = significant(p.value, DIGITS);
        text += &format!("{:>4} {at:>12} {value:>14} {error:>14} {count:>11}\n", p.lag);
    }
    match &arguments.out {
        Some(out) => text + &format!("\nwritten: {}", out.display()),
        None => text + "\n--out msd.svg draws it, --out msd.csv keeps it for `data.msd` of a fit file",
    }
}

/// A time as short as it can be said to nine digits: 0.3 for what 3 times 0.1 is in binary.
fn short(time: f64) -> String {
    number(&format!("{time:.8e}")).unwrap_or(time).to_string()
}

fn figure(tracks: &Tracks, curve: &MsdCurve) -> Figure {
    let axis = |name: &str, u: &Option<String>, power: &str| match u {
        Some(unit) => format!("{name} ({unit}{power})"),
        None => name.to_string(),
    };
    let points = curve.points();
    let times: Vec<f64> = points.iter().map(|p| f64::from(p.lag) * curve.interval()).collect();
    let values: Vec<f64> = points.iter().map(|p| p.value).collect();
    let errors: Option<Vec<f64>> = points.iter().map(|p| p.standard_error).collect();
    let (x, y) = (axis("time", &curve.units().time, ""), axis("MSD", &curve.units().length, "²"));
    let panel = Panel::new("").x(x).y(y).y_includes(0.0);
    let label = format!("{} tracks", tracks.len());
    let panel = match errors {
        Some(errors) => {
            panel.points_with_errors(format!("{label} ± standard error"), &times, &values, &errors)
        }
        None => panel.points(label, &times, &values),
    };
    Figure::new("Mean squared displacement").panel(panel)
}
