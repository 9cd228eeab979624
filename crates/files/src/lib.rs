//! Writes files whole or not at all, keeps runs in folders of their own, and words what is wrong with a file.

// What is wrong with a file, where, and what to do …
pub mod error;
// … the nearest right name …
pub mod spelling;
// … files that appear whole or not at all …
pub mod whole_file;
// … and folders that hold a run, for one process at a time.
mod claim;
pub mod run_folder;

pub use error::{DataError, DataErrorKind};
pub use whole_file::{Overwrite, WholeFile};
