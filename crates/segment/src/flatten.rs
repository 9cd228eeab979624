//! Removes uneven illumination: subtracts a smooth surface fitted to the background.
//!
//! ```text
//! background(r, c) = Σ a_jk P_j(y) P_k(x),  j + k ≤ degree;     flattened = grey − background
//! ```
//!
//! - y, x: row and column stretched to (−1, 1); P_j: Legendre polynomials; a: least squares over background
//!   pixels.
//!
//! Which pixels are background is found by repeating: fit, then drop pixels whose residual lies more than 2 robust
//! standard deviations above or 3 below the median (objects being brighter than the ground). The robust
//! standard deviation is 1.4826 times the median absolute deviation. At most 65,536 pixels, evenly spread,
//! enter the fit.
//!
//! Valid for light that falls off smoothly over the whole image; not for shadows with edges, nor where
//! objects cover nearly everything, so that no background is left to fit.

use super::{GreyImage, SegmentationError};

/// The greatest degree of the surface.
pub const GREATEST_DEGREE: u8 = 4;

/// Pixels that enter the fit at most.
const SAMPLE: usize = 1 << 16;
/// Fits with ever fewer object pixels.
const ROUNDS: usize = 6;

/// The surface of `degree` 0 to 4, one number per pixel. With `objects_excluded` bright objects are left out
/// of the fit; otherwise all pixels enter.
pub(super) fn background(
    image: &GreyImage,
    degree: u8,
    objects_excluded: bool,
) -> Result<Vec<f64>, SegmentationError> {
    if degree > GREATEST_DEGREE {
        let must = "be a degree from 0 to 4";
        return Err(SegmentationError::Setting { name: "flatten", found: degree.to_string(), must });
    }
    let basis = Basis::new(image.height(), image.width(), usize::from(degree));
    let mut sample: Vec<(f64, Vec<f64>)> = sample_places(image.height(), image.width())
        .map(|(r, c)| (image.values()[r * image.width() + c], basis.at(r, c)))
        .collect();
    let mut coefficients = least_squares(&sample, basis.terms());
    if objects_excluded {
        for _ in 1..ROUNDS {
            let residuals: Vec<f64> =
                sample.iter().map(|(grey, row)| grey - dot(row, &coefficients)).collect();
            let middle = median(residuals.clone());
            let spread = 1.4826 * median(residuals.iter().map(|r| (r - middle).abs()).collect());
            let kept: Vec<(f64, Vec<f64>)> = sample
                .iter()
                .zip(&residuals)
                .filter(|(_, r)| (middle - 3.0 * spread..=middle + 2.0 * spread).contains(*r))
                .map(|(pixel, _)| pixel.clone())
                .collect();
            if kept.len() < 8 * basis.terms() || kept.len() == sample.len() {
                break;
            }
            sample = kept;
            coefficients = least_squares(&sample, basis.terms());
        }
    }
    Ok(basis.surface(&coefficients))
}

/// Pixels on a regular grid, at most about [`SAMPLE`] of them, as (row, column).
pub(super) fn sample_places(height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut stride = 1;
    while height.div_ceil(stride) * width.div_ceil(stride) > SAMPLE {
        stride += 1;
    }
    (0..height).step_by(stride).flat_map(move |r| (0..width).step_by(stride).map(move |c| (r, c)))
}

/// The middle value (the upper one of two); 0 of nothing.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Products of Legendre polynomials of rows and columns.
struct Basis {
    by_row: Vec<Vec<f64>>,
    by_column: Vec<Vec<f64>>,
    degrees: Vec<(usize, usize)>,
}

impl Basis {
    fn new(height: usize, width: usize, degree: usize) -> Basis {
        let degrees = (0..=degree).flat_map(|j| (0..=degree - j).map(move |k| (j, k))).collect();
        let along = |length: usize| -> Vec<Vec<f64>> {
            (0..length).map(|i| legendre((2 * i + 1) as f64 / length as f64 - 1.0, degree)).collect()
        };
        Basis { by_row: along(height), by_column: along(width), degrees }
    }

    fn terms(&self) -> usize {
        self.degrees.len()
    }

    fn at(&self, row: usize, column: usize) -> Vec<f64> {
        self.degrees.iter().map(|&(j, k)| self.by_row[row][j] * self.by_column[column][k]).collect()
    }

