//! Names the coefficients of an energy, and which of them are unknown.
//!
//! A change of H/T is linear in J, λ and λ · target. Where some of these are unknown, every term is a constant, an
//! unknown, or a product of two unknowns (a strength and its target), each times a number that the labels give:
//!
//! ΔH/T = constant + Σ_m φ_m x_m, φ_m = θ_i or θ_i θ_j.

use crate::energy::{Elastic, Energy, EnergyError};

/// One number of an [`Energy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coefficient {
    /// J/T between two types, 0 being the medium.
    Adhesion(u8, u8),
    /// λ_V/T of a type.
    VolumeStrength(u8),
    /// The target volume of a type.
    VolumeTarget(u8),
    /// λ_P/T of a type.
    PerimeterStrength(u8),
    /// The target perimeter of a type.
    PerimeterTarget(u8),
}

impl Coefficient {
    /// The same with the lower type of a pair first.
    fn normal(self) -> Coefficient {
        match self {
            Coefficient::Adhesion(a, b) => Coefficient::Adhesion(a.min(b), a.max(b)),
            other => other,
        }
    }
}

impl std::fmt::Display for Coefficient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Coefficient::Adhesion(a, b) => f.write_str(&Unknown::adhesion(*a, *b).name),
            Coefficient::VolumeStrength(kind) => write!(f, "volume_strength{kind}"),
            Coefficient::VolumeTarget(kind) => write!(f, "volume_target{kind}"),
            Coefficient::PerimeterStrength(kind) => write!(f, "perimeter_strength{kind}"),
            Coefficient::PerimeterTarget(kind) => write!(f, "perimeter_target{kind}"),
        }
    }
}

/// An unknown number, and the coefficients that it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// What it is called.
    pub name: String,
    /// The coefficients that share it.
    pub coefficients: Vec<Coefficient>,
}

impl Unknown {
    /// J/T between two types, called `J01` (`J10_12` where numbers have two digits).
    pub fn adhesion(first: u8, second: u8) -> Unknown {
        let (low, high) = (first.min(second), first.max(second));
        let name = if high < 10 { format!("J{low}{high}") } else { format!("J{low}_{high}") };
        Unknown { name, coefficients: vec![Coefficient::Adhesion(low, high)] }
    }

    /// One number for all types 1 … `types`.
    pub fn shared(name: &str, types: usize, of: fn(u8) -> Coefficient) -> Unknown {
        Unknown { name: name.into(), coefficients: (1..=types as u8).map(of).collect() }
    }

    /// A number of one type.
    pub fn of_type(name: &str, kind: u8, of: fn(u8) -> Coefficient) -> Unknown {
        Unknown { name: format!("{name}{kind}"), coefficients: vec![of(kind)] }
    }
}

impl Unknown {
    /// Of a name: `J01`, `J12` (`J10_12`), or `volume_strength`, `volume_target`, `perimeter_strength`, `perimeter_target`, of
    /// all types, or of one with its number behind (`volume_strength2`). `None` where nothing is called so.
    ///
    /// ```
    /// use glauber_cellular_potts::{Coefficient, Unknown};
    /// assert_eq!(Unknown::named("J21", 2), Some(Unknown::adhesion(1, 2)));
    /// let shared = Unknown::named("volume_target", 2).unwrap();
    /// assert_eq!(shared.coefficients, [Coefficient::VolumeTarget(1), Coefficient::VolumeTarget(2)]);
    /// assert_eq!(Unknown::named("volume_target3", 2), None);
    /// ```
    pub fn named(name: &str, types: usize) -> Option<Unknown> {
        if let Some(pair) = name.strip_prefix('J') {
            let (first, second) = match pair.split_once('_') {
                Some(parts) => parts,
                None => (pair.len() == 2 && pair.is_ascii()).then(|| pair.split_at(1))?,
            };
            let (first, second): (u8, u8) = (first.parse().ok()?, second.parse().ok()?);
            let there = usize::from(first.max(second)) <= types && first.max(second) > 0;
            return there.then(|| Unknown::adhesion(first, second));
        }
        let terms: [(&str, fn(u8) -> Coefficient); 4] = [
            ("volume_strength", Coefficient::VolumeStrength),
            ("volume_target", Coefficient::VolumeTarget),
            ("perimeter_strength", Coefficient::PerimeterStrength),
            ("perimeter_target", Coefficient::PerimeterTarget),
        ];
        let (term, of) = terms.into_iter().find(|(term, _)| name.starts_with(term))?;
        match &name[term.len()..] {
            "" => Some(Unknown::shared(term, types, of)),
            kind => {
                let kind: u8 = kind.parse().ok().filter(|kind| (1..=types).contains(&usize::from(*kind)))?;
                Some(Unknown::of_type(term, kind, of))
            }
        }
    }

