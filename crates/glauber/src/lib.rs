//! Fit stochastic lattice models to data, by gradients through their randomness.
