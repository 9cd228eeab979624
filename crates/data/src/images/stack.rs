//! Holds the planes of a picture and finds the reader for a file by its first bytes.

use super::{ImageLimits, folder::read_image_folder, png_jpeg, tiff_stack};
use crate::arrays::{Array, Slice, Values};
use crate::{DataError, DataErrorKind};
use std::io::{Read, Seek};
use std::path::Path;

/// Grey planes of one size: an image, a stack or a time series, `[planes, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageStack {
    array: Array,
    bit_depth: u8,
    notes: Vec<String>,
}

/// One picture as a reader gives it: planes one after the other.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) values: Values,
    pub(super) planes: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) bit_depth: u8,
    pub(super) notes: Vec<String>,
}

impl ImageStack {
    pub(super) fn new(picture: Picture, path: &Path) -> Result<Self, DataError> {
        let Picture { values, planes, height, width, bit_depth, notes } = picture;
        let array = Array::new(vec![planes, height, width], values).map_err(|e| {
            DataError::new(DataErrorKind::Format, path, e.to_string(), "the file is damaged: save it again")
        })?;
        Ok(Self { array, bit_depth, notes })
    }

    /// How many planes there are.
    pub fn planes(&self) -> usize {
        self.array.shape()[0]
    }

    /// Rows of a plane.
    pub fn height(&self) -> usize {
        self.array.shape()[1]
    }

    /// Columns of a plane.
    pub fn width(&self) -> usize {
        self.array.shape()[2]
    }

    /// Bits of a grey value in the file: 1, 8, 16 or 32.
    pub fn bit_depth(&self) -> u8 {
        self.bit_depth
    }

    /// What the reader ignored or found worth saying, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The grey values, of shape `[planes, height, width]`; `uint8`, `uint16`, `uint32` or `float32`.
    pub fn array(&self) -> &Array {
        &self.array
    }

    /// The grey values without the rest.
    pub fn into_array(self) -> Array {
        self.array
    }

    /// The grey values of one plane, row by row; none if there is no such plane.
    pub fn plane(&self, index: usize) -> Option<Slice<'_>> {
        self.array.outer_slice(&[index])
    }

    /// The grey values as they are, `[planes, height, width]` in C order.
    pub fn to_f64(&self) -> Vec<f64> {
        self.array.to_f64()
    }

    /// The grey values divided by the largest the depth can hold, so within 0..=1; real values as they are.
    pub fn to_unit(&self) -> Vec<f64> {
        self.over_full_scale(self.to_f64())
    }

    /// The same of one plane; none if there is no such plane.
    pub fn plane_to_unit(&self, index: usize) -> Option<Vec<f64>> {
        self.array.outer(&[index]).map(|plane| self.over_full_scale(plane.to_f64()))
    }

    fn over_full_scale(&self, mut values: Vec<f64>) -> Vec<f64> {
        if !matches!(self.array.values(), Values::F32(_) | Values::F64(_)) {
            // 1-bit values are kept as 0 and 1.
            let full = ((1u64 << self.bit_depth.min(63)) - 1) as f64;
            values.iter_mut().for_each(|value| *value /= full);
        }
        values
    }
}

/// Reads a PNG, JPEG or TIFF file (by its content, not its name); a TIFF stack gives all its planes.
///
/// # Errors
/// If the file is missing, empty, no such picture, damaged or cut short, larger than the limit, or of a kind not read
/// here (see [`super`]).
pub fn read_image(path: impl AsRef<Path>, limits: ImageLimits) -> Result<ImageStack, DataError> {
    let path = path.as_ref();
    ImageStack::new(read_picture(path, limits)?, path)
}

/// Reads a picture, or a folder of them as a time series.
///
/// # Errors
/// Those of [`read_image`] and [`read_image_folder`].
pub fn read_images(path: impl AsRef<Path>, limits: ImageLimits) -> Result<ImageStack, DataError> {
    let path = path.as_ref();
    if path.is_dir() { read_image_folder(path, limits) } else { read_image(path, limits) }
}

pub(super) fn read_picture(path: &Path, limits: ImageLimits) -> Result<Picture, DataError> {
    let (mut file, length) = crate::arrays::open_regular(path)?;
    let mut start = Vec::new();
    (&mut file).take(16).read_to_end(&mut start).map_err(|e| DataError::io(path, "read it", &e))?;
    file.rewind().map_err(|e| DataError::io(path, "read it", &e))?;
    match start.as_slice() {
        [] => Err(DataError::new(DataErrorKind::Format, path, "is empty", "save the image again")),
        [0x89, b'P', b'N', b'G', ..] => png_jpeg::read_png(file, path, limits),
        [0xFF, 0xD8, 0xFF, ..] => png_jpeg::read_jpeg(file, length, path, limits),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
            tiff_stack::read_tiff(file, path, limits)
        }
        other => Err(not_an_image(other, path)),
    }
}

fn not_an_image(start: &[u8], path: &Path) -> DataError {
    let found = match start {
        [b'G', b'I', b'F', b'8', ..] => "is a GIF",
        [b'B', b'M', ..] => "is a BMP image",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "is a WebP image",
        [b'%', b'P', b'D', b'F', ..] => "is a PDF",
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => "is an NPY array, not an image",
        [b'P', b'K', 3, 4, ..] => "is a zip or NPZ archive, not an image",
        _ => "is not a PNG, JPEG or TIFF image",
    };
    DataError::new(DataErrorKind::Format, path, found, "convert it to PNG or TIFF")
}

/// Checks a size that a header announces, before anything of that size is allocated.
pub(super) fn check_pixels(
    path: &Path,
    planes: u64,
    width: u64,
    height: u64,
    limits: ImageLimits,
) -> Result<(), DataError> {
    if width == 0 || height == 0 || planes == 0 {
        let found = format!("has no pixels ({width} × {height})");
        return Err(DataError::new(DataErrorKind::Format, path, found, "save the image again"));
    }
    let pixels = width.checked_mul(height).and_then(|p| p.checked_mul(planes));
    if pixels.is_none_or(|p| p > limits.pixels) {
        let planes = if planes == 1 { String::new() } else { format!("{planes} planes of ") };
        let found =
            format!("claims {planes}{width} × {height} pixels, above the limit of {} pixels", limits.pixels);
        return Err(DataError::new(
            DataErrorKind::TooLarge,
            path,
            found,
            "crop or bin it, or raise the limit",
        ));
    }
    Ok(())
}
