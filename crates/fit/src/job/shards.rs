//! Shares a job out among runs that know nothing of each other, and puts together what they leave.
//!
//! A shard `3/16` does every 16th piece from the third on: fits of several starts, each with its bootstrap; of one start the
//! fits of its bootstrap. It leaves one file; all of them together give the outcome of one run, bit for bit.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use glauber_inference::apart::{read, written};
use glauber_inference::bootstrap::DATA_SETS;
use glauber_optimize::checkpoint::{CheckpointPolicy, Identity, flatten};
use glauber_optimize::observer::Observer;
use serde::{Deserialize, Serialize};

use super::{Job, RunError, errors};
use crate::fit_file::{Piece, Pieces};
use glauber_files::run_folder::{FileError, WholeFile};

const FIRST_LINE: &[u8] = b"glauber shard 1\n";
const A_FOLDER: &str = "it is a folder, and has the name of a shard's file: move it away";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What a fit file says of how a fit runs, which its course does not depend on, and where its data lie.
const OF_NO_MATTER: [&str; 5] = ["data.", "run.threads", "run.out", "run.memory", "run.checkpoint-every"];

/// Which of how many shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;
    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').map(|(a, b)| (a.trim().parse(), b.trim().parse()));
        match parts {
            Some((Ok(number), Ok(of))) if (1..=of).contains(&number) => Ok(Shard { number, of }),
            Some((Ok(_), Ok(0))) => {
                Err("no shards at all were asked for: give which of how many, such as 3/16".into())
            }
            Some((Ok(number), Ok(of))) => {
                Err(format!("there is no shard {number} of {of}: they are numbered from 1 to {of}"))
            }
            _ => Err("give which of how many, such as 3/16".into()),
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Shard {
    /// The name of the file that it leaves.
    pub fn file_name(self) -> String {
        format!("shard-{}-of-{}", self.number, self.of)
    }

    fn has(self, piece: usize) -> bool {
        piece % self.of == self.number - 1
    }
}

/// What a shard leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which it is.
    pub shard: Shard,
    /// The fit file.
    pub file: PathBuf,
    /// What was given in place of its values.
    pub overrides: Vec<String>,
    /// What the fits depend on, fit by fit.
    identities: Vec<Identity>,
    pieces: Vec<(Piece, Vec<u8>)>,
}

/// Why shards cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// A file could not be read or written.
    #[error("{}: {why}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

impl Part {
    /// How many pieces it has done.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether it has done none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Writes it into a folder, over nothing.
    ///
    /// # Errors
    /// [`ShardError`] where it is there, or cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, ShardError> {
        use std::io::Write;
        let path = Part::free(folder, self.shard)?;
        let contents = written(self);
        let bytes = written(&(VERSION, checksum(&contents), contents));
        let mut file = WholeFile::create(&path)?;
        let put = file.write_all(FIRST_LINE).and_then(|()| file.write_all(&bytes));
        put.map_err(|e| ShardError::File { path: path.clone(), why: e.to_string() })?;
        file.finish()?;
        Ok(path)
    }

    /// The path of a shard that is not there yet.
    ///
    /// # Errors
    /// [`ShardError`] where it is there.
    pub fn free(folder: &Path, shard: Shard) -> Result<PathBuf, ShardError> {
        let path = folder.join(shard.file_name());
        match path.symlink_metadata() {
            Err(_) => Ok(path),
            Ok(own) if own.is_dir() => Err(ShardError::File { path, why: A_FOLDER.into() }),
            Ok(_) => Err(ShardError::File {
                path,
                why: "this shard is there already and is not overwritten; delete it to do it again, or give another \
                      folder with --out"
                    .into(),
            }),
        }
    }

    fn read(path: &Path) -> Result<Part, ShardError> {
        let wrong = |why: String| ShardError::File { path: path.to_path_buf(), why };
        if path.is_dir() {
            return Err(wrong(A_FOLDER.into()));
        }
        let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
        let damaged =
            || wrong("it is no shard that glauber wrote, or was changed: run that shard again".into());
        let bytes = bytes.strip_prefix(FIRST_LINE).ok_or_else(damaged)?;
        let (version, sum, contents): (String, u64, Vec<u8>) = read(bytes).ok_or_else(damaged)?;
        if version != VERSION {
            return Err(wrong(format!(
                "it was made by glauber {version}, but this is glauber {VERSION}: run all shards by one version"
            )));
        }
        if checksum(&contents) != sum {
            return Err(damaged());
        }
        read(&contents).ok_or_else(damaged)
    }
}

