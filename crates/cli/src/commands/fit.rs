//! Fits a model to data as a fit file says, and writes what was found.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use glauber::files::run_folder::{RunFolder, shared_folder};
use glauber::fit::fit_file::FitFile;
use glauber::fit::job::{Job, Part, RunError, Shard, prepare};
use glauber::fit::outcome::{FolderSink, OUTPUTS};
use glauber::fit::watch::ProgressWatch;
use glauber::report::progress::Show;
use serde_json::json;

use crate::arguments::Fit;
use crate::outcome::{CommandOutcome, Failure};

static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Runs `glauber fit`.
pub fn run(arguments: &Fit) -> Result<CommandOutcome, Failure> {
    let begin = Instant::now();
    let mut overrides = arguments.overrides.clone();
    overrides.extend(arguments.seed.map(|s| format!("run.seed={s}")));
    overrides.extend(arguments.threads.map(|t| format!("run.threads={t}")));
    let file = FitFile::load(&arguments.file, &overrides).map_err(Failure::input)?;
    if let Some(shard) = arguments.shard {
        return part(arguments, shard, &file, overrides);
    }
    let wanted = arguments.out.clone().or(file.run.out.clone());
    // The folder is claimed first, so that one that cannot be is refused before any work; one that stays empty goes again.
    let claimed = folder(wanted, &arguments.file, arguments.resume)?;
    let out = claimed.path().to_path_buf();
    let mut job = match prepare(&file) {
        Ok(job) => job,
        Err(error) => {
            claimed.abandon();
            return Err(Failure::job(error));
        }
    };
    let _ = ctrlc::set_handler(|| INTERRUPT.store(true, Ordering::Relaxed));
    let show = if arguments.quiet { Show::Silent } else { Show::Auto };
    let layer = job.problem.model.declarations().layers.first().cloned();
    let several = job.attempts.len() > 1;
    let sink = FolderSink::new(&out, file.run.checkpoint_every, arguments.resume, layer.as_ref(), several);
    if let Err(message) = sink.check_resumed(job.attempts.iter().map(|attempt| attempt.name.as_str())) {
        claimed.abandon();
        return Err(Failure::input(message));
    }
    let mut watch =
        |name: &str| Box::new(ProgressWatch::new(name, show, |result| result.stopped.to_string())) as Box<_>;
    let mut outcome = job.run(&mut watch, &sink, &INTERRUPT).map_err(|error| failed(&job, error))?;
    if outcome.interrupted {
        let text = format!(
            "interrupted; carry on with: glauber fit {} --out {} --resume",
            arguments.file.display(),
            out.display()
        );
        return Ok(CommandOutcome::stopped(text, json!({"stopped": "interrupted", "out": out})));
    }
    outcome.seconds = begin.elapsed().as_secs_f64();
    let done = CommandOutcome::done(outcome.text(&out), outcome.object(&out));
    match outcome.write(&out) {
        Ok(()) => {
            sink.remove_checkpoints(&outcome.fits);
            // No estimate is no result: whoever reads the exit code or standard output must not take the start for one.
            if outcome.diverged() { Err(Failure::run(done.text)) } else { Ok(done) }
        }
        // Whoever waited for the result is told it even so; the checkpoints stay, so that a resumed fit ends at once.
        Err(message) => {
            let carried = sink.has_checkpoints(&outcome.fits);
            let remedy =
                if carried { "; make room, then --resume ends the fit again and keeps it" } else { "" };
            Ok(done.unkept(&format!("{message}{remedy}")))
        }
    }
}

/// Why a job has no outcome, after what the readers of its data said.
fn failed(job: &Job, error: RunError) -> Failure {
    let failure = match error {
        RunError::Setup(error) => Failure::job(error),
        other => Failure::run(other),
    };
    failure.after(job.problem.data_notes.clone())
}

/// Does one shard, and leaves it in the folder.
fn part(
    arguments: &Fit,
    shard: Shard,
    file: &FitFile,
    overrides: Vec<String>,
) -> Result<CommandOutcome, Failure> {
    let Some(out) = arguments.out.clone().or(file.run.out.clone()) else {
        return Err(Failure::input(format!(
            "--shard {shard}: give the folder that all shards are left in, with --out"
        )));
    };
    // Refused before any work.
    Part::free(&out, shard).map_err(Failure::input)?;
    if out.join("result.json").exists() {
        return Err(Failure::input(format!(
            "--shard {shard}: {} holds a finished result (result.json), which these shards would be no part of; give another \
             folder with --out",
            out.display()
        )));
    }
    let mut job = prepare(file).map_err(Failure::job)?;
    let made = shared_folder(&out).map_err(Failure::input)?;
    let _ = ctrlc::set_handler(|| INTERRUPT.store(true, Ordering::Relaxed));
    let show = if arguments.quiet { Show::Silent } else { Show::Auto };
    let mut watch =
        |name: &str| Box::new(ProgressWatch::new(name, show, |result| result.stopped.to_string())) as Box<_>;
    let path = std::path::absolute(&arguments.file).unwrap_or_else(|_| arguments.file.clone());
    let again = format!("glauber fit {} --shard {shard} --out {}", arguments.file.display(), out.display());
    let done = match job.part(shard, (path, overrides), &out, &mut watch, &INTERRUPT) {
        Ok(done) => done,
        Err(RunError::Interrupted) => {
            let text = format!("interrupted; carry on with: {again}");
            return Ok(CommandOutcome::stopped(text, json!({"stopped": "interrupted", "out": out})));
        }
        Err(error) => {
            // One that stays empty goes again.
            let _ = made.then(|| std::fs::remove_dir(&out));
            return Err(match error {
                RunError::Piece(_) => Failure::input(error),
                other => failed(&job, other),
            });
        }
    };
    let written = done.write(&out).map_err(Failure::run)?;
    let text = format!(
        "shard {shard}: {} fits, in {}; when all are there: glauber merge {}",
        done.len(),
        written.display(),
        out.display()
    );
    let object =
        json!({"shard": shard.number, "of": shard.of, "fits": done.len(), "file": written, "out": out});
    Ok(CommandOutcome::done(text, object))
}

/// The folder for the results: the one asked for, or the first free one (when resuming, the last used) below `out/`.
fn folder(wanted: Option<PathBuf>, file: &Path, resume: bool) -> Result<RunFolder, Failure> {
    let stem = file.file_stem().map_or("fit".into(), |s| s.to_string_lossy().into_owned());
    let below = Path::new("out");
    match (wanted, resume) {
        (Some(folder), false) => RunFolder::new_at(folder, OUTPUTS),
        (None, false) => RunFolder::first_free(below, &stem),
        (Some(folder), true) => RunFolder::resumed(folder),
        (None, true) => {
            RunFolder::resumed(RunFolder::newest(below, &stem).unwrap_or_else(|| below.join(stem)))
        }
    }
    .map_err(Failure::input)
}
