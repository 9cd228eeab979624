//! Reads and writes one array as an NPY file.

use super::ReadLimits;
use super::array::{Array, Shape};
use super::elements::{read_elements, read_halves, to_c_order, write_elements};
use super::header::{ArrayHeader, HeaderError, read_header, write_header};
use glauber_files::error::bytes_in_words;
use glauber_files::{DataError, DataErrorKind, Overwrite, WholeFile};
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

/// Reads an NPY file.
///
/// # Errors
/// If the file is missing, empty, not NPY, cut short, longer than its array, of a type that is not read here (see
/// [`super`]), or larger than the limit.
///
/// ```no_run
/// use glauber_arrays::{ReadLimits, read_npy};
///
/// let states = read_npy("states.npy", ReadLimits::default())?;
/// println!("{:?} of {}", states.shape(), states.element_type());
/// # Ok::<(), glauber_files::DataError>(())
/// ```
pub fn read_npy(path: impl AsRef<Path>, limits: ReadLimits) -> Result<Array, DataError> {
    let path = path.as_ref();
    let (file, length) = open_regular(path)?;
    read_npy_from(&mut BufReader::new(file), length, path, limits)
}

/// Reads an NPY file from any source of `length` bytes; `path` names it in errors.
///
/// # Errors
/// Those of [`read_npy`].
pub fn read_npy_from(
    reader: &mut dyn Read,
    length: u64,
    path: impl AsRef<Path>,
    limits: ReadLimits,
) -> Result<Array, DataError> {
    read_sized(reader, length, limits).map_err(|e| data_error(e, path.as_ref(), None))
}

/// Reads an array from a source that holds `length` bytes and nothing but it.
pub(super) fn read_sized(
    reader: &mut dyn Read,
    length: u64,
    limits: ReadLimits,
) -> Result<Array, HeaderError> {
    let header = read_header(reader)?;
    check_size(&header, length, limits)?;
    let values = match header.half {
        true => read_halves(reader, header.big_endian, header.elements)?,
        false => read_elements(reader, header.element_type, header.big_endian, header.elements)?,
    };
    let values = if header.fortran_order { to_c_order(values, &header.shape) } else { values };
    Array::new(header.shape, values).map_err(|e| HeaderError::Format(e.to_string(), "write it again"))
}

/// Checks what the header claims against the bytes there are and the limit, before anything is allocated.
fn check_size(header: &ArrayHeader, length: u64, limits: ReadLimits) -> Result<(), HeaderError> {
    let needed = header.bytes + header.data_bytes();
    if needed > length {
        return Err(HeaderError::Format(
            format!(
                "claims the shape {} of {}, which takes {} bytes, but holds {length} bytes",
                Shape(&header.shape),
                header.element_type,
                needed
            ),
            "it is cut short: fetch or write it again",
        ));
    }
    if needed < length {
        return Err(HeaderError::Format(
            format!("holds {} bytes after its array", length - needed),
            "save one array a file, or several with numpy.savez",
        ));
    }
    if header.data_bytes() > limits.bytes {
        return Err(HeaderError::TooLarge(format!(
            "holds {} ({} of {}), above the limit of {}",
            bytes_in_words(header.data_bytes()),
            Shape(&header.shape),
            header.element_type,
            bytes_in_words(limits.bytes)
        )));
    }
    Ok(())
}

/// Writes an array as an NPY file (version 1, C order, little-endian), whole or not at all.
///
/// # Errors
/// If the file exists and is not to be replaced, or cannot be written.
pub fn write_npy(path: impl AsRef<Path>, array: &Array, overwrite: Overwrite) -> Result<(), DataError> {
    let mut file = WholeFile::create(path, overwrite)?;
    let written = file
        .write_all(&write_header(array.element_type(), array.shape()))
        .and_then(|()| write_elements(&mut file, array.values().as_slice()));
    written.map_err(|e| DataError::io(file.path(), "write it", &e))?;
    file.finish()
}

/// Opens a file that has a length, and says how long it is: not a folder, pipe or device.
///
/// # Errors
/// If it is one of these, is missing, or cannot be opened.
pub fn open_regular(path: &Path) -> Result<(File, u64), DataError> {
    let about = path.metadata().map_err(|e| DataError::io(path, "open it", &e))?;
    if about.is_dir() {
        return Err(DataError::new(
            DataErrorKind::Format,
            path,
            "is a folder, not a file",
            "name a file in it",
        ));
    }
    if !about.is_file() {
        let remedy = "copy its content into a plain file first";
        return Err(DataError::new(DataErrorKind::Unsupported, path, "is not a plain file", remedy));
    }
    let file = File::open(path).map_err(|e| DataError::io(path, "open it", &e))?;
    Ok((file, about.len()))
}

