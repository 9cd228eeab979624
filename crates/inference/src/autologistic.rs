//! Gives the exact likelihood of snapshots of two states on a lattice of which one side is short: by transfer matrices.
//!
//! P(y) = exp(a Σ y + b_y Σ y y' along y + b_x Σ y y' along x) / Z, y in {0, 1}, beyond the edges nothing. Z is summed
//! site by site: a vector over the states of the last row's sites, each site in turn replaced by its successor, with the
//! derivatives of each sum beside it. Time and memory go as 2^width, width the shorter side, at most [`MOST_WIDTH`].
//!
//! In the coding ±1 of Ising's model, J = b/4 and the field is a/2 + b (edges apart). Besag (1974), JRSS B 36, 192, for the
//! model; Reeves & Pettitt (2004), Biometrika 91, 751, for the recursion.

use std::sync::Arc;

use rayon::prelude::*;

use crate::likelihood::{Interval, Kind, Likelihood, Parameter, Stop};

/// The widest short side: 2²² numbers, and as many for each derivative.
pub const MOST_WIDTH: usize = 22;
/// Numbers of a block that a thread takes.
const BLOCK: usize = 1 << 14;

/// Why snapshots have no such likelihood.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AutologisticError {
    /// No field, or an empty one.
    #[error("no snapshot is given: give fields [y, x] of 0 and 1")]
    Empty,
    /// Fields whose numbers do not fill them.
    #[error("the snapshots have {found} numbers, which are no fields of {height} × {width}")]
    Shape {
        /// How many numbers there are.
        found: usize,
        /// The height of a field.
        height: usize,
        /// Its width.
        width: usize,
    },
    /// Another number than 0 and 1.
    #[error("site ({y}, {x}) of snapshot {field} is {value}: sites are 0 or 1, and none may be missing")]
    Value {
        /// Which snapshot, from 0.
        field: usize,
        /// The row.
        y: usize,
        /// The column.
        x: usize,
        /// What stands there.
        value: f64,
    },
    /// Two long sides.
    #[error(
        "the shorter side of the snapshots is {0} sites: the exact sum over all states is for {MOST_WIDTH} at most; cut strips \
         out of them, or use a pseudo-likelihood, which is an approximation"
    )]
    Wide(usize),
    /// All sites in one state.
    #[error("every site of the snapshots is {0}: the likelihood rises without end")]
    Uniform(u8),
}

/// What of the fields enters.
#[derive(Debug)]
struct Counts {
    fields: f64,
    ones: f64,
    pairs: [f64; 2],
    /// Rows that the recursion goes through, and sites of each.
    length: usize,
    width: usize,
    /// Whether rows are rows of the field, so that pairs along a row are along x.
    upright: bool,
}

/// The exact likelihood of snapshots by `a` and `b`, or `a`, `b_y` and `b_x`.
#[derive(Clone)]
pub struct Autologistic {
    counts: Arc<Counts>,
    parameters: Arc<[Parameter]>,
    observations: usize,
}

impl Autologistic {
    /// Of fields [field, y, x] of 0 and 1; `directions` tells pairs along y and x apart.
    ///
    /// # Errors
    /// [`AutologisticError`] where the fields are none, too wide, or hold other numbers.
    pub fn new(
        fields: &[f64],
        height: usize,
        width: usize,
        directions: bool,
    ) -> Result<Autologistic, AutologisticError> {
        let sites = height * width;
        if sites == 0 || fields.is_empty() {
            return Err(AutologisticError::Empty);
        }
        if fields.len() % sites != 0 {
            return Err(AutologisticError::Shape { found: fields.len(), height, width });
        }
        if let Some(place) = fields.iter().position(|v| !(v.abs() <= 0.0 || (v - 1.0).abs() <= 0.0)) {
            let (field, site) = (place / sites, place % sites);
            let (y, x, value) = (site / width, site % width, fields[place]);
            return Err(AutologisticError::Value { field, y, x, value });
        }
        let short = height.min(width);
        if short > MOST_WIDTH {
            return Err(AutologisticError::Wide(short));
        }
        let ones: f64 = fields.iter().sum();
        if ones <= 0.0 || ones >= fields.len() as f64 {
            return Err(AutologisticError::Uniform(u8::from(ones > 0.0)));
        }
        let (mut along_y, mut along_x) = (0.0, 0.0);
        for field in fields.chunks(sites) {
            for site in 0..sites {
                along_y += if site + width < sites { field[site] * field[site + width] } else { 0.0 };
                along_x += if site % width + 1 < width { field[site] * field[site + 1] } else { 0.0 };
            }
        }
        let counts = Counts {
            fields: (fields.len() / sites) as f64,
            ones,
            pairs: [along_y, along_x],
            length: height.max(width),
            width: short,
            upright: width <= height,
        };
        let names: &[&str] = if directions { &["a", "b_y", "b_x"] } else { &["a", "b"] };
        let share = ones / fields.len() as f64;
        let start = |name: &str| if name == "a" { libm::log(share / (1.0 - share)) } else { 0.0 };
        let parameters =
            names.iter().map(|name| Parameter::new(name, Interval::any(), start(name))).collect();
        Ok(Autologistic { counts: Arc::new(counts), parameters, observations: fields.len() })
    }

