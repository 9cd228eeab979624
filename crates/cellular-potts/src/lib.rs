//! Simulates the Cellular Potts model, cells of many sites which grow, move and sort by copying labels, and fits it to movies.
//!
//! The modules in the order data flows:
//!
//! - `cells` holds labels and the cells' types, checked once; `starts` makes some;
//! - `energy` says what a configuration costs, `act` and [`connectivity`] what besides decides about a copy, `chance`
//!   whether it is made;
//! - `plane` lays labels out in memory, `halves` for vectors, `state` keeps what costs depend on;
//! - `keys` names the random numbers of a step, `vectors` enters code that draws and decides many at once;
//! - `sequential` and `sublattices` take a step in either order, `simulation` any number of them.
//! - `summaries` measures what came of it;
//! - `labels` makes movies of arrays of labels;
//! - `coefficients` says what is unknown, `surroundings` who is whose neighbour, `features` what every site of a movie could
//!   have done, `likelihood` and `log_likelihood` how probable what it did was;
//! - `fit` finds the unknowns, `calibration` holds copies made against copies expected, `check_by_simulation` the movie
//!   against simulations from the estimates;
//! - `tracks` follows cells' centroids and measures how they move, `surface` says how what simulations come to
//!   depends on coefficients, `search` finds those that come to what data come to, `track_fit` for tracks, `snapshot_fit` for tissue at
//!   rest; `linear` solves small systems.

mod cells;
mod energy;

mod act;
mod chance;
pub mod connectivity;

mod halves;
mod plane;
mod state;

mod keys;
mod vectors;

mod sequential;
mod sublattices;

mod simulation;

mod starts;
mod summaries;

mod labels;

mod coefficients;
mod surroundings;

mod features;
mod likelihood;
mod log_likelihood;

mod calibration;
mod fit;

mod check_by_simulation;

mod linear;

mod search;
mod snapshot_fit;
mod surface;
mod track_fit;
mod tracks;

#[cfg(test)]
mod law;

pub use calibration::{Calibration, Class};
pub use cells::{Cells, CellsError, MOST_CELLS};
pub use check_by_simulation::{Check, CheckError, CheckOptions, Quantity, check_by_simulation};
pub use coefficients::{Coefficient, Unknown, UnknownError};
pub use energy::{Acceptance, Act, Elastic, Energy, EnergyError, Order};
pub use features::Counts;
pub use fit::{CellsFit, FitError, fit};
pub use labels::{LabelsError, Movie, StartingLabels, TypesOf};
pub use log_likelihood::{LikelihoodError, LogLikelihood};
pub use search::TrackUnknown;
pub use simulation::{Checkpoint, Simulation, SimulationError};
pub use snapshot_fit::{SnapshotFit, SnapshotFitError, fit_snapshots};
pub use starts::{StartError, shuffled_types};
pub use summaries::displacement;
pub use surroundings::PeriodError;
pub use track_fit::{Experiment, MotionRow, TrackFit, TrackFitError, fit_tracks, simulated_tracks};
pub use tracks::{CellTrack, Motion, MotionSummary, follow, motion};
