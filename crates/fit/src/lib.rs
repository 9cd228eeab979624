//! Makes fits of fit files: what a person writes down becomes a problem, fits that run, and what they came to.

// What a person writes down …
pub use glauber_fit_file as fit_file;

mod error;

// … what it means, everything read …
pub mod problem;

// … what fits come to, in words, as JSON, in a folder …
pub mod outcome;

// … fits that are ready to run, and who watches them.
pub mod job;
pub mod watch;

// What the data tell of parameters: posteriors and profiles.
pub mod inference;
