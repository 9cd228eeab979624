//! How parameters are found: summaries, losses, tasks, optimizers, searches, the loop.
