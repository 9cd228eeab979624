//! Says what a configuration of cells costs, and how a change of cost is accepted.
//!
//! ```text
//! H / T = Σ_pairs J[τ(i), τ(j)] (1 − δ(σ_i, σ_j))  +  Σ_cells λ (v − V)²  +  Σ_cells λ_P (p − P)²
//! ```
//!
//! σ a site's label, τ its type (0: medium); pairs of Moore neighbours, each once, pairs across a fixed edge (with medium)
//! included; v a cell's sites; p its perimeter: for each of its sites the Moore neighbours of another label. Medium has
//! neither volume nor perimeter. Everything is in units of the temperature T. The Act term is no part of H: it favours copies from
//! active sites (`act`), and `connected` refuses copies that would cut a cell (`connectivity`).

/// The greatest coefficient: with it no sum overflows.
const GREATEST: f64 = 1e100;

/// The greatest activity, in steps.
pub const MOST_ACTIVITY: u32 = 1 << 20;

/// What a configuration costs, in units of the temperature. Each term may be absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Energy {
    /// The types of cells, the medium not counted.
    pub types: usize,
    /// J/T by pairs of types, the medium first: (types + 1)² numbers, row by row, symmetric. That of two medium sites
    /// has no effect.
    pub adhesion: Vec<f64>,
    /// The volume term by type, from type 1 on: λ/T and the target volume V in sites.
    pub volume: Option<Vec<Elastic>>,
    /// The perimeter term by type, from type 1 on: λ_P/T and the target perimeter P.
    pub perimeter: Option<Vec<Elastic>>,
    /// The Act term by type, from type 1 on.
    pub act: Option<Vec<Act>>,
    /// Whether copies that would cut the losing cell where they happen are refused.
    pub connected: bool,
}

/// strength · (x − target)²: what holds a volume or a perimeter near its target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elastic {
    /// λ/T.
    pub strength: f64,
    /// Where the cost is 0.
    pub target: f64,
}

/// The Act term of a type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// λ_act/T.
    pub strength: f64,
    /// max_act: the activity of a site that was just gained, in steps until it has worn off. 0: the type has no activity.
    pub most: u32,
}

/// With which probability a copy that changes the cost by d is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// min(1, e^−d).
    Metropolis,
    /// 1 / (1 + e^d), smooth in d.
    HeatBath,
}

/// Which sites attempt a copy, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As many attempts as sites in a step, each at a site drawn uniformly with replacement, one after another.
    RandomSequential,
    /// Sites by colours (coordinates modulo 2; modulo 3 with an Act term), colours one after another in fixed order, each site
    /// of a colour once, all from the state as it is when the colour begins.
    Sublattices,
}

/// What is wrong with an energy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EnergyError {
    /// No type of cells, or more than can be told apart.
    #[error("an energy is for 1 to 255 types of cells, not {0}")]
    Types(usize),
    /// A table of another size.
    #[error(
        "{found} adhesion coefficients, where {types} types and the medium have {wanted} (the full matrix, row by row, \
         the medium first)"
    )]
    Adhesion {
        /// How many there are.
        found: usize,
        /// How many there must be.
        wanted: usize,
        /// The types of cells.
        types: usize,
    },
    /// J[a, b] is not J[b, a].
    #[error(
        "the adhesion of types {a} and {b} is {one} one way and {other} the other: the matrix must be symmetric"
    )]
    Asymmetric {
        /// A type.
        a: usize,
        /// Another.
        b: usize,
        /// J[a, b].
        one: f64,
        /// J[b, a].
        other: f64,
    },
    /// A term that is not given for each type.
    #[error("the {term} term is given for {found} types of {types}")]
    Term {
        /// `volume`, `perimeter` or `Act`.
        term: &'static str,
        /// How many are given.
        found: usize,
        /// The types of cells.
        types: usize,
    },
    /// A coefficient that is no number one can reckon with.
    #[error("{what} is {found}; it must be a number, and no greater than {GREATEST:e}")]
    NotFinite {
        /// The coefficient, in words.
        what: String,
        /// The value.
        found: f64,
    },
    /// An activity that lasts too long.
    #[error("max_act of type {kind} is {found} steps; at most {MOST_ACTIVITY} are possible")]
    Activity {
        /// The type.
        kind: usize,
        /// Its max_act.
        found: u32,
    },
}

