//! Reads the named arrays of an NPZ archive, each checked before a byte of it is unpacked.

use super::array::Array;
use super::header::{ArrayHeader, HeaderError, MAGIC, read_header};
use super::npy::{data_error, open_regular, read_sized};
use super::{ReadLimits, read_npy};
use glauber_files::error::{bytes_in_words, quoted};
use glauber_files::{DataError, DataErrorKind};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use zip::ZipArchive;
use zip::result::ZipError;

/// An NPZ archive opened for reading: its names are known, its arrays are read on demand.
///
/// ```no_run
/// use glauber_arrays::{NpzReader, ReadLimits};
///
/// let mut run = NpzReader::open("run.npz", ReadLimits::default())?;
/// for name in run.names().to_vec() {
///     println!("{name}: {:?}", run.header(&name)?.shape);
/// }
/// let aware = run.read("aware")?;
/// # Ok::<(), glauber_files::DataError>(())
/// ```
pub struct NpzReader {
    path: PathBuf,
    limits: ReadLimits,
    archive: ZipArchive<BufReader<File>>,
    names: Vec<String>,
}

impl NpzReader {
    /// Opens an NPZ archive and reads the names of its arrays.
    ///
    /// # Errors
    /// If the file is missing, empty, no zip archive or cut short, or names an array twice.
    pub fn open(path: impl AsRef<Path>, limits: ReadLimits) -> Result<Self, DataError> {
        let path = path.as_ref().to_owned();
        let (file, length) = open_regular(&path)?;
        if length == 0 {
            return Err(DataError::new(
                DataErrorKind::Format,
                &path,
                "is empty",
                "write it again with numpy.savez",
            ));
        }
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|e| zip_error(&path, None, &e))?;
        if archive.has_duplicate_names() {
            let remedy = "write it again with a name for each array";
            return Err(DataError::new(DataErrorKind::Format, &path, "names two arrays alike", remedy));
        }
        let names = archive
            .file_names()
            .filter_map(Result::ok)
            .filter_map(|name| name.strip_suffix(".npy").map(str::to_owned))
            .collect();
        Ok(Self { path, limits, archive, names })
    }

    /// The names of the arrays, in the order of the archive.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The shape and element type of an array, read without its data.
    ///
    /// # Errors
    /// If there is no such array or its header is wrong.
    pub fn header(&mut self, name: &str) -> Result<ArrayHeader, DataError> {
        self.with_entry(name, |reader, _, _| read_header(reader))
    }

    /// Reads an array.
    ///
    /// # Errors
    /// If there is no such array, or it is not what its header and the archive say, or it is above the limit.
    pub fn read(&mut self, name: &str) -> Result<Array, DataError> {
        self.with_entry(name, |reader, size, limits| {
            if size > limits.bytes.saturating_add(1 << 17) {
                return Err(HeaderError::TooLarge(format!(
                    "unpacks to {}, above the limit of {}",
                    bytes_in_words(size),
                    bytes_in_words(limits.bytes)
                )));
            }
            let array = read_sized(reader, size, limits)?;
            // The archive's checksum is compared when its end is reached.
            match reader.read(&mut [0]) {
                Ok(0) => Ok(array),
                Ok(_) => Err(HeaderError::Format("unpacks to more than it says".into(), "write it again")),
                Err(e) => Err(HeaderError::Read(e)),
            }
        })
    }

    fn with_entry<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut dyn Read, u64, ReadLimits) -> Result<T, HeaderError>,
    ) -> Result<T, DataError> {
        let Some(index) = self.archive.index_for_name(&format!("{name}.npy")) else {
            return Err(self.missing(name));
        };
        let mut entry = self.archive.by_index(index).map_err(|e| zip_error(&self.path, Some(name), &e))?;
        let size = entry.size();
        read(&mut entry, size, self.limits).map_err(|e| data_error(e, &self.path, Some(name)))
    }

    fn missing(&self, name: &str) -> DataError {
        let nearest = self
            .names
            .iter()
            .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
        let remedy = match nearest {
            None => "the archive holds no arrays at all".to_owned(),
            Some(nearest) => {
                const SHOWN: usize = 12;
                let mut all: Vec<_> = self.names.iter().take(SHOWN).map(|n| quoted(n)).collect();
                if self.names.len() > SHOWN {
                    all.push(format!("and {} more", self.names.len() - SHOWN));
                }
                format!("the nearest is {}; there are {}", quoted(nearest), all.join(", "))
            }
        };
        DataError::new(DataErrorKind::Missing, &self.path, format!("has no array {}", quoted(name)), remedy)
    }
}

