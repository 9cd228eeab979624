//! Finds Otsu's threshold: the grey value that best splits an image's histogram in two.
//!
//! ```text
//! σ²(k) = (μ w(k) − m(k))² / (w(k) (1 − w(k)))   is greatest at the threshold
//! ```
//!
//! - w(k), m(k): the share of pixels in bins 0..=k, and the sum of their grey values over the number of pixels;
//! - μ: the mean grey value.
//!
//! The foreground is what lies *above* the last bin of the lower class. Where several neighbouring bins are
//! equally good (an empty stretch between two peaks) the middle of that stretch is taken.
//!
//! Reference: Otsu (1979), *A threshold selection method from gray-level histograms*. Departures: the plateau
//! rule, and bins over the range [0, 1] chosen by the caller: 256 bins hold 8-bit images without loss
//! ([`BINS_8_BIT`]), 65,536 16-bit images ([`BINS_16_BIT`]).
//!
//! ```
//! use glauber_segment::{GreyImage, otsu_threshold, BINS_8_BIT};
//! let image = GreyImage::new(1, 5, vec![0.1, 0.1, 0.1, 0.7, 0.7])?;
//! let threshold = otsu_threshold(&image, BINS_8_BIT)?;
//! assert!((0.1..0.7).contains(&threshold));
//! # Ok::<(), glauber_segment::SegmentationError>(())
//! ```

use super::{GreyImage, Mask, SegmentationError};

/// Bins that hold every value of an 8-bit image.
pub const BINS_8_BIT: usize = 1 << 8;
/// Bins that hold every value of a 16-bit image.
pub const BINS_16_BIT: usize = 1 << 16;

/// The threshold in [0, 1] with `bins` bins (2 to 65,536): pixels above it are the brighter class.
/// Fails on an image of one colour and on another number of bins.
pub fn otsu_threshold(image: &GreyImage, bins: usize) -> Result<f64, SegmentationError> {
    image.check_contrast()?;
    if !(2..=BINS_16_BIT).contains(&bins) {
        let must = "lie in 2 to 65,536";
        return Err(SegmentationError::Setting { name: "bins", found: bins.to_string(), must });
    }
    // Bin k holds the values whose nearest level is k / (bins − 1), so that 8-bit values fall on bins exactly.
    let top = (bins - 1) as f64;
    let cut = split(&histogram(image.values().iter().map(|&grey| (grey * top).round() as usize), bins));
    match cut {
        Some(level) => Ok((level + 0.5) / top),
        // All values round to one bin: more bins tell them apart.
        None => otsu_of_range(image.values()),
    }
}

/// The mask of the brighter class (`bright` objects) or of the darker one.
pub fn otsu_mask(image: &GreyImage, threshold: f64, bright: bool) -> Result<Mask, SegmentationError> {
    let inside = image.values().iter().map(|&grey| (grey > threshold) == bright).collect();
    Mask::new(image.height(), image.width(), inside)
}

/// The threshold of any finite values that are not all equal, with 4,096 bins from the least to the greatest.
pub(super) fn otsu_of_range(values: &[f64]) -> Result<f64, SegmentationError> {
    const BINS: usize = 4096;
    let (least, greatest) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, g), &v| (l.min(v), g.max(v)));
    let span = greatest - least;
    if span <= 0.0 || !span.is_finite() {
        return Err(SegmentationError::OneColour { grey: least });
    }
    let scale = (BINS - 1) as f64 / span;
    let bins = histogram(values.iter().map(|&v| ((v - least) * scale).round() as usize), BINS);
    // The least and greatest values lie in the first and last bin, so that there is a cut between them.
    let level = split(&bins).unwrap_or((BINS - 1) as f64 / 2.0);
    Ok(least + (level + 0.5) / scale)
}

fn histogram(levels: impl Iterator<Item = usize>, bins: usize) -> Vec<u64> {
    let mut counts = vec![0u64; bins];
    levels.for_each(|level| counts[level.min(bins - 1)] += 1);
    counts
}

