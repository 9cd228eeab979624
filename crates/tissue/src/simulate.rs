//! Simulates cells of the Cellular Potts model from names and numbers: a start, coefficients, and labels over time with a table of cells.
//!
//! Nothing is guessed that changes the course: a coefficient that can come to matter is set, or the request is refused. What a fit of
//! the labels would stumble on is said in the notes.

use std::borrow::Cow;
use std::path::PathBuf;

use glauber_cellular_potts::{
    Acceptance, Act, Cells, Energy, Order, Simulation, StartingLabels, Unknown, shuffled_types,
};
use glauber_lattice::Lattice;

use crate::kept::KeptSimulation;
use crate::{CellsError, Labels, Types, known_instructions, of_types, pif};

/// The most labels that are kept: 4 GiB of them.
const MOST_LABELS: usize = 1 << 30;

/// How cells begin.
#[derive(Clone, Debug)]
pub enum Start {
    /// Blocks side by side.
    Blocks {
        /// Sites along each axis.
        shape: Vec<usize>,
        /// The first block's first site; where nobody says, so that the blocks stand in the middle.
        begin: Option<Vec<usize>>,
        /// How many blocks along each axis.
        blocks: Vec<usize>,
        /// Sites of a block along each axis.
        sides: Vec<usize>,
        /// Cells of type 1, of type 2 …, mixed at random; all of type 1 where nobody says.
        counts: Option<Vec<usize>>,
    },
    /// Seeds at random sites, grown in turns.
    Grown {
        /// Sites along each axis.
        shape: Vec<usize>,
        /// Sites of a cell, as far as there is room.
        volume: usize,
        /// Cells of type 1, of type 2 …, mixed at random.
        counts: Vec<usize>,
    },
    /// Labels.
    Labels {
        /// One or more frames.
        labels: Labels,
        /// The types of their cells.
        types: Types,
        /// Which frame.
        frame: usize,
    },
}

/// What is to be simulated.
#[derive(Clone, Debug)]
pub struct SimulateRequest {
    /// The cells at the start.
    pub start: Start,
    /// The coefficients by name, in units of T: as fits call them, and `act_strength`, `max_act`, of all types or of one.
    pub parameters: Vec<(String, f64)>,
    /// Whether the lattice closes on itself; else there is medium beyond its edges.
    pub torus: bool,
    /// How copies are accepted.
    pub acceptance: Acceptance,
    /// Which sites attempt a copy, and when.
    pub order: Order,
    /// Whether copies that would cut a cell are refused.
    pub connected: bool,
    /// How many steps.
    pub steps: u64,
    /// Every n-th state is kept, the start's included.
    pub every: u64,
    /// The seed of the start and of all steps.
    pub seed: u64,
    /// Which realisation from that start.
    pub replicate: u32,
    /// A file that is written on the way, from which the same request carries on; removed at the end.
    pub checkpoint: Option<PathBuf>,
}

impl SimulateRequest {
    /// Fifty steps by sublattices, as a fit supposes them, each kept.
    pub fn new(start: Start, parameters: Vec<(String, f64)>) -> SimulateRequest {
        SimulateRequest {
            start,
            parameters,
            torus: false,
            acceptance: Acceptance::Metropolis,
            order: Order::Sublattices,
            connected: false,
            steps: 50,
            every: 1,
            seed: 1,
            replicate: 0,
            checkpoint: None,
        }
    }
}

/// A cell at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellRow {
    /// The step.
    pub step: u64,
    /// Its label.
    pub id: u32,
    /// Its type.
    pub kind: u8,
    /// Its sites.
    pub volume: u32,
    /// For each of its sites the Moore neighbours of another label.
    pub perimeter: u64,
    /// (z, y, x) in sites, within the lattice; z is 0 on a plane.
    pub centroid: [f64; 3],
}

