//! Says draws and profiles in words and JSON, and writes them into a folder.

use std::path::Path;

use glauber_files::run_folder::write_whole;
use serde_json::{Value, json};

use super::{Drawn, Profiled};

/// What `glauber posterior` writes, besides what shows that a folder holds a run.
pub const POSTERIOR_OUTPUTS: &[&str] = &["posterior.json", "draws.csv", "fit.toml"];
/// What `glauber profile` writes.
pub const PROFILE_OUTPUTS: &[&str] = &["profile.json", "profile.csv"];

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Drawn {
    /// In words: whether the draws may be used, each parameter, what is to be known.
    pub fn text(&self) -> String {
        let mut text = self.posterior.text();
        self.about.notes.iter().for_each(|note| text += &format!("\nnote: {note}"));
        text + &format!("\n{} evaluations in {:.2} s", self.posterior.evaluations, self.seconds)
    }

    /// As JSON.
    pub fn object(&self) -> Value {
        let mut object = self.posterior.object();
        let notes: Vec<String> =
            self.posterior.notes().into_iter().chain(self.about.notes.iter().cloned()).collect();
        object.insert("notes".into(), json!(notes));
        object.insert("model".into(), json!(self.about.model));
        object.insert("seconds".into(), json!(self.seconds));
        Value::Object(object)
    }

    /// Writes `posterior.json` and `draws.csv`.
    ///
    /// # Errors
    /// In words, where a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let object = serde_json::to_string_pretty(&self.object()).map_err(words)?;
        write_whole(folder.join("posterior.json"), object + "\n").map_err(words)?;
        write_whole(folder.join("draws.csv"), self.posterior.csv()).map_err(words)
    }
}

impl Profiled {
    /// In words: what the data determine, each parameter, what is to be known.
    pub fn text(&self) -> String {
        let mut text = self.profiles.text();
        self.about.notes.iter().for_each(|note| text += &format!("\nnote: {note}"));
        text + &format!("\n{:.2} s", self.seconds)
    }

    /// As JSON.
    pub fn object(&self) -> Value {
        let mut object = self.profiles.object();
        let notes: Vec<String> =
            self.profiles.notes().into_iter().chain(self.about.notes.iter().cloned()).collect();
        object.insert("notes".into(), json!(notes));
        object.insert("model".into(), json!(self.about.model));
        object.insert("seconds".into(), json!(self.seconds));
        Value::Object(object)
    }

    /// Writes `profile.json`, and `profile.csv` with the curves: profiled parameter, its value, ln likelihood, all others.
    ///
    /// # Errors
    /// In words, where a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let object = serde_json::to_string_pretty(&self.object()).map_err(words)?;
        write_whole(folder.join("profile.json"), object + "\n").map_err(words)?;
        let mut table = format!("profiled,value,log_likelihood,{}\n", self.profiles.names.join(","));
        for p in &self.profiles.profiles {
            for ((value, height), path) in p.values.iter().zip(&p.heights).zip(&p.paths) {
                let path: Vec<String> = path.iter().map(f64::to_string).collect();
                table += &format!("{},{value},{height},{}\n", p.parameter.name, path.join(","));
            }
        }
        write_whole(folder.join("profile.csv"), table).map_err(words)
    }
}
