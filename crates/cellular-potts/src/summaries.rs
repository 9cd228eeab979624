//! Measures cells: pairs by types, volumes, perimeters, contacts, centroids and displacements on the torus, and what all of it costs.
//!
//! A pair is two Moore neighbours of different labels, counted once; what lies beyond a fixed edge is medium, as in the energy.

use std::collections::BTreeMap;

use glauber_lattice::{Boundary, Lattice, Moore, Neighbours, Offset};

use crate::cells::Cells;
use crate::energy::Energy;

/// Calls `with` with the labels of every pair of Moore neighbours of different labels, each once.
fn for_pairs(cells: &Cells, mut with: impl FnMut(u32, u32)) {
    let (lattice, labels) = (cells.lattice(), cells.labels());
    let offsets = Moore.on(lattice.dimensions()).offsets().to_vec();
    let neighbours = NeighboursOf::new(lattice);
    for (site, &own) in labels.iter().enumerate() {
        for offset in &offsets {
            let forward = *offset > [0; 3];
            match neighbours.of(site, *offset) {
                // Each pair is seen from both ends, one that leads outside from one end only.
                Some(other) if forward && labels[other] != own => with(own, labels[other]),
                None if own != 0 => with(own, 0),
                _ => {}
            }
        }
    }
}

/// Which site lies where.
pub(crate) struct NeighboursOf {
    extent: [usize; 3],
    boundaries: [Boundary; 3],
}

impl NeighboursOf {
    pub(crate) fn new(lattice: &Lattice) -> NeighboursOf {
        NeighboursOf { extent: lattice.extent(), boundaries: lattice.boundaries() }
    }

    /// The site at an offset; `None` beyond a fixed edge.
    pub(crate) fn of(&self, site: usize, offset: Offset) -> Option<usize> {
        let place = coordinates(site, self.extent);
        let mut to = 0;
        for axis in 0..3 {
            let x = place[axis] as i64 + i64::from(offset[axis]);
            to = to * self.extent[axis] + self.boundaries[axis].source(x, self.extent[axis])?;
        }
        Some(to)
    }
}

/// Where a site is: (z, y, x).
fn coordinates(site: usize, extent: [usize; 3]) -> [usize; 3] {
    let row = site / extent[2];
    [row / extent[1], row % extent[1], site % extent[2]]
}

impl Cells {
    /// Pairs of neighbouring sites of different labels by their types: a symmetric table, row by row, the medium first, for types
    /// up to `types`. That of two types holds all pairs between them; on the diagonal, pairs of different cells of one type.
    /// Types beyond are left out.
    pub fn pairs_by_types(&self, types: usize) -> Vec<u64> {
        let kinds = types + 1;
        let mut pairs = vec![0; kinds * kinds];
        for_pairs(self, |one, other| {
            let (a, b) = (usize::from(self.type_of(one)), usize::from(self.type_of(other)));
            if a < kinds && b < kinds {
                pairs[a * kinds + b] += 1;
                if a != b {
                    pairs[b * kinds + a] += 1;
                }
            }
        });
        pairs
    }

    /// How many pairs of neighbouring sites two labels share, for every two that touch, the smaller label first.
    pub fn contacts(&self) -> BTreeMap<(u32, u32), u64> {
        let mut contacts = BTreeMap::new();
        for_pairs(self, |one, other| *contacts.entry((one.min(other), one.max(other))).or_insert(0) += 1);
        contacts
    }

    /// The perimeter of every label, the medium's as 0: for each site of a cell the Moore neighbours of another label.
    pub fn perimeters(&self) -> Vec<u64> {
        let mut perimeters = vec![0; self.types().len()];
        for_pairs(self, |one, other| {
            perimeters[one as usize] += 1;
            perimeters[other as usize] += 1;
        });
        perimeters[0] = 0;
        perimeters
    }

    /// The centroid of every label as (z, y, x) in sites, within the lattice; `None` for the medium and for cells without
    /// a site.
    ///
    /// Along a periodic axis a cell is unrolled about a site of its own. That is right where it reaches less than half
    /// the axis from there; a cell that goes all the way round has no centroid, and gets one that depends on which site that is.
    pub fn centroids(&self) -> Vec<Option<[f64; 3]>> {
        let (lattice, count) = (self.lattice(), self.types().len());
        let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
        let mut sums = vec![([0_usize; 3], [0_i64; 3], 0_i64); count];
        // Stretches of medium are passed over.
        for (stretch, labels) in self.labels().chunks(64).enumerate() {
            if labels.iter().fold(0, |all, label| all | label) == 0 {
                continue;
            }
            for (site, &label) in (64 * stretch..).zip(labels).filter(|(_, label)| **label != 0) {
                let place = coordinates(site, extent);
                let (first, sum, sites) = &mut sums[label as usize];
                if *sites == 0 {
                    *first = place;
                }
                *sites += 1;
                for axis in 0..3 {
                    let apart = place[axis] as i64 - first[axis] as i64;
                    sum[axis] += shortest(apart, extent[axis], boundaries[axis]);
                }
            }
        }
        sums.iter()
            .map(|(first, sum, sites)| {
                (*sites > 0).then(|| {
                    [0, 1, 2].map(|axis| {
                        let x = first[axis] as f64 + sum[axis] as f64 / *sites as f64;
                        if boundaries[axis] == Boundary::Periodic {
                            x.rem_euclid(extent[axis] as f64)
                        } else {
                            x
                        }
                    })
                })
            })
            .collect()
    }

