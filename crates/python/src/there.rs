//! Gives Python the sites that a rule picks: what is there, and whether there is one.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::traced::{Expression, There, checked};
use crate::typing::{As, Picked};

/// The picked site that was given.
///
/// # Errors
/// Where it is none.
pub fn picked(given: &As<'_, Picked>) -> PyResult<glauber::program::There> {
    given.cast::<There>().map(|own| own.get().there).map_err(|_| {
        let kind = given.get_type().name().map_or_else(|_| "object".to_string(), |n| n.to_string());
        PyTypeError::new_err(format!(
            "a picked site is wanted, but this is a {kind}: give there = s.neighbour(\"von-neumann\"), \
             s.neighbour_towards(direction, offsets) or s.anywhere()"
        ))
    })
}

#[pymethods]
impl There {
    /// 1 where there is such a site, 0 where it lies beyond a fixed edge.
    fn exists(&self) -> PyResult<Expression> {
        checked(self.there.exists())
    }
    /// The layer, parameter or field of this name, at the picked site.
    fn __getitem__(&self, py: Python<'_>, name: &str) -> PyResult<Expression> {
        let here = self.scope.bind(py).get().named(name)?;
        let there = checked(here.expr.at(self.there))?;
        Ok(Expression { states: here.states, ..there })
    }
    fn __getattr__(&self, name: &str) -> PyResult<Py<PyAny>> {
        Err(pyo3::exceptions::PyAttributeError::new_err(format!(
            "a picked site has no attribute `{name}`: what is there is read as there[\"layer\"], or of any value x as \
             x.at(there), and written by s.next(\"layer\").set_at(there, value)"
        )))
    }
    fn __repr__(&self) -> String {
        "<a site that the rule picks>".into()
    }
}
