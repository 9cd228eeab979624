//! Makes cells to start from: blocks side by side, or seeds grown at random.

use glauber_lattice::{Lattice, Moore, Neighbours};
use glauber_numbers::noise::{Key, Purpose, derive_seed};

use crate::cells::{Cells, CellsError};
use crate::keys::below;
use crate::summaries::NeighboursOf;

/// Why a start cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StartError {
    /// The cells do not fit the lattice, or their types are none.
    #[error(transparent)]
    Cells(#[from] CellsError),
    /// Numbers for more or fewer axes than there are.
    #[error("{what} has {found} numbers, the lattice {axes} axes: one number for every axis")]
    Axes {
        /// What has them.
        what: &'static str,
        /// How many.
        found: usize,
        /// The lattice's axes.
        axes: usize,
    },
    /// Blocks that reach beyond the lattice.
    #[error(
        "blocks from {begin} on, {count} of {side} sites, end at {end}, beyond axis {axis} of {length} sites: fewer or \
         smaller blocks fit"
    )]
    Beyond {
        /// Which axis, counted as in the shape.
        axis: usize,
        /// Where the blocks begin.
        begin: usize,
        /// How many there are along the axis.
        count: usize,
        /// How long each is.
        side: usize,
        /// Where they end.
        end: usize,
        /// The axis's length.
        length: usize,
    },
    /// More cells than sites.
    #[error("{cells} cells do not fit {sites} sites: every cell needs at least one")]
    Crowded {
        /// The cells asked for.
        cells: usize,
        /// The sites there are.
        sites: usize,
    },
}

/// Types of so many cells each (`counts[0]` of type 1 …), in an order drawn at random.
///
/// ```
/// use glauber_cellular_potts::shuffled_types;
/// let types = shuffled_types(&[3, 2], 1);
/// assert_eq!((types.len(), types.iter().filter(|kind| **kind == 2).count()), (5, 2));
/// ```
pub fn shuffled_types(counts: &[usize], seed: u64) -> Vec<u8> {
    let kinds = counts.iter().zip(1..=u8::MAX);
    let mut types: Vec<u8> = kinds.flat_map(|(count, kind)| std::iter::repeat_n(kind, *count)).collect();
    let key = Key::new(derive_seed(seed, Purpose::StartingSites, 2), 0, 0, 0, 0);
    for place in 1..types.len() {
        types.swap(place, below(key.word(place as u32), place + 1));
    }
    types
}

