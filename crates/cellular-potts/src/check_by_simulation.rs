//! Simulates cells from fitted parameters, and says where they are not those of the movie.
//!
//! From one frame on, replicates run as many steps as the movie has frames, each with parameters drawn from the normal law of
//! the estimates and their errors where there are errors. Of every frame then: areas, perimeters and contacts by types,
//! neighbours gained and lost, displacements. Beside the movie's number stands the mean of the simulated ones, and a band that
//! holds 95 % of them.
//!
//! The verdict takes all frames together. Over the movie and the R replicates, with mean m and standard deviation s of all
//! R + 1 at each frame, T = max over frames of |x − m| / s. Were the movie one more replicate, its T would be any of the
//! R + 1 in order of size; a movie whose T is among the largest 5 % departs. So of twenty quantities one departs by chance.

use crate::cells::Cells;
use crate::coefficients::energy_at;
use crate::energy::{Energy, Order};
use crate::fit::CellsFit;
use crate::labels::Movie;
use crate::linear::cholesky;
use crate::simulation::{Simulation, SimulationError};
use crate::summaries::displacement;
use glauber_numbers::elementary::{ln, sin_cos_turns};
use glauber_numbers::noise::{Key, derive_seed, open_uniform, uniform};
use glauber_numbers::purpose::Purpose;
use glauber_optimize::verdict::significant;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The share of right models that a quantity departs from.
const DEPARTS: f64 = 0.05;

/// How a check is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckOptions {
    /// The frame from which simulations start.
    pub from: usize,
    /// How many simulations; fewer than 19 cannot tell anything, 39 make a band of their least and largest number.
    pub replicates: u32,
    /// Steps from one frame to the next.
    pub steps: u64,
    /// In which order sites are attempted.
    pub order: Order,
    /// The seed.
    pub seed: u64,
}

impl Default for CheckOptions {
    /// 39 replicates from the first frame on, a step a frame, by sublattices.
    fn default() -> CheckOptions {
        CheckOptions { from: 0, replicates: 39, steps: 1, order: Order::Sublattices, seed: 0 }
    }
}

/// Why there is no check.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CheckError {
    /// The estimates do not make a simulation.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// Nothing after the start.
    #[error("a check from frame {from} on needs a frame after it; the movie has {frames}")]
    NoFrames {
        /// Where it should start.
        from: usize,
        /// Frames of the movie.
        frames: usize,
    },
    /// Too few replicates.
    #[error("{0} replicates cannot tell a departure of one in twenty: take 19 or more, 39 are usual")]
    Replicates(u32),
}

/// One quantity over time, observed and simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// What it is, in words.
    pub name: String,
    /// The movie's, by frame after the start.
    pub observed: Vec<f64>,
    /// The mean of the simulated ones.
    pub mean: Vec<f64>,
    /// Between which numbers 95 % of the simulated ones lie.
    pub band: Vec<[f64; 2]>,
    /// How often a simulation departs from the others as far as the movie does.
    pub probability: f64,
}

/// What simulations from the estimates say of the movie.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The frames that were compared.
    pub frames: Vec<usize>,
    /// Quantity by quantity.
    pub quantities: Vec<Quantity>,
    /// How many simulations.
    pub replicates: u32,
    /// Whether parameters were drawn within their errors, or taken as estimated.
    pub within_errors: bool,
}

impl Quantity {
    /// Whether the movie is no simulation by this quantity.
    pub fn departs(&self) -> bool {
        self.probability <= DEPARTS
    }

    /// What is seen, in words.
    pub fn words(&self, frames: &[usize]) -> String {
        let away = |place: &usize| {
            let [low, high] = self.band[*place];
            let width = (high - low).max(1e-12 * self.mean[*place].abs()).max(f64::MIN_POSITIVE);
            (self.observed[*place] - self.mean[*place]).abs() / width
        };
        let worst = (0..frames.len()).max_by(|a, b| away(a).total_cmp(&away(b))).unwrap_or(0);
        let number = |x: f64| significant(x, 3);
        let (observed, mean, [low, high]) = (self.observed[worst], self.mean[worst], self.band[worst]);
        let there = format!(
            "frame {}: {}, simulated {}, {} to {}",
            frames[worst],
            number(observed),
            number(mean),
            number(low),
            number(high)
        );
        let verdict = match (self.departs(), observed > mean) {
            (false, _) => "as simulated",
            (true, true) => "higher than simulated",
            (true, false) => "lower than simulated",
        };
        format!("{}: {verdict} (probability {:.3}; farthest in {there})", self.name, self.probability)
    }
}