/// Cells over time.
#[derive(Clone, Debug)]
pub struct CellsSimulation {
    /// The lattice in words.
    pub lattice: String,
    /// Sites along each axis.
    pub shape: Vec<usize>,
    /// The steps that are kept.
    pub times: Vec<u64>,
    /// The labels, one kept state after the other.
    pub labels: Vec<u32>,
    /// Label and type of every cell of the start, in the order of labels.
    pub types: Vec<(u32, u8)>,
    /// What each type is called, from type 1 on.
    pub type_names: Vec<String>,
    /// The cells that are there, state by state.
    pub rows: Vec<CellRow>,
    /// The coefficients, all of them.
    pub energy: Energy,
    /// What was asked for.
    pub request: SimulateRequest,
    /// What a person should know.
    pub notes: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// Simulates; `stop` is asked before every step.
///
/// # Errors
/// [`CellsError`] with what does not fit together; [`CellsError::Stopped`].
pub fn simulate(request: &SimulateRequest, stop: &dyn Fn() -> bool) -> Result<CellsSimulation, CellsError> {
    known_instructions()?;
    if request.every == 0 || request.steps == 0 || request.every > request.steps {
        return Err(CellsError::Request(format!(
            "{} steps of which every {} is kept: give at least 1 step, and no more steps from one to the next than there are",
            request.steps,
            ordinal(request.every)
        )));
    }
    let begin = Beginning::of(request)?;
    let Beginning { cells, names, type_names, mut notes } = begin;
    let types = type_names.len().max(cells.types().iter().copied().max().unwrap_or(1).into());
    let energy = energy_of(&request.parameters, request.connected, cells.types(), types, &mut notes)?;
    let frames = (request.steps / request.every).saturating_add(1);
    let sites = cells.lattice().sites();
    let kept = usize::try_from(frames).ok().and_then(|frames| frames.checked_mul(sites));
    if kept.is_none_or(|kept| kept > MOST_LABELS) {
        return Err(CellsError::Request(format!(
            "{frames} states of {sites} sites are more than {MOST_LABELS} labels: keep fewer states, every {} or further apart",
            ordinal(request.steps.div_ceil((MOST_LABELS / sites).max(2) as u64 - 1))
        )));
    }
    let last = (frames - 1) * request.every;
    if last < request.steps {
        notes.push(format!("the last state kept is that of step {last}: the steps after it were not run"));
    }
    if request.every > 1 {
        notes.push(format!(
            "states are kept {} steps apart: what `cells fit` estimates from them is effective, not what was simulated",
            request.every
        ));
    }
    if request.order == Order::RandomSequential {
        notes.push(
            "the order is random-sequential, for which no likelihood is known: `cells fit` supposes sublattices".into(),
        );
    }
    let kept_so_far = request.checkpoint.as_ref().map(|path| {
        let plain = SimulateRequest { checkpoint: None, ..request.clone() };
        KeptSimulation::of(path, &format!("{plain:?} {:?} {:?}", cells.labels(), cells.types()))
    });
    let stand = kept_so_far.as_ref().map(|kept| kept.read(sites, request.every)).transpose()?.flatten();
    let (acceptance, order) = (request.acceptance, request.order);
    let (seed, replicate) = (request.seed, request.replicate);
    let mut simulation = match &stand {
        Some(stand) => Simulation::resumed(
            cells.clone(),
            &energy,
            acceptance,
            order,
            seed,
            replicate,
            &stand.checkpoint,
        )?,
        None => Simulation::new(cells.clone(), &energy, acceptance, order, seed, replicate)?,
    };
    let mut done = CellsSimulation {
        lattice: simulation.cells().lattice().to_string(),
        shape: simulation.cells().lattice().shape().to_vec(),
        times: Vec::new(),
        labels: Vec::with_capacity(kept.unwrap_or(0)),
        types: Vec::new(),
        type_names,
        rows: Vec::new(),
        energy,
        request: request.clone(),
        notes,
        seconds: 0.0,
    };
    done.types =
        names.iter().zip(simulation.cells().types()).skip(1).map(|(name, kind)| (*name, *kind)).collect();
    // States by cell number, for the checkpoint.
    let mut states = stand.map_or_else(|| cells.labels().to_vec(), |stand| stand.states);
    let mut counts = Vec::new();
    for (place, labels) in (0..).zip(states.chunks(sites)) {
        let own = Cells::new(cells.lattice().clone(), labels.to_vec(), cells.types().to_vec())
            .map_err(glauber_cellular_potts::SimulationError::from)?;
        counts.push(done.keep(&own, &names, place * request.every));
    }
    if simulation.step() > 0 {
        done.notes.push(format!("carried on from step {} of an earlier run", simulation.step()));
    }
    let at_start = counts.first().copied().unwrap_or(0);
    let mut left = counts.last().copied().unwrap_or(0);
    let mut kept_so_far = kept_so_far;
    while simulation.step() < last {
        if stop() {
            return Err(CellsError::Stopped);
        }
        simulation.run(1);
        if simulation.step() % request.every == 0 {
            let now = simulation.cells();
            left = done.keep(&now, &names, simulation.step());
            if kept_so_far.is_some() {
                states.extend(now.labels());
            }
        }
        if let Some(kept) = &mut kept_so_far {
            kept.keep(&states, || simulation.checkpoint())?;
        }
    }
    if let Some(kept) = &kept_so_far {
        kept.remove();
    }
    if left < at_start {
        done.notes.push(format!("{} of {at_start} cells have vanished by step {last}", at_start - left));
    }
    Ok(done)
}

impl CellsSimulation {
    /// Adds a state; how many cells it has.
    fn keep(&mut self, cells: &Cells, names: &[u32], step: u64) -> usize {
        self.times.push(step);
        self.labels.extend(cells.labels().iter().map(|label| names[*label as usize]));
        let sizes = cells.volumes().into_iter().zip(cells.perimeters()).zip(cells.centroids());
        let rows = sizes.zip(names.iter().zip(cells.types())).filter_map(
            |(((volume, perimeter), centroid), (id, kind))| {
                let centroid = centroid?;
                Some(CellRow { step, id: *id, kind: *kind, volume, perimeter, centroid })
            },
        );
        let before = self.rows.len();
        self.rows.extend(rows);
        self.rows.len() - before
    }

