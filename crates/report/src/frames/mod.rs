//! Draws lattices: pictures, contact sheets, films, outlines on an image.
//!
//! A [`Colouring`] says what a number looks like; a [`Picture`] is a lattice (or a slice of one) drawn by it, at
//! most 256 colours, each site a square of pixels. A [`Film`] writes pictures one by one, so that its length
//! costs no memory. Everything takes slices in row order: row 0 is the top, and a row runs from left to right.
//!
//! ```
//! use glauber_report::frames::{Colouring, Picture};
//! let aware: Vec<u8> = (0..64 * 64).map(|site| u8::from(site % 7 == 0)).collect();
//! let picture = Picture::of(&aware, 64, 64, &Colouring::binary())?.enlarged_for_eyes()?;
//! assert_eq!((picture.width(), picture.height()), (512, 512));
//! let png: Vec<u8> = picture.to_png()?;
//! # assert!(png.starts_with(b"\x89PNG"));
//! # Ok::<(), glauber_report::frames::FrameError>(())
//! ```

use glauber_files::run_folder::FileError;

mod colouring;
mod film;
mod legend;
mod letters;
mod outline;
mod picture;
mod sheet;
mod space_time;

pub use colouring::Colouring;
pub use film::{Film, FilmFile, FilmOptions};
pub use outline::Outlined;
pub use picture::Picture;
pub use sheet::ContactSheet;
pub use space_time::SpaceTime;

/// The longest side of a picture, in pixels.
pub const LONGEST_SIDE: usize = 16_384;
/// The most pixels of a picture.
pub const MOST_PIXELS: usize = 1 << 27;

/// What is wrong with a picture or film.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The values do not fill the shape.
    #[error("{found} values do not fill {height} × {width} sites; give height × width values, row by row")]
    Shape {
        /// How many values there are.
        found: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// There are no sites.
    #[error(
        "a lattice of {height} × {width} sites has nothing to draw; give at least one row and one column"
    )]
    Empty {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The picture would be too large.
    #[error(
        "a picture of {height} × {width} pixels is too large (at most {LONGEST_SIDE} a side and {MOST_PIXELS} in all); \
         draw a part of the lattice, or enlarge it less"
    )]
    TooLarge {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The range of the colours is none.
    #[error("colours from {lo} to {hi} span no range; give a lower and a larger upper end, both finite")]
    Range {
        /// The lower end.
        lo: f64,
        /// The upper end.
        hi: f64,
    },
    /// Too few or too many categories.
    #[error("{found} categories cannot be told apart; give 1 to 200")]
    Categories {
        /// How many were asked for.
        found: usize,
    },
    /// The frames of a film have different shapes.
    #[error(
        "a frame of {found} values in a film of {height} × {width} sites; every frame needs the same shape"
    )]
    FilmShape {
        /// How many values the frame has.
        found: usize,
        /// Rows of the film.
        height: usize,
        /// Columns of the film.
        width: usize,
    },
    /// A film has no frame.
    #[error("a film without a frame is none; add at least one frame")]
    NoFrame,
    /// The encoder failed.
    #[error("cannot write the {what}: {reason}")]
    Encoding {
        /// "PNG picture" or "GIF film".
        what: &'static str,
        /// The encoder's reason.
        reason: String,
    },
    /// The file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}
