//! Solves small symmetric systems.

/// The lower factor L of a positive matrix M = L Lᵀ, row by row; none where it is not positive.
pub(crate) fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut root = vec![0.0; n * n];
    for row in 0..n {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| root[row * n + k] * root[column * n + k]).sum();
            let left = matrix[row * n + column] - known;
            if row == column {
                if left.is_nan() || left <= 0.0 {
                    return None;
                }
                root[row * n + row] = left.sqrt();
            } else {
                root[row * n + column] = left / root[column * n + column];
            }
        }
    }
    Some(root)
}

/// M⁻¹ b from the factor of M.
pub(crate) fn solved(root: &[f64], n: usize, right: &[f64]) -> Vec<f64> {
    let mut x = right.to_vec();
    for row in 0..n {
        let known: f64 = (0..row).map(|k| root[row * n + k] * x[k]).sum();
        x[row] = (x[row] - known) / root[row * n + row];
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| root[k * n + row] * x[k]).sum();
        x[row] = (x[row] - known) / root[row * n + row];
    }
    x
}

/// M⁻¹ from the factor of M.
pub(crate) fn inverse(root: &[f64], n: usize) -> Vec<f64> {
    let mut whole = vec![0.0; n * n];
    for column in 0..n {
        let unit: Vec<f64> = (0..n).map(|row| if row == column { 1.0 } else { 0.0 }).collect();
        for (row, x) in solved(root, n, &unit).into_iter().enumerate() {
            whole[row * n + column] = x;
        }
    }
    whole
}

/// M times a vector.
pub(crate) fn product(matrix: &[f64], n: usize, x: &[f64]) -> Vec<f64> {
    (0..n).map(|row| (0..n).map(|k| matrix[row * n + k] * x[k]).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_solved() {
        let matrix = [4.0, 2.0, 2.0, 5.0];
        let root = cholesky(&matrix, 2).unwrap_or_default();
        assert_eq!(root, [2.0, 0.0, 1.0, 2.0]);
        assert_eq!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
        let x = solved(&root, 2, &[8.0, 12.0]);
        let right = product(&matrix, 2, &x);
        assert!((right[0] - 8.0).abs() < 1e-12 && (right[1] - 12.0).abs() < 1e-12);
        let one = product(&matrix, 2, &inverse(&root, 2)[..2]);
        assert!((one[0] - 1.0).abs() < 1e-12 && one[1].abs() < 1e-12);
    }
}
