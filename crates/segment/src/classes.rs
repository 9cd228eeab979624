//! Lets each pixel vote for the class whose mean grey value is nearer: the data term of Chan and Vese.
//!
//! ```text
//! v_x = clip( −2 (z_x − μ₀ − t δ) / δ, −2, 2 ),    δ = max(μ₁ − μ₀, least_contrast · global contrast)
//! ```
//!
//! - z: the reference; μ₁, μ₀: mean of z over the present foreground and background, either of the whole
//!   image or of a square window around the pixel; t: `balance`; v < 0 pulls X up.
//!
//! With t = ½ and no clipping, v = ((z − μ₁)² − (z − μ₀)²) / δ²: Chan and Vese (2001), in units of the
//! contrast. Departures: the balance (their weights λ₁, λ₂ serve the same end; a threshold below ½ fits objects that
//! are dimmer at their edge), the clipping, so that no pixel outvotes its neighbours by brightness alone, and
//! windowed means (as Lankton and Tannenbaum 2008) against uneven light. In windows without a class its mean
//! is taken from the global one (each window counts as holding 2 % of it).
//!
//! The votes depend on X, but are held fixed between updates: the descent alternates between X and the means,
//! as Chan and Vese do. The energy's derivative is exact for fixed votes.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::SegmentationError;
use super::error::check_setting;
use super::number::Number;

/// The share of a window that the global means stand for.
const PRIOR_SHARE: f64 = 0.02;
/// Rows that share one start of the running sums; fixed, so that results do not depend on the number of threads.
const ROWS_PER_BAND: usize = 64;
/// A contrast below this (z has variance 1) tells no classes apart.
const NO_CONTRAST: f64 = 1e-3;

/// Half the side of the windows, in pixels: a window has (2 r + 1)² pixels, fewer at the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassWindows {
    /// For the foreground's mean, 1 to 4,096.
    pub foreground: usize,
    /// For the background's mean, 1 to 4,096.
    pub background: usize,
}

/// How class means are taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassStatistics {
    /// Windows, or the whole image.
    pub windows: Option<ClassWindows>,
    /// Where between the class means the border lies, in (0, 1): ½ is the middle, less lets dim edges in.
    pub balance: f64,
    /// The least contrast within a window, as a share of the image's, in [0, 1].
    pub least_contrast: f64,
    /// Steps between two updates of the means, at least 1.
    pub every: u64,
}

impl Default for ClassStatistics {
    /// Chan and Vese's: means of the whole image, the border in the middle, updated every step.
    fn default() -> Self {
        ClassStatistics { windows: None, balance: 0.5, least_contrast: 0.5, every: 1 }
    }
}

/// Mean of the reference over each class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassMeans {
    /// Over the pixels above the threshold.
    pub foreground: f64,
    /// Over the others.
    pub background: f64,
}

impl ClassStatistics {
    /// Fails on settings outside their ranges.
    pub fn check(&self) -> Result<(), SegmentationError> {
        check_setting("balance", self.balance, (1e-3, 0.999), "lie in 0.001 to 0.999")?;
        check_setting("least_contrast", self.least_contrast, (0.0, 1.0), "lie in 0 to 1")?;
        check_setting("every", self.every as f64, (1.0, 1e9), "be at least 1 step")?;
        if let Some(windows) = self.windows {
            for radius in [windows.foreground, windows.background] {
                check_setting("class window", radius as f64, (1.0, 4096.0), "be 1 to 4,096 pixels")?;
            }
        }
        Ok(())
    }
}

