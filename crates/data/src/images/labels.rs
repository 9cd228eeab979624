//! Takes the numbers of a picture as labels of objects: whole numbers, exactly as the file has them.

use super::stack::ImageStack;
use crate::{DataError, DataErrorKind};
use std::path::Path;

impl ImageStack {
    /// The labels, `[planes, height, width]` in C order, of pictures of 8, 16 or 32 bits, signed or not, and of real numbers
    /// that are whole; `path` names the file in errors.
    ///
    /// ```
    /// use glauber_data::Overwrite;
    /// use glauber_data::images::{ImageLimits, read_image, write_labels_tiff};
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("labels.tif");
    /// write_labels_tiff(&path, 1, 1, 3, &[0, 7, 40_000], Overwrite::Refuse)?;
    /// assert_eq!(read_image(&path, ImageLimits::default())?.labels(&path)?, [0, 7, 40_000]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the picture is one of colours or lossy grey values, a number is missing, or is not whole.
    pub fn labels(&self, path: impl AsRef<Path>) -> Result<Vec<i64>, DataError> {
        let path = path.as_ref();
        if self.was_colour {
            let found = "is a picture of colours, whose grey values are no labels";
            let remedy = "save the labels themselves as 8-, 16- or 32-bit grey (ImageJ: before a lookup table is applied)";
            return Err(DataError::new(DataErrorKind::Unsupported, path, found, remedy));
        }
        self.check_all_there(path)?;
        if let Some(labels) = self.array.integers() {
            return Ok(labels);
        }
        let values = self.to_f64();
        let at = values.iter().position(|value| value.fract().abs() > 0.0 || value.abs() >= 2f64.powi(63));
        let place = at.unwrap_or(0);
        let found = format!("holds {}, which is no label", values.get(place).copied().unwrap_or(f64::NAN));
        let remedy = "labels are whole numbers, 0 for the background: save the labels, not probabilities or intensities";
        Err(DataError::new(DataErrorKind::Value, path, found, remedy).at(self.place(place)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::arrays::Array;

    fn stack(values: impl Into<crate::arrays::Values>) -> ImageStack {
        ImageStack::of_array(Array::new(vec![1, 1, 2], values).unwrap(), "a.npy").unwrap()
    }

    #[test]
    fn labels_of_every_depth_are_exact() {
        assert_eq!(stack(vec![255u8, 1]).labels("a").unwrap(), [255, 1]);
        assert_eq!(stack(vec![65_535u16, 0]).labels("a").unwrap(), [65_535, 0]);
        assert_eq!(stack(vec![u32::MAX, 16_777_217]).labels("a").unwrap(), [4_294_967_295, 16_777_217]);
        assert_eq!(stack(vec![-3i32, i32::MAX]).labels("a").unwrap(), [-3, 2_147_483_647]);
        assert_eq!(stack(vec![(1i64 << 53) + 1, 0]).labels("a").unwrap(), [(1 << 53) + 1, 0]);
        assert_eq!(stack(vec![3.0f32, 0.0]).labels("a").unwrap(), [3, 0]);
    }

    #[test]
    fn what_is_no_label_is_refused_with_its_place() {
        let error = stack(vec![3.0f32, 0.5]).labels("a").unwrap_err().to_string();
        assert!(error.contains("holds 0.5, which is no label"), "{error}");
        assert!(stack(vec![3.0f64, f64::NAN]).labels("a").is_err());
        let colour = ImageStack { was_colour: true, ..stack(vec![1u8, 2]) };
        assert!(colour.labels("a").unwrap_err().to_string().contains("colours"));
    }
}