    fn surface(&self, coefficients: &[f64]) -> Vec<f64> {
        let degree = self.degrees.iter().map(|d| d.1).max().unwrap_or(0);
        let mut values = Vec::with_capacity(self.by_row.len() * self.by_column.len());
        for row in &self.by_row {
            // Along a row the surface is one polynomial of the column.
            let mut of_column = vec![0.0; degree + 1];
            for (&(j, k), a) in self.degrees.iter().zip(coefficients) {
                of_column[k] += a * row[j];
            }
            values.extend(self.by_column.iter().map(|column| dot(column, &of_column)));
        }
        values
    }
}

/// P₀(t) … P_degree(t) by Bonnet's recursion.
fn legendre(t: f64, degree: usize) -> Vec<f64> {
    let mut values = vec![1.0, t];
    for n in 1..degree {
        let n1 = n as f64;
        values.push(((2.0 * n1 + 1.0) * t * values[n] - n1 * values[n - 1]) / (n1 + 1.0));
    }
    values.truncate(degree + 1);
    values
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves the normal equations by elimination with pivots on the diagonal; a term that the sampled pixels
/// cannot tell from the others (as the row's, in an image of one row) gets 0.
fn least_squares(sample: &[(f64, Vec<f64>)], terms: usize) -> Vec<f64> {
    let mut normal = vec![vec![0.0; terms + 1]; terms];
    for (grey, row) in sample {
        for (j, equation) in normal.iter_mut().enumerate() {
            for k in 0..terms {
                equation[k] += row[j] * row[k];
            }
            equation[terms] += row[j] * grey;
        }
    }
    let least_pivot = 1e-9 * sample.len() as f64;
    let mut pivots: Vec<usize> = Vec::new();
    loop {
        let free = (0..terms).filter(|j| !pivots.contains(j));
        let Some(pivot) = free.max_by(|&a, &b| normal[a][a].total_cmp(&normal[b][b])) else { break };
        if normal[pivot][pivot] <= least_pivot {
            break;
        }
        let by = normal[pivot].clone();
        for (j, equation) in normal.iter_mut().enumerate() {
            if j != pivot {
                let factor = equation[pivot] / by[pivot];
                equation.iter_mut().zip(&by).for_each(|(value, other)| *value -= factor * other);
            }
        }
        pivots.push(pivot);
    }
    let mut solution = vec![0.0; terms];
    pivots.into_iter().for_each(|p| solution[p] = normal[p][terms] / normal[p][p]);
    solution
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn image(height: usize, width: usize, grey: impl Fn(f64, f64) -> f64) -> GreyImage {
        let values = (0..height * width)
            .map(|at| {
                grey((at / width) as f64 / height as f64, (at % width) as f64 / width as f64).clamp(0.0, 1.0)
            })
            .collect();
        GreyImage::new(height, width, values).unwrap()
    }

    #[test]
    fn a_surface_of_the_basis_is_found_exactly_for_any_shape() {
        for (height, width) in [(40, 50), (1, 30), (30, 1), (2, 2), (1, 1), (300, 400)] {
            let smooth = image(height, width, |y, x| 0.3 + 0.2 * y - 0.1 * x + 0.15 * x * y + 0.05 * x * x);
            let found = background(&smooth, 2, true).unwrap();
            let worst = found.iter().zip(smooth.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-9, "{height} × {width}: {worst}");
        }
    }

    #[test]
    fn bright_objects_do_not_lift_the_background() {
        let ground = |y: f64, x: f64| 0.1 + 0.3 * x + 0.1 * y * y;
        let object = |y: f64, x: f64| (10.0 * y).fract() < 0.4 && (8.0 * x).fract() < 0.5; // 1/5 of the area
        let spotted = image(100, 120, |y, x| ground(y, x) + if object(y, x) { 0.4 } else { 0.0 });
        let clean = image(100, 120, ground);
        let found = background(&spotted, 2, true).unwrap();
        let worst = found.iter().zip(clean.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-6, "{worst}");
        let naive = background(&spotted, 2, false).unwrap();
        assert!(naive.iter().zip(clean.values()).any(|(a, b)| (a - b).abs() > 0.05));
    }

    #[test]
    fn too_high_a_degree_is_refused() {
        assert!(background(&image(4, 4, |_, x| x), 5, true).unwrap_err().to_string().contains("flatten"));
    }
}