    /// Sets these coefficients of an energy to a value; a term that it has not comes with strength and target 0.
    pub fn set(&self, energy: &mut Energy, value: f64) {
        for coefficient in &self.coefficients {
            let none = || Some(vec![Elastic { strength: 0.0, target: 0.0 }; energy.types]);
            match coefficient {
                Coefficient::Adhesion(..) => {}
                Coefficient::VolumeStrength(_) | Coefficient::VolumeTarget(_) => {
                    energy.volume = energy.volume.take().or_else(none);
                }
                Coefficient::PerimeterStrength(_) | Coefficient::PerimeterTarget(_) => {
                    energy.perimeter = energy.perimeter.take().or_else(none);
                }
            }
        }
        *energy = energy_at(energy, std::slice::from_ref(self), &[value]);
    }

    /// Whether it is a strength, which is positive in every model in use.
    pub(crate) fn is_strength(&self) -> bool {
        use Coefficient::{PerimeterStrength, VolumeStrength};
        self.coefficients.iter().any(|own| matches!(own, VolumeStrength(_) | PerimeterStrength(_)))
    }

    /// Whether it holds the target of a term whose strength the other holds.
    pub(crate) fn is_target_of(&self, strength: &Unknown) -> bool {
        self.coefficients.iter().any(|own| match own {
            Coefficient::VolumeTarget(kind) => strength.has(Coefficient::VolumeStrength(*kind)),
            Coefficient::PerimeterTarget(kind) => strength.has(Coefficient::PerimeterStrength(*kind)),
            _ => false,
        })
    }

    /// Whether both name one coefficient.
    pub fn overlaps(&self, other: &Unknown) -> bool {
        self.coefficients.iter().any(|own| other.has(*own))
    }

    fn has(&self, coefficient: Coefficient) -> bool {
        self.coefficients.iter().any(|own| own.normal() == coefficient.normal())
    }
}

/// What is wrong with what is asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UnknownError {
    /// A coefficient is claimed twice.
    #[error("`{coefficient}` belongs to both `{first}` and `{second}`: a coefficient is one unknown's")]
    Twice {
        /// The coefficient.
        coefficient: Coefficient,
        /// The unknown that has it.
        first: String,
        /// The one that wants it too.
        second: String,
    },
    /// The energy has no such number.
    #[error("`{name}` is no number of this energy: {why}")]
    Absent {
        /// The unknown.
        name: String,
        /// What the energy has.
        why: String,
    },
    /// The energy is not whole.
    #[error(transparent)]
    Energy(#[from] EnergyError),
}

/// Where a coefficient's value comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Fixed(f64),
    Unknown(usize),
}

/// What one column of raw counts adds to ΔH/T.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weight {
    /// A number times the count.
    Constant(f64),
    /// A number times φ_m times the count.
    Times(usize, f64),
}

/// What every raw column weighs, and what the φ are.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// By pair of types, (types + 1)² of them, symmetric.
    pub(crate) adhesion: Vec<Weight>,
    /// By type from 1: (of λ, of λ · target).
    pub(crate) volume: Option<Vec<(Weight, Weight)>>,
    /// As `volume`.
    pub(crate) perimeter: Option<Vec<(Weight, Weight)>>,
    /// φ by number: one unknown or two.
    pub(crate) products: Vec<(usize, Option<usize>)>,
}

impl Weights {
    /// Of an energy of which some numbers are unknown; theirs in the energy are where a fit starts.
    pub(crate) fn new(energy: &Energy, unknowns: &[Unknown]) -> Result<Weights, UnknownError> {
        check(energy, unknowns)?;
        let value = |coefficient: Coefficient, fixed: f64| {
            let place = unknowns.iter().position(|unknown| unknown.has(coefficient));
            place.map_or(Value::Fixed(fixed), Value::Unknown)
        };
        let mut products = Vec::new();
        let mut adhesion = Vec::with_capacity(energy.adhesion.len());
        let side = energy.types + 1;
        for (place, fixed) in energy.adhesion.iter().enumerate() {
            let (row, column) = ((place / side) as u8, (place % side) as u8);
            let pair = Coefficient::Adhesion(row.min(column), row.max(column));
            adhesion.push(product(&mut products, value(pair, *fixed), Value::Fixed(1.0)));
        }
        let mut elastic = |terms: &Option<Vec<Elastic>>, of: [fn(u8) -> Coefficient; 2]| {
            let one = |(place, term): (usize, &Elastic)| {
                let kind = place as u8 + 1;
                let (strength, target) = (value(of[0](kind), term.strength), value(of[1](kind), term.target));
                let squares = product(&mut products, strength, Value::Fixed(1.0));
                (squares, product(&mut products, strength, target))
            };
            terms.as_ref().map(|terms| terms.iter().enumerate().map(one).collect())
        };
        let volume = elastic(&energy.volume, [Coefficient::VolumeStrength, Coefficient::VolumeTarget]);
        let perimeter =
            elastic(&energy.perimeter, [Coefficient::PerimeterStrength, Coefficient::PerimeterTarget]);
        Ok(Weights { adhesion, volume, perimeter, products })
    }

