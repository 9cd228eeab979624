//! States what carries tasks to workers: an executor of Python, threads in a test.

use std::sync::Arc;

use crate::content::Hash;

/// Something to be answered by a [`crate::Station`].
#[derive(Clone)]
pub struct Task {
    /// The question.
    pub body: Vec<u8>,
    /// What the station is to keep before it answers.
    pub contents: Vec<(Hash, Arc<Vec<u8>>)>,
}

/// Carries tasks to workers and answers back.
pub trait Carrier: Send + Sync {
    /// How many workers there are, as far as that is known.
    fn workers(&self) -> usize;

    /// How many seconds a task without work takes, there and back; 0 where nobody is to judge what is worth sending. None
    /// where that was given up, because `stop` says so.
    fn latency(&self, stop: &dyn Fn() -> bool) -> Option<f64>;

    /// Has tasks answered, and gives the answers in their order, each that of its own task: none for a task that was lost more
    /// often than it is tried again, or given up because `stop` says so.
    ///
    /// # Errors
    /// Why there is no use in going on, in words: workers of another version.
    fn carry(&self, tasks: Vec<Task>, stop: &dyn Fn() -> bool) -> Result<Vec<Option<Vec<u8>>>, String>;

    /// Takes note of what a person should know.
    fn tell(&self, words: &str);
}
