//! Simulates cells of the Cellular Potts model, or fits it to a stack of labels or to tracks, and writes what came of it.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Instant;

use glauber::cellular_potts::{Acceptance, Order};
use glauber::data::images::Pick;
use glauber::data::tracks::{Face, TrackOptions};
use glauber::engine::useful_threads;
use glauber::files::number;
use glauber::files::run_folder::RunFolder;
use glauber::tissue::{
    CellsRequest, CellsSimulation, Labels, LabelsFile, OUTPUTS, SimulateRequest, Start, TrackSetting,
    TrackSource, TracksRequest, Types, run as fit_cells, run_snapshots, run_tracks, simulate,
};
use serde_json::{Value, json};

use crate::arguments::{
    AcceptanceChoice, CellsCommand, CellsFit, CellsSimulate, CellsWhat, LabelsChoice, OrderChoice,
};
use crate::commands::pairs;
use crate::commands::tracks::columns;
use crate::outcome::{CommandOutcome, Failure};

/// Runs `glauber cells`.
pub fn run(arguments: &CellsCommand) -> Result<CommandOutcome, Failure> {
    match &arguments.what {
        CellsWhat::Fit(own) => fit(own),
        CellsWhat::Simulate(own) => simulation(own),
    }
}

fn fit(arguments: &CellsFit) -> Result<CommandOutcome, Failure> {
    if is_tracks(&arguments.labels) {
        return fit_to_tracks(arguments);
    }
    let begin = Instant::now();
    refuse_options_of_tracks(arguments)?;
    if let Some(steps) = arguments.snapshots {
        return fit_to_snapshots(arguments, steps);
    }
    let given = [("--range", !arguments.ranges.is_empty()), ("--order", arguments.order.is_some())];
    refuse(&given, "is of tracks and of --snapshots, not of movies: leave it out")?;
    let request = request_of(arguments)?;
    let claimed = folder_of(arguments)?;
    let folder = claimed.path().to_path_buf();
    let threads = useful_threads(arguments.threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::run)?;
    let mut outcome = match pool.install(|| fit_cells(&request)) {
        Ok(outcome) => outcome,
        Err(error) => {
            claimed.abandon();
            return Err(Failure::input(error));
        }
    };
    outcome.seconds = begin.elapsed().as_secs_f64();
    let done = CommandOutcome::done(outcome.text(&folder), outcome.object(&folder));
    Ok(match outcome.write(&folder) {
        Ok(()) => done,
        Err(message) => done.unkept(&message),
    })
}

fn request_of(arguments: &CellsFit) -> Result<CellsRequest, Failure> {
    let fixed = numbers(&arguments.fixed)?;
    if arguments.coarsen == 0 || arguments.every == 0 {
        return Err(Failure::input("--coarsen and --every count from 1"));
    }
    Ok(CellsRequest {
        types: types_of(&arguments.choice)?,
        torus: arguments.torus,
        coarsen: arguments.coarsen,
        frames: arguments.frames.as_deref().map(frames).transpose()?,
        every: arguments.every,
        acceptance: acceptance_of(arguments.acceptance),
        connected: arguments.connected,
        unknown: arguments.fit.iter().map(|name| name.trim().to_string()).collect(),
        fixed,
        replicates: arguments.replicates.unwrap_or(39),
        seed: arguments.seed,
        ..CellsRequest::new(labels_of(&arguments.labels, &arguments.choice))
    })
}

/// Whether a file is one of tracks: no labels come in tables or XML.
fn is_tracks(path: &Path) -> bool {
    let ending = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_lowercase();
    ["csv", "tsv", "txt", "xml"].contains(&ending.as_str())
}

/// Names the options of tracks that are given, none of which labels have.
fn refuse_options_of_tracks(arguments: &CellsFit) -> Result<(), Failure> {
    let own = &arguments.tracks;
    let given = [
        ("--steps-per-frame", own.steps_per_frame.is_some()),
        ("--site", own.site.is_some()),
        ("--shape", !own.shape.is_empty()),
        ("--counts", !own.counts.is_empty()),
        ("--grown", own.grown.is_some()),
        ("--burn-in", own.burn_in.is_some()),
        ("--column", !own.columns.is_empty()),
        ("--interval", own.interval.is_some()),
    ];
    refuse(&given, "is of tracks (.csv, .tsv, .txt, .xml), not of labels: leave it out")
}

