//! Reads the `[data]` table: what the model is fitted to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use glauber_model_file::CovariateSource;
use serde::Serialize;

use super::error::FitFileError;
use super::marked::Marked;
use super::reader::{ANY, ANY_OR_PATH, ColumnName, Key, POSITIVE, Reader};
use super::{Task, skip};
use glauber_data::tracks::SHIPPED_CURVES;

/// The keys of `[data]`.
pub const KEYS: &[Key] = &[
    ("tracks", "path: cell tracks (CSV, TrackMate CSV or XML, NPY)"),
    (
        "msd",
        "path: a mean squared displacement per lag (CSV), or the name of one that comes with the program",
    ),
    ("curve", "path: a summary over time (CSV: step or time, values, standard errors)"),
    ("states", "path: observed lattices (NPZ as `simulate` writes it, NPY, image, folder of images)"),
    ("image", "path: an image to be segmented"),
    ("pattern", "path: a pattern that should stay (NPY, NPZ or image)"),
    ("simulate", "table: data simulated by the model itself"),
    ("truth", "path: the true mask or parameters, only to score the result"),
    ("initial", "text: how the fitted rollouts start, where the model offers a choice"),
    ("covariates", "table: data per site that the model reads, each a path (NPY, NPZ, image) or a number"),
    ("steps", "whole number: steps between the start and what was observed"),
    (
        "first-step",
        "whole number: after how many steps frame 0 of the states was seen (default 0, or as the data say)",
    ),
    ("start-sites", "whole number: how many sites of each layer started the process, where that is known"),
    ("frames", "table: which frames of the states to use"),
    ("layer", "text: which layer an array or image without a name holds"),
    ("threshold", "number: above it, a grey value counts as 1 in a binary layer"),
    ("invert", "true or false: take dark for bright (default false)"),
    (
        "channel",
        "whole number or text: which channel of images with several, by its number or a word in the files' names",
    ),
    ("slice", "whole number or text: which slice of images with several"),
    ("plane", "whole number: which plane of a stack, from 0"),
    ("columns", "table: columns of the tracks, each a heading or a number from 1"),
    ("interval", "number: time between two frames, in the data's unit"),
    ("step-time", "number: time of one step of the model, in the data's unit (default: the interval)"),
    ("site-length", "number: length of one site of the model, in the data's unit (default 1)"),
    ("length-unit", "text: the data's unit of length"),
    ("time-unit", "text: the data's unit of time"),
    ("dimensions", "2 or 3: how many axes of the tracks to use"),
    ("lags", "whole number: how many lags of the mean squared displacement"),
    ("shortest-track", "whole number: tracks with fewer points are left out"),
    ("bootstrap", "whole number: resamplings for the standard errors"),
];

/// The keys of `[data.simulate]`.
pub const SIMULATE_KEYS: &[Key] = &[
    ("runs", "whole number: independent runs (default 1)"),
    ("steps", "whole number: steps of each run"),
    ("seed", "whole number: seed of the data's noise (default 0)"),
    ("initial", "text: how the runs start, where the model offers a choice"),
    ("parameters", "table: the true value of every parameter"),
    (
        "start-sites",
        "whole number: so many sites, drawn at random, start the run (default: the model's own start)",
    ),
];

const FRAME_KEYS: &[Key] = &[
    ("first", "whole number: the first frame used, from 0"),
    ("last", "whole number: the last frame used"),
    ("every", "whole number: every how many frames"),
];

const COLUMN_KEYS: &[Key] = &[
    ("id", "the track"),
    ("time", "the time"),
    ("x", "position"),
    ("y", "position"),
    ("z", "position"),
    ("group", "what tells tracks of one id apart"),
];

/// Where the data come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataSource {
    /// Cell tracks.
    Tracks(PathBuf),
    /// A mean squared displacement per lag.
    Msd(PathBuf),
    /// A summary per step.
    Curve(PathBuf),
    /// Observed lattices.
    States(PathBuf),
    /// An image to be segmented.
    Image(PathBuf),
    /// A pattern that should stay.
    Pattern(PathBuf),
    /// The model itself, at known parameters.
    Simulate(Simulation),
}

/// Data from the model itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Simulation {
    /// Independent runs, at least 1.
    pub runs: u64,
    /// Steps of each run, at least 1.
    pub steps: u64,
    /// Seed of the data's noise.
    #[serde(serialize_with = "skip::seed")]
    pub seed: u64,
    /// How the runs start.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub initial: Marked<Option<String>>,
    /// The true parameters.
    pub parameters: BTreeMap<String, f64>,
    /// So many sites, drawn at random, start the run; the model's own start where not given. At least 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub start_sites: Marked<Option<u64>>,
}

/// Where a covariate's numbers come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CovariateChoice {
    /// The same number at every site.
    Number(f64),
    /// An array or image.
    Path(PathBuf),
}

impl From<CovariateChoice> for CovariateSource {
    fn from(choice: CovariateChoice) -> CovariateSource {
        match choice {
            CovariateChoice::Number(value) => CovariateSource::Constant(value),
            CovariateChoice::Path(path) => CovariateSource::File(path),
        }
    }
}