    /// φ at θ.
    pub(crate) fn values(&self, theta: &[f64]) -> Vec<f64> {
        self.products.iter().map(|(i, j)| theta[*i] * j.map_or(1.0, |j| theta[j])).collect()
    }

    /// ∂φ_m/∂θ_i, row by row of φ.
    pub(crate) fn slopes(&self, theta: &[f64]) -> Vec<f64> {
        let mut slopes = vec![0.0; self.products.len() * theta.len()];
        for (m, (i, j)) in self.products.iter().enumerate() {
            let row = &mut slopes[m * theta.len()..(m + 1) * theta.len()];
            row[*i] += j.map_or(1.0, |j| theta[j]);
            if let Some(j) = *j {
                row[j] += theta[*i];
            }
        }
        slopes
    }
}

/// The weight of a product of two values.
fn product(products: &mut Vec<(usize, Option<usize>)>, first: Value, second: Value) -> Weight {
    let (key, factor) = match (first, second) {
        (Value::Fixed(a), Value::Fixed(b)) => return Weight::Constant(a * b),
        (Value::Unknown(i), Value::Fixed(b)) => ((i, None), b),
        (Value::Fixed(a), Value::Unknown(j)) => ((j, None), a),
        (Value::Unknown(i), Value::Unknown(j)) => ((i, Some(j)), 1.0),
    };
    let place = products.iter().position(|known| *known == key).unwrap_or_else(|| {
        products.push(key);
        products.len() - 1
    });
    Weight::Times(place, factor)
}

/// Every number that an energy has, by its coefficient.
pub(crate) fn number_of(energy: &mut Energy, coefficient: Coefficient) -> Option<&mut f64> {
    let side = energy.types + 1;
    match coefficient {
        Coefficient::Adhesion(a, b) => {
            let (a, b) = (a as usize, b as usize);
            if a >= side || b >= side || (a, b) == (0, 0) {
                return None;
            }
            energy.adhesion.get_mut(a * side + b)
        }
        Coefficient::VolumeStrength(kind) => Some(&mut term(&mut energy.volume, kind)?.strength),
        Coefficient::VolumeTarget(kind) => Some(&mut term(&mut energy.volume, kind)?.target),
        Coefficient::PerimeterStrength(kind) => Some(&mut term(&mut energy.perimeter, kind)?.strength),
        Coefficient::PerimeterTarget(kind) => Some(&mut term(&mut energy.perimeter, kind)?.target),
    }
}

fn term(terms: &mut Option<Vec<Elastic>>, kind: u8) -> Option<&mut Elastic> {
    terms.as_mut()?.get_mut((kind as usize).checked_sub(1)?)
}

/// An energy with its unknown numbers set to θ.
pub(crate) fn energy_at(energy: &Energy, unknowns: &[Unknown], theta: &[f64]) -> Energy {
    let mut at = energy.clone();
    for (unknown, x) in unknowns.iter().zip(theta) {
        for coefficient in &unknown.coefficients {
            let turned = match *coefficient {
                Coefficient::Adhesion(a, b) => Coefficient::Adhesion(b, a),
                other => other,
            };
            for one in [*coefficient, turned] {
                if let Some(number) = number_of(&mut at, one) {
                    *number = *x;
                }
            }
        }
    }
    at
}

/// The values of the unknowns in an energy: those of their first coefficients.
pub(crate) fn theta_of(energy: &Energy, unknowns: &[Unknown]) -> Vec<f64> {
    let mut energy = energy.clone();
    let mut first = |unknown: &Unknown| {
        let coefficient = unknown.coefficients.first()?;
        number_of(&mut energy, *coefficient).copied()
    };
    unknowns.iter().map(|unknown| first(unknown).unwrap_or(0.0)).collect()
}

fn check(energy: &Energy, unknowns: &[Unknown]) -> Result<(), UnknownError> {
    energy.check()?;
    let mut whole = energy.clone();
    for (place, unknown) in unknowns.iter().enumerate() {
        if unknown.coefficients.is_empty() {
            let why = "it names no coefficient".to_string();
            return Err(UnknownError::Absent { name: unknown.name.clone(), why });
        }
        for coefficient in &unknown.coefficients {
            if number_of(&mut whole, *coefficient).is_none() {
                let why = format!(
                    "it has {} types, {} volume term and {} perimeter term",
                    energy.types,
                    if energy.volume.is_some() { "a" } else { "no" },
                    if energy.perimeter.is_some() { "a" } else { "no" }
                );
                return Err(UnknownError::Absent { name: unknown.name.clone(), why });
            }
            if let Some(first) = unknowns[..place].iter().find(|u| u.has(*coefficient)) {
                let (first, second) = (first.name.clone(), unknown.name.clone());
                return Err(UnknownError::Twice { coefficient: *coefficient, first, second });
            }
        }
    }
    Ok(())
}
