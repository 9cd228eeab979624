//! Lists the sites that a site sees, with weights.

use serde::{Deserialize, Serialize};

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

/// Anything that names a neighbourhood on a lattice of a given number of axes.
pub trait Neighbours {
    /// The neighbourhood on a lattice of `dimensions` axes (1 to 3).
    fn on(&self, dimensions: usize) -> Neighbourhood;
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
    fn every_named_neighbourhood_is_symmetric() {
        for n in [VonNeumann.on(3), Moore.on(2), Hexagonal.on(2)] {
            for o in n.offsets() {
                assert!(n.offsets().contains(&o.map(|d| -d)), "{o:?} has no opposite");
            }
        }
    }
}
