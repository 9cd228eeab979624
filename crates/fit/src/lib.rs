//! How parameters are found: summaries, losses, tasks, optimizers, searches, the loop.

pub mod data;

// The seam: θ → loss and gradient.
pub mod objective;

// Observed lattices, how far a simulation is from them, and the tasks that make objectives of them.
pub mod states;

pub mod covariates;

pub mod summaries;

pub mod losses;

pub mod tasks;

// Whether a state shows a pattern, and whether parameters form one.
pub mod pattern;

pub mod formation;

// From a gradient to a step: interval maps, clipping, the optimizer, its rate.
pub mod maps;

pub mod clipping;

pub mod optimizers;

pub mod schedule;

// From steps to a fit: when it ends, its average, its history, who watches, how it is stored, what it found.
pub mod stopping;

pub mod averaging;

pub mod trace;

pub mod observer;

pub mod checkpoint;

pub mod standard_error;

pub mod fit_result;

mod walk;

pub mod descent;

// The same without gradients.
pub mod searches;

pub mod gradient_free;

pub mod method;

pub mod multi_start;

// What a person writes down: the fit file.
pub mod fit_file;

// An image as a field of unknowns: the Potts energy, its descent, and what judges a mask.
pub mod segmentation;

// Errors that name the nearest right name.
pub mod spelling;

// From a fit file to fits that are ready to run.
pub mod job;

// Whether gradients are what they claim.
pub mod check;

// Bounds for statistical tests.
pub mod tolerance;
