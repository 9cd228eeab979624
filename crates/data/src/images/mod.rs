//! Reads pictures as numbers: PNG, JPEG, TIFF stacks, ESRI ASCII grids, folders of them; and writes masks and labels.
//!
//! A picture becomes planes, an [`ImageStack`] of shape `[planes, height, width]` that holds **the file's own numbers**
//! in its own depth: rows from the top are `y`, columns from the left are `x`. What they mean is decided where they are
//! used, and said where it was not the only possible reading:
//!
//! - [`read_series`] takes planes for times, obeying what ImageJ, OME, tifffile and names in folders say of channels and
//!   slices;
//! - [`ImageStack::inside`] tells two classes apart: masks of any two values, labels, grey values;
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

// What is wrong inside a picture, and colours turned into grey …
mod luma;
mod refusal;

// … a reader for each format, and what a file says of its planes …
mod ascii_grid;
mod axes;
mod png_jpeg;
mod tagged;

// … planes in memory, from a file or a folder, as they are or as one series …
mod folder;
mod names;
mod series;
mod stack;

// … what their numbers mean …
mod inside;
mod numbers;

// … and what is written.
mod write;

pub use folder::read_image_folder;
pub use inside::{Inside, Threshold};
pub use names::natural_order;
pub use series::{Pick, Series, SeriesChoice, read_series};
pub use stack::{ImageStack, read_image, read_images};
pub use write::{write_grey_png, write_labels_tiff, write_mask_png};

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