fn refuse(given: &[(&str, bool)], why: &str) -> Result<(), Failure> {
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Failure::input(format!("{option} {why}"))),
        None => Ok(()),
    }
}

/// Fits to tracks of centroids.
fn fit_to_tracks(arguments: &CellsFit) -> Result<CommandOutcome, Failure> {
    let begin = Instant::now();
    let choice = &arguments.choice;
    let given = [
        ("--types", choice.types.is_some()),
        ("--type-range", !choice.type_ranges.is_empty()),
        ("--array", choice.array.is_some()),
        ("--channel", choice.channel.is_some()),
        ("--depth", choice.depth.is_some()),
        ("--coarsen", arguments.coarsen != 1),
        ("--frames", arguments.frames.is_some()),
        ("--every", arguments.every != 1),
        ("--replicates", arguments.replicates.is_some()),
        ("--snapshots", arguments.snapshots.is_some()),
    ];
    refuse(&given, "is of labels, and these are tracks: leave it out")?;
    let own = &arguments.tracks;
    let usual = TrackSetting::default();
    let setting = TrackSetting {
        shape: own.shape.clone(),
        counts: if own.counts.is_empty() { usual.counts.clone() } else { own.counts.clone() },
        grown: own.grown,
        burn_in: own.burn_in.unwrap_or(usual.burn_in),
        steps_per_frame: own.steps_per_frame.unwrap_or(0),
        acceptance: acceptance_of(arguments.acceptance),
        order: arguments.order.map_or(usual.order, order_of),
        connected: arguments.connected,
        seed: arguments.seed,
    };
    let options = TrackOptions {
        columns: columns(&own.columns)?,
        interval: own.interval,
        face: Face::CommandLine,
        ..TrackOptions::default()
    };
    let request = TracksRequest {
        source: TrackSource::File(arguments.labels.clone(), Box::new(options)),
        site: own.site,
        torus: arguments.torus,
        setting,
        unknown: arguments.fit.iter().map(|name| name.trim().to_string()).collect(),
        ranges: arguments.ranges.iter().map(|text| range(text)).collect::<Result<_, Failure>>()?,
        fixed: numbers(&arguments.fixed)?,
    };
    let claimed = folder_of(arguments)?;
    let folder = claimed.path().to_path_buf();
    let threads = useful_threads(arguments.threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::run)?;
    let mut outcome = match pool.install(|| run_tracks(&request, &|| false)) {
        Ok(outcome) => outcome,
        Err(error) => {
            claimed.abandon();
            return Err(Failure::input(error));
        }
    };
    outcome.seconds = begin.elapsed().as_secs_f64();
    let done = CommandOutcome::done(outcome.text(&folder), outcome.object(&folder));
    Ok(match outcome.write(&folder) {
        Ok(()) => done,
        Err(message) => done.unkept(&message),
    })
}

/// Fits to snapshots of tissue at rest.
fn fit_to_snapshots(arguments: &CellsFit, steps: u64) -> Result<CommandOutcome, Failure> {
    let begin = Instant::now();
    let given = [("--coarsen", arguments.coarsen != 1), ("--replicates", arguments.replicates.is_some())];
    refuse(&given, "is of movies, and these are snapshots: leave it out")?;
    let request = request_of(arguments)?;
    let ranges = arguments.ranges.iter().map(|text| range(text)).collect::<Result<Vec<_>, Failure>>()?;
    let order = arguments.order.map_or(Order::Sublattices, order_of);
    let claimed = folder_of(arguments)?;
    let folder = claimed.path().to_path_buf();
    let threads = useful_threads(arguments.threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::run)?;
    let mut outcome = match pool.install(|| run_snapshots(&request, steps, order, &ranges)) {
        Ok(outcome) => outcome,
        Err(error) => {
            claimed.abandon();
            return Err(Failure::input(error));
        }
    };
    outcome.seconds = begin.elapsed().as_secs_f64();
    let done = CommandOutcome::done(outcome.text(&folder), outcome.object(&folder));
    Ok(match outcome.write(&folder) {
        Ok(()) => done,
        Err(message) => done.unkept(&message),
    })
}

