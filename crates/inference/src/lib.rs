//! Says what data tell of parameters: log densities, priors, posteriors, profiles.
//!
//! A route to a likelihood is a [`likelihood::Likelihood`]; what is done with one is written once for all routes.

// The seam: parameters → ln probability of the data, and what kind of number that is …
pub mod likelihood;

// … the routes that are exact …
pub mod exact;
