//! Bounds what a model file may ask for before anything of that size is made.

/// The bytes of a file.
pub(crate) const BYTES: u64 = 262_144;
/// The levels of brackets, functions and signs within an expression.
pub(crate) const NESTING: usize = 64;
/// The levels of an expression's tree; a sum of n terms has n − 1.
pub(crate) const DEPTH: usize = 256;
/// The names of each kind: parameters, definitions and so on.
pub(crate) const NAMES: usize = 200;
/// The characters of a name.
pub(crate) const NAME: usize = 64;
/// The states of a site.
pub(crate) const STATES: usize = 64;
/// The members of a neighbourhood.
pub(crate) const MEMBERS: usize = 1024;
/// The reach of a neighbourhood, in sites along an axis.
pub(crate) const REACH: i64 = 64;
/// The transitions, and the reactions.
pub(crate) const RULES: usize = 256;
/// The numbers of a list.
pub(crate) const LIST: usize = 65_536;
/// The sites named one by one in a start.
pub(crate) const SITES: usize = 256;
/// The particles on one side of a reaction.
pub(crate) const PARTICLES: u32 = 10;
/// The largest capacity of a layer.
pub(crate) const CAPACITY: i64 = 1 << 24;
/// The instructions of a model, before simplification.
pub(crate) const WORK: usize = 100_000;
