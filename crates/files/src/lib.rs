//! Writes files whole or not at all, keeps runs in folders of their own, words what is wrong with a file, and reads
//! numbers as people write them.

// What is wrong with a file, where, and what to do …
pub mod error;
mod refusal;
// … the nearest right name …
pub mod spelling;
// … numbers and amounts of memory as people write them …
mod memory_size;
pub mod written_number;
// … files that appear whole or not at all …
pub mod whole_file;
// … and folders that hold a run, for one process at a time.
mod claim;
pub mod run_folder;

pub use error::{DataError, DataErrorKind};
pub use memory_size::MemorySize;
pub use refusal::Refusal;
pub use whole_file::{Overwrite, WholeFile};
pub use written_number::{number, rounded, significant, whole_number};
