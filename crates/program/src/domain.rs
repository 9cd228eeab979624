//! Bounds what a value can be: an interval, and whether only whole numbers occur.
//!
//! The bounds choose storage, allow tables, and prove that a probability needs no check at run time. They are
//! conservative: a value never leaves its domain, but need not fill it.

use glauber_lattice::{Boundary, Lattice};
use serde::{Deserialize, Serialize};

/// The range of a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// No value is below.
    pub lowest: f64,
    /// No value is above.
    pub highest: f64,
    /// Whether only whole numbers occur.
    pub integer: bool,
    /// Whether not-a-number may occur.
    pub nan: bool,
}

impl Domain {
    /// Anything.
    pub const ANY: Domain =
        Domain { lowest: f64::NEG_INFINITY, highest: f64::INFINITY, integer: false, nan: true };
    /// 0 or 1.
    pub const BINARY: Domain = Domain { lowest: 0.0, highest: 1.0, integer: true, nan: false };
    /// Any number from 0 to 1.
    pub const UNIT: Domain = Domain { lowest: 0.0, highest: 1.0, integer: false, nan: false };

    /// An interval of real numbers.
    pub fn real(lowest: f64, highest: f64) -> Domain {
        Domain { lowest, highest, integer: false, nan: false }
    }

    /// Whole numbers in an interval.
    pub fn integers(lowest: f64, highest: f64) -> Domain {
        Domain { lowest, highest, integer: true, nan: false }
    }

    /// One number.
    pub fn point(value: f64) -> Domain {
        let integer = value.fract().abs() < f64::MIN_POSITIVE;
        Domain { lowest: value, highest: value, integer, nan: value.is_nan() }
    }

    /// What it is, in words.
    pub(crate) fn words(self) -> String {
        let kind = if self.integer { "a whole number" } else { "a number" };
        format!("the value is {kind} from {} to {}", self.lowest, self.highest)
    }

    /// How many values occur, where only whole numbers do and they are fewer than 2¹⁶.
    pub fn count(&self) -> Option<usize> {
        let span = self.highest - self.lowest;
        (self.integer && span < 65536.0).then(|| span as usize + 1)
    }

    /// Whether every value lies in [lowest, highest], where it is a number.
    pub fn within(&self, lowest: f64, highest: f64) -> bool {
        self.lowest >= lowest && self.highest <= highest
    }

    /// Whether every value is a number in [lowest, highest].
    pub fn proves(&self, lowest: f64, highest: f64) -> bool {
        !self.nan && self.within(lowest, highest)
    }

    /// Whether a number may be one of its values.
    pub fn within_reach(&self, value: f64) -> bool {
        let whole = value.fract().abs() < f64::MIN_POSITIVE;
        value >= self.lowest && value <= self.highest && (whole || !self.integer)
    }

    pub(crate) fn unbounded(&self) -> bool {
        self.lowest.is_infinite() || self.highest.is_infinite()
    }

    pub(crate) fn contains_zero(&self) -> bool {
        self.lowest <= 0.0 && self.highest >= 0.0
    }

    /// The same with what stands beyond a lattice's fixed edges: what reads at other sites may give.
    pub fn beyond_edges(self, lattice: &Lattice) -> Domain {
        lattice.boundaries().into_iter().fold(self, |domain, boundary| match boundary {
            Boundary::Fixed(value) => domain.union(Domain::point(value)),
            _ => domain,
        })
    }

    pub(crate) fn union(self, other: Domain) -> Domain {
        Domain {
            lowest: self.lowest.min(other.lowest),
            highest: self.highest.max(other.highest),
            integer: self.integer && other.integer,
            nan: self.nan || other.nan,
        }
    }

    /// The hull of a function's values at the corners of the operands' intervals; anything where one is not a number.
    pub(crate) fn corners(values: impl IntoIterator<Item = f64>, integer: bool) -> Domain {
        let mut hull = Domain { lowest: f64::INFINITY, highest: f64::NEG_INFINITY, integer, nan: false };
        for value in values {
            if value.is_nan() {
                return Domain { integer, ..Domain::ANY };
            }
            hull.lowest = hull.lowest.min(value);
            hull.highest = hull.highest.max(value);
        }
        hull
    }
}
