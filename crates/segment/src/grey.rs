//! Holds what a segmentation reads and returns: a grey image and a mask, checked once when they are made.

use super::error::{MOST_PIXELS, SegmentationError};

/// A grey image: `height · width` values in [0, 1], row by row.
///
/// ```
/// use glauber_segment::GreyImage;
/// let image = GreyImage::new(2, 3, vec![0.0, 0.1, 0.9, 0.1, 0.8, 1.0])?;
/// assert_eq!((image.height(), image.width(), image.values()[2]), (2, 3, 0.9));
/// assert!(GreyImage::new(2, 3, vec![f64::NAN; 6]).is_err());
/// # Ok::<(), glauber_segment::SegmentationError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GreyImage {
    height: usize,
    width: usize,
    values: Vec<f64>,
}

impl GreyImage {
    /// The image of `height` rows; fails on an empty or too large shape, on a number of values that is not
    /// `height · width`, and on a value outside [0, 1].
    pub fn new(height: usize, width: usize, values: Vec<f64>) -> Result<GreyImage, SegmentationError> {
        check_shape("image", height, width, values.len())?;
        if let Some(at) = values.iter().position(|grey| !(0.0..=1.0).contains(grey)) {
            let (row, column, found) = (at / width, at % width, values[at]);
            return Err(SegmentationError::Grey { row, column, found });
        }
        Ok(GreyImage { height, width, values })
    }

    /// The image of 8-bit grey values: value / 255.
    pub fn from_bytes(height: usize, width: usize, bytes: &[u8]) -> Result<GreyImage, SegmentationError> {
        check_shape("image", height, width, bytes.len())?;
        GreyImage::new(height, width, bytes.iter().map(|&byte| f64::from(byte) / 255.0).collect())
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The grey values, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Fails where all pixels are of one colour.
    #[allow(clippy::float_cmp)] // exactly equal is meant
    pub fn check_contrast(&self) -> Result<(), SegmentationError> {
        let first = self.values[0];
        if !self.values.iter().any(|&grey| (grey - first).abs() > 0.0) {
            return Err(SegmentationError::OneColour { grey: first });
        }
        Ok(())
    }
}

/// Which pixels are foreground: `height · width` truths, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    height: usize,
    width: usize,
    inside: Vec<bool>,
}

impl Mask {
    /// The mask of `height` rows; fails on an empty or too large shape or another number of values.
    pub fn new(height: usize, width: usize, inside: Vec<bool>) -> Result<Mask, SegmentationError> {
        check_shape("mask", height, width, inside.len())?;
        Ok(Mask { height, width, inside })
    }

    /// The mask of an 8-bit image: values above 127 are foreground, as in masks written by ImageJ.
    pub fn from_bytes(height: usize, width: usize, bytes: &[u8]) -> Result<Mask, SegmentationError> {
        Mask::new(height, width, bytes.iter().map(|&byte| byte > 127).collect())
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether each pixel is foreground, row by row.
    pub fn inside(&self) -> &[bool] {
        &self.inside
    }

    /// The number of foreground pixels.
    pub fn area(&self) -> usize {
        self.inside.iter().filter(|&&inside| inside).count()
    }

    /// Fails unless the mask has the size of `image`; `what` names the mask in the error.
    pub fn check_size(
        &self,
        what: &'static str,
        height: usize,
        width: usize,
    ) -> Result<(), SegmentationError> {
        if (self.height, self.width) == (height, width) {
            return Ok(());
        }
        let (found_height, found_width) = (self.height, self.width);
        Err(SegmentationError::OtherSize { what, found_height, found_width, height, width })
    }
}

fn check_shape(
    what: &'static str,
    height: usize,
    width: usize,
    found: usize,
) -> Result<(), SegmentationError> {
    match height.checked_mul(width) {
        Some(0) => Err(SegmentationError::Empty { what, height, width }),
        Some(pixels) if pixels <= MOST_PIXELS => {
            if pixels == found {
                Ok(())
            } else {
                Err(SegmentationError::Length { what, height, width, found })
            }
        }
        _ => Err(SegmentationError::TooLarge { what, height, width }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bad_images_and_masks_are_refused_with_the_place() {
        let text = |result: Result<GreyImage, SegmentationError>| result.unwrap_err().to_string();
        assert!(text(GreyImage::new(0, 5, vec![])).contains("0 × 5"));
        assert!(text(GreyImage::new(2, 2, vec![0.0; 3])).contains("holds 3 values"));
        assert!(text(GreyImage::new(2, 2, vec![0.0, 0.0, f64::NAN, 0.0])).contains("row 1, column 0"));
        assert!(text(GreyImage::new(1, 2, vec![0.0, 1.5])).contains("1.5"));
        assert!(text(GreyImage::new(usize::MAX, 2, vec![])).contains("tiles"));
        assert!(text(GreyImage::new(1 << 20, 1 << 20, vec![])).contains("tiles"));
        assert!(Mask::new(3, 0, vec![]).is_err());
        let flat = GreyImage::from_bytes(1, 3, &[51; 3]).unwrap();
        assert_eq!(flat.check_contrast(), Err(SegmentationError::OneColour { grey: 0.2 }));
    }
}
