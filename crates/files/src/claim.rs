//! Claims a folder for one process, so that no two write into it at once.
//!
//! The claim is a file, `.running`, that is locked as long as its process lives: a process that is killed leaves the
//! file behind, but not the lock. Where the file system has no locks, a file that is left behind must be deleted by hand.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The name of the file.
pub(crate) const CLAIM: &str = ".running";
/// How often a claim is tried that another process gives up meanwhile.
const TRIES: usize = 100;

/// A folder that is this process's own until the claim is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    /// Holds the lock.
    _locked: File,
    left: bool,
}

/// Why a folder could not be claimed.
pub(crate) enum Refused {
    /// Another process has it, or the file system cannot tell.
    Taken,
    /// The file system refused.
    File(io::Error),
}

impl Claim {
    /// Claims a folder that is there.
    pub(crate) fn of(folder: &Path) -> Result<Claim, Refused> {
        let path = folder.join(CLAIM);
        for _ in 0..TRIES {
            let left = path.symlink_metadata().is_ok();
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
            let mut file = file.map_err(Refused::File)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(Refused::Taken),
                // No locks here: whoever makes the file has the folder.
                Err(TryLockError::Error(_)) if left => return Err(Refused::Taken),
                Err(TryLockError::Error(_)) => {}
            }
            // Another process may have given its claim up, and removed the file, between the opening and the locking.
            if is_at(&file, &path) {
                let _ = file.set_len(0);
                let _ = writeln!(file, "process {} writes into this folder", std::process::id());
                return Ok(Claim { path, _locked: file, left });
            }
        }
        Err(Refused::Taken)
    }

    /// Whether an earlier process was killed while it had the folder.
    pub(crate) fn was_left(&self) -> bool {
        self.left
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Before the lock goes, so that nobody else's file is removed.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the file at `path` is this open one.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |about: std::fs::Metadata| (about.dev(), about.ino());
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(open), Ok(there)) => place(open) == place(there),
        _ => false,
    }
}

/// Whether the file at `path` is this open one: elsewhere an open file keeps its name.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_has_one_claim_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Claim::of(folder.path()).ok().unwrap();
        assert!(!first.was_left());
        assert!(matches!(Claim::of(folder.path()), Err(Refused::Taken)));
        drop(first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let second = Claim::of(folder.path()).ok().unwrap();
        assert!(!second.was_left());
    }

    #[test]
    fn a_claim_left_behind_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CLAIM), "process 1").unwrap();
        assert!(Claim::of(folder.path()).ok().unwrap().was_left());
    }

    #[test]
    fn of_many_threads_one_has_it_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let claimed = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let Ok(claim) = Claim::of(folder.path()) else { continue };
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        claimed.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(claim);
                    }
                });
            }
        });
        assert!(claimed.into_inner() > 0);
    }
}
