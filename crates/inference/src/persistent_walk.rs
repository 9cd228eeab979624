//! Gives the exact likelihood of tracks of persistent walkers whose positions are known with an error.
//!
//! Along each axis the velocity forgets itself, dv = −v/P dt + noise, with mean square S²/d over d axes; the position is its
//! integral, and what is seen lies σ beside it (normal). Over a time Δ, with φ = e^−Δ/P and s² = S²/d,
//!
//! x' = x + P (1 − φ) v + ξ,  v' = φ v + η,
//! var ξ = s² P² (2 Δ/P − 3 + 4 φ − φ²),  cov ξη = s² P (1 − φ)²,  var η = s² (1 − φ²).
//!
//! ln L is summed frame by frame (Kalman's filter), given the first position of every track; times may be unequal, and frames may be
//! missing. Derivatives are carried along. The mean squared displacement is Fürth's, 2 S² P (t − P (1 − e^−t/P)) + 2 d σ².
//!
//! Uhlenbeck & Ornstein (1930), Physical Review 36, 823; Fürth (1920), Zeitschrift für Physik 2, 244.

use std::sync::Arc;

use glauber_numbers::elementary::{exp, exp_m1, ln};
use rayon::prelude::*;

use crate::likelihood::{Interval, Kind, Likelihood, Parameter, Stop};

const LN_TWO_PI: f64 = 1.837_877_066_409_345_4;

/// One track: its times, and its position along each axis at each.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// When it was seen, rising.
    pub times: Vec<f64>,
    /// By axis: where.
    pub axes: Vec<Vec<f64>>,
}

/// Why tracks have no likelihood.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WalkError {
    /// No track of two positions or more.
    #[error("no track has three positions: a velocity, and that it lasts, is seen in three")]
    Empty,
    /// Times that do not rise.
    #[error("track {track}: time {after} comes after time {before}: times must rise")]
    Times {
        /// Which track, from 0.
        track: usize,
        /// A time.
        before: f64,
        /// The next.
        after: f64,
    },
    /// Axes of different lengths, or tracks of different axes.
    #[error(
        "track {track} has {found} positions for {wanted} times, or another number of axes than the first"
    )]
    Lengths {
        /// Which track, from 0.
        track: usize,
        /// Positions.
        found: usize,
        /// Times.
        wanted: usize,
    },
    /// A number that is none.
    #[error("track {track} holds {value}: leave out frames without a position")]
    Value {
        /// Which track, from 0.
        track: usize,
        /// What it holds.
        value: f64,
    },
}

/// The likelihood of tracks by speed S, persistence P and noise σ.
#[derive(Clone)]
pub struct PersistentWalk {
    tracks: Arc<[Track]>,
    parameters: Arc<[Parameter]>,
    observations: usize,
}

impl PersistentWalk {
    /// Of tracks of as many axes each, of which those of fewer than three positions are left out.
    ///
    /// # Errors
    /// [`WalkError`] where there is none, or a track is none.
    pub fn new(tracks: Vec<Track>) -> Result<PersistentWalk, WalkError> {
        let wide = tracks.first().map_or(0, |track| track.axes.len());
        for (number, track) in tracks.iter().enumerate() {
            let wanted = track.times.len();
            if let Some(axis) = track.axes.iter().find(|axis| axis.len() != wanted) {
                return Err(WalkError::Lengths { track: number, found: axis.len(), wanted });
            }
            if track.axes.len() != wide || wide == 0 {
                return Err(WalkError::Lengths { track: number, found: 0, wanted });
            }
            let all = track.times.iter().chain(track.axes.iter().flatten());
            if let Some(value) = all.copied().find(|x| !x.is_finite()) {
                return Err(WalkError::Value { track: number, value });
            }
            let rises = |pair: &&[f64]| pair[0] < pair[1];
            if let Some(pair) = track.times.windows(2).find(|pair| !rises(pair)) {
                return Err(WalkError::Times { track: number, before: pair[0], after: pair[1] });
            }
        }
        let tracks: Arc<[Track]> = tracks.into_iter().filter(|track| track.times.len() > 2).collect();
        if tracks.is_empty() {
            return Err(WalkError::Empty);
        }
        let steps: f64 = tracks.iter().map(|t| (t.times.len() - 1) as f64).sum();
        // Starts of the data's own size: the speed of one step, ten steps, a tenth of a step's length.
        let lasted: f64 = tracks.iter().map(|t| t.times[t.times.len() - 1] - t.times[0]).sum();
        let moved: f64 = tracks
            .iter()
            .flat_map(|t| &t.axes)
            .flat_map(|a| a.windows(2))
            .map(|p| (p[1] - p[0]).powi(2))
            .sum();
        let (time, length) = (lasted / steps, (moved / steps).sqrt().max(f64::MIN_POSITIVE));
        let parameter = |name: &str, start: f64| Parameter::new(name, Interval::positive(), start);
        let parameters = [
            parameter("speed", length / time),
            parameter("persistence", 3.0 * time),
            parameter("noise", 0.1 * length),
        ];
        let observations = steps as usize * wide;
        Ok(PersistentWalk { tracks, parameters: parameters.into(), observations })
    }

