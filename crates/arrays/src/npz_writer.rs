//! Writes named arrays into an NPZ archive, piece by piece, with the same bytes for the same data.
//!
//! A simulation gives every layer's state at every step, run by run or all runs at once; a zip archive wants one
//! array after the other. So each array is collected in a nameless temporary file (in memory while it is small),
//! and [`NpzWriter::finish`] packs them in the order they were announced. Entries carry the date 1980-01-01 and
//! fixed permissions, and are deflated at a fixed level, so that the same data give the same bytes.

use super::array::{Array, elements_of};
use super::elements::write_elements;
use super::header::write_header;
use super::values::{ElementType, Slice};
use glauber_files::error::{bytes_in_words, quoted};
use glauber_files::whole_file::folder_of;
use glauber_files::{DataError, DataErrorKind, Overwrite, WholeFile};
use std::collections::BTreeMap;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use tempfile::SpooledTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// Bytes an array may have before it is collected on disk instead of in memory.
const IN_MEMORY: usize = 16 << 20;
/// Deflate level: on random binary states it packs eight times as fast as zlib's default of 6, into a fifth more.
/// Part of "the same data give the same bytes".
const LEVEL: i64 = 2;

/// An NPZ archive being written; it appears under its name when [`finish`](Self::finish) succeeds.
///
/// ```
/// use glauber_files::Overwrite;
/// use glauber_arrays::{ElementType, NpzWriter, ReadLimits, read_arrays};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("run.npz");
/// let mut run = NpzWriter::create(&path, Overwrite::Refuse)?;
/// run.announce("aware", &[1, 3, 2, 2], ElementType::U8)?;
/// for time in 0..3u8 {
///     run.append("aware", &[time; 4][..])?;
/// }
/// run.finish()?;
/// assert_eq!(read_arrays(&path, ReadLimits::default())?[0].1.shape(), [1, 3, 2, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NpzWriter {
    file: WholeFile,
    arrays: Vec<Growing>,
}

/// An array of which a part has been written.
#[derive(Debug)]
struct Growing {
    name: String,
    shape: Vec<usize>,
    element: ElementType,
    elements: usize,
    data: SpooledTempFile,
    /// Ranges of elements that are there: start → end, disjoint and not touching.
    written: BTreeMap<usize, usize>,
    /// Where the next appended element goes.
    end: usize,
}

impl NpzWriter {
    /// Starts writing an archive.
    ///
    /// # Errors
    /// If the file exists and is not to be replaced, or its folder is missing or not writable.
    pub fn create(path: impl AsRef<Path>, overwrite: Overwrite) -> Result<Self, DataError> {
        Ok(Self { file: WholeFile::create(path, overwrite)?, arrays: Vec::new() })
    }

    /// Announces an array; its elements follow by [`append`](Self::append) or [`write_at`](Self::write_at).
    ///
    /// # Errors
    /// If the name is taken, empty or holds a slash, or the shape is too large to count.
    pub fn announce(&mut self, name: &str, shape: &[usize], element: ElementType) -> Result<(), DataError> {
        let refused = |found: String, remedy| {
            Err(DataError::new(DataErrorKind::Value, self.file.path(), found, remedy))
        };
        if name.is_empty() || name.contains(['/', '\\', '\0']) {
            return refused(format!("{} cannot name an array", quoted(name)), "use a name without slashes");
        }
        if self.arrays.iter().any(|a| a.name == name) {
            return refused(format!("has an array {} already", quoted(name)), "give each array its own name");
        }
        let elements = elements_of(shape)
            .filter(|n| n.checked_mul(element.bytes()).is_some_and(|b| isize::try_from(b).is_ok()));
        let Some(elements) = elements else {
            return refused(
                format!("the shape of {} is too large to count", quoted(name)),
                "save a part of it",
            );
        };
        let data = tempfile::spooled_tempfile_in(IN_MEMORY, folder_of(self.file.path()));
        self.arrays.push(Growing {
            name: name.to_owned(),
            shape: shape.to_vec(),
            element,
            elements,
            data,
            written: BTreeMap::new(),
            end: 0,
        });
        Ok(())
    }

