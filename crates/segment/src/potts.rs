//! Defines the two-class Potts energy of a grey field: its terms, their weights and their derivatives.
//!
//! ```text
//! E(X) = λa Σ_x (1 − X_x)                      field:   pulls every pixel up
//!      + λb Σ_x Σ_u X_x (1 − X_u)              inside:  bright pixels beside dark ones
//!      + λc Σ_x Σ_u (1 − X_x) X_u              outside: dark pixels beside bright ones
//!      + λd D(X)                               data:    distance from the reference z
//!      + λe Σ_x X_x v_x                        classes: votes of the class statistics
//!
//! D = Σ_x (X_x − z_x)²                                     squared (the paper's), or
//! D = Σ_x ln(ε + 1/9 Σ_w (X_w − z_w)²)                     logarithm over windows, w in the 3 × 3 window around x
//!
//! ∂E/∂X_x = −λa + (λb + λc)(8 − 2 n_x) + λd ∂D/∂X_x + λe v_x,       n_x = Σ_u X_u
//! ```
//!
//! - X: one grey value per pixel, in [0, 1]; the segmentation is where X lies above a threshold;
//! - u: the 8 Moore neighbours of x on a torus; where the image is 1 or 2 pixels wide one pixel counts repeatedly;
//! - z: the reference, the standardised image; v: votes of [class statistics](super::ClassStatistics),
//!   negative for foreground.
//!
//! Reference: Schering, Keemink and Textor (2023), *Fitting Stochastic Lattice Models Using Approximate
//! Gradients*, for the first four terms. Departures: on a torus the `inside` and `outside` terms are equal,
//! each unordered pair being counted both ways, so only λb + λc matters; both are kept because the paper
//! gives both. The classes term and the windowed data term are additions. The derivative is that of E as
//! written: u is X itself, not its threshold.
//!
//! Nothing here descends, scores or chooses: this file is the energy alone.
//!
//! ```
//! use glauber_segment::{DataTerm, PottsEnergy, PottsWeights};
//! let weights: PottsWeights = "0.6, 0.05, 0.15, 0.5".parse()?;
//! let reference = [-0.5, -0.5, 1.0, 0.0, 0.5, 2.0];
//! let energy = PottsEnergy::new(2, 3, weights, DataTerm::Squared, &reference)?;
//! let x = [0.0, 0.0, 1.0, 0.0, 0.5, 1.0];
//! assert!((energy.terms(&x)?.field - 0.6 * 3.5).abs() < 1e-12);
//! assert_eq!(energy.gradient(&x)?.len(), 6);
//! # Ok::<(), glauber_segment::SegmentationError>(())
//! ```

use std::str::FromStr;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::SegmentationError;
use super::error::check_setting;
use super::number::Number;
use super::stencil::{Rows, bands};

/// ε of the logarithmic data term: keeps it finite where X meets the reference. z has variance 1.
pub const LOG_FLOOR: f64 = 1e-3;
/// The greatest weight; beyond it a single step overflows single precision.
pub const GREATEST_WEIGHT: f64 = 1e6;

/// How much each term counts; 0 switches a term off. Weights lie in [0, 10⁶].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PottsWeights {
    /// λa.
    pub field: f64,
    /// λb.
    pub inside: f64,
    /// λc.
    pub outside: f64,
    /// λd.
    pub data: f64,
    /// λe.
    pub classes: f64,
}

impl PottsWeights {
    /// Fails on a weight that is negative, NaN or above 10⁶.
    pub fn check(&self) -> Result<(), SegmentationError> {
        for (name, found) in [
            ("weight of field", self.field),
            ("weight of inside", self.inside),
            ("weight of outside", self.outside),
            ("weight of data", self.data),
            ("weight of classes", self.classes),
        ] {
            check_setting(name, found, (0.0, GREATEST_WEIGHT), "be a number from 0 (off) to 1,000,000")?;
        }
        Ok(())
    }
}

impl FromStr for PottsWeights {
    type Err = SegmentationError;

    /// Reads four or five numbers λa,λb,λc,λd and perhaps ,λe, with commas between them; the fifth is 0 if left out.
    fn from_str(text: &str) -> Result<PottsWeights, SegmentationError> {
        let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        let weights = match numbers.as_deref() {
            Some(&[field, inside, outside, data]) => {
                PottsWeights { field, inside, outside, data, classes: 0.0 }
            }
            Some(&[field, inside, outside, data, classes]) => {
                PottsWeights { field, inside, outside, data, classes }
            }
            _ => {
                let must =
                    "be four or five numbers with commas between them: field,inside,outside,data[,classes]";
                return Err(SegmentationError::Setting { name: "weights", found: format!("`{text}`"), must });
            }
        };
        weights.check()?;
        Ok(weights)
    }
}

