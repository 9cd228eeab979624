//! Holds what a model says: a step traced once into a straight list of instructions, and the transforms of such lists.
//!
//! A [`Model`] is built with [`Model::build`]; its [`Program`]s print readably. [`differentiate`] turns a program into
//! its adjoint under an [`estimators::Estimator`]; [`log_likelihood`] derives the exact likelihood of one step.

// The words: instructions, the ranges of their values, what they refer to and how it is drawn …
mod check;
mod colour;
mod declarations;
mod domain;
mod op;
mod program;
// … a graph grows a program and simplifies it …
mod complement;
mod fold;
mod graph;
// … tracing writes a graph through handles with operators, and a model is a traced start and step …
mod error;
mod expression;
mod model;
mod trace;
// … programs print, say where they have no derivative, and are kept as bytes …
mod display;
mod slopeless;
mod stored;
// … and programs become other programs: the adjoint under an estimator, the likelihood.
mod adjoint;
mod chance;
mod derivatives;
pub mod estimators;
mod likelihood;

pub use adjoint::differentiate;
pub use chance::chance;
pub use check::{Check, MOST_COUNT, Requirement};
pub use colour::{Colour, NoColour};
pub use declarations::{Declarations, Field, FieldKind, Interval, Layer, Parameter};
pub use domain::Domain;
pub use error::{ModelError, nearest_name};
pub use estimators::Estimator;
pub use expression::{Expr, Neighbourly};
pub use graph::{Graph, MOST_INSTRUCTIONS};
pub use likelihood::{LOG_LIKELIHOOD, log_likelihood};
pub use model::{Model, ModelBuilder};
pub use op::{Binary, Comparison, Number, Op, Rank, Surrogate, Unary, ValueId};
pub use program::{Instruction, Program, Sink, simplified};
pub use slopeless::Slopeless;
pub use stored::StoredError;
pub use trace::{Next, Operand, Scope, Stage};
