//! What must hold for every model, estimator and optimizer.
