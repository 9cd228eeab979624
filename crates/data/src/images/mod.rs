//! Reads pictures as lattice states: PNG, JPEG, TIFF stacks, folders of them; and writes masks and labels.
//!
//! A picture becomes planes of grey values, an [`ImageStack`] of shape `[planes, height, width]` in the picture's own
//! depth: rows from the top are `y`, columns from the left are `x`. Colour becomes ITU-R 601 luma,
//!
//! luma = (19595 R + 38470 G + 7471 B + 32768) div 65536, that is 0.299 R + 0.587 G + 0.114 B to the nearest integer,
//!
//! which is what Pillow's `convert("L")` gives. Reference: Recommendation ITU-R BT.601.
//!
//! Departures: transparency is ignored (and said); orientation marks of cameras are ignored; pictures with other
//! colour spaces (CMYK, Lab) and TIFF colour tables are refused with the way to convert them.
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

mod folder;
mod luma;
mod png_jpeg;
mod stack;
mod tiff_stack;
mod write;

pub use folder::{natural_order, read_image_folder};
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
