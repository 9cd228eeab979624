//! Reads what the names of a folder's files say: their order, times with gaps, channels, slices, dates and clock times.
//!
//! [`arrange`] takes the names of pictures for one series in time. What was taken for what is said; names that can be read in
//! several ways which differ are refused.
//!
//! ```
//! use glauber_names::{SeriesChoice, arrange};
//! let names = ["t09.png", "t11.png", "t10.png"].map(String::from);
//! let series = arrange(&names, &SeriesChoice::default()).map_err(|e| e.in_file("folder".as_ref()))?;
//! assert_eq!((series.files, series.frames), (vec![0, 2, 1], Some(vec![9, 10, 11])));
//! # Ok::<(), glauber_files::DataError>(())
//! ```

// Which channel, slice or time is meant …
mod choice;
// … numbers, and words for days and months, in columns of the names …
mod date_words;
mod numbered;
// … what they are dates and clock times of …
mod calendar;
mod stamps;
// … and one series, in the order of time.
mod arrange;
mod order;

pub use arrange::{Arranged, arrange};
pub use choice::{Pick, SeriesChoice};
pub use numbered::{gap_note, natural_order, step_of};
