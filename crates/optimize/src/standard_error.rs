//! Turns an observed information matrix into standard errors.
//!
//! SE(θᵢ) = √((I⁻¹)ᵢᵢ), with I the second derivatives of −ln likelihood at its minimum.
//!
//! The inverse is by Cholesky's factorisation, so a matrix that is not positive definite (θ at no minimum, or a
//! direction that the data do not determine) is found out rather than inverted.
//!
//! ```
//! use glauber_optimize::objective::Information;
//! use glauber_optimize::standard_error::standard_errors;
//! let information = Information { dimension: 2, entries: vec![4.0, 0.0, 0.0, 25.0] };
//! assert_eq!(standard_errors(&information).unwrap(), [0.5, 0.2]);
//! ```

use crate::objective::{Information, Objective};

/// The longest θ that gets standard errors: the matrix takes its square, the inverse its cube.
const MOST_FOR_ERRORS: usize = 500;

/// Standard errors of all of θ, where the objective is a likelihood; a note where they cannot be had.
pub(crate) fn errors_at(
    objective: &mut dyn Objective,
    theta: &[f64],
    notes: &mut Vec<String>,
) -> Option<Vec<f64>> {
    if theta.len() > MOST_FOR_ERRORS {
        return None;
    }
    let errors = match objective.observed_information(theta)? {
        Ok(information) => standard_errors(&information).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let why = match errors {
        Ok(errors) if errors.len() == theta.len() => return Some(errors),
        Ok(errors) => format!("{} came for {} unknowns", errors.len(), theta.len()),
        Err(why) => why,
    };
    notes.push(format!("no standard errors: {why}"));
    None
}

/// Why an information matrix gives no standard errors.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InformationError {
    /// Its list of entries is not as long as its dimension asks.
    #[error("an information matrix of {dimension} rows has {found} entries")]
    Shape {
        /// Its rows.
        dimension: usize,
        /// Its entries.
        found: usize,
    },
    /// It is not positive definite.
    #[error(
        "the observed information is not positive definite: the data do not determine unknown {index} here, or this is no minimum"
    )]
    NotPositive {
        /// The first unknown at which it fails, from 0.
        index: usize,
    },
}

/// The standard error of every unknown.
///
/// # Errors
/// [`InformationError`] where the matrix has the wrong shape or is not positive definite (NaN included).
pub fn standard_errors(information: &Information) -> Result<Vec<f64>, InformationError> {
    let n = information.dimension;
    let entries = &information.entries;
    if n.checked_mul(n) != Some(entries.len()) {
        return Err(InformationError::Shape { dimension: n, found: entries.len() });
    }
    // I = L Lᵀ, L lower triangular.
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
            let rest = entries[i * n + j] - dot;
            if i == j {
                // Less than what rounding leaves of the entry is nothing.
                let least = f64::EPSILON * n as f64 * entries[i * n + i].abs();
                if !(rest > least && rest.is_finite()) {
                    return Err(InformationError::NotPositive { index: i });
                }
                lower[i * n + i] = rest.sqrt();
            } else {
                lower[i * n + j] = rest / lower[j * n + j];
            }
        }
    }
    // (I⁻¹)ᵢᵢ = ‖L⁻¹ eᵢ‖².
    let variance = |i: usize| {
        let mut column = vec![0.0; n];
        for row in i..n {
            let dot: f64 = (i..row).map(|k| lower[row * n + k] * column[k]).sum();
            column[row] = (f64::from(u8::from(row == i)) - dot) / lower[row * n + row];
        }
        column.iter().map(|c| c * c).sum::<f64>()
    };
    Ok((0..n).map(|i| variance(i).sqrt()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(dimension: usize, entries: &[f64]) -> Result<Vec<f64>, InformationError> {
        standard_errors(&Information { dimension, entries: entries.to_vec() })
    }

    #[test]
    fn a_correlated_pair_by_hand() {
        // Inverse of [[2, 1], [1, 3]]: [[3, −1], [−1, 2]] / 5.
        let found = errors(2, &[2.0, 1.0, 1.0, 3.0]).unwrap();
        assert!((found[0] - 0.6f64.sqrt()).abs() < 1e-15 && (found[1] - 0.4f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn a_larger_matrix_has_the_variances_of_its_known_inverse() {
        // Minus the second difference, n = 5: (I⁻¹)ᵢᵢ = i (n + 1 − i) / (n + 1).
        let n = 5;
        let mut entries = vec![0.0; n * n];
        for i in 0..n {
            entries[i * n + i] = 2.0;
            if i > 0 {
                entries[i * n + i - 1] = -1.0;
                entries[(i - 1) * n + i] = -1.0;
            }
        }
        for (i, found) in errors(n, &entries).unwrap().into_iter().enumerate() {
            let exact = ((i + 1) as f64 * (n - i) as f64 / (n + 1) as f64).sqrt();
            assert!((found - exact).abs() < 1e-14, "{i}: {found} {exact}");
        }
    }

    #[test]
    fn what_is_no_minimum_gives_no_errors() {
        assert_eq!(errors(1, &[-1.0]), Err(InformationError::NotPositive { index: 0 }));
        assert_eq!(errors(2, &[1.0, 1.0, 1.0, 1.0]), Err(InformationError::NotPositive { index: 1 }));
        assert_eq!(errors(1, &[f64::NAN]), Err(InformationError::NotPositive { index: 0 }));
        assert_eq!(errors(2, &[1.0]), Err(InformationError::Shape { dimension: 2, found: 1 }));
        assert_eq!(errors(0, &[]), Ok(vec![]));
    }
}