/// The error with its file and, in an archive, its array.
pub(super) fn data_error(error: HeaderError, path: &Path, array: Option<&str>) -> DataError {
    let error = match error {
        HeaderError::Read(e) => DataError::io(path, "read it", &e),
        HeaderError::Truncated => DataError::new(
            DataErrorKind::Truncated,
            path,
            "ends before its array does",
            "it is cut short: fetch or write it again",
        ),
        HeaderError::Format(found, remedy) if remedy.contains("cut short") => {
            DataError::new(DataErrorKind::Truncated, path, found, remedy)
        }
        HeaderError::Format(found, remedy) => DataError::new(DataErrorKind::Format, path, found, remedy),
        HeaderError::Unsupported(found, remedy) => {
            DataError::new(DataErrorKind::Unsupported, path, found, remedy)
        }
        HeaderError::TooLarge(found) => {
            DataError::new(DataErrorKind::TooLarge, path, found, "save a part of it, or raise the limit")
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
    use std::fs;

    fn written(array: &Array) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        write_npy(&path, array, Overwrite::Refuse).unwrap();
        (folder, path)
    }

    #[test]
    fn every_type_and_shape_comes_back() {
        let arrays = [
            Array::new(vec![2, 2], vec![true, false, false, true]),
            Array::new(vec![3], vec![0u8, 7, 255]),
            Array::new(vec![1, 2, 1], vec![-128i8, 127]),
            Array::new(vec![2], vec![0u16, u16::MAX]),
            Array::new(vec![2], vec![i16::MIN, i16::MAX]),
            Array::new(vec![2], vec![0u32, u32::MAX]),
            Array::new(vec![2], vec![i32::MIN, i32::MAX]),
            Array::new(vec![2], vec![0u64, u64::MAX]),
            Array::new(vec![2], vec![i64::MIN, i64::MAX]),
            Array::new(vec![2], vec![f32::MIN, 0.1]),
            Array::new(vec![], vec![0.1f64]),
            Array::new(vec![0, 4], Vec::<f64>::new()),
        ];
        for array in arrays.map(Result::unwrap) {
            let (_folder, path) = written(&array);
            assert_eq!(read_npy(&path, ReadLimits::default()).unwrap(), array);
        }
    }

    #[test]
    fn wrong_sizes_are_named() {
        let (_folder, path) = written(&Array::new(vec![4], vec![1.0, 2.0, 3.0, 4.0]).unwrap());
        let bytes = fs::read(&path).unwrap();
        let read = |bytes: &[u8]| {
            read_npy_from(&mut &bytes[..], bytes.len() as u64, "a.npy", ReadLimits::default()).unwrap_err()
        };
        let error = read(&bytes[..bytes.len() - 1]);
        assert_eq!(error.kind(), DataErrorKind::Truncated);
        assert_eq!(
            error.to_string(),
            "a.npy: claims the shape 4 of float64, which takes 160 bytes, but holds 159 bytes; \
             it is cut short: fetch or write it again"
        );
        assert_eq!(read(&bytes[..20]).kind(), DataErrorKind::Truncated);
        assert_eq!(read(&bytes[..3]).kind(), DataErrorKind::Truncated);
        assert_eq!(read(b"").to_string(), "a.npy: is empty; write it again with numpy.save");
        assert!(read(b"id,t,x,y\n1,2,3,4").found().contains("not an NPY file"));
        assert!(read(b"PK\x03\x04abcdefgh").found().contains("zip"));
        let longer = [&bytes[..], b"xx"].concat();
        assert!(read(&longer).found().contains("2 bytes after"));
    }

    #[test]
    fn the_limit_is_kept() {
        let (_folder, path) = written(&Array::new(vec![100], vec![0u8; 100]).unwrap());
        assert!(read_npy(&path, ReadLimits { bytes: 100 }).is_ok());
        let error = read_npy(&path, ReadLimits { bytes: 99 }).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::TooLarge);
    }

    #[test]
    fn folders_and_missing_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_npy(folder.path(), ReadLimits::default()).unwrap_err().found().contains("folder"));
        let error = read_npy(folder.path().join("no.npy"), ReadLimits::default()).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Missing);
    }
}
