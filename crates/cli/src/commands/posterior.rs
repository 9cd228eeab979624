//! Draws from the posterior of a fit file's parameters, or profiles their likelihood, and writes what came of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use glauber::engine::useful_threads;
use glauber::files::run_folder::{RunFolder, write_whole};
use glauber::fit::fit_file::FitFile;
use glauber::fit::inference::{Inference, POSTERIOR_OUTPUTS, PROFILE_OUTPUTS, draw, profiled};
use glauber::fit::job::prepare;
use glauber::inference::likelihood::Stop;
use glauber::inference::posterior::PosteriorError;
use glauber::inference::profile::ProfileError;
use serde_json::{Value, json};

use crate::arguments::{Posterior, Profile};
use crate::outcome::{CommandOutcome, Failure};

static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Runs `glauber posterior`.
pub fn run(arguments: &Posterior) -> Result<CommandOutcome, Failure> {
    let mut overrides = arguments.overrides.clone();
    overrides.extend(arguments.seed.map(|s| format!("run.seed={s}")));
    overrides.extend(arguments.threads.map(|t| format!("run.threads={t}")));
    let ready =
        Ready::of(&arguments.file, &overrides, arguments.out.as_ref(), "posterior", POSTERIOR_OUTPUTS)?;
    let density = match ready.inference.density() {
        Ok(density) => density,
        Err(error) => {
            ready.folder.abandon();
            return Err(Failure::input(error));
        }
    };
    let settings = ready.inference.settings;
    let drawn =
        ready.pool.install(|| draw(&density, settings, ready.inference.about(), &INTERRUPT, &|_, _| {}));
    let drawn = match drawn {
        Ok(drawn) => drawn,
        Err(error) => {
            ready.folder.abandon();
            return match error {
                PosteriorError::Interrupted => Ok(interrupted()),
                PosteriorError::Setting(_) | PosteriorError::Nowhere { .. } => Err(Failure::input(error)),
                other => Err(Failure::run(other)),
            };
        }
    };
    let folder = ready.folder.path();
    let written = ready.write_fit_file().and_then(|()| drawn.write(folder));
    Ok(ended(drawn.text(), drawn.object(), folder, written))
}

/// Runs `glauber profile`.
pub fn profile(arguments: &Profile) -> Result<CommandOutcome, Failure> {
    let mut overrides = arguments.overrides.clone();
    overrides.extend(arguments.threads.map(|t| format!("run.threads={t}")));
    let ready = Ready::of(&arguments.file, &overrides, arguments.out.as_ref(), "profile", PROFILE_OUTPUTS)?;
    let level = arguments.level.unwrap_or(0.95);
    let names: Vec<String> = arguments.parameters.iter().map(|name| name.trim().to_string()).collect();
    let found = ready
        .pool
        .install(|| profiled(&*ready.inference.likelihood, &names, level, ready.inference.about(), None));
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            ready.folder.abandon();
            return match error {
                ProfileError::Likelihood(Stop::Interrupted) => Ok(interrupted()),
                ProfileError::Likelihood(_) => Err(Failure::run(error)),
                other => Err(Failure::input(other)),
            };
        }
    };
    let folder = ready.folder.path();
    Ok(ended(found.text(), found.object(), folder, found.write(folder)))
}

/// All that is read before anything is computed.
struct Ready {
    inference: Inference,
    folder: RunFolder,
    /// The fit file with every default and override written out.
    fit_file: Result<String, String>,
    pool: rayon::ThreadPool,
}

impl Ready {
    fn of(
        path: &Path,
        overrides: &[String],
        out: Option<&PathBuf>,
        what: &str,
        outputs: &[&str],
    ) -> Result<Ready, Failure> {
        let mut file = FitFile::load(path, overrides).map_err(Failure::input)?;
        let threads = useful_threads(usize::try_from(file.run.threads).unwrap_or(0));
        let fit_file = file.to_toml().map_err(|error| error.to_string());
        // One pool for chains and for the lattices within.
        file.run.threads = 0;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::run)?;
        let stem = path.file_stem().map_or("fit".into(), |stem| stem.to_string_lossy().into_owned());
        let folder = match out {
            Some(folder) => RunFolder::new_at(folder, outputs),
            None => RunFolder::first_free(Path::new("out"), &format!("{stem}-{what}")),
        };
        let folder = folder.map_err(Failure::input)?;
        let _ = ctrlc::set_handler(|| INTERRUPT.store(true, Ordering::Relaxed));
        let read = || Inference::of(&prepare(&file)?.problem);
        match pool.install(read) {
            Ok(inference) => Ok(Ready { inference, folder, fit_file, pool }),
            Err(error) => {
                folder.abandon();
                Err(Failure::job(error))
            }
        }
    }
}

impl Ready {
    /// Writes `fit.toml`, so that what was drawn from can be seen and run again.
    fn write_fit_file(&self) -> Result<(), String> {
        let text = self.fit_file.clone()?;
        write_whole(self.folder.path().join("fit.toml"), text).map_err(|error| error.to_string())
    }
}

fn interrupted() -> CommandOutcome {
    CommandOutcome::stopped("interrupted; nothing was kept", json!({"stopped": "interrupted"}))
}

fn ended(text: String, mut object: Value, folder: &Path, written: Result<(), String>) -> CommandOutcome {
    if let Some(object) = object.as_object_mut() {
        object.insert("out".into(), json!(folder));
    }
    let done = CommandOutcome::done(format!("{text}\nwritten to {}", folder.display()), object);
    match written {
        Ok(()) => done,
        Err(message) => done.unkept(&message),
    }
}
