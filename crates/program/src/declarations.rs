//! Declares what a program speaks of: lattice, layers, parameters, fields, neighbourhoods, outputs.

use glauber_lattice::{Lattice, Neighbourhood, Values};

/// The range of a parameter.
///
/// ```
/// use glauber_program::Interval;
/// assert!(Interval::unit().contains(0.3));
/// assert!(Interval::positive().contains(1e9));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The least value allowed.
    pub lowest: f64,
    /// The greatest value allowed.
    pub highest: f64,
}

impl Interval {
    /// [lowest, highest]; either may be infinite.
    pub fn new(lowest: f64, highest: f64) -> Interval {
        Interval { lowest, highest }
    }

    /// [0, 1]: probabilities.
    pub fn unit() -> Interval {
        Interval::new(0.0, 1.0)
    }

    /// [0, ∞): rates.
    pub fn positive() -> Interval {
        Interval::new(0.0, f64::INFINITY)
    }

    /// Any number.
    pub fn any() -> Interval {
        Interval::new(f64::NEG_INFINITY, f64::INFINITY)
    }

    /// Whether a value lies in it.
    pub fn contains(&self, value: f64) -> bool {
        value >= self.lowest && value <= self.highest
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}, {}]", self.lowest, self.highest)
    }
}

/// A named value per site.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// What it may hold.
    pub values: Values,
}

/// A named scalar with an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it may lie.
    pub interval: Interval,
    /// The value it has where nobody says another.
    pub default: Option<f64>,
}

/// What a field of numbers is to the program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldKind {
    /// Data that a rule reads: fuel, elevation, an image.
    Covariate,
    /// Unknowns, one per site, in an interval.
    Parameter(Interval),
}

/// A named number per site that does not change during a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Data or unknowns.
    pub kind: FieldKind,
}

/// Everything a program refers to by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Declarations {
    /// The model's name.
    pub model: String,
    /// Where it lives.
    pub lattice: Lattice,
    /// Its layers.
    pub layers: Vec<Layer>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// The neighbourhoods its instructions use.
    pub neighbourhoods: Vec<Neighbourhood>,
    /// The names of its outputs.
    pub outputs: Vec<String>,
    /// The names of its draws.
    pub draws: Vec<String>,
    /// What each probability that is checked at run time is the probability of.
    pub checks: Vec<String>,
}

impl Declarations {
    /// Declarations of a model without anything in it yet.
    pub fn new(model: &str, lattice: Lattice) -> Declarations {
        Declarations {
            model: model.to_string(),
            lattice,
            layers: Vec::new(),
            parameters: Vec::new(),
            fields: Vec::new(),
            neighbourhoods: Vec::new(),
            outputs: Vec::new(),
            draws: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// The place of a neighbourhood, which is added where it is new.
    pub fn neighbourhood(&mut self, neighbourhood: Neighbourhood) -> u32 {
        let place = self.neighbourhoods.iter().position(|n| *n == neighbourhood);
        place.unwrap_or_else(|| {
            self.neighbourhoods.push(neighbourhood);
            self.neighbourhoods.len() - 1
        }) as u32
    }
}
