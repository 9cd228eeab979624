//! Reads pictures as lattice states.
