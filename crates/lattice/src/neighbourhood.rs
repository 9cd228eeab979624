//! Lists the sites that a site sees, with weights.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{Boundary, Lattice};

/// A displacement on the lattice in sites, as (z, y, x).
pub type Offset = [i32; 3];

/// The sites seen from a site: offsets, each with a weight, in a fixed order.
///
/// ```
/// use glauber_lattice::{Moore, Neighbourhood, Neighbours};
/// assert_eq!(Moore.on(2).offsets().len(), 8);
/// let wind = Neighbourhood::weighted(&[([0, 0, 1], 2.0), ([0, 0, -1], 0.5)]);
/// assert_eq!(wind.weights(), &[2.0, 0.5]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbourhood {
    offsets: Vec<Offset>,
    weights: Vec<f64>,
}

impl Neighbourhood {
    /// A neighbourhood of any offsets, each of weight 1.
    pub fn of(offsets: &[Offset]) -> Neighbourhood {
        Neighbourhood { offsets: offsets.to_vec(), weights: vec![1.0; offsets.len()] }
    }

    /// A neighbourhood of any offsets with their weights.
    pub fn weighted(members: &[(Offset, f64)]) -> Neighbourhood {
        Neighbourhood {
            offsets: members.iter().map(|m| m.0).collect(),
            weights: members.iter().map(|m| m.1).collect(),
        }
    }

    /// Its offsets, in order.
    pub fn offsets(&self) -> &[Offset] {
        &self.offsets
    }

    /// Its weights, in the order of the offsets.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Whether every weight is exactly 1, so that a sum counts.
    pub fn counts(&self) -> bool {
        self.weights.iter().all(|w| w.to_bits() == 1f64.to_bits())
    }

    /// The farthest it reaches along (z, y, x), in sites.
    pub fn reach(&self) -> [usize; 3] {
        let mut reach = [0; 3];
        for offset in &self.offsets {
            for axis in 0..3 {
                reach[axis] = reach[axis].max(offset[axis].unsigned_abs() as usize);
            }
        }
        reach
    }

    /// What is odd about it on a lattice too small for it, where sites are seen over periodic edges, or a single row
    /// mirrored, more than once.
    ///
    /// ```
    /// use glauber_lattice::{Lattice, Moore, Neighbours, Overlap};
    /// let strip = Lattice::new(&[1, 64])?;
    /// assert_eq!(Moore.on(2).overlap(&strip), Some(Overlap::Itself([0, -1, 0])));
    /// let ladder = Lattice::new(&[2, 64])?;
    /// assert!(matches!(Moore.on(2).overlap(&ladder), Some(Overlap::Twice(..))));
    /// assert_eq!(Moore.on(2).overlap(&Lattice::square(3)), None);
    /// # Ok::<(), glauber_lattice::LatticeError>(())
    /// ```
    pub fn overlap(&self, lattice: &Lattice) -> Option<Overlap> {
        let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
        // Where an offset leads to, seen from a site in the middle.
        let folded = |offset: &Offset| {
            let mut to = *offset;
            for axis in 0..3 {
                let length = extent[axis] as i64;
                let row = length == 1 && boundaries[axis] == Boundary::Reflecting;
                if boundaries[axis] == Boundary::Periodic || row {
                    to[axis] = i64::from(offset[axis]).rem_euclid(length) as i32;
                }
            }
            to
        };
        let itself = |offset: &&Offset| **offset != [0; 3] && folded(offset) == [0; 3];
        if let Some(offset) = self.offsets.iter().find(itself) {
            return Some(Overlap::Itself(*offset));
        }
        let places: Vec<Offset> = self.offsets.iter().map(folded).collect();
        let mut first = HashMap::new();
        places.iter().zip(&self.offsets).find_map(|(place, offset)| {
            let earlier = *first.entry(*place).or_insert(*offset);
            (earlier != *offset).then_some(Overlap::Twice(earlier, *offset))
        })
    }

    /// Every site with offsets from −1 to 1 along the last `dimensions` axes that `keep` accepts.
    fn unit_box(dimensions: usize, keep: impl Fn(Offset) -> bool) -> Neighbourhood {
        let range = |axis: usize| if axis + dimensions >= 3 { -1..=1 } else { 0..=0 };
        let mut offsets = Vec::new();
        for z in range(0) {
            for y in range(1) {
                for x in range(2) {
                    if [z, y, x] != [0, 0, 0] && keep([z, y, x]) {
                        offsets.push([z, y, x]);
                    }
                }
            }
        }
        Neighbourhood::of(&offsets)
    }
}

/// How a neighbourhood sees a site more often than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// This offset, which is not 0, leads a site to itself.
    Itself(Offset),
    /// These two offsets lead to the same site.
    Twice(Offset, Offset),
}

