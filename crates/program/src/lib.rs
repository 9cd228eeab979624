//! What a model says: tracing, instructions, checks, the adjoint transform, estimators.
