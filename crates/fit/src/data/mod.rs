//! Reads what was observed and writes what was computed: arrays, images, cell tracks.
//!
//! The modules in the order data flows:
//!
//! - [`DataError`] says where a file is wrong, what was found there and what to do;
//! - [`WholeFile`] writes a file whole or not at all;
//! - [`arrays`] reads and writes NPY and NPZ, the files that `simulate` writes and `fit` reads;
//! - [`images`] reads PNG, JPEG, TIFF stacks and folders of images as lattice states;
//! - [`tracks`] reads cell tracks of several programs and takes their mean squared displacement.
//!
//! Every reader bounds what it allocates by what the file really holds and by a limit its caller sets, so a small
//! file that claims to be large is refused before memory is taken.

pub mod arrays;
mod error;
pub mod images;
pub mod tracks;
mod whole_file;

pub use error::{DataError, DataErrorKind};
pub use whole_file::{Overwrite, WholeFile};
