//! Fits coefficients to tracks of cells' centroids by a synthetic likelihood: what tracks come to, beside what simulated ones do.
//!
//! ```text
//! ln L(θ) = −½ (s − μ(θ))ᵀ V⁻¹ (s − μ(θ)),   V = V_data + V_simulation
//! ```
//!
//! s the logarithms of speed and mean squared displacements and the velocities' correlations ([`crate::Motion`]), V_data their
//! covariance over sets of as many cells as the data's, found from simulated cells near the estimate, V_simulation what
//! the simulations leave uncertain of μ. Simulated cells are looked at where the data's were: tracks of the same lengths, with the same gaps.
//!
//! How θ is searched: [`crate::search`].
//!
//! Errors are those of the curvature (Gᵀ V⁻¹ G)⁻¹ at the estimate, G the derivatives of μ: on the scale of logarithms for
//! coefficients that are positive over their range. At the estimate, cells are simulated once more, and what the data come to is
//! held against them: χ² of as many degrees of freedom as there are numbers more than unknowns.
//!
//! Wood (2010), "Statistical inference for noisy nonlinear ecological dynamic systems", Nature 466, 1102, for synthetic
//! likelihoods.

use crate::cells::Cells;
use crate::energy::{Acceptance, Energy, Order};
use crate::linear::{cholesky, solved};
use crate::search::{Ended, NOISE, Search, Simulator, TrackUnknown};
use crate::simulation::{Simulation, SimulationError};
use crate::starts::StartError;
use crate::surface::Surface;
use crate::tracks::{CellTrack, Measured, Motion, MotionSummary, MotionSums, follow, motion};
use glauber_lattice::Lattice;
use glauber_numbers::noise::derive_seed;
use glauber_numbers::purpose::Purpose;
use glauber_optimize::verdict::significant;
use glauber_statistics::tolerance::chi_square_below;
use rayon::prelude::*;

/// Cells of a simulation of the first round, and of the later ones.
const CELLS: [usize; 2] = [6, 16];
/// How often a right model is said not to describe the tracks.
const DEPARTS: f64 = 0.05;

/// How the cells of tracks live: how they are simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Where.
    pub lattice: Lattice,
    /// The types of the cells of one lattice.
    pub types: Vec<u8>,
    /// How many sites each is grown to at the start.
    pub volume: usize,
    /// Steps before the first record.
    pub burn_in: u64,
    /// Steps from record to record.
    pub between: u64,
    /// How copies are accepted.
    pub acceptance: Acceptance,
    /// In which order.
    pub order: Order,
}

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TrackFitError {
    /// Cells that cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Coefficients that cannot be simulated.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// A range that is none.
    #[error("`{name}` is looked for from {low} to {high}: give the smaller number first, both finite")]
    Range {
        /// The unknown.
        name: String,
        /// Its end.
        low: f64,
        /// The other one.
        high: f64,
    },
    /// Nothing to be fitted.
    #[error("nothing is unknown: name at least one coefficient to fit")]
    NoUnknown,
    /// Tracks that say too little.
    #[error("{0}")]
    Tracks(String),
    /// No simulation that moves.
    #[error(
        "no simulated cell lived and moved anywhere within the ranges: set other coefficients, or give other ranges"
    )]
    Nowhere,
    /// It was stopped.
    #[error("the fit was stopped")]
    Stopped,
}

/// One number that tracks come to.
#[derive(Clone, Debug, PartialEq)]
pub struct MotionRow {
    /// What it is; lags in records.
    pub name: String,
    /// Of the data.
    pub observed: f64,
    /// Of cells simulated at the estimate.
    pub simulated: f64,
    /// Between which numbers it lies for 95 % of as many simulated cells as the data's.
    pub band: [f64; 2],
}

/// Estimates from tracks.
#[derive(Clone, Debug)]
pub struct TrackFit {
    /// What was unknown.
    pub unknowns: Vec<TrackUnknown>,
    /// Estimates, in the order of the unknowns.
    pub estimates: Vec<f64>,
    /// Their standard errors, to first order; none where there is no error, and why not.
    pub errors: Vec<Result<f64, String>>,
    /// Their 95 % intervals.
    pub intervals: Vec<Option<[f64; 2]>>,
    /// Correlations of the estimates' errors, row by row.
    pub correlations: Vec<f64>,
    /// Which share of each variance is the simulations' noise.
    pub noise: Vec<f64>,
    /// What the tracks come to, beside simulations at the estimate.
    pub rows: Vec<MotionRow>,
    /// (s − μ)ᵀ V⁻¹ (s − μ) at the estimate.
    pub chi_square: f64,
    /// What a right model stays below 19 times of 20; none where there are no more numbers than unknowns.
    pub bound: Option<f64>,
    /// The tracks' speed, displacements, correlations and half-life.
    pub observed: MotionSummary,
    /// The same of the cells simulated at the estimate.
    pub simulated: MotionSummary,
    /// How many tracks were simulated.
    pub tracks: usize,
    /// How many attempts at sites that is.
    pub attempts: f64,
    /// Whether the search came to rest.
    pub at_rest: bool,
    /// What a person should know, worst first.
    pub notes: Vec<String>,
}

