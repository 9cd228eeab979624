//! Simulates the Cellular Potts model: cells of many sites, which grow, move and sort by copying labels.
//!
//! The modules in the order data flows:
//!
//! - `cells` holds labels and the cells' types, checked once; `starts` makes some;
//! - `energy` says what a configuration costs.

mod cells;
mod energy;

pub use cells::{Cells, CellsError, MOST_CELLS};
pub use energy::{Acceptance, Act, Elastic, Energy, EnergyError, Order};