    /// ln Z of one field at (a, b_y, b_x), and its derivatives.
    pub fn log_partition(&self, a: f64, b: [f64; 2]) -> (f64, [f64; 3]) {
        let counts = &*self.counts;
        // Within a row of the recursion, and from row to row.
        let (within, between) = if counts.upright { (b[1], b[0]) } else { (b[0], b[1]) };
        let (value, [da, dw, db]) = log_partition(counts.length, counts.width, a, within, between);
        let slopes = if counts.upright { [da, db, dw] } else { [da, dw, db] };
        (value, slopes)
    }

    fn value(&self, at: &[f64], gradient: Option<&mut [f64]>) -> f64 {
        let counts = &*self.counts;
        let b = if at.len() == 3 { [at[1], at[2]] } else { [at[1], at[1]] };
        let (partition, slopes) = self.log_partition(at[0], b);
        if let Some(gradient) = gradient {
            gradient[0] = counts.ones - counts.fields * slopes[0];
            let [y, x] = [0, 1].map(|i| counts.pairs[i] - counts.fields * slopes[i + 1]);
            match gradient {
                [_, both] => *both = y + x,
                [_, own_y, own_x] => (*own_y, *own_x) = (y, x),
                _ => {}
            }
        }
        at[0] * counts.ones + b[0] * counts.pairs[0] + b[1] * counts.pairs[1] - counts.fields * partition
    }
}

impl Likelihood for Autologistic {
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
        "transfer-matrix"
    }

    fn log_likelihood(&mut self, at: &[f64], _noise: u64) -> Result<f64, Stop> {
        let value = self.value(at, None);
        Ok(if value.is_finite() { value } else { f64::NEG_INFINITY })
    }

    fn has_gradient(&self) -> bool {
        true
    }

    fn with_gradient(&mut self, at: &[f64], gradient: &mut [f64]) -> Result<f64, Stop> {
        let value = self.value(at, Some(gradient));
        Ok(if value.is_finite() { value } else { f64::NEG_INFINITY })
    }

    fn another(&self) -> Box<dyn Likelihood> {
        Box::new(self.clone())
    }
}

