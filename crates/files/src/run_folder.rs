//! Writes files whole or not at all, and refuses a folder that already holds a run.
//!
//! A file is first written under a temporary name beside its final place (`.NAME.PID-N.part`), flushed to the
//! disk and then renamed; on every system the project supports a rename within one folder is atomic, so a
//! reader sees the old file or the new one and never half of one, also when the process is killed.
//!
//! The temporary file is made with the user's default permissions (a private one, as temporary-file crates make,
//! would leave results that nobody else in the group can read); that is why this is not the `tempfile` crate.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::claim::{Claim, Refused};

/// What could not be written, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file could not be written (no permission, no space, no such folder, …).
    #[error("cannot write {path}: {reason}; {remedy}", path = path.display())]
    Write {
        /// The file that was asked for.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
        /// What the user can do.
        remedy: &'static str,
    },
    /// The path names something that is not a file, or has no file name at all.
    #[error("cannot write {path}: it is not the name of a file; give a file name such as {path}/result.json", path = path.display())]
    NotAFile {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// A file of this name is there and was not to be replaced.
    #[error("{path} is already there and is not overwritten; delete it or choose another name", path = path.display())]
    Exists {
        /// The file that is there.
        path: PathBuf,
    },
    /// The folder of a run could not be made.
    #[error("cannot make the folder {path}: {reason}; {remedy}", path = path.display())]
    Folder {
        /// The folder that was asked for.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
        /// What the user can do.
        remedy: &'static str,
    },
    /// The folder already holds a file that a run would replace.
    #[error("{path} is already there, and this run would replace it; give another folder with --out", path = path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// Another process writes into the folder.
    #[error(
        "another process is writing into {path}; wait for it, or give another folder with --out (where no other is running, \
         delete {claim} in it)", path = path.display(), claim = crate::claim::CLAIM
    )]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// There is no run to be carried on.
    #[error("{path} holds no run to be carried on: {found}; check its name, or leave out --resume to start a new run", path = path.display())]
    NothingToResume {
        /// The folder.
        path: PathBuf,
        /// What was found.
        found: &'static str,
    },
    /// The run is finished.
    #[error(
        "{path} holds a finished run (result.json): there is nothing to carry on, and nothing in it is overwritten; give \
         another folder with --out", path = path.display()
    )]
    Finished {
        /// The folder.
        path: PathBuf,
    },
    /// The folder already holds a run.
    #[error("{path} already holds a run (found {found}) and nothing in it is overwritten; carry it on with --resume, or give another folder with --out", path = path.display())]
    HoldsARun {
        /// The folder.
        path: PathBuf,
        /// The file that shows it.
        found: String,
    },
}

/// What the user can do about a reason of the system.
fn remedy(reason: &io::Error) -> &'static str {
    match reason.kind() {
        io::ErrorKind::NotFound => "make its folder first, or give a path in a folder that exists",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give a path where you may write, or change the permissions of its folder"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space, or give a path on another disk"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a part of the path is a file, not a folder: give another path"
        }
        io::ErrorKind::IsADirectory => "a folder of this name is there: give another name",
        io::ErrorKind::InvalidFilename => "give a shorter or simpler name",
        _ => "give another path",
    }
}

/// A file being written: it appears under its name only when [`WholeFile::finish`] is called.
///
/// Dropped before that (an error, a panic, an early return), it leaves nothing behind and the old file, if there
/// was one, as it was.
///
/// ```
/// use std::io::Write;
/// use glauber_files::run_folder::WholeFile;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("trace.csv");
/// let mut file = WholeFile::create(&path)?;
/// writeln!(file, "step,loss")?;
/// assert!(!path.exists());
/// file.finish()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "step,loss\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    partial: PathBuf,
    writer: Option<BufWriter<File>>,
}

/// Tells apart the temporary files of one process.
static PARTIAL_FILES: AtomicU64 = AtomicU64::new(0);

impl WholeFile {
    /// Starts a file that will stand at `path`, replacing what is there when it is finished.
    ///
    /// # Errors
    /// [`FileError::NotAFile`] if `path` names no file or is a folder, [`FileError::Write`] if its folder is
    /// missing or may not be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref().to_path_buf();
        let Some(name) = path.file_name() else { return Err(FileError::NotAFile { path }) };
        if path.is_dir() {
            return Err(FileError::NotAFile { path });
        }
        let number = PARTIAL_FILES.fetch_add(1, Ordering::Relaxed);
        let partial =
            path.with_file_name(format!(".{}.{}-{number}.part", name.to_string_lossy(), std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&partial) {
            Ok(file) => Ok(Self { path, partial, writer: Some(BufWriter::new(file)) }),
            Err(reason) => Err(write_error(&path, reason)),
        }
    }