/// NAME=LOW:HIGH.
fn range(text: &str) -> Result<(String, [f64; 2]), Failure> {
    let parsed = || {
        let (name, ends) = text.split_once('=')?;
        let (low, high) = ends.split_once(':')?;
        Some((name.trim().to_string(), [number(low.trim())?, number(high.trim())?]))
    };
    parsed().ok_or_else(|| {
        Failure::input(format!("--range {text}: give NAME=LOW:HIGH, such as act_strength=1:60"))
    })
}

fn order_of(choice: OrderChoice) -> Order {
    match choice {
        OrderChoice::Sublattices => Order::Sublattices,
        OrderChoice::RandomSequential => Order::RandomSequential,
    }
}

/// NAME=VALUE … as numbers by name.
fn numbers(given: &[String]) -> Result<Vec<(String, f64)>, Failure> {
    pairs(given, "--set")?
        .into_iter()
        .map(|(name, value)| match number(value).filter(|x| x.is_finite()) {
            Some(x) => Ok((name.to_string(), x)),
            None => Err(Failure::input(format!("--set {name}={value}: `{value}` is not a number"))),
        })
        .collect()
}

fn acceptance_of(choice: AcceptanceChoice) -> Acceptance {
    match choice {
        AcceptanceChoice::Metropolis => Acceptance::Metropolis,
        AcceptanceChoice::HeatBath => Acceptance::HeatBath,
    }
}

fn labels_of(path: &Path, choice: &LabelsChoice) -> Labels {
    let channel = choice.channel.map(Pick::Number);
    Labels::File(LabelsFile { path: path.into(), array: choice.array.clone(), channel, depth: choice.depth })
}

fn types_of(choice: &LabelsChoice) -> Result<Types, Failure> {
    let ranges: Vec<_> =
        choice.type_ranges.iter().map(|text| type_range(text)).collect::<Result<_, Failure>>()?;
    match (&choice.types, ranges.is_empty()) {
        (Some(_), false) => Err(Failure::input(
            "types are given by a table and by ranges: give one of --types and --type-range",
        )),
        (Some(path), true) => Ok(Types::File(path.clone())),
        (None, false) => Ok(Types::Ranges(ranges)),
        (None, true) => Ok(Types::One),
    }
}

/// Runs `glauber cells simulate`.
fn simulation(arguments: &CellsSimulate) -> Result<CommandOutcome, Failure> {
    let began = Instant::now();
    let files = Files::of(arguments)?;
    let request = SimulateRequest {
        torus: arguments.torus,
        acceptance: acceptance_of(arguments.acceptance),
        order: order_of(arguments.order),
        connected: arguments.connected,
        steps: arguments.steps,
        every: arguments.every,
        seed: arguments.seed,
        replicate: arguments.replicate,
        checkpoint: checkpoint_of(arguments)?,
        ..SimulateRequest::new(start_of(arguments)?, numbers(&arguments.parameters)?)
    };
    let threads = useful_threads(arguments.threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::run)?;
    let mut done = pool.install(|| simulate(&request, &|| false)).map_err(Failure::input)?;
    done.seconds = began.elapsed().as_secs_f64();
    if done.has_depth()
        && files
            .labels
            .extension()
            .is_some_and(|end| end.to_ascii_lowercase().to_string_lossy().starts_with("tif"))
    {
        let depth = done.shape[0];
        done.notes.push(format!("frames have {depth} slices: `cells fit` reads them with --depth {depth}"));
    }
    let written = files.write(&done);
    let mut object = done.object();
    files.add_to(&mut object);
    let outcome = CommandOutcome::done(text_of(&done, &files), object);
    Ok(CommandOutcome { failed: written.err(), ..outcome })
}

