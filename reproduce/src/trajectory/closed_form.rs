//! Computes the walk's mean squared displacement in closed form, and its least-squares optimum for a curve.

/// The closed form at steps 1..=count, in squared sites.
pub(super) fn msd([p_center, p_resample]: [f64; 2], count: usize) -> Vec<f64> {
    let at = |n: usize| {
        let kept = |k: usize| (n - k) as f64 * (1.0 - p_resample).powi(k as i32);
        2.0 * (1.0 - p_center) * (n as f64 + 2.0 * (1..n).map(kept).sum::<f64>())
    };
    (1..=count).map(at).collect()
}

/// The squared error of a curve.
pub(super) fn loss(theta: [f64; 2], target: &[f64]) -> f64 {
    msd(theta, target.len()).iter().zip(target).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The least-squares optimum of the closed form: a grid that closes in on the best of its points.
pub(super) fn optimum(target: &[f64]) -> [f64; 2] {
    const POINTS: i32 = 40;
    let (mut best, mut reach) = ([0.5, 0.5], 0.5);
    while reach > 1e-7 {
        let centre = best;
        for i in -POINTS..=POINTS {
            for j in -POINTS..=POINTS {
                let at = |c: f64, k: i32| (c + reach * f64::from(k) / f64::from(POINTS)).clamp(0.0, 1.0);
                let theta = [at(centre[0], i), at(centre[1], j)];
                if loss(theta, target) < loss(best, target) {
                    best = theta;
                }
            }
        }
        reach *= 0.25;
    }
    best
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::trajectory::TRUTH;

    #[test]
    fn the_closed_form_and_its_optimum_are_the_known_ones() {
        let wanted = [1.6, 6.08, 13.152, 22.5568, 34.06112];
        for (found, wanted) in msd(TRUTH, 5).iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
        let best = optimum(&msd(TRUTH, 10));
        assert!((best[0] - 0.2).abs() < 1e-5 && (best[1] - 0.1).abs() < 1e-5, "{best:?}");
        let t_cells = optimum(&super::super::target("t-cells").unwrap());
        assert!((t_cells[0] - 0.27164).abs() < 1e-4 && (t_cells[1] - 0.61629).abs() < 1e-4, "{t_cells:?}");
    }
}
