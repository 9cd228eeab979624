//! Shares runs among workers: blocks of replicates travel, the bits stay.
//!
//! The engine adds up a run's replicates in blocks, the same ones on every machine ([`glauber_engine::blocks_of`]). Here
//! blocks are computed by whoever a [`Carrier`] finds for them, and their sums are added where the run began, in the order
//! of the blocks. Programs and data travel once, by the hash of what they are.

// What travels …
mod content;
mod message;
// … who carries it …
mod carrier;
// … what answers at the other end …
mod station;
// … and the backend that asks.
mod remote;

pub use carrier::{Carrier, Task};
pub use content::{Content, Hash};
pub use remote::{Crew, Remote};
pub use station::Station;