/// A checkpoint's path, that can be written.
fn checkpoint_of(arguments: &CellsSimulate) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = &arguments.checkpoint else { return Ok(None) };
    let ending = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_lowercase();
    if ending != "npz" {
        return Err(Failure::input(format!("--checkpoint {}: the name must end in .npz", path.display())));
    }
    if *path == arguments.out {
        return Err(Failure::input(format!(
            "{} is named twice: choose another --checkpoint",
            path.display()
        )));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let (path, folder) = (path.display(), folder.display());
        return Err(Failure::input(format!(
            "--checkpoint {path}: there is no folder {folder}: make it first"
        )));
    }
    Ok(Some(path.clone()))
}

fn start_of(arguments: &CellsSimulate) -> Result<Start, Failure> {
    let shape = || match arguments.shape.is_empty() {
        true => Err(Failure::input("give the lattice its size: --shape 64,64")),
        false => Ok(arguments.shape.clone()),
    };
    let given = |list: &Vec<usize>| (!list.is_empty()).then(|| list.clone());
    let choice = &arguments.choice;
    let of_labels = choice.types.is_some()
        || !choice.type_ranges.is_empty()
        || choice.array.is_some()
        || choice.channel.is_some()
        || choice.depth.is_some()
        || arguments.frame > 0;
    if of_labels && arguments.start.is_none() {
        return Err(Failure::input(
            "--types, --type-range, --array, --channel, --depth and --frame are of labels to start from: give these with --start, or \
             leave them out (--counts gives blocks and grown cells their types)",
        ));
    }
    if let Some(path) = &arguments.start {
        let (labels, types) = (labels_of(path, choice), types_of(choice)?);
        return Ok(Start::Labels { labels, types, frame: arguments.frame });
    }
    if let Some(volume) = arguments.grown {
        return Ok(Start::Grown { shape: shape()?, volume, counts: arguments.counts.clone() });
    }
    if arguments.blocks.is_empty() {
        return Err(Failure::input(
            "say how the cells start: --blocks 7,7 --sides 8,8, or --grown 60 --counts 20, or --start LABELS",
        ));
    }
    Ok(Start::Blocks {
        shape: shape()?,
        begin: given(&arguments.begin),
        blocks: arguments.blocks.clone(),
        sides: arguments.sides.clone(),
        counts: given(&arguments.counts),
    })
}

/// The files of a simulation, none of which is there yet.
struct Files {
    labels: PathBuf,
    types: PathBuf,
    cells: Option<PathBuf>,
    film: Option<PathBuf>,
    picture: Option<PathBuf>,
}

impl Files {
    /// What was asked for; before any work it is looked whether it can be written.
    fn of(arguments: &CellsSimulate) -> Result<Files, Failure> {
        let stem =
            arguments.out.file_stem().map_or("movie".into(), |stem| stem.to_string_lossy().into_owned());
        let files = Files {
            labels: arguments.out.clone(),
            types: arguments.out.with_file_name(format!("{stem}-types.csv")),
            cells: arguments.cells.clone(),
            film: arguments.film.clone(),
            picture: arguments.picture.clone(),
        };
        let all = files.all();
        for (place, (option, path, endings)) in all.iter().enumerate() {
            let ending = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_lowercase();
            if !endings.contains(&ending.as_str()) {
                let endings: Vec<String> = endings.iter().map(|end| format!(".{end}")).collect();
                let endings = endings.join(" or ");
                return Err(Failure::input(format!(
                    "{option} {}: the name must end in {endings}",
                    path.display()
                )));
            }
            if path.exists() {
                return Err(Failure::input(format!(
                    "{} exists already: choose another {option}",
                    path.display()
                )));
            }
            if all[..place].iter().any(|(_, other, _)| other == path) {
                return Err(Failure::input(format!(
                    "{} is named twice: choose another {option}",
                    path.display()
                )));
            }
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
                return Err(Failure::input(format!(
                    "{option} {}: there is no folder {}: make it first",
                    path.display(),
                    folder.display()
                )));
            }
        }
        Ok(files)
    }

    /// Option, path, and how its name may end.
    fn all(&self) -> Vec<(&'static str, &PathBuf, &'static [&'static str])> {
        let asked = [
            ("--out", Some(&self.labels), &["tif", "tiff", "npy", "npz"][..]),
            ("--out", Some(&self.types), &["csv"][..]),
            ("--cells", self.cells.as_ref(), &["csv"][..]),
            ("--film", self.film.as_ref(), &["gif"][..]),
            ("--picture", self.picture.as_ref(), &["png"][..]),
        ];
        asked.into_iter().filter_map(|(option, path, endings)| Some((option, path?, endings))).collect()
    }

    /// Writes them all; what could not be written, in words.
    fn write(&self, done: &CellsSimulation) -> Result<(), String> {
        fn words(error: impl std::fmt::Display) -> String {
            error.to_string()
        }
        done.write_labels(&self.labels).map_err(words)?;
        done.write_types(&self.types).map_err(words)?;
        if let Some(path) = &self.cells {
            done.write_cells(path).map_err(words)?;
        }
        if let Some(path) = &self.film {
            done.write_film(path).map_err(words)?;
        }
        if let Some(path) = &self.picture {
            let picture = done.picture(done.times.len() - 1).map_err(words)?;
            picture.write_png(path).map_err(words)?;
        }
        Ok(())
    }

    fn add_to(&self, object: &mut Value) {
        let files = [
            ("out", Some(&self.labels)),
            ("types_table", Some(&self.types)),
            ("cells_table", self.cells.as_ref()),
            ("film", self.film.as_ref()),
            ("picture", self.picture.as_ref()),
        ];
        for (key, path) in files {
            object[key] = json!(path);
        }
    }
}

