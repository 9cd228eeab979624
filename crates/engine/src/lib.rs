//! How it runs: noise, blocks, kernels, rollouts, checkpoints, threads.

pub mod real;

pub mod elementary;

pub mod noise;
