//! Draws normal numbers, each a pure function of (seed, round, point, coordinate).

use glauber_numbers::noise::{Key, Purpose, derive_seed, open_uniform};

/// Standard normal numbers: the coordinates of one point of one round (Box & Muller 1958).
pub(super) fn normals(seed: u64, round: u64, point: u32, count: usize) -> Vec<f64> {
    let seed = derive_seed(seed, Purpose::SearchPoints, round);
    let (radii, angles) = (Key::new(seed, point, 0, 0, 0), Key::new(seed, point, 0, 0, 1));
    let normal = |i: u32| {
        let (u, v): (f64, f64) = (open_uniform(radii.word(i)), open_uniform(angles.word(i)));
        (-2.0 * libm::log(u)).sqrt() * libm::cos(2.0 * std::f64::consts::PI * v)
    };
    (0..count as u32).map(normal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_statistics::tolerance::{SampleMean, kolmogorov_smirnov, kolmogorov_smirnov_below};

    #[test]
    fn they_are_normal_and_pure() {
        // Pinned seed; false alarm 0.001 each.
        let mut sample: Vec<f64> = (0..100).flat_map(|point| normals(5, 3, point, 50)).collect();
        assert!(SampleMean::of(&sample).agrees_with(0.0, 0.001));
        let law = |x: f64| 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
        let distance = kolmogorov_smirnov(&mut sample, law, law);
        assert!(distance < kolmogorov_smirnov_below(5000, 0.001), "{distance}");
        assert_eq!(normals(5, 3, 7, 4), normals(5, 3, 7, 9)[..4]);
        assert_ne!(normals(5, 3, 7, 4), normals(5, 4, 7, 4));
    }
}