impl Job {
    /// Does a shard. Fits that were interrupted go on from their checkpoints in `folder`.
    ///
    /// # Errors
    /// [`RunError`] where there is nothing to share out, or not so much; as [`Job::run`].
    pub fn part<'w>(
        &mut self,
        shard: Shard,
        (file, overrides): (PathBuf, Vec<String>),
        folder: &Path,
        observer: &mut dyn FnMut(&str) -> Box<dyn Observer + 'w>,
        interrupt: &AtomicBool,
    ) -> Result<Part, RunError> {
        let bootstrap = self.problem.file.errors.as_deref() == Some("bootstrap");
        let fits = self.attempts.len();
        let all = if fits > 1 {
            fits
        } else if bootstrap {
            DATA_SETS
        } else {
            1
        };
        if all == 1 {
            let why = "there is nothing to share out: it is one fit from one start, without a bootstrap; give several starts, \
                       or leave --shard out";
            return Err(RunError::Piece(why.into()));
        }
        if self.problem.file.run.formation_test.is_some() {
            let why = "the formation test of a fit watches its steps, which shards do not bring together: leave out \
                       run.formation-test, or --shard";
            return Err(RunError::Piece(why.into()));
        }
        if shard.of > all {
            let why =
                format!("--shard {shard}: there are only {all} fits to share out: give at most {all} shards");
            return Err(RunError::Piece(why));
        }
        let every = self.problem.file.run.checkpoint_every;
        let mut pieces = Vec::new();
        for number in (0..fits).filter(|number| fits == 1 || shard.has(*number)) {
            // Every shard of one bootstrap runs the fit itself, with a checkpoint of its own.
            let own = if fits == 1 { format!("-{}", shard.number) } else { String::new() };
            let path = folder.join(format!("checkpoint-{}{own}", self.attempts[number].file_name()));
            let policy = CheckpointPolicy { path: path.clone(), every, resume: true };
            let mut watch = observer(&self.attempts[number].name);
            let (result, bytes) = self.attempt(number, Some(&mut *watch), policy, interrupt)?;
            pieces.push((Piece::Attempt(number), bytes));
            if errors::is_resampled(&self.problem, &result) {
                for set in (0..DATA_SETS).filter(|set| fits > 1 || shard.has(*set)) {
                    let piece = Piece::DataSet { theta: result.theta.clone(), number: set };
                    let bytes = self.piece(&piece, interrupt)?;
                    pieces.push((piece, bytes));
                }
            }
            // What stays is carried on from where it ends at once.
            let _ = std::fs::remove_file(path);
        }
        Ok(Part { shard, file, overrides, identities: self.identities(), pieces })
    }

    /// What the fits depend on, fit by fit, and last what the fit file says of their course; of the data the fits know more.
    fn identities(&self) -> Vec<Identity> {
        let mut settings = Identity::new();
        if let Ok(value) = serde_json::to_value(&self.problem.file) {
            flatten("", &value, &mut settings);
        }
        settings.retain(|(key, _)| !OF_NO_MATTER.iter().any(|other| key.starts_with(other)));
        let fits = self.attempts.iter().map(|attempt| attempt.identity.clone());
        fits.chain(std::iter::once(settings)).collect()
    }
}

/// All shards of a job.
#[derive(Debug)]
pub struct Parts(Vec<Part>);

