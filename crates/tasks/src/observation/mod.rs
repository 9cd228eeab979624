//! Says how data see a process: what of its state, when, where, and with which noise.
//!
//! An [`Observed`] joins numbers that were written down to a model: [`What`] of the state they are of (a layer site by
//! site, or any function of the state), after which steps, and the [`Noise`] between what was there and what was written
//! down. A number that is NaN was not seen. An [`Experiment`] is what was seen of one set of runs under its own
//! conditions; a [`Design`] joins several to a model and says what is unknown.
//!
//! ```
//! use glauber_models::{ModelOptions, named};
//! use glauber_tasks::observation::{Noise, Observed, What};
//! let model = named("susceptible-infected", &ModelOptions::none().with("shape", vec![4.0, 4.0]))?;
//! let what = What::named("count(aware=1)", None, &model)?;
//! let counts = vec![1.0, f64::NAN, 5.0]; // nobody looked after step 4
//! let seen = Observed::new("count(aware=1)", what, Noise::exact(), vec![2, 4, 6], 1, counts, &model)?;
//! assert_eq!(seen.present(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod noise;

mod columns;
mod design;
mod error;
mod regions;
mod seen;
mod simulate;

pub use columns::in_order;
pub use design::{Design, Experiment};
pub use error::ObservationError;
pub use regions::regions;
pub use seen::{Noise, Observed, Quantity, What};
pub use simulate::Watch;
