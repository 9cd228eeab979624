//! Keeps the result of every finished part in a file of its own, and how long it took in another.
//!
//! `parts/NAME.json` holds settings, build and result: written whole or not at all, without times, so that two runs with
//! one seed leave the same files. `times/NAME.json` holds the seconds. A checkpoint of a fit under way stands beside its
//! part. Results are always read back from their files, so that a run that was stopped goes on with the same bits.

use std::fs;
use std::path::{Path, PathBuf};

use glauber_files::run_folder::write_whole;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ReproduceError;

/// The file that marks a folder as one of ours.
const MARK: &str = "reproduce.json";

/// The kept results of one folder.
pub(crate) struct Store {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    settings: String,
    build: String,
    result: T,
}

impl Store {
    /// The store of a folder, which is made where it is not there. `what` tells this reproduction from others: a folder
    /// of another one is refused, and so is one that holds anything else.
    pub(crate) fn open(folder: &Path, what: &Value, fresh: bool) -> Result<Store, ReproduceError> {
        let failed = |e: std::io::Error| ReproduceError::input(format!("{}: {e}", folder.display()));
        let mark = folder.join(MARK);
        let elsewhere = "give another folder with --out";
        if mark.is_file() {
            let text = fs::read(&mark).map_err(failed)?;
            let found: Value = serde_json::from_slice(&text).unwrap_or_default();
            if fresh {
                for inner in ["parts", "times"] {
                    let _ = fs::remove_dir_all(folder.join(inner));
                }
            } else if found != *what {
                return Err(ReproduceError::input(format!(
                    "{} holds a reproduction with {found}, but this one has {what}: {elsewhere}, or begin anew with --fresh",
                    folder.display()
                )));
            }
        } else if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(ReproduceError::input(format!(
                "{} holds something else than a reproduction: {elsewhere}",
                folder.display()
            )));
        }
        for inner in ["parts", "times", "figures", "numbers"] {
            fs::create_dir_all(folder.join(inner)).map_err(failed)?;
            remove_halves(&folder.join(inner)).map_err(failed)?;
        }
        write_whole(&mark, format!("{what:#}\n")).map_err(ReproduceError::input)?;
        Ok(Store { folder: folder.to_path_buf() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join("parts").join(format!("{name}.json"))
    }

    /// Where the checkpoint of a part's fit goes.
    pub(crate) fn checkpoint(&self, name: &str) -> PathBuf {
        self.folder.join("parts").join(format!("{name}.checkpoint"))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<Kept<T>> {
        serde_json::from_slice(&fs::read(self.path(name)).ok()?).ok()
    }

    /// Whether a part was finished with these very settings.
    pub(crate) fn finished(&self, name: &str, settings: &str) -> bool {
        self.read::<serde::de::IgnoredAny>(name).is_some_and(|kept| kept.settings == settings)
    }

    /// Keeps what a part found.
    pub(crate) fn keep(
        &self,
        name: &str,
        settings: &str,
        result: Value,
        seconds: f64,
    ) -> Result<(), ReproduceError> {
        let times = self.folder.join("times").join(format!("{name}.json"));
        write_whole(times, json!({ "seconds": seconds }).to_string()).map_err(ReproduceError::part)?;
        let kept = Kept { settings: settings.to_string(), build: build(), result };
        let text = serde_json::to_string(&kept).map_err(ReproduceError::part)?;
        write_whole(self.path(name), text).map_err(ReproduceError::part)?;
        let _ = fs::remove_file(self.checkpoint(name));
        Ok(())
    }

    /// What a part found.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, ReproduceError> {
        let path = self.path(name);
        let wrong = |e: String| {
            ReproduceError::part(format!("{}: {e}; remove the file and run again", path.display()))
        };
        let text = fs::read(&path).map_err(|e| wrong(e.to_string()))?;
        serde_json::from_slice::<Kept<T>>(&text).map(|kept| kept.result).map_err(|e| wrong(e.to_string()))
    }

    /// How long one part took.
    pub(crate) fn seconds_of(&self, name: &str) -> f64 {
        let text = fs::read(self.folder.join("times").join(format!("{name}.json"))).unwrap_or_default();
        let found = serde_json::from_slice::<Value>(&text).ok();
        found.and_then(|value| value["seconds"].as_f64()).unwrap_or(0.0)
    }

    /// How long all parts whose names begin so took together.
    pub(crate) fn seconds(&self, begins: &str) -> f64 {
        let Ok(entries) = fs::read_dir(self.folder.join("times")) else { return 0.0 };
        let of = |entry: fs::DirEntry| -> Option<f64> {
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = fs::read(entry.path()).ok().filter(|_| name.starts_with(begins))?;
            serde_json::from_slice::<Value>(&text).ok()?["seconds"].as_f64()
        };
        entries.filter_map(|entry| of(entry.ok()?)).sum()
    }

    /// How many kept results are of another build than this one.
    pub(crate) fn of_other_builds(&self, names: &[String]) -> usize {
        let build = build();
        let other =
            |name: &&String| self.read::<serde::de::IgnoredAny>(name).is_some_and(|kept| kept.build != build);
        names.iter().filter(other).count()
    }

    /// Writes a file below the folder, whole or not at all.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ReproduceError> {
        write_whole(self.folder.join(name), bytes).map_err(ReproduceError::part)
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Removes what a killed run had begun to write: hidden files whose names end in `.part` or `.partial`.
fn remove_halves(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden && path.extension().is_some_and(|e| e.to_string_lossy().starts_with("part")) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Tells this build of the program from others: a number from its bytes.
fn build() -> String {
    static BUILD: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let of_program = || {
        let bytes = std::env::current_exe().and_then(fs::read).unwrap_or_default();
        // FNV-1a over words: told apart, not secured.
        let mixed = bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325u64, |sum, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let mixed = (sum ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3);
            mixed ^ (mixed >> 29)
        });
        format!("{} {mixed:016x}", env!("CARGO_PKG_VERSION"))
    };
    BUILD.get_or_init(of_program).clone()
}