/// What the distance from the reference is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataTerm {
    /// Σ (X − z)².
    #[default]
    Squared,
    /// Σ ln(ε + mean of (X − z)² over the 3 × 3 window), ε = [`LOG_FLOOR`].
    ///
    /// With the weights (0.8, 0.005, 0.3, 0.5) it takes the paper's cells to a Dice of 0.948 after 20 steps and
    /// 0.946 after 100; the paper's own curve, whose data term is not known to the letter, shows 0.96 and 0.94.
    LogWindows,
}

/// The value of each term, weights included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PottsTerms {
    /// λa Σ (1 − X).
    pub field: f64,
    /// λb Σ Σ X (1 − u).
    pub inside: f64,
    /// λc Σ Σ (1 − X) u.
    pub outside: f64,
    /// λd D.
    pub data: f64,
    /// λe Σ X v.
    pub classes: f64,
}

impl PottsTerms {
    /// E, the sum of the terms.
    pub fn total(&self) -> f64 {
        self.field + self.inside + self.outside + self.data + self.classes
    }
}

/// The energy of fields of `height` × `width` pixels for given reference and weights, in `f32` or `f64`.
///
/// All results are the same bits for any number of threads: pixels are computed alone, sums row by row.
#[derive(Clone, Debug)]
pub struct PottsEnergy<'a, T> {
    height: usize,
    width: usize,
    weights: PottsWeights,
    data: DataTerm,
    reference: &'a [T],
    votes: &'a [T],
}

