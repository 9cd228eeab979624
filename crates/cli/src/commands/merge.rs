//! Puts together what the shards of a fit have left, and writes what was found.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use glauber::files::run_folder::{FileError, RunFolder};
use glauber::fit::fit_file::FitFile;
use glauber::fit::job::{Parts, RunError, prepare};
use glauber::fit::outcome::{OUTPUTS, Unkept};
use glauber::fit::watch::ProgressWatch;
use glauber::report::progress::Show;

use crate::arguments::Merge;
use crate::outcome::{CommandOutcome, Failure};

/// Runs `glauber merge`.
pub fn run(arguments: &Merge) -> Result<CommandOutcome, Failure> {
    let parts = Parts::read(&arguments.folder).map_err(Failure::input)?;
    let (path, overrides) = parts.source();
    let path = arguments.file.clone().unwrap_or_else(|| path.to_path_buf());
    let mut overrides = overrides.to_vec();
    overrides.extend(arguments.threads.map(|t| format!("run.threads={t}")));
    let mut file = FitFile::load(&path, &overrides).map_err(|error| {
        let hint = if path.exists() { "" } else { "; say where it is now with --file" };
        Failure::input(format!("{error}{hint}"))
    })?;
    let out = arguments.out.clone().unwrap_or_else(|| arguments.folder.clone());
    let claimed = RunFolder::new_at(out, OUTPUTS).map_err(refused)?;
    let job = prepare(&file).map_err(Failure::job).and_then(|job| {
        parts.check(&job).map_err(Failure::input)?;
        file.given.pieces = Some(Arc::new(parts));
        prepare(&file).map_err(Failure::job)
    });
    let mut job = match job {
        Ok(job) => job,
        Err(failure) => {
            claimed.abandon();
            return Err(failure);
        }
    };
    let out = claimed.path();
    let mut watch = |name: &str| {
        Box::new(ProgressWatch::new(name, Show::Silent, |result| result.stopped.to_string())) as Box<_>
    };
    let outcome = job.run(&mut watch, &Unkept, &AtomicBool::new(false)).map_err(|error| match error {
        RunError::Setup(error) => Failure::input(error),
        other => Failure::run(other),
    })?;
    let done = CommandOutcome::done(outcome.text(out), outcome.object(out));
    match outcome.write(out) {
        Ok(()) if outcome.diverged() => Err(Failure::run(done.text)),
        Ok(()) => Ok(done),
        Err(message) => Ok(done.unkept(&message)),
    }
}

/// Why results cannot be put into a folder: what is there is not carried on here.
fn refused(error: FileError) -> Failure {
    Failure::input(match error {
        FileError::HoldsARun { path, found } if found.starts_with("checkpoint") => format!(
            "{} holds a checkpoint of a fit that was stopped ({found}), though all shards are there: delete it if it is of none \
             that is still to run, or give another folder with --out",
            path.display()
        ),
        FileError::HoldsARun { path, found } => format!(
            "{} already holds a run (found {found}) and nothing in it is overwritten; give another folder with --out",
            path.display()
        ),
        other => other.to_string(),
    })
}
