//! Reads cell tracks.