impl<'a, T: Number> PottsEnergy<'a, T> {
    /// The energy with the reference `z`, row by row; without votes the classes term is 0.
    /// Fails on weights out of range, an empty shape, or a reference of another length or with a number that
    /// is not finite.
    pub fn new(
        height: usize,
        width: usize,
        weights: PottsWeights,
        data: DataTerm,
        reference: &'a [T],
    ) -> Result<PottsEnergy<'a, T>, SegmentationError> {
        weights.check()?;
        check_plane("reference", height, width, reference)?;
        Ok(PottsEnergy { height, width, weights, data, reference, votes: &[] })
    }

    /// The energy of planes that were checked before; `votes` may be empty.
    pub(super) fn of_checked(
        (height, width): (usize, usize),
        (weights, data): (PottsWeights, DataTerm),
        reference: &'a [T],
        votes: &'a [T],
    ) -> PottsEnergy<'a, T> {
        PottsEnergy { height, width, weights, data, reference, votes }
    }

    /// The same energy with the votes `v`, one per pixel, for its classes term.
    pub fn with_votes(self, votes: &'a [T]) -> Result<PottsEnergy<'a, T>, SegmentationError> {
        check_plane("votes", self.height, self.width, votes)?;
        Ok(PottsEnergy { votes, ..self })
    }

    /// The value of each term at `x`.
    pub fn terms(&self, x: &[T]) -> Result<PottsTerms, SegmentationError> {
        check_plane("field", self.height, self.width, x)?;
        let of_rows: Vec<PottsTerms> = (0..self.height)
            .into_par_iter()
            .map_init(|| Rows::new(self.width), |rows, r| self.terms_of_row(x, r, rows))
            .collect();
        let sum = |part: fn(&PottsTerms) -> f64| of_rows.iter().map(part).sum::<f64>();
        let w = &self.weights;
        Ok(PottsTerms {
            field: w.field * sum(|t| t.field),
            inside: w.inside * sum(|t| t.inside),
            outside: w.outside * sum(|t| t.outside),
            data: w.data * sum(|t| t.data),
            classes: w.classes * sum(|t| t.classes),
        })
    }

    /// ∂E/∂X at `x`, one number per pixel.
    pub fn gradient(&self, x: &[T]) -> Result<Vec<T>, SegmentationError> {
        check_plane("field", self.height, self.width, x)?;
        let mut result = vec![T::from_f64(0.0); x.len()];
        let mut inverse = Vec::new();
        self.fill_inverse(x, &mut inverse);
        bands(&mut result, self.width, |r, out, rows| {
            self.gradient_of_row(x, r, &inverse, rows);
            out.copy_from_slice(&rows.result);
        });
        Ok(result)
    }

    /// X after `steps` steps of descent at a rate, from `x`.
    ///
    /// # Errors
    /// [`SegmentationError`] where `x` has another length or a number that is not finite.
    pub fn descended(&self, x: &[T], rate: f64, steps: usize) -> Result<Vec<T>, SegmentationError> {
        check_plane("field", self.height, self.width, x)?;
        let (mut x, mut next, mut scratch) = (x.to_vec(), x.to_vec(), Vec::new());
        for _ in 0..steps {
            self.step(&x, &mut next, rate, &mut scratch);
            std::mem::swap(&mut x, &mut next);
        }
        Ok(x)
    }

    /// One step of descent: `next` = clip(x − rate · ∂E/∂X, 0, 1). `scratch` is kept between steps by the
    /// caller and holds one number per pixel for [`DataTerm::LogWindows`], none otherwise. Lengths are the
    /// caller's duty.
    pub(super) fn step(&self, x: &[T], next: &mut [T], rate: f64, scratch: &mut Vec<T>) {
        self.fill_inverse(x, scratch);
        let (rate, zero, one) = (T::from_f64(rate), T::from_f64(0.0), T::from_f64(1.0));
        bands(next, self.width, |r, out, rows| {
            self.gradient_of_row(x, r, scratch, rows);
            let here = &x[r * self.width..][..self.width];
            for ((new, &old), &slope) in out.iter_mut().zip(here).zip(&rows.result) {
                let moved = old - rate * slope;
                let moved = if moved < zero { zero } else { moved };
                *new = if moved > one { one } else { moved };
            }
        });
    }

    /// Leaves ∂E/∂X of row `r` in `rows.result`.
    fn gradient_of_row(&self, x: &[T], r: usize, inverse: &[T], rows: &mut Rows<T>) {
        let w = &self.weights;
        let pair = w.inside + w.outside;
        let (level, slope) = (T::from_f64(8.0 * pair - w.field), T::from_f64(2.0 * pair));
        let (x_row, z_row) =
            (&x[r * self.width..][..self.width], &self.reference[r * self.width..][..self.width]);
        rows.load(x, r, self.height);
        match self.data {
            DataTerm::Squared => {
                let pull = T::from_f64(2.0 * w.data);
                rows.map_neighbours(|at, n| level - slope * n + pull * (x_row[at] - z_row[at]));
            }
            DataTerm::LogWindows => {
                rows.map_neighbours(|_, n| level - slope * n);
                let pull = T::from_f64(2.0 * w.data / 9.0);
                rows.load(inverse, r, self.height);
                rows.add_windows(|at, sum| pull * (x_row[at] - z_row[at]) * sum);
            }
        }
        if !self.votes.is_empty() {
            let pull = T::from_f64(w.classes);
            let votes = &self.votes[r * self.width..][..self.width];
            for (slope, &vote) in rows.result.iter_mut().zip(votes) {
                *slope = *slope + pull * vote;
            }
        }
    }

    /// Fills `inverse` with 1 / (ε + mean squared difference in the window around each pixel), where it is needed.
    fn fill_inverse(&self, x: &[T], inverse: &mut Vec<T>) {
        if self.data != DataTerm::LogWindows {
            return;
        }
        inverse.resize(x.len(), T::from_f64(0.0));
        bands(inverse, self.width, |r, out, rows| {
            self.window_means(x, r, rows);
            out.iter_mut().zip(&rows.result).for_each(|(new, &mean)| *new = T::from_f64(1.0) / mean);
        });
    }

    /// Leaves ε + mean of (X − z)² over the window around each pixel of row `r` in `rows.result`.
    fn window_means(&self, x: &[T], r: usize, rows: &mut Rows<T>) {
        let (floor, ninth) = (T::from_f64(LOG_FLOOR), T::from_f64(1.0 / 9.0));
        rows.load_squares(x, self.reference, r, self.height);
        rows.result.fill(floor);
        rows.add_windows(|_, sum| ninth * sum);
    }

    /// The terms of row `r` without their weights.
    fn terms_of_row(&self, x: &[T], r: usize, rows: &mut Rows<T>) -> PottsTerms {
        let span = r * self.width..(r + 1) * self.width;
        let (x_row, z_row) = (&x[span.clone()], &self.reference[span.clone()]);
        let mut terms = PottsTerms::default();
        rows.load(x, r, self.height);
        rows.map_neighbours(|_, n| n);
        // 1 − u summed over the neighbours is 8 − n.
        [terms.field, terms.inside, terms.outside] =
            sum_in_lanes(x_row, &rows.result, |here, n| [1.0 - here, here * (8.0 - n), (1.0 - here) * n]);
        terms.data = match self.data {
            DataTerm::Squared => sum_in_lanes(x_row, z_row, |x, z| [(x - z) * (x - z)])[0],
            DataTerm::LogWindows => {
                self.window_means(x, r, rows);
                rows.result.iter().map(|mean| libm::log(mean.to_f64())).sum()
            }
        };
        if !self.votes.is_empty() {
            terms.classes = sum_in_lanes(x_row, &self.votes[span], |x, v| [x * v])[0];
        }
        terms
    }
}