/// Fills `votes` for the field `x` and its reference `z`, planes of `width` columns. Returns the global means, or
/// nothing (and leaves the votes) where one class is empty or no brighter than the other.
pub(super) fn update_votes<T: Number>(
    statistics: &ClassStatistics,
    (x, z): (&[T], &[T]),
    width: usize,
    threshold: T,
    votes: &mut [T],
) -> Option<ClassMeans> {
    let means = global_means(x, z, width, threshold)?;
    let contrast = means.foreground - means.background;
    if contrast < NO_CONTRAST {
        return None;
    }
    let vote = |z: f64, foreground: f64, background: f64| {
        let contrast = (foreground - background).max(statistics.least_contrast * contrast).max(NO_CONTRAST);
        T::from_f64((-2.0 * (z - background - statistics.balance * contrast) / contrast).clamp(-2.0, 2.0))
    };
    let Some(windows) = statistics.windows else {
        votes.par_iter_mut().zip(z).with_min_len(1 << 14).for_each(|(out, z)| {
            *out = vote(z.to_f64(), means.foreground, means.background);
        });
        return Some(means);
    };
    votes.par_chunks_mut(ROWS_PER_BAND * width).enumerate().for_each(|(band, rows)| {
        let first = band * ROWS_PER_BAND;
        let mut inside = WindowSums::new((x, z), width, (first, windows.foreground), |x| x > threshold);
        let mut outside = WindowSums::new((x, z), width, (first, windows.background), |x| x <= threshold);
        for (k, row) in rows.chunks_exact_mut(width).enumerate() {
            inside.sum_row(first + k);
            outside.sum_row(first + k);
            let z_row = &z[(first + k) * width..][..width];
            let sums = inside.sums.iter().zip(&outside.sums);
            for ((out, z), (&[prior1, n1, s1], &[prior0, n0, s0])) in row.iter_mut().zip(z_row).zip(sums) {
                let background = (s0 + prior0 * means.background) / (n0 + prior0);
                let foreground = (s1 + prior1 * (background + contrast)) / (n1 + prior1);
                *out = vote(z.to_f64(), foreground, background);
            }
        }
    });
    Some(means)
}

fn global_means<T: Number>(x: &[T], z: &[T], width: usize, threshold: T) -> Option<ClassMeans> {
    let of_rows: Vec<[f64; 4]> = x
        .par_chunks_exact(width)
        .zip(z.par_chunks_exact(width))
        .map(|(x, z)| {
            x.iter().zip(z).fold([0.0; 4], |mut sums, (&x, z)| {
                let class = 2 * usize::from(x > threshold);
                sums[class] += 1.0;
                sums[class + 1] += z.to_f64();
                sums
            })
        })
        .collect();
    let sum = |k: usize| of_rows.iter().map(|sums| sums[k]).sum::<f64>();
    let (outside, inside) = (sum(0), sum(2));
    (outside > 0.0 && inside > 0.0)
        .then(|| ClassMeans { foreground: sum(3) / inside, background: sum(1) / outside })
}

/// Sums of a class over square windows, moved down row by row.
struct WindowSums<'a, T, F> {
    planes: (&'a [T], &'a [T]),
    radius: usize,
    belongs: F,
    /// Rows summed in `columns`.
    rows: std::ops::Range<usize>,
    /// Per column: pixels of the class, and their z, over `rows`.
    columns: Vec<(f64, f64)>,
    /// Per pixel of the row: what the prior counts for, pixels of the class, and their z, over its window.
    sums: Vec<[f64; 3]>,
}

impl<'a, T: Number, F: Fn(T) -> bool> WindowSums<'a, T, F> {
    fn new(planes: (&'a [T], &'a [T]), width: usize, (first, radius): (usize, usize), belongs: F) -> Self {
        let start = first.saturating_sub(radius);
        let (columns, sums) = (vec![(0.0, 0.0); width], vec![[0.0; 3]; width]);
        WindowSums { planes, radius, belongs, rows: start..start, columns, sums }
    }

    /// Fills `sums` for row `r`; rows come in order.
    fn sum_row(&mut self, r: usize) {
        let width = self.columns.len();
        let height = self.planes.0.len() / width;
        while self.rows.end < (r + self.radius + 1).min(height) {
            self.add_row(self.rows.end, 1.0);
            self.rows.end += 1;
        }
        while self.rows.start + self.radius < r {
            self.add_row(self.rows.start, -1.0);
            self.rows.start += 1;
        }
        let (mut count, mut sum) = (0.0, 0.0);
        let (mut start, mut end) = (0, 0);
        for c in 0..width {
            while end < (c + self.radius + 1).min(width) {
                count += self.columns[end].0;
                sum += self.columns[end].1;
                end += 1;
            }
            while start + self.radius < c {
                count -= self.columns[start].0;
                sum -= self.columns[start].1;
                start += 1;
            }
            self.sums[c] = [PRIOR_SHARE * ((end - start) * self.rows.len()) as f64, count, sum];
        }
    }

