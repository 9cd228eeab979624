//! Turns a map of start weights into probabilities: simulates its best sites and weighs them by likelihood.
//!
//! The gradient says quickly in which direction a start should change, but a map fitted by it is no probability. Here
//! the sites of the most likely start S move one at a time. For site j and every candidate c, R replicates are run
//! from S with j moved to c, and
//!
//! ```text
//! ℓ(c) = Σ over frames, layers, sites of ln m_x(observed state | S, j → c)
//! P(j started at c) ∝ exp(ℓ(c)/T)
//! ```
//!
//! j moves to the best candidate, until a sweep over all sites changes nothing. The map is Σ_j P(j started at c).
//!
//! Neighbouring sites rise and fall together, so ℓ, which takes them for independent, tells candidates apart too
//! sharply. T makes up for that: lattices simulated from S itself are scored by the same candidates, and T is where
//! the true one gets the best mean logarithm of its probability (temperature scaling, Guo et al. 2017,
//! arXiv:1706.04599). So the probabilities are calibrated for starts like S, if the model and its parameters hold.
//!
//! Candidates: the sites of greatest weight, and those nearest to S, half of each. A start further away gets 0.

use glauber_engine::FieldData;
use glauber_lattice::Boundary;
use glauber_numbers::noise::{Purpose, derive_seed};

use super::occupancy::Occupancy;
use super::starts::Starts;
use super::{InitialState, InitialStateError, ObservedFrame, Scene};

/// Sweeps over all sites at most.
const MOST_SWEEPS: usize = 4;
/// How many times a candidate's rollouts are made from the most likely start, to see what it cannot become: so many that a
/// state that none of them has is hardly ever one that a lattice of the model's has.
const MISFIT_TIMES: usize = 16;
/// Starting sites that are moved at most; with more the map stays as it was fitted.
pub const MOST_STARTS: usize = 32;

/// How much is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefinementSettings {
    /// Candidates for each site.
    pub candidates: usize,
    /// Replicates for each candidate.
    pub replicates: usize,
    /// Lattices that set T.
    pub trials: usize,
    /// The seed of all of it.
    pub seed: u64,
}

impl Default for RefinementSettings {
    fn default() -> RefinementSettings {
        RefinementSettings { candidates: 64, replicates: 256, trials: 64, seed: 1 }
    }
}

/// What was found for every layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Refinement {
    /// Per layer and site: the probability that it started on.
    pub map: Vec<Vec<f64>>,
    /// Per layer: the most likely starting sites, ascending.
    pub most_likely: Vec<Vec<usize>>,
    /// T of the last site moved; 1 where nothing was.
    pub temperature: f64,
    /// Whether the sites were moved; else the map is as it was fitted.
    pub refined: bool,
    /// Where what was observed cannot well have come from the most likely start.
    pub misfit: Option<Misfit>,
}

/// Observed sites in states that no rollout from the most likely start has there: more of them than in any lattice that the
/// model itself makes from it. With the true start and model one refinement in `trials` + 1 has so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// How many of the observed sites, over frames and layers.
    pub unseen: usize,
    /// Of how many.
    pub observed: usize,
    /// The most that one of `trials` lattices of the model's has.
    pub usual: usize,
    /// In how many rollouts they were never so.
    pub replicates: usize,
    /// How many lattices the model made.
    pub trials: usize,
}

/// Refines the map of start weights `theta` of a fitted objective.
///
/// # Errors
/// [`InitialStateError::Engine`] where a rollout fails.
pub fn refine(
    objective: &InitialState,
    theta: &[f64],
    settings: RefinementSettings,
) -> Result<Refinement, InitialStateError> {
    let sites = objective.scene.sites;
    let known = objective.settings.start_sites;
    let weights: Vec<Vec<f64>> =
        theta.chunks_exact(sites).map(|layer| Starts::new(layer, known).probabilities()).collect();
    let mut starts: Vec<Vec<usize>> = weights.iter().map(|w| most_likely(w, known)).collect();
    let count: usize = starts.iter().map(Vec::len).sum();
    let clipped = || weights.iter().map(|w| w.iter().map(|p| p.min(1.0)).collect()).collect();
    let mut found = Refinement {
        map: clipped(),
        most_likely: starts.clone(),
        temperature: 1.0,
        refined: false,
        misfit: None,
    };
    let mut search = StartSearch { objective, weights: &weights, settings, calls: 0 };
    if count == 0 || count > MOST_STARTS {
        found.misfit = search.misfit(&starts)?;
        return Ok(found);
    }
    for sweep in 0..MOST_SWEEPS {
        let mut map = vec![vec![0.0; sites]; weights.len()];
        let mut moved = false;
        for layer in 0..starts.len() {
            for place in 0..starts[layer].len() {
                let comparison = search.comparison(&starts, layer, place)?;
                let best = comparison.best();
                moved |= starts[layer][place] != best;
                starts[layer][place] = best;
                found.temperature = comparison.temperature;
                for (site, p) in comparison.candidates.iter().zip(comparison.probabilities()) {
                    map[layer][*site] += p;
                }
            }
        }
        map.iter_mut().flatten().for_each(|p| *p = p.min(1.0));
        found.map = map;
        // One site has nothing to wait for.
        if !moved || count == 1 && sweep > 0 {
            break;
        }
    }
    starts.iter_mut().for_each(|sites| sites.sort_unstable());
    let misfit = search.misfit(&starts)?;
    Ok(Refinement { most_likely: starts, refined: true, misfit, ..found })
}

