//! Stores models and programs as bytes, and reads back what this version stored.
//!
//! The bytes are the version, a checksum, and the contents; they are for copies and caches (Python's pickles), not for
//! archives: another version of glauber refuses them.
//!
//! ```
//! use glauber_lattice::{Lattice, Values};
//! use glauber_program::{Interval, Model};
//! let coin = Model::build("coin", Lattice::line(3))
//!     .layer("heads", Values::binary())
//!     .parameter("p", Interval::unit())
//!     .step(|s| s.next("heads").bernoulli(s.parameter("p")))?;
//! assert_eq!(Model::from_bytes(&coin.to_bytes()?)?, coin);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use serde::{Serialize, de::DeserializeOwned};

use crate::bundle::Bundle;
use crate::model::Model;
use crate::program::Program;
use crate::trace::Stage;
use crate::validate;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why bytes are no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// Stored by another version.
    #[error("it was stored by glauber {found}, but this is glauber {VERSION}: build the model again")]
    Version {
        /// That version.
        found: String,
    },
    /// Not what was stored.
    #[error("these bytes are not a model that glauber stored, or were changed: build the model again")]
    Damaged,
    /// Could not be stored.
    #[error("the model could not be stored: {0}")]
    Unstorable(String),
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

fn store(contents: &impl Serialize) -> Result<Vec<u8>, StoredError> {
    let unstorable = |e: postcard::Error| StoredError::Unstorable(e.to_string());
    let contents = postcard::to_allocvec(contents).map_err(unstorable)?;
    postcard::to_allocvec(&(VERSION, checksum(&contents), contents)).map_err(unstorable)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoredError> {
    let (version, sum, contents): (String, u64, Vec<u8>) =
        postcard::from_bytes(bytes).map_err(|_| StoredError::Damaged)?;
    if version != VERSION {
        return Err(StoredError::Version { found: version });
    }
    if checksum(&contents) != sum {
        return Err(StoredError::Damaged);
    }
    postcard::from_bytes(&contents).map_err(|_| StoredError::Damaged)
}

impl Model {
    /// The model as bytes.
    ///
    /// # Errors
    /// [`StoredError::Unstorable`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoredError> {
        store(self)
    }

    /// The model that [`Model::to_bytes`] stored.
    ///
    /// # Errors
    /// [`StoredError`] for bytes of another version, or that are none of a model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, StoredError> {
        read(bytes)
    }
}

impl Program {
    /// The program as bytes.
    ///
    /// # Errors
    /// [`StoredError::Unstorable`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoredError> {
        store(self)
    }

    /// The observation that [`Program::to_bytes`] stored.
    ///
    /// # Errors
    /// [`StoredError`] for bytes of another version, or that are none of an observation.
    pub fn from_bytes(bytes: &[u8]) -> Result<Program, StoredError> {
        let program: Program = read(bytes)?;
        match validate::stage(&program, Stage::Observation) {
            Ok(()) => Ok(program),
            Err(_) => Err(StoredError::Damaged),
        }
    }
}

impl Bundle {
    /// The bundle as bytes.
    ///
    /// # Errors
    /// [`StoredError::Unstorable`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoredError> {
        store(self)
    }

    /// The bundle that [`Bundle::to_bytes`] stored.
    ///
    /// # Errors
    /// [`StoredError`] for bytes of another version, or that are none of a bundle.
    pub fn from_bytes(bytes: &[u8]) -> Result<Bundle, StoredError> {
        read(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declarations::Interval;
    use glauber_lattice::{Lattice, Moore, Values};

    fn model() -> Model {
        Model::build("spread", Lattice::square(8).fixed(0.0))
            .layer("aware", Values::binary())
            .parameter("beta", Interval::positive())
            .start(|s| s.next("aware").bernoulli(0.5))
            .step(|s| {
                let exposure = s.layer("aware").neighbours(Moore).sum();
                s.next("aware").bernoulli(1.0 - (-exposure * s.parameter("beta")).exp());
            })
            .unwrap()
    }

    #[test]
    fn what_is_stored_is_read_back_the_same() {
        let model = model();
        assert_eq!(Model::from_bytes(&model.to_bytes().unwrap()).unwrap(), model);
        let count = model.observe(|s| s.output("aware", s.layer("aware").sum())).unwrap();
        assert_eq!(Program::from_bytes(&count.to_bytes().unwrap()).unwrap(), count);
        assert_eq!(Program::from_bytes(&model.step.to_bytes().unwrap()), Err(StoredError::Damaged));
    }

    #[test]
    fn changed_bytes_are_refused() {
        let bytes = model().to_bytes().unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(Model::from_bytes(&changed).is_err(), "byte {place}");
            assert!(Model::from_bytes(&bytes[..place]).is_err(), "cut at {place}");
        }
    }
}
