//! Fits the Cellular Potts model to a stack of labels, and writes what was found.

use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::time::Instant;

use glauber::cellular_potts::Acceptance;
use glauber::data::images::Pick;
use glauber::engine::useful_threads;
use glauber::files::number;
use glauber::files::run_folder::RunFolder;
use glauber::fit::cells::{CellsRequest, OUTPUTS, run as fit_cells};

use crate::arguments::{AcceptanceChoice, CellsCommand, CellsFit, CellsWhat};
use crate::commands::pairs;
use crate::outcome::{CommandOutcome, Failure};

/// Runs `glauber cells`.
pub fn run(arguments: &CellsCommand) -> Result<CommandOutcome, Failure> {
    match &arguments.what {
        CellsWhat::Fit(own) => fit(own),
    }
}

fn fit(arguments: &CellsFit) -> Result<CommandOutcome, Failure> {
    let begin = Instant::now();
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
        Err(message) => {
            let unwritten = Some(format!("the result could not be kept: {message}"));
            CommandOutcome { unwritten, ..done }
        }
    })
}

fn request_of(arguments: &CellsFit) -> Result<CellsRequest, Failure> {
    let fixed = pairs(&arguments.fixed, "--set")?
        .into_iter()
        .map(|(name, value)| match number(value).filter(|x| x.is_finite()) {
            Some(x) => Ok((name.to_string(), x)),
            None => Err(Failure::input(format!("--set {name}={value}: `{value}` is not a number"))),
        })
        .collect::<Result<Vec<(String, f64)>, Failure>>()?;
    if arguments.coarsen == 0 || arguments.every == 0 {
        return Err(Failure::input("--coarsen and --every count from 1"));
    }
    Ok(CellsRequest {
        array: arguments.array.clone(),
        channel: arguments.channel.map(Pick::Number),
        depth: arguments.depth,
        types: arguments.types.clone(),
        type_ranges: arguments
            .type_ranges
            .iter()
            .map(|text| type_range(text))
            .collect::<Result<_, Failure>>()?,
        torus: arguments.torus,
        coarsen: arguments.coarsen,
        frames: arguments.frames.as_deref().map(frames).transpose()?,
        every: arguments.every,
        acceptance: match arguments.acceptance {
            AcceptanceChoice::Metropolis => Acceptance::Metropolis,
            AcceptanceChoice::HeatBath => Acceptance::HeatBath,
        },
        connected: arguments.connected,
        unknown: arguments.fit.iter().map(|name| name.trim().to_string()).collect(),
        fixed,
        replicates: arguments.replicates,
        seed: arguments.seed,
        ..CellsRequest::new(&arguments.labels)
    })
}

/// FROM:TO=TYPE.
fn type_range(text: &str) -> Result<(RangeInclusive<i64>, u8), Failure> {
    let parsed = || {
        let (range, kind) = text.split_once('=')?;
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let (first, last): (i64, i64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let kind: u8 = kind.trim().parse().ok()?;
        (first <= last && kind > 0).then_some((first..=last, kind))
    };
    parsed().ok_or_else(|| {
        Failure::input(format!("--type-range {text}: give FROM:TO=TYPE, such as 1:24=1, both ends in it"))
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
    .map_err(Failure::input)
}