impl Parts {
    /// Those in a folder.
    ///
    /// # Errors
    /// [`ShardError`] where some are missing, damaged, of another version, or of several jobs.
    pub fn read(folder: &Path) -> Result<Parts, ShardError> {
        let wrong = |path: &Path, why: String| ShardError::File { path: path.to_path_buf(), why };
        let unread = |e: std::io::Error| {
            let why = if folder.is_file() {
                "it is a file: give the folder that `glauber fit --shard` wrote into, its --out".to_string()
            } else if e.kind() == std::io::ErrorKind::NotFound {
                "there is no such folder: give the one that `glauber fit --shard` wrote into, its --out"
                    .to_string()
            } else {
                e.to_string()
            };
            wrong(folder, why)
        };
        let entries = std::fs::read_dir(folder).map_err(unread)?;
        let begins = |path: &Path, with: &str| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(with))
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        // What a shard that was stopped has left.
        let unfinished = match paths.iter().filter(|path| begins(path, "checkpoint-")).count() {
            0 => "",
            1 => "; one is unfinished and has left its checkpoint, from where it carries on",
            _ => "; some are unfinished and have left checkpoints, from where they carry on",
        };
        paths.retain(|path| begins(path, "shard-"));
        let mut parts: Vec<(PathBuf, Part)> = Vec::new();
        for path in paths {
            let part = Part::read(&path)?;
            if let Some((first, other)) = parts.first() {
                if part.shard.of != other.shard.of {
                    let why = format!(
                        "it is one of {} shards, but {} is one of {}: keep the shards of one job in a folder of their own",
                        part.shard.of,
                        first.display(),
                        other.shard.of
                    );
                    return Err(wrong(&path, why));
                }
                if let Some(what) = difference(&other.identities, &part.identities) {
                    let why = format!("it is of another fit than {}: {what}", first.display());
                    return Err(wrong(&path, why));
                }
            }
            if let Some((twin, _)) = parts.iter().find(|(_, own)| own.shard == part.shard) {
                let why = format!("it is shard {}, as {} is: delete one", part.shard, twin.display());
                return Err(wrong(&path, why));
            }
            parts.push((path, part));
        }
        let Some((_, first)) = parts.first() else {
            let why = "it holds no shards: make them with glauber fit FILE --shard 1/N --out of this folder";
            return Err(wrong(folder, format!("{why}{unfinished}")));
        };
        let of = first.shard.of;
        let there = |number: &usize| parts.iter().any(|(_, part)| part.shard.number == *number);
        let missing: Vec<String> = (1..=of).filter(|n| !there(n)).map(|n| n.to_string()).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let why = format!("of {of} shards these are missing: {missing}; run them first{unfinished}");
            return Err(wrong(folder, why));
        }
        Ok(Parts(parts.into_iter().map(|(_, part)| part).collect()))
    }

    /// The fit file, and what was given in place of its values.
    pub fn source(&self) -> (&Path, &[String]) {
        self.0.first().map_or((Path::new(""), &[]), |part| (&part.file, &part.overrides))
    }

    /// Refuses shards of another job.
    ///
    /// # Errors
    /// What differs, in words.
    pub fn check(&self, job: &Job) -> Result<(), String> {
        let own = job.identities();
        match self.0.first().and_then(|part| difference(&part.identities, &own)) {
            Some(what) => Err(format!(
                "the shards are of another fit than the fit file now says: {what}; restore it, or run the shards again"
            )),
            None => Ok(()),
        }
    }
}

/// In what fits differ, where they do.
fn difference(was: &[Identity], is: &[Identity]) -> Option<String> {
    if was.len() != is.len() {
        return Some(format!(
            "there were {} fits, and are {}",
            was.len().saturating_sub(1),
            is.len().saturating_sub(1)
        ));
    }
    for (was, is) in was.iter().zip(is) {
        for (key, old) in was {
            let new = is.iter().find(|(other, _)| other == key).map(|(_, value)| value);
            if new != Some(old) {
                return Some(format!("{key} was {old} and is {}", new.map_or("nothing", String::as_str)));
            }
        }
        if let Some((key, new)) = is.iter().find(|(key, _)| !was.iter().any(|(other, _)| other == key)) {
            return Some(format!("{key} was nothing and is {new}"));
        }
    }
    None
}

impl Pieces for Parts {
    fn has_single_fits(&self) -> bool {
        true
    }

    fn done(&self, pieces: &[Piece], _: &AtomicBool) -> Vec<Option<Vec<u8>>> {
        let all = || self.0.iter().flat_map(|part| &part.pieces);
        pieces.iter().map(|piece| Some(all().find(|(own, _)| own == piece)?.1.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_several() {
        assert_eq!("3/16".parse(), Ok(Shard { number: 3, of: 16 }));
        for wrong in ["0/4", "5/4", "1/0", "-1/4", "3", "a/b", "1/2/3", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        let shards = (1..=5).map(|number| Shard { number, of: 5 });
        let pieces: usize = shards.map(|shard| (0..17).filter(|piece| shard.has(*piece)).count()).sum();
        assert_eq!(pieces, 17);
    }
}
