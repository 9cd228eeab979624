//! Colours a lattice so that sites of one colour can be updated at once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Boundary, Lattice, Offset};

/// Which sites a rule reads and writes, as offsets (z, y, x) from the site it is applied to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Where it reads layers.
    pub reads: BTreeSet<Offset>,
    /// Where it writes layers.
    pub writes: BTreeSet<Offset>,
    /// Whether it reads or writes a site that is drawn from the whole lattice.
    pub anywhere: bool,
    /// The farthest it reaches along (z, y, x), in sites, reads of fields included.
    pub reach: [usize; 3],
}

impl Footprint {
    /// The displacements between two sites of which one writes what the other reads or writes.
    pub fn conflicts(&self, lattice: &Lattice) -> BTreeSet<Offset> {
        let minus = |a: Offset, b: Offset| [0, 1, 2].map(|k| a[k].wrapping_sub(b[k]));
        let mut conflicts = BTreeSet::new();
        for written in &self.writes {
            for met in self.reads.iter().chain(&self.writes) {
                conflicts.extend([minus(*written, *met), minus(*met, *written)]);
            }
        }
        // Mirrored at an edge an offset leads to nearer sites too.
        for (axis, boundary) in lattice.boundaries().into_iter().enumerate() {
            if boundary == Boundary::Reflecting {
                let nearer = |d: &Offset| {
                    let mut all = Vec::new();
                    for k in -d[axis].abs()..=d[axis].abs() {
                        let mut other = *d;
                        other[axis] = k;
                        all.push(other);
                    }
                    all
                };
                conflicts = conflicts.iter().flat_map(nearer).collect();
            }
        }
        conflicts.remove(&[0; 3]);
        conflicts
    }
}

/// In words: "reads 4 others, up to 1 site away; writes the site itself".
impl std::fmt::Display for Footprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let own = |set: &BTreeSet<Offset>| {
            let others = set.iter().filter(|o| **o != [0; 3]).count();
            let itself = set.contains(&[0; 3]);
            let others = match others {
                0 => String::new(),
                1 => "1 other".to_string(),
                n => format!("{n} others"),
            };
            match (itself, others.is_empty()) {
                (true, true) => "the site itself".to_string(),
                (true, false) => format!("the site itself and {others}"),
                (false, true) => "no site".to_string(),
                (false, false) => others,
            }
        };
        let far = match self.reach.into_iter().max().unwrap_or(0) {
            0 => String::new(),
            1 => ", up to 1 site away".to_string(),
            n => format!(", up to {n} sites away"),
        };
        let anywhere = if self.anywhere { "; and a site drawn from the whole lattice" } else { "" };
        write!(f, "reads {}{far}; writes {}{anywhere}", own(&self.reads), own(&self.writes))
    }
}

/// A colouring of a lattice: site (z, y, x) has colour Σ strideₖ (xₖ mod periodₖ) mod the number of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Colouring {
    /// By what each coordinate is counted, along (z, y, x).
    pub periods: [u32; 3],
    /// What each coordinate counts.
    pub strides: [u32; 3],
    /// How many colours there are.
    pub colours: u32,
}

impl Colouring {
    /// The most colours that are tried.
    pub const MOST: u32 = 16;

    /// The colouring with the fewest colours under which no site writes what another of its colour reads or writes, and
    /// that closes over the lattice's periodic edges; none where there is none of at most 16 colours.
    ///
    /// ```
    /// # use glauber_lattice::{Colouring, Footprint, Lattice};
    /// // A voter takes the opinion of one of its four neighbours.
    /// let around = [[0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]];
    /// let voter = Footprint { reads: around.into(), writes: [[0; 3]].into(), anywhere: false, reach: [0, 1, 1] };
    /// let board = Colouring::of(&voter, &Lattice::square(8));
    /// assert_eq!(board.map(|c| (c.colours, c.colour([0, 2, 3]))), Some((2, 1))); // a checkerboard
    /// ```
    pub fn of(footprint: &Footprint, lattice: &Lattice) -> Option<Colouring> {
        let conflicts = footprint.conflicts(lattice);
        let used = 3 - lattice.dimensions();
        (1..=Colouring::MOST).find_map(|colours| {
            let all = linear(colours, used).chain(boxes(colours, used));
            all.into_iter().find(|c| c.closes(lattice) && c.parts(&conflicts))
        })
    }

