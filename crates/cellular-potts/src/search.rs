//! Searches coefficients whose simulations come to what the data come to: all over the ranges first, then along parabolas.
//!
//! ```text
//! ln L(θ) = −½ (s − μ(θ))ᵀ V⁻¹ (s − μ(θ)),   V = V_data + V_simulation
//! ```
//!
//! About the best of the first simulations, parabolas are fitted for μ ([`crate::surface`]); the maximum of ln L on them is the next
//! centre, on a region that shrinks to some standard errors. So the noise of all simulations near the estimate is averaged. It rests
//! where the maximum lies inside a region of that size, and the simulations' noise is a fifth of the variance at most.
//!
//! Box & Wilson (1951), "On the experimental attainment of optimum conditions", J. R. Stat. Soc. B 13, 1.

use crate::linear::{cholesky, inverse, solved};
use crate::surface::{Simulated, Surface, scaled, terms};
use glauber_numbers::noise::{Key, derive_seed, uniform};
use glauber_numbers::purpose::Purpose;

/// Rounds about a centre, at most.
const ROUNDS: usize = 10;
/// Half the width of a region at the end, in standard errors.
const REGION: f64 = 2.5;
/// Half the width of the first region, as a share of the range.
const FIRST: f64 = 0.2;
/// The share of a variance that may be the simulations'.
pub(crate) const NOISE: f64 = 0.2;
/// Simulations of the first round, by unknown.
const SCATTERED: usize = 16;

/// An unknown, and between which numbers it is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackUnknown {
    /// What it is called.
    pub name: String,
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// Whether only whole numbers can be simulated; the estimate lies between them.
    pub whole: bool,
}

impl TrackUnknown {
    /// Whether its scale is that of logarithms.
    pub(crate) fn logarithmic(&self) -> bool {
        self.low > 0.0
    }

    pub(crate) fn scale(&self, value: f64) -> f64 {
        if self.logarithmic() { value.ln() } else { value }
    }

    pub(crate) fn value(&self, place: f64) -> f64 {
        if self.logarithmic() { place.exp() } else { place }
    }

    /// The nearest value that can be simulated.
    fn possible(&self, place: f64) -> f64 {
        let value = self.value(place).clamp(self.low, self.high);
        if self.whole { value.round() } else { value }
    }

    pub(crate) fn ends(&self) -> [f64; 2] {
        [self.scale(self.low), self.scale(self.high)]
    }
}

/// What is simulated.
pub(crate) trait Simulator {
    /// What stops a search.
    type Error;

    /// What simulations at these values come to, and its covariance for data of their size; roughly in the first round. None where
    /// they come to nothing that can be compared.
    fn simulate(
        &mut self,
        values: &[f64],
        roughly: bool,
    ) -> Result<Option<(Vec<f64>, Vec<f64>)>, Self::Error>;

    /// The variance of a simulation that is not rough, as a multiple of that of the data.
    fn share(&self) -> f64;
}

/// A search under way.
pub(crate) struct Search<'a, S> {
    pub(crate) simulator: S,
    pub(crate) unknowns: &'a [TrackUnknown],
    /// What the data come to.
    pub(crate) observed: Vec<f64>,
    pub(crate) seed: u64,
    simulated: Vec<Simulated>,
}

/// Where a search ended.
pub(crate) struct Ended {
    pub(crate) surface: Surface,
    pub(crate) found: Found,
    pub(crate) at_rest: bool,
}

impl<'a, S: Simulator> Search<'a, S> {
    pub(crate) fn new(simulator: S, unknowns: &'a [TrackUnknown], observed: Vec<f64>, seed: u64) -> Self {
        Search { simulator, unknowns, observed, seed, simulated: Vec::new() }
    }

    /// From the whole ranges to where it rests; none where no simulation comes to anything.
    pub(crate) fn run(&mut self) -> Result<Option<Ended>, S::Error> {
        match self.scattered()? {
            Some(begin) => self.climb(begin),
            None => Ok(None),
        }
    }

    /// Where simulations can be made nearest to a place.
    pub(crate) fn possible(&self, place: &[f64]) -> Vec<f64> {
        self.unknowns.iter().zip(place).map(|(one, x)| one.possible(*x)).collect()
    }

    fn simulate(&mut self, place: &[f64], roughly: bool) -> Result<Option<Simulated>, S::Error> {
        let values = self.possible(place);
        let found = self.simulator.simulate(&values, roughly)?;
        let place = self.unknowns.iter().zip(&values).map(|(one, x)| one.scale(*x)).collect();
        Ok(found.map(|(values, covariance)| Simulated { place, values, covariance }))
    }

