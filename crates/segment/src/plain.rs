//! Computes the Potts energy the slow and obvious way, in double precision: the check of every faster way.
//!
//! Formula: that of [`super::potts`]; each term is one loop over pixels and the 8 offsets, with the indices
//! wrapped by division. Shares no code with the fast energy except the names of weights and terms.
//!
//! ```
//! use glauber_segment::{DataTerm, PottsEnergy, PottsWeights, plain};
//! let weights = PottsWeights { field: 0.6, inside: 0.05, outside: 0.15, data: 0.5, classes: 0.0 };
//! let (x, z) = ([0.1, 0.9, 0.5, 0.3], [-1.0, 1.5, 0.5, -1.0]);
//! let problem = plain::Problem { height: 2, width: 2, weights, data: DataTerm::Squared, reference: &z, votes: &[] };
//! let fast = PottsEnergy::new(2, 2, weights, DataTerm::Squared, &z)?;
//! assert!((problem.terms(&x).total() - fast.terms(&x)?.total()).abs() < 1e-12);
//! # Ok::<(), glauber_segment::SegmentationError>(())
//! ```

use super::potts::{DataTerm, LOG_FLOOR, PottsTerms, PottsWeights};

/// What the energy is made of. Slices hold `height · width` numbers, row by row; `votes` may be empty.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// λa … λe.
    pub weights: PottsWeights,
    /// Which distance from the reference.
    pub data: DataTerm,
    /// z.
    pub reference: &'a [f64],
    /// v, or nothing.
    pub votes: &'a [f64],
}

impl Problem<'_> {
    /// The pixel at an offset from pixel `at`, on the torus.
    fn at(&self, at: usize, (down, right): (isize, isize)) -> usize {
        let (height, width) = (self.height as isize, self.width as isize);
        let (row, column) = (at as isize / width + down, at as isize % width + right);
        (row.rem_euclid(height) * width + column.rem_euclid(width)) as usize
    }

    fn squares_in_window(&self, x: &[f64], at: usize) -> f64 {
        window().map(|offset| self.at(at, offset)).map(|w| (x[w] - self.reference[w]).powi(2)).sum::<f64>()
            / 9.0
    }

    /// The value of each term at `x`.
    pub fn terms(&self, x: &[f64]) -> PottsTerms {
        let mut terms = PottsTerms::default();
        for at in 0..x.len() {
            terms.field += self.weights.field * (1.0 - x[at]);
            for offset in neighbours() {
                let u = x[self.at(at, offset)];
                terms.inside += self.weights.inside * x[at] * (1.0 - u);
                terms.outside += self.weights.outside * (1.0 - x[at]) * u;
            }
            terms.data += self.weights.data
                * match self.data {
                    DataTerm::Squared => (x[at] - self.reference[at]).powi(2),
                    DataTerm::LogWindows => (LOG_FLOOR + self.squares_in_window(x, at)).ln(),
                };
            terms.classes += self.weights.classes * x[at] * self.votes.get(at).unwrap_or(&0.0);
        }
        terms
    }

    /// ∂E/∂X at `x`.
    pub fn gradient(&self, x: &[f64]) -> Vec<f64> {
        let mut slopes = vec![0.0; x.len()];
        for at in 0..x.len() {
            slopes[at] += self.weights.classes * self.votes.get(at).unwrap_or(&0.0) - self.weights.field;
            // A pair's term is a product of both pixels: each gets its share.
            for offset in neighbours() {
                let other = self.at(at, offset);
                slopes[at] += self.weights.inside * (1.0 - x[other]) - self.weights.outside * x[other];
                slopes[other] += self.weights.outside * (1.0 - x[at]) - self.weights.inside * x[at];
            }
            match self.data {
                DataTerm::Squared => slopes[at] += 2.0 * self.weights.data * (x[at] - self.reference[at]),
                DataTerm::LogWindows => {
                    let inverse = 1.0 / (LOG_FLOOR + self.squares_in_window(x, at));
                    for offset in window() {
                        let w = self.at(at, offset);
                        slopes[w] += self.weights.data * inverse * 2.0 * (x[w] - self.reference[w]) / 9.0;
                    }
                }
            }
        }
        slopes
    }

    /// clip(x − rate · ∂E/∂X, 0, 1).
    pub fn step(&self, x: &[f64], rate: f64) -> Vec<f64> {
        x.iter().zip(self.gradient(x)).map(|(x, slope)| (x - rate * slope).clamp(0.0, 1.0)).collect()
    }
}

fn window() -> impl Iterator<Item = (isize, isize)> {
    (-1..=1).flat_map(|down| (-1..=1).map(move |right| (down, right)))
}

fn neighbours() -> impl Iterator<Item = (isize, isize)> {
    window().filter(|&offset| offset != (0, 0))
}