/// The last level of the lower class (a half-integer on a plateau of even length); none with fewer than two
/// levels.
fn split(counts: &[u64]) -> Option<f64> {
    let total = counts.iter().sum::<u64>() as f64;
    let mean = counts.iter().enumerate().map(|(level, &n)| level as f64 * n as f64).sum::<f64>() / total;
    let (mut below, mut moment) = (0u64, 0.0);
    let mut best: Option<(f64, usize, usize)> = None;
    for (level, &n) in counts.iter().enumerate() {
        below += n;
        moment += level as f64 * n as f64 / total;
        let share = below as f64 / total;
        if below == 0 || share >= 1.0 {
            continue;
        }
        let difference = mean * share - moment;
        let variance = difference * difference / (share * (1.0 - share));
        match &mut best {
            // An empty bin changes nothing: the plateau goes on.
            Some((_, _, last)) if n == 0 && *last + 1 == level => *last = level,
            Some((greatest, _, _)) if variance <= *greatest => {}
            _ => best = Some((variance, level, level)),
        }
    }
    best.map(|(_, first, last)| (first + last) as f64 / 2.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn image(levels: &[(u8, usize)]) -> GreyImage {
        let bytes: Vec<u8> = levels.iter().flat_map(|&(level, n)| vec![level; n]).collect();
        GreyImage::from_bytes(1, bytes.len(), &bytes).unwrap()
    }

    /// The between-class variance by its other formula, w₀ w₁ (μ₁ − μ₀)², at every cut.
    fn greatest_by_enumeration(image: &GreyImage) -> f64 {
        let between = |cut: f64| {
            let (mut n, mut sum) = ([0.0; 2], [0.0; 2]);
            for &grey in image.values() {
                let class = usize::from(grey > cut);
                n[class] += 1.0;
                sum[class] += grey;
            }
            if n[0] * n[1] == 0.0 { 0.0 } else { n[0] * n[1] * (sum[1] / n[1] - sum[0] / n[0]).powi(2) }
        };
        let variances: Vec<f64> = (0..255).map(|k| between((f64::from(k) + 0.5) / 255.0)).collect();
        let best = variances.iter().copied().fold(0.0, f64::max);
        let tied: Vec<usize> = (0..255).filter(|&k| variances[k] > best * (1.0 - 1e-12)).collect();
        (tied.iter().sum::<usize>() as f64 / tied.len() as f64 + 0.5) / 255.0
    }

    #[test]
    fn two_levels_are_cut_in_the_middle() {
        // Levels 50 and 150 (half of the pixels each): every cut from 50 to 149 is equal, the middle is 99.5 + ½.
        let threshold = otsu_threshold(&image(&[(50, 8), (150, 8)]), BINS_8_BIT).unwrap();
        assert!((threshold - 100.0 / 255.0).abs() < 1e-12, "{}", threshold * 255.0);
    }

    #[test]
    fn the_sizes_of_the_classes_do_not_move_a_clear_cut() {
        let threshold = otsu_threshold(&image(&[(10, 997), (200, 3)]), BINS_8_BIT).unwrap();
        assert!((threshold - 105.0 / 255.0).abs() < 1e-12);
    }

    #[test]
    fn known_histogram() {
        // 6 × 6 example with levels 0..5 and counts 8, 7, 2, 6, 9, 4 (a textbook case): the cut lies between
        // 2 and 3.
        let threshold =
            otsu_threshold(&image(&[(0, 8), (1, 7), (2, 2), (3, 6), (4, 9), (5, 4)]), BINS_8_BIT).unwrap();
        assert!((threshold * 255.0 - 2.5).abs() < 1e-9, "{}", threshold * 255.0);
    }

    #[test]
    fn any_histogram_agrees_with_enumeration() {
        let mut state = 1u64;
        for _ in 0..50 {
            let levels: Vec<(u8, usize)> = (0..6)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    ((state >> 33) as u8, (state >> 50) as usize % 20 + 1)
                })
                .collect();
            let image = image(&levels);
            let (found, wanted) =
                (otsu_threshold(&image, BINS_8_BIT).unwrap(), greatest_by_enumeration(&image));
            assert!(
                (found - wanted).abs() < 1e-9,
                "{levels:?}: {} instead of {}",
                found * 255.0,
                wanted * 255.0
            );
        }
    }

    #[test]
    fn a_narrow_16_bit_image_is_split_by_any_number_of_bins() {
        let step = 1.0 / 65535.0;
        let values: Vec<f64> = (0..100).map(|k| 0.5 + step * if k < 60 { 0.0 } else { 9.0 }).collect();
        let image = GreyImage::new(10, 10, values).unwrap();
        for bins in [BINS_8_BIT, BINS_16_BIT] {
            let threshold = otsu_threshold(&image, bins).unwrap();
            assert_eq!(otsu_mask(&image, threshold, true).unwrap().area(), 40, "{bins} bins");
            assert_eq!(otsu_mask(&image, threshold, false).unwrap().area(), 60, "{bins} bins");
        }
    }

    #[test]
    fn one_colour_and_too_few_bins_are_refused() {
        assert!(
            otsu_threshold(&image(&[(7, 5)]), BINS_8_BIT).unwrap_err().to_string().contains("one colour")
        );
        assert!(otsu_threshold(&image(&[(7, 5), (8, 1)]), 1).unwrap_err().to_string().contains("bins"));
    }
}
