//! Simulates the Cellular Potts model, and fits it to a stack of labels or to tracks: files become a movie, names become unknowns, and a
//! fit is checked.
//!
//! What nobody says is guessed from the movie and said in the notes: which adhesions occur, which sizes cells are held at.
//! The frames after those that are fitted are predicted.

mod kept;
mod pif;
mod report;
mod simulate;
mod snapshots;
mod stack;
mod tissue;
mod tracks;
mod tracks_report;

use std::ops::Range;

use glauber_cellular_potts::{
    Acceptance, CellsFit, Check, CheckError, CheckOptions, Energy, FitError, LabelsError, LogLikelihood,
    Movie, Order, SimulationError, StartError, TrackFitError, Unknown, check_by_simulation, fit,
};
use glauber_data::DataError;
use glauber_inference::exact::Cells;
use glauber_inference::likelihood::Interval;
use glauber_lattice::Lattice;

pub use report::OUTPUTS;
pub use simulate::{CellRow, CellsSimulation, SimulateRequest, Start, simulate};
pub use snapshots::{SnapshotsOutcome, run_snapshots};
pub use stack::{LabelStack, Labels, LabelsFile, Types};
pub use tissue::picture_of;
pub use tracks::{TrackSetting, TrackSource, TracksOutcome, TracksRequest, run_tracks, simulate_tracks};

/// Where J/T starts.
const ADHESION: f64 = 0.5;
/// Where λ_V/T and λ_P/T start.
const STRENGTHS: [f64; 2] = [0.02, 0.001];

/// What is to be fitted to what.
#[derive(Clone, Debug)]
pub struct CellsRequest {
    /// The frames.
    pub labels: Labels,
    /// The types of their cells.
    pub types: Types,
    /// Whether the frames close on themselves; else there is medium beyond their edges.
    pub torus: bool,
    /// Sites of a block along each axis that become one.
    pub coarsen: usize,
    /// The frames that are fitted; all where nobody says. Later ones are predicted.
    pub frames: Option<Range<usize>>,
    /// Every n-th frame is a step.
    pub every: usize,
    /// How copies are accepted.
    pub acceptance: Acceptance,
    /// Whether copies that would cut a cell are refused.
    pub connected: bool,
    /// What is unknown, by name; every adhesion that occurs and `volume_strength` where nobody says.
    pub unknown: Vec<String>,
    /// What is known, by name.
    pub fixed: Vec<(String, f64)>,
    /// How many simulations check the fit; 0 for none.
    pub replicates: u32,
    /// The seed of these.
    pub seed: u64,
}

impl CellsRequest {
    /// A fit of everything, as usual, to these labels.
    pub fn new(labels: Labels) -> CellsRequest {
        CellsRequest {
            labels,
            types: Types::One,
            torus: false,
            coarsen: 1,
            frames: None,
            every: 1,
            acceptance: Acceptance::Metropolis,
            connected: false,
            unknown: Vec::new(),
            fixed: Vec::new(),
            replicates: 39,
            seed: 1,
        }
    }
}