/// Which frames of a series are used.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Frames {
    /// The first, from 0.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub first: Marked<Option<u64>>,
    /// The last, included.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub last: Marked<Option<u64>>,
    /// Every how many, at least 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub every: Marked<Option<u64>>,
}

impl Frames {
    fn is_default(&self) -> bool {
        *self == Frames::default()
    }
}

/// Which columns of a track file hold what; by the reader's own rules where not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Columns {
    /// The track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ColumnName>,
    /// The time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<ColumnName>,
    /// Position along the first axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<ColumnName>,
    /// Position along the second axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<ColumnName>,
    /// Position along the third axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z: Option<ColumnName>,
    /// What tells tracks of one id apart, such as the experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<ColumnName>,
}

/// The `[data]` table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Data {
    /// Where the data come from; `None` where the task or model brings its own.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub source: Option<DataSource>,
    /// The truth, only to score the result.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub truth: Marked<Option<PathBuf>>,
    /// How the fitted rollouts start.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub initial: Marked<Option<String>>,
    /// Covariates that replace what the model itself says.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub covariates: BTreeMap<String, CovariateChoice>,
    /// Steps between the start and what was observed, at least 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub steps: Marked<Option<u64>>,
    /// After how many steps frame 0 of the states was seen.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub first_step: Marked<Option<u64>>,
    /// How many sites of each layer started the process, at least 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub start_sites: Marked<Option<u64>>,
    /// Which frames of the states.
    #[serde(skip_serializing_if = "Frames::is_default")]
    pub frames: Frames,
    /// The layer of an array without a name.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub layer: Marked<Option<String>>,
    /// Above it, a grey value counts as 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub threshold: Marked<Option<f64>>,
    /// Whether dark counts as bright.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub invert: Marked<bool>,
    /// Which channel of images with several; `time` where the channels are times.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub channel: Marked<Option<ColumnName>>,
    /// Which slice of images with several; `time` where the slices are times.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub slice: Marked<Option<ColumnName>>,
    /// Which plane of a stack, from 0.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub plane: Marked<Option<u64>>,
    /// Columns of the tracks.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub columns: Marked<Columns>,
    /// Time between two frames, data units, above 0.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub interval: Marked<Option<f64>>,
    /// Time of one step, data units, above 0.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub step_time: Marked<Option<f64>>,
    /// Length of one site, data units, above 0.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub site_length: Marked<Option<f64>>,
    /// The data's unit of length.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub length_unit: Marked<Option<String>>,
    /// The data's unit of time.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub time_unit: Marked<Option<String>>,
    /// How many axes of the tracks: 2 or 3.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub dimensions: Marked<Option<u64>>,
    /// How many lags, at least 1.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub lags: Marked<Option<u64>>,
    /// Tracks with fewer points are left out.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub shortest_track: Marked<Option<u64>>,
    /// Resamplings for the standard errors; 0 for none.
    #[serde(skip_serializing_if = "Marked::is_default")]
    pub bootstrap: Marked<Option<u64>>,
}

/// The keys of `[data]` that say where the data come from.
pub(super) const SOURCES: [&str; 7] = ["tracks", "msd", "curve", "states", "image", "pattern", "simulate"];

/// The keys of the sources that a task takes.
pub(super) fn kinds_for(task: Task) -> Vec<String> {
    let fitting = SOURCES.iter().filter(|source| task.entry().sources.contains(source));
    fitting.map(|key| format!("`data.{key}`")).collect()
}

pub(super) fn read(mut table: Reader<'_>, task: Task) -> Result<Data, FitFileError> {
    Ok(Data {
        source: source(&mut table, task)?,
        truth: table.marked("truth", Reader::path_of)?,
        initial: table.marked("initial", Reader::text)?,
        covariates: covariates(table.free_table("covariates")?)?,
        steps: table.marked("steps", |t, key| t.count(key, 1))?,
        first_step: table.marked("first-step", |t, key| t.count(key, 0))?,
        start_sites: table.marked("start-sites", |t, key| t.count(key, 1))?,
        frames: frames(&mut table)?,
        layer: table.marked("layer", Reader::text)?,
        threshold: table.marked("threshold", |t, key| t.number(key, ANY))?,
        invert: table.marked("invert", |t, key| Ok(t.flag(key)?.unwrap_or(false)))?,
        channel: table.marked("channel", |t, key| t.text_or_count_from(key, 0))?,
        slice: table.marked("slice", |t, key| t.text_or_count_from(key, 0))?,
        plane: table.marked("plane", |t, key| t.count(key, 0))?,
        columns: table.marked("columns", columns)?,
        interval: table.marked("interval", |t, key| t.number(key, POSITIVE))?,
        step_time: table.marked("step-time", |t, key| t.number(key, POSITIVE))?,
        site_length: table.marked("site-length", |t, key| t.number(key, POSITIVE))?,
        length_unit: table.marked("length-unit", Reader::text)?,
        time_unit: table.marked("time-unit", Reader::text)?,
        dimensions: table.marked("dimensions", dimensions)?,
        lags: table.marked("lags", |t, key| t.count(key, 1))?,
        shortest_track: table.marked("shortest-track", |t, key| t.count(key, 1))?,
        bootstrap: table.marked("bootstrap", |t, key| t.count(key, 0))?,
    })
}