impl Check {
    /// The verdict in a sentence.
    pub fn words(&self) -> String {
        let all = self.quantities.len();
        let departing: Vec<&str> =
            self.quantities.iter().filter(|q| q.departs()).map(|q| q.name.as_str()).collect();
        let chance = "one in twenty departs by chance";
        match departing.len() {
            0 => format!("all {all} quantities are as simulated from the estimates"),
            n => format!(
                "{n} of {all} quantities are not as simulated from the estimates ({chance}): {}",
                departing.join(", ")
            ),
        }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.words())?;
        self.quantities.iter().try_for_each(|q| write!(f, "\n  {}", q.words(&self.frames)))
    }
}

/// Simulates from a frame of the movie on with the estimates of a fit, and compares.
///
/// # Errors
/// [`CheckError`] where there is nothing to compare, or the estimates make no simulation.
pub fn check_by_simulation(
    movie: &Movie,
    fit: &CellsFit,
    options: CheckOptions,
) -> Result<Check, CheckError> {
    let frames: Vec<usize> = (options.from + 1..movie.frames().len()).collect();
    if options.replicates < 19 {
        return Err(CheckError::Replicates(options.replicates));
    }
    let (false, Some(start)) = (frames.is_empty(), movie.cells(options.from)) else {
        return Err(CheckError::NoFrames { from: options.from, frames: movie.frames().len() });
    };
    let measure = Measure::new(&start);
    let observed: Vec<Vec<f64>> =
        frames.iter().filter_map(|frame| movie.cells(*frame)).map(|cells| measure.of(&cells)).collect();
    let draws = Draws::new(fit, options.seed);
    let seed = derive_seed(options.seed, Purpose::CellsCheck, 0);
    let simulated: Result<Vec<Vec<Vec<f64>>>, SimulationError> = (0..options.replicates)
        .into_par_iter()
        .map(|replicate| {
            let energy = draws.energy(fit, replicate);
            let mut simulation =
                Simulation::new(start.clone(), &energy, fit.acceptance, options.order, seed, replicate)?;
            let mut course = Vec::with_capacity(frames.len());
            for _ in &frames {
                simulation.run(options.steps);
                course.push(measure.of(&simulation.cells()));
            }
            Ok(course)
        })
        .collect();
    let simulated = simulated?;
    let quantities = measure.names.iter().enumerate().map(|(place, name)| {
        let of = |course: &Vec<Vec<f64>>| course.iter().map(|frame| frame[place]).collect::<Vec<f64>>();
        quantity(name.clone(), of(&observed), simulated.iter().map(of).collect())
    });
    Ok(Check {
        quantities: quantities.collect(),
        frames,
        replicates: options.replicates,
        within_errors: draws.root.is_some(),
    })
}

/// What is seen of one quantity.
fn quantity(name: String, observed: Vec<f64>, simulated: Vec<Vec<f64>>) -> Quantity {
    let (frames, count) = (observed.len(), simulated.len());
    let mut farthest = vec![0.0f64; count + 1];
    let (mut means, mut band) = (Vec::with_capacity(frames), Vec::with_capacity(frames));
    for frame in 0..frames {
        let mut numbers: Vec<f64> = simulated.iter().map(|course| course[frame]).collect();
        let own = observed[frame];
        let all = count as f64 + 1.0;
        let mean = (numbers.iter().sum::<f64>() + own) / all;
        let spread =
            ((numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() + (own - mean).powi(2)) / all).sqrt();
        for (far, x) in farthest.iter_mut().zip(numbers.iter().chain([&own])) {
            if spread > 0.0 {
                *far = far.max((x - mean).abs() / spread);
            }
        }
        means.push(numbers.iter().sum::<f64>() / count as f64);
        numbers.sort_by(f64::total_cmp);
        // The k-th smallest and largest of R have 2k / (R + 1) of all simulations outside.
        let k = ((DEPARTS / 2.0 * all) as usize).max(1);
        band.push([numbers[k - 1], numbers[count - k]]);
    }
    let own = farthest[count];
    let as_far = farthest.iter().filter(|far| **far >= own).count();
    Quantity { name, observed, mean: means, band, probability: as_far as f64 / (count as f64 + 1.0) }
}

/// What is measured of cells that came of a start.
struct Measure {
    names: Vec<String>,
    kinds: Vec<u8>,
    centroids: Vec<Option<[f64; 3]>>,
    neighbours: BTreeSet<(u32, u32)>,
    pairs: Vec<(u8, u8)>,
}

impl Measure {
    fn new(start: &Cells) -> Measure {
        let mut kinds: Vec<u8> = start.types().iter().copied().filter(|kind| *kind > 0).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let size = if start.lattice().dimensions() == 3 { "volume" } else { "area" };
        let mut names = Vec::new();
        for kind in &kinds {
            names.push(format!("mean {size} of type {kind}"));
            names.push(format!("spread of {size}s of type {kind}"));
            names.push(format!("mean perimeter of type {kind}"));
        }
        let with_medium = std::iter::once(0).chain(kinds.iter().copied());
        let pairs: Vec<(u8, u8)> = with_medium
            .flat_map(|a| kinds.iter().copied().filter(move |b| *b >= a).map(move |b| (a, b)))
            .collect();
        for (a, b) in &pairs {
            names.push(match a {
                0 => format!("contact of type {b} with the medium"),
                _ => format!("contact between types {a} and {b}"),
            });
        }
        names.push("neighbours gained and lost since the start".into());
        names.push("displacement since the start".into());
        names.push("cells left".into());
        Measure { names, kinds, centroids: start.centroids(), neighbours: neighbours(start), pairs }
    }

