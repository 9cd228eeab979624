//! Fits coefficients of the Cellular Potts model to tracks of cells' centroids: files become tracks in sites and steps, names
//! unknowns with ranges.
//!
//! A track says neither how long a site is nor how long a step: both are asked for. What is guessed besides is said in the notes.

use std::path::PathBuf;

use glauber_cellular_potts::{
    Acceptance, CellTrack, Energy, Experiment, Order, TrackFit, TrackUnknown, fit_tracks, simulated_tracks,
};
use glauber_data::tracks::{TrackOptions, Tracks, read_tracks};
use glauber_lattice::Lattice;
use glauber_optimize::verdict::significant;

use crate::CellsError;
use crate::simulate::{Named, energy_of, set_act};

/// Unknowns where nobody says, and the range of either.
const USUAL: [&str; 2] = ["act_strength", "max_act"];
/// Where coefficients are looked for.
const RANGES: [(&str, [f64; 2]); 7] = [
    ("act_strength", [0.5, 60.0]),
    ("max_act", [5.0, 150.0]),
    ("volume_strength", [0.01, 10.0]),
    ("volume_target", [10.0, 2000.0]),
    ("perimeter_strength", [0.001, 1.0]),
    ("perimeter_target", [10.0, 2000.0]),
    ("J", [0.05, 20.0]),
];
/// The most records of a track that are looked at.
const MOST_RECORDS: u32 = 1 << 20;

/// Where tracks come from.
#[derive(Clone, Debug)]
pub enum TrackSource {
    /// A file, and how it is read.
    File(PathBuf, Box<TrackOptions>),
    /// Memory.
    Tracks(Box<Tracks>),
}

/// How cells live that are simulated for their tracks.
#[derive(Clone, Debug)]
pub struct TrackSetting {
    /// Sites of a lattice along each axis; where nobody says, a square six times as wide as a cell.
    pub shape: Vec<usize>,
    /// Cells of type 1, of type 2 … on a lattice.
    pub counts: Vec<usize>,
    /// Sites to which a cell is grown at the start; its target volume where nobody says.
    pub grown: Option<usize>,
    /// Steps before the first record.
    pub burn_in: u64,
    /// Steps from record to record.
    pub steps_per_frame: u64,
    /// How copies are accepted.
    pub acceptance: Acceptance,
    /// Which sites attempt a copy, and when.
    pub order: Order,
    /// Whether copies that would cut a cell are refused.
    pub connected: bool,
    /// The seed.
    pub seed: u64,
}

impl Default for TrackSetting {
    /// One cell by the classic order, 500 steps before the first record.
    fn default() -> TrackSetting {
        TrackSetting {
            shape: Vec::new(),
            counts: vec![1],
            grown: None,
            burn_in: 500,
            steps_per_frame: 0,
            acceptance: Acceptance::Metropolis,
            order: Order::RandomSequential,
            connected: false,
            seed: 1,
        }
    }
}