/// ln Z of `length` rows of `width` sites, with its derivatives by a, the pairs within a row and those between rows.
fn log_partition(length: usize, width: usize, a: f64, within: f64, between: f64) -> (f64, [f64; 3]) {
    let size = 1usize << width;
    // By state of the last `width` sites: the sum over all before, and its derivatives.
    let mut sums = vec![[0.0f64; 4]; size];
    sums[0][0] = 1.0;
    let (one, beside, below) = (libm::exp(a), libm::exp(within), libm::exp(between));
    let mut scale = 0.0;
    for _ in 0..length {
        for site in 0..width {
            let bit = 1usize << site;
            // Pairs of states that differ in this site lie within blocks of twice its bit.
            sums.par_chunks_mut(BLOCK.max(2 * bit)).enumerate().for_each(|(block, part)| {
                let first = block * BLOCK.max(2 * bit);
                for group in (0..part.len()).step_by(2 * bit) {
                    let (zeros, ones) = part[group..group + 2 * bit].split_at_mut(bit);
                    for (low, (zero, own)) in zeros.iter_mut().zip(ones).enumerate() {
                        let state = first + group + low;
                        let neighbour = site > 0 && state & (bit >> 1) != 0;
                        let weight = if neighbour { one * beside } else { one };
                        let (from, above) = (*zero, *own);
                        for k in 0..4 {
                            zero[k] = from[k] + above[k];
                            own[k] = weight * (from[k] + below * above[k]);
                        }
                        // The derivatives of the weights themselves.
                        let value = own[0];
                        own[1] += value;
                        own[2] += if neighbour { value } else { 0.0 };
                        own[3] += weight * below * above[0];
                    }
                }
            });
        }
        let largest = sums.par_iter().map(|s| s[0]).reduce(|| 0.0, f64::max);
        if !(largest > 0.0 && largest.is_finite()) {
            return (f64::NAN, [f64::NAN; 3]);
        }
        scale += libm::log(largest);
        sums.par_iter_mut().for_each(|s| s.iter_mut().for_each(|x| *x /= largest));
    }
    // Blocks of a fixed size in a fixed order: the same bits for any number of threads.
    let parts: Vec<[f64; 4]> = sums
        .par_chunks(BLOCK)
        .map(|part| {
            part.iter().fold([0.0; 4], |mut sum, s| {
                (0..4).for_each(|k| sum[k] += s[k]);
                sum
            })
        })
        .collect();
    let total = parts.iter().fold([0.0; 4], |mut sum, s| {
        (0..4).for_each(|k| sum[k] += s[k]);
        sum
    });
    (scale + libm::log(total[0]), [1, 2, 3].map(|k| total[k] / total[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::profile;

    /// ln Z and its derivatives by all states.
    fn enumerated(height: usize, width: usize, a: f64, b: [f64; 2]) -> (f64, [f64; 3]) {
        let sites = height * width;
        let (mut total, mut sums) = (0.0, [0.0; 3]);
        for state in 0..1u32 << sites {
            let on = |site: usize| f64::from(state >> site & 1);
            let mut counts = [0.0; 3];
            for site in 0..sites {
                counts[0] += on(site);
                counts[1] += if site + width < sites { on(site) * on(site + width) } else { 0.0 };
                counts[2] += if site % width + 1 < width { on(site) * on(site + 1) } else { 0.0 };
            }
            let weight = (a * counts[0] + b[0] * counts[1] + b[1] * counts[2]).exp();
            total += weight;
            (0..3).for_each(|k| sums[k] += weight * counts[k]);
        }
        (total.ln(), sums.map(|s| s / total))
    }

    #[test]
    fn the_sum_is_that_over_all_states() {
        for (height, width) in [(3, 3), (4, 3), (3, 4), (5, 2), (1, 6)] {
            let mut field = vec![0.0; height * width];
            field[0] = 1.0;
            let own = Autologistic::new(&field, height, width, true).unwrap();
            let (a, b) = (-0.7, [0.9, -0.4]);
            let (value, slopes) = own.log_partition(a, b);
            let (right, means) = enumerated(height, width, a, b);
            assert!((value - right).abs() < 1e-12 * right.abs().max(1.0), "{height} × {width}");
            assert!(slopes.iter().zip(means).all(|(s, m)| (s - m).abs() < 1e-11), "{slopes:?} {means:?}");
        }
    }

    #[test]
    fn the_highest_point_has_the_observed_counts() {
        let field: Vec<f64> = (0..48u32).map(|i| f64::from(u8::from((i * i + i / 7) % 5 < 2))).collect();
        let own = Autologistic::new(&field, 8, 6, false).unwrap();
        let found = profile(&own, &[], 0.95).unwrap();
        assert!(found.top.at_rest && found.top.gradient.iter().all(|s| s.abs() < 1e-5), "{}", found.text());
        let (_, means) = own.log_partition(found.top.at[0], [found.top.at[1]; 2]);
        assert!((means[0] - own.counts.ones).abs() < 1e-5);
    }

    #[test]
    fn what_has_no_such_likelihood_is_said() {
        let refused = |fields: &[f64], h: usize, w: usize| {
            Autologistic::new(fields, h, w, false).err().unwrap().to_string()
        };
        assert!(refused(&[], 3, 3).contains("no snapshot"));
        assert!(refused(&[0.0; 10], 3, 3).contains("no fields of 3 × 3"));
        assert!(refused(&[0.0, 1.0, 255.0, 0.0], 2, 2).contains("(1, 0) of snapshot 0 is 255"));
        assert!(refused(&[f64::NAN, 1.0, 1.0, 0.0], 2, 2).contains("is NaN"));
        assert!(refused(&[1.0; 4], 2, 2).contains("every site of the snapshots is 1"));
        let mut wide = vec![0.0; 30 * 30];
        wide[0] = 1.0;
        assert!(refused(&wide, 30, 30).contains("22 at most"));
    }
}