fn text_of(done: &CellsSimulation, files: &Files) -> String {
    let last = done.times.last().copied().unwrap_or(0);
    let mut text = format!(
        "cellular-potts, {} cells, {}, {last} steps, {} states kept, seed {}\n",
        done.types.len(),
        done.lattice,
        done.times.len(),
        done.request.seed
    );
    done.notes.iter().for_each(|note| text += &format!("note: {note}\n"));
    let mean = |step: u64, kind: u8| {
        let own: Vec<f64> = done
            .rows
            .iter()
            .filter(|row| row.step == step && row.kind == kind)
            .map(|row| f64::from(row.volume))
            .collect();
        (own.len(), own.iter().sum::<f64>() / own.len().max(1) as f64)
    };
    for (kind, name) in (1..=u8::MAX).zip(&done.type_names) {
        let ((before, first), (after, end)) = (mean(0, kind), mean(last, kind));
        text += &format!(
            "type {name}: {before} cells of {first:.1} sites at the start, {after} of {end:.1} at the end\n"
        );
    }
    let written: Vec<String> = files.all().iter().map(|(_, path, _)| path.display().to_string()).collect();
    text + &format!("{} written in {:.1} s", written.join(", "), done.seconds)
}

/// FROM:TO=TYPE.
fn type_range(text: &str) -> Result<(RangeInclusive<i64>, u8), Failure> {
    let parsed = || {
        let (range, kind) = text.split_once('=')?;
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let (first, last): (i64, i64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let kind: u8 = kind.trim().parse().ok()?;
        (first <= last && first > 0 && kind > 0).then_some((first..=last, kind))
    };
    parsed().ok_or_else(|| {
        Failure::input(format!(
            "--type-range {text}: give FROM:TO=TYPE, such as 1:24=1, both ends in it; labels of cells and types count from 1, 0 is the medium, and there are at most 255 types"
        ))
    })
}

/// FROM:TO.
fn frames(text: &str) -> Result<Range<usize>, Failure> {
    let parsed = || {
        let (first, last) = text.split_once(':')?;
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first < last).then_some(first..last)
    };
    parsed().ok_or_else(|| {
        Failure::input(format!("--frames {text}: give FROM:TO, such as 0:3 for the frames 0, 1 and 2"))
    })
}

/// The folder asked for, else `out/LABELS`, with a number where that is used.
fn folder_of(arguments: &CellsFit) -> Result<RunFolder, Failure> {
    let stem = arguments.labels.file_stem().map_or("cells".into(), |s| s.to_string_lossy().into_owned());
    match &arguments.out {
        Some(out) => RunFolder::new_at(out, OUTPUTS),
        None => RunFolder::first_free(Path::new("out"), &stem),
    }
    // A fit of cells takes no time to speak of, and is not carried on.
    .map_err(|error| Failure::input(error.to_string().replace("carry it on with --resume, or give", "give")))
}
