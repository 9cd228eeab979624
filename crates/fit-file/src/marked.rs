//! Wraps a value of a fit file so that it remembers whether anything has read it.
//!
//! What a fit file says and nobody reads would be without effect, in silence. So every key that only some fits use
//! is held in a [`Marked`]; whoever looks at its value marks it, and [`FitFile::refuse_unused`] refuses the keys that
//! were written and are left unmarked once the fit is set up. Writing the file out and comparing it mark nothing.
//!
//! [`FitFile::refuse_unused`]: super::FitFile::refuse_unused

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Serialize, Serializer};

/// A value that is marked when it is read. Clones share the mark.
#[derive(Clone, Default)]
pub struct Marked<T> {
    value: T,
    read: Arc<AtomicBool>,
}

/// The marks of a fit file's keys, by their dotted path.
pub(super) type Marks = BTreeMap<String, Arc<AtomicBool>>;

impl<T> Marked<T> {
    /// A value that nobody has read, and its mark.
    pub(super) fn new(value: T) -> (Marked<T>, Arc<AtomicBool>) {
        let read = Arc::new(AtomicBool::new(false));
        (Marked { value, read: read.clone() }, read)
    }

    /// The value, without marking it: for what does not use it.
    pub fn unmarked(&self) -> &T {
        &self.value
    }
}

impl<T: Default + PartialEq> Marked<T> {
    /// Whether it is what a file without the key has; marks nothing.
    pub(super) fn is_default(&self) -> bool {
        self.value == T::default()
    }
}

impl<T> Deref for Marked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.read.store(true, Ordering::Relaxed);
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Marked<T> {
    fn eq(&self, other: &Marked<T>) -> bool {
        self.value == other.value
    }
}

impl<T: PartialEq> PartialEq<T> for Marked<T> {
    fn eq(&self, other: &T) -> bool {
        self.value == *other
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Marked<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: Serialize> Serialize for Marked<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_marks_and_looking_does_not() {
        let (value, read) = Marked::new(Some(3u64));
        let copy = value.clone();
        assert!(copy == Some(3) && copy == value && !copy.is_default() && copy.unmarked().is_some());
        assert_eq!(
            (format!("{copy:?}"), serde_json::to_string(&copy).ok()),
            ("Some(3)".into(), Some("3".into()))
        );
        assert!(!read.load(Ordering::Relaxed));
        assert_eq!(copy.unwrap_or(0), 3);
        assert!(read.load(Ordering::Relaxed), "clones share the mark");
    }
}
