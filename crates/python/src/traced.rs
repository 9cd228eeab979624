//! Holds what Python sees of a tracing: its values, the sites it picks, and the scope that makes them. What they can do stands in
//! `expression`, `scope` and `there`.

use std::sync::{Arc, Mutex};

use glauber::program::{Declarations, Expr, Stage};
use pyo3::prelude::*;

use crate::errors::model_error;

/// A value of a rule that is being traced: a number per run, per replicate or per site.
///
/// Python's operators, comparisons (1 where true, else 0) and NumPy's functions make further values of it.
#[pyclass(frozen, module = "glauber")]
pub struct Expression {
    pub expr: Expr,
    /// The names of its states, where it is a layer of named states.
    pub states: Option<Arc<Vec<String>>>,
}

/// A value, and what it is beyond fixed edges where it is read there; see `Expression.beyond`.
#[pyclass(frozen, module = "glauber")]
pub struct Beyond {
    pub(crate) of: glauber::program::Beyond,
    pub(crate) dimensions: usize,
    pub(crate) states: Option<Arc<Vec<String>>>,
}

/// What a start, a step or an observation is traced with.
#[pyclass(frozen, module = "glauber")]
pub struct Scope {
    pub(crate) tracing: Mutex<Option<glauber::program::Scope>>,
    pub(crate) declarations: Declarations,
    pub(crate) stage: Stage,
}

/// Another site, as a rule picks it for each site that it is applied to: a neighbour in a drawn direction, or a site drawn from
/// the lattice. `there["layer"]` and `x.at(there)` are what is there.
#[pyclass(frozen, module = "glauber")]
pub struct There {
    pub(crate) there: glauber::program::There,
    pub(crate) scope: Py<Scope>,
}

/// A sum over the sites of each cell; see `Scope.cell_sum`. `s.of_cell(sum, label)` is that of one cell.
#[pyclass(frozen, module = "glauber")]
pub struct CellSum {
    pub(crate) sum: glauber::program::CellSum,
}

/// The value, or the mistake that making it was.
pub fn checked(expr: Expr) -> PyResult<Expression> {
    match expr.mistake() {
        Some(mistake) => Err(model_error(mistake)),
        None => Ok(Expression { expr, states: None }),
    }
}