    /// Simulations all over the ranges: the nearest to the data.
    fn scattered(&mut self) -> Result<Option<Vec<f64>>, S::Error> {
        let axes = self.unknowns.len();
        let mut best: Option<(f64, Vec<f64>)> = None;
        for point in 0..(SCATTERED * axes) as u32 {
            let place: Vec<f64> = (0..axes)
                .map(|axis| {
                    let [low, high] = self.unknowns[axis].ends();
                    low + (high - low) * halton(point + 1, axis)
                })
                .collect();
            let Some(found) = self.simulate(&place, true)? else { continue };
            // Numbers weighed one by one: covariances of so few cells cannot be inverted. No weight beyond what a tenth would have,
            // so that no number far off decides everything.
            let n = found.values.len();
            let distance: f64 = (0..n)
                .map(|k| {
                    let variance = found.covariance[k * n + k].max(0.01);
                    (found.values[k] - self.observed[k]).powi(2) / variance
                })
                .sum();
            if best.as_ref().is_none_or(|(least, _)| distance < *least) {
                best = Some((distance, found.place));
            }
        }
        Ok(best.map(|(_, place)| place))
    }

    /// Parabola after parabola.
    fn climb(&mut self, begin: Vec<f64>) -> Result<Option<Ended>, S::Error> {
        let axes = self.unknowns.len();
        let ends: Vec<[f64; 2]> = self.unknowns.iter().map(TrackUnknown::ends).collect();
        let widest: Vec<f64> = ends.iter().map(|[low, high]| FIRST * (high - low)).collect();
        let (mut centre, mut width) = (begin, widest.clone());
        let mut last: Option<(Surface, Found)> = None;
        let mut at_rest = false;
        for round in 0..ROUNDS {
            self.surround(&centre, &width, &ends, round as u32)?;
            let Some(surface) = self.surface(&centre, &width) else { continue };
            let Some(found) = self.best(&surface, &ends) else { continue };
            let errors: Vec<f64> = (0..axes)
                .map(|axis| found.covariance[axis * axes + axis].sqrt() * surface.width[axis])
                .collect();
            let place: Vec<f64> =
                (0..axes).map(|axis| surface.centre[axis] + found.u[axis] * surface.width[axis]).collect();
            let wanted: Vec<f64> = (0..axes)
                .map(|axis| {
                    let unknown = &self.unknowns[axis];
                    // Whole numbers below which there is nothing to be seen: two on either side.
                    let least =
                        if unknown.whole { 2.0 / unknown.value(place[axis]).abs().max(1.0) } else { 0.0 };
                    let least =
                        if unknown.logarithmic() { least } else { least * unknown.value(place[axis]).abs() };
                    (REGION * errors[axis]).max(least).min(widest[axis])
                })
                .collect();
            let small = width.iter().zip(&wanted).all(|(own, wanted)| *own <= 1.3 * wanted);
            let quiet = found.noise.iter().all(|noise| *noise <= NOISE);
            // At an end of a range nothing further is to be had in that direction.
            let settled = (0..axes).all(|axis| {
                let at_end = ends[axis].iter().any(|end| (place[axis] - end).abs() < 1e-6);
                found.u[axis].abs() < 0.9 || at_end
            });
            last = Some((surface, found));
            centre = place;
            if small && quiet && settled {
                at_rest = true;
                break;
            }
            if settled {
                width = (0..axes).map(|axis| wanted[axis].max(0.4 * width[axis])).collect();
            }
        }
        Ok(last.map(|(surface, found)| Ended { surface, found, at_rest }))
    }

    /// Simulates about a centre.
    fn surround(
        &mut self,
        centre: &[f64],
        width: &[f64],
        ends: &[[f64; 2]],
        round: u32,
    ) -> Result<(), S::Error> {
        let axes = centre.len();
        let points = 2 * terms(axes) as u32;
        // A net that is turned each round.
        let turn = Key::new(derive_seed(self.seed, Purpose::CellTracksDesign, u64::MAX), round, 0, 0, 0);
        for point in 0..points {
            let place: Vec<f64> = (0..axes)
                .map(|axis| {
                    let turned = (halton(point + 1, axis) + uniform::<f64>(turn.word(axis as u32))) % 1.0;
                    (centre[axis] + width[axis] * 1.2 * (2.0 * turned - 1.0))
                        .clamp(ends[axis][0], ends[axis][1])
                })
                .collect();
            let found = self.simulate(&place, false)?;
            self.simulated.extend(found);
        }
        Ok(())
    }

    fn surface(&self, centre: &[f64], width: &[f64]) -> Option<Surface> {
        let near: Vec<&Simulated> = self
            .simulated
            .iter()
            .filter(|one| scaled(&one.place, centre, width).iter().all(|u| u.abs() <= 1.5))
            .collect();
        Surface::fitted(&near, centre, width, self.simulator.share())
    }

