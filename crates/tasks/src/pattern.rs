//! Decides from numbers, without an eye, whether a layer shows a pattern.
//!
//! With aₓ a layer less its mean over S sites, P(k) = |F(k)|² the power of its discrete Fourier transform, kᵢ the waves
//! along axis i of Lᵢ sites (the nearer way round, at most Lᵢ/2):
//!
//! variance = Σ a²/S; correlation = mean over axes of Σ aₓ aₓ₊₁ / Σ a²;
//! mean wave number = L Σ P(k) √Σ(kᵢ/Lᵢ)² / Σ P(k), with L = S^(1/d) the mean side and d the number of axes.
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | variance | over sites | values² |
//! | correlation | of nearest neighbours | −1..1 |
//! | mean wave number | weighted by power | cycles per lattice |
//!
//! Thresholds, for a layer of capacity N. *Pattern*: variance > 40 (N/50)² and mean wave number < 5 L/64, that is a mean
//! wavelength above 12.8 sites. They lie between what the Malevanets–Kapral model shows with and without
//! patterns (64 × 64, N = 50): after 50,000 steps variance 253 ± 54 (32 seeds; 40 lies 3.9 standard deviations below)
//! and wave number 2.3; where none forms 5 to 14 and 20 to 24.5 (white noise has 0.383 L = 24.5). *None*: no variance at
//! all, or mean wave number > L/4: no scale above four sites. Between them: *unclear*, as on the way to a
//! pattern (after 5,000 steps: 59 and 6.9).
//!
//! The *peak* of the spectrum decides nothing: on 64 × 64 it is at one wave per lattice at all times.
//!
//! ```
//! use glauber_tasks::pattern::{Criterion, PatternScore, Verdict};
//! // Broad stripes of 40 and 10, sixteen rows each.
//! let stripes: Vec<f64> = (0..64 * 64).map(|site| if site / 64 % 32 < 16 { 40.0 } else { 10.0 }).collect();
//! let score = PatternScore::of(&stripes, &[64, 64]).unwrap();
//! assert_eq!(score.variance, 225.0);
//! assert_eq!(Criterion::new(&[64, 64], 50.0).verdict(&score), Verdict::Pattern);
//! ```

use glauber_files::significant;
use glauber_lattice::Lattice;
use glauber_program::Layer;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// How patterned a layer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PatternScore {
    /// Over sites.
    pub variance: f64,
    /// Of nearest neighbours; NaN where the variance is 0.
    pub correlation: f64,
    /// Weighted by power, in cycles per lattice; NaN where the variance is 0.
    pub mean_wave_number: f64,
}

/// What a score means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A pattern.
    Pattern,
    /// Neither.
    Unclear,
    /// No pattern.
    None,
}

impl Verdict {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pattern => "pattern",
            Verdict::Unclear => "unclear",
            Verdict::None => "none",
        }
    }
}

/// Above and below what a score is a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Criterion {
    /// A pattern has a variance above it.
    pub variance: f64,
    /// A pattern has a mean wave number below it, cycles per lattice.
    pub wave_number: f64,
    /// Above this mean wave number there is none.
    pub no_scale: f64,
}

/// Why no layer of a kind, on no lattice of a shape, can show a pattern by this criterion.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoPattern {
    /// No scale to judge variances by.
    #[error(
        "layer `{layer}` holds real numbers without a range, and how strong a pattern is, is judged by the range of the \
         layer's values"
    )]
    Real {
        /// The layer.
        layer: String,
    },
    /// Numbers that only stand for names.
    #[error("layer `{layer}` holds named states, whose numbers say nothing of more and less")]
    Names {
        /// The layer.
        layer: String,
    },
    /// One value at every site.
    #[error("layer `{layer}` can only hold {value}")]
    Constant {
        /// The layer.
        layer: String,
        /// What it holds.
        value: f64,
    },
    /// A lattice shorter than a wave.
    #[error(
        "on a lattice of {lattice} no wave is longer than {longest} sites, and a pattern is one of waves above \
         {WAVE_LENGTH} sites"
    )]
    Small {
        /// The lattice.
        lattice: String,
        /// Its longest side.
        longest: usize,
    },
}

/// A pattern's mean wave is longer, sites.
const WAVE_LENGTH: f64 = 12.8;

