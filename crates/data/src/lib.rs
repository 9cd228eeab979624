//! Reads what was observed and writes what was computed, in the formats people have: arrays, images, cell tracks.
//!
//! The modules in the order data flows:
//!
//! - [`FileKind`] says by its content what a file is, and for one that is not read, what to save it as;
//! - [`arrays`], a crate of its own, reads and writes NPY and NPZ, the files that `simulate` writes and `fit` reads;
//! - [`no_data_sign`] knows the numbers that stand for no data, wherever they come from;
//! - [`period_of_changes`] tells frames that were held from those in which nothing happened;
//! - [`images`] reads PNG, JPEG, TIFF stacks, Netpbm, ESRI ASCII grids and folders of them;
//! - `tables` reads tables of text as programs and spreadsheets write them;
//! - [`read_cell_types`] reads which type every cell has from a table;
//! - [`read_time_curve`] reads a curve over time from a table;
//! - [`tracks`] reads cell tracks of several programs and takes their mean squared displacement.
//!
//! Every reader bounds what it allocates by what the file really holds and by a limit its caller sets, so a small
//! file that claims to be large is refused before memory is taken.

mod cell_types;
mod held;
mod no_data;

pub mod images;
mod step_table;
mod tables;
mod time_curve;
pub mod tracks;

pub use cell_types::{CellTypes, read_cell_types};
pub use held::{held_in_words, period_of_changes};
pub use step_table::{NAMES_OF_COLUMNS, read_step_table};
pub use time_curve::{TimeCurve, read_time_curve};

pub use glauber_arrays as arrays;
pub use glauber_files::{DataError, DataErrorKind, Overwrite, WholeFile};
pub use images::FileKind;
pub use no_data::{NoDataSign, no_data_sign};