    /// Labels of one of the kept states.
    pub fn frame(&self, place: usize) -> &[u32] {
        let sites: usize = self.shape.iter().product();
        self.labels.get(place * sites..(place + 1) * sites).unwrap_or_default()
    }

    /// Whether the lattice has a depth.
    pub fn has_depth(&self) -> bool {
        self.shape.len() == 3
    }
}

/// "4th", to stand behind "every".
fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Cells to start from, and what they are called.
struct Beginning {
    cells: Cells,
    /// By number, the medium's 0 first.
    names: Vec<u32>,
    type_names: Vec<String>,
    notes: Vec<String>,
}

impl Beginning {
    fn of(request: &SimulateRequest) -> Result<Beginning, CellsError> {
        let mut notes = Vec::new();
        if !request.torus {
            notes.push(
                "beyond the edges there is medium; for a lattice that closes on itself give --torus".into(),
            );
        }
        let lattice = |shape: &[usize]| -> Result<Lattice, CellsError> {
            let lattice = Lattice::new(shape).map_err(|error| CellsError::Request(error.to_string()))?;
            if !(2..=3).contains(&lattice.dimensions()) {
                let axes = lattice.dimensions();
                return Err(CellsError::Request(format!(
                    "a lattice of {axes} axis: cells live on 2 or 3 axes, [y, x] or [z, y, x]"
                )));
            }
            Ok(if request.torus { lattice } else { lattice.fixed(0.0) })
        };
        match &request.start {
            Start::Blocks { shape, begin, blocks, sides, counts } => {
                let all = blocks
                    .iter()
                    .try_fold(1_usize, |all, count| all.checked_mul(*count))
                    .filter(|all| *all <= shape.iter().fold(1, |sites: usize, n| sites.saturating_mul(*n)));
                let Some(all) = all.filter(|all| *all > 0) else {
                    return Err(CellsError::Request(format!(
                        "{} blocks on a lattice of {} sites: give at least one block along every axis, and no more than there is room for",
                        times(blocks),
                        times(shape)
                    )));
                };
                if sides.contains(&0) {
                    return Err(CellsError::Request("blocks have at least one site along every axis".into()));
                }
                if counts.is_none() {
                    notes.push("no types are given: all cells have type 1".into());
                }
                let counts = counts.clone().unwrap_or_else(|| vec![all]);
                let own = check_counts(&counts)?;
                if own != all {
                    return Err(CellsError::Request(format!(
                        "{} cells are to have types, but {} blocks are {all} cells: give as many",
                        in_sum(&counts),
                        times(blocks)
                    )));
                }
                let lattice = lattice(shape)?;
                let middle = || {
                    let along = shape.iter().zip(blocks).zip(sides);
                    along
                        .map(|((n, count), side)| n.saturating_sub(count.saturating_mul(*side)) / 2)
                        .collect()
                };
                let begin = begin.clone().unwrap_or_else(middle);
                let kinds = shuffled_types(&counts, request.seed);
                let mut next = kinds.iter().copied();
                let cells = Cells::blocks(lattice, &begin, blocks, sides, |_| next.next().unwrap_or(1))?;
                Ok(Beginning::numbered(cells, counts.len(), notes))
            }
            Start::Grown { shape, volume, counts } => {
                let all = check_counts(counts)?;
                if *volume == 0 {
                    return Err(CellsError::Request("cells grow to at least one site".into()));
                }
                let lattice = lattice(shape)?;
                if all > lattice.sites() {
                    let sites = lattice.sites();
                    return Err(glauber_cellular_potts::StartError::Crowded { cells: all, sites }.into());
                }
                let kinds = shuffled_types(counts, request.seed);
                let cells = Cells::grown(lattice, &kinds, *volume, request.seed)?;
                let small = cells.volumes().iter().skip(1).filter(|&&v| (v as usize) < *volume).count();
                if small > 0 {
                    notes.push(format!(
                        "{small} of {all} cells found no room to grow to {volume} sites, and start smaller"
                    ));
                }
                Ok(Beginning::numbered(cells, counts.len(), notes))
            }
            Start::Labels { labels, types, frame } => {
                let of_pif = match labels {
                    Labels::File(file) if pif::is_pif(&file.path) => Some(pif::read(&file.path)?),
                    _ => None,
                };
                let (stack, types) = match of_pif {
                    Some((stack, own)) => {
                        // A table that is given says more than the file.
                        let own = if matches!(types, Types::One) { Types::Table(own) } else { types.clone() };
                        (Cow::Owned(stack), own)
                    }
                    None => {
                        let stack = labels.read()?;
                        let types = types.or_own(stack.types.as_ref(), &mut notes);
                        (stack, types)
                    }
                };
                notes.extend(stack.notes.iter().cloned());
                let given = types;
                let (types, type_names) = given.read(&mut notes)?;
                let lattice = lattice(&stack.shape)?;
                let (sites, name) = (lattice.sites(), labels.name());
                let frames = stack.labels.len() / sites;
                let Some(own) = frame.checked_mul(sites).and_then(|at| stack.labels.get(at..at + sites))
                else {
                    return Err(CellsError::Request(format!(
                        "frame {frame}: {name} has {frames}, counted from 0"
                    )));
                };
                if frames > 1 {
                    notes.push(format!("{name} has {frames} frames: the cells start as in frame {frame}"));
                }
                let start = StartingLabels::read(lattice, own, &types)
                    .map_err(|error| CellsError::Labels { path: given.blamed_for(&error, labels), error })?;
                notes.extend(start.notes);
                let too_large = |label: &i64| {
                    CellsError::Request(format!(
                        "{name}: label {label} is above {}, the greatest that labels can be written with",
                        u32::MAX
                    ))
                };
                let names: Vec<u32> = start
                    .names
                    .iter()
                    .map(|label| u32::try_from(*label).map_err(|_| too_large(label)))
                    .collect::<Result<_, _>>()?;
                let kinds = start.cells.types().iter().copied().max().unwrap_or(1);
                let more = (type_names.len() + 1..=kinds.into()).map(|kind| kind.to_string());
                let type_names = type_names.iter().cloned().chain(more).collect();
                Ok(Beginning { cells: start.cells, names, type_names, notes })
            }
        }
    }