    fn value(&self, at: &[f64]) -> Number {
        let [speed, persistence, noise] = [0, 1, 2].map(|i| Number::parameter(at[i], i));
        let parts: Vec<Number> = self
            .tracks
            .par_iter()
            .map(|track| {
                let velocity = speed * speed * Number::of(1.0 / track.axes.len() as f64);
                let mut filter = Filters::new(track.axes.len(), velocity, persistence, noise * noise);
                filter.through(track)
            })
            .collect();
        // In the order of the tracks, however many threads there were.
        parts.into_iter().fold(Number::of(0.0), |sum, part| sum + part)
    }
}

impl Likelihood for PersistentWalk {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn observations(&self) -> usize {
        self.observations
    }

    fn kind(&self) -> Kind {
        Kind::Exact
    }

    fn route(&self) -> &str {
        "kalman-filter"
    }

    fn log_likelihood(&mut self, at: &[f64], _noise: u64) -> Result<f64, Stop> {
        let value = if at.iter().all(|x| *x >= 0.0) { self.value(at).value } else { f64::NAN };
        Ok(if value.is_finite() { value } else { f64::NEG_INFINITY })
    }

    fn has_gradient(&self) -> bool {
        true
    }

    fn with_gradient(&mut self, at: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        if !at.iter().all(|x| *x >= 0.0) {
            gradient.fill(f64::NAN);
            return Ok(f64::NEG_INFINITY);
        }
        let found = self.value(at);
        gradient.copy_from_slice(&found.slopes);
        Ok(if found.value.is_finite() { found.value } else { f64::NEG_INFINITY })
    }

    fn another(&self) -> Box<dyn Likelihood> {
        Box::new(self.clone())
    }
}

/// The filters of a track's axes: their variances are one.
struct Filters {
    axes: usize,
    velocity: Number,
    persistence: Number,
    noise: Number,
    /// Var x, cov xv, var v.
    variances: [Number; 3],
    /// What a time of this length does, as most frames are as far apart.
    step: Option<(f64, Step)>,
}

/// What a time Δ does: φ, P (1 − φ), and the variances of ξ, ξη, η.
#[derive(Clone, Copy)]
struct Step {
    keeps: Number,
    carries: Number,
    adds: [Number; 3],
}

impl Filters {
    fn new(axes: usize, velocity: Number, persistence: Number, noise: Number) -> Filters {
        let variances = [noise, Number::of(0.0), velocity];
        Filters { axes, velocity, persistence, noise, variances, step: None }
    }

    fn over(&mut self, time: f64) -> Step {
        if let Some((known, step)) = self.step {
            if known.to_bits() == time.to_bits() {
                return step;
            }
        }
        let (p, s) = (self.persistence, self.velocity);
        let ratio = Number::of(time) / p;
        // 1 − φ, without cancelling.
        let lost = Number::of(0.0) - (Number::of(0.0) - ratio).exp_m1();
        let keeps = Number::of(1.0) - lost;
        // 2 r − 3 + 4 φ − φ² = 2 r − 2 l − l²; for short times its series, 2 r³/3 − r⁴/2 + 7 r⁵/30.
        let spread = if ratio.value < 2e-3 {
            let cube = ratio * ratio * ratio;
            cube * (Number::of(2.0 / 3.0) - ratio * Number::of(0.5) + ratio * ratio * Number::of(7.0 / 30.0))
        } else {
            Number::of(2.0) * (ratio - lost) - lost * lost
        };
        let adds = [s * p * p * spread, s * p * lost * lost, s * lost * (Number::of(2.0) - lost)];
        let step = Step { keeps, carries: p * lost, adds };
        self.step = Some((time, step));
        step
    }