/// Sums `f(a_i, b_i)` over a row in four lanes, so that the additions need not wait for each other; the order is
/// fixed by the row alone.
fn sum_in_lanes<T: Number, const K: usize>(a: &[T], b: &[T], f: impl Fn(f64, f64) -> [f64; K]) -> [f64; K] {
    const LANES: usize = 4;
    let mut sums = [[0.0; LANES]; K];
    let (whole, rest) = (a.len() / LANES * LANES, a.len() % LANES);
    for (a, b) in a[..whole].chunks_exact(LANES).zip(b[..whole].chunks_exact(LANES)) {
        let values: [[f64; K]; LANES] = std::array::from_fn(|lane| f(a[lane].to_f64(), b[lane].to_f64()));
        for (k, sum) in sums.iter_mut().enumerate() {
            (0..LANES).for_each(|lane| sum[lane] += values[lane][k]);
        }
    }
    for lane in 0..rest {
        let values = f(a[whole + lane].to_f64(), b[whole + lane].to_f64());
        sums.iter_mut().zip(values).for_each(|(sum, value)| sum[lane] += value);
    }
    sums.map(|[a, b, c, d]| (a + b) + (c + d))
}

/// Fails unless `plane` holds one finite number per pixel.
fn check_plane<T: Number>(
    what: &'static str,
    height: usize,
    width: usize,
    plane: &[T],
) -> Result<(), SegmentationError> {
    let pixels = height.saturating_mul(width);
    if pixels == 0 {
        return Err(SegmentationError::Empty { what, height, width });
    }
    if pixels != plane.len() {
        return Err(SegmentationError::Length { what, height, width, found: plane.len() });
    }
    match plane.iter().find(|value| !value.to_f64().is_finite()) {
        None => Ok(()),
        Some(value) => Err(SegmentationError::Setting {
            name: what,
            found: value.to_f64().to_string(),
            must: "hold finite numbers only",
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::super::plain::Problem;
    use super::*;

    const SHAPES: [(usize, usize); 9] =
        [(1, 1), (1, 2), (2, 1), (1, 9), (7, 1), (2, 2), (2, 5), (6, 7), (40, 33)];

    fn noise(n: usize, mut state: u64) -> Vec<f64> {
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 11) as f64 / (1u64 << 53) as f64
            })
            .collect()
    }

    /// Each term alone, by both data terms, and all of them together.
    fn choices() -> Vec<(PottsWeights, DataTerm)> {
        let off = PottsWeights::default();
        let all = PottsWeights { field: 0.6, inside: 0.05, outside: 0.15, data: 0.5, classes: 0.7 };
        vec![
            (PottsWeights { field: 0.6, ..off }, DataTerm::Squared),
            (PottsWeights { inside: 0.3, ..off }, DataTerm::Squared),
            (PottsWeights { outside: 0.2, ..off }, DataTerm::Squared),
            (PottsWeights { data: 0.5, ..off }, DataTerm::Squared),
            (PottsWeights { data: 0.5, ..off }, DataTerm::LogWindows),
            (PottsWeights { classes: 1.5, ..off }, DataTerm::Squared),
            (all, DataTerm::Squared),
            (all, DataTerm::LogWindows),
        ]
    }

    #[test]
    fn every_gradient_agrees_with_finite_differences() {
        for (height, width) in SHAPES.into_iter().filter(|(h, w)| h * w < 100) {
            let n = height * width;
            let (x, z, votes) = (noise(n, 1), noise(n, 2), noise(n, 3));
            for (weights, data) in choices() {
                let energy =
                    PottsEnergy::new(height, width, weights, data, &z).unwrap().with_votes(&votes).unwrap();
                let slopes = energy.gradient(&x).unwrap();
                for at in 0..n {
                    // Fourth-order differences: the error is h⁴/30 times a fifth derivative plus rounding
                    // over h; for the logarithm of squares with ε = 10⁻³ derivatives grow like ε^(−k/2),
                    // hence the small h.
                    let h = 1e-4;
                    let value = |by: f64| {
                        let mut moved = x.clone();
                        moved[at] += by * h;
                        energy.terms(&moved).unwrap().total()
                    };
                    let difference =
                        (8.0 * (value(1.0) - value(-1.0)) - (value(2.0) - value(-2.0))) / (12.0 * h);
                    let error = (slopes[at] - difference).abs();
                    assert!(
                        error < 1e-7 * (1.0 + slopes[at].abs()),
                        "{height}×{width} {weights:?} {data:?}: {error}"
                    );
                }
            }
        }
    }

    #[test]
    fn terms_gradient_and_step_agree_with_the_plain_energy() {
        for (height, width) in SHAPES {
            let n = height * width;
            let (x, z, votes) = (noise(n, 4), noise(n, 5), noise(n, 6));
            for (weights, data) in choices() {
                let energy =
                    PottsEnergy::new(height, width, weights, data, &z).unwrap().with_votes(&votes).unwrap();
                let plain = Problem { height, width, weights, data, reference: &z, votes: &votes };
                let (fast, slow) = (energy.terms(&x).unwrap(), plain.terms(&x));
                for (a, b) in [
                    (fast.field, slow.field),
                    (fast.inside, slow.inside),
                    (fast.outside, slow.outside),
                    (fast.data, slow.data),
                    (fast.classes, slow.classes),
                ] {
                    assert!((a - b).abs() < 1e-10 * (1.0 + b.abs()), "{fast:?} {slow:?}");
                }
                let pairs = energy.gradient(&x).unwrap().into_iter().zip(plain.gradient(&x));
                assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-10 * (1.0 + b.abs())));
                let (mut next, mut scratch) = (vec![0.0; n], Vec::new());
                energy.step(&x, &mut next, 0.3, &mut scratch);
                assert!(next.iter().zip(plain.step(&x, 0.3)).all(|(a, b)| (a - b).abs() < 1e-10));
            }
        }
    }

    #[test]
    fn a_term_of_weight_0_is_off_and_inside_equals_outside() {
        let (x, z) = (noise(30, 7), noise(30, 8));
        let one = |text: &str| {
            let weights: PottsWeights = text.parse().unwrap();
            PottsEnergy::new(5, 6, weights, DataTerm::Squared, &z).unwrap().terms(&x).unwrap()
        };
        assert_eq!(one("0,0,0,0").total(), 0.0);
        assert_eq!(one("1,0,0,0").total(), one("1,2,3,4").field);
        let both = one("0,1,1,0");
        assert!((both.inside - both.outside).abs() < 1e-12);
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let (height, width) = (211, 333);
        let (x, z) = (noise(height * width, 9), noise(height * width, 10));
        let narrow = |v: &[f64]| v.iter().map(|&v| v as f32).collect::<Vec<f32>>();
        let (x, z) = (narrow(&x), narrow(&z));
        let weights = "0.6,0.05,0.15,0.5".parse().unwrap();
        for data in [DataTerm::Squared, DataTerm::LogWindows] {
            let results: Vec<(PottsTerms, Vec<f32>)> = [1, 3]
                .into_iter()
                .map(|threads| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| {
                        let energy = PottsEnergy::new(height, width, weights, data, &z).unwrap();
                        (energy.terms(&x).unwrap(), energy.gradient(&x).unwrap())
                    })
                })
                .collect();
            assert_eq!(results[0], results[1]);
        }
    }

    #[test]
    fn bad_weights_and_planes_are_refused() {
        let refused = |text: &str| text.parse::<PottsWeights>().unwrap_err().to_string();
        assert!(refused("1,NaN,1,1").contains("inside"));
        assert!(refused("1,1,-0.5,1").contains("`weight of outside` is -0.5"));
        assert!(refused("1,1,1,inf").contains("data"));
        assert!(refused("1,1,1").contains("four or five"));
        assert!(refused("a,b,c,d").contains("four or five"));
        let energy =
            |z: &[f64]| PottsEnergy::new(2, 2, PottsWeights::default(), DataTerm::Squared, z).map(|_| ());
        assert!(energy(&[0.0; 3]).is_err() && energy(&[0.0, 0.0, f64::INFINITY, 0.0]).is_err());
        let nothing = PottsEnergy::<f64>::new(0, 3, PottsWeights::default(), DataTerm::Squared, &[]);
        assert!(nothing.unwrap_err().to_string().contains("0 × 3"));
    }
}
