//! Holds the planes of a picture, and says what a reader of pictures is given and gives.

use super::ImageLimits;
use super::axes::Axes;
use super::luma::luma;
use super::refusal::Refusal;
use crate::arrays::{Array, Slice, Values};
use crate::{DataError, DataErrorKind};
use glauber_names::SeriesChoice;
use std::fs::File;
use std::path::Path;

/// A format of pictures.
pub(super) struct Format {
    /// What a file of it is called.
    pub(super) name: &'static str,
    /// How names of its files end.
    pub(super) endings: &'static [&'static str],
    /// Whether a file with these first bytes is one.
    pub(super) begins: fn(&[u8]) -> bool,
    pub(super) read: fn(Opened<'_>) -> Result<Picture, DataError>,
}

/// A file that is to be read.
pub(super) struct Opened<'a> {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) path: &'a Path,
    /// Which of several channels is read; none where nobody can say.
    pub(super) choice: Option<&'a SeriesChoice>,
    pub(super) limits: ImageLimits,
}

/// Grey planes of one size: an image, a stack or a time series, `[planes, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageStack {
    pub(super) array: Array,
    pub(super) bit_depth: u8,
    pub(super) notes: Vec<String>,
    /// Whether values of few bits are shades from black to white: those of a photograph or drawing, not of a map.
    pub(super) shades: bool,
    /// Whether the grey values are the luma of colours.
    pub(super) was_colour: bool,
    /// Red, green and blue of every value, where the values are numbers of colours.
    pub(super) colour_table: Option<Vec<[u8; 3]>>,
    /// The value that stands for no data, where the file names one.
    pub(super) no_data: Option<f64>,
    /// What the file's numbers are to be multiplied by and what is to be added then, where the file says so.
    pub(super) scaling: Option<[f64; 2]>,
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
    pub(super) shades: bool,
    pub(super) was_colour: bool,
    pub(super) colour_table: Option<Vec<[u8; 3]>>,
    pub(super) no_data: Option<f64>,
    pub(super) scaling: Option<[f64; 2]>,
    /// What the file says its planes are.
    pub(super) axes: Option<Axes>,
    /// Whether one of several samples of each pixel was picked.
    pub(super) picked_sample: bool,
}

impl ImageStack {
    pub(super) fn new(picture: Picture, path: &Path) -> Result<Self, DataError> {
        let Picture { values, planes, height, width, bit_depth, notes, .. } = picture;
        let array = Array::new(vec![planes, height, width], values).map_err(|e| {
            DataError::new(DataErrorKind::Format, path, e.to_string(), "the file is damaged: save it again")
        })?;
        Ok(Self {
            array,
            bit_depth,
            notes,
            shades: picture.shades,
            was_colour: picture.was_colour,
            colour_table: picture.colour_table,
            no_data: picture.no_data,
            scaling: picture.scaling,
        })
    }

    /// The planes of an array `[height, width]` or `[planes, height, width]`; `path` names it in errors.
    ///
    /// # Errors
    /// If it has other axes, or no values.
    pub fn of_array(array: Array, path: impl AsRef<Path>) -> Result<Self, DataError> {
        let shape = match array.shape() {
            [height, width] => vec![1, *height, *width],
            shape => shape.to_vec(),
        };
        let bit_depth = match array.values() {
            Values::Bool(_) => 1,
            values => 8 * values.element_type().bytes() as u8,
        };
        let array = array.reshaped(shape).ok().filter(|a| a.shape().len() == 3 && !a.values().is_empty());
        let Some(array) = array else {
            let remedy = "give rows and columns, or planes, rows and columns";
            return Err(DataError::new(DataErrorKind::Format, path, "is not an array of pixels", remedy));
        };
        let (notes, was_colour) = (Vec::new(), false);
        let (colour_table, no_data, scaling) = (None, None, None);
        Ok(Self { array, bit_depth, notes, shades: false, was_colour, colour_table, no_data, scaling })
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

    /// Bits of a grey value in the file: 1 to 64.
    pub fn bit_depth(&self) -> u8 {
        self.bit_depth
    }

    /// What the reader ignored or found worth saying, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The file's numbers, of shape `[planes, height, width]` and the file's own type: grey values, or the numbers of
    /// colours of a picture with a table of them. Nothing is turned round or scaled.
    pub fn array(&self) -> &Array {
        &self.array
    }

    /// The file's numbers without the rest.
    pub fn into_array(self) -> Array {
        self.array
    }

    /// The file's numbers of one plane, row by row; none if there is no such plane.
    pub fn plane(&self, index: usize) -> Option<Slice<'_>> {
        self.array.outer_slice(&[index])
    }

