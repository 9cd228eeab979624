//! Runs cells through steps of the Cellular Potts dynamics, in either order.

use glauber_lattice::{Boundary as Edge, Moore, Neighbours};

use crate::cells::{Cells, CellsError};
use crate::energy::{Acceptance, Energy, EnergyError, Order};
use crate::keys::Noise;
use crate::plane::{OUTSIDE, Places, label};
use crate::sequential::at_boundaries::{self, Boundary};
use crate::state::{Copy, Prepared, State};
use crate::vectors::{Simd, with_vectors};
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
    /// A checkpoint of another simulation.
    #[error("the checkpoint is of another simulation: its lattice, its Act term or its order are not these")]
    Checkpoint,
    /// A torus that the colours do not divide.
    #[error(
        "sublattices of period {period} need periodic axes that {period} divides{why}; axis {axis} is {length} sites long: \
         take {}, or the random-sequential order", lengths(*length, *period)
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

/// The lengths next to one that a period divides, of at least 3 sites, in words.
fn lengths(length: usize, period: usize) -> String {
    let below = length - length % period;
    if below < 3 {
        format!("{} sites", below + period)
    } else {
        format!("{below} or {} sites", below + period)
    }
}

/// Where a simulation stands: all that its further course depends on, besides what it was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The steps done.
    pub step: u64,
    /// The labels, in site order.
    pub labels: Vec<u32>,
    /// The activity of every site, where the energy has an Act term.
    pub activities: Option<Vec<u32>>,
    /// Whether attempts where nothing can change are passed over.
    pub passes_over: bool,
}

/// Where less than one site in so many has a neighbour of another label, attempts elsewhere are passed over at once. Passing
/// over costs two to three times what an attempt does.
const SPARSE: usize = 8;

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
    /// Without its labels.
    cells: Cells,
    pub(crate) state: State,
    terms: Prepared,
    order: Order,
    noise: Noise,
    step: u64,
    simd: Simd,
    /// Whether sublattices decide attempts one by one though they could do it side by side: for tests.
    one_by_one: bool,
    copies: Vec<Copy>,
    /// With the random-sequential order where few sites can change.
    pub(crate) boundary: Option<Boundary>,
}