    fn of(&self, cells: &Cells) -> Vec<f64> {
        let (volumes, perimeters) = (cells.volumes(), cells.perimeters());
        let mut numbers = Vec::with_capacity(self.names.len());
        for kind in &self.kinds {
            let there: Vec<usize> = (1..volumes.len())
                .filter(|cell| cells.types()[*cell] == *kind && volumes[*cell] > 0)
                .collect();
            let count = there.len().max(1) as f64;
            let mean = there.iter().map(|cell| f64::from(volumes[*cell])).sum::<f64>() / count;
            let squares = there.iter().map(|cell| (f64::from(volumes[*cell]) - mean).powi(2)).sum::<f64>();
            numbers.push(mean);
            numbers.push((squares / count).sqrt());
            numbers.push(there.iter().map(|cell| perimeters[*cell] as f64).sum::<f64>() / count);
        }
        let types = self.kinds.last().copied().unwrap_or(0) as usize;
        let contacts = cells.pairs_by_types(types);
        numbers
            .extend(self.pairs.iter().map(|(a, b)| contacts[*a as usize * (types + 1) + *b as usize] as f64));
        numbers.push(neighbours(cells).symmetric_difference(&self.neighbours).count() as f64);
        let (mut squares, mut moved) = (0.0, 0);
        for (from, to) in self.centroids.iter().zip(cells.centroids()) {
            if let (Some(from), Some(to)) = (from, to) {
                let way = displacement(cells.lattice(), *from, to);
                squares += way.iter().map(|x| x * x).sum::<f64>();
                moved += 1;
            }
        }
        numbers.push((squares / f64::from(moved.max(1))).sqrt());
        numbers.push(volumes.iter().skip(1).filter(|volume| **volume > 0).count() as f64);
        numbers
    }
}

/// Pairs of cells that touch.
fn neighbours(cells: &Cells) -> BTreeSet<(u32, u32)> {
    let contacts: BTreeMap<(u32, u32), u64> = cells.contacts();
    contacts.into_keys().filter(|(low, _)| *low > 0).collect()
}

/// Parameters within their errors.
struct Draws {
    /// A lower triangle whose square is the covariance.
    root: Option<Vec<f64>>,
    seed: u64,
}

impl Draws {
    fn new(fit: &CellsFit, seed: u64) -> Draws {
        let root = fit.covariance.as_ref().and_then(|matrix| cholesky(matrix, fit.estimates.len()));
        Draws { root, seed: derive_seed(seed, Purpose::CellsCheck, 1) }
    }

    fn energy(&self, fit: &CellsFit, replicate: u32) -> Energy {
        let Some(root) = &self.root else { return fit.energy.clone() };
        let n = fit.estimates.len();
        let (lengths, turns) =
            (Key::new(self.seed, replicate, 0, 0, 0), Key::new(self.seed, replicate, 0, 0, 1));
        // Box & Muller.
        let normal = |place: usize| {
            let length = (-2.0 * ln(open_uniform::<f64>(lengths.word(place as u32)))).sqrt();
            length * sin_cos_turns(uniform::<f64>(turns.word(place as u32))).1
        };
        let normals: Vec<f64> = (0..n).map(normal).collect();
        let theta: Vec<f64> = (0..n)
            .map(|i| fit.estimates[i] + (0..=i).map(|j| root[i * n + j] * normals[j]).sum::<f64>())
            .collect();
        energy_at(&fit.energy, &fit.unknowns, &theta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_like_the_others_is_as_simulated_and_one_outside_is_not() {
        let simulated: Vec<Vec<f64>> = (0..39).map(|i| vec![f64::from(i), 2.0 * f64::from(i)]).collect();
        let like = quantity("x".into(), vec![19.5, 40.0], simulated.clone());
        assert_eq!((like.band[0], like.band[1]), ([0.0, 38.0], [0.0, 76.0]));
        assert!(!like.departs() && like.words(&[3, 4]).contains("as simulated"), "{like:?}");
        let far = quantity("x".into(), vec![19.5, 140.0], simulated);
        assert!(far.departs() && (far.probability - 1.0 / 40.0).abs() < 1e-12);
        assert_eq!(
            far.words(&[3, 4]),
            "x: higher than simulated (probability 0.025; farthest in frame 4: 140, simulated 38.0, 0.00 to 76.0)"
        );
    }
}