impl TrackFit {
    /// Whether cells simulated at the estimate move otherwise than the data's.
    pub fn departs(&self) -> bool {
        self.bound.is_some_and(|bound| self.chi_square.is_nan() || self.chi_square > bound)
    }

    /// The outcome in one line.
    pub fn words(&self) -> String {
        let found = if self.at_rest { "found" } else { "NOT settled: estimates are where the search stood" };
        let described = match (self.bound, self.departs()) {
            (None, _) => "too few numbers to say whether the model describes the tracks".to_string(),
            (Some(bound), false) => format!(
                "simulated cells move as the tracks do (χ² {}, below {})",
                significant(self.chi_square, 3),
                significant(bound, 3)
            ),
            (Some(bound), true) => format!(
                "simulated cells do NOT move as the tracks do (χ² {}, above {}), so that estimates and errors are of little worth",
                significant(self.chi_square, 3),
                significant(bound, 3)
            ),
        };
        format!("{found} by synthetic likelihood; {described}")
    }
}

/// Simulates at least so many tracks, lattice by lattice.
///
/// # Errors
/// [`TrackFitError`] where cells cannot start or the energy does not fit them.
pub fn simulated_tracks(
    experiment: &Experiment,
    energy: &Energy,
    records: u32,
    count: usize,
    seed: u64,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Vec<CellTrack>>, TrackFitError> {
    let lattices = count.div_ceil(experiment.types.len().max(1)).max(1);
    (0..lattices as u64)
        .into_par_iter()
        .map(|lattice| {
            if stop() {
                return Err(TrackFitError::Stopped);
            }
            let own = derive_seed(seed, Purpose::CellTracks, lattice);
            let cells = Cells::grown(experiment.lattice.clone(), &experiment.types, experiment.volume, own)?;
            let (acceptance, order) = (experiment.acceptance, experiment.order);
            let mut simulation = Simulation::new(cells, energy, acceptance, order, own, 0)?;
            simulation.run(experiment.burn_in);
            Ok(follow(&mut simulation, records, experiment.between))
        })
        .collect()
}

/// Fits to tracks; `energy` makes one of values of the unknowns.
///
/// # Errors
/// [`TrackFitError`] where tracks say too little, ranges are none, or cells cannot be simulated.
pub fn fit_tracks(
    tracks: &[CellTrack],
    experiment: &Experiment,
    unknowns: &[TrackUnknown],
    energy: &(dyn Fn(&[f64]) -> Energy + Sync),
    seed: u64,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<TrackFit, TrackFitError> {
    if unknowns.is_empty() {
        return Err(TrackFitError::NoUnknown);
    }
    if let Some(one) =
        unknowns.iter().find(|one| !(one.low.is_finite() && one.high.is_finite() && one.low < one.high))
    {
        return Err(TrackFitError::Range { name: one.name.clone(), low: one.low, high: one.high });
    }
    let measure = Motion::usual(tracks);
    let observed = measure.measured(&[measure.sums(tracks)], 1.0).values;
    if let Some(place) = observed.iter().position(|x| !x.is_finite()) {
        return Err(TrackFitError::Tracks(format!(
            "the tracks hold no {}: they stand still, or none has two records in a row and one so much later",
            measure.names()[place]
        )));
    }
    if measure.count() < unknowns.len() {
        return Err(TrackFitError::Tracks(format!(
            "{} unknowns, but tracks of {} records come to {} numbers: fit fewer, or take longer tracks",
            unknowns.len(),
            tracks.iter().map(CellTrack::span).max().unwrap_or(0) + 1,
            measure.count()
        )));
    }
    let simulator = TrackSimulator { tracks, experiment, energy, seed, stop, measure, runs: 0, done: 0 };
    let mut search = Search::new(simulator, unknowns, observed, seed);
    let ended = search.run()?.ok_or(TrackFitError::Nowhere)?;
    search.outcome(&ended)
}

struct TrackSimulator<'a> {
    tracks: &'a [CellTrack],
    experiment: &'a Experiment,
    energy: &'a (dyn Fn(&[f64]) -> Energy + Sync),
    seed: u64,
    stop: &'a (dyn Fn() -> bool + Sync),
    measure: Motion,
    /// Simulations, counted for their seeds.
    runs: u64,
    /// Tracks simulated.
    done: usize,
}

impl Simulator for TrackSimulator<'_> {
    type Error = TrackFitError;

    fn simulate(
        &mut self,
        values: &[f64],
        roughly: bool,
    ) -> Result<Option<(Vec<f64>, Vec<f64>)>, TrackFitError> {
        let parts = self.lattices(values, CELLS[usize::from(!roughly)])?;
        let Measured { values, covariance } = self.measured(&parts);
        // Where no cell lived there is nothing.
        let usable = values.iter().all(|x| x.is_finite()) && covariance.iter().all(|x| x.is_finite());
        Ok(usable.then_some((values, covariance)))
    }

    fn share(&self) -> f64 {
        let per_lattice = self.experiment.types.len();
        self.size() / CELLS[1].div_ceil(per_lattice) as f64
    }
}

