//! Holds what a model file declares and which rules it states.

use std::ops::Range;

use glauber_lattice::{Boundary, Lattice, Neighbourhood};
use glauber_program::{Colour, Interval};

use glauber_program::Update;

use super::covariate::CovariateSource;
use super::error::unknown;
use super::names::Names;
use super::neighbourhoods;
use super::syntax::Node;

/// A model file, read and checked as far as one can without building the model.
pub(crate) struct Sheet {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) boundary: Vec<Edge>,
    /// What a reader must know of it.
    pub(crate) notes: Vec<String>,
    pub(crate) names: Names,
    pub(crate) states: Option<States>,
    pub(crate) layers: Vec<IntegerLayer>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) constants: Vec<Constant>,
    /// Named neighbourhoods of the file.
    pub(crate) neighbourhoods: Vec<(String, Neighbourhood)>,
    /// What `count` and its like take where no neighbourhood is named.
    pub(crate) neighbourhood: Neighbourhood,
    pub(crate) covariates: Vec<(String, CovariateSource)>,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) start: Option<Vec<StartEntry>>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) hops: Vec<Hop>,
    /// What it says of cells.
    pub(crate) cells: Cells,
    /// When the rule is applied.
    pub(crate) applied: Applied,
}

/// Which other site an event picks.
pub(crate) enum Towards {
    /// A neighbour, drawn by the neighbourhood's weights, or the one whose number is stated.
    Neighbour { neighbourhood: Neighbourhood, direction: Option<Node>, span: Range<usize> },
    /// Any site of the lattice.
    Anywhere,
}

/// What lies beyond an edge along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Periodic,
    Reflecting,
    /// The states and occupancies that `outside` names.
    Fixed,
}

/// The states of the layer whose rules are transitions.
#[derive(Clone, Debug)]
pub(crate) struct States {
    pub(crate) layer: String,
    pub(crate) names: Vec<String>,
    /// The state beyond a fixed edge.
    pub(crate) outside: usize,
    /// What they are drawn in, where the file says.
    pub(crate) colours: Vec<Option<Colour>>,
}

/// A layer of particles.
#[derive(Clone, Debug)]
pub(crate) struct IntegerLayer {
    pub(crate) name: String,
    pub(crate) lowest: i32,
    pub(crate) highest: i32,
    /// Its value beyond a fixed edge.
    pub(crate) outside: f64,
    /// Whether it says which cell a site belongs to.
    pub(crate) labels: bool,
}

/// What a file says of cells.
#[derive(Default)]
pub(crate) struct Cells {
    /// Numbers of each cell, by name.
    pub(crate) numbers: Vec<(String, PerCell)>,
    /// Lists of numbers, by name.
    pub(crate) lists: Vec<(String, Vec<f64>)>,
    pub(crate) copies: Vec<Copying>,
}

impl Cells {
    /// What is summed over cells.
    pub(crate) fn sums(&self) -> impl Iterator<Item = &Node> {
        self.numbers.iter().filter_map(|(_, number)| match number {
            PerCell::Sum { node, .. } => Some(node),
            PerCell::Given(_) => None,
        })
    }
}

/// A number for every cell.
pub(crate) enum PerCell {
    /// The medium's first.
    Given(Vec<f64>),
    /// The sum over the cell's sites, by a layer of labels.
    Sum { node: Node, layer: String },
}

/// With which probability the picked site's label is copied.
pub(crate) struct Copying {
    pub(crate) layer: String,
    pub(crate) node: Node,
}

pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) interval: Interval,
    pub(crate) default: Option<f64>,
    pub(crate) unit: Option<String>,
}

pub(crate) struct Constant {
    pub(crate) name: String,
    pub(crate) value: f64,
}

pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) node: Node,
}

/// How one state or layer starts.
pub(crate) struct StartEntry {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) how: StartRule,
}

