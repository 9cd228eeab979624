//! Turns an image into the reference of the data term: upright, flat, smooth enough, standardised.
//!
//! ```text
//! g → 1 − g where objects are dark        (polarity)
//!   → g − background surface              (flatten, optional)
//!   → binomial 3 × 3 smoothing, n times   (smoothing, optional)
//!   → z = (g − mean) / standard deviation
//! ```
//!
//! The paper's reference is the last line alone. The first three are additions:
//!
//! - *Polarity* is detected by the skewness of the image (flattened over all pixels and smoothed twice): few
//!   bright pixels among many dark ones give a positive skewness. It fails where objects cover more than
//!   about 60 % of the image: then say it.
//! - *Noise* is estimated by the median absolute response of the mask (1 −2 1; −2 4 −2; 1 −2 1), which a
//!   smooth image answers with nothing, divided by 6 · 0.6745 (Immerkær 1996, with the median against edges).

use serde::{Deserialize, Serialize};

use super::flatten::{background, median, sample_places};
use super::{GreyImage, SegmentationError};

/// Which of the two classes is the foreground.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Polarity {
    /// Bright objects on a dark ground: fluorescence, the paper's images.
    #[default]
    BrightObjects,
    /// Dark objects on a bright ground: bright field, stained slides.
    DarkObjects,
    /// Whichever the image's skewness says.
    Detect,
}

/// How often the image is smoothed before it becomes the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothing {
    /// So many times; at most 64.
    Passes(usize),
    /// Once where the noise exceeds a fifth of the image's standard deviation, else not at all.
    WhereNoisy,
}

/// Noise above this share of the standard deviation is smoothed by [`Smoothing::WhereNoisy`].
const NOISY: f64 = 0.2;
const MOST_PASSES: usize = 64;

/// What is done to the image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Which class is the foreground.
    pub polarity: Polarity,
    /// The degree of the background surface to subtract, 0 to 4, or nothing.
    pub flatten: Option<u8>,
    /// Smoothing.
    pub smoothing: Smoothing,
}

impl Default for Preparation {
    /// The paper's: bright objects, nothing subtracted, nothing smoothed.
    fn default() -> Self {
        Preparation { polarity: Polarity::BrightObjects, flatten: None, smoothing: Smoothing::Passes(0) }
    }
}

/// The reference and what was found on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// z, one number per pixel, mean 0 and variance 1; greater means more like an object.
    pub values: Vec<f64>,
    /// Whether objects are brighter than the ground.
    pub bright_objects: bool,
    /// Estimated standard deviation of the noise over that of the image.
    pub noise: f64,
    /// How often the image was smoothed.
    pub passes: usize,
}

/// Makes the reference of `image`; fails on an image of one colour, or without anything left once it is flat.
pub fn prepare(image: &GreyImage, preparation: &Preparation) -> Result<Reference, SegmentationError> {
    image.check_contrast()?;
    let (height, width) = (image.height(), image.width());
    let (_, deviation) = mean_and_deviation(image.values());
    let noise = noise_deviation(image) / deviation;
    let passes = match preparation.smoothing {
        Smoothing::Passes(passes) if passes > MOST_PASSES => {
            let must = "be at most 64 passes";
            return Err(SegmentationError::Setting { name: "smoothing", found: passes.to_string(), must });
        }
        Smoothing::Passes(passes) => passes,
        Smoothing::WhereNoisy => usize::from(noise > NOISY),
    };
    let bright_objects = match preparation.polarity {
        Polarity::BrightObjects => true,
        Polarity::DarkObjects => false,
        Polarity::Detect => skewness(image)? >= 0.0,
    };
    let mut values = image.values().to_vec();
    if !bright_objects {
        values.iter_mut().for_each(|grey| *grey = 1.0 - *grey);
    }
    if let Some(degree) = preparation.flatten {
        let upright = GreyImage::new(height, width, values)?;
        let ground = background(&upright, degree, true)?;
        values = upright.values().iter().zip(ground).map(|(grey, ground)| grey - ground).collect();
    }
    (0..passes).for_each(|_| smooth(&mut values, height, width));
    standardise(&mut values)?;
    Ok(Reference { values, bright_objects, noise, passes })
}

fn standardise(values: &mut [f64]) -> Result<(), SegmentationError> {
    let (mean, deviation) = mean_and_deviation(values);
    // A surface that fits the whole image leaves rounding errors only.
    if deviation.is_nan() || deviation <= 1e-9 {
        return Err(SegmentationError::Featureless);
    }
    values.iter_mut().for_each(|value| *value = (*value - mean) / deviation);
    Ok(())
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
}

/// Third standardised moment of the image, flattened over all pixels and smoothed twice.
fn skewness(image: &GreyImage) -> Result<f64, SegmentationError> {
    let ground = background(image, 2, false)?;
    let mut values: Vec<f64> =
        image.values().iter().zip(ground).map(|(grey, ground)| grey - ground).collect();
    (0..2).for_each(|_| smooth(&mut values, image.height(), image.width()));
    let (mean, deviation) = mean_and_deviation(&values);
    let third = values.iter().map(|value| (value - mean).powi(3)).sum::<f64>() / values.len() as f64;
    Ok(if deviation > 0.0 { third / deviation.powi(3) } else { 0.0 })
}