    /// One plane as a stack of its own; none if there is no such plane.
    pub fn one_plane(&self, index: usize) -> Option<ImageStack> {
        let plane = self.array.outer(&[index])?;
        let array = plane.reshaped(vec![1, self.height(), self.width()]).ok()?;
        Some(ImageStack { array, ..self.clone() })
    }

    /// The file's numbers, `[planes, height, width]` in C order.
    pub fn to_f64(&self) -> Vec<f64> {
        self.array.to_f64()
    }

    /// What the picture shows, 0 black to 1 white: unsigned grey values divided by the largest the depth can hold, the
    /// luma of the colours where the values are numbers of colours; signed and real values as they are.
    pub fn to_unit(&self) -> Vec<f64> {
        self.shown(self.to_f64())
    }

    /// The same of one plane; none if there is no such plane.
    pub fn plane_to_unit(&self, index: usize) -> Option<Vec<f64>> {
        self.array.outer(&[index]).map(|plane| self.shown(plane.to_f64()))
    }

    /// The colours of the numbers that occur, where the numbers are those of colours in a table (a palette).
    pub fn table_colours(&self) -> Option<Vec<(usize, [u8; 3])>> {
        let table = self.colour_table.as_ref()?;
        let mut seen = vec![false; 1 << 16];
        for value in self.to_f64() {
            if let Some(seen) = seen.get_mut(value as usize) {
                *seen = true;
            }
        }
        let numbers = (0..seen.len()).filter(|number| seen[*number]);
        Some(numbers.map(|number| (number, table.get(number).copied().unwrap_or_default())).collect())
    }

    /// The largest value of the depth, where the values are unsigned.
    pub(super) fn full_scale(&self) -> Option<f64> {
        let unsigned = matches!(
            self.array.values(),
            Values::Bool(_) | Values::U8(_) | Values::U16(_) | Values::U32(_) | Values::U64(_)
        );
        unsigned.then(|| 2f64.powi(i32::from(self.bit_depth)) - 1.0)
    }

    fn shown(&self, mut values: Vec<f64>) -> Vec<f64> {
        if let Some(table) = &self.colour_table {
            let bright = |value: f64| {
                let [red, green, blue] = table.get(value as usize).copied().unwrap_or_default();
                f64::from(luma(red, green, blue)) / 255.0
            };
            values.iter_mut().for_each(|value| *value = bright(*value));
        } else if let Some(full) = self.full_scale() {
            values.iter_mut().for_each(|value| *value /= full);
        }
        values
    }

    /// The place of a value in words.
    pub(super) fn place(&self, flat: usize) -> String {
        let at = self.array.indices(flat);
        let plane = if self.planes() > 1 { format!("plane {}, ", at[0]) } else { String::new() };
        format!("{plane}row {}, column {}", at[1], at[2])
    }
}

/// Puts a plane behind the others; both are of one type.
pub(super) fn append(values: &mut Values, plane: Values) -> Result<(), Refusal> {
    match (values, plane) {
        (Values::U8(all), Values::U8(new)) => all.extend(new),
        (Values::I8(all), Values::I8(new)) => all.extend(new),
        (Values::U16(all), Values::U16(new)) => all.extend(new),
        (Values::I16(all), Values::I16(new)) => all.extend(new),
        (Values::U32(all), Values::U32(new)) => all.extend(new),
        (Values::I32(all), Values::I32(new)) => all.extend(new),
        (Values::U64(all), Values::U64(new)) => all.extend(new),
        (Values::I64(all), Values::I64(new)) => all.extend(new),
        (Values::F32(all), Values::F32(new)) => all.extend(new),
        (Values::F64(all), Values::F64(new)) => all.extend(new),
        (all, new) => {
            let found =
                format!("has values of {} beside others of {}", new.element_type(), all.element_type());
            return Err(Refusal::new(DataErrorKind::Value, found, "use images of one depth"));
        }
    }
    Ok(())
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
