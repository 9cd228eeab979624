//! Fits coefficients to snapshots of tissue at rest, without a movie: those under which the tissue does not drift.
//!
//! ```text
//! E[φ(x_k) − φ(x_0)] = 0,   x_0 a snapshot, x_k what k steps make of it
//! ```
//!
//! φ are the numbers that the unknowns multiply in H: pairs by types, Σ (v − V)², Σ (p − P)². Where snapshots are drawn from a law that
//! the steps leave as it is, the mean drift of everything is 0 at the right coefficients, and elsewhere short runs move φ towards what
//! they favour: contrastive divergence (Hinton 2002, Neural Computation 14, 1771), with k steps of the very dynamics. The root is
//! searched by [`crate::search`]; errors are those of the curvature, Gᵀ V⁻¹ G, V the covariance of drifts over snapshots (the sandwich
//! of an estimating equation).
//!
//! Tissue that still sorts drifts by itself, and gives coefficients at which that would be rest. Nothing in snapshots tells them apart.

use crate::cells::Cells;
use crate::coefficients::{Coefficient, Unknown};
use crate::energy::{Acceptance, Elastic, Energy, Order};
use crate::search::{Ended, NOISE, Search, Simulator, TrackUnknown};
use crate::simulation::{Simulation, SimulationError};
use glauber_numbers::noise::derive_seed;
use glauber_numbers::purpose::Purpose;
use rayon::prelude::*;

/// The fewest snapshots whose drifts have a covariance worth the name.
const FEWEST: usize = 8;
/// Runs from every snapshot, in the first round and later.
const RUNS: [u32; 2] = [1, 2];

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SnapshotFitError {
    /// Too few snapshots.
    #[error("{0} snapshots: how far drifts scatter is told by {FEWEST} or more, independent of one another")]
    Few(usize),
    /// Nothing to be fitted.
    #[error("nothing is unknown: name at least one coefficient to fit")]
    NoUnknown,
    /// A target, on which H does not depend in a straight line.
    #[error("`{0}` is a target: snapshots are fitted for adhesions and strengths, targets are set")]
    Target(String),
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
    /// What is unknown multiplies nothing that is in the snapshots.
    #[error("`{0}` has no effect in these snapshots: leave it out")]
    NoEffect(String),
    /// Coefficients that cannot be simulated.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// No simulation came to anything.
    #[error("nowhere within the ranges could the drift be measured")]
    Nowhere,
}

/// Estimates from snapshots.
#[derive(Clone, Debug)]
pub struct SnapshotFit {
    /// What was unknown.
    pub unknowns: Vec<Unknown>,
    /// Estimates, in the order of the unknowns.
    pub estimates: Vec<f64>,
    /// Their standard errors; none where there is no error, and why not.
    pub errors: Vec<Result<f64, String>>,
    /// Which share of each variance is the simulations' noise.
    pub noise: Vec<f64>,
    /// Whether the search came to rest.
    pub at_rest: bool,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Fits to snapshots of one lattice and the same cells each; the energy has what is known, `ranges` are those of the unknowns, `steps`
/// how long a drift is looked at (10 are usual: long enough for boundaries to move, short beside sorting).
///
/// # Errors
/// [`SnapshotFitError`] where snapshots say too little, or cannot be simulated.
pub fn fit_snapshots(
    snapshots: &[Cells],
    energy: &Energy,
    unknowns: &[(Unknown, [f64; 2])],
    acceptance: Acceptance,
    order: Order,
    steps: u64,
    seed: u64,
) -> Result<SnapshotFit, SnapshotFitError> {
    if unknowns.is_empty() {
        return Err(SnapshotFitError::NoUnknown);
    }
    if snapshots.len() < FEWEST {
        return Err(SnapshotFitError::Few(snapshots.len()));
    }
    let mut searched = Vec::new();
    for (unknown, [low, high]) in unknowns {
        let target =
            |own: &Coefficient| matches!(own, Coefficient::VolumeTarget(_) | Coefficient::PerimeterTarget(_));
        if unknown.coefficients.iter().any(target) {
            return Err(SnapshotFitError::Target(unknown.name.clone()));
        }
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(SnapshotFitError::Range { name: unknown.name.clone(), low: *low, high: *high });
        }
        searched.push(TrackUnknown { name: unknown.name.clone(), low: *low, high: *high, whole: false });
    }
    let unknown: Vec<Unknown> = unknowns.iter().map(|(unknown, _)| unknown.clone()).collect();
    let before: Vec<Vec<f64>> = snapshots.iter().map(|cells| features(cells, energy, &unknown)).collect();
    for (place, own) in unknown.iter().enumerate() {
        if before.iter().all(|found| found[place].abs() < 0.5) {
            return Err(SnapshotFitError::NoEffect(own.name.clone()));
        }
    }
    let simulator =
        Drift { snapshots, energy, unknowns: &unknown, before, acceptance, order, steps, seed, runs: 0 };
    let observed = vec![0.0; unknown.len()];
    let mut search = Search::new(simulator, &searched, observed, seed);
    let ended = search.run()?.ok_or(SnapshotFitError::Nowhere)?;
    Ok(outcome(&ended, &searched, unknown))
}

