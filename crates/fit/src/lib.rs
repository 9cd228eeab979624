//! Makes fits of fit files: what a person writes down becomes fits that are ready to run.

// What a person writes down …
pub mod fit_file;

// … and fits that are ready to run.
pub mod job;
