//! Lists every site's Moore neighbours, and the sites of every colour of a sublattice sweep.

use glauber_lattice::{Boundary, Lattice, Moore, Neighbours};

/// Stands for what lies beyond a fixed edge: medium, from which nothing is copied.
pub(crate) const OUTSIDE: u32 = u32::MAX;

/// Colours that do not close around a periodic axis.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "axis {axis} is periodic and {length} sites long, which {period} does not divide: the likelihood supposes sublattices, \
     which need that; if the frames are not really a torus, say that their edges are fixed"
)]
pub struct PeriodError {
    /// Which axis, counted as in the shape.
    pub axis: usize,
    /// Its length.
    pub length: usize,
    /// How far apart sites of one colour are.
    pub period: usize,
}

/// The Moore neighbours of every site.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    around: Vec<u32>,
    /// How many neighbours a site has, those beyond fixed edges counted.
    pub(crate) size: usize,
}

impl Surroundings {
    /// Of a lattice that carries cells.
    pub(crate) fn new(lattice: &Lattice) -> Surroundings {
        let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
        let offsets = Moore.on(lattice.dimensions()).offsets().to_vec();
        let mut around = Vec::with_capacity(lattice.sites() * offsets.len());
        for z in 0..extent[0] {
            for y in 0..extent[1] {
                for x in 0..extent[2] {
                    for offset in &offsets {
                        let at = |axis: usize, x: usize| {
                            boundaries[axis].source(x as i64 + i64::from(offset[axis]), extent[axis])
                        };
                        around.push(match (at(0, z), at(1, y), at(2, x)) {
                            (Some(z), Some(y), Some(x)) => ((z * extent[1] + y) * extent[2] + x) as u32,
                            _ => OUTSIDE,
                        });
                    }
                }
            }
        }
        Surroundings { around, size: offsets.len() }
    }

    /// The neighbours of a site, in the order of their offsets.
    pub(crate) fn of(&self, site: usize) -> &[u32] {
        &self.around[site * self.size..(site + 1) * self.size]
    }
}

/// The sites of every colour, in the order in which the colours run: by coordinates modulo `period`, the last axis
/// varying fastest.
pub(crate) fn colours(lattice: &Lattice, period: usize) -> Result<Vec<Vec<u32>>, PeriodError> {
    let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
    let skipped = 3 - lattice.dimensions();
    for axis in skipped..3 {
        if boundaries[axis] == Boundary::Periodic && extent[axis] % period != 0 {
            return Err(PeriodError { axis: axis - skipped, length: extent[axis], period });
        }
    }
    let mut sites = vec![Vec::new(); period.pow(lattice.dimensions() as u32)];
    for site in 0..lattice.sites() {
        let coordinates = [site / (extent[1] * extent[2]), site / extent[2] % extent[1], site % extent[2]];
        let colour =
            coordinates[skipped..].iter().fold(0, |colour, coordinate| colour * period + coordinate % period);
        sites[colour].push(site as u32);
    }
    Ok(sites)
}