    /// Cells without names of their own.
    fn numbered(cells: Cells, types: usize, notes: Vec<String>) -> Beginning {
        let names = (0..cells.types().len() as u32).collect();
        let type_names = (1..=types).map(|kind| kind.to_string()).collect();
        Beginning { cells, names, type_names, notes }
    }
}

/// "10 × 12".
fn times(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

/// "50 + 49".
fn in_sum(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" + ")
}

/// How many cells there are of all types.
fn check_counts(counts: &[usize]) -> Result<usize, CellsError> {
    let all = counts.iter().try_fold(0_usize, |all, count| all.checked_add(*count)).filter(|all| *all > 0);
    match all {
        Some(all) if counts.len() <= 255 && all <= glauber_cellular_potts::MOST_CELLS => Ok(all),
        _ => Err(CellsError::Request(format!(
            "cells by type: {} types, {} cells: give the cells of type 1, of type 2 …, at least one cell in all, of at most 255 types and \
             {} cells",
            counts.len(),
            all.map_or("too many".into(), |all| all.to_string()),
            glauber_cellular_potts::MOST_CELLS
        ))),
    }
}

/// A coefficient by its name.
pub(super) enum Named {
    Usual(Unknown),
    /// λ_act/T or max_act of these types.
    Act {
        most: bool,
        kinds: Vec<u8>,
    },
}

impl Named {
    pub(super) fn of(name: &str, types: usize) -> Result<Named, CellsError> {
        if let Some(unknown) = Unknown::named(name, types) {
            return Ok(Named::Usual(unknown));
        }
        let act = [("act_strength", false), ("max_act", true)]
            .into_iter()
            .find_map(|(term, most)| name.strip_prefix(term).map(|kind| (kind, most)));
        let kinds = act.and_then(|(kind, most)| match kind {
            "" => Some((most, (1..=types as u8).collect())),
            kind => {
                let kind = kind.parse().ok().filter(|kind| (1..=types).contains(&usize::from(*kind)))?;
                Some((most, vec![kind]))
            }
        });
        kinds.map(|(most, kinds)| Named::Act { most, kinds }).ok_or_else(|| {
            CellsError::Request(format!(
                "`{name}` is no coefficient of {}: there are J01, J11 … (types, 0 the medium), volume_strength, \
                 volume_target, perimeter_strength, perimeter_target, act_strength, max_act, each of the six also of one type \
                 (volume_target2)",
                of_types(types)
            ))
        })
    }

