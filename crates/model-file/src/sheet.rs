//! Reads the tables of a model file: what it declares, and which rules it states.

use std::ops::Range;

use glauber_lattice::{Boundary, Lattice, Neighbourhood};
use glauber_program::{Colour, Interval, nearest_name};

use super::colours;
use super::declare;
use super::document::{Table, Value};
use super::error::{Checked, problem};
use super::names::Names;
use super::rules;
use super::syntax::Node;
use crate::load::CovariateSource;

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
}

pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) interval: Interval,
    pub(crate) default: Option<f64>,
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

/// `from -> to` with its probability.
pub(crate) struct Transition {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) node: Node,
}

/// `reactants -> products`: counts per layer.
pub(crate) struct Reaction {
    pub(crate) text: String,
    pub(crate) reactants: Vec<(usize, u32)>,
    pub(crate) products: Vec<(usize, u32)>,
    pub(crate) node: Node,
    /// Whether `node` is the rate constant of mass action, or the whole probability.
    pub(crate) mass_action: bool,
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
    /// Reads a file's tables. `shape` and `boundary` replace the file's; `constants` replace values of its constants.
    pub(crate) fn read(
        root: &Table<'_>,
        file_name: &str,
        replaced: &Replaced,
        folder: &std::path::Path,
    ) -> Checked<Sheet> {
        let name = optional_text(root, "name")?.unwrap_or(file_name).to_string();
        optional_text(root, "description")?;
        optional_text(root, "reference")?;
        let lattice = root.take("lattice");
        let (shape, mut boundary) = declare::lattice(lattice)?;
        let own_edges = boundary.clone();
        let shape = replaced.shape.clone().unwrap_or(shape);
        if let Some(edge) = replaced.boundary {
            boundary = vec![edge];
        }
        if boundary.len() == 1 {
            boundary = vec![boundary[0]; shape.len()];
        }
        let mut sheet = Sheet {
            name,
            names: Names::default(),
            states: None,
            layers: Vec::new(),
            parameters: Vec::new(),
            constants: Vec::new(),
            neighbourhoods: Vec::new(),
            neighbourhood: Neighbourhood::of(&[]),
            covariates: Vec::new(),
            definitions: Vec::new(),
            start: None,
            transitions: Vec::new(),
            reactions: Vec::new(),
            hops: Vec::new(),
            shape,
            boundary,
            notes: Vec::new(),
        };
        if let Some(value) = lattice.filter(|_| sheet.boundary.len() != sheet.shape.len()) {
            let (found, wanted) = (sheet.boundary.len(), sheet.shape.len());
            return problem(
                &value.span(),
                format!("the lattice has {wanted} axes, but {found} boundaries are given"),
            );
        }
        declare::states(&mut sheet, root.take("states"))?;
        declare::layers(&mut sheet, root.take("layers"))?;
        colours::read(&mut sheet, root.take("colours"))?;
        if sheet.states.is_none() && sheet.layers.is_empty() {
            let message =
                "the model has neither states nor layers: begin with states = [\"empty\", \"occupied\"]";
            return problem(&(0..0), message);
        }
        declare::outside(&mut sheet, lattice, &own_edges)?;
        declare::parameters(&mut sheet, root.take("parameters"))?;
        declare::constants(&mut sheet, root.take("constants"), &replaced.constants)?;
        declare::neighbourhoods(&mut sheet, root.take("neighbourhoods"), root.take("neighbourhood"))?;
        declare::covariates(&mut sheet, root.take("covariates"), folder)?;
        declare::definitions(&mut sheet, root.take("definitions"))?;
        rules::start(&mut sheet, root.take("start"))?;
        rules::transitions(&mut sheet, root.take("transitions"))?;
        rules::reactions(&mut sheet, root.take("reactions"))?;
        rules::hops(&mut sheet, root.take("hops"))?;
        root.finish()?;
        Ok(sheet)
    }

    /// The lattice; fixed edges are 0 here, `outside` is worked into the reads across them.
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
        if declare::BUILTIN.contains(&name.replace('_', "-").as_str()) {
            return declare::builtin_neighbourhood(name, self.shape.len());
        }
        let known: Vec<&str> = self.neighbourhood_names().collect();
        Err(unknown("neighbourhood", name, &known))
    }

    /// The names a neighbourhood may have.
    pub(crate) fn neighbourhood_names(&self) -> impl Iterator<Item = &str> {
        self.neighbourhoods.iter().map(|(n, _)| n.as_str()).chain(declare::BUILTIN)
    }
}

/// What the options put in place of what the file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replaced {
    pub(crate) shape: Option<Vec<usize>>,
    pub(crate) boundary: Option<Edge>,
    pub(crate) constants: Vec<(String, f64)>,
}

pub(crate) fn optional_text<'d>(table: &Table<'d>, key: &'static str) -> Checked<Option<&'d str>> {
    table.take(key).map(|v| v.text("a text")).transpose()
}

/// A table, or a mistake.
pub(crate) fn table_of<'d>(value: Value<'d>, name: &str) -> Checked<Table<'d>> {
    match value.table(name) {
        Some(table) => Ok(table),
        None => value.wrong(&format!("a table {name}")),
    }
}

/// `there is no state called `x`: did you mean `y`?`
pub(crate) fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    match nearest_name(name, known.iter().copied()) {
        Some(nearest) => format!("there is no {kind} called `{name}`: did you mean `{nearest}`?"),
        None if known.is_empty() => format!("there is no {kind} called `{name}`: the file declares none"),
        None => format!("there is no {kind} called `{name}`; there is {}", known.join(", ")),
    }
}
