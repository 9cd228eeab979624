//! Writes an outcome into a folder, and keeps checkpoints and tests there while the fits run.

use std::path::{Path, PathBuf};

use glauber_data::Overwrite;
use glauber_files::run_folder::write_whole;
use glauber_lattice::Values;
use glauber_optimize::checkpoint::CheckpointPolicy;
use glauber_program::Layer;
use glauber_tasks::formation::{Formation, FormationTest};

use super::formation::{FormationTests, TestsFolder};
use super::sink::Sink;
use super::{Fit, Outcome};

/// What a fit writes into its folder whatever its task, besides what shows that a folder holds a run.
pub const OUTPUTS: &[&str] =
    &["fit.toml", "trace.svg", "msd.svg", "summary.svg", "posterior.json", "draws.csv"];

/// A fit's name as part of a file's name.
pub(crate) fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Outcome {
    /// Writes everything: traces (`trace.csv` of the best), their picture, curves, maps, tests, `fit.toml`, `result.json`.
    ///
    /// # Errors
    /// What could not be written, in words.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        if let Some(start) = &self.start {
            start.write(folder)?;
        }
        for (number, Fit { name, result, .. }) in self.fits.iter().enumerate() {
            let name = match number == self.best.number {
                true => "trace.csv".to_string(),
                false => format!("trace-{}.csv", file_name(name)),
            };
            result.trace.write_csv(&folder.join(name), Overwrite::Replace).map_err(words)?;
        }
        self.figure().write(folder.join("trace.svg")).map_err(words)?;
        match &self.curves {
            Some(Ok(curves)) => curves.write(folder)?,
            Some(Err(why)) => return Err(why.clone()),
            None => {}
        }
        if let Some(drawn) = &self.posterior {
            drawn.write(folder)?;
        }
        if let Some(text) = &self.fit_file {
            write_whole(folder.join("fit.toml"), text.clone()?).map_err(words)?;
        }
        let text = serde_json::to_string_pretty(&self.object(folder)).map_err(words)?;
        write_whole(folder.join("result.json"), text + "\n").map_err(words)
    }

    /// Writes the formation tests of all fits, for those that did not keep them in a [`FolderSink`].
    ///
    /// # Errors
    /// What could not be written, in words.
    pub fn write_tests(&self, folder: &Path) -> Result<(), String> {
        let layer = usual_layer(self.layer.as_ref());
        for fit in &self.fits {
            if let Some(tests) = &fit.formation {
                let several = self.fits.len() > 1;
                TestsFolder::new(folder, &file_name(&fit.name), several, &layer).keep_all(tests)?;
            }
        }
        Ok(())
    }
}

fn usual_layer(layer: Option<&Layer>) -> Layer {
    layer.cloned().unwrap_or_else(|| Layer::new("", Values::Real))
}

/// Keeps checkpoints and formation tests in a run folder.
pub struct FolderSink {
    out: PathBuf,
    every: u64,
    resume: bool,
    layer: Layer,
    several: bool,
}

impl FolderSink {
    /// In this folder, a checkpoint every so many steps; `resume` carries on from those that are there. The tests are of
    /// the model's first layer, and `several` says whether there is more than one fit.
    pub fn new(out: &Path, every: u64, resume: bool, layer: Option<&Layer>, several: bool) -> FolderSink {
        FolderSink { out: out.to_path_buf(), every, resume, layer: usual_layer(layer), several }
    }

    fn path(&self, attempt: &str) -> PathBuf {
        self.out.join(format!("checkpoint-{attempt}"))
    }

    fn tests(&self, attempt: &str) -> TestsFolder<'_> {
        TestsFolder::new(&self.out, attempt, self.several, &self.layer)
    }

    /// Whether a checkpoint of one of these fits is there.
    pub fn has_checkpoints(&self, fits: &[Fit]) -> bool {
        fits.iter().any(|fit| self.path(&file_name(&fit.name)).exists())
    }

    /// Refuses a folder with a checkpoint of none of the fits of these names: to begin anew beside it would leave a run behind
    /// that can be carried on no more.
    ///
    /// # Errors
    /// What is there and what is not, in words.
    pub fn check_resumed<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
        let names: Vec<String> = names.map(file_name).collect();
        let entries = std::fs::read_dir(&self.out).into_iter().flatten().flatten();
        let mut found: Vec<String> = entries
            .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("checkpoint-").map(str::to_string))
            .collect();
        found.sort();
        match found.into_iter().find(|own| !names.contains(own)) {
            Some(other) if self.resume => Err(format!(
                "{} holds the checkpoint of a fit by `{other}`, but the fit file, with what --set changes of it, now fits by \
                 {}: restore its loss, estimator and starts to carry on, or start in another output folder",
                self.out.display(),
                names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            )),
            _ => Ok(()),
        }
    }

    /// Removes the checkpoints of fits whose outcome is written.
    pub fn remove_checkpoints(&self, fits: &[Fit]) {
        for fit in fits {
            // What stays is refused by the next run, with its name.
            let _ = std::fs::remove_file(self.path(&file_name(&fit.name)));
        }
    }
}

impl Sink for FolderSink {
    fn checkpoint(&self, attempt: &str) -> Option<CheckpointPolicy> {
        Some(CheckpointPolicy { path: self.path(attempt), every: self.every, resume: self.resume })
    }

    fn keep_tests(&self, attempt: &str, tests: &FormationTests) -> Result<(), String> {
        self.tests(attempt).keep_newest(tests)
    }

    fn earlier_tests(&self, attempt: &str, test: &FormationTest, every: u64, first: u64) -> Vec<Formation> {
        self.tests(attempt).earlier(test, every, first)
    }
}