    /// Writes the next elements of an array, in C order.
    ///
    /// # Errors
    /// Those of [`write_at`](Self::write_at).
    pub fn append<'v>(&mut self, name: &str, values: impl Into<Slice<'v>>) -> Result<(), DataError> {
        let end = self.arrays.iter().find(|a| a.name == name).map_or(0, |a| a.end);
        self.write_at(name, end, values)
    }

    /// Writes elements of an array from a flat index (C order) on: for several runs that advance together, run `r`
    /// of `[run, time, y, x]` at time `t` starts at `(r · times + t) · sites`.
    ///
    /// # Errors
    /// If the array was not announced, has another element type, has less room, or has the elements already.
    pub fn write_at<'v>(
        &mut self,
        name: &str,
        start: usize,
        values: impl Into<Slice<'v>>,
    ) -> Result<(), DataError> {
        let values = values.into();
        let path = self.file.path();
        let refused =
            |found: String, remedy: &str| Err(DataError::new(DataErrorKind::Value, path, found, remedy));
        let Some(array) = self.arrays.iter_mut().find(|a| a.name == name) else {
            return refused(
                format!("array {} was not announced", quoted(name)),
                "announce it with its shape first",
            );
        };
        if values.element_type() != array.element {
            let found = format!("array {name} is of {}, not {}", array.element, values.element_type());
            return refused(found, "write the type that was announced");
        }
        let Some(end) = start.checked_add(values.len()).filter(|&end| end <= array.elements) else {
            let found = format!(
                "array {name} has {} elements, and {} from {start} on do not fit",
                array.elements,
                values.len()
            );
            return refused(found, "announce the shape that will be written");
        };
        if !array.claim(start, end) {
            return refused(
                format!("elements {start} to {end} of array {name} are written twice"),
                "write each once",
            );
        }
        array.write(start, end, values).map_err(|e| DataError::io(path, "write it", &e))
    }

    /// Writes a whole array.
    ///
    /// # Errors
    /// Those of [`announce`](Self::announce) and [`append`](Self::append).
    pub fn add(&mut self, name: &str, array: &Array) -> Result<(), DataError> {
        self.announce(name, array.shape(), array.element_type())?;
        self.append(name, array.values().as_slice())
    }

    /// Packs the arrays and gives the file its name.
    ///
    /// # Errors
    /// If an array is not complete, or the disk refuses; nothing is left behind then.
    pub fn finish(self) -> Result<(), DataError> {
        let Self { mut file, mut arrays } = self;
        for array in &arrays {
            let there: usize = array.written.iter().map(|(start, end)| end - start).sum();
            if there < array.elements {
                let found = format!("array `{}` has {there} of its {} elements", array.name, array.elements);
                return Err(DataError::new(
                    DataErrorKind::Value,
                    file.path(),
                    found,
                    "write all of them first",
                ));
            }
        }
        pack(&mut file, &mut arrays).map_err(|e| DataError::io(file.path(), "write it", &e))?;
        file.finish()
    }
}

impl Growing {
    /// Marks a range of elements as written; false, and nothing marked, if one of them was.
    fn claim(&mut self, start: usize, end: usize) -> bool {
        if start == end {
            return true;
        }
        let before = self.written.range(..=start).next_back().map(|(&s, &e)| (s, e));
        let after = self.written.range(start..).next().map(|(&s, &e)| (s, e));
        if before.is_some_and(|(_, e)| e > start) || after.is_some_and(|(s, _)| s < end) {
            return false;
        }
        let start = match before {
            Some((s, e)) if e == start => s,
            _ => start,
        };
        let end = match after {
            Some((s, e)) if s == end => {
                self.written.remove(&s);
                e
            }
            _ => end,
        };
        self.written.insert(start, end);
        true
    }

    fn write(&mut self, start: usize, end: usize, values: Slice<'_>) -> io::Result<()> {
        self.data.seek(SeekFrom::Start(start as u64 * self.element.bytes() as u64))?;
        write_elements(&mut self.data, values)?;
        self.end = end;
        Ok(())
    }
}

fn pack(file: &mut WholeFile, arrays: &mut [Growing]) -> io::Result<()> {
    let mut archive = ZipWriter::new(file);
    for array in arrays {
        let header = write_header(array.element, &array.shape);
        let bytes = header.len() as u64 + array.elements as u64 * array.element.bytes() as u64;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(DateTime::default())
            .system(System::Unix)
            .unix_permissions(0o644)
            // Deflate can lengthen what it cannot shorten, by less than a thousandth.
            .large_file(bytes + bytes / 1000 + 1024 > u64::from(u32::MAX));
        archive.start_file(format!("{}.npy", array.name), options)?;
        archive.write_all(&header)?;
        array.data.seek(SeekFrom::Start(0))?;
        let copied = io::copy(&mut array.data, &mut archive)?;
        if copied + header.len() as u64 != bytes {
            let found = format!("the temporary file holds {}", bytes_in_words(copied));
            return Err(io::Error::other(found));
        }
    }
    archive.finish()?;
    Ok(())
}

/// Writes whole arrays as an NPZ file, in the given order.
///
/// # Errors
/// Those of [`NpzWriter`].
pub fn write_npz<'a>(
    path: impl AsRef<Path>,
    arrays: impl IntoIterator<Item = (&'a str, &'a Array)>,
    overwrite: Overwrite,
) -> Result<(), DataError> {
    let mut writer = NpzWriter::create(path, overwrite)?;
    for (name, array) in arrays {
        writer.add(name, array)?;
    }
    writer.finish()
}