impl TrackSimulator<'_> {
    /// Simulated cells seen where the data's were, lattice by lattice.
    fn lattices(&mut self, values: &[f64], cells: usize) -> Result<Vec<Vec<CellTrack>>, TrackFitError> {
        let seed = derive_seed(self.seed, Purpose::CellTracksDesign, self.runs);
        self.runs += 1;
        let records = self.tracks.iter().map(CellTrack::span).max().unwrap_or(0) + 1;
        let energy = (self.energy)(values);
        let mut found = simulated_tracks(self.experiment, &energy, records, cells, seed, self.stop)?;
        self.done += found.iter().map(Vec::len).sum::<usize>();
        let mut pattern = self.tracks.iter().cycle();
        for (track, like) in found.iter_mut().flatten().zip(&mut pattern) {
            let kept: Vec<usize> = like
                .records
                .iter()
                .map(|record| *record as usize)
                .take_while(|record| *record < track.records.len())
                .collect();
            track.positions = kept.iter().map(|record| track.positions[*record]).collect();
            track.records = kept.iter().map(|record| *record as u32).collect();
        }
        Ok(found)
    }

    fn measured(&self, lattices: &[Vec<CellTrack>]) -> Measured {
        let parts: Vec<MotionSums> = lattices.iter().map(|lattice| self.measure.sums(lattice)).collect();
        self.measure.measured(&parts, self.size())
    }

    /// The data's size in lattices.
    fn size(&self) -> f64 {
        self.tracks.len() as f64 / self.experiment.types.len() as f64
    }
}