    fn add_row(&mut self, r: usize, sign: f64) {
        let width = self.columns.len();
        let (x, z) = (&self.planes.0[r * width..][..width], &self.planes.1[r * width..][..width]);
        for ((column, &x), z) in self.columns.iter_mut().zip(x).zip(z) {
            let one = if (self.belongs)(x) { sign } else { 0.0 };
            column.0 += one;
            column.1 += one * z.to_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The votes the obvious way.
    fn plain_votes(statistics: &ClassStatistics, x: &[f64], z: &[f64], width: usize) -> Vec<f64> {
        let height = x.len() / width;
        let mean = |class: bool, near: &dyn Fn(usize) -> bool| {
            let members: Vec<usize> = (0..x.len()).filter(|&k| near(k) && (x[k] > 0.5) == class).collect();
            let area = (0..x.len()).filter(|&k| near(k)).count() as f64;
            (members.len() as f64 / area, members.iter().map(|&k| z[k]).sum::<f64>() / area)
        };
        let whole = |class| {
            let (share, sum) = mean(class, &|_| true);
            sum / share
        };
        let contrast = whole(true) - whole(false);
        (0..height * width)
            .map(|at| {
                let (mut m1, mut m0) = (whole(true), whole(false));
                if let Some(windows) = statistics.windows {
                    let near = |radius: usize| {
                        move |k: usize| {
                            (k / width).abs_diff(at / width) <= radius
                                && (k % width).abs_diff(at % width) <= radius
                        }
                    };
                    let (n0, s0) = mean(false, &near(windows.background));
                    let (n1, s1) = mean(true, &near(windows.foreground));
                    m0 = (s0 + 0.02 * m0) / (n0 + 0.02);
                    m1 = (s1 + 0.02 * (m0 + contrast)) / (n1 + 0.02);
                }
                let delta = (m1 - m0).max(statistics.least_contrast * contrast);
                (-2.0 * (z[at] - m0 - statistics.balance * delta) / delta).clamp(-2.0, 2.0)
            })
            .collect()
    }

    fn noise(n: usize, mut state: u64) -> Vec<f64> {
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 11) as f64 / (1u64 << 53) as f64
            })
            .collect()
    }

    #[test]
    fn running_sums_agree_with_the_obvious_way() {
        for (height, width, windows) in [
            (5, 7, None),
            (9, 4, Some((1, 2))),
            (150, 11, Some((3, 40))),
            (1, 20, Some((2, 5))),
            (3, 3, Some((9, 9))),
        ] {
            let x = noise(height * width, 3);
            let z: Vec<f64> = noise(height * width, 4).iter().zip(&x).map(|(n, x)| n + x).collect();
            let windows = windows.map(|(foreground, background)| ClassWindows { foreground, background });
            let statistics = ClassStatistics { windows, balance: 0.4, ..ClassStatistics::default() };
            let mut votes = vec![0.0; x.len()];
            assert!(update_votes(&statistics, (&x, &z), width, 0.5, &mut votes).is_some());
            let wanted = plain_votes(&statistics, &x, &z, width);
            let worst = votes.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-10, "{height} × {width}: {worst}");
        }
    }

    #[test]
    fn in_the_middle_the_votes_are_those_of_chan_and_vese() {
        let (x, z) = ([1.0, 1.0, 0.0, 0.0], [1.2, 0.8, -0.9, -1.1]);
        let mut votes = [0.0; 4];
        let means = update_votes(&ClassStatistics::default(), (&x, &z), 4, 0.5, &mut votes).unwrap();
        assert!((means.foreground - 1.0).abs() < 1e-12 && (means.background + 1.0).abs() < 1e-12);
        for (vote, z) in votes.iter().zip(z) {
            let plain = ((z - means.foreground).powi(2) - (z - means.background).powi(2)) / 4.0;
            assert!((vote - plain).abs() < 1e-12, "{vote} {plain}");
        }
    }

    #[test]
    fn an_empty_class_leaves_the_votes() {
        let mut votes = [0.25f64; 3];
        let z = [0.0, 1.0, 2.0];
        assert!(update_votes(&ClassStatistics::default(), (&[0.0; 3], &z), 3, 0.5, &mut votes).is_none());
        assert!(update_votes(&ClassStatistics::default(), (&[1.0; 3], &z), 3, 0.5, &mut votes).is_none());
        // The "foreground" is the darker class: nothing to learn from it.
        assert!(
            update_votes(&ClassStatistics::default(), (&[1.0, 0.0, 0.0], &z), 3, 0.5, &mut votes).is_none()
        );
        assert!(votes.iter().all(|v| (v - 0.25).abs() < 1e-15));
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let bad = |statistics: ClassStatistics| statistics.check().unwrap_err().to_string();
        let fine = ClassStatistics::default();
        assert!(fine.check().is_ok());
        assert!(bad(ClassStatistics { balance: f64::NAN, ..fine }).contains("balance"));
        assert!(bad(ClassStatistics { every: 0, ..fine }).contains("every"));
        let windows = Some(ClassWindows { foreground: 0, background: 3 });
        assert!(bad(ClassStatistics { windows, ..fine }).contains("class window"));
    }
}
