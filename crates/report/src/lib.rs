//! What a person sees: progress, curves, frames, films, the HTML report.
//!
//! Nothing here computes; everything takes plain slices of numbers and words. In the order of use:

// While a fit runs: one line on the terminal.
pub mod progress;

// The colours that all pictures share.
pub mod colour;
// The text of an SVG picture, escaped.
mod svg;

// Curves: parameters and loss over the steps, data with error bars, fits.
pub mod plot;

// Lattices: pictures, contact sheets, films, outlines on an image.
pub mod frames;

// All of it on one page that needs no network.
pub mod html;

#[cfg(test)]
mod xml;