/// Reads all arrays of an NPY or NPZ file, by its content: an NPY file gives one array, named as the file is.
///
/// # Errors
/// Those of [`read_npy`] and [`NpzReader`]; also if all arrays together are above the limit, or there is none.
pub fn read_arrays(path: impl AsRef<Path>, limits: ReadLimits) -> Result<Vec<(String, Array)>, DataError> {
    read_arrays_of_numbers(path, limits, &|_| true).map(|(arrays, _)| arrays)
}

/// The same but for the arrays of an archive that hold no numbers (texts, objects) and are not needed: their names.
///
/// # Errors
/// Those of [`read_arrays`], of arrays that hold numbers or are needed.
pub fn read_arrays_of_numbers(
    path: impl AsRef<Path>,
    limits: ReadLimits,
    needed: &dyn Fn(&str) -> bool,
) -> Result<(Vec<(String, Array)>, Vec<String>), DataError> {
    let path = path.as_ref();
    let (mut file, _) = open_regular(path)?;
    let mut start = Vec::with_capacity(MAGIC.len());
    (&mut file)
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(|e| DataError::io(path, "read it", &e))?;
    if !start.starts_with(b"PK") {
        let array = read_npy(path, limits)?;
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok((vec![(name, array)], Vec::new()));
    }
    let mut archive = NpzReader::open(path, limits)?;
    let mut total = 0u64;
    let (mut names, mut others) = (Vec::new(), Vec::new());
    for name in archive.names().to_vec() {
        match archive.header(&name) {
            Ok(header) => {
                total = total.saturating_add(header.data_bytes());
                names.push(name);
            }
            Err(error) if error.kind() == DataErrorKind::Unsupported && !needed(&name) => others.push(name),
            Err(error) => return Err(error),
        }
    }
    if total > limits.bytes {
        let found = format!(
            "unpacks to {}, above the limit of {}",
            bytes_in_words(total),
            bytes_in_words(limits.bytes)
        );
        let remedy = "read its arrays one by one, or raise the limit";
        return Err(DataError::new(DataErrorKind::TooLarge, path, found, remedy));
    }
    if names.is_empty() {
        let remedy = "write it with numpy.savez(path, name=array)";
        return Err(DataError::new(DataErrorKind::Missing, path, "holds no arrays", remedy));
    }
    let arrays = names.into_iter().map(|name| archive.read(&name).map(|array| (name, array)));
    Ok((arrays.collect::<Result<_, _>>()?, others))
}

fn zip_error(path: &Path, array: Option<&str>, error: &ZipError) -> DataError {
    let again = "write it again with numpy.savez";
    let error = match error {
        ZipError::Io(e) => DataError::io(path, "read it", e),
        ZipError::InvalidArchive(_) => {
            let found = format!("is not a whole NPZ (zip) archive: {error}");
            DataError::new(DataErrorKind::Format, path, found, "it may be cut short: fetch or write it again")
        }
        ZipError::UnsupportedArchive(what) if what.contains("assword") => {
            DataError::new(DataErrorKind::Unsupported, path, "is encrypted", again)
        }
        ZipError::CompressionMethodNotSupported(_) => DataError::new(
            DataErrorKind::Unsupported,
            path,
            "is compressed by a method other than deflate",
            "write it again with numpy.savez_compressed",
        ),
        other => {
            DataError::new(DataErrorKind::Unsupported, path, format!("cannot be unpacked: {other}"), again)
        }
    };
    match array {
        Some(name) => error.at(format!("array `{name}`")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::write_npy;
    use glauber_files::Overwrite;
    use std::io::Write;

    #[test]
    fn arrays_without_numbers_are_passed_over_unless_they_are_needed() {
        let folder = tempfile::tempdir().unwrap();
        let (npy, npz) = (folder.path().join("a.npy"), folder.path().join("a.npz"));
        write_npy(&npy, &Array::new(vec![2], vec![1.0, 2.0]).unwrap(), Overwrite::Refuse).unwrap();
        let mut text = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        let header = "{'descr': '<U2', 'fortran_order': False, 'shape': (), }";
        text.extend(format!("{header:<117}\n").bytes());
        text.extend([b'h', 0, 0, 0, b'i', 0, 0, 0]);
        let mut archive = zip::ZipWriter::new(File::create(&npz).unwrap());
        for (name, bytes) in [("state.npy", std::fs::read(&npy).unwrap()), ("label.npy", text)] {
            archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(&bytes).unwrap();
        }
        archive.finish().unwrap();
        let (arrays, others) =
            read_arrays_of_numbers(&npz, ReadLimits::default(), &|name| name == "state").unwrap();
        assert_eq!((arrays.len(), arrays[0].0.as_str(), others), (1, "state", vec!["label".to_owned()]));
        let error = read_arrays_of_numbers(&npz, ReadLimits::default(), &|name| name == "label").unwrap_err();
        assert!(error.to_string().contains("label"), "{error}");
        assert!(read_arrays(&npz, ReadLimits::default()).is_err());
    }
}
