//! Names what travels by the hash of what it is, so that it travels once.

use std::hash::Hasher;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use glauber_engine::Numbers;
use serde::{Deserialize, Serialize};

/// The hash of a content: of 128 bits, so that no two are alike by accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hash(pub [u64; 2]);

impl Hash {
    /// Of bytes. Whoever receives a hash never computes it, so that it may differ from build to build.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash([0u8, 1].map(|salt| {
            let mut hasher = std::hash::DefaultHasher::new();
            hasher.write_u8(salt);
            hasher.write(bytes);
            hasher.finish()
        }))
    }
}

/// Something that travels.
#[derive(Clone)]
pub enum Content {
    /// Bytes, such as those of programs.
    Bytes(Arc<Vec<u8>>),
    /// Numbers of a run.
    Numbers(Arc<Numbers>),
}

impl Content {
    /// As bytes.
    pub fn bytes(&self) -> Arc<Vec<u8>> {
        match self {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Numbers(numbers) => Arc::new(written(numbers)),
        }
    }
}

/// Numbers as bytes: what kind they are, and each.
fn written(numbers: &Numbers) -> Vec<u8> {
    match numbers {
        Numbers::Bytes(all) => [&[0], &all[..]].concat(),
        Numbers::Reals(all) => std::iter::once(1).chain(all.iter().flat_map(|x| x.to_le_bytes())).collect(),
    }
}

/// The numbers that [`written`] wrote.
pub(crate) fn read(bytes: &[u8]) -> Option<Numbers> {
    match bytes.split_first()? {
        (0, rest) => Some(Numbers::Bytes(rest.to_vec())),
        (1, rest) if rest.len() % 8 == 0 => {
            let number = |own: &[u8]| f64::from_le_bytes(std::array::from_fn(|i| own[i]));
            Some(Numbers::Reals(rest.chunks_exact(8).map(number).collect()))
        }
        _ => None,
    }
}

/// The hashes of numbers that were met, as long as these live.
#[derive(Default)]
pub(crate) struct Known(Mutex<Vec<(Weak<Numbers>, Hash)>>);

impl Known {
    /// The hash of numbers, which is computed once.
    pub(crate) fn hash(&self, numbers: &Arc<Numbers>) -> Hash {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A weak reference keeps the address from being used again.
        if let Some((_, hash)) =
            known.iter().find(|(own, _)| std::ptr::eq(own.as_ptr(), Arc::as_ptr(numbers)))
        {
            return *hash;
        }
        known.retain(|(own, _)| own.strong_count() > 0);
        let hash = Hash::of(&written(numbers));
        known.push((Arc::downgrade(numbers), hash));
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_with_their_bits() {
        let reals = Numbers::Reals(vec![0.1, -0.0, f64::NAN, f64::INFINITY]);
        let (Some(Numbers::Reals(back)), Numbers::Reals(own)) = (read(&written(&reals)), &reals) else {
            panic!("they are reals");
        };
        assert!(back.iter().zip(own).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert_eq!(read(&written(&Numbers::Bytes(vec![3, 0]))), Some(Numbers::Bytes(vec![3, 0])));
        assert_eq!([read(&[]), read(&[7, 1]), read(&[1, 2, 3])], [None, None, None]);
    }

    #[test]
    fn a_hash_tells_contents_apart_and_is_kept_for_what_lives() {
        let known = Known::default();
        let (a, b) = (Arc::new(Numbers::Bytes(vec![1])), Arc::new(Numbers::Bytes(vec![2])));
        assert_eq!(known.hash(&a), known.hash(&a));
        assert_ne!(known.hash(&a), known.hash(&b));
        assert_eq!(known.hash(&Arc::new(Numbers::Bytes(vec![1]))), known.hash(&a));
        assert_eq!(known.0.lock().unwrap_or_else(PoisonError::into_inner).len(), 3);
        known.hash(&Arc::new(Numbers::Bytes(vec![9])));
        assert_eq!(known.0.lock().unwrap_or_else(PoisonError::into_inner).len(), 3);
    }
}