impl Energy {
    /// An energy of adhesion alone; set the other fields as needed.
    ///
    /// ```
    /// use glauber_cellular_potts::{Elastic, Energy};
    /// let energy = Energy {
    ///     volume: Some(vec![Elastic { strength: 0.1, target: 40.0 }; 2]),
    ///     ..Energy::of_adhesion(2, vec![0.0, 1.6, 1.6, 1.6, 1.4, 1.1, 1.6, 1.1, 0.2])
    /// };
    /// assert_eq!(energy.check(), Ok(()));
    /// assert_eq!(energy.adhesion_of(2, 1), 1.1);
    /// ```
    pub fn of_adhesion(types: usize, adhesion: Vec<f64>) -> Energy {
        Energy { types, adhesion, volume: None, perimeter: None, act: None, connected: false }
    }

    /// J/T of two types (0: medium).
    pub fn adhesion_of(&self, a: u8, b: u8) -> f64 {
        self.adhesion[usize::from(a) * (self.types + 1) + usize::from(b)]
    }

    /// Whether its tables have the sizes they must have, and hold finite numbers.
    ///
    /// # Errors
    /// [`EnergyError`] with the first that is not so.
    pub fn check(&self) -> Result<(), EnergyError> {
        let types = self.types;
        if !(1..=255).contains(&types) {
            return Err(EnergyError::Types(types));
        }
        let (found, wanted) = (self.adhesion.len(), (types + 1) * (types + 1));
        if found != wanted {
            return Err(EnergyError::Adhesion { found, wanted, types });
        }
        for a in 0..=types {
            for b in 0..=a {
                let (one, other) = (self.adhesion[a * (types + 1) + b], self.adhesion[b * (types + 1) + a]);
                finite(one, || format!("the adhesion of types {a} and {b}"))?;
                finite(other, || format!("the adhesion of types {b} and {a}"))?;
                if one.to_bits() != other.to_bits() && one - other != 0.0 {
                    return Err(EnergyError::Asymmetric { a, b, one, other });
                }
            }
        }
        for (term, elastic) in [("volume", &self.volume), ("perimeter", &self.perimeter)] {
            let Some(elastic) = elastic else { continue };
            same_length(term, elastic.len(), types)?;
            for (index, Elastic { strength, target }) in elastic.iter().enumerate() {
                finite(*strength, || format!("the strength of the {term} term of type {}", index + 1))?;
                finite(*target, || format!("the target {term} of type {}", index + 1))?;
            }
        }
        if let Some(act) = &self.act {
            same_length("Act", act.len(), types)?;
            for (index, Act { strength, most }) in act.iter().enumerate() {
                finite(*strength, || format!("the strength of the Act term of type {}", index + 1))?;
                if *most > MOST_ACTIVITY {
                    return Err(EnergyError::Activity { kind: index + 1, found: *most });
                }
            }
        }
        Ok(())
    }
}

fn same_length(term: &'static str, found: usize, types: usize) -> Result<(), EnergyError> {
    if found == types { Ok(()) } else { Err(EnergyError::Term { term, found, types }) }
}

fn finite(found: f64, what: impl Fn() -> String) -> Result<(), EnergyError> {
    if found.abs() <= GREATEST { Ok(()) } else { Err(EnergyError::NotFinite { what: what(), found }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_wrong_size_or_content_are_refused() {
        let right = Energy::of_adhesion(1, vec![0.0, 1.0, 1.0, 2.0]);
        assert_eq!(right.check(), Ok(()));
        assert_eq!(Energy { types: 0, ..right.clone() }.check(), Err(EnergyError::Types(0)));
        let wrong = Energy { types: 2, ..right.clone() }.check();
        assert_eq!(wrong, Err(EnergyError::Adhesion { found: 4, wanted: 9, types: 2 }));
        let wrong = Energy::of_adhesion(1, vec![0.0, 1.0, 1.5, 2.0]).check();
        assert!(matches!(wrong, Err(EnergyError::Asymmetric { a: 1, b: 0, .. })));
        let wrong = Energy::of_adhesion(1, vec![0.0, 1.0, f64::NAN, 2.0]).check();
        assert!(matches!(wrong, Err(EnergyError::NotFinite { .. })));
        let wrong = Energy { volume: Some(vec![]), ..right.clone() }.check();
        assert_eq!(wrong, Err(EnergyError::Term { term: "volume", found: 0, types: 1 }));
        let endless = vec![Elastic { strength: 1.0, target: f64::INFINITY }];
        let wrong = Energy { perimeter: Some(endless), ..right.clone() }.check();
        assert!(matches!(wrong, Err(EnergyError::NotFinite { .. })));
        let wrong = Energy { act: Some(vec![Act { strength: f64::NAN, most: 3 }]), ..right }.check();
        assert!(matches!(wrong, Err(EnergyError::NotFinite { .. })));
    }
}
