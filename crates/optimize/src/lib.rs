//! Finds minima: objectives, interval maps, optimizers, searches, the loop, checkpoints and traces.
//!
//! Nothing here knows of lattices: an [`objective::Objective`] has a value and a gradient, and that is all.

// The seam: θ → loss and gradient.
mod unknown;

pub mod objective;

// From a gradient to a step: interval maps, clipping, the optimizer, its rate.
pub mod maps;

pub mod clipping;

pub mod optimizers;

pub mod schedule;

// A minimum of a smooth function without noise, in one call.
pub mod quasi_newton;

// From steps to a fit: when it ends, its average, its history, who watches, how it is stored, what it found.
pub mod stopping;

pub mod averaging;

pub mod trace;

pub mod observer;

pub mod checkpoint;
mod keeper;

// What is known of an estimate: where the path stood, how a likelihood looks around it, and what that comes to.
pub mod course;

pub mod verdict;

mod combination;

pub mod information;

pub mod curvature;

pub mod fit_result;

// The loop: what surrounds it, what proposes its steps, what it drives.
mod control;
mod driver;
mod ended;
mod identity;
mod rest;
mod resting;
mod single_steps;
mod stepper;
mod thrown;

pub mod descent;

// Steps without gradients.
pub mod searches;

pub mod gradient_free;

pub mod method;

pub mod multi_start;
