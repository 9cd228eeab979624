//! Writes what was done apart as bytes, bit for bit, for whoever has pieces of a job done elsewhere.
//!
//! The bytes are for workers of the same version, not for archives.

use serde::{Serialize, de::DeserializeOwned};

/// Pieces of a job that somebody else may have done: for each the bytes that came of it, or none where it is to be done
/// here.
pub type Elsewhere<'a, P> = dyn Fn(&[P]) -> Vec<Option<Vec<u8>>> + 'a;

/// Something as bytes; empty where it cannot be written, which no one reads as anything.
pub fn written(own: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(own).unwrap_or_default()
}

/// What was written; nothing where these are no such bytes, or more than these.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (own, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(own)
}

/// What came of pieces elsewhere, by piece.
pub(crate) fn asked<P, T: DeserializeOwned>(
    elsewhere: Option<&Elsewhere<'_, P>>,
    pieces: &[P],
) -> Vec<Option<T>> {
    let mut found: Vec<Option<T>> = match elsewhere {
        Some(elsewhere) => elsewhere(pieces).into_iter().map(|bytes| read(&bytes?)).collect(),
        None => Vec::new(),
    };
    found.resize_with(pieces.len(), || None);
    found
}