impl Criterion {
    /// For the values of a layer on a lattice.
    ///
    /// # Errors
    /// [`NoPattern`] where they cannot show any.
    ///
    /// ```
    /// use glauber_lattice::{Lattice, Values};
    /// use glauber_program::Layer;
    /// use glauber_tasks::pattern::Criterion;
    /// let layer = Layer::new("prey", Values::integers(0, 50));
    /// assert!(Criterion::of_layer(&layer, &Lattice::square(64)).is_ok());
    /// assert!(Criterion::of_layer(&layer, &Lattice::square(12)).is_err());
    /// ```
    pub fn of_layer(layer: &Layer, lattice: &Lattice) -> Result<Criterion, NoPattern> {
        let name = layer.name.clone();
        let (lowest, highest) = layer.values.range();
        if layer.is_nominal() {
            return Err(NoPattern::Names { layer: name });
        }
        if !(lowest.is_finite() && highest.is_finite()) {
            return Err(NoPattern::Real { layer: name });
        }
        if lowest >= highest {
            return Err(NoPattern::Constant { layer: name, value: lowest });
        }
        let longest = lattice.shape().iter().copied().max().unwrap_or(0);
        if longest as f64 <= WAVE_LENGTH {
            return Err(NoPattern::Small { lattice: lattice.to_string(), longest });
        }
        Ok(Criterion::new(lattice.shape(), highest - lowest))
    }

    /// For a layer of values 0..capacity on a lattice of this shape.
    pub fn new(shape: &[usize], capacity: f64) -> Criterion {
        let side = mean_side(shape);
        Criterion {
            variance: 40.0 * (capacity / 50.0).powi(2),
            wave_number: 5.0 * side / 64.0,
            no_scale: side / 4.0,
        }
    }

    /// What a score means.
    pub fn verdict(&self, score: &PatternScore) -> Verdict {
        if score.variance > self.variance && score.mean_wave_number < self.wave_number {
            Verdict::Pattern
        } else if score.mean_wave_number.is_nan() || score.mean_wave_number > self.no_scale {
            Verdict::None
        } else {
            Verdict::Unclear
        }
    }

    /// The verdict with its reasons, in words.
    pub fn words(&self, score: &PatternScore) -> String {
        if score.mean_wave_number.is_nan() {
            return "no pattern (every site alike)".to_string();
        }
        let size = |x: f64| if x >= 1.0 { format!("{x:.1}") } else { significant(x, 2) };
        let verdict = match self.verdict(score) {
            Verdict::Pattern => "a pattern",
            Verdict::Unclear => "neither a clear pattern nor none",
            Verdict::None => "no pattern",
        };
        format!(
            "{verdict} (variance {}, a pattern has above {}; mean wave number {:.1} cycles per lattice, a pattern has below {:.1})",
            size(score.variance),
            significant(self.variance, 2),
            score.mean_wave_number,
            self.wave_number
        )
    }
}

impl PatternScore {
    /// Of the values of a layer, in C order. `None` where they are not as many as the shape has sites, or none.
    pub fn of(values: &[f64], shape: &[usize]) -> Option<PatternScore> {
        let sites = shape.iter().try_fold(1usize, |product, n| product.checked_mul(*n))?;
        if sites == 0 || values.len() != sites {
            return None;
        }
        let mean = values.iter().sum::<f64>() / sites as f64;
        let apart: Vec<f64> = values.iter().map(|x| x - mean).collect();
        let squares: f64 = apart.iter().map(|a| a * a).sum();
        let constant = squares <= 1e-24 * mean * mean * sites as f64;
        if constant {
            return Some(PatternScore { variance: 0.0, correlation: f64::NAN, mean_wave_number: f64::NAN });
        }
        let correlation = neighbour_products(&apart, shape) / squares;
        Some(PatternScore {
            variance: squares / sites as f64,
            correlation,
            mean_wave_number: wave_number(&apart, shape),
        })
    }
}

/// The side of a lattice of as many sites with all sides alike.
fn mean_side(shape: &[usize]) -> f64 {
    let sites: f64 = shape.iter().map(|n| *n as f64).product();
    sites.powf(1.0 / shape.len().max(1) as f64)
}

/// The stride of every axis.
fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect()
}

/// Σ aₓ aₓ₊₁ over sites, averaged over the axes, periodic.
fn neighbour_products(apart: &[f64], shape: &[usize]) -> f64 {
    let mut total = 0.0;
    for (stride, n) in strides(shape).into_iter().zip(shape) {
        for (site, a) in apart.iter().enumerate() {
            let place = site / stride % n;
            let next = if place + 1 == *n { site - place * stride } else { site + stride };
            total += a * apart[next];
        }
    }
    total / shape.len() as f64
}