    /// Where the file will stand.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes the file to the disk and puts it in its place.
    ///
    /// # Errors
    /// [`FileError::Write`] if the disk is full or the place may not be written; nothing is left behind then.
    pub fn finish(mut self) -> Result<(), FileError> {
        self.flush_to_disk()?;
        fs::rename(&self.partial, &self.path).map_err(|reason| write_error(&self.path, reason))
    }

    /// Like [`WholeFile::finish`], but refuses to replace a file that is there.
    ///
    /// # Errors
    /// [`FileError::Exists`] if there is one, otherwise as [`WholeFile::finish`].
    pub fn finish_new(mut self) -> Result<(), FileError> {
        self.flush_to_disk()?;
        // A hard link fails where the name is taken, in one step; where the file system has no links, look first.
        match fs::hard_link(&self.partial, &self.path) {
            Ok(()) => Ok(()), // dropping `self` removes the temporary name
            Err(_) if self.path.exists() => Err(FileError::Exists { path: self.path.clone() }),
            Err(_) => fs::rename(&self.partial, &self.path).map_err(|reason| write_error(&self.path, reason)),
        }
    }

    fn flush_to_disk(&mut self) -> Result<(), FileError> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(|reason| write_error(&self.path, reason))
    }
}

fn write_error(path: &Path, reason: io::Error) -> FileError {
    let remedy = remedy(&reason);
    FileError::Write { path: path.to_path_buf(), reason, remedy }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Some(writer) => writer.write(bytes),
            None => Err(io::Error::other("the file is finished")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        self.writer = None;
        // After a rename there is nothing of this name; any other failure leaves a file that says what it is.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Writes `bytes` to `path`, whole or not at all, replacing what is there.
///
/// # Errors
/// As [`WholeFile::create`] and [`WholeFile::finish`]; the old file is then as it was.
pub fn write_whole(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> Result<(), FileError> {
    filled(path.as_ref(), bytes.as_ref())?.finish()
}

/// Writes `bytes` to `path`, whole or not at all, refusing to replace a file that is there.
///
/// # Errors
/// [`FileError::Exists`] if there is one, otherwise as [`write_whole`].
pub fn write_new(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> Result<(), FileError> {
    let path = path.as_ref();
    if path.is_file() {
        return Err(FileError::Exists { path: path.to_path_buf() });
    }
    filled(path, bytes.as_ref())?.finish_new()
}

fn filled(path: &Path, bytes: &[u8]) -> Result<WholeFile, FileError> {
    let mut file = WholeFile::create(path)?;
    file.write_all(bytes).map_err(|reason| write_error(path, reason))?;
    Ok(file)
}

/// The beginnings of file names that show that a folder holds a run.
const RUN_FILES: [&str; 3] = ["result.json", "trace.csv", "checkpoint"];

/// The first file in `folder` that shows that it holds a run (`result.json`, `trace.csv`, `checkpoint…`), if any.
///
/// # Errors
/// [`FileError::Folder`] if the folder is there but cannot be read. A folder that is not there holds no run.
pub fn run_in_folder(folder: impl AsRef<Path>) -> Result<Option<String>, FileError> {
    let folder = folder.as_ref();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => return Err(folder_error(folder, reason)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|reason| folder_error(folder, reason))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if RUN_FILES.iter().any(|run_file| name.starts_with(run_file)) {
            found.push(name);
        }
    }
    // The system lists a folder in any order; an error must read the same each time.
    found.sort();
    Ok(found.into_iter().next())
}

/// The folder of a run: no other process writes into it as long as this is there.
///
/// ```
/// use glauber_files::run_folder::{RunFolder, write_whole};
/// let outside = tempfile::tempdir()?;
/// let folder = RunFolder::new_at(outside.path().join("runs/first"), &[])?;
/// assert!(RunFolder::new_at(folder.path(), &[]).unwrap_err().to_string().contains("another process"));
/// write_whole(folder.path().join("result.json"), "{}")?;
/// let path = folder.path().to_path_buf();
/// drop(folder);
/// assert!(RunFolder::new_at(&path, &[]).unwrap_err().to_string().contains("--resume"));
/// assert!(RunFolder::resumed(&path).unwrap_err().to_string().contains("finished"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    made: bool,
    claim: Claim,
}

impl RunFolder {
    /// Makes the folder of a new run, with the folders above it.
    ///
    /// A folder that is there and holds no run may be used, whatever else is in it but the `outputs` that the run would
    /// replace.
    ///
    /// # Errors
    /// [`FileError::HoldsARun`] if it holds a `result.json`, `trace.csv` or `checkpoint…`, [`FileError::InTheWay`] if it
    /// holds one of `outputs`, [`FileError::Busy`] if another process has it, [`FileError::Folder`] if it cannot be made,
    /// read or written, or is a file.
    pub fn new_at(folder: impl AsRef<Path>, outputs: &[&str]) -> Result<RunFolder, FileError> {
        let path = folder.as_ref().to_path_buf();
        let made = !path.exists();
        fs::create_dir_all(&path).map_err(|reason| folder_error(&path, reason))?;
        let folder = RunFolder { claim: claimed(&path)?, path, made };
        folder.check_new(outputs)?;
        Ok(folder)
    }

    /// Makes the folder STEM, STEM-2, STEM-3 … in `parent`: the first that was not there. Of two processes at once, each
    /// has one of its own.
    ///
    /// # Errors
    /// As [`RunFolder::new_at`].
    pub fn first_free(parent: &Path, stem: &str) -> Result<RunFolder, FileError> {
        fs::create_dir_all(parent).map_err(|reason| folder_error(parent, reason))?;
        for number in 1.. {
            let path = numbered(parent, stem, number);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(RunFolder { claim: claimed(&path)?, path, made: true }),
                Err(reason) if reason.kind() == io::ErrorKind::AlreadyExists => {}
                Err(reason) => return Err(folder_error(&path, reason)),
            }
        }
        Err(FileError::NotAFile { path: parent.to_path_buf() })
    }

    /// The last of the folders that [`RunFolder::first_free`] has made, if any.
    pub fn newest(parent: &Path, stem: &str) -> Option<PathBuf> {
        (1..).map(|number| numbered(parent, stem, number)).take_while(|path| path.exists()).last()
    }

    /// The folder of a run that was stopped: by Ctrl-C, or killed.
    ///
    /// # Errors
    /// [`FileError::NothingToResume`] if it is not there or holds no such run, [`FileError::Finished`] if the run has its
    /// result, [`FileError::Busy`] if another process has it, [`FileError::Folder`] if it cannot be read or written.
    pub fn resumed(folder: impl AsRef<Path>) -> Result<RunFolder, FileError> {
        let path = folder.as_ref().to_path_buf();
        let nothing = |found| Err(FileError::NothingToResume { path: path.clone(), found });
        if !path.exists() {
            return nothing("there is no such folder");
        }
        // Under the claim, so that a run that ends meanwhile is seen to have ended.
        let folder = RunFolder { claim: claimed(&path)?, path: path.clone(), made: false };
        let found = run_in_folder(&path)?;
        if path.join("result.json").exists() {
            return Err(FileError::Finished { path });
        }
        let stopped = found.is_some_and(|name| name.starts_with("checkpoint"));
        if !stopped && !folder.claim.was_left() {
            return nothing("there is no checkpoint in it");
        }
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the folder up, and removes it where this run made it and left it empty.
    pub fn abandon(self) {
        let RunFolder { path, made, claim } = self;
        drop(claim);
        if made {
            let _ = fs::remove_dir(path);
        }
    }

    fn check_new(&self, outputs: &[&str]) -> Result<(), FileError> {
        if let Some(found) = run_in_folder(&self.path)? {
            return Err(FileError::HoldsARun { path: self.path.clone(), found });
        }
        if let Some(name) = outputs.iter().find(|name| self.path.join(name).symlink_metadata().is_ok()) {
            return Err(FileError::InTheWay { path: self.path.join(name) });
        }
        Ok(())
    }
}

/// Makes a folder that several processes write into, with those above it, and makes sure that files can be written there; whether
/// it was made.
///
/// # Errors
/// [`FileError::Folder`] if it cannot be made, or is a file; [`FileError::Write`] if nothing can be written there.
pub fn shared_folder(path: &Path) -> Result<bool, FileError> {
    let made = !path.exists();
    fs::create_dir_all(path).map_err(|reason| folder_error(path, reason))?;
    match WholeFile::create(path.join("trial")) {
        Err(FileError::Write { reason, .. }) => Err(folder_error(path, reason)),
        _ => Ok(made),
    }
}

fn numbered(parent: &Path, stem: &str, number: usize) -> PathBuf {
    parent.join(if number == 1 { stem.to_string() } else { format!("{stem}-{number}") })
}

/// The claim on a folder; making it also shows, before hours of work, that files can be written there.
fn claimed(path: &Path) -> Result<Claim, FileError> {
    Claim::of(path).map_err(|refused| match refused {
        Refused::Taken => FileError::Busy { path: path.to_path_buf() },
        Refused::File(reason) => folder_error(path, reason),
    })
}

fn folder_error(path: &Path, reason: io::Error) -> FileError {
    let remedy = remedy(&reason);
    FileError::Folder { path: path.to_path_buf(), reason, remedy }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        write_whole(&path, "old, and longer").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["result.json"]);
    }

    #[test]
    fn an_abandoned_file_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.gif");
        write_whole(&path, "old").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(&[0; 100_000]).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["film.gif"]);
    }

    #[test]
    fn a_new_file_never_replaces_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.toml");
        write_new(&path, "first").unwrap();
        let error = write_new(&path, "second").unwrap_err();
        assert!(matches!(error, FileError::Exists { .. }), "{error}");
        // Also when the name was taken between the look and the end of the writing.
        let late = WholeFile::create(&path).unwrap();
        assert!(matches!(late.finish_new().unwrap_err(), FileError::Exists { .. }));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["model.toml"]);
    }

    #[test]
    fn a_missing_folder_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent").join("result.json");
        let message = write_whole(&path, "x").unwrap_err().to_string();
        assert!(message.contains("absent") && message.contains("make its folder first"), "{message}");
    }

    #[test]
    fn a_folder_is_not_a_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(write_whole(folder.path(), "x").unwrap_err(), FileError::NotAFile { .. }));
        assert!(matches!(write_whole("/", "x").unwrap_err(), FileError::NotAFile { .. }));
    }

    #[test]
    fn a_folder_that_holds_a_run_is_refused() {
        for name in ["result.json", "trace.csv", "checkpoint", "checkpoint-000100.npz"] {
            let folder = tempfile::tempdir().unwrap();
            write_whole(folder.path().join(name), "x").unwrap();
            let message = RunFolder::new_at(folder.path(), &[]).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("--out"), "{message}");
        }
    }

    #[test]
    fn other_files_do_not_make_a_run() {
        let folder = tempfile::tempdir().unwrap();
        write_whole(folder.path().join("notes.txt"), "x").unwrap();
        let made = RunFolder::new_at(folder.path(), &["fit.toml"]).unwrap();
        assert_eq!(made.path(), folder.path());
        made.abandon();
        assert_eq!(names(folder.path()), ["notes.txt"]);
        let error = RunFolder::new_at(folder.path(), &["fit.toml", "notes.txt"]).unwrap_err();
        assert!(error.to_string().contains("notes.txt is already there"), "{error}");
        assert_eq!(names(folder.path()), ["notes.txt"]);
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        write_whole(&path, "x").unwrap();
        for asked in [path.clone(), path.join("deeper")] {
            let message = RunFolder::new_at(&asked, &[]).unwrap_err().to_string();
            assert!(message.contains("out") && message.contains("give another path"), "{message}");
        }
    }

    #[test]
    fn only_a_run_that_was_stopped_is_carried_on() {
        let outside = tempfile::tempdir().unwrap();
        let at = |name: &str| outside.path().join(name);
        let say = |name: &str| RunFolder::resumed(at(name)).unwrap_err().to_string();
        assert!(say("absent").contains("there is no such folder") && !at("absent").exists());
        fs::create_dir(at("other")).unwrap();
        write_whole(at("other").join("notes.txt"), "x").unwrap();
        assert!(say("other").contains("no checkpoint"), "{}", say("other"));
        assert_eq!(names(&at("other")), ["notes.txt"]);
        // Killed before its first checkpoint, and after it.
        write_whole(at("other").join(crate::claim::CLAIM), "process 1").unwrap();
        assert!(RunFolder::resumed(at("other")).is_ok());
        write_whole(at("other").join("checkpoint-a"), "x").unwrap();
        assert!(RunFolder::resumed(at("other")).is_ok());
        let held = RunFolder::resumed(at("other")).unwrap();
        assert!(say("other").contains("another process"));
        drop(held);
        write_whole(at("other").join("result.json"), "x").unwrap();
        assert!(say("other").contains("finished"), "{}", say("other"));
    }

    #[test]
    fn processes_at_once_have_folders_of_their_own() {
        let outside = tempfile::tempdir().unwrap();
        let parent = outside.path().join("out");
        assert_eq!(RunFolder::newest(&parent, "fit"), None);
        let made: Vec<RunFolder> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| RunFolder::first_free(&parent, "fit"))).collect();
            all.into_iter().map(|one| one.join().unwrap().unwrap()).collect()
        });
        assert_eq!(names(&parent).len(), 8);
        assert_eq!(RunFolder::newest(&parent, "fit"), Some(parent.join("fit-8")));
        made.into_iter().for_each(RunFolder::abandon);
        assert_eq!(names(&parent).len(), 0);
    }
}
