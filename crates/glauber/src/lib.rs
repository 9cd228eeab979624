//! Fit stochastic lattice models to data, by gradients through their randomness.
//!
//! A model is written once; the same text is simulated, differentiated and scored.
//!
//! ```
//! use glauber::prelude::*;
//!
//! // News spreads over a torus: who is unaware learns from aware neighbours.
//! let si = Model::build("susceptible-infected", Lattice::square(16).periodic())
//!     .layer("aware", Values::binary())
//!     .parameter("beta", Interval::unit())
//!     .start(|s| s.next("aware").bernoulli(0.05))
//!     .step(|s| {
//!         let aware = s.layer("aware");
//!         let exposure = aware.neighbours(Moore).sum();
//!         let learns = 1.0 - (1.0 - s.parameter("beta")).pow(exposure);
//!         s.next("aware").bernoulli(aware + (1.0 - aware) * learns)
//!     })?;
//!
//! // The number aware after five steps, its mean over 100 realisations, and the derivative of that mean.
//! let count = si.observe(|s| s.output("aware", s.layer("aware").sum()))?;
//! let plan = Plan::new(&si, &[count.into()], Some(&StraightThrough), Options::default())?;
//! let run = Run::new(&[0.3], 5).replicates(100).seed(1).observe(5, 0);
//! let gradient = plan.gradient(&run, &|mean| LossValue { value: mean[0], slopes: vec![1.0] })?;
//! assert!(gradient.value > 100.0 && gradient.parameters[0] > 0.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crates, in the order the data flows: [`numbers`], [`lattice`], [`program`], [`likelihood`], [`backend`], [`engine`], [`models`],
//! [`model_file`], [`files`], [`data`], [`optimize`], [`cellular_potts`], [`tasks`], [`inference`], [`segment`],
//! [`report`], [`tissue`], [`fit`], [`view`].

pub use glauber_backend as backend;
pub use glauber_cellular_potts as cellular_potts;
pub use glauber_data as data;
pub use glauber_engine as engine;
pub use glauber_files as files;
pub use glauber_fit as fit;
pub use glauber_inference as inference;
pub use glauber_lattice as lattice;
pub use glauber_likelihood as likelihood;
pub use glauber_model_file as model_file;
pub use glauber_models as models;
pub use glauber_numbers as numbers;
pub use glauber_optimize as optimize;
pub use glauber_program as program;
pub use glauber_report as report;
pub use glauber_segment as segment;
pub use glauber_statistics as statistics;
pub use glauber_tasks as tasks;
pub use glauber_tissue as tissue;
pub use glauber_view as view;
pub use glauber_workers as workers;

/// What most programs need.
pub mod prelude {
    pub use glauber_engine::{FieldData, LossValue, Options, Plan, Precision, Run, Start};
    pub use glauber_lattice::{Boundary, Hexagonal, Lattice, Moore, Neighbourhood, Values, VonNeumann};
    pub use glauber_likelihood::log_likelihood;
    pub use glauber_program::estimators::{
        GumbelRao, GumbelSoftmax, MeanField, ReinMax, ScoreFunction, StraightThrough,
    };
    pub use glauber_program::{Estimator, Expr, Interval, Model, Scope, Surrogate, differentiate};
}

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
