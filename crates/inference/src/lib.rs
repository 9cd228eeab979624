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
mod flatness;
pub mod surface;

// … how a route is chosen, and the objective that a fit takes.
pub mod route;

pub mod objective;

// What can be done apart, as it travels.
pub mod apart;

// Errors by fits to drawn data.
pub mod bootstrap;

pub mod autologistic;

pub mod persistent_walk;

// … what is thought before, and both together …
pub mod prior;

pub mod density;

// … and draws from it: their random numbers, whether chains agree, the chains.
mod draws;

pub mod agreement;

pub mod posterior;

// The highest point, what the data determine about it, and how models compare.
pub mod climb;

pub mod criteria;

pub mod profile;