fn outcome(ended: &Ended, searched: &[TrackUnknown], unknowns: Vec<Unknown>) -> SnapshotFit {
    let Ended { surface, found, at_rest } = ended;
    let axes = searched.len();
    let place: Vec<f64> =
        (0..axes).map(|axis| surface.centre[axis] + found.u[axis] * surface.width[axis]).collect();
    let estimates: Vec<f64> = searched.iter().zip(&place).map(|(one, x)| one.value(*x)).collect();
    let errors = (0..axes)
        .map(|axis| {
            let deviation = found.covariance[axis * axes + axis].sqrt() * surface.width[axis];
            let ([low, high], one) = (searched[axis].ends(), &searched[axis]);
            if !at_rest {
                return Err("the search did not come to rest".into());
            }
            if [low, high].iter().any(|end| (place[axis] - end).abs() < 1e-6) {
                return Err("at the end of its range".into());
            }
            if 2.0 * deviation > high - low {
                return Err("the snapshots do not determine it within its range".into());
            }
            Ok(deviation * if one.logarithmic() { estimates[axis] } else { 1.0 })
        })
        .collect();
    let mut notes = vec![
        "snapshots: coefficients at which the tissue would not drift; tissue that still sorts gives others than those it sorts by".to_string(),
    ];
    let worst = found.noise.iter().copied().fold(0.0, f64::max);
    if worst > NOISE {
        notes.push(format!(
            "{:.0} % of a variance is the simulations' own noise, which the errors hold",
            100.0 * worst
        ));
    }
    SnapshotFit { unknowns, estimates, errors, noise: found.noise.clone(), at_rest: *at_rest, notes }
}

/// What every unknown multiplies in H.
fn features(cells: &Cells, energy: &Energy, unknowns: &[Unknown]) -> Vec<f64> {
    let types = energy.types;
    let pairs = cells.pairs_by_types(types);
    let volumes = cells.volumes();
    let perimeters = if energy.perimeter.is_some() { cells.perimeters() } else { Vec::new() };
    let squares = |terms: &Option<Vec<Elastic>>, kind: u8, size: &dyn Fn(usize) -> f64| -> f64 {
        let Some(term) = terms.as_ref().and_then(|terms| terms.get(usize::from(kind).wrapping_sub(1))) else {
            return 0.0;
        };
        let own = cells.types().iter().enumerate().skip(1).filter(|(_, own)| **own == kind);
        own.map(|(cell, _)| (size(cell) - term.target).powi(2)).sum()
    };
    let one = |coefficient: &Coefficient| match *coefficient {
        Coefficient::Adhesion(a, b) => pairs[usize::from(a) * (types + 1) + usize::from(b)] as f64,
        Coefficient::VolumeStrength(kind) => squares(&energy.volume, kind, &|cell| f64::from(volumes[cell])),
        Coefficient::PerimeterStrength(kind) => {
            squares(&energy.perimeter, kind, &|cell| perimeters.get(cell).map_or(0.0, |p| *p as f64))
        }
        Coefficient::VolumeTarget(_) | Coefficient::PerimeterTarget(_) => 0.0,
    };
    unknowns.iter().map(|unknown| unknown.coefficients.iter().map(one).sum()).collect()
}

/// Drifts from the snapshots.
struct Drift<'a> {
    snapshots: &'a [Cells],
    energy: &'a Energy,
    unknowns: &'a [Unknown],
    /// φ of the snapshots.
    before: Vec<Vec<f64>>,
    acceptance: Acceptance,
    order: Order,
    steps: u64,
    seed: u64,
    runs: u64,
}

impl Simulator for Drift<'_> {
    type Error = SnapshotFitError;

    fn simulate(
        &mut self,
        values: &[f64],
        roughly: bool,
    ) -> Result<Option<(Vec<f64>, Vec<f64>)>, SnapshotFitError> {
        let mut energy = self.energy.clone();
        self.unknowns.iter().zip(values).for_each(|(unknown, value)| unknown.set(&mut energy, *value));
        let seed = derive_seed(self.seed, Purpose::CellTracksDesign, self.runs);
        self.runs += 1;
        let runs = RUNS[usize::from(!roughly)];
        let n = values.len();
        let drifts: Vec<Vec<f64>> = self
            .snapshots
            .par_iter()
            .zip(&self.before)
            .enumerate()
            .map(|(place, (cells, before))| {
                let mut sum = vec![0.0; n];
                for run in 0..runs {
                    let replicate = place as u32 * RUNS[1] + run;
                    let (acceptance, order) = (self.acceptance, self.order);
                    let mut simulation =
                        Simulation::new(cells.clone(), &energy, acceptance, order, seed, replicate)?;
                    simulation.run(self.steps);
                    let after = features(&simulation.cells(), self.energy, self.unknowns);
                    for (sum, (b, a)) in sum.iter_mut().zip(before.iter().zip(after)) {
                        *sum += (a - b) / f64::from(runs);
                    }
                }
                Ok(sum)
            })
            .collect::<Result<_, SimulationError>>()?;
        let count = drifts.len() as f64;
        let mean: Vec<f64> = (0..n).map(|k| drifts.iter().map(|own| own[k]).sum::<f64>() / count).collect();
        let covariance = (0..n * n)
            .map(|place| {
                let (a, b) = (place / n, place % n);
                let sum: f64 = drifts.iter().map(|own| (own[a] - mean[a]) * (own[b] - mean[b])).sum();
                sum / (count - 1.0) / count
            })
            .collect();
        Ok(Some((mean, covariance)))
    }

    /// A mean of drifts scatters no more by its simulations than by snapshots and simulations together.
    fn share(&self) -> f64 {
        1.0
    }
}
