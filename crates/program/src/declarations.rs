//! Declares what a model speaks of (lattice, layers, parameters, fields), and what one program has in tables besides
//! (neighbourhoods, outputs, draws).

use glauber_lattice::{Lattice, Neighbourhood, Values};
use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::colour::Colour;
use crate::update::Update;

/// The range of a parameter.
///
/// ```
/// use glauber_program::Interval;
/// assert!(Interval::unit().contains(0.3));
/// assert!(Interval::positive().contains(1e9));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

    /// A number within, finite where there is one.
    pub(crate) fn inside(self) -> f64 {
        match (self.lowest.is_finite(), self.highest.is_finite()) {
            (true, true) => self.lowest.midpoint(self.highest),
            (true, false) => self.lowest + 1.0,
            (false, true) => self.highest - 1.0,
            (false, false) => 1.0,
        }
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// What it may hold.
    pub values: Values,
    /// What its states are drawn in, by number; those beyond the end, and those that are none, as whoever draws likes.
    pub colours: Vec<Option<Colour>>,
    /// Its value beyond the lattice's fixed edges, where it is not the lattice's number.
    pub edge: Option<f64>,
}

impl Layer {
    /// A layer whose states have no colours of their own.
    pub fn new(name: &str, values: Values) -> Layer {
        Layer { name: name.to_string(), values, colours: Vec::new(), edge: None }
    }

    /// The colour of a state, where the model says one.
    pub fn colour(&self, state: usize) -> Option<Colour> {
        self.colours.get(state).copied().flatten()
    }

    /// A state as its modeller calls it: by its name where it has one.
    pub fn state_named(&self, state: i32) -> String {
        let named = match &self.values {
            Values::Categories(names) => usize::try_from(state).ok().and_then(|place| names.get(place)),
            _ => None,
        };
        named.map_or_else(|| state.to_string(), String::clone)
    }

    /// Whether its values are three or more named states, so that a derivative by its number means nothing.
    pub fn is_nominal(&self) -> bool {
        matches!(&self.values, Values::Categories(names) if names.len() > 2)
    }

    /// Whether it says which cell a site belongs to.
    pub fn is_labels(&self) -> bool {
        matches!(self.values, Values::Labels { .. })
    }

    /// How many fields of derivatives it has: one, or one per state where it is nominal.
    pub fn adjoint_places(&self) -> usize {
        match &self.values {
            Values::Categories(names) if self.is_nominal() => names.len(),
            _ => 1,
        }
    }
}

/// A named scalar with an interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it may lie.
    pub interval: Interval,
    /// The value it has where nobody says another.
    pub default: Option<f64>,
    /// What it is measured in, where that was said: shown beside it, and of no effect.
    pub unit: Option<String>,
}

/// What a field of numbers is to the program.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum FieldKind {
    /// Data that a rule reads: fuel, elevation, an image.
    Covariate,
    /// Unknowns, one per site, in an interval.
    Parameter(Interval),
}

/// A named number per site that does not change during a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Data or unknowns.
    pub kind: FieldKind,
}

/// What a model speaks of: the same for its start, its step, what observes it, and every program made of them.
///
/// (An observation may declare fields of its own beside the model's.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signature {
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
    /// What whoever declared it wants a reader to know, such as what was assumed where nothing was said.
    pub notes: Vec<String>,
    /// What stands beyond fixed edges, in words, where the rule itself says it and not the lattice.
    pub outside: Option<String>,
}

/// Everything a program refers to by number: its model's [`Signature`], which is read as if it were its own (`layers`,
/// `parameters`), and the tables of this one program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declarations {
    /// What it has in common with the other programs of its model.
    pub signature: Signature,
    /// The neighbourhoods its instructions use.
    pub neighbourhoods: Vec<Neighbourhood>,
    /// The names of its outputs.
    pub outputs: Vec<String>,
    /// The names of its draws.
    pub draws: Vec<String>,
    /// Lists of numbers, one for each cell and the medium before them ([`crate::Op::Entry`]).
    pub lists: Vec<Vec<f64>>,
    /// What the values that are checked at run time are, and must be.
    pub checks: Vec<Check>,
    /// When the rule is applied to which sites; all at once for whatever is no step.
    pub update: Update,
}

impl std::ops::Deref for Declarations {
    type Target = Signature;

    fn deref(&self) -> &Signature {
        &self.signature
    }
}

impl Signature {
    /// A state of a layer as its modeller calls it: by its name where it has one.
    pub fn state_named(&self, layer: &str, state: i32) -> String {
        let own = self.layers.iter().find(|own| own.name == layer);
        own.map_or_else(|| state.to_string(), |own| own.state_named(state))
    }

    /// The signature of a model without anything in it yet.
    pub fn new(model: &str, lattice: Lattice) -> Signature {
        Signature {
            model: model.to_string(),
            lattice,
            layers: Vec::new(),
            parameters: Vec::new(),
            fields: Vec::new(),
            notes: Vec::new(),
            outside: None,
        }
    }

    /// Whether another speaks of the same lattice, layers and parameters. An observation does of the step of its model.
    pub fn agrees_with(&self, other: &Signature) -> bool {
        self.lattice == other.lattice && self.layers == other.layers && self.parameters == other.parameters
    }

    /// How many fields of derivatives a state has: one per layer, but one per state for a layer of three or more named
    /// states, whose numbers mean nothing. They are numbered layer after layer, state after state.
    pub fn adjoint_places(&self) -> usize {
        self.layers.iter().map(Layer::adjoint_places).sum()
    }

    /// The number of a layer's first field of derivatives.
    pub fn adjoint_place(&self, layer: u32) -> u32 {
        self.layers.iter().take(layer as usize).map(Layer::adjoint_places).sum::<usize>() as u32
    }

    /// What a field of derivatives is by: a layer, or one state of a layer.
    pub(crate) fn adjoint_name(&self, place: u32) -> String {
        let mut place = place as usize;
        for layer in &self.layers {
            match &layer.values {
                Values::Categories(names) if layer.is_nominal() && place < names.len() => {
                    return format!("{} = {}", layer.name, names[place]);
                }
                _ if place < layer.adjoint_places() => return layer.name.clone(),
                _ => place -= layer.adjoint_places(),
            }
        }
        "nothing".into()
    }
}

impl Declarations {
    /// Of a program without any instruction yet.
    pub fn new(signature: Signature) -> Declarations {
        Declarations {
            signature,
            neighbourhoods: Vec::new(),
            outputs: Vec::new(),
            draws: Vec::new(),
            lists: Vec::new(),
            checks: Vec::new(),
            update: Update::Synchronous,
        }
    }

    /// The place of a list of numbers, which is added where it is new.
    pub(crate) fn list(&mut self, list: &[f64]) -> u32 {
        let bits = |list: &[f64]| list.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
        let place = self.lists.iter().position(|own| bits(own) == bits(list));
        place.unwrap_or_else(|| {
            self.lists.push(list.to_vec());
            self.lists.len() - 1
        }) as u32
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