/// The sites of greatest weight: as many as are known to have started, or as are expected to.
fn most_likely(weights: &[f64], known: Option<usize>) -> Vec<usize> {
    let count = known.unwrap_or_else(|| weights.iter().sum::<f64>().round() as usize);
    let mut order = by_weight(weights);
    order.truncate(count);
    order
}

/// Sites, the greatest weight first.
fn by_weight(weights: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    order
}

struct StartSearch<'a> {
    objective: &'a InitialState,
    weights: &'a [Vec<f64>],
    settings: RefinementSettings,
    calls: u64,
}

/// The candidates for one starting site and what they are worth.
struct Comparison {
    candidates: Vec<usize>,
    scores: Vec<f64>,
    temperature: f64,
}

impl Comparison {
    fn best(&self) -> usize {
        let best = (0..self.scores.len()).max_by(|a, b| self.scores[*a].total_cmp(&self.scores[*b]));
        best.map_or(0, |place| self.candidates[place])
    }

    fn probabilities(&self) -> Vec<f64> {
        softmax(&self.scores, self.temperature)
    }
}

fn softmax(scores: &[f64], temperature: f64) -> Vec<f64> {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|s| libm::exp((s - highest) / temperature)).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|p| p / sum).collect()
}

impl StartSearch<'_> {
    fn seed(&mut self, purpose: Purpose) -> u64 {
        self.calls += 1;
        derive_seed(self.settings.seed, purpose, self.calls)
    }

    fn comparison(
        &mut self,
        starts: &[Vec<usize>],
        layer: usize,
        place: usize,
    ) -> Result<Comparison, InitialStateError> {
        let candidates = self.candidates(starts, layer, place);
        let scene = &self.objective.scene;
        let with = |site: usize| {
            let mut moved = starts.to_vec();
            moved[layer][place] = site;
            moved
        };
        let mut occupancies = Vec::with_capacity(candidates.len());
        for site in &candidates {
            let states = lattices(scene, &with(*site));
            let seed = self.seed(Purpose::Refinement);
            let run = scene.run(seed, states, self.settings.replicates.max(2));
            occupancies.push(Occupancy::count(&self.objective.forward, scene, &run)?);
        }
        let scores: Vec<f64> = occupancies.iter().map(|o| o.log_likelihood(scene, &scene.frames)).collect();
        let mut comparison = Comparison { candidates, scores, temperature: 1.0 };
        let true_start = comparison.best();
        let trials = self.trials(&with(true_start))?;
        let truth = comparison.candidates.iter().position(|c| *c == true_start).unwrap_or(0);
        let of_trial = |frames: &Vec<ObservedFrame>| {
            occupancies.iter().map(|o| o.log_likelihood(scene, frames)).collect()
        };
        let table: Vec<Vec<f64>> = trials.iter().map(of_trial).collect();
        comparison.temperature = best_temperature(&table, truth);
        Ok(comparison)
    }

    /// How little what was observed agrees with rollouts from a start, where it does not.
    fn misfit(&mut self, starts: &[Vec<usize>]) -> Result<Option<Misfit>, InitialStateError> {
        let scene = &self.objective.scene;
        let mut counted: Option<Occupancy> = None;
        for _ in 0..MISFIT_TIMES {
            let seed = self.seed(Purpose::Refinement);
            let run = scene.run(seed, lattices(scene, starts), self.settings.replicates.max(2));
            let own = Occupancy::count(&self.objective.forward, scene, &run)?;
            counted = Some(match counted {
                Some(before) => before.and(scene, &own),
                None => own,
            });
        }
        let Some(occupancy) = counted else { return Ok(None) };
        let replicates = occupancy.replicates();
        let trials = self.trials(starts)?;
        let usual = trials.iter().map(|frames| occupancy.unseen(scene, frames)).max().unwrap_or(0);
        let unseen = occupancy.unseen(scene, &scene.frames);
        let observed = scene.frames.len() * scene.states.len() * scene.sites;
        Ok((unseen > usual).then_some(Misfit { unseen, observed, usual, replicates, trials: trials.len() }))
    }

    /// Half by weight, half by nearness to the starting sites; those of `starts` first, except other ones than `place`.
    fn candidates(&self, starts: &[Vec<usize>], layer: usize, place: usize) -> Vec<usize> {
        let scene = &self.objective.scene;
        let taken = |site: &usize| starts[layer].iter().enumerate().any(|(n, s)| n != place && s == site);
        let wanted = self.settings.candidates.clamp(1, scene.sites);
        let mut chosen = vec![starts[layer][place]];
        let mut add = |order: Vec<usize>, upto: usize| {
            for site in order {
                if chosen.len() >= upto {
                    break;
                }
                if !taken(&site) && !chosen.contains(&site) {
                    chosen.push(site);
                }
            }
        };
        add(self.by_distance(starts[layer][place]), wanted.div_ceil(2));
        add(by_weight(&self.weights[layer]), wanted);
        chosen
    }

    /// Sites, the nearest to `from` first.
    fn by_distance(&self, from: usize) -> Vec<usize> {
        let lattice = &self.objective.forward.declarations().lattice;
        let [depth, height, width] = lattice.extent();
        let periodic = lattice.boundaries().map(|b| b == Boundary::Periodic);
        let place = |site: usize| [site / (height * width), site / width % height, site % width];
        let lengths = [depth, height, width];
        let gap = |a: usize, b: usize, axis: usize| {
            let gap = a.abs_diff(b);
            if periodic[axis] { gap.min(lengths[axis] - gap) } else { gap }
        };
        let own = place(from);
        let distance = |site: &usize| -> usize {
            let other = place(*site);
            (0..3).map(|k| gap(own[k], other[k], k).pow(2)).sum()
        };
        let mut order: Vec<usize> = (0..self.objective.scene.sites).collect();
        order.sort_by_key(distance);
        order
    }

    /// Lattices as the model makes them from a start, in place of those observed.
    fn trials(&mut self, starts: &[Vec<usize>]) -> Result<Vec<Vec<ObservedFrame>>, InitialStateError> {
        let seed = self.seed(Purpose::RefinementTrials);
        let scene = &self.objective.scene;
        let run = scene.run(seed, lattices(scene, starts), self.settings.trials.max(1));
        Ok(super::occupancy::record(&self.objective.forward, scene, &run)?)
    }
}