/// Why there is no fit.
#[derive(Debug, thiserror::Error)]
pub enum CellsError {
    /// A file cannot be read as what it should be.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Labels that are no movie of cells.
    #[error("{path}: {error}")]
    Labels {
        /// The file.
        path: String,
        /// What is wrong.
        error: LabelsError,
    },
    /// Something asked for that is not there.
    #[error("{0}")]
    Request(String),
    /// Movies and unknowns that do not fit together.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// Cells that cannot start as asked.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A simulation that cannot be made.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// It was stopped from outside.
    #[error("the simulation was stopped")]
    Stopped,
    /// Tracks that cannot be fitted.
    #[error(transparent)]
    Tracks(TrackFitError),
    /// The check could not be made.
    #[error("the fit could not be checked by simulation: {0}")]
    Check(#[from] CheckError),
}

impl From<TrackFitError> for CellsError {
    fn from(error: TrackFitError) -> CellsError {
        match error {
            TrackFitError::Stopped => CellsError::Stopped,
            other => CellsError::Tracks(other),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct CellsOutcome {
    /// The estimates.
    pub fit: CellsFit,
    /// Whether the movie is as simulated from them.
    pub check: Option<Check>,
    /// What each type is called, from type 1 on.
    pub type_names: Vec<String>,
    /// What was known, by name.
    pub fixed: Vec<(String, f64)>,
    /// How files were read and what was guessed.
    pub notes: Vec<String>,
    /// The frames that were fitted.
    pub frames: Range<usize>,
    /// Cells of the movie.
    pub cells: usize,
    /// The lattice in words.
    pub lattice: String,
    /// The seed of the check.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Reads, fits and checks.
///
/// # Errors
/// [`CellsError`] with what does not fit together.
pub fn run(request: &CellsRequest) -> Result<CellsOutcome, CellsError> {
    let Asked { fitted, after, frames, cells, lattice, type_names, question, notes } = Asked::read(request)?;
    let fit = fit(&[&fitted], &question.energy, request.acceptance, &question.unknowns)?;
    let check = if request.replicates > 0 {
        // What was not fitted is predicted from the last frame that was; where all was fitted, the whole movie is simulated.
        let last = fitted.frames().len() - 1;
        let from = if after.frames().len() > last + 1 { last } else { 0 };
        let (replicates, seed) = (request.replicates, request.seed);
        let options = CheckOptions { from, replicates, steps: 1, order: Order::Sublattices, seed };
        let mut check = check_by_simulation(&after, &fit, options)?;
        // As the file counts them.
        check.frames.iter_mut().for_each(|frame| *frame = frames.start + *frame * request.every.max(1));
        Some(check)
    } else {
        None
    };
    Ok(CellsOutcome {
        fit,
        check,
        type_names,
        fixed: question.fixed,
        notes,
        frames,
        cells,
        lattice,
        seed: request.seed,
        seconds: 0.0,
    })
}

/// The likelihood of a movie's cells by its unknown coefficients, and what was guessed of the others. Strengths and
/// targets are from 0, adhesions any number, so that draws of them need priors.
///
/// # Errors
/// [`CellsError`] with what does not fit together.
pub fn likelihood(request: &CellsRequest) -> Result<(Cells, Vec<String>), CellsError> {
    let Asked { fitted, question, mut notes, .. } = Asked::read(request)?;
    let likelihood = LogLikelihood::new(&[&fitted], &question.energy, request.acceptance, &question.unknowns)
        .map_err(FitError::Likelihood)?;
    let counts = likelihood.counts();
    if counts.impossible > 0 {
        notes.insert(
            0,
            format!(
                "{} of {} site updates took a label that no neighbour had, and are left out: frames may be more than one step apart",
                counts.impossible, counts.updates
            ),
        );
    }
    let interval = |name: &str| if name.starts_with('J') { Interval::any() } else { Interval::positive() };
    let unknowns: Vec<(String, Interval)> =
        question.unknowns.iter().map(|u| (u.name.clone(), interval(&u.name))).collect();
    Ok((Cells::new(likelihood, &unknowns), notes))
}

/// What is asked, with the frames read.
struct Asked {
    fitted: Movie,
    after: Movie,
    frames: Range<usize>,
    cells: usize,
    lattice: String,
    type_names: Vec<String>,
    question: Question,
    notes: Vec<String>,
}

impl Asked {
    fn read(request: &CellsRequest) -> Result<Asked, CellsError> {
        known_instructions()?;
        let stack = request.labels.read()?;
        let mut notes = stack.notes.clone();
        let labels_error = |error| CellsError::Labels { path: request.labels.name(), error };
        let (types, type_names) = request.types.read(&mut notes)?;
        let lattice = Lattice::new(&stack.shape)
            .map_err(|error| CellsError::Request(format!("{}: {error}", request.labels.name())))?;
        let lattice = if request.torus { lattice } else { lattice.fixed(0.0) };
        if stack.labels.len() < 2 * lattice.sites() {
            return Err(CellsError::Request(format!(
                "{}: {} frame of labels: a movie needs two or more; labels over time are [time, y, x] or [time, z, y, x]",
                request.labels.name(),
                stack.labels.len() / lattice.sites()
            )));
        }
        let mut movie = Movie::read(lattice, &stack.labels, &types).map_err(labels_error)?;
        if request.coarsen > 1 {
            movie = movie.coarsened(request.coarsen).map_err(labels_error)?;
        }
        let all = movie.frames().len();
        let frames = request.frames.clone().unwrap_or(0..all);
        if frames.end > all || frames.start >= frames.end {
            let Range { start, end } = frames;
            return Err(CellsError::Request(format!(
                "frames {start}:{end}: the file has frames 0 to {}",
                all - 1
            )));
        }
        if !request.torus {
            notes.push("beyond the edges of the frames there is medium; for frames that close on themselves give --torus".into());
        }
        let after =
            movie.part(frames.start..all).and_then(|part| part.every(request.every)).map_err(labels_error)?;
        let fitted =
            movie.part(frames.clone()).and_then(|part| part.every(request.every)).map_err(labels_error)?;
        let question = Question::new(request, &fitted, type_names.len(), &mut notes)?;
        let (cells, lattice) = (movie.types().len() - 1, movie.lattice().to_string());
        Ok(Asked { fitted, after, frames, cells, lattice, type_names, question, notes })
    }
}

/// The energy with everything in it that is known, and what is not.
struct Question {
    energy: Energy,
    unknowns: Vec<Unknown>,
    fixed: Vec<(String, f64)>,
}

impl Question {
    fn new(
        request: &CellsRequest,
        movie: &Movie,
        types: usize,
        notes: &mut Vec<String>,
    ) -> Result<Question, CellsError> {
        let types = types.max(movie.kinds());
        let side = types + 1;
        let mut energy = Energy::of_adhesion(types, vec![0.0; side * side]);
        energy.connected = request.connected;
        let named = |name: &str| {
            Unknown::named(name, types).ok_or_else(|| {
                CellsError::Request(format!(
                    "`{name}` is no coefficient of {types} types: there are J01, J11 … (types, 0 the medium), volume_strength, \
                     volume_target, perimeter_strength, perimeter_target, each of the four also of one type (volume_target2)"
                ))
            })
        };
        let sizes = Sizes::of(movie, types);
        let fixed: Vec<(Unknown, f64)> = request
            .fixed
            .iter()
            .map(|(name, value)| Ok((named(name)?, *value)))
            .collect::<Result<_, CellsError>>()?;
        let mut unknowns: Vec<Unknown> =
            request.unknown.iter().map(|name| named(name)).collect::<Result<_, CellsError>>()?;
        for (known, _) in &fixed {
            if let Some(both) = unknowns.iter().find(|unknown| unknown.overlaps(known)) {
                return Err(CellsError::Request(format!(
                    "`{}` is to be fitted and `{}` is set: they are the same number, do one",
                    both.name, known.name
                )));
            }
        }
        let taken = |unknowns: &[Unknown], one: &Unknown| {
            unknowns.iter().chain(fixed.iter().map(|(known, _)| known)).any(|other| other.overlaps(one))
        };
        let usual = request.unknown.is_empty();
        for (a, b) in (0..=types as u8).flat_map(|a| (a.max(1)..=types as u8).map(move |b| (a, b))) {
            let pair = Unknown::adhesion(a, b);
            let count = sizes.pairs[usize::from(a) * side + usize::from(b)];
            if count == 0 || taken(&unknowns, &pair) {
                continue;
            }
            if !usual {
                return Err(CellsError::Request(format!(
                    "{count} pairs of neighbouring sites are of types {a} and {b}, but `{0}` is neither fitted nor set: add it, \
                     or set it ({0}=0 for no adhesion)",
                    pair.name
                )));
            }
            unknowns.push(pair);
        }
        if usual && !touches(&fixed, "volume_strength") {
            unknowns.push(named("volume_strength")?);
        }
        for (known, value) in &fixed {
            known.set(&mut energy, *value);
        }
        let mut said = request.fixed.clone();
        for (term, sizes, start) in
            [("volume", &sizes.volumes, STRENGTHS[0]), ("perimeter", &sizes.perimeters, STRENGTHS[1])]
        {
            let (strength, target) = (format!("{term}_strength"), format!("{term}_target"));
            let there = |name: &str| {
                unknowns.iter().any(|unknown| unknown.name.starts_with(name)) || touches(&fixed, name)
            };
            if there(&target) && !there(&strength) {
                return Err(CellsError::Request(format!(
                    "`{target}` is given without `{strength}`, so that it has no effect: fit or set `{strength}`"
                )));
            }
            if !there(&strength) {
                continue;
            }
            for kind in 1..=types as u8 {
                let own_target = named(&format!("{target}{kind}"))?;
                let own_strength = named(&format!("{strength}{kind}"))?;
                if !taken(&unknowns, &own_strength) {
                    notes.push(format!(
                        "type {kind} has no {term} term: `{strength}{kind}` is neither fitted nor set"
                    ));
                    continue;
                }
                if fixed.iter().any(|(known, _)| known.overlaps(&own_target)) {
                    continue;
                }
                let size = sizes[usize::from(kind)];
                own_target.set(&mut energy, size);
                if !unknowns.iter().any(|unknown| unknown.overlaps(&own_target)) && size > 0.0 {
                    notes.push(format!(
                        "`{target}{kind}` is not given: the mean {term} of cells of type {kind} in these frames, {size:.2} sites, was taken"
                    ));
                    said.push((format!("{target}{kind}"), size));
                }
            }
            for unknown in unknowns.iter().filter(|unknown| unknown.name.starts_with(&strength)) {
                unknown.set(&mut energy, start);
            }
        }
        for unknown in unknowns.iter().filter(|unknown| unknown.name.starts_with('J')) {
            unknown.set(&mut energy, ADHESION);
        }
        Ok(Question { energy, unknowns, fixed: said })
    }
}

/// Whether something of this name, or of one type of it, is set.
fn touches(fixed: &[(Unknown, f64)], name: &str) -> bool {
    fixed.iter().any(|(known, _)| known.name.starts_with(name))
}

/// Means over the cells and frames of a movie, by type.
struct Sizes {
    volumes: Vec<f64>,
    perimeters: Vec<f64>,
    /// By pair of types, over all frames.
    pairs: Vec<u64>,
}

impl Sizes {
    fn of(movie: &Movie, types: usize) -> Sizes {
        let side = types + 1;
        let (mut counts, mut volumes, mut perimeters) = (vec![0.0; side], vec![0.0; side], vec![0.0; side]);
        let mut pairs = vec![0; side * side];
        for cells in (0..movie.frames().len()).filter_map(|frame| movie.cells(frame)) {
            let by_label = cells.volumes().into_iter().zip(cells.perimeters()).zip(cells.types());
            for ((volume, perimeter), kind) in by_label.filter(|((volume, _), _)| *volume > 0) {
                counts[usize::from(*kind)] += 1.0;
                volumes[usize::from(*kind)] += f64::from(volume);
                perimeters[usize::from(*kind)] += perimeter as f64;
            }
            pairs.iter_mut().zip(cells.pairs_by_types(types)).for_each(|(sum, own)| *sum += own);
        }
        let mean = |sums: Vec<f64>| -> Vec<f64> {
            sums.iter()
                .zip(&counts)
                .map(|(sum, count): (&f64, &f64)| if *count > 0.0 { sum / count } else { 0.0 })
                .collect()
        };
        Sizes { volumes: mean(volumes), perimeters: mean(perimeters), pairs }
    }
}

/// Refuses vector instructions that are asked for and are not there: the steps of cells choose by the same variable.
fn known_instructions() -> Result<(), CellsError> {
    glauber_engine::Simd::check().map_err(|error| CellsError::Request(error.to_string()))
}
