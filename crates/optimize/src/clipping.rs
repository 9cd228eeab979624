//! Bounds a gradient before it becomes a step.
//!
//! by value: gᵢ ← min(max(gᵢ, −c), c);  by norm: g ← g · min(1, c / ‖g‖)
//!
//! g: gradient in free coordinates; c > 0. By norm keeps the direction: Pascanu, Mikolov & Bengio (2013), *On the
//! difficulty of training recurrent neural networks*. By value is per parameter, for losses where one explodes.

use serde::{Deserialize, Serialize};

/// How a gradient is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clip {
    /// Every component to \[−c, c\].
    Value(f64),
    /// The whole to a length of at most c.
    Norm(f64),
}

impl Clip {
    /// Bounds the gradient in place; `norm` is its length before.
    pub fn apply(self, gradient: &mut [f64], norm: f64) {
        match self {
            Clip::Value(most) => gradient.iter_mut().for_each(|g| *g = g.clamp(-most, most)),
            Clip::Norm(most) if norm > most => {
                let share = most / norm;
                gradient.iter_mut().for_each(|g| *g *= share);
            }
            Clip::Norm(_) => {}
        }
    }

    /// The bound c.
    pub fn bound(self) -> f64 {
        match self {
            Clip::Value(most) | Clip::Norm(most) => most,
        }
    }
}

/// The Euclidean length of a list of numbers, summed in a fixed order, without overflow where the length is finite.
pub fn norm(values: &[f64]) -> f64 {
    // Eight running sums, so that long fields go at the speed of memory; the order never depends on the machine.
    let sum_of_squares = |scale: f64| {
        let mut sums = [0.0; 8];
        for chunk in values.chunks(8) {
            for (sum, v) in sums.iter_mut().zip(chunk) {
                *sum += (v / scale) * (v / scale);
            }
        }
        sums.iter().sum::<f64>()
    };
    let plain = sum_of_squares(1.0);
    if plain.is_finite() && plain > 1e-280 {
        return plain.sqrt();
    }
    let largest =
        values.iter().fold(0.0, |most: f64, v| if v.is_nan() { f64::NAN } else { most.max(v.abs()) });
    if values.iter().any(|v| v.is_nan()) {
        return f64::NAN;
    }
    if largest > 0.0 && largest.is_finite() { largest * sum_of_squares(largest).sqrt() } else { largest }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // the floats compared are exact
mod tests {
    use super::*;

    #[test]
    fn by_norm_keeps_the_direction_and_by_value_does_not() {
        let mut gradient = [3.0, 4.0];
        Clip::Norm(1.0).apply(&mut gradient, 5.0);
        assert!((gradient[0] - 0.6).abs() < 1e-15 && (gradient[1] - 0.8).abs() < 1e-15);
        let mut small = [3.0, 4.0];
        Clip::Norm(5.0).apply(&mut small, 5.0);
        assert_eq!(small, [3.0, 4.0]);
        let mut gradient = [0.5, -4.0];
        Clip::Value(1.0).apply(&mut gradient, 5.0);
        assert_eq!(gradient, [0.5, -1.0]);
    }

    #[test]
    fn the_norm_neither_overflows_nor_hides_nan() {
        assert!((norm(&[3.0, 4.0]) - 5.0).abs() < 1e-15);
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-14);
        assert!((norm(&[3e-200, 4e-200]) / 5e-200 - 1.0).abs() < 1e-14);
        assert!((norm(&[1.0; 100]) - 10.0).abs() < 1e-14);
        assert!(norm(&[f64::NAN, 1.0]).is_nan());
        assert_eq!(norm(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert_eq!(norm(&[]), 0.0);
    }
}
