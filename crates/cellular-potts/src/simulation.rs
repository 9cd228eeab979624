//! Runs cells through steps of the Cellular Potts dynamics, in either order.

use glauber_lattice::Boundary;

use crate::cells::{Cells, CellsError};
use crate::energy::{Acceptance, Energy, EnergyError, Order};
use crate::keys::Noise;
use crate::plane::{OUTSIDE, label};
use crate::state::{Copy, Prepared, State};
use crate::words::Simd;
use crate::{sequential, sublattices};

/// Why a simulation cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SimulationError {
    /// Something is wrong with the energy.
    #[error(transparent)]
    Energy(#[from] EnergyError),
    /// Something is wrong with the cells.
    #[error(transparent)]
    Cells(#[from] CellsError),
    /// A cell of a type that the energy does not have.
    #[error("cell {cell} has type {found}, but the energy is for {types} types of cells")]
    Type {
        /// The first such cell.
        cell: usize,
        /// Its type.
        found: u8,
        /// The types there are.
        types: usize,
    },
    /// A torus that the colours do not divide.
    #[error(
        "sublattices of period {period} need periodic axes that {period} divides{why}; axis {axis} is {length} sites long: \
         take {} or {} sites, or the random-sequential order", length - length % period, length - length % period + period
    )]
    Colours {
        /// Which axis, counted as in the shape.
        axis: usize,
        /// Its length.
        length: usize,
        /// 2, or 3 with an Act term.
        period: usize,
        /// Where the period comes from, if not usual.
        why: &'static str,
    },
}

/// Cells on their way through time.
///
/// ```
/// use glauber_cellular_potts::{Acceptance, Cells, Elastic, Energy, Order, Simulation};
/// use glauber_lattice::Lattice;
/// let mut labels = vec![0; 400];
/// for y in 5..11 {
///     labels[20 * y + 5..20 * y + 11].fill(1);
/// }
/// let cells = Cells::new(Lattice::square(20), labels, vec![0, 1])?;
/// let energy = Energy {
///     volume: Some(vec![Elastic { strength: 0.1, target: 40.0 }]),
///     ..Energy::of_adhesion(1, vec![0.0, 1.6, 1.6, 1.4])
/// };
/// let mut simulation = Simulation::new(cells, &energy, Acceptance::Metropolis, Order::RandomSequential, 1, 0)?;
/// simulation.run(10);
/// assert_eq!((simulation.step(), simulation.cells().count()), (10, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Simulation {
    cells: Cells,
    state: State,
    terms: Prepared,
    order: Order,
    noise: Noise,
    step: u64,
    simd: Simd,
    copies: Vec<Copy>,
}

impl Simulation {
    /// A simulation of these cells from step 0 on. The same arguments give the same course on every machine, whatever
    /// its threads and vectors.
    ///
    /// # Errors
    /// [`SimulationError`] where the energy does not fit the cells, or the colours the lattice.
    pub fn new(
        cells: Cells,
        energy: &Energy,
        acceptance: Acceptance,
        order: Order,
        seed: u64,
        replicate: u32,
    ) -> Result<Simulation, SimulationError> {
        energy.check()?;
        let types = energy.types;
        if let Some(cell) = cells.types().iter().position(|&t| usize::from(t) > types) {
            return Err(SimulationError::Type { cell, found: cells.types()[cell], types });
        }
        let state = State::new(&cells, energy);
        let terms = Prepared::new(energy, acceptance, &state.places);
        if order == Order::Sublattices {
            check_colours(&cells, terms.has_act())?;
        }
        let noise = Noise { seed, replicate };
        let simd = Simd::widest();
        Ok(Simulation { cells, state, terms, order, noise, step: 0, simd, copies: Vec::new() })
    }

    /// Takes so many steps; a step is one attempt per site (on average, where the order is random-sequential).
    pub fn run(&mut self, steps: u64) {
        let two = self.state.places.offsets().len() == 8;
        for _ in 0..steps {
            match (self.terms.is_plain(), two) {
                (true, true) => self.one::<true, 8>(),
                (true, false) => self.one::<true, 26>(),
                (false, true) => self.one::<false, 8>(),
                (false, false) => self.one::<false, 26>(),
            }
            if let Some(activity) = &mut self.state.activity {
                activity.pass();
            }
            self.step += 1;
        }
    }

    fn one<const PLAIN: bool, const NEIGHBOURS: usize>(&mut self) {
        let (state, terms, noise) = (&mut self.state, &self.terms, &self.noise);
        match self.order {
            Order::RandomSequential => {
                sequential::step::<PLAIN, NEIGHBOURS>(state, terms, noise, self.step, self.simd);
            }
            Order::Sublattices => {
                let period = period(terms.has_act());
                let copies = &mut self.copies;
                sublattices::step::<PLAIN, NEIGHBOURS>(
                    state, terms, noise, self.step, self.simd, period, copies,
                );
            }
        }
    }

    /// The steps done.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The cells as they are now.
    pub fn cells(&self) -> Cells {
        self.cells.with_labels(self.state.labels())
    }

    /// The sites of every label now, the medium's first.
    pub fn volumes(&self) -> Vec<u32> {
        self.state.volumes.iter().map(|&v| v as u32).collect()
    }

    /// The perimeter of every label now (the medium's is 0), where the energy has a perimeter term.
    pub fn perimeters(&self) -> Option<Vec<u64>> {
        let perimeters = &self.state.perimeters;
        (!perimeters.is_empty()).then(|| {
            let of_cells = perimeters.iter().skip(1).map(|&p| p as u64);
            std::iter::once(0).chain(of_cells).collect()
        })
    }

    /// The activity of every site now, in site order, where the energy has an Act term.
    pub fn activities(&self) -> Option<Vec<u32>> {
        self.state.activity.as_ref().map(|activity| activity.by_site(&self.state.places))
    }

    /// By how much a copy onto `site` from its neighbour in `direction` (in the order of the Moore neighbourhood's
    /// offsets) would change the cost, in units of the temperature. `None` where there is no such attempt: the same label, beyond a
    /// fixed edge, or a cell that would be cut.
    pub fn change_by_copy(&self, site: usize, direction: usize) -> Option<f64> {
        let places = &self.state.places;
        if site >= places.sites() {
            return None;
        }
        let address = places.address(site);
        let source = address.wrapping_add_signed(*places.distances().get(direction)?);
        let (old, new) = (self.state.sites[address], self.state.sites[source]);
        if new == old || new == OUTSIDE {
            return None;
        }
        self.state.cost(&self.terms, address, source, old, new).change
    }

    /// The label of a site now; the medium's for a site that there is not.
    pub fn label(&self, site: usize) -> u32 {
        let places = &self.state.places;
        if site < places.sites() { label(self.state.sites[places.address(site)]) as u32 } else { 0 }
    }
}

/// How far apart sites of one colour are.
fn period(act: bool) -> usize {
    if act { 3 } else { 2 }
}

fn check_colours(cells: &Cells, act: bool) -> Result<(), SimulationError> {
    let (lattice, period) = (cells.lattice(), period(act));
    let boundaries = lattice.boundaries();
    for (axis, &length) in lattice.shape().iter().enumerate() {
        let periodic = boundaries[axis + 3 - lattice.dimensions()] == Boundary::Periodic;
        if periodic && length % period != 0 {
            let why = if act { " (the Act term reads two sites far)" } else { "" };
            return Err(SimulationError::Colours { axis, length, period, why });
        }
    }
    Ok(())
}