/// What is to be fitted to which tracks.
#[derive(Clone, Debug)]
pub struct TracksRequest {
    /// The tracks.
    pub source: TrackSource,
    /// The length of a site in the tracks' unit.
    pub site: Option<f64>,
    /// Whether the tracks are folded at the edges of the lattice.
    pub torus: bool,
    /// How cells live.
    pub setting: TrackSetting,
    /// What is unknown, by name; `act_strength` and `max_act` where nobody says.
    pub unknown: Vec<String>,
    /// Between which numbers an unknown is looked for.
    pub ranges: Vec<(String, [f64; 2])>,
    /// What is known, by name.
    pub fixed: Vec<(String, f64)>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct TracksOutcome {
    /// The estimates, and how they describe the tracks.
    pub fit: TrackFit,
    /// What was known.
    pub fixed: Vec<(String, f64)>,
    /// How files were read and what was guessed.
    pub notes: Vec<String>,
    /// How many tracks.
    pub tracks: usize,
    /// Records of the longest.
    pub records: u32,
    /// Steps from record to record.
    pub steps_per_frame: u64,
    /// The lattice of the simulations, in words.
    pub lattice: String,
    /// The seed.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Reads, fits and checks; `stop` is asked before every simulated cell.
///
/// # Errors
/// [`CellsError`] with what does not fit together.
pub fn run_tracks(
    request: &TracksRequest,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<TracksOutcome, CellsError> {
    crate::known_instructions()?;
    let mut notes = Vec::new();
    let setting = &request.setting;
    let names = match request.unknown.is_empty() {
        true => USUAL.map(String::from).to_vec(),
        false => request.unknown.clone(),
    };
    let types = types_of(setting)?;
    let unknowns = names
        .iter()
        .map(|name| unknown(name, &request.ranges, types, &mut notes))
        .collect::<Result<Vec<TrackUnknown>, CellsError>>()?;
    if let Some((name, _)) = request.ranges.iter().find(|(name, _)| !names.contains(name)) {
        return Err(CellsError::Request(format!(
            "`{name}` has a range and is not fitted: fit it, or leave its range out"
        )));
    }
    let named: Vec<Named> = names.iter().map(|name| Named::of(name, types)).collect::<Result<_, _>>()?;
    for (known, _) in &request.fixed {
        let own = Named::of(known, types)?;
        if let Some(place) = named.iter().position(|unknown| unknown.overlaps(&own)) {
            return Err(CellsError::Request(format!(
                "`{}` is to be fitted and `{known}` is set: they are the same number, do one",
                names[place]
            )));
        }
    }
    let middle = unknowns.iter().map(|one| {
        let value = if one.low > 0.0 { (one.low * one.high).sqrt() } else { 0.5 * (one.low + one.high) };
        (one.name.clone(), if one.whole { value.round() } else { value })
    });
    let all: Vec<(String, f64)> = request.fixed.iter().cloned().chain(middle).collect();
    let kinds = kinds_of(setting);
    let base = energy_of(&all, setting.connected, &kinds, types, &mut notes)?;
    let energy = |theta: &[f64]| -> Energy {
        let mut energy = base.clone();
        for ((named, name), value) in named.iter().zip(&names).zip(theta) {
            match named {
                Named::Usual(unknown) => unknown.set(&mut energy, *value),
                // Whole by the unknown's making.
                Named::Act { most, kinds } => drop(set_act(&mut energy, name, *most, kinds, *value)),
            }
        }
        energy
    };
    let experiment = setting.experiment(&base, &mut notes)?;
    let (tracks, path) = match &request.source {
        TrackSource::File(path, options) => (read_tracks(path, options)?, path.display().to_string()),
        TrackSource::Tracks(tracks) => ((**tracks).clone(), "the tracks".to_string()),
    };
    notes.extend(tracks.notes().iter().cloned());
    let found = in_sites(&tracks, request, &experiment.lattice, &path, &mut notes)?;
    let records = found.iter().map(CellTrack::span).max().unwrap_or(0) + 1;
    if setting.order == Order::RandomSequential && setting.counts.iter().sum::<usize>() == 1 {
        notes
            .push("cells are simulated one by one, each on a lattice of its own: they meet no others".into());
    }
    let fit = fit_tracks(&found, &experiment, &unknowns, &energy, setting.seed, stop)?;
    Ok(TracksOutcome {
        fit,
        fixed: request.fixed.clone(),
        notes,
        tracks: found.len(),
        records,
        steps_per_frame: setting.steps_per_frame,
        lattice: experiment.lattice.to_string(),
        seed: setting.seed,
        seconds: 0.0,
    })
}

/// Simulates tracks at known coefficients, in sites, records one frame apart.
///
/// # Errors
/// [`CellsError`] with what does not fit together.
pub fn simulate_tracks(
    parameters: &[(String, f64)],
    setting: &TrackSetting,
    tracks: usize,
    records: u32,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<(Vec<CellTrack>, Vec<String>), CellsError> {
    crate::known_instructions()?;
    let mut notes = Vec::new();
    let types = types_of(setting)?;
    let energy = energy_of(parameters, setting.connected, &kinds_of(setting), types, &mut notes)?;
    let experiment = setting.experiment(&energy, &mut notes)?;
    if tracks == 0 || !(2..=MOST_RECORDS).contains(&records) {
        return Err(CellsError::Request(format!(
            "{tracks} tracks of {records} records: give at least one track, and 2 to {MOST_RECORDS} records"
        )));
    }
    let found = simulated_tracks(&experiment, &energy, records, tracks, setting.seed, stop)?;
    let mut found: Vec<CellTrack> = found.into_iter().flatten().collect();
    found.truncate(tracks);
    Ok((found, notes))
}

fn types_of(setting: &TrackSetting) -> Result<usize, CellsError> {
    let all =
        setting.counts.iter().try_fold(0_usize, |all, count| all.checked_add(*count)).unwrap_or(usize::MAX);
    if all == 0 || all > 1 << 16 || setting.counts.len() > 255 {
        return Err(CellsError::Request(
            "the cells of a lattice by type: give at least one cell, at most 65536, of at most 255 types"
                .into(),
        ));
    }
    Ok(setting.counts.len())
}

fn kinds_of(setting: &TrackSetting) -> Vec<u8> {
    let by_type = setting.counts.iter().zip(1_u8..);
    by_type.flat_map(|(count, kind)| std::iter::repeat_n(kind, *count)).collect()
}

impl TrackSetting {
    fn experiment(&self, energy: &Energy, notes: &mut Vec<String>) -> Result<Experiment, CellsError> {
        if self.steps_per_frame == 0 {
            return Err(CellsError::Request(
                "no track says how many Monte Carlo steps there are from frame to frame: give --steps-per-frame N \
                 (in Python steps_per_frame=N)"
                    .into(),
            ));
        }
        let types = kinds_of(self);
        let target = energy.volume.as_ref().and_then(|terms| terms.first()).map(|term| term.target.round());
        let volume = self.grown.or_else(|| target.filter(|v| *v >= 1.0).map(|v| v as usize));
        let Some(volume) = volume.filter(|volume| *volume > 0) else {
            return Err(CellsError::Request(
                "say to how many sites a cell is grown at the start (--grown 500), or set `volume_target`"
                    .into(),
            ));
        };
        let shape = match self.shape.is_empty() {
            false => self.shape.clone(),
            true => {
                let wide = ((volume * types.len()) as f64).sqrt() * 6.0;
                // Divisible by 2 and by 3, for colours.
                let side = (wide / 6.0).ceil() as usize * 6;
                notes.push(format!(
                    "no --shape is given: cells are simulated on {side} × {side} sites, a torus"
                ));
                vec![side, side]
            }
        };
        let lattice = Lattice::new(&shape).map_err(|error| CellsError::Request(error.to_string()))?;
        if !(2..=3).contains(&lattice.dimensions()) {
            return Err(CellsError::Request("cells live on 2 or 3 axes: give --shape 150,150".into()));
        }
        if volume.saturating_mul(types.len()) > lattice.sites() {
            return Err(CellsError::Request(format!(
                "{} cells of {volume} sites do not fit on {lattice}: give a larger --shape",
                types.len()
            )));
        }
        Ok(Experiment {
            lattice,
            types,
            volume,
            burn_in: self.burn_in,
            between: self.steps_per_frame,
            acceptance: self.acceptance,
            order: self.order,
        })
    }
}

/// Where a coefficient is looked for where nobody says, which is told.
pub(super) fn usual_range(name: &str, notes: &mut Vec<String>) -> Option<[f64; 2]> {
    let [low, high] = RANGES.iter().find(|(term, _)| name.starts_with(term)).map(|(_, range)| *range)?;
    notes.push(format!("`{name}` is looked for from {low} to {high} (--range {name}={low}:{high})"));
    Some([low, high])
}

fn unknown(
    name: &str,
    ranges: &[(String, [f64; 2])],
    types: usize,
    notes: &mut Vec<String>,
) -> Result<TrackUnknown, CellsError> {
    let named = Named::of(name, types)?;
    let whole = matches!(named, Named::Act { most: true, .. });
    let given = ranges.iter().find(|(own, _)| own == name).map(|(_, range)| *range);
    let Some([low, high]) = given.or_else(|| usual_range(name, notes)) else {
        return Err(CellsError::Request(format!(
            "`{name}` has no usual range: give --range {name}=LOW:HIGH"
        )));
    };
    let bad = !(low.is_finite() && high.is_finite() && low < high);
    if bad || (whole && (low < 1.0 || high > f64::from(1 << 20))) || (!name.starts_with('J') && low < 0.0) {
        let least = if whole { "1 to 1048576, whole" } else { "0 on" };
        return Err(CellsError::Request(format!(
            "`{name}` is to be looked for from {low} to {high}: give the smaller number first, numbers from {least}"
        )));
    }
    Ok(TrackUnknown { name: name.into(), low, high, whole })
}

/// Tracks in sites, by record.
fn in_sites(
    tracks: &Tracks,
    request: &TracksRequest,
    lattice: &Lattice,
    path: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<CellTrack>, CellsError> {
    let site = match request.site {
        Some(site) if site.is_finite() && site > 0.0 => site,
        Some(site) => {
            return Err(CellsError::Request(format!(
                "a site is {site} long: give a positive length, --site 0.5"
            )));
        }
        None => {
            let unit = tracks.units().length.clone().unwrap_or_else(|| "of their unit".into());
            notes.push(format!("no --site is given: a site was taken to be 1 {unit} long"));
            1.0
        }
    };
    if lattice.dimensions() < tracks.dimensions() {
        return Err(CellsError::Request(format!(
            "{path}: tracks of {} dimensions, but cells are simulated on {lattice}: give --shape of as many axes",
            tracks.dimensions()
        )));
    }
    let extent = lattice.extent();
    let mut jumps = 0_usize;
    let mut found = Vec::new();
    for track in tracks.tracks() {
        if track.span() >= MOST_RECORDS {
            return Err(CellsError::Request(format!(
                "{path}: track `{}` spans {} frames, more than {MOST_RECORDS}: give another --interval, or shorter tracks",
                track.id(),
                track.span()
            )));
        }
        let mut positions: Vec<[f64; 3]> =
            track.positions().iter().map(|[x, y, z]| [z / site, y / site, x / site]).collect();
        for at in 1..positions.len() {
            for axis in (0..3).filter(|axis| extent[*axis] > 1) {
                let (apart, length) = (positions[at][axis] - positions[at - 1][axis], extent[axis] as f64);
                if 2.0 * apart.abs() > length {
                    jumps += 1;
                    if request.torus {
                        positions[at][axis] -= length * (apart / length).round_ties_even();
                    }
                }
            }
        }
        found.push(CellTrack { records: track.frames().to_vec(), positions });
    }
    if jumps > 0 {
        notes.push(match request.torus {
            true => format!("{jumps} jumps by more than half the lattice are cells that cross its edge, and were unrolled"),
            false => format!(
                "{jumps} displacements from one record to the next are more than half the simulated lattice: if the tracks are folded at \
                 the edges of such a lattice give --torus, else look at the unit of lengths (--site)"
            ),
        });
    }
    Ok(found)
}

impl TracksOutcome {
    /// Everything that a person should know, in order.
    pub fn all_notes(&self) -> Vec<String> {
        let own = std::iter::once(self.fit.words()).chain(self.fit.notes.iter().cloned());
        own.chain(self.notes.iter().cloned()).collect()
    }

    /// The error of an unknown in words.
    pub(super) fn error_in_words(&self, place: usize) -> String {
        match &self.fit.errors[place] {
            Ok(error) => format!("± {}", significant(*error, 2)),
            Err(why) => format!("(no error: {why})"),
        }
    }
}