    /// ln of the density of a track's positions, given the first.
    fn through(&mut self, track: &Track) -> Number {
        let mut means: Vec<[Number; 2]> =
            track.axes.iter().map(|axis| [Number::of(axis[0]), Number::of(0.0)]).collect();
        let mut sum = Number::of(0.0);
        for frame in 1..track.times.len() {
            let Step { keeps, carries, adds } = self.over(track.times[frame] - track.times[frame - 1]);
            let [xx, xv, vv] = self.variances;
            let position = xx + Number::of(2.0) * carries * xv + carries * carries * vv + adds[0];
            let both = keeps * (xv + carries * vv) + adds[1];
            let velocity = keeps * keeps * vv + adds[2];
            let total = position + self.noise;
            let (gain_x, gain_v) = (position / total, both / total);
            for (axis, [x, v]) in means.iter_mut().enumerate() {
                let expected = *x + carries * *v;
                let beside = Number::of(track.axes[axis][frame]) - expected;
                sum = sum - beside * beside / total * Number::of(0.5);
                *x = expected + gain_x * beside;
                *v = keeps * *v + gain_v * beside;
            }
            sum = sum - (total.ln() + Number::of(LN_TWO_PI)) * Number::of(0.5 * self.axes as f64);
            self.variances = [position - gain_x * position, both - gain_x * both, velocity - gain_v * both];
        }
        sum
    }
}

/// A number with its derivatives by the three parameters.
#[derive(Clone, Copy, Debug)]
struct Number {
    value: f64,
    slopes: [f64; 3],
}

impl Number {
    fn of(value: f64) -> Number {
        Number { value, slopes: [0.0; 3] }
    }

    fn parameter(value: f64, place: usize) -> Number {
        let mut slopes = [0.0; 3];
        slopes[place] = 1.0;
        Number { value, slopes }
    }

    /// A function of it, of this value and slope.
    fn with(self, value: f64, slope: f64) -> Number {
        Number { value, slopes: self.slopes.map(|s| slope * s) }
    }

    fn exp_m1(self) -> Number {
        self.with(exp_m1(self.value), exp(self.value))
    }

    fn ln(self) -> Number {
        self.with(ln(self.value), 1.0 / self.value)
    }
}

impl std::ops::Add for Number {
    type Output = Number;
    fn add(self, other: Number) -> Number {
        let slopes = [0, 1, 2].map(|k| self.slopes[k] + other.slopes[k]);
        Number { value: self.value + other.value, slopes }
    }
}

impl std::ops::Sub for Number {
    type Output = Number;
    fn sub(self, other: Number) -> Number {
        let slopes = [0, 1, 2].map(|k| self.slopes[k] - other.slopes[k]);
        Number { value: self.value - other.value, slopes }
    }
}

#[allow(clippy::suspicious_arithmetic_impl)] // The rule for the slopes of a product.
impl std::ops::Mul for Number {
    type Output = Number;
    fn mul(self, other: Number) -> Number {
        let slopes = [0, 1, 2].map(|k| self.slopes[k] * other.value + self.value * other.slopes[k]);
        Number { value: self.value * other.value, slopes }
    }
}

