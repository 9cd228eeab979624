//! Reads and writes arrays of numbers as NPY and NPZ files, bounded on the way in and whole on the way out.
//!
//! An [`Array`] is a shape and plain values in C order (the last axis runs fastest). Its element type is the file's
//! own: states stay bytes, and nothing becomes `f64` unasked.
//!
//! | | read | write |
//! |---|---|---|
//! | NPY (versions 1 to 3; both byte orders; C and Fortran order) | [`read_npy`] | [`write_npy`] |
//! | NPZ (stored or deflated) | [`NpzReader`], [`read_arrays`] | [`NpzWriter`], [`write_npz`] |
//!
//! Format: the NPY specification, `numpy.lib.format` of NumPy; NPZ is a zip archive with one `NAME.npy` an array.
//! Departures: pickled objects, structured records, text, dates and complex numbers are refused with
//! the way to save them otherwise; a file with bytes after its array is refused, for they would be lost in silence.
//!
//! ```
//! use glauber_files::Overwrite;
//! use glauber_arrays::{Array, ReadLimits, read_arrays, write_npz};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("run.npz");
//! let aware = Array::new(vec![1, 2, 2], vec![0u8, 1, 1, 1])?;
//! write_npz(&path, [("aware", &aware)], Overwrite::Refuse)?;
//!
//! let arrays = read_arrays(&path, ReadLimits::default())?;
//! assert_eq!(arrays, [("aware".to_string(), aware)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod array;
mod checks;
mod elements;
mod half;
mod header;
mod npy;
mod npz;
mod npz_writer;
mod values;

pub use array::{Array, ShapeMismatch};
pub use checks::BadValue;
pub use half::half_to_single;
pub use header::ArrayHeader;
pub use npy::{open_regular, read_npy, read_npy_from, write_npy};
pub use npz::{NpzReader, read_arrays, read_arrays_of_numbers};
pub use npz_writer::{NpzWriter, write_npz};
pub use values::{ElementType, Slice, Values};

/// How much a reader may take into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes of array data, uncompressed; one array by [`NpzReader::read`], all together by [`read_arrays`].
    pub bytes: u64,
}

impl Default for ReadLimits {
    /// 4 GiB.
    fn default() -> Self {
        Self { bytes: 4 << 30 }
    }
}
