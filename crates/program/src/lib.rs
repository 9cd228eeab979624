//! Holds what a model says: a step traced once into a straight list of instructions, and the transforms of such lists.
//!
//! A [`Model`] is built with [`Model::build`]; its [`Program`]s print readably. [`differentiate`] turns a program into
//! its adjoint under an [`estimators::Estimator`].

// The words: instructions, the ranges of their values, what they refer to and how it is drawn …
mod bounds;
mod check;
mod colour;
mod counts;
mod declarations;
mod domain;
mod instruction;
mod op;
mod program;
mod unary;
mod update;
// … what depends on what; a graph grows a program and simplifies it …
pub mod dataflow;
mod graph;
mod remainder;
// … tracing writes a graph through handles with operators, and a model is a traced start and step …
mod applied;
mod error;
mod model;
mod scheme;
mod trace;
// … programs print, say where they have no derivative, and are kept as bytes …
mod display;
mod slopeless;
mod stored;
mod switches;
mod validate;
// … programs become other programs: the adjoint under an estimator …
mod adjoint;
mod cone;
mod derivatives;
pub mod estimators;
mod rates;
// … and what any backend makes of them: passes that keep the meaning, and all programs that a model needs.
mod bundle;
pub mod passes;

pub use adjoint::differentiate;
pub use applied::NO_HIGHEST_RATE;
pub use bundle::{AdjointPair, Adjoints, Bundle};
pub use check::{Check, Requirement};
pub use colour::{Colour, NoColour};
pub use cone::{Cone, Extent, Groups, Span, Terms, units_of_terms};
pub use counts::CountLaw;
pub use declarations::{Declarations, Field, FieldKind, Interval, Layer, Parameter, Signature};
pub use domain::Domain;
pub use error::{ModelError, nearest_name};
pub use estimators::Estimator;
pub use glauber_numbers::counts::MOST_COUNT;
pub use graph::{Graph, MOST_INSTRUCTIONS, one_minus};
pub use instruction::Instruction;
pub use model::{Model, ModelBuilder};
pub use op::{Binary, Comparison, Number, Op, Place, Rank, Surrogate, ValueId};
pub use passes::sublattices;
pub use program::{Program, Sink};
pub use scheme::{at_neighbour, colouring, footprint};
pub use slopeless::Slopeless;
pub use stored::StoredError;
pub use trace::{Beyond, CellSum, Expr, Neighbourly, Next, Operand, PerCell, Scope, Stage, There};
pub use unary::{Unary, UseOfUnary};
pub use update::{Pick, UPDATES, Update};
pub use validate::InvalidProgram;
