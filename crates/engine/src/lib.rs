//! How it runs: noise, blocks, kernels, rollouts, checkpoints, threads.
