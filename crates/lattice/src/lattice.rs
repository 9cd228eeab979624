//! Describes a lattice: one, two or three axes, each with a length and a boundary.

use serde::{Deserialize, Serialize};

use crate::Boundary;

/// The most sites a lattice may have (2³¹ − 1): site numbers are 32-bit in the noise.
pub const MOST_SITES: usize = (1 << 31) - 1;

/// What is wrong with a lattice's description.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LatticeError {
    /// No axis, or more than three.
    #[error("a lattice has 1, 2 or 3 axes, not {0}: give a shape like [64, 64]")]
    Axes(usize),
    /// An axis without sites.
    #[error("axis {axis} of the lattice has length 0: every axis needs at least one site")]
    Empty {
        /// Which axis, counted as in the shape.
        axis: usize,
    },
    /// More sites than can be numbered.
    #[error("a lattice of shape {shape:?} has more than 2^31 - 1 sites: choose a smaller one")]
    TooLarge {
        /// The shape asked for.
        shape: Vec<usize>,
    },
}

/// The sites' shape and boundary. Shapes are written as arrays are: `[x]`, `[y, x]` or `[z, y, x]`.
///
/// ```
/// use glauber_lattice::Lattice;
/// let torus = Lattice::square(64).periodic();
/// assert_eq!(torus.sites(), 4096);
/// assert_eq!(torus.shape(), &[64, 64]);
/// assert_eq!(torus.extent(), [1, 64, 64]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lattice {
    shape: Vec<usize>,
    boundary: Vec<Boundary>,
}

impl Lattice {
    /// A lattice of the given shape, periodic along every axis.
    ///
    /// # Errors
    /// [`LatticeError`] where the shape has no axis or more than three, an empty axis, or too many sites.
    pub fn new(shape: &[usize]) -> Result<Lattice, LatticeError> {
        if shape.is_empty() || shape.len() > 3 {
            return Err(LatticeError::Axes(shape.len()));
        }
        if let Some(axis) = shape.iter().position(|&n| n == 0) {
            return Err(LatticeError::Empty { axis });
        }
        let sites = shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
        if sites.is_none_or(|n| n > MOST_SITES) {
            return Err(LatticeError::TooLarge { shape: shape.to_vec() });
        }
        Ok(Lattice { shape: shape.to_vec(), boundary: vec![Boundary::Periodic; shape.len()] })
    }

    /// A square of `side` × `side` sites, periodic. A side of 0 counts as 1; one above 46,340 as 46,340.
    pub fn square(side: usize) -> Lattice {
        let side = side.clamp(1, 46_340);
        Lattice { shape: vec![side, side], boundary: vec![Boundary::Periodic; 2] }
    }

    /// A line of `length` sites, periodic. A length of 0 counts as 1.
    pub fn line(length: usize) -> Lattice {
        Lattice { shape: vec![length.clamp(1, MOST_SITES)], boundary: vec![Boundary::Periodic] }
    }

    /// The same lattice, periodic along every axis.
    pub fn periodic(self) -> Lattice {
        self.bounded(Boundary::Periodic)
    }

    /// The same lattice, mirrored at every edge.
    pub fn reflecting(self) -> Lattice {
        self.bounded(Boundary::Reflecting)
    }

    /// The same lattice with `value` everywhere beyond its edges.
    pub fn fixed(self, value: f64) -> Lattice {
        self.bounded(Boundary::Fixed(value))
    }

    /// The same lattice with one boundary for every axis.
    pub fn bounded(mut self, boundary: Boundary) -> Lattice {
        self.boundary.fill(boundary);
        self
    }

    /// The same lattice with `boundary` along one axis (counted as in the shape); an axis it has not is ignored.
    pub fn along(mut self, axis: usize, boundary: Boundary) -> Lattice {
        if let Some(slot) = self.boundary.get_mut(axis) {
            *slot = boundary;
        }
        self
    }

    /// The lengths of its axes, as an array's shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many axes it has: 1, 2 or 3.
    pub fn dimensions(&self) -> usize {
        self.shape.len()
    }

    /// Whether it has one boundary for each axis: always, but where it was read from elsewhere.
    pub fn is_whole(&self) -> bool {
        self.boundary.len() == self.shape.len()
    }

    /// How many sites it has.
    pub fn sites(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether an offset (z, y, x) leads no farther than fields are held beyond the edges: the lattice's length along each
    /// axis, or 32 sites where it is shorter.
    ///
    /// ```
    /// use glauber_lattice::Lattice;
    /// assert!(Lattice::square(100).admits([0, -100, 32]) && !Lattice::square(100).admits([0, 0, 101]));
    /// assert!(Lattice::line(4).admits([0, 0, 32]));
    /// ```
    pub fn admits(&self, offset: [i32; 3]) -> bool {
        const NEAR: usize = 32;
        let extent = self.extent();
        (0..3).all(|axis| offset[axis].unsigned_abs() as usize <= extent[axis].max(NEAR))
    }

    /// Its lengths as (z, y, x), with 1 for an axis it has not.
    pub fn extent(&self) -> [usize; 3] {
        let mut extent = [1; 3];
        extent[3 - self.shape.len()..].copy_from_slice(&self.shape);
        extent
    }

    /// Its boundaries along (z, y, x); an axis it has not is periodic.
    pub fn boundaries(&self) -> [Boundary; 3] {
        let mut boundaries = [Boundary::Periodic; 3];
        boundaries[3 - self.shape.len()..].copy_from_slice(&self.boundary);
        boundaries
    }
}

impl std::fmt::Display for Lattice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lengths: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        write!(f, "{}", lengths.join(" × "))?;
        let first = self.boundary[0];
        if self.boundary.iter().all(|b| *b == first) {
            write!(f, ", {first}")
        } else {
            let kinds: Vec<String> = self.boundary.iter().map(Boundary::to_string).collect();
            write!(f, ", {}", kinds.join(" / "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_checked() {
        assert_eq!(Lattice::new(&[]), Err(LatticeError::Axes(0)));
        assert_eq!(Lattice::new(&[1, 2, 3, 4]), Err(LatticeError::Axes(4)));
        assert_eq!(Lattice::new(&[4, 0]), Err(LatticeError::Empty { axis: 1 }));
        assert!(matches!(Lattice::new(&[1 << 20, 1 << 20]), Err(LatticeError::TooLarge { .. })));
        assert!(matches!(Lattice::new(&[usize::MAX, 2]), Err(LatticeError::TooLarge { .. })));
    }

    #[test]
    fn extent_fills_missing_axes_with_one() {
        assert_eq!(Lattice::line(7).extent(), [1, 1, 7]);
        assert_eq!(Lattice::square(3).reflecting().boundaries()[0], Boundary::Periodic);
        assert_eq!(Lattice::square(3).reflecting().boundaries()[2], Boundary::Reflecting);
    }
}
