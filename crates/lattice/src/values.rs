//! Declares what a site of a layer may hold, and how small an integer holds it.

use serde::{Deserialize, Serialize};

/// The declared range of a layer's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Values {
    /// 0 or 1.
    Binary,
    /// Whole numbers from `lowest` to `highest`, both included.
    Integers {
        /// The smallest value.
        lowest: i32,
        /// The largest value.
        highest: i32,
    },
    /// One of several named states, held as their position 0, 1, 2 …
    Categories(Vec<String>),
    /// Any finite number.
    Real,
    /// Which of a number of cells a site belongs to: 1, 2, 3 …, or 0 for the medium around them.
    Labels {
        /// How many cells there are at most.
        cells: i32,
    },
}

/// How a layer's values are kept in memory between steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// Unsigned bytes.
    U8,
    /// Signed 16-bit integers.
    I16,
    /// Signed 32-bit integers.
    I32,
    /// Floating point, in the precision of the run.
    Real,
}

impl Storage {
    /// Bytes per site (a real counts as 4, its size in a single-precision run).
    pub fn bytes(self) -> usize {
        match self {
            Storage::U8 => 1,
            Storage::I16 => 2,
            Storage::I32 | Storage::Real => 4,
        }
    }
}

impl Values {
    /// 0 or 1.
    pub fn binary() -> Values {
        Values::Binary
    }

    /// Whole numbers from 0 to `capacity`.
    pub fn up_to(capacity: i32) -> Values {
        Values::Integers { lowest: 0, highest: capacity }
    }

    /// Whole numbers from `lowest` to `highest`.
    pub fn integers(lowest: i32, highest: i32) -> Values {
        Values::Integers { lowest, highest }
    }

    /// The cell that a site belongs to, of this many, or 0 for the medium.
    ///
    /// ```
    /// use glauber_lattice::Values;
    /// assert_eq!(Values::labels(49).range(), (0.0, 49.0));
    /// ```
    pub fn labels(cells: i32) -> Values {
        Values::Labels { cells }
    }

    /// Named states.
    pub fn categories(names: &[&str]) -> Values {
        Values::Categories(names.iter().map(|n| (*n).to_string()).collect())
    }

    /// The smallest and largest value; infinite for reals.
    pub fn range(&self) -> (f64, f64) {
        match self {
            Values::Binary => (0.0, 1.0),
            Values::Integers { lowest, highest } => (f64::from(*lowest), f64::from(*highest)),
            Values::Categories(names) => (0.0, names.len().max(1) as f64 - 1.0),
            Values::Real => (f64::NEG_INFINITY, f64::INFINITY),
            Values::Labels { cells } => (0.0, f64::from(*cells)),
        }
    }

    /// Whether only whole numbers occur.
    pub fn is_integer(&self) -> bool {
        !matches!(self, Values::Real)
    }

    /// The smallest storage that holds the range.
    pub fn storage(&self) -> Storage {
        let (lowest, highest) = self.range();
        if !self.is_integer() {
            Storage::Real
        } else if lowest >= 0.0 && highest <= 255.0 {
            Storage::U8
        } else if lowest >= -32768.0 && highest <= 32767.0 {
            Storage::I16
        } else {
            Storage::I32
        }
    }
}

impl std::fmt::Display for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Values::Binary => write!(f, "binary"),
            Values::Integers { lowest, highest } => write!(f, "integers {lowest}..={highest}"),
            Values::Categories(names) => write!(f, "one of {}", names.join(", ")),
            Values::Real => write!(f, "real"),
            Values::Labels { cells } => write!(f, "labels of {cells} cells, 0 for the medium"),
        }
    }
}