pub(crate) enum StartRule {
    /// For a state its probability, for a layer its value.
    Expression(Node),
    /// Exactly at these sites, each with its coordinates along the axes.
    Sites(Vec<Vec<usize>>),
}

/// `from -> to` with its probability, or its rate.
pub(crate) struct Transition {
    pub(crate) text: String,
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// `from, of the picked site -> to, of the picked site`: the picked site's.
    pub(crate) there: Option<(usize, usize)>,
    pub(crate) node: Node,
}

/// `reactants -> products`: counts per layer.
pub(crate) struct Reaction {
    pub(crate) text: String,
    pub(crate) reactants: Vec<(usize, u32)>,
    pub(crate) products: Vec<(usize, u32)>,
    /// Those at the picked site, where the reaction names them.
    pub(crate) there: Option<Sides>,
    pub(crate) node: Node,
    /// Whether `node` is the rate constant of mass action, or the whole probability.
    pub(crate) mass_action: bool,
}

/// Counts per layer before and after a reaction.
pub(crate) struct Sides {
    pub(crate) reactants: Vec<(usize, u32)>,
    pub(crate) products: Vec<(usize, u32)>,
}

/// How the particles of a layer move.
pub(crate) struct Hop {
    pub(crate) layer: usize,
    pub(crate) node: Node,
    pub(crate) neighbourhood: Neighbourhood,
}

/// The boundaries' names, in files and options.
pub(crate) const EDGES: [(&str, Edge); 3] =
    [("periodic", Edge::Periodic), ("reflecting", Edge::Reflecting), ("fixed", Edge::Fixed)];

/// The boundary of this name.
pub(crate) fn edge(name: &str) -> Option<Edge> {
    EDGES.iter().find(|(n, _)| *n == name).map(|(_, e)| *e)
}

impl Sheet {
    /// The lattice; fixed edges are 0 here, what stands beyond them is said layer by layer.
    pub(crate) fn lattice(&self) -> Result<Lattice, glauber_lattice::LatticeError> {
        let mut lattice = Lattice::new(&self.shape)?;
        for (axis, edge) in self.boundary.iter().enumerate() {
            let boundary = match edge {
                Edge::Periodic => Boundary::Periodic,
                Edge::Reflecting => Boundary::Reflecting,
                Edge::Fixed => Boundary::Fixed(0.0),
            };
            lattice = lattice.along(axis, boundary);
        }
        Ok(lattice)
    }

    /// The place of a state.
    pub(crate) fn state(&self, name: &str) -> Option<usize> {
        self.states.as_ref()?.names.iter().position(|n| n == name)
    }

    /// The place of an integer layer.
    pub(crate) fn layer(&self, name: &str) -> Option<usize> {
        self.layers.iter().position(|l| l.name == name)
    }

    /// A neighbourhood by its name, `-` and `_` alike; what is wrong where there is none.
    pub(crate) fn neighbourhood_named(&self, name: &str) -> Result<Neighbourhood, String> {
        if let Some((_, own)) = self.neighbourhoods.iter().find(|(n, _)| n == name) {
            return Ok(own.clone());
        }
        if neighbourhoods::BUILTIN.contains(&name.replace('_', "-").as_str()) {
            return neighbourhoods::builtin(name, self.shape.len());
        }
        let known: Vec<&str> = self.neighbourhood_names().collect();
        Err(unknown("neighbourhood", name, &known))
    }

    /// The names a neighbourhood may have.
    pub(crate) fn neighbourhood_names(&self) -> impl Iterator<Item = &str> {
        self.neighbourhoods.iter().map(|(n, _)| n.as_str()).chain(neighbourhoods::BUILTIN)
    }
}

/// When the rule is applied, and what it picks.
#[derive(Default)]
pub(crate) struct Applied {
    pub(crate) update: Update,
    /// The other site that an event picks.
    pub(crate) there: Option<Towards>,
    /// The highest sum of rates of a site.
    pub(crate) most: Option<Node>,
}
