//! Simulates the Cellular Potts model: cells of many sites, which grow, move and sort by copying labels.
//!
//! The modules in the order data flows:
//!
//! - `cells` holds labels and the cells' types, checked once; `starts` makes some;
//! - `energy` says what a configuration costs, `act` and [`connectivity`] what besides decides about a copy, `chance`
//!   whether it is made;
//! - `plane` lays labels out in memory, `state` keeps what costs depend on;
//! - `keys` names the random numbers of a step, `vectors` enters code that draws and decides many at once;
//! - `sequential` and `sublattices` take a step in either order, `simulation` any number of them.
//! - `summaries` measures what came of it.

mod cells;
mod energy;

mod act;
mod chance;
pub mod connectivity;

mod plane;
mod state;

mod keys;
mod vectors;

mod sequential;
mod sublattices;

mod simulation;

mod starts;
mod summaries;

#[cfg(test)]
mod law;

pub use cells::{Cells, CellsError, MOST_CELLS};
pub use energy::{Acceptance, Act, Elastic, Energy, EnergyError, Order};
pub use simulation::{Simulation, SimulationError};
pub use starts::StartError;
pub use summaries::displacement;