    pub(super) fn overlaps(&self, other: &Named) -> bool {
        match (self, other) {
            (Named::Usual(one), Named::Usual(other)) => one.overlaps(other),
            (Named::Act { most, kinds }, Named::Act { most: also, kinds: others }) => {
                most == also && kinds.iter().any(|kind| others.contains(kind))
            }
            _ => false,
        }
    }
}

/// The energy with everything set, of cells of these types; what could come to matter and is not set is refused.
pub(super) fn energy_of(
    parameters: &[(String, f64)],
    connected: bool,
    kinds: &[u8],
    types: usize,
    notes: &mut Vec<String>,
) -> Result<Energy, CellsError> {
    let side = types + 1;
    let mut energy = Energy::of_adhesion(types, vec![0.0; side * side]);
    energy.connected = connected;
    let mut set: Vec<(&str, Named)> = Vec::new();
    for (name, value) in parameters {
        let named = Named::of(name, types)?;
        if let Some((other, _)) = set.iter().find(|(_, other)| other.overlaps(&named)) {
            return Err(CellsError::Request(format!(
                "`{name}` and `{other}` are both set, and are the same number: leave one out"
            )));
        }
        match &named {
            Named::Usual(unknown) => unknown.set(&mut energy, *value),
            Named::Act { most, kinds } => set_act(&mut energy, name, *most, kinds, *value)?,
        }
        set.push((name, named));
    }
    let is_set = |name: &str| -> Result<bool, CellsError> {
        let wanted = Named::of(name, types)?;
        Ok(set.iter().any(|(_, own)| own.overlaps(&wanted)))
    };
    let mut cells_of = vec![0_usize; side];
    kinds.iter().for_each(|kind| cells_of[usize::from(*kind)] += 1);
    for (a, b) in (0..=types as u8).flat_map(|a| (a.max(1)..=types as u8).map(move |b| (a, b))) {
        // Two cells of a type meet only where there are two.
        let least = if a == b { 2 } else { 1 };
        let may_meet = cells_of[usize::from(b)] >= least && (a == 0 || cells_of[usize::from(a)] > 0);
        let name = Unknown::adhesion(a, b).name;
        if may_meet && !is_set(&name)? {
            return Err(CellsError::Request(format!(
                "`{name}`, the adhesion of types {a} and {b}, is not set: set it ({name}=0 for none)"
            )));
        }
    }
    for (strength, partner) in [
        ("volume_strength", "volume_target"),
        ("perimeter_strength", "perimeter_target"),
        ("act_strength", "max_act"),
    ] {
        for kind in (1..=types).filter(|kind| cells_of[*kind] > 0) {
            let [one, other] = [strength, partner].map(|term| format!("{term}{kind}"));
            match (is_set(&one)?, is_set(&other)?) {
                (true, false) => {
                    return Err(CellsError::Request(format!(
                        "`{strength}` is set for type {kind} without `{partner}`: set `{partner}`, or `{other}` for this type alone"
                    )));
                }
                (false, true) => {
                    return Err(CellsError::Request(format!(
                        "`{partner}` is set for type {kind} without `{strength}`, so that it has no effect: set `{strength}`"
                    )));
                }
                (false, false) if strength == "volume_strength" => {
                    notes.push(format!("type {kind} has no volume term: nothing holds its cells at a size"));
                }
                _ => {}
            }
        }
    }
    energy.check().map_err(|error| CellsError::Request(error.to_string()))?;
    Ok(energy)
}

pub(super) fn set_act(
    energy: &mut Energy,
    name: &str,
    most: bool,
    kinds: &[u8],
    value: f64,
) -> Result<(), CellsError> {
    let types = energy.types;
    let act = energy.act.get_or_insert_with(|| vec![Act { strength: 0.0, most: 0 }; types]);
    let whole = value as u32;
    if most && (f64::from(whole) - value).abs() > 0.0 {
        return Err(CellsError::Request(format!(
            "`{name}` is {value}: it is a whole number of steps, from 0 on"
        )));
    }
    for own in act.iter_mut().zip(1..).filter(|(_, kind)| kinds.contains(kind)).map(|(own, _)| own) {
        if most {
            own.most = whole;
        } else {
            own.strength = value;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn blocks(counts: Option<Vec<usize>>) -> Start {
        let (shape, blocks, sides) = (vec![32, 32], vec![4, 4], vec![5, 5]);
        Start::Blocks { shape, begin: None, blocks, sides, counts }
    }

    fn set(text: &str) -> Vec<(String, f64)> {
        let pairs = text.split_whitespace().map(|pair| pair.split_once('=').unwrap());
        pairs.map(|(name, value)| (name.into(), value.parse().unwrap())).collect()
    }

    const TWO: &str = "J01=1.6 J02=1.6 J11=1.4 J12=1.1 J22=0.2 volume_strength=0.1 volume_target=25";

    fn run(request: &SimulateRequest) -> Result<CellsSimulation, String> {
        simulate(request, &|| false).map_err(|error| error.to_string())
    }

    #[test]
    fn states_and_rows_are_those_of_the_simulation() {
        let request = SimulateRequest {
            torus: true,
            steps: 7,
            every: 3,
            replicate: 2,
            ..SimulateRequest::new(blocks(Some(vec![7, 9])), set(TWO))
        };
        let done = run(&request).unwrap();
        assert_eq!(done.times, [0, 3, 6]);
        assert_eq!((done.labels.len(), done.rows.len(), done.types.len()), (3 * 32 * 32, 48, 16));
        assert_eq!(done.types.iter().filter(|(_, kind)| *kind == 2).count(), 9);
        for row in &done.rows {
            let frame = done.frame((row.step / 3) as usize);
            assert_eq!(frame.iter().filter(|label| **label == row.id).count(), row.volume as usize);
        }
        // Blocks stand in the middle: 6 sites of medium on either side.
        assert_eq!(
            (done.frame(0)[6 * 32 + 6], done.frame(0)[25 * 32 + 25], done.frame(0)[5 * 32 + 6]),
            (1, 16, 0)
        );
        let again = run(&request).unwrap();
        assert_eq!(done.labels, again.labels);
        let other = run(&SimulateRequest { replicate: 3, ..request.clone() }).unwrap();
        assert_eq!(other.frame(0), done.frame(0));
        assert_ne!(other.frame(2), done.frame(2));
        assert!(matches!(simulate(&request, &|| true), Err(CellsError::Stopped)));
    }

    #[test]
    fn grown_cells_and_act_run() {
        let start = Start::Grown { shape: vec![12, 20, 20], volume: 40, counts: vec![3] };
        let parameters = set("J01=1 J11=5 volume_strength=1.5 volume_target=40 act_strength=10 max_act=20");
        let request = SimulateRequest {
            order: Order::RandomSequential,
            steps: 5,
            ..SimulateRequest::new(start, parameters)
        };
        let done = run(&request).unwrap();
        assert_eq!(done.energy.act, Some(vec![Act { strength: 10.0, most: 20 }]));
        assert!(done.has_depth() && done.notes.iter().any(|note| note.contains("random-sequential")));
    }

    #[test]
    fn what_is_missing_or_too_much_is_refused() {
        let request =
            |counts: Option<Vec<usize>>, text: &str| SimulateRequest::new(blocks(counts), set(text));
        for (request, words) in [
            (request(Some(vec![8, 8]), "J01=1"), "`J02`"),
            (request(None, "J01=1 J11=1 J12=1"), "`J12` is no coefficient of 1 type:"),
            (request(None, "J01=1 J11=1 volume_strength=1"), "without `volume_target`"),
            (request(None, "J01=1 J11=1 perimeter_target=1"), "so that it has no effect"),
            (request(None, "J01=1 J11=1 act_strength=1"), "without `max_act`"),
            (request(None, "J01=1 J11=1 act_strength=1 max_act=2.5"), "whole number of steps"),
            (request(None, "J01=1 J11=1 volume_target=9 volume_target1=9"), "the same number"),
            (request(None, "J01=1 J10=1 J11=1"), "the same number"),
            (request(Some(vec![8, 9]), TWO), "8 + 9 cells"),
            (request(Some(vec![0]), TWO), "at least one cell"),
            (SimulateRequest { every: 0, ..request(None, TWO) }, "at least 1 step"),
            (SimulateRequest { every: 51, ..request(None, TWO) }, "51st"),
            (SimulateRequest { steps: u64::MAX, ..request(Some(vec![8, 8]), TWO) }, "keep fewer states"),
        ] {
            let error = run(&request).unwrap_err();
            assert!(error.contains(words), "«{words}» not in «{error}»");
        }
        // One cell never meets another of its type; a type that no cell has meets nobody.
        let one = Start::Grown { shape: vec![20, 20], volume: 25, counts: vec![1, 0] };
        let done = run(&SimulateRequest::new(one, set("J01=1 volume_strength=1 volume_target=25"))).unwrap();
        assert_eq!(done.type_names, ["1", "2"]);
    }

    #[test]
    fn states_that_are_too_many_are_refused_with_what_fits() {
        let crowded = SimulateRequest {
            steps: u64::MAX,
            every: u64::MAX / 2,
            ..SimulateRequest::new(blocks(None), set("J01=1 J11=1"))
        };
        // Three states fit; they are never reached here.
        assert!(matches!(simulate(&crowded, &|| true), Err(CellsError::Stopped)));
    }
}