impl Cells {
    /// Blocks side by side: `counts` of them along each axis, each with `sides` sites, the first one's first site at `begin`. `kind` says
    /// the type of a block from its place among them. Cells are numbered in the order of their places, from 1 on.
    ///
    /// # Errors
    /// [`StartError`] where they do not fit.
    ///
    /// ```
    /// use glauber_cellular_potts::Cells;
    /// use glauber_lattice::Lattice;
    /// let cells = Cells::blocks(Lattice::square(20), &[4, 2], &[2, 3], &[6, 5], |place| 1 + (place[1] % 2) as u8)?;
    /// assert_eq!((cells.count(), cells.volumes()[6], cells.type_of(2)), (6, 30, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn blocks(
        lattice: Lattice,
        begin: &[usize],
        counts: &[usize],
        sides: &[usize],
        mut kind: impl FnMut(&[usize]) -> u8,
    ) -> Result<Cells, StartError> {
        let axes = lattice.dimensions();
        for (what, found) in [("begin", begin.len()), ("counts", counts.len()), ("sides", sides.len())] {
            if found != axes {
                return Err(StartError::Axes { what, found, axes });
            }
        }
        for axis in 0..axes {
            let (begin, count, side, length) =
                (begin[axis], counts[axis], sides[axis], lattice.shape()[axis]);
            let end = count.saturating_mul(side).saturating_add(begin);
            if end > length {
                return Err(StartError::Beyond { axis, begin, count, side, end, length });
            }
        }
        let mut types = vec![0];
        let mut place = vec![0; axes];
        for block in 0..counts.iter().product() {
            let mut left = block;
            for axis in (0..axes).rev() {
                place[axis] = left % counts[axis];
                left /= counts[axis];
            }
            types.push(kind(&place));
        }
        let labels = (0..lattice.sites()).map(|site| {
            let (mut left, mut label, mut stride) = (site, 0, 1);
            for axis in (0..axes).rev() {
                let x = left % lattice.shape()[axis];
                left /= lattice.shape()[axis];
                let block = x.checked_sub(begin[axis]).map(|x| x / sides[axis].max(1));
                match block.filter(|block| *block < counts[axis]) {
                    Some(block) => label += block * stride,
                    None => return 0,
                }
                stride *= counts[axis];
            }
            label as u32 + 1
        });
        let labels = labels.collect();
        Ok(Cells::new(lattice, labels, types)?)
    }

    /// Seeds at sites drawn at random, one for each of `types`, grown one site at a time in turns until each cell has `volume` sites
    /// or is hemmed in; cells that are have fewer ([`Cells::volumes`]).
    ///
    /// # Errors
    /// [`StartError`] where there are more cells than sites.
    ///
    /// ```
    /// use glauber_cellular_potts::Cells;
    /// use glauber_lattice::Lattice;
    /// let cells = Cells::grown(Lattice::square(40), &[1, 2, 1], 25, 7)?;
    /// assert_eq!(cells.volumes()[1..], [25, 25, 25]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn grown(lattice: Lattice, types: &[u8], volume: usize, seed: u64) -> Result<Cells, StartError> {
        let sites = lattice.sites();
        if types.len() > sites {
            return Err(StartError::Crowded { cells: types.len(), sites });
        }
        // The lattice and the types are checked before anything grows.
        let all: Vec<u8> = std::iter::once(0).chain(types.iter().copied()).collect();
        let empty = Cells::new(lattice.clone(), vec![0; sites], all.clone())?;
        let mut labels = empty.labels().to_vec();
        let key = Key::new(derive_seed(seed, Purpose::StartingSites, 0), 0, 0, 0, 0);
        let growth = Key::new(derive_seed(seed, Purpose::StartingSites, 1), 0, 0, 0, 0);
        // A permutation as far as it is needed.
        let mut order: Vec<u32> = (0..sites as u32).collect();
        let offsets = Moore.on(lattice.dimensions()).offsets().to_vec();
        let neighbours = NeighboursOf::new(&lattice);
        let mut fronts: Vec<Vec<u32>> = Vec::new();
        for cell in 0..types.len() {
            order.swap(cell, cell + below(key.word(cell as u32), sites - cell));
            labels[order[cell] as usize] = cell as u32 + 1;
        }
        let around = |site: u32| {
            offsets.iter().filter_map({
                let neighbours = &neighbours;
                move |o| neighbours.of(site as usize, *o)
            })
        };
        for first in &order[..types.len()] {
            fronts.push(around(*first).map(|site| site as u32).collect());
        }
        let (mut draw, mut growing) = (0_u32, true);
        let mut grown = 1;
        while growing && grown < volume {
            growing = false;
            for (cell, front) in fronts.iter_mut().enumerate() {
                while !front.is_empty() {
                    let site = front.swap_remove(below(growth.word(draw), front.len()));
                    draw = draw.wrapping_add(1);
                    if labels[site as usize] == 0 {
                        labels[site as usize] = cell as u32 + 1;
                        front.extend(around(site).filter(|&s| labels[s] == 0).map(|s| s as u32));
                        growing = true;
                        break;
                    }
                }
            }
            grown += 1;
        }
        Ok(Cells::new(lattice, labels, all)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_fill_what_they_say() {
        let lattice = || Lattice::new(&[4, 6, 9]).unwrap();
        let cells =
            Cells::blocks(lattice(), &[0, 1, 2], &[2, 1, 3], &[2, 4, 2], |place| 1 + place[2] as u8).unwrap();
        assert_eq!(cells.count(), 6);
        assert!(cells.volumes()[1..].iter().all(|&v| v == 16));
        assert_eq!(cells.types(), [0, 1, 2, 3, 1, 2, 3]);
        let site = |z: usize, y: usize, x: usize| (z * 6 + y) * 9 + x;
        assert_eq!(
            [site(0, 1, 2), site(3, 4, 7), site(0, 0, 2), site(1, 1, 8)].map(|s| cells.labels()[s]),
            [1, 6, 0, 0]
        );
        let beyond = Cells::blocks(lattice(), &[0, 1, 2], &[2, 1, 4], &[2, 4, 2], |_| 1);
        assert!(matches!(beyond, Err(StartError::Beyond { axis: 2, end: 10, .. })));
        let axes = Cells::blocks(lattice(), &[0, 1], &[2, 1, 4], &[2, 4, 2], |_| 1);
        assert!(matches!(axes, Err(StartError::Axes { what: "begin", .. })));
        assert!(Cells::blocks(Lattice::square(5), &[0, 0], &[3, 3], &[0, 0], |_| 1).is_ok());
    }

    #[test]
    fn grown_cells_are_whole_and_as_large_as_asked() {
        for lattice in [Lattice::square(30), Lattice::new(&[12, 12, 12]).unwrap().fixed(0.0)] {
            let cells = Cells::grown(lattice.clone(), &[1; 12], 30, 3).unwrap();
            assert_eq!(cells.volumes()[1..], [30; 12]);
            // Each cell is reached from any of its sites.
            let offsets = Moore.on(lattice.dimensions()).offsets().to_vec();
            let neighbours = NeighboursOf::new(&lattice);
            for cell in 1..=12 {
                let first = cells.labels().iter().position(|&l| l == cell).unwrap();
                let (mut reached, mut front) = (vec![first], vec![first]);
                while let Some(site) = front.pop() {
                    for next in offsets.iter().filter_map(|o| neighbours.of(site, *o)) {
                        if cells.labels()[next] == cell && !reached.contains(&next) {
                            reached.push(next);
                            front.push(next);
                        }
                    }
                }
                assert_eq!(reached.len(), 30);
            }
            assert_eq!(cells, Cells::grown(lattice.clone(), &[1; 12], 30, 3).unwrap());
            assert_ne!(cells, Cells::grown(lattice.clone(), &[1; 12], 30, 4).unwrap());
        }
        // As far as there is room.
        let full = Cells::grown(Lattice::square(6), &[1, 2, 1], 30, 1).unwrap();
        assert_eq!(full.volumes()[0], 0);
        assert!(matches!(Cells::grown(Lattice::square(3), &[1; 10], 2, 1), Err(StartError::Crowded { .. })));
        assert!(matches!(
            Cells::grown(Lattice::square(3), &[0], 2, 1),
            Err(StartError::Cells(CellsError::Typeless(1)))
        ));
    }
}