    /// The maximum of ln L over the region.
    fn best(&self, surface: &Surface, ends: &[[f64; 2]]) -> Option<Found> {
        let axes = surface.centre.len();
        let n = self.observed.len();
        let bounds: Vec<[f64; 2]> = (0..axes)
            .map(|axis| {
                let of = |end: f64| (end - surface.centre[axis]) / surface.width[axis];
                [of(ends[axis][0]).clamp(-1.0, 0.0), of(ends[axis][1]).clamp(0.0, 1.0)]
            })
            .collect();
        let variance = |u: &[f64], noise: bool| -> Vec<f64> {
            let share = if noise {
                surface.share_of_noise(u) * self.simulator.share() * surface.left_over
            } else {
                0.0
            };
            let mut all = surface.covariance.iter().map(|x| x * (1.0 + share)).collect::<Vec<f64>>();
            // So that rounding leaves it positive.
            (0..n).for_each(|k| all[k * n + k] *= 1.0 + 1e-9);
            all
        };
        let root = cholesky(&variance(&vec![0.0; axes], true), n)?;
        let distance = |u: &[f64]| {
            let rest: Vec<f64> = surface.values(u).iter().zip(&self.observed).map(|(m, s)| s - m).collect();
            let weighed = solved(&root, n, &rest);
            rest.iter().zip(&weighed).map(|(a, b)| a * b).sum::<f64>()
        };
        let mut u = vec![0.0; axes];
        let mut least = distance(&u);
        for point in 0..400 {
            let other: Vec<f64> = (0..axes)
                .map(|axis| bounds[axis][0] + (bounds[axis][1] - bounds[axis][0]) * halton(point + 1, axis))
                .collect();
            let found = distance(&other);
            if found < least {
                (u, least) = (other, found);
            }
        }
        // Gauss and Newton, damped, within the region.
        let mut damping = 1e-3;
        for _ in 0..60 {
            let (information, slope) = self.information(surface, &u, &root);
            let mut damped = information.clone();
            (0..axes).for_each(|axis| {
                damped[axis * axes + axis] += damping * (information[axis * axes + axis] + 1e-9)
            });
            let Some(factor) = cholesky(&damped, axes) else { break };
            let step = solved(&factor, axes, &slope);
            let other: Vec<f64> = (0..axes)
                .map(|axis| (u[axis] + step[axis]).clamp(bounds[axis][0], bounds[axis][1]))
                .collect();
            let found = distance(&other);
            if found < least {
                let gained = least - found;
                (u, least) = (other, found);
                damping = (0.3 * damping).max(1e-9);
                if gained < 1e-10 * (1.0 + least) {
                    break;
                }
            } else {
                damping *= 10.0;
                if damping > 1e9 {
                    break;
                }
            }
        }
        let with = |noise: bool| {
            let root = cholesky(&variance(&u, noise), n)?;
            let (information, _) = self.information(surface, &u, &root);
            // Directions that nothing is known of are as wide as can be, not infinite.
            let floor = 1e-6;
            let kept: Vec<f64> = (0..axes * axes)
                .map(|k| information[k] + if k % (axes + 1) == 0 { floor } else { 0.0 })
                .collect();
            Some(inverse(&cholesky(&kept, axes)?, axes))
        };
        let (covariance, of_data) = (with(true)?, with(false)?);
        let noise = (0..axes)
            .map(|axis| 1.0 - of_data[axis * axes + axis] / covariance[axis * axes + axis])
            .collect();
        Some(Found { u, covariance, noise })
    }

    /// Gᵀ V⁻¹ G and Gᵀ V⁻¹ (s − μ).
    fn information(&self, surface: &Surface, u: &[f64], root: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (axes, n) = (u.len(), self.observed.len());
        let slopes = surface.slopes(u);
        let rest: Vec<f64> = surface.values(u).iter().zip(&self.observed).map(|(m, s)| s - m).collect();
        let weighed: Vec<Vec<f64>> = (0..axes)
            .map(|axis| solved(root, n, &slopes.iter().map(|row| row[axis]).collect::<Vec<f64>>()))
            .collect();
        let mut information = vec![0.0; axes * axes];
        for a in 0..axes {
            for b in 0..axes {
                information[a * axes + b] = (0..n).map(|k| slopes[k][a] * weighed[b][k]).sum();
            }
        }
        let slope = weighed.iter().map(|own| own.iter().zip(&rest).map(|(w, r)| w * r).sum()).collect();
        (information, slope)
    }
}

/// Where ln L is greatest.
pub(crate) struct Found {
    pub(crate) u: Vec<f64>,
    /// Of u, simulations' noise included.
    pub(crate) covariance: Vec<f64>,
    /// The share of that noise, by axis.
    pub(crate) noise: Vec<f64>,
}

/// The sequence of Halton along an axis.
fn halton(index: u32, axis: usize) -> f64 {
    const BASES: [u32; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    let base = BASES[axis % BASES.len()];
    let (mut left, mut scale, mut value) = (index, 1.0, 0.0);
    while left > 0 {
        scale /= f64::from(base);
        value += scale * f64::from(left % base);
        left /= base;
    }
    value
}
