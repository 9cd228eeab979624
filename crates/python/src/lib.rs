//! Offers glauber to Python as the module `glauber._glauber`: converts, calls, raises; no science.
//!
//! What users see is written in Python over it (`python/glauber`): names, defaults, documentation.

// What went wrong, as Python's exceptions; numbers and arrays in and out …
mod arrays;
mod errors;
mod operand;
mod traced;
mod typing;
// … work without the interpreter's lock, which Ctrl-C stops …
mod running;
// … traced values, the scope that makes them, sites that a rule picks, models and observations …
mod expression;
mod model;
mod per_cell;
mod scope;
mod there;
// … and what is done with a model: rollouts, gradients, fits, checks, pictures.
mod cells;
mod check;
mod columns;
mod density;
mod fit_outcome;
mod fit_request;
mod fits;
mod objective;
mod pictures;
mod pieces;
mod plan;
mod segmentation;
mod values;
mod view;
mod workers;

use pyo3::prelude::pymodule;

/// The native part of glauber.
#[pymodule]
mod _glauber {
    #[pymodule_export]
    use crate::cells::{
        cells_fit, cells_fit_tracks, cells_log_density, cells_picture, cells_simulate, cells_tracks,
    };
    #[pymodule_export]
    use crate::check::check;
    #[pymodule_export]
    use crate::columns::columns_in_order;
    #[pymodule_export]
    use crate::density::{
        LogDensity, autologistic_log_density, log_density_of_file, persistent_walk_log_density,
        profile_of_file,
    };
    #[pymodule_export]
    use crate::expression::Neighbours;
    #[pymodule_export]
    use crate::fit_outcome::FitOutcome;
    #[pymodule_export]
    use crate::fits::fit_file;
    #[pymodule_export]
    use crate::model::{Model, Observation, catalogue, load, trace};
    #[pymodule_export]
    use crate::objective::{Objective, objective_of_file};
    #[pymodule_export]
    use crate::pictures::picture;
    #[pymodule_export]
    use crate::pieces::FitPieces;
    #[pymodule_export]
    use crate::plan::{Plan, check_estimator};
    #[pymodule_export]
    use crate::running::{forked, one_of_many};
    #[pymodule_export]
    use crate::scope::Next;
    #[pymodule_export]
    use crate::segmentation::segment;
    #[pymodule_export]
    use crate::traced::{Beyond, CellSum, Expression, Scope, There};
    #[pymodule_export]
    use crate::view::{Page, serve};

    #[pymodule_export]
    use crate::workers::{Crew, answer};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "what Python calls it")]
    const __version__: &str = glauber::VERSION;
}