fn wave_number(apart: &[f64], shape: &[usize]) -> f64 {
    let mut numbers: Vec<Complex<f64>> = apart.iter().map(|a| Complex::new(*a, 0.0)).collect();
    let mut planner = FftPlanner::new();
    let strides = strides(shape);
    for (stride, &n) in strides.iter().zip(shape) {
        let transform = planner.plan_fft_forward(n);
        let mut line = vec![Complex::new(0.0, 0.0); n];
        for first in (0..numbers.len()).filter(|site| site / stride % n == 0) {
            for (i, x) in line.iter_mut().enumerate() {
                *x = numbers[first + i * stride];
            }
            transform.process(&mut line);
            for (i, x) in line.iter().enumerate() {
                numbers[first + i * stride] = *x;
            }
        }
    }
    let (mut weighted, mut power) = (0.0, 0.0);
    for (site, number) in numbers.iter().enumerate() {
        let cycles = strides.iter().zip(shape).map(|(stride, &n)| {
            let k = site / stride % n;
            k.min(n - k) as f64 / n as f64
        });
        let per_site = cycles.map(|c| c * c).sum::<f64>().sqrt();
        weighted += number.norm_sqr() * per_site;
        power += number.norm_sqr();
    }
    mean_side(shape) * weighted / power
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use glauber_numbers::noise::{Purpose, derive_seed};

    fn wave(shape: [usize; 2], k: [f64; 2]) -> Vec<f64> {
        let turn = std::f64::consts::TAU;
        let at = |site: usize| {
            let (y, x) =
                ((site / shape[1]) as f64 / shape[0] as f64, (site % shape[1]) as f64 / shape[1] as f64);
            25.0 + 20.0 * (turn * (k[0] * y + k[1] * x)).cos()
        };
        (0..shape[0] * shape[1]).map(at).collect()
    }

    #[test]
    fn a_wave_has_its_own_wave_number_variance_and_correlation() {
        let score = PatternScore::of(&wave([64, 64], [3.0, 4.0]), &[64, 64]).unwrap();
        assert!((score.mean_wave_number - 5.0).abs() < 1e-9, "{score:?}");
        assert!((score.variance - 200.0).abs() < 1e-9, "{score:?}");
        let turn = std::f64::consts::TAU / 64.0;
        let right = 0.5 * ((3.0 * turn).cos() + (4.0 * turn).cos());
        assert!((score.correlation - right).abs() < 1e-9, "{score:?}");
    }

    #[test]
    fn wave_numbers_are_counted_along_the_mean_side() {
        // Two cycles along 32 sites are as dense as four along 64.
        let score = PatternScore::of(&wave([32, 128], [2.0, 0.0]), &[32, 128]).unwrap();
        assert!((score.mean_wave_number - 4.0).abs() < 1e-9, "{score:?}");
        assert!((Criterion::new(&[32, 128], 50.0).wave_number - 5.0).abs() < 1e-12);
    }

    #[test]
    fn noise_and_constants_are_none() {
        let criterion = Criterion::new(&[64, 64], 50.0);
        let mut word = 1u64;
        let noise: Vec<f64> = (0..4096)
            .map(|i| {
                word = derive_seed(word, Purpose::Check, i);
                (word >> 40) as f64 / (1u64 << 24) as f64 * 50.0
            })
            .collect();
        let score = PatternScore::of(&noise, &[64, 64]).unwrap();
        // 0.38260 L for white noise; its standard error is sd(|k|) / √(4096/2) = 9.1/45 = 0.2; five of them.
        assert!((score.mean_wave_number - 24.49).abs() < 1.0, "{score:?}");
        assert!(score.variance > criterion.variance);
        assert_eq!(criterion.verdict(&score), Verdict::None);
        let score = PatternScore::of(&[0.1; 4096], &[64, 64]).unwrap();
        assert_eq!((score.variance, criterion.verdict(&score)), (0.0, Verdict::None));
    }

    #[test]
    fn the_models_own_numbers_are_judged_as_documented() {
        let criterion = Criterion::new(&[64, 64], 50.0);
        let judge = |variance, mean_wave_number| {
            criterion.verdict(&PatternScore { variance, correlation: 0.5, mean_wave_number })
        };
        assert_eq!(judge(253.0, 2.3), Verdict::Pattern);
        assert_eq!(judge(85.0, 2.6), Verdict::Pattern);
        assert_eq!(judge(59.2, 6.9), Verdict::Unclear);
        assert_eq!(judge(37.7, 10.3), Verdict::Unclear);
        assert_eq!(judge(5.5, 21.0), Verdict::None);
    }

    #[test]
    fn thresholds_follow_capacity_and_size() {
        let criterion = Criterion::new(&[512, 512], 100.0);
        assert_eq!((criterion.variance, criterion.wave_number), (160.0, 40.0));
    }

    #[test]
    fn a_wrong_number_of_values_has_no_score() {
        assert!(PatternScore::of(&[1.0; 5], &[2, 2]).is_none());
        assert!(PatternScore::of(&[], &[0, 4]).is_none());
    }
}
