//! Says what data tell of parameters: log densities, priors, posteriors, profiles.
//!
//! A route to a likelihood is a [`likelihood::Likelihood`]; what is done with one is written once for all routes.

// The seam: parameters → ln probability of the data, and what kind of number that is …
pub mod likelihood;

// … the routes that are exact …
pub mod exact;

// … those for parts, noise and times in between …
pub mod particle_filter;

pub mod mean_field_filter;

pub mod synthetic;

// … and what a likelihood with noise looks like around its maximum.
pub mod surface;

// … how a route is chosen, and the objective that a fit takes.
pub mod route;

pub mod objective;

// Errors by fits to drawn data.
pub mod bootstrap;