/// Anything that names a neighbourhood on a lattice of a given number of axes.
pub trait Neighbours {
    /// The neighbourhood on a lattice of `dimensions` axes (1 to 3).
    fn on(&self, dimensions: usize) -> Neighbourhood;

    /// Why there is none on lattices of so many axes, where that is so.
    fn refusal(&self, _dimensions: usize) -> Option<&'static str> {
        None
    }
}

/// The nearest sites along the axes: 2 in one dimension, 4 in two, 6 in three.
#[derive(Clone, Copy, Debug)]
pub struct VonNeumann;

/// All sites that touch: 2 in one dimension, 8 in two, 26 in three.
#[derive(Clone, Copy, Debug)]
pub struct Moore;

/// The six neighbours on a triangular lattice of sites in sheared ("axial") coordinates:
/// along x, along y, and along the diagonal (y + 1, x − 1) and its opposite. Two-dimensional.
#[derive(Clone, Copy, Debug)]
pub struct Hexagonal;

impl Neighbours for VonNeumann {
    fn on(&self, dimensions: usize) -> Neighbourhood {
        Neighbourhood::unit_box(dimensions, |o| o.iter().map(|d| d.abs()).sum::<i32>() == 1)
    }
}

impl Neighbours for Moore {
    fn on(&self, dimensions: usize) -> Neighbourhood {
        Neighbourhood::unit_box(dimensions, |_| true)
    }
}

impl Neighbours for Hexagonal {
    fn on(&self, dimensions: usize) -> Neighbourhood {
        Neighbourhood::unit_box(dimensions.min(2), |[_, y, x]| y * x <= 0)
    }

    fn refusal(&self, dimensions: usize) -> Option<&'static str> {
        const WHY: &str = "the hexagonal neighbourhood is for lattices of two dimensions: the six nearest sites of a \
                           triangular lattice";
        (dimensions != 2).then_some(WHY)
    }
}

impl Neighbours for Neighbourhood {
    fn on(&self, _dimensions: usize) -> Neighbourhood {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_neighbourhoods_have_their_sizes() {
        let size = |n: &dyn Neighbours, d| n.on(d).offsets().len();
        assert_eq!([1, 2, 3].map(|d| size(&VonNeumann, d)), [2, 4, 6]);
        assert_eq!([1, 2, 3].map(|d| size(&Moore, d)), [2, 8, 26]);
        assert_eq!(size(&Hexagonal, 2), 6);
    }

    #[test]
    fn overlaps_are_found_where_lattices_are_small() {
        let lattice = |shape: &[usize], boundary: Boundary| Lattice::new(shape).unwrap().bounded(boundary);
        let itself = |n: Neighbourhood, l: &Lattice| matches!(n.overlap(l), Some(Overlap::Itself(_)));
        let twice = |n: Neighbourhood, l: &Lattice| matches!(n.overlap(l), Some(Overlap::Twice(..)));
        use Boundary::{Fixed, Periodic, Reflecting};
        for shape in [&[1, 9][..], &[9, 1], &[1]] {
            assert!(itself(Moore.on(shape.len()), &lattice(shape, Periodic)), "{shape:?}");
            assert!(itself(VonNeumann.on(shape.len()), &lattice(shape, Reflecting)), "{shape:?}");
            assert_eq!(Moore.on(shape.len()).overlap(&lattice(shape, Fixed(0.0))), None, "{shape:?}");
        }
        for shape in [&[2, 9][..], &[9, 2], &[2], &[4, 2, 4]] {
            assert!(twice(VonNeumann.on(shape.len()), &lattice(shape, Periodic)), "{shape:?}");
            assert_eq!(VonNeumann.on(shape.len()).overlap(&lattice(shape, Reflecting)), None, "{shape:?}");
        }
        // Offsets of one's own, all the way round.
        let far = Neighbourhood::of(&[[0, 0, 5], [0, 0, 1]]);
        assert!(itself(far.clone(), &Lattice::line(5)));
        assert!(twice(far.clone(), &Lattice::line(4)));
        assert_eq!(far.overlap(&Lattice::line(6)), None);
        // The site itself, when it is meant, and an offset listed with two weights.
        let own = Neighbourhood::weighted(&[([0, 0, 0], 1.0), ([0, 0, 1], 2.0), ([0, 0, 1], -0.5)]);
        assert_eq!(own.overlap(&Lattice::line(3)), None);
    }

    #[test]
    fn every_named_neighbourhood_is_symmetric() {
        for n in [VonNeumann.on(3), Moore.on(2), Hexagonal.on(2)] {
            for o in n.offsets() {
                assert!(n.offsets().contains(&o.map(|d| -d)), "{o:?} has no opposite");
            }
        }
    }
}
