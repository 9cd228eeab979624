//! Says what is wrong with an image, a mask or a segmentation's settings, and what to do.

/// The most pixels of one image: 16,384 × 16,384.
pub const MOST_PIXELS: usize = 1 << 28;

/// What is wrong, in the user's words.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SegmentationError {
    /// An image without pixels.
    #[error("the {what} has {height} × {width} pixels; there is nothing to segment")]
    Empty {
        /// `image`, `mask` or `truth`.
        what: &'static str,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// More pixels than fit the memory this is made for.
    #[error(
        "the {what} has {height} × {width} pixels; at most {MOST_PIXELS} are segmented in one piece: cut it into tiles"
    )]
    TooLarge {
        /// `image`, `mask` or `truth`.
        what: &'static str,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A shape and a number of values that do not go together.
    #[error("the {what} is said to have {height} × {width} pixels but holds {found} values")]
    Length {
        /// `image`, `mask` or `truth`.
        what: &'static str,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Values held.
        found: usize,
    },
    /// A grey value that is no number in [0, 1].
    #[error(
        "the image's pixel at row {row}, column {column} (counted from 0) is {found}; grey values lie in [0, 1]"
    )]
    Grey {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value.
        found: f64,
    },
    /// Nothing to tell apart.
    #[error("every pixel of the image is {grey}; an image of one colour has no two classes")]
    OneColour {
        /// The grey value.
        grey: f64,
    },
    /// Nothing left after the background was subtracted.
    #[error("the image is all background: once it is flattened nothing is left to segment")]
    Featureless,
    /// A truth or mask of another size.
    #[error(
        "the {what} has {found_height} × {found_width} pixels, the image {height} × {width}; both must be of one size"
    )]
    OtherSize {
        /// `truth`, `mask`, `start`, …
        what: &'static str,
        /// Rows found.
        found_height: usize,
        /// Columns found.
        found_width: usize,
        /// Rows of the image.
        height: usize,
        /// Columns of the image.
        width: usize,
    },
    /// A setting outside its range.
    #[error("segmentation: `{name}` is {found}; it must {must}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value, written out.
        found: String,
        /// What it must be.
        must: &'static str,
    },
    /// A preset that is not there.
    #[error("there is no segmentation preset `{found}`{suggestion}")]
    Preset {
        /// The name asked for.
        found: String,
        /// The nearest name, or all of them.
        suggestion: String,
    },
    /// More objects than 16-bit labels tell apart.
    #[error(
        "the mask has {found} separate objects; 16-bit labels tell at most 65,535 apart: \
         drop the smallest ones (`least_area`) or cut the image into tiles"
    )]
    TooManyObjects {
        /// Objects found.
        found: usize,
    },
}

/// Fails unless `found` is a finite number in `[least, greatest]`; `must` completes "it must …".
pub(super) fn check_setting(
    name: &'static str,
    found: f64,
    (least, greatest): (f64, f64),
    must: &'static str,
) -> Result<(), SegmentationError> {
    if found.is_finite() && (least..=greatest).contains(&found) {
        Ok(())
    } else {
        Err(SegmentationError::Setting { name, found: found.to_string(), must })
    }
}