    /// What the configuration costs, in units of the temperature; the Act term is no part of it.
    pub fn cost(&self, energy: &Energy) -> f64 {
        let kinds = energy.types + 1;
        let pairs = self.pairs_by_types(energy.types);
        let mut cost = 0.0;
        for a in 0..kinds {
            for b in 0..=a {
                // The medium has no pairs with itself.
                if (a, b) != (0, 0) {
                    cost += energy.adhesion[a * kinds + b] * pairs[a * kinds + b] as f64;
                }
            }
        }
        let (volumes, perimeters) = (self.volumes(), self.perimeters());
        for (cell, &kind) in self.types().iter().enumerate().skip(1) {
            let of = |terms: &Option<Vec<crate::Elastic>>, found: f64| {
                let term = terms.as_ref().and_then(|terms| terms.get(usize::from(kind) - 1));
                term.map_or(0.0, |elastic| elastic.strength * (found - elastic.target).powi(2))
            };
            cost += of(&energy.volume, f64::from(volumes[cell]));
            cost += of(&energy.perimeter, perimeters[cell] as f64);
        }
        cost
    }
}

/// The shortest way round a periodic axis.
fn shortest(apart: i64, length: usize, boundary: Boundary) -> i64 {
    let length = length as i64;
    if boundary != Boundary::Periodic {
        return apart;
    }
    let around = apart.rem_euclid(length);
    if 2 * around > length { around - length } else { around }
}

/// How far a centroid went between two moments, (z, y, x), along the shortest way round periodic axes: right where that is
/// less than half an axis.
///
/// ```
/// use glauber_cellular_potts::displacement;
/// use glauber_lattice::Lattice;
/// let torus = Lattice::square(100);
/// assert_eq!(displacement(&torus, [0.0, 99.0, 10.0], [0.0, 2.0, 8.0]), [0.0, 3.0, -2.0]);
/// ```
pub fn displacement(lattice: &Lattice, from: [f64; 3], to: [f64; 3]) -> [f64; 3] {
    let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
    [0, 1, 2].map(|axis| {
        let (apart, length) = (to[axis] - from[axis], extent[axis] as f64);
        let periodic = boundaries[axis] == Boundary::Periodic;
        if periodic { apart - length * (apart / length).round_ties_even() } else { apart }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(labels: &str, lattice: Lattice) -> Cells {
        let labels: Vec<u32> = labels.chars().filter_map(|c| c.to_digit(10)).collect();
        let most = labels.iter().max().copied().unwrap_or(0) as usize;
        let types = (0..=most).map(|label| if label == 0 { 0 } else { 1 + (label % 2) as u8 }).collect();
        Cells::new(lattice, labels, types).unwrap()
    }

    #[test]
    fn a_hand_counted_square() {
        // Cell 1 (type 2) of two sites, cell 2 (type 1) of one.
        let text = "0000 0110 0020 0000";
        for lattice in [Lattice::square(4), Lattice::square(4).fixed(0.0)] {
            let cells = square(text, lattice);
            assert_eq!(cells.volumes(), [13, 2, 1]);
            assert_eq!(cells.perimeters(), [0, 14, 8]);
            assert_eq!(cells.contacts(), BTreeMap::from([((0, 1), 12), ((0, 2), 6), ((1, 2), 2)]));
            assert_eq!(cells.pairs_by_types(2), [0, 6, 12, 6, 0, 2, 12, 2, 0]);
            assert_eq!(cells.centroids(), [None, Some([0.0, 1.0, 1.5]), Some([0.0, 2.0, 2.0])]);
        }
    }

    #[test]
    fn edges_are_medium_where_fixed_and_neighbours_where_periodic() {
        let corner = "100 000 000";
        assert_eq!(square(corner, Lattice::square(3).fixed(0.0)).perimeters(), [0, 8]);
        let split = "10000 00000 00000 00000 10001";
        let cells = square(split, Lattice::square(5));
        assert_eq!(cells.perimeters(), [0, 24 - 6]);
        let centroid = cells.centroids()[1].unwrap();
        assert!(
            (centroid[1] - (4.0 + 1.0 / 3.0)).abs() < 1e-12
                && (centroid[2] - (5.0 - 1.0 / 3.0)).abs() < 1e-12
        );
        let cells = square(split, Lattice::square(5).fixed(0.0));
        assert_eq!(cells.perimeters(), [0, 24]);
    }
}