#[allow(clippy::suspicious_arithmetic_impl)] // The rule for the slopes of a quotient.
impl std::ops::Div for Number {
    type Output = Number;
    fn div(self, other: Number) -> Number {
        let value = self.value / other.value;
        let slopes = [0, 1, 2].map(|k| (self.slopes[k] - value * other.slopes[k]) / other.value);
        Number { value, slopes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Draws;
    use crate::profile::profile;
    use glauber_numbers::noise::Purpose;

    /// Walkers of these parameters, by many small steps of the velocity.
    fn walkers(count: usize, frames: usize, [speed, persistence, noise]: [f64; 3]) -> Vec<Track> {
        const PARTS: usize = 40;
        let s = speed / 2f64.sqrt();
        let walker = |number: usize| {
            let mut axes = Vec::new();
            for axis in 0..2 {
                let draws = |k: usize| Draws::new(9, Purpose::PosteriorMoves, 2 * number + axis, k as u64);
                let (mut x, mut v, mut seen) = (0.0, s * draws(0).normal(0), Vec::new());
                for frame in 0..frames {
                    let own = draws(frame + 1);
                    seen.push(x + noise * own.normal(1000));
                    for part in 0..PARTS {
                        let dt = 1.0 / PARTS as f64;
                        let keep = (-dt / persistence).exp();
                        let next = keep * v + s * (1.0 - keep * keep).sqrt() * own.normal(part as u32);
                        x += 0.5 * dt * (v + next);
                        v = next;
                    }
                }
                axes.push(seen);
            }
            // A frame is missing.
            let times: Vec<f64> = (0..frames).filter(|f| *f != 3).map(|f| f as f64).collect();
            for axis in &mut axes {
                axis.remove(3);
            }
            Track { times, axes }
        };
        (0..count).map(walker).collect()
    }

    #[test]
    fn slopes_are_those_of_the_values() {
        let mut own = PersistentWalk::new(walkers(3, 12, [2.0, 3.0, 0.3])).unwrap();
        for at in [[2.0, 3.0, 0.3], [1.0, 0.4, 0.05], [5.0, 300.0, 1.0], [2.0, 1000.0, 0.0]] {
            let mut slopes = [0.0; 3];
            let value = own.with_gradient(&at, &mut slopes).unwrap();
            assert!((value - own.log_likelihood(&at, 0).unwrap()).abs() < 1e-9 * value.abs());
            for i in (0..3).filter(|i| at[*i] > 0.0) {
                let mut beside = |share: f64| {
                    let mut moved = at;
                    moved[i] *= 1.0 + share;
                    own.log_likelihood(&moved, 0).unwrap()
                };
                let by_difference = (beside(1e-5) - beside(-1e-5)) / (2e-5 * at[i]);
                let size = by_difference.abs().max(1e-3 * value.abs() / at[i]);
                assert!(
                    (slopes[i] - by_difference).abs() < 1e-4 * size,
                    "{at:?} {i}: {} {by_difference}",
                    slopes[i]
                );
            }
        }
    }

    #[test]
    fn it_is_the_normal_law_of_all_positions_at_once() {
        // Three frames of one axis: differences d1, d2 are normal with the covariances of an integrated velocity.
        let (speed, p, noise) = (1.5, 2.0, 0.4);
        let track = Track { times: vec![0.0, 1.0, 2.0], axes: vec![vec![0.0, 0.7, 0.2]] };
        let mut own = PersistentWalk::new(vec![track]).unwrap();
        let value = own.log_likelihood(&[speed, p, noise], 0).unwrap();
        let s = speed * speed;
        let lost = 1.0 - (-1.0f64 / p).exp();
        let variance = 2.0 * s * p * (1.0 - p * lost) + 2.0 * noise * noise;
        let covariance = s * p * p * lost * lost - noise * noise;
        let (d1, d2) = (0.7, -0.5);
        let determinant = variance * variance - covariance * covariance;
        let square = (variance * (d1 * d1 + d2 * d2) - 2.0 * covariance * d1 * d2) / determinant;
        let right = -0.5 * square - 0.5 * determinant.ln() - LN_TWO_PI;
        assert!((value - right).abs() < 1e-12, "{value} {right}");
    }

    #[test]
    fn walkers_tell_what_they_were_made_with() {
        let truth = [2.0, 3.0, 0.3];
        let own = PersistentWalk::new(walkers(30, 30, truth)).unwrap();
        // Each interval at one false alarm in 10,000.
        let found = profile(&own, &[], 1.0 - 1e-4).unwrap();
        for (profile, truth) in found.profiles.iter().zip(truth) {
            let [low, high] = profile.interval().unwrap();
            assert!(low < truth && truth < high, "{}", found.text());
        }
    }

    #[test]
    fn what_is_no_track_is_said() {
        let track = |times: &[f64], x: &[f64]| Track { times: times.to_vec(), axes: vec![x.to_vec()] };
        let refused = |t: Track| PersistentWalk::new(vec![t]).err().unwrap().to_string();
        assert!(refused(track(&[0.0, 1.0], &[0.0, 1.0])).contains("three positions"));
        assert!(refused(track(&[0.0, 1.0, 1.0], &[0.0; 3])).contains("times must rise"));
        assert!(refused(track(&[0.0, 1.0, 2.0], &[0.0; 2])).contains("2 positions for 3 times"));
        assert!(refused(track(&[0.0, 1.0, 2.0], &[0.0, f64::NAN, 0.0])).contains("NaN"));
        assert!(PersistentWalk::new(Vec::new()).is_err());
    }
}