impl Simulation {
    /// A simulation of these cells from step 0 on. The same arguments give the same course on every machine, whatever
    /// its threads and vectors.
    ///
    /// In the random-sequential order, where at the start less than one site in eight has a neighbour of another label, attempts at
    /// all other sites, which change nothing, are passed over at once. The law of the course is the same, to the last step;
    /// the random numbers differ.
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
        let offsets = Moore.on(cells.lattice().dimensions()).offsets().to_vec();
        let terms = Prepared::new(energy, acceptance, &offsets);
        // With an Act term the neighbours of neighbours are read.
        let places = Places::new(&cells, if terms.has_act() { 2 } else { 1 }, offsets);
        let state = State::new(&cells, &terms, places);
        // Where sublattices decide attempts side by side.
        let halved = order == Order::Sublattices && terms.is_plain() && cells.lattice().dimensions() == 2;
        let state = if halved { state.with_halves(types) } else { state };
        if order == Order::Sublattices {
            check_colours(&cells, terms.has_act())?;
        }
        let boundary = (order == Order::RandomSequential)
            .then(|| Boundary::new(&state.places, &state.sites))
            .filter(|boundary| boundary.len() * SPARSE <= state.places.sites());
        let cells = cells.with_labels(Vec::new());
        let noise = Noise { seed, replicate };
        let simd = Simd::widest();
        Ok(Simulation {
            cells,
            state,
            terms,
            order,
            noise,
            step: 0,
            simd,
            one_by_one: false,
            copies: Vec::new(),
            boundary,
        })
    }

    /// What a simulation that carries on from here needs: see [`Simulation::resumed`].
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            step: self.step,
            labels: self.state.labels(),
            activities: self.activities(),
            passes_over: self.boundary.is_some(),
        }
    }

    /// The simulation as it was at a checkpoint: its further course has the same bits as if it had never stopped, on any machine.
    /// `cells` are those that it began with, or any with the same types; the other arguments are those of [`Simulation::new`].
    ///
    /// # Errors
    /// [`SimulationError`] as [`Simulation::new`]; where the checkpoint is of another lattice, of other cells or of another energy.
    ///
    /// ```
    /// use glauber_cellular_potts::{Acceptance, Cells, Energy, Order, Simulation};
    /// use glauber_lattice::Lattice;
    /// let cells = Cells::blocks(Lattice::square(12), &[2, 2], &[2, 2], &[4, 4], |_| 1)?;
    /// let energy = Energy::of_adhesion(1, vec![0.0, 1.0, 1.0, 1.0]);
    /// let begin = || Simulation::new(cells.clone(), &energy, Acceptance::Metropolis, Order::Sublattices, 1, 0);
    /// let mut whole = begin()?;
    /// whole.run(5);
    /// let kept = whole.checkpoint();
    /// whole.run(5);
    /// let order = Order::Sublattices;
    /// let mut resumed = Simulation::resumed(cells.clone(), &energy, Acceptance::Metropolis, order, 1, 0, &kept)?;
    /// resumed.run(5);
    /// assert_eq!(resumed.cells(), whole.cells());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resumed(
        cells: Cells,
        energy: &Energy,
        acceptance: Acceptance,
        order: Order,
        seed: u64,
        replicate: u32,
        checkpoint: &Checkpoint,
    ) -> Result<Simulation, SimulationError> {
        let (lattice, types) = (cells.lattice().clone(), cells.types().to_vec());
        let now = Cells::new(lattice, checkpoint.labels.clone(), types)?;
        let mut simulation = Simulation::new(now, energy, acceptance, order, seed, replicate)?;
        let sites = simulation.state.places.sites();
        let state = &mut simulation.state;
        match (&mut state.activity, &checkpoint.activities) {
            (None, None) => {}
            (Some(activity), Some(own)) if own.len() == sites => {
                activity.resume(&state.places, own, checkpoint.step);
            }
            _ => return Err(SimulationError::Checkpoint),
        }
        if checkpoint.passes_over && order != Order::RandomSequential {
            return Err(SimulationError::Checkpoint);
        }
        // Whether attempts are passed over was decided at the start, and changes which numbers are drawn.
        simulation.boundary = checkpoint.passes_over.then(|| Boundary::new(&state.places, &state.sites));
        simulation.step = checkpoint.step;
        Ok(simulation)
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
        if steps > 0 && !self.one_by_one {
            self.state.follow_halves();
        }
    }

    fn one<const PLAIN: bool, const NEIGHBOURS: usize>(&mut self) {
        let (state, terms, noise) = (&mut self.state, &self.terms, &self.noise);
        match self.order {
            Order::RandomSequential => {
                let (noise, now) = (self.noise, self.step);
                match &mut self.boundary {
                    Some(boundary) => {
                        let step =
                            at_boundaries::Step::<PLAIN, NEIGHBOURS> { state, boundary, terms, noise, now };
                        with_vectors(self.simd, step);
                    }
                    None => {
                        let step = sequential::Step::<PLAIN, NEIGHBOURS> { state, terms, noise, now };
                        with_vectors(self.simd, step);
                    }
                }
            }
            Order::Sublattices => {
                let period = period(terms.has_act());
                let vectors = (!self.one_by_one).then_some(self.simd);
                let copies = &mut self.copies;
                sublattices::step::<PLAIN, NEIGHBOURS>(
                    state, terms, noise, self.step, vectors, period, copies,
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
        let periodic = boundaries[axis + 3 - lattice.dimensions()] == Edge::Periodic;
        if periodic && length % period != 0 {
            let why = if act { " (the Act term reads two sites far)" } else { "" };
            return Err(SimulationError::Colours { axis, length, period, why });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::Elastic;
    use glauber_lattice::Lattice;
    use glauber_numbers::noise::Key;

    fn mixed(lattice: Lattice, seed: u64) -> Cells {
        mixed_of(lattice, seed, 3)
    }

    fn mixed_of(lattice: Lattice, seed: u64, types: usize) -> Cells {
        let key = Key::new(seed, 0, 0, 0, 0);
        let width = lattice.shape()[1] as u32;
        let label = |site: u32| {
            let patch = site / width / 3 * 7 + site % width / 4;
            if key.word(site) % 5 == 0 { 0 } else { 1 + patch % 40 }
        };
        let labels = (0..lattice.sites() as u32).map(label).collect();
        let types = (0..=40_usize).map(|cell| if cell == 0 { 0 } else { 1 + (cell % types) as u8 }).collect();
        Cells::new(lattice, labels, types).unwrap()
    }

    fn energy() -> Energy {
        let elastic = |strength, target| Elastic { strength, target };
        let adhesion =
            vec![0.3, 1.6, 1.3, 1.1, 1.6, 1.43, 1.1, 0.9, 1.3, 1.1, 0.27, 0.6, 1.1, 0.9, 0.6, 1.0 / 3.0];
        let volume = Some(vec![elastic(0.11, 9.0), elastic(0.07, 12.5), elastic(0.2, 10.0)]);
        Energy { volume, ..Energy::of_adhesion(3, adhesion) }
    }

    /// The fast ways take the courses of the plain ones, with all instructions there are and any threads.
    #[test]
    fn every_way_takes_the_same_course() {
        let lattices = [
            Lattice::new(&[12, 18]).unwrap(),
            Lattice::new(&[13, 270]).unwrap().fixed(0.0),
            Lattice::new(&[260, 256]).unwrap(),
        ];
        for (lattice, order) in
            lattices.iter().flat_map(|l| [(l, Order::Sublattices), (l, Order::RandomSequential)])
        {
            for acceptance in [Acceptance::Metropolis, Acceptance::HeatBath] {
                let start = || {
                    Simulation::new(mixed(lattice.clone(), 4), &energy(), acceptance, order, 9, 2).unwrap()
                };
                let mut plain = start();
                plain.simd = Simd::Plain;
                plain.one_by_one = true;
                plain.run(12);
                for threads in [1, 2] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    for simd in Simd::available() {
                        let mut fast = start();
                        fast.simd = simd;
                        pool.install(|| fast.run(12));
                        assert!(
                            fast.state.sites == plain.state.sites,
                            "{lattice}, {order:?}, {simd:?}, {threads}"
                        );
                        assert_eq!(fast.state.volumes, plain.state.volumes);
                    }
                }
            }
        }
    }

    /// The same for one type to as many as can be counted side by side, and with adhesion alone.
    #[test]
    fn any_number_of_types_takes_the_same_course() {
        for types in [1, 2, 4, 7] {
            let adhesion = |a: usize, b: usize| 0.1 + 0.23 * ((a * b + a + b) % 7) as f64;
            let pairs = (0..=types).flat_map(|a| (0..=types).map(move |b| adhesion(a, b)));
            let bare = Energy::of_adhesion(types, pairs.collect());
            let volume = (0..types).map(|k| Elastic { strength: 0.05 + 0.01 * k as f64, target: 12.0 });
            let held = Energy { volume: Some(volume.collect()), ..bare.clone() };
            for (energy, shape) in [(&bare, [16, 140]), (&held, [16, 140]), (&held, [5, 3]), (&held, [3, 65])]
            {
                let lattice = Lattice::new(&shape).unwrap();
                let lattice = if shape[0] == 16 { lattice } else { lattice.fixed(0.0) };
                let start = |simd, one_by_one| {
                    let cells = mixed_of(lattice.clone(), 6, types);
                    let (rule, order) = (Acceptance::Metropolis, Order::Sublattices);
                    let made = Simulation::new(cells, energy, rule, order, 3, 0).unwrap();
                    Simulation { simd, one_by_one, ..made }
                };
                let mut plain = start(Simd::Plain, true);
                plain.run(9);
                for simd in Simd::available() {
                    let mut fast = start(simd, false);
                    assert!(fast.state.halves.is_some());
                    // In two goes: the plane is right after each.
                    fast.run(4);
                    fast.run(5);
                    assert!(fast.state.sites == plain.state.sites, "{types} types, {shape:?}, {simd:?}");
                    assert_eq!(fast.state.volumes, plain.state.volumes);
                }
                assert_ne!(plain.cells(), mixed_of(lattice, 6, types));
            }
        }
    }

    /// The short way to a cost gives what the long one gives, to rounding.
    #[test]
    fn short_and_long_costs_agree() {
        let made = Simulation::new(
            mixed(Lattice::square(24), 8),
            &energy(),
            Acceptance::HeatBath,
            Order::Sublattices,
            1,
            0,
        );
        let Simulation { state, terms, .. } = made.unwrap();
        let distances = <[isize; 8]>::try_from(state.places.distances()).unwrap();
        let mut compared = 0;
        for site in 0..state.places.sites() {
            let address = state.places.address(site);
            for distance in distances {
                let source = address.wrapping_add_signed(distance);
                let (old, new) = (state.sites[address], state.sites[source]);
                if old != new {
                    let short = state.plain_cost(&terms, &distances, address, old, new);
                    let long = state.cost(&terms, address, source, old, new).change.unwrap();
                    assert!((short - long).abs() < 1e-12, "{short} {long}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 1000, "{compared}");
    }
}
