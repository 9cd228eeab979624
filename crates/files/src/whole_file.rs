//! Writes a file whole or not at all: into a temporary sibling that takes the name when it is complete.

use crate::error::{DataError, DataErrorKind};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What to do when the file to be written is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// Refuse, and leave the old file as it is.
    #[default]
    Refuse,
    /// Replace it, in one step, once the new file is complete.
    Replace,
}

/// A file being written that appears under its name only when [`finish`](WholeFile::finish) succeeds.
///
/// Dropped before that, it leaves nothing behind and the old file, if any, untouched. The temporary file lies in the
/// same folder, so that taking the name is one atomic step.
///
/// ```
/// use glauber_files::{Overwrite, WholeFile};
/// use std::io::Write;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("trace.csv");
/// let mut file = WholeFile::create(&path, Overwrite::Refuse)?;
/// file.write_all(b"step,loss\n")?;
/// assert!(!path.exists());
/// file.finish()?;
/// assert!(path.exists());
/// assert!(WholeFile::create(&path, Overwrite::Refuse).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    overwrite: Overwrite,
    writer: BufWriter<NamedTempFile>,
}

impl WholeFile {
    /// Starts writing `path`.
    ///
    /// # Errors
    /// If the file exists and is not to be replaced, or the folder is missing or not writable.
    pub fn create(path: impl AsRef<Path>, overwrite: Overwrite) -> Result<Self, DataError> {
        let path = path.as_ref().to_owned();
        let folder = folder_of(&path);
        if !folder.is_dir() {
            let found = format!("its folder {} does not exist", folder.display());
            return Err(DataError::new(DataErrorKind::Missing, &path, found, "create the folder first"));
        }
        if path.is_dir() {
            return Err(DataError::new(DataErrorKind::Exists, &path, "is a folder", "name a file in it"));
        }
        if overwrite == Overwrite::Refuse && path.symlink_metadata().is_ok() {
            return Err(already_there(&path));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".").suffix(".part");
        #[cfg(unix)]
        {
            // A temporary file is private by default; this one becomes the result, so the user's umask decides.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).map_err(|e| DataError::io(&path, "write it", &e))?;
        Ok(Self { path, overwrite, writer: BufWriter::with_capacity(1 << 16, file) })
    }

    /// The path the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Completes the file: flushes it to the disk and gives it its name.
    ///
    /// # Errors
    /// If the disk refuses, or another process wrote the file in the meantime and it is not to be replaced.
    pub fn finish(self) -> Result<(), DataError> {
        let Self { path, overwrite, writer } = self;
        let file = writer.into_inner().map_err(|e| DataError::io(&path, "write it", e.error()))?;
        file.as_file().sync_all().map_err(|e| DataError::io(&path, "write it", &e))?;
        let named = match overwrite {
            Overwrite::Replace => file.persist(&path),
            Overwrite::Refuse => file.persist_noclobber(&path),
        };
        match named {
            Ok(_) => Ok(()),
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Err(already_there(&path)),
            Err(e) => Err(DataError::io(&path, "write it", &e.error)),
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for WholeFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.writer.seek(to)
    }
}

/// The folder that `path` lies in; `.` for a bare name.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn already_there(path: &Path) -> DataError {
    DataError::new(
        DataErrorKind::Exists,
        path,
        "exists already and was left as it is",
        "choose another name, or ask for it to be replaced",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_dropped_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = WholeFile::create(folder.path().join("a"), Overwrite::Refuse).unwrap();
        file.write_all(&[7; 1 << 17]).unwrap();
        drop(file);
        assert_eq!(entries(folder.path()), 0);
    }

    #[test]
    fn replacing_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let error = WholeFile::create(&path, Overwrite::Refuse).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Exists);

        let mut file = WholeFile::create(&path, Overwrite::Replace).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(entries(folder.path()), 1);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let file = WholeFile::create(&path, Overwrite::Refuse).unwrap();
        fs::write(&path, "other").unwrap();
        assert_eq!(file.finish().unwrap_err().kind(), DataErrorKind::Exists);
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(entries(folder.path()), 1);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = WholeFile::create(folder.path().join("no/a"), Overwrite::Refuse).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Missing);
        assert!(error.found().contains("no does not exist"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_umask_decides_the_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plain"), "").unwrap();
        WholeFile::create(folder.path().join("a"), Overwrite::Refuse).unwrap().finish().unwrap();
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("a"), mode("plain"));
    }
}
