//! Says where things are: shapes, boundaries, neighbourhoods, and the values a site may hold.
//!
//! Everything else in glauber speaks of a lattice through these few types; nothing here computes.

// A lattice is a shape with a boundary …
mod boundary;
mod lattice;
// … a site sees others through a neighbourhood …
mod neighbourhood;
// … what a rule reads and writes there says which sites may be updated at once …
mod colouring;
// … each layer holds values of a declared range …
mod values;
// … and memory holds them row by row with a margin, so that no kernel needs to know the boundary …
mod layout;
// … in which sites stand that random words pick.
mod axes;

pub use axes::Axes;
pub use boundary::Boundary;
pub use colouring::{Colouring, Footprint};
pub use lattice::{Lattice, LatticeError};
pub use layout::Layout;
pub use neighbourhood::{Hexagonal, Moore, Neighbourhood, Neighbours, Offset, Overlap, VonNeumann};
pub use values::{Storage, Values};
