//! Reads pictures as numbers: PNG, JPEG, TIFF stacks, Netpbm, ESRI ASCII grids, folders of them; and writes masks and labels.
//!
//! A picture becomes planes, an [`ImageStack`] of shape `[planes, height, width]` that holds **the file's own numbers**
//! in its own depth: rows from the top are `y`, columns from the left are `x`. What they mean is decided where they are
//! used, and said where it was not the only possible reading:
//!
//! - [`read_series`] takes planes for times, obeying what ImageJ, OME, tifffile and names in folders say of channels and
//!   slices;
//! - [`ImageStack::inside`] tells two classes apart: masks of any two values, labels, grey values;
//! - [`ImageStack::labels`] gives whole numbers that name objects;
//! - [`ImageStack::numbers`] gives data per site;
//! - [`ImageStack::to_unit`] gives what the picture shows, 0 black to 1 white.
//!
//! Colour becomes ITU-R 601 luma,
//!
//! luma = (19595 R + 38470 G + 7471 B + 32768) div 65536, that is 0.299 R + 0.587 G + 0.114 B to the nearest integer,
//!
//! which is what Pillow's `convert("L")` gives. Reference: Recommendation ITU-R BT.601.
//!
//! Departures: transparency and orientation are ignored (and said); white-is-zero TIFFs are not turned round (and said),
//! as in ImageJ and unlike Pillow; PNGs of 2 and 4 bits keep their numbers, unlike in Pillow; other colour spaces (CMYK,
//! Lab) in TIFF are refused with the way to convert them.
//!
//! ```
//! use glauber_data::Overwrite;
//! use glauber_data::images::{ImageLimits, read_images, write_mask_png};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("mask.png");
//! write_mask_png(&path, 1, 3, &[true, false, true], Overwrite::Refuse)?;
//!
//! let mask = read_images(&path, ImageLimits::default())?;
//! assert_eq!((mask.planes(), mask.height(), mask.width()), (1, 1, 3));
//! assert_eq!(mask.to_unit(), [1.0, 0.0, 1.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// What is wrong inside a picture, colours turned into grey, what is chosen, planes in memory …
mod axes;
mod luma;
mod refusal;
mod stack;

// … a reader for each format …
mod ascii_grid;
mod netpbm;
mod png_jpeg;
mod tagged;

// … which of them a file is for …
mod kind;

// … files of a folder, and one series of a file or folder …
mod folder;
mod series;

// … what their numbers mean …
mod inside;
mod labels;
mod numbers;

// … and what is written.
mod write;

use crate::DataError;
use stack::{Format, Opened, Picture};
use std::path::Path;

pub use folder::read_image_folder;
pub use glauber_names::{Pick, SeriesChoice, natural_order};
pub use inside::{Inside, Threshold};
pub use kind::FileKind;
pub use numbers::usual_no_data;
pub use series::{Series, read_series};
pub use stack::ImageStack;
pub use write::{StackExtent, write_grey_png, write_label_stack, write_labels_tiff, write_mask_png};

/// The formats that are read.
const FORMATS: &[Format] =
    &[png_jpeg::PNG, png_jpeg::JPEG, tagged::TIFF, netpbm::NETPBM, ascii_grid::ASCII_GRID];

/// How much a reader of pictures may take into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageLimits {
    /// Pixels of all planes together.
    pub pixels: u64,
}

impl Default for ImageLimits {
    /// 2²⁸ pixels: 256 MiB of 8-bit grey, a stack of 256 planes of 1024 × 1024.
    fn default() -> Self {
        Self { pixels: 1 << 28 }
    }
}

/// Reads a picture or map in one of the formats above (by its content, not its name); a TIFF stack gives all its planes.
///
/// # Errors
/// If the file is missing, empty, no such picture, damaged or cut short, larger than the limit, or of a kind not read
/// here (see above).
pub fn read_image(path: impl AsRef<Path>, limits: ImageLimits) -> Result<ImageStack, DataError> {
    let path = path.as_ref();
    let mut picture = read_picture(path, None, limits)?;
    if let Some(axes) = picture.axes.as_ref().filter(|axes| axes.lengths.len() > 1) {
        picture.notes.push(format!(
            "{} says the {} planes are {axes}, the first varying fastest; they were read in the file's order",
            axes.said_by, picture.planes,
        ));
    }
    ImageStack::new(picture, path)
}

/// Reads a picture, or a folder of them one after the other.
///
/// # Errors
/// Those of [`read_image`] and [`read_image_folder`].
pub fn read_images(path: impl AsRef<Path>, limits: ImageLimits) -> Result<ImageStack, DataError> {
    let path = path.as_ref();
    if path.is_dir() { read_image_folder(path, limits) } else { read_image(path, limits) }
}

/// Reads one file; of pixels with several channels the one that is chosen, where somebody can choose.
fn read_picture(
    path: &Path,
    choice: Option<&SeriesChoice>,
    limits: ImageLimits,
) -> Result<Picture, DataError> {
    let kind = FileKind::of(path)?;
    let format = FORMATS.iter().find(|format| kind == FileKind::Image(format.name));
    let Some(format) = format else { return Err(kind.refused(path, "an image")) };
    let (file, length) = crate::arrays::open_regular(path)?;
    (format.read)(Opened { file, length, path, choice, limits })
}
