//! Tells frames that were held, each saved several times, from those in which nothing happened.
//!
//! Held frames come in a rhythm: what changes does so every second time, or once in three. What stands at the end is at rest, and
//! tells nothing.

/// The fewest changes that have a rhythm.
const CHANGES: usize = 4;

/// How many frames apart the changes of a series are, where they are all alike and more than one apart; `held` says of each frame
/// after the first whether it equals the one before it.
///
/// ```
/// use glauber_data::period_of_changes;
/// let (held, moved) = (true, false);
/// assert_eq!(period_of_changes(&[held, moved, held, moved, held, moved, held, moved, held]), Some(2));
/// assert_eq!(period_of_changes(&[moved, moved, held, moved, moved, held, held, held]), None);
/// ```
pub fn period_of_changes(held: &[bool]) -> Option<usize> {
    let changes: Vec<usize> = (0..held.len()).filter(|at| !held[*at]).collect();
    let period = changes.get(1)? - changes[0];
    let alike = changes.windows(2).all(|pair| pair[1] - pair[0] == period);
    (period > 1 && alike && changes.len() >= CHANGES && changes[0] < period).then_some(period)
}

/// That frames were held, of a thing in its singular: `position`.
pub fn held_in_words(thing: &str, period: usize) -> String {
    match period {
        2 => format!("every second {thing} equals the one before it"),
        n => format!("only one {thing} in {n} differs from the one before it"),
    }
}