/// The start with these sites on, per layer.
fn lattices(scene: &Scene, starts: &[Vec<usize>]) -> Vec<FieldData> {
    let lattice = |on: &Vec<usize>| {
        let mut state = vec![0u8; scene.sites];
        on.iter().for_each(|site| state[*site] = 1);
        FieldData::shared(state)
    };
    starts.iter().map(lattice).collect()
}

/// The T at which the column `truth` has the greatest mean logarithm of its probability; a row per trial.
fn best_temperature(table: &[Vec<f64>], truth: usize) -> f64 {
    // Steps of a tenth: 1 (independent sites) to some 100.
    let temperatures = (0..50).map(|step| libm::exp(0.1 * f64::from(step)));
    let worth = |t: f64| table.iter().map(|row| libm::log(softmax(row, t)[truth].max(1e-300))).sum::<f64>();
    temperatures.max_by(|a, b| worth(*a).total_cmp(&worth(*b))).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperature_makes_up_for_scores_that_are_too_sharp() {
        // Two candidates; the true one wins by 10 in three trials of four, and loses by 10 in one: 3/4 = 1/(1 + e^(−10/T)).
        let table = vec![vec![10.0, 0.0], vec![10.0, 0.0], vec![10.0, 0.0], vec![0.0, 10.0]];
        let wanted = 10.0 / 3f64.ln();
        // The grid's steps are a factor of e^0.1 apart.
        assert!((best_temperature(&table, 0) / wanted).ln().abs() <= 0.05 + 1e-9);
    }

    #[test]
    fn the_most_likely_sites_are_those_of_greatest_weight() {
        assert_eq!(most_likely(&[0.1, 0.9, 0.2, 0.7], None), [1, 3]);
        assert_eq!(most_likely(&[0.1, 0.9, 0.2, 0.7], Some(1)), [1]);
        assert!(most_likely(&[0.1; 4], None).is_empty());
    }
}
