//! Fits the Cellular Potts model to a stack of labels, to tracks or to snapshots, and simulates it: files become a movie,
//! names become unknowns, and a fit is checked.
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
/// By how much mean volumes of types differ where each type gets a target of its own.
const UNLIKE: f64 = 1.3;
/// The fewest simulations that can tell a departure of one in twenty.
const LEAST_REPLICATES: u32 = 19;

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
    /// What is unknown, by name; every adhesion that occurs, `volume_strength` and `volume_target` where nobody says.
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
    if (1..LEAST_REPLICATES).contains(&request.replicates) {
        return Err(CheckError::Replicates(request.replicates).into());
    }
    let Asked { fitted, after, frames, cells, lattice, type_names, question, notes } = Asked::read(request)?;
    let mut fit = fit(&[&fitted], &question.energy, request.acceptance, &question.unknowns)?;
    let mut causes = question.assumed.clone();
    if request.coarsen > 1 {
        causes.push(format!(
            "frames are binned by {}: estimates are those of blocks, not of the movie's sites",
            request.coarsen
        ));
    }
    if !causes.is_empty() {
        (fit.effective, fit.warns) = (true, true);
        fit.words = format!("{}; {}", causes.join("; "), fit.words);
    }
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
        let own = request.types.or_own(stack.types.as_ref(), &mut notes);
        let labels_error =
            |error| CellsError::Labels { path: own.blamed_for(&error, &request.labels), error };
        let (types, type_names) = own.read(&mut notes)?;
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
        if movie.types().len() == 2 && matches!(movie.name(1), Some(1 | 255)) {
            let label = movie.name(1).unwrap_or(1);
            notes.push(format!(
                "there is a single cell, of label {label}: if this is a mask of cells and medium, label the cells first (one number for each)"
            ));
        }
        let unbinned = (request.coarsen > 1).then(|| Sizes::of(&movie, type_names.len().max(movie.kinds())));
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
        let question = Question::new(request, &fitted, type_names.len(), true, &mut notes)?;
        if let Some(unbinned) = &unbinned {
            question.check_binned(request, &fitted, unbinned)?;
        }
        let (cells, lattice) = (movie.types().len() - 1, movie.lattice().to_string());
        Ok(Asked { fitted, after, frames, cells, lattice, type_names, question, notes })
    }
}

/// The energy with everything in it that is known, and what is not.
struct Question {
    energy: Energy,
    unknowns: Vec<Unknown>,
    fixed: Vec<(String, f64)>,
    /// What was assumed on which the estimates depend, in words.
    assumed: Vec<String>,
}

impl Question {
    /// Of a movie; without `targets` those of sizes are fitted only where they are named.
    fn new(
        request: &CellsRequest,
        movie: &Movie,
        types: usize,
        targets: bool,
        notes: &mut Vec<String>,
    ) -> Result<Question, CellsError> {
        let types = types.max(movie.kinds());
        let side = types + 1;
        let mut energy = Energy::of_adhesion(types, vec![0.0; side * side]);
        energy.connected = request.connected;
        let named = |name: &str| {
            Unknown::named(name, types).ok_or_else(|| {
                CellsError::Request(format!(
                    "`{name}` is no coefficient of {}: there are J01, J11 … (types, 0 the medium), volume_strength, \
                     volume_target, perimeter_strength, perimeter_target, each of the four also of one type (volume_target2)",
                    of_types(types)
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
        if usual && targets {
            // One target for all types, as there is one strength; types that are unlike in size have their own.
            let mut free: Vec<u8> = Vec::new();
            for kind in 1..=types as u8 {
                let strong = taken(&unknowns, &named(&format!("volume_strength{kind}"))?);
                if strong && !touches_type(&fixed, "volume_target", kind) {
                    free.push(kind);
                }
            }
            // A strength of 0 has no target.
            let none =
                |known: &Unknown, value: f64| known.name.starts_with("volume_strength") && value.abs() == 0.0;
            if fixed.iter().any(|(known, value)| none(known, *value)) {
                free.clear();
            }
            let means: Vec<f64> =
                free.iter().map(|kind| sizes.volumes[usize::from(*kind)]).filter(|v| *v > 0.0).collect();
            let (low, high) = means.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(*v), b.max(*v)));
            let unlike = high > UNLIKE * low;
            let one = free.len() == types && !unlike;
            if one {
                unknowns.push(named("volume_target")?);
            } else {
                for kind in free.iter().filter(|kind| sizes.volumes[usize::from(**kind)] > 0.0) {
                    unknowns.push(named(&format!("volume_target{kind}"))?);
                }
            }
            if types > 1 && !free.is_empty() {
                notes.push(match one {
                    true => "one `volume_target` of all types is fitted; for one of each type name volume_target1, volume_target2 … among what is fitted".into(),
                    false => "every type without a given `volume_target` has its own fitted".into(),
                });
            }
        }
        for (known, value) in &fixed {
            known.set(&mut energy, *value);
        }
        let (mut said, mut assumed) = (request.fixed.clone(), Vec::new());
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
                // Where a type has no cell, a fit of one target for all begins with that of the others.
                let begin = if size > 0.0 { size } else { sizes.iter().copied().fold(0.0, f64::max) };
                own_target.set(&mut energy, begin);
                if !unknowns.iter().any(|unknown| unknown.overlaps(&own_target)) && size > 0.0 {
                    assumed.push(format!(
                        "`{target}{kind}` is neither fitted nor set, and is assumed to be the mean {term} of cells of type {kind}, {size:.2}, which it need not be"
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
        Ok(Question { energy, unknowns, fixed: said, assumed })
    }

    /// Refuses a target volume of the sites before binning: what is fitted counts blocks.
    fn check_binned(&self, request: &CellsRequest, binned: &Movie, before: &Sizes) -> Result<(), CellsError> {
        let sizes = Sizes::of(binned, self.energy.types);
        for (name, value) in request.fixed.iter().filter(|(name, _)| name.starts_with("volume_target")) {
            let own = Unknown::named(name, self.energy.types);
            let kinds = (1..=self.energy.types as u8).filter(|kind| {
                let of_kind = Unknown::named(&format!("volume_target{kind}"), self.energy.types);
                own.as_ref().zip(of_kind.as_ref()).is_some_and(|(own, kind)| own.overlaps(kind))
            });
            for kind in kinds.map(usize::from) {
                let (fine, coarse) = (before.volumes[kind], sizes.volumes[kind]);
                let apart = |size: f64| (value / size).ln().abs();
                if fine > 0.0 && coarse > 0.0 && *value > 0.0 && apart(fine) < apart(coarse) {
                    return Err(CellsError::Request(format!(
                        "`{name}` is {value}, but frames are binned by {} and volumes count blocks: cells of type {kind} have {coarse:.2} blocks on \
                         average, of {fine:.1} sites before; give the target in blocks ({:.2}), or leave it out to have it fitted",
                        request.coarsen,
                        value * coarse / fine
                    )));
                }
            }
        }
        Ok(())
    }
}

/// "1 type", "2 types".
fn of_types(types: usize) -> String {
    format!("{types} type{}", if types == 1 { "" } else { "s" })
}

/// Whether a coefficient is set for a type, by itself or with all.
fn touches_type(fixed: &[(Unknown, f64)], name: &str, kind: u8) -> bool {
    fixed.iter().any(|(known, _)| known.name == name || known.name == format!("{name}{kind}"))
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