fn frames(table: &mut Reader<'_>) -> Result<Frames, FitFileError> {
    let mut inner = table.table("frames", FRAME_KEYS)?;
    let frames = Frames {
        first: inner.marked("first", |t, key| t.count(key, 0))?,
        last: inner.marked("last", |t, key| t.count(key, 0))?,
        every: inner.marked("every", |t, key| t.count(key, 1))?,
    };
    if frames.last.unmarked().is_some_and(|last| last < frames.first.unmarked().unwrap_or(0)) {
        return Err(inner.here("`data.frames` ends before it begins: `last` must be at least `first`"));
    }
    Ok(frames)
}

fn columns(table: &mut Reader<'_>, key: &str) -> Result<Columns, FitFileError> {
    let mut inner = table.table(key, COLUMN_KEYS)?;
    Ok(Columns {
        id: inner.text_or_count("id")?,
        time: inner.text_or_count("time")?,
        x: inner.text_or_count("x")?,
        y: inner.text_or_count("y")?,
        z: inner.text_or_count("z")?,
        group: inner.text_or_count("group")?,
    })
}

fn dimensions(table: &mut Reader<'_>, key: &str) -> Result<Option<u64>, FitFileError> {
    let place = table.place(key);
    let dimensions = table.count(key, 1)?;
    if dimensions.is_some_and(|d| !(2..=3).contains(&d)) {
        return Err(table.error(place, "`data.dimensions` must be 2 or 3"));
    }
    Ok(dimensions)
}

/// A path or a number for each covariate.
fn covariates(mut table: Reader<'_>) -> Result<BTreeMap<String, CovariateChoice>, FitFileError> {
    let mut choices = BTreeMap::new();
    for key in table.keys() {
        let choice = match table.is_text(&key) {
            true => table.path_of(&key)?.map(CovariateChoice::Path),
            false => table.number(&key, ANY_OR_PATH)?.map(CovariateChoice::Number),
        };
        choices.extend(choice.map(|choice| (key, choice)));
    }
    Ok(choices)
}

/// The one source. A source in an override takes the place of those in the file.
fn source(table: &mut Reader<'_>, task: Task) -> Result<Option<DataSource>, FitFileError> {
    let found = |table: &Reader<'_>| SOURCES.into_iter().filter(|key| table.has(key)).collect::<Vec<_>>();
    let mut given = found(table);
    if given.iter().any(|key| table.is_override(key)) {
        for key in given {
            if !table.is_override(key) {
                table.discard(key);
            }
        }
        given = found(table);
    }
    match given[..] {
        [] => Ok(None),
        [key] => {
            if task == Task::Observation {
                let message = format!(
                    "`data.{key}` is not for the task `observation`: its data are said by `data` in [observation] or \
                     [[experiment]]"
                );
                return Err(table.error(table.key_place(key), message));
            }
            if !task.entry().sources.contains(&key) {
                let message = format!(
                    "`data.{key}` is not for the task `{}`: give {}",
                    task.name(),
                    kinds_for(task).join(" or ")
                );
                return Err(table.error(table.key_place(key), message));
            }
            read_source(table, key)
        }
        [first, second, ..] => {
            let message =
                format!("there are two kinds of data, `data.{first}` and `data.{second}`: give one");
            Err(table.error(table.key_place(second), message))
        }
    }
}

fn read_source(table: &mut Reader<'_>, key: &str) -> Result<Option<DataSource>, FitFileError> {
    if key == "simulate" {
        return simulation(table).map(|simulation| Some(DataSource::Simulate(simulation)));
    }
    // A curve that comes with the program is called by its name; everything else is a path.
    if key == "msd"
        && let Some(name) = table.one_of(key, &SHIPPED_CURVES.map(|curve| curve.name))
    {
        return Ok(Some(DataSource::Msd(PathBuf::from(name))));
    }
    let make = match key {
        "tracks" => DataSource::Tracks,
        "msd" => DataSource::Msd,
        "curve" => DataSource::Curve,
        "states" => DataSource::States,
        "image" => DataSource::Image,
        _ => DataSource::Pattern,
    };
    Ok(table.path_of(key)?.map(make))
}

fn simulation(table: &mut Reader<'_>) -> Result<Simulation, FitFileError> {
    let mut inner = table.table("simulate", SIMULATE_KEYS)?;
    let runs = inner.count("runs", 1)?.unwrap_or(1);
    let Some(steps) = inner.count("steps", 1)? else {
        return Err(inner.here("`data.simulate` needs `steps`: how many steps each run takes"));
    };
    let seed = inner.seed("seed")?.unwrap_or(0);
    let initial = inner.marked("initial", Reader::text)?;
    let parameters = inner.free_table("parameters")?.all_numbers()?;
    let start_sites = inner.marked("start-sites", |t, key| t.count(key, 1))?;
    Ok(Simulation { runs, steps, seed, initial, parameters, start_sites })
}