impl Search<'_, TrackSimulator<'_>> {
    /// Simulates at the estimate, and says what came of it.
    fn outcome(&mut self, ended: &Ended) -> Result<TrackFit, TrackFitError> {
        let Ended { surface, found, at_rest } = ended;
        let ends: Vec<[f64; 2]> = self.unknowns.iter().map(TrackUnknown::ends).collect();
        let at_rest = *at_rest;
        let (axes, n) = (self.unknowns.len(), self.observed.len());
        let place: Vec<f64> =
            (0..axes).map(|axis| surface.centre[axis] + found.u[axis] * surface.width[axis]).collect();
        let estimates: Vec<f64> = self.unknowns.iter().zip(&place).map(|(one, x)| one.value(*x)).collect();
        let deviations: Vec<f64> =
            (0..axes).map(|axis| found.covariance[axis * axes + axis].sqrt() * surface.width[axis]).collect();
        let errors: Vec<Result<f64, String>> = (0..axes)
            .map(|axis| {
                let (unknown, [low, high]) = (&self.unknowns[axis], ends[axis]);
                if !at_rest {
                    return Err("the search did not come to rest".into());
                }
                if let Some(end) = [low, high].into_iter().find(|end| (place[axis] - end).abs() < 1e-6) {
                    return Err(format!("at the end of its range, {}", significant(unknown.value(end), 4)));
                }
                if 2.0 * deviations[axis] > high - low {
                    return Err("the tracks do not determine it within its range".into());
                }
                Ok(deviations[axis] * if unknown.logarithmic() { estimates[axis] } else { 1.0 })
            })
            .collect();
        let intervals = (0..axes)
            .map(|axis| {
                let own = errors[axis].is_ok().then_some(&self.unknowns[axis])?;
                Some([-1.96, 1.96].map(|z| own.value(place[axis] + z * deviations[axis])))
            })
            .collect();
        let correlations = (0..axes * axes)
            .map(|k| {
                let (a, b) = (k / axes, k % axes);
                let of = |i: usize, j: usize| found.covariance[i * axes + j];
                of(a, b) / (of(a, a) * of(b, b)).sqrt()
            })
            .collect();
        // As many cells as make the mean certain to a quarter of the data's own deviation, and more.
        let cells = (4 * self.simulator.tracks.len()).clamp(64, 400);
        let lattices = {
            let values = self.possible(&place);
            self.simulator.lattices(&values, cells)?
        };
        let drawn = self.simulator.measured(&lattices);
        let share = self.simulator.size() / lattices.len() as f64;
        let covariance: Vec<f64> = drawn.covariance.iter().map(|x| x * (1.0 + share)).collect();
        // Along the unknowns the estimate follows the data: what is left has so many degrees of freedom fewer. The misfit is that of
        // the surface's maximum, moved by what simulations at the estimate say otherwise only as far as their own noise allows.
        let rest: Vec<f64> =
            surface.values(&found.u).iter().zip(&self.observed).map(|(m, s)| s - m).collect();
        let noise = surface.share_of_noise(&found.u) * self.simulator.share() * surface.left_over;
        let mut all: Vec<f64> = surface.covariance.iter().map(|x| x * (1.0 + noise)).collect();
        (0..n).for_each(|k| all[k * n + k] *= 1.0 + 1e-9);
        let chi_square = cholesky(&all, n)
            .map_or(f64::NAN, |root| rest.iter().zip(solved(&root, n, &rest)).map(|(a, b)| a * b).sum());
        let bound = (n > axes).then(|| chi_square_below(n - axes, DEPARTS));
        let names = self.simulator.measure.names();
        let rows = (0..n)
            .map(|k| {
                let deviation = covariance[k * n + k].sqrt();
                let ends =
                    [-1.96, 1.96].map(|z| self.simulator.measure.plain(k, drawn.values[k] + z * deviation));
                MotionRow {
                    name: names[k].clone(),
                    observed: self.simulator.measure.plain(k, self.observed[k]),
                    simulated: self.simulator.measure.plain(k, drawn.values[k]),
                    band: ends,
                }
            })
            .collect();
        let between = self.simulator.experiment.between as f64;
        let simulated: Vec<CellTrack> =
            lattices.into_iter().flatten().filter(|track| track.records.len() > 1).collect();
        let records = self.simulator.tracks.iter().map(CellTrack::span).max().unwrap_or(0);
        let steps = self.simulator.experiment.burn_in as f64 + f64::from(records) * between;
        let attempts = self.simulator.done as f64 / self.simulator.experiment.types.len() as f64
            * steps
            * self.simulator.experiment.lattice.sites() as f64;
        let mut fit = TrackFit {
            unknowns: self.unknowns.to_vec(),
            estimates,
            errors,
            intervals,
            correlations,
            noise: found.noise.clone(),
            rows,
            chi_square,
            bound,
            observed: motion(self.simulator.tracks, between),
            simulated: motion(&simulated, between),
            tracks: self.simulator.done,
            attempts,
            at_rest,
            notes: Vec::new(),
        };
        fit.notes = self.notes(&fit, surface);
        Ok(fit)
    }

    fn notes(&self, fit: &TrackFit, surface: &Surface) -> Vec<String> {
        let mut notes = Vec::new();
        let worst = fit.noise.iter().copied().fold(0.0, f64::max);
        if worst > NOISE {
            notes.push(format!(
                "{:.0} % of a variance is the simulations' own noise, which the errors hold",
                100.0 * worst
            ));
        }
        if self.simulator.tracks.len() < 10 {
            notes.push(format!(
                "{} tracks: that what they come to scatters as a normal law is a rough supposition for so few",
                self.simulator.tracks.len()
            ));
        }
        if surface.left_over > 2.0 {
            notes.push(
                "parabolas do not follow the simulations well: their misfit is taken for noise, and the errors hold it".into(),
            );
        }
        for (one, estimate) in fit.unknowns.iter().zip(&fit.estimates).filter(|(one, _)| one.whole) {
            notes.push(format!(
                "`{}` is a whole number in simulations; the estimate {} lies between them",
                one.name,
                significant(*estimate, 4)
            ));
        }
        notes
    }
}
