//! Turns colour into grey: ITU-R 601 luma in integers, as Pillow does it.

/// A sample of 8 or 16 bits.
pub(super) trait Sample: Copy + Default {
    fn wide(self) -> u64;
    fn narrow(wide: u64) -> Self;
}

impl Sample for u8 {
    fn wide(self) -> u64 {
        self.into()
    }
    fn narrow(wide: u64) -> Self {
        // The weights sum to 65536, so luma never exceeds the largest sample.
        wide as u8
    }
}

impl Sample for u16 {
    fn wide(self) -> u64 {
        self.into()
    }
    fn narrow(wide: u64) -> Self {
        wide as u16
    }
}

/// The luma of one pixel; 16-bit fixed-point weights of 0.299, 0.587 and 0.114, rounded to the nearest.
pub(super) fn luma<T: Sample>(red: T, green: T, blue: T) -> T {
    T::narrow((19595 * red.wide() + 38470 * green.wide() + 7471 * blue.wide() + 32768) >> 16)
}

/// Grey values of pixels of `channels` interleaved samples: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha.
pub(super) fn grey<T: Sample>(samples: Vec<T>, channels: usize) -> Vec<T> {
    match channels {
        1 => samples,
        2 => samples.chunks_exact(2).map(|p| p[0]).collect(),
        _ => samples.chunks_exact(channels).map(|p| luma(p[0], p[1], p[2])).collect(),
    }
}

/// Grey values of colour stored as three planes one after the other.
pub(super) fn grey_of_planes<T: Sample>(samples: &[T], pixels: usize) -> Vec<T> {
    (0..pixels).map(|i| luma(samples[i], samples[pixels + i], samples[2 * pixels + i])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_colours_keep_their_value() {
        for v in 0..=u8::MAX {
            assert_eq!(luma(v, v, v), v);
        }
        for v in [0, 1, 255, 256, 40_000, u16::MAX] {
            assert_eq!(luma(v, v, v), v);
        }
    }

    #[test]
    fn luma_is_the_nearest_integer_to_the_weighted_mean() {
        for (r, g, b) in [(255u8, 0, 0), (0, 255, 0), (0, 0, 255), (12, 200, 77), (1, 2, 3)] {
            let exact = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
            assert!((f64::from(luma(r, g, b)) - exact).abs() < 0.502, "{r} {g} {b}");
        }
    }

    #[test]
    fn alpha_is_left_out() {
        assert_eq!(grey(vec![7u8, 0, 9, 255], 2), [7, 9]);
        assert_eq!(grey(vec![7u8, 7, 7, 0], 4), [7]);
        assert_eq!(grey_of_planes(&[7u8, 9, 7, 9, 7, 9], 2), [7, 9]);
    }
}
