//! Segments an image: prepares its reference, descends the energy, thresholds, scores against truth and Otsu.
//!
//! ```
//! use std::ops::ControlFlow;
//! use glauber_segment::{GreyImage, Preset, segment};
//!
//! // A bright disc on a dark ground.
//! let disc = |at: usize| if (at / 32).abs_diff(16).pow(2) + (at % 32).abs_diff(12).pow(2) < 60 { 0.8 } else { 0.1 };
//! let image = GreyImage::new(32, 32, (0..32 * 32).map(disc).collect())?;
//! let found = segment(&image, &Preset::Auto.settings(), None, &mut |_| ControlFlow::Continue(()))?;
//! assert!((150..=230).contains(&found.mask.area()));
//! # Ok::<(), glauber_segment::SegmentationError>(())
//! ```

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::classes::ClassStatistics;
use super::descent::{Course, Descent, DescentEnd, Landscape, Moment, descend};
use super::number::Number;
use super::otsu::{BINS_16_BIT, otsu_mask, otsu_of_range, otsu_threshold};
use super::potts::{DataTerm, PottsWeights};
use super::reference::{Preparation, prepare};
use super::{GreyImage, Mask, Scores, SegmentationError};

/// Where the descent starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The reference, stretched to [0, 1]: the paper's.
    #[default]
    Stretched,
    /// 1 where the reference lies above its Otsu threshold, else 0.
    Otsu,
}

/// The numbers the descent is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// `f32`.
    #[default]
    Single,
    /// `f64`.
    Double,
}

/// Everything a segmentation is decided by. [`Preset`](super::Preset)s are such settings with names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// From the image to the reference.
    pub preparation: Preparation,
    /// Where the descent starts.
    pub start: Start,
    /// λa … λe.
    pub weights: PottsWeights,
    /// Which distance from the reference.
    pub data: DataTerm,
    /// How the classes' statistics are taken; of no effect while their weight is 0.
    pub classes: ClassStatistics,
    /// The descent.
    pub descent: Descent,
    /// Single or double precision.
    pub precision: Precision,
}

/// The result for one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    /// The foreground.
    pub mask: Mask,
    /// X at the end, in [0, 1], row by row.
    pub field: Vec<f32>,
    /// The records of the descent, the first at the start, the last at the end.
    pub history: Vec<Moment>,
    /// Updates made.
    pub steps: u64,
    /// Why the descent ended.
    pub end: DescentEnd,
    /// Whether objects were taken to be brighter than the ground.
    pub bright_objects: bool,
    /// Estimated noise over the image's standard deviation.
    pub noise: f64,
    /// How often the image was smoothed.
    pub smoothing_passes: usize,
    /// Against the truth, where one was given.
    pub scores: Option<Scores>,
    /// Otsu's threshold of the image as it was given: the baseline.
    pub otsu_threshold: f64,
    /// The baseline's mask, of the same polarity.
    pub otsu_mask: Mask,
    /// The baseline against the truth.
    pub otsu_scores: Option<Scores>,
}

/// Segments `image`. The observer sees each record as it is made; if it breaks, the state so far is the result.
///
/// Fails on an image of one colour, a truth of another size, and settings outside their ranges.
/// The result is the same bits for any number of threads of the current rayon pool.
///
/// Memory beside the arguments, measured on 4,000 × 4,000 pixels in single precision: 16 bytes per pixel with
/// the paper's settings, 25 with those of [`Preset::Auto`](super::Preset::Auto).
pub fn segment(
    image: &GreyImage,
    settings: &Settings,
    truth: Option<&Mask>,
    observer: &mut dyn FnMut(&Moment) -> ControlFlow<()>,
) -> Result<Segmentation, SegmentationError> {
    if let Some(truth) = truth {
        truth.check_size("truth", image.height(), image.width())?;
    }
    settings.weights.check()?;
    settings.descent.check()?;
    settings.classes.check()?;
    let reference = prepare(image, &settings.preparation)?;
    let (bright_objects, noise, smoothing_passes) =
        (reference.bright_objects, reference.noise, reference.passes);
    let size = (image.height(), image.width());
    let ending = match settings.precision {
        Precision::Single => {
            Ending::new(run::<f32>(size, reference.values, settings, truth, observer)?, settings)
        }
        Precision::Double => {
            Ending::new(run::<f64>(size, reference.values, settings, truth, observer)?, settings)
        }
    };
    let mask = Mask::new(image.height(), image.width(), ending.inside)?;
    let otsu_threshold = otsu_threshold(image, BINS_16_BIT)?;
    let otsu_mask = otsu_mask(image, otsu_threshold, bright_objects)?;
    let score = |mask: &Mask| truth.map(|truth| Scores::of(mask, truth)).transpose();
    Ok(Segmentation {
        scores: score(&mask)?,
        otsu_scores: score(&otsu_mask)?,
        mask,
        field: ending.field,
        history: ending.history,
        steps: ending.steps,
        end: ending.end,
        bright_objects,
        noise,
        smoothing_passes,
        otsu_threshold,
        otsu_mask,
    })
}

/// A course without its number type.
struct Ending {
    inside: Vec<bool>,
    field: Vec<f32>,
    history: Vec<Moment>,
    steps: u64,
    end: DescentEnd,
}

impl Ending {
    fn new<T: Number>(course: Course<T>, settings: &Settings) -> Ending {
        let threshold = T::from_f64(settings.descent.threshold);
        Ending {
            inside: course.x.iter().map(|&x| x > threshold).collect(),
            field: course.x.iter().map(|x| x.to_f64() as f32).collect(),
            history: course.history,
            steps: course.steps,
            end: course.end,
        }
    }
}

fn run<T: Number>(
    (height, width): (usize, usize),
    reference: Vec<f64>,
    settings: &Settings,
    truth: Option<&Mask>,
    observer: &mut dyn FnMut(&Moment) -> ControlFlow<()>,
) -> Result<Course<T>, SegmentationError> {
    let start = start_of::<T>(&reference, settings.start)?;
    let narrow: Vec<T> = reference.iter().map(|&z| T::from_f64(z)).collect();
    drop(reference);
    let landscape = Landscape {
        height,
        width,
        weights: settings.weights,
        data: settings.data,
        reference: &narrow,
        classes: settings.classes,
    };
    descend(&landscape, start, &settings.descent, truth, observer)
}

fn start_of<T: Number>(reference: &[f64], start: Start) -> Result<Vec<T>, SegmentationError> {
    match start {
        Start::Stretched => {
            let (least, greatest) =
                reference.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, g), &z| (l.min(z), g.max(z)));
            Ok(reference.iter().map(|z| T::from_f64((z - least) / (greatest - least))).collect())
        }
        Start::Otsu => {
            let threshold = otsu_of_range(reference)?;
            Ok(reference.iter().map(|&z| T::from_f64(f64::from(u8::from(z > threshold)))).collect())
        }
    }
}