fn noise_deviation(image: &GreyImage) -> f64 {
    let (height, width, values) = (image.height(), image.width(), image.values());
    // Beyond the border the border's value goes on.
    let at = |r: usize, c: usize, dr: usize, dc: usize| {
        let r = (r + dr).saturating_sub(1).min(height - 1);
        values[r * width + (c + dc).saturating_sub(1).min(width - 1)]
    };
    let responses = sample_places(height, width)
        .map(|(r, c)| {
            let second = |dr: usize| at(r, c, dr, 0) - 2.0 * at(r, c, dr, 1) + at(r, c, dr, 2);
            (second(0) - 2.0 * second(1) + second(2)).abs()
        })
        .collect();
    median(responses) / (6.0 * 0.6745)
}

/// One pass of the binomial filter (1 2 1)/4 along rows and columns; beyond the border the border's value goes on.
fn smooth(values: &mut [f64], height: usize, width: usize) {
    for row in values.chunks_exact_mut(width) {
        let mut left = row[0];
        for c in 0..width {
            let here = row[c];
            row[c] = 0.25 * (left + 2.0 * here + row[(c + 1).min(width - 1)]);
            left = here;
        }
    }
    let mut above = values[..width].to_vec();
    for r in 0..height {
        let (now, later) = values[r * width..].split_at_mut(width);
        for c in 0..width {
            let here = now[c];
            let below = if r + 1 < height { later[c] } else { here };
            now[c] = 0.25 * (above[c] + 2.0 * here + below);
            above[c] = here;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn spots(height: usize, width: usize, slope: f64) -> Vec<f64> {
        (0..height * width)
            .map(|at| {
                let (r, c) = (at / width, at % width);
                let inside = (r % 10).abs_diff(5).pow(2) + (c % 10).abs_diff(5).pow(2) < 8;
                0.1 + slope * c as f64 / width as f64 + if inside { 0.4 } else { 0.0 }
            })
            .collect()
    }

    fn detected(values: Vec<f64>) -> bool {
        let image = GreyImage::new(60, 80, values).unwrap();
        let how = Preparation { polarity: Polarity::Detect, ..Preparation::default() };
        prepare(&image, &how).unwrap().bright_objects
    }

    #[test]
    fn polarity_is_told_even_under_a_slope_of_the_light() {
        for slope in [0.0, 0.4] {
            assert!(detected(spots(60, 80, slope)), "slope {slope}");
            assert!(!detected(spots(60, 80, slope).iter().map(|g| 1.0 - g).collect()), "slope {slope}");
        }
    }

    #[test]
    fn dark_objects_give_the_reference_of_their_negative() {
        let image = GreyImage::new(60, 80, spots(60, 80, 0.3)).unwrap();
        let negative = GreyImage::new(60, 80, image.values().iter().map(|g| 1.0 - g).collect()).unwrap();
        let how = Preparation { flatten: Some(2), ..Preparation::default() };
        let upright = prepare(&image, &how).unwrap();
        let turned = prepare(&negative, &Preparation { polarity: Polarity::DarkObjects, ..how }).unwrap();
        let worst = upright.values.iter().zip(&turned.values).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-9, "{worst}");
    }

    #[test]
    fn the_reference_is_standardised_and_smoothing_keeps_constants() {
        let image = GreyImage::new(60, 80, spots(60, 80, 0.0)).unwrap();
        let how = Preparation { smoothing: Smoothing::Passes(3), ..Preparation::default() };
        let (mean, deviation) = mean_and_deviation(&prepare(&image, &how).unwrap().values);
        assert!(mean.abs() < 1e-12 && (deviation - 1.0).abs() < 1e-12);
        let mut constant = vec![0.3; 35];
        smooth(&mut constant, 5, 7);
        assert!(constant.iter().all(|v| (v - 0.3).abs() < 1e-15));
        let mut point = vec![0.0; 25];
        point[12] = 16.0;
        smooth(&mut point, 5, 5);
        let wanted = [
            0., 0., 0., 0., 0., 0., 1., 2., 1., 0., 0., 2., 4., 2., 0., 0., 1., 2., 1., 0., 0., 0., 0., 0.,
            0.,
        ];
        assert!(point.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-15), "{point:?}");
    }

    #[test]
    fn noise_is_measured_in_units_of_the_image() {
        // Uniform noise of standard deviation s on a gentle slope. The median of |response| over 4,096 pixels
        // is known to about 1.25/√4096/0.6745 · (correlations ≲ 2) < 6 %; the response being a sum of 9
        // uniforms, not normal numbers, shifts it by under 3 %. Bounds at ± 20 %.
        let (mut state, s) = (9u64, 0.02);
        let values: Vec<f64> = (0..64 * 64)
            .map(|at| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let uniform = (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
                0.3 + 0.3 * (at % 64) as f64 / 64.0 + s * 12f64.sqrt() * uniform
            })
            .collect();
        let image = GreyImage::new(64, 64, values).unwrap();
        let found = noise_deviation(&image) / s;
        assert!((0.8..1.2).contains(&found), "{found}");
    }

    #[test]
    fn an_image_that_is_all_background_is_featureless() {
        let slope = GreyImage::new(8, 8, (0..64).map(|at| at as f64 / 64.0).collect()).unwrap();
        let how = Preparation { flatten: Some(1), ..Preparation::default() };
        assert_eq!(prepare(&slope, &how), Err(SegmentationError::Featureless));
        let flat = GreyImage::new(8, 8, vec![0.5; 64]).unwrap();
        assert_eq!(prepare(&flat, &how), Err(SegmentationError::OneColour { grey: 0.5 }));
    }
}