    /// The lengths nearest to the lattice's, along its periodic axes, over which a colouring of at most 16 colours closes
    /// that tells apart what the footprint asks; none where there is no such colouring.
    ///
    /// ```
    /// # use glauber_lattice::{Colouring, Footprint, Lattice};
    /// let around = [[0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]];
    /// let voter = Footprint { reads: around.into(), writes: [[0; 3]].into(), anywhere: false, reach: [0, 1, 1] };
    /// let board = Lattice::new(&[7, 12]).unwrap_or_else(|_| Lattice::square(8));
    /// // A colouring closes over these lengths themselves.
    /// assert_eq!(Colouring::nearest_lengths(&voter, &board), Some([1, 7, 12]));
    /// ```
    pub fn nearest_lengths(footprint: &Footprint, lattice: &Lattice) -> Option<[usize; 3]> {
        let conflicts = footprint.conflicts(lattice);
        let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
        let used = 3 - lattice.dimensions();
        let multiples = |colouring: &Colouring| {
            [0, 1, 2].map(|k| match (boundaries[k], colouring.strides[k]) {
                (Boundary::Periodic, 1..) if colouring.is_linear() => {
                    (colouring.colours / common_divisor(colouring.strides[k], colouring.colours)) as usize
                }
                (Boundary::Periodic, 1..) => colouring.periods[k] as usize,
                _ => 1,
            })
        };
        // Of two that are as near, the longer.
        let near = |k: usize, of: usize| {
            let (length, least) = (extent[k], footprint.reach[k] + 1);
            let below = length / of * of;
            let above = length.max(least).next_multiple_of(of);
            if below >= least && length - below < above - length { below } else { above }
        };
        let all = (1..=Colouring::MOST).flat_map(|colours| linear(colours, used).chain(boxes(colours, used)));
        let lengths = all.filter(|c| c.parts(&conflicts)).map(|colouring| {
            let of = multiples(&colouring);
            [0, 1, 2].map(|k| if of[k] == 1 { extent[k] } else { near(k, of[k]) })
        });
        lengths.min_by_key(|lengths| (0..3).map(|k| lengths[k].abs_diff(extent[k])).sum::<usize>())
    }

    /// The colour of a site.
    pub fn colour(&self, site: [usize; 3]) -> u32 {
        let own = |k: usize| (site[k] % self.periods[k] as usize) as u32 * self.strides[k];
        (own(0) + own(1) + own(2)) % self.colours
    }

    fn closes(&self, lattice: &Lattice) -> bool {
        let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
        (0..3).all(|k| {
            let once_round = match self.is_linear() {
                true => (extent[k] as u64 * u64::from(self.strides[k])) % u64::from(self.colours),
                false => extent[k] as u64 % u64::from(self.periods[k]),
            };
            boundaries[k] != Boundary::Periodic || self.strides[k] == 0 || once_round == 0
        })
    }

    fn is_linear(&self) -> bool {
        self.periods.iter().zip(&self.strides).all(|(p, s)| *s == 0 || *p == self.colours)
    }

    /// Whether it tells sites apart that lie so far from each other.
    fn parts(&self, conflicts: &BTreeSet<Offset>) -> bool {
        let apart = |d: &Offset| {
            if self.is_linear() {
                let sum: i64 = (0..3).map(|k| i64::from(d[k]) * i64::from(self.strides[k])).sum();
                sum.rem_euclid(i64::from(self.colours)) != 0
            } else {
                (0..3).any(|k| {
                    self.strides[k] != 0 && i64::from(d[k]).rem_euclid(i64::from(self.periods[k])) != 0
                })
            }
        };
        conflicts.iter().all(apart)
    }

    /// How far apart along x sites of one colour lie in a row that has any.
    pub fn step(&self) -> usize {
        let (stride, colours) = (self.strides[2], self.colours);
        match (stride, self.is_linear()) {
            (0, _) => 1,
            (_, true) => (colours / common_divisor(stride, colours)) as usize,
            (_, false) => self.periods[2] as usize,
        }
    }

    /// The first x, below [`Colouring::step`], at which a row has a colour; none where it has none of it.
    pub fn first(&self, z: usize, y: usize, colour: u32) -> Option<usize> {
        (0..self.step()).find(|x| self.colour([z, y, *x]) == colour)
    }

    /// Whether it is one that may be computed with.
    pub fn is_sound(&self) -> bool {
        let small = |n: u32| (1..=Colouring::MOST).contains(&n);
        small(self.colours)
            && self.periods.into_iter().all(small)
            && self.strides.into_iter().all(|stride| stride <= Colouring::MOST)
    }
}

fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Colourings by a sum of multiples of the coordinates.
fn linear(colours: u32, first_axis: usize) -> impl Iterator<Item = Colouring> {
    let axes = 3 - first_axis as u32;
    (0..colours.pow(axes)).map(move |number| {
        let mut strides = [0; 3];
        let mut rest = number;
        for stride in &mut strides[first_axis..] {
            *stride = rest % colours;
            rest /= colours;
        }
        Colouring { periods: [colours; 3], strides, colours }
    })
}

/// Colourings by the place in a box.
fn boxes(colours: u32, first_axis: usize) -> impl Iterator<Item = Colouring> {
    let lengths = move |axis: usize| if axis < first_axis { 1..=1 } else { 1..=colours };
    let divides = move |n: &u32| colours % n == 0;
    lengths(0).filter(divides).flat_map(move |z| {
        lengths(1).filter(divides).filter_map(move |y| {
            let x = colours / z.max(1) / y.max(1);
            (x >= 1 && z * y * x == colours).then(|| {
                let periods = [z, y, x];
                let used = |axis: usize, stride: u32| if periods[axis] > 1 { stride } else { 0 };
                Colouring { periods, strides: [used(0, y * x), used(1, x), used(2, 1)], colours }
            })
        })
    })
}
