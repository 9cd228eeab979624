//! Says how the numbers taken of tracks depend on coefficients: a parabola for each of them, fitted to simulations about a place.
//!
//! ```text
//! s_k(u) = Σ_j c_kj φ_j(u),   φ = 1, u_i, u_i u_j (i ≤ j),   u = (x − centre) / width, each axis
//! ```
//!
//! by least squares over all simulations near by, so that their noise is averaged: a value at u has h(u) = φᵀ(ΦᵀΦ)⁻¹φ of one
//! simulation's variance.

use crate::linear::{cholesky, inverse, product};

/// Where a simulation was made, and what it came to.
#[derive(Clone, Debug)]
pub(crate) struct Simulated {
    /// On the scale of the search.
    pub(crate) place: Vec<f64>,
    pub(crate) values: Vec<f64>,
    /// For data of their size.
    pub(crate) covariance: Vec<f64>,
}

/// Parabolas about a place.
#[derive(Clone, Debug)]
pub(crate) struct Surface {
    pub(crate) centre: Vec<f64>,
    pub(crate) width: Vec<f64>,
    /// By number, then by term.
    coefficients: Vec<Vec<f64>>,
    /// (ΦᵀΦ)⁻¹.
    spread: Vec<f64>,
    terms: usize,
    /// Mean covariance of the simulations, for data of their size.
    pub(crate) covariance: Vec<f64>,
    /// The variance of what is left over, as a multiple of the simulations' own.
    pub(crate) left_over: f64,
}

/// How many terms a parabola of so many axes has.
pub(crate) fn terms(axes: usize) -> usize {
    1 + axes + axes * (axes + 1) / 2
}

/// The terms at u.
fn basis(u: &[f64]) -> Vec<f64> {
    let pairs = (0..u.len()).flat_map(|i| (i..u.len()).map(move |j| (i, j)));
    std::iter::once(1.0).chain(u.iter().copied()).chain(pairs.map(|(i, j)| u[i] * u[j])).collect()
}

impl Surface {
    /// Of the simulations near the centre; `share` is the variance of one of them as a multiple of that of the data. None where they
    /// are too few.
    pub(crate) fn fitted(
        simulated: &[&Simulated],
        centre: &[f64],
        width: &[f64],
        share: f64,
    ) -> Option<Surface> {
        let terms = terms(centre.len());
        let numbers = simulated.first()?.values.len();
        if simulated.len() <= terms {
            return None;
        }
        let rows: Vec<Vec<f64>> =
            simulated.iter().map(|one| basis(&scaled(&one.place, centre, width))).collect();
        let mut square = vec![0.0; terms * terms];
        for row in &rows {
            for (i, a) in row.iter().enumerate() {
                for (j, b) in row.iter().enumerate() {
                    square[i * terms + j] += a * b;
                }
            }
        }
        let spread = inverse(&cholesky(&square, terms)?, terms);
        let of = |number: usize| {
            let right: Vec<f64> = (0..terms)
                .map(|term| rows.iter().zip(simulated).map(|(row, one)| row[term] * one.values[number]).sum())
                .collect();
            product(&spread, terms, &right)
        };
        let coefficients: Vec<Vec<f64>> = (0..numbers).map(of).collect();
        let count = simulated.len() as f64;
        let covariance: Vec<f64> = (0..numbers * numbers)
            .map(|place| simulated.iter().map(|one| one.covariance[place]).sum::<f64>() / count)
            .collect();
        // What is left over beside what noise leaves, all numbers taken together.
        let free = (simulated.len() - terms) as f64;
        let ratios = (0..numbers).map(|number| {
            let rest: f64 = rows
                .iter()
                .zip(simulated)
                .map(|(row, one)| (one.values[number] - dot(row, &coefficients[number])).powi(2))
                .sum();
            rest / free / (share * covariance[number * numbers + number]).max(f64::MIN_POSITIVE)
        });
        let left_over = (ratios.sum::<f64>() / numbers as f64).max(1.0);
        let (centre, width) = (centre.to_vec(), width.to_vec());
        Some(Surface { centre, width, coefficients, spread, terms, covariance, left_over })
    }

    /// The numbers at u.
    pub(crate) fn values(&self, u: &[f64]) -> Vec<f64> {
        let basis = basis(u);
        self.coefficients.iter().map(|own| dot(own, &basis)).collect()
    }

    /// Their derivatives by u: by number, then by axis.
    pub(crate) fn slopes(&self, u: &[f64]) -> Vec<Vec<f64>> {
        let axes = u.len();
        let of = |own: &Vec<f64>| {
            let mut slopes = own[1..=axes].to_vec();
            let mut term = 1 + axes;
            for i in 0..axes {
                for j in i..axes {
                    slopes[i] += own[term] * u[j];
                    slopes[j] += own[term] * u[i];
                    term += 1;
                }
            }
            slopes
        };
        self.coefficients.iter().map(of).collect()
    }

    /// h(u).
    pub(crate) fn share_of_noise(&self, u: &[f64]) -> f64 {
        let basis = basis(u);
        dot(&basis, &product(&self.spread, self.terms, &basis))
    }
}

/// u of a place.
pub(crate) fn scaled(place: &[f64], centre: &[f64], width: &[f64]) -> Vec<f64> {
    place.iter().zip(centre).zip(width).map(|((x, c), w)| (x - c) / w).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_is_found_as_it_is() {
        let right = |x: f64, y: f64| 1.0 + 2.0 * x - y + 0.5 * x * x - 0.25 * x * y + 3.0 * y * y;
        let points: Vec<Simulated> = (0..12)
            .map(|i| (f64::from(i % 4), f64::from(i / 4)))
            .map(|(x, y)| Simulated { place: vec![x, y], values: vec![right(x, y)], covariance: vec![1.0] })
            .collect();
        let all: Vec<&Simulated> = points.iter().collect();
        let surface = Surface::fitted(&all, &[1.0, 1.0], &[2.0, 3.0], 1.0).unwrap();
        let u = scaled(&[2.5, 0.5], &surface.centre, &surface.width);
        assert!((surface.values(&u)[0] - right(2.5, 0.5)).abs() < 1e-10);
        // By x 2 + x − y / 4, by y −1 − x / 4 + 6 y, times the widths.
        let slopes = &surface.slopes(&u)[0];
        assert!(
            (slopes[0] - 2.0 * 4.375).abs() < 1e-9 && (slopes[1] - 3.0 * 1.375).abs() < 1e-9,
            "{slopes:?}"
        );
        let sum: f64 =
            points.iter().map(|p| surface.share_of_noise(&scaled(&p.place, &[1.0, 1.0], &[2.0, 3.0]))).sum();
        // The trace of a projection is its rank.
        assert!((sum - 6.0).abs() < 1e-9, "{sum}");
        assert!(Surface::fitted(&all[..6], &[1.0, 1.0], &[2.0, 3.0], 1.0).is_none());
    }
}
