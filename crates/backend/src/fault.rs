//! Says what a value that may not be is to the user: which layer or draw, where, when, and what to do.

use glauber_program::{Check, Program, Requirement};

use crate::error::EngineError;

/// A value that may not be, as a backend meets it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// A layer was given a value it cannot hold.
    OutOfRange {
        /// The layer, by its place in the declarations.
        layer: u32,
        /// The site, in row-major order.
        site: usize,
        /// What it was given.
        value: f64,
    },
    /// A value is not what the declarations' check requires.
    Refused {
        /// The check, by its place in the declarations.
        check: u32,
        /// The site; 0 where all sites share the value.
        site: usize,
        /// The value.
        value: f64,
    },
}

impl Fault {
    /// The same for the user: `program` is the one that met it, `step` its number (0 for the start).
    pub fn explain(self, program: &Program, replicate: usize, step: usize) -> EngineError {
        let d = program.declarations();
        let model = d.model.clone();
        let index = |mut site: usize| {
            let mut index = Vec::new();
            for length in d.lattice.shape().iter().rev() {
                index.push(site % length);
                site /= length;
            }
            index.reverse();
            index
        };
        match self {
            Fault::OutOfRange { layer, site, value } => match d.layers.get(layer as usize) {
                Some(own) => {
                    let (layer, values, site) = (own.name.clone(), own.values.to_string(), index(site));
                    EngineError::OutOfRange { model, layer, values, value, step, replicate, site }
                }
                None => EngineError::Broken("a layer without a declaration was written"),
            },
            Fault::Refused { check, site, value } => {
                let site = index(site);
                match d.checks.get(check as usize) {
                    Some(Check { what, required: Requirement::Probability }) => {
                        let draw = what.clone();
                        EngineError::NotProbability { model, draw, value, step, replicate, site }
                    }
                    Some(check) => {
                        let complaint = check.complaint(value);
                        EngineError::Argument { model, complaint, step, replicate, site }
                    }
                    None => EngineError::Broken("a check without a declaration failed"),
                }
            }
        }
    }
}
